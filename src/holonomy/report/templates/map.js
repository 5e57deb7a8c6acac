"use strict";
(() => {
  const page = JSON.parse(document.getElementById("page-data").textContent);
  const byId = (id) => document.getElementById(id);
  const isDark = matchMedia("(prefers-color-scheme: dark)");
  const state = { coloring: page.colorings[0], alone: null };
  let source, points, plots;

  // ---- elements from texts: values of the data only ever become text nodes
  function element(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }
  function svg(tag, attributes) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  }
  function number(value) {
    if (!Number.isFinite(value)) return page.missing;
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
  }

  // ---- colours
  const palette = (coloring) => coloring.palette[isDark.matches ? "dark" : "light"];
  const opaque = (color) => ((parseInt(color.slice(1), 16) << 8) | page.alpha) >>> 0;
  function shade(coloring, value) {
    if (coloring.classes) return value;
    const position = (value - coloring.low) / (coloring.high - coloring.low || 1);
    return Math.max(0, Math.min(255, Math.floor(256 * position)));
  }
  function paint() {
    const { coloring, alone } = state;
    const shades = palette(coloring).map(opaque);
    const faded = isDark.matches ? 0x55606a40 : 0x8b959d33;
    const values = source.data[coloring.field];
    const colors = source.data.color;
    for (let i = 0; i < colors.length; i++) {
      const value = values[i];
      const hidden = Number.isNaN(value) || (alone !== null && value !== alone);
      colors[i] = hidden ? faded : shades[shade(coloring, value)];
    }
    source.change.emit();
    dress(coloring.field);
  }
  const pointsOf = (plot) => plot.renderers.find((renderer) => renderer.name === "points");
  // The names of the classes stand on a halo of the panel's colour, drawn first, so that they read on any points.
  function dress(field) {
    const style = getComputedStyle(document.documentElement);
    const ink = { value: style.getPropertyValue("--ink").trim() };
    const panel = { value: style.getPropertyValue("--panel").trim() };
    for (const plot of Object.values(plots)) {
      pointsOf(plot).hover_glyph.line_color = ink;
    }
    for (const names of plots.map.renderers.filter((renderer) => /^(halo|names):/.test(renderer.name))) {
      const isHalo = names.name.startsWith("halo");
      names.glyph.text_color = isHalo ? panel : ink;
      names.glyph.text_outline_color = isHalo ? panel : null;
      names.visible = names.name.endsWith(`:${field}`);
    }
  }

  // ---- the key: what to colour by, and what the colours mean
  function drawColorings() {
    const box = byId("colorings");
    let group = null, choices = null;
    page.colorings.forEach((coloring, i) => {
      if (coloring.group !== group) {
        group = coloring.group;
        choices = element("div", { class: "choices" });
        box.append(element("div", { class: "choice-group" }, group), choices);
      }
      const input = element("input", { type: "radio", name: "coloring", value: coloring.field });
      input.checked = i === 0;
      input.addEventListener("change", () => {
        Object.assign(state, { coloring, alone: null });
        drawLegend();
        paint();
      });
      const name = element("span", { dir: "auto" }, coloring.name);
      choices.append(element("label", { class: "choice", title: coloring.name }, input, name));
    });
  }
  function drawLegend() {
    const { coloring } = state;
    const box = byId("legend");
    box.replaceChildren(coloring.classes ? classList(coloring) : scale(coloring));
    if (coloring.hint) box.append(element("p", { class: "hint" }, coloring.hint));
  }
  function classList(coloring) {
    const colors = palette(coloring);
    const list = element("ul", { class: "classes" });
    coloring.classes.forEach((name, code) => {
      const button = element(
        "button", { type: "button", "aria-pressed": String(state.alone === code), title: name },
        element("span", { class: "swatch", style: `--swatch:${colors[code]}` }),
        element("span", { class: "name", dir: "auto" }, name),
        element("span", { class: "count" }, coloring.counts[code].toLocaleString("en")),
      );
      button.addEventListener("click", () => {
        state.alone = state.alone === code ? null : code;
        [...list.querySelectorAll("button")].forEach((b, i) => b.setAttribute("aria-pressed", String(state.alone === i)));
        paint();
      });
      list.append(element("li", {}, button));
    });
    return list;
  }
  function scale(coloring) {
    const colors = palette(coloring);
    const bins = coloring.histogram;
    const most = Math.max(1, ...bins);
    const drawing = svg("svg", { viewBox: `0 0 ${bins.length} 74`, preserveAspectRatio: "none", "aria-hidden": "true" });
    bins.forEach((count, i) => {
      const fill = colors[Math.floor((256 * (i + 0.5)) / bins.length)];
      const height = (58 * count) / most;
      drawing.append(svg("rect", { x: i, y: 60 - height, width: 0.86, height, fill }));
      drawing.append(svg("rect", { x: i, y: 64, width: 1.02, height: 10, fill }));
    });
    const ends = element("div", { class: "ends" }, ...coloring.ticks.map((tick) => element("span", {}, tick)));
    return element("div", { class: "scale" }, drawing, ends);
  }

  // ---- the view: equal scales on both axes, whatever the size of the window
  function extent(values) {
    let low = Infinity, high = -Infinity;
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return { middle: (low + high) / 2, size: Math.max(high - low, 1e-6) };
  }
  function frameSize(view) {
    const margin = 2 * view.plot.min_border;
    return { width: view.box.clientWidth - margin, height: view.box.clientHeight - margin };
  }
  function look(view, x, y, unitsPerPixel) {
    Object.assign(view, frameSize(view));
    const width = (view.width * unitsPerPixel) / 2;
    const height = (view.height * unitsPerPixel) / 2;
    view.plot.x_range.setv({ start: x - width, end: x + width });
    view.plot.y_range.setv({ start: y - height, end: y + height });
  }
  const center = (range) => (range.start + range.end) / 2;
  const unitsPerPixel = (view) => (view.plot.x_range.end - view.plot.x_range.start) / view.width;
  function showAll(view) {
    const { x, y } = view.extent;
    const { width, height } = frameSize(view);
    look(view, x.middle, y.middle, 1.09 * Math.max(x.size / width, y.size / height));
  }
  function zoom(view, factor) {
    look(view, center(view.plot.x_range), center(view.plot.y_range), unitsPerPixel(view) * factor);
  }
  function pan(view, dx, dy) {
    const step = 60 * unitsPerPixel(view);
    look(view, center(view.plot.x_range) + dx * step, center(view.plot.y_range) + dy * step, unitsPerPixel(view));
  }
  function makeView(id, plot, x, y) {
    const view = { box: byId(id), plot, extent: { x: extent(source.data[x]), y: extent(source.data[y]) } };
    showAll(view);
    new ResizeObserver(() => {
      const { width, height } = frameSize(view);
      if (width <= 0 || (width === view.width && height === view.height)) return;
      const kept = unitsPerPixel(view) * Math.max(view.width / width, view.height / height);
      look(view, center(plot.x_range), center(plot.y_range), kept);
    }).observe(view.box);
    return view;
  }
  function connectView(view) {
    byId("zoom-in").addEventListener("click", () => zoom(view, 1 / 1.5));
    byId("zoom-out").addEventListener("click", () => zoom(view, 1.5));
    byId("zoom-reset").addEventListener("click", () => showAll(view));
    const keys = {
      "+": () => zoom(view, 1 / 1.25), "=": () => zoom(view, 1 / 1.25), "-": () => zoom(view, 1.25),
      "0": () => showAll(view), ArrowLeft: () => pan(view, -1, 0), ArrowRight: () => pan(view, 1, 0),
      ArrowUp: () => pan(view, 0, 1), ArrowDown: () => pan(view, 0, -1),
    };
    view.box.addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  // ---- hover: the values of one row, beside the pointer
  function showCard(i, geometry) {
    const card = byId("card");
    const rows = element("dl");
    for (const field of page.details) {
      const value = source.data[field.field][i];
      const text = field.classes ? field.classes[value] : number(value);
      rows.append(element("dt", { dir: "auto", title: field.name }, field.name), element("dd", { dir: "auto" }, text));
    }
    const color = source.data.color[i].toString(16).padStart(8, "0").slice(0, 6);
    const head = element(
      "div", { class: "row" },
      element("span", { class: "swatch", style: `--swatch:#${color}` }), `row ${source.data.row[i]}`,
    );
    card.replaceChildren(head, rows);
    card.hidden = false;
    const box = card.parentElement;
    const right = geometry.sx + 18 + card.offsetWidth <= box.clientWidth;
    const left = right ? geometry.sx + 18 : geometry.sx - 18 - card.offsetWidth;
    const top = geometry.sy - card.offsetHeight / 2;
    card.style.left = `${Math.max(6, Math.min(left, box.clientWidth - card.offsetWidth - 6))}px`;
    card.style.top = `${Math.max(6, Math.min(top, box.clientHeight - card.offsetHeight - 6))}px`;
  }
  function connectHover() {
    const box = byId("map-plot");
    const hide = () => { byId("card").hidden = true; };
    // A finger leaves the screen right after it has tapped: the card then stays until the next touch.
    let isTouch = false, isStale = true;
    box.addEventListener("pointerdown", (event) => {
      isTouch = event.pointerType === "touch";
      isStale = true;
    }, { capture: true });
    box.addEventListener("pointermove", (event) => { isTouch = event.pointerType === "touch"; }, { capture: true });
    source.inspect.connect(([renderer, { geometry }]) => {
      const [nearest] = source.inspected.indices;
      if (nearest !== undefined && renderer === points) {
        showCard(nearest, geometry);
        isStale = false;
      } else if (!isTouch || isStale) hide();
    });
    box.addEventListener("pointerleave", () => { if (!isTouch) hide(); });
  }

  function connectCopy() {
    for (const button of document.querySelectorAll(".copy")) {
      button.addEventListener("click", async () => {
        const code = button.parentElement.querySelector("code");
        try {
          await navigator.clipboard.writeText(code.textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(code);
          button.textContent = "Selected";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 1600);
      });
    }
  }

  async function start() {
    connectCopy();
    const { document: drawing, roots } = page.figures;
    const [views] = await Bokeh.embed.embed_items({ map: drawing }, [{ docid: "map", roots, root_ids: Object.keys(roots) }]);
    const find = (name) => [...views].find((view) => view.model.name === name).model;
    plots = { map: find("map"), baseline: find("baseline") };
    points = pointsOf(plots.map);
    source = points.data_source;
    drawColorings();
    drawLegend();
    const main = makeView("map-plot", plots.map, "x", "y");
    makeView("baseline-plot", plots.baseline, "px", "py");
    connectView(main);
    connectHover();
    paint();
    isDark.addEventListener("change", () => { drawLegend(); paint(); });
    document.documentElement.dataset.ready = "true";
  }
  start().catch((error) => {
    byId("map-plot").append(element("p", { class: "notice" }, `The map could not be drawn: ${error.message}`));
    throw error;
  });
})();
