// Selections, by lasso or by search: their rows, what sets them apart, and a file of them.

const MOST_ROWS = 200, MOST_EFFECTS = 8, MOST_IMAGES = 48, MOST_CLASSES_TESTED = 200;

function select(rows, origin = "") {
  if (!rows) state.selected = null;
  else {
    const mask = new Uint8Array(page.points);
    for (const i of rows) mask[i] = 1;
    state.selected = { rows, mask, origin };
  }
  if (!rows && origin !== "search") byId("search").value = "";
  paint();
  showSelection();
}
function showSelection() {
  const box = byId("selection");
  const { selected } = state;
  box.hidden = !selected;
  byId("found").textContent = selected ? `${count(selected.rows.length)} of ${count(page.points)} points selected` : "";
  if (!selected) return;
  const { rows } = selected;
  const heading = element("h2", { id: "selection-title" }, `${count(rows.length)} ${rows.length === 1 ? "point" : "points"} selected`);
  const actions = element("div", { class: "actions" }, button("Clear", () => select(null)));
  if (rows.length) {
    actions.prepend(
      button("Download as CSV", download, { class: "main" }), button("Zoom to them", () => plots.forEach((plot) => plot.frame(rows))),
    );
  }
  box.replaceChildren(element("div", { class: "selection-head" }, heading, actions));
  if (!rows.length) return;
  box.append(element("div", { class: "selection-grid" }, element("div", {}, effectList(selected), ...montage(rows)), rowTable(rows)));
}

// ---- what sets the selected points apart from all others
function effects({ rows, mask }) {
  const found = [];
  if (rows.length === page.points) return found;
  for (const detail of [...page.details, ...page.further]) {
    if (!detail.classes) found.push(meanEffect(detail, mask));
    else if (isTelling(detail.classes.length)) found.push(...shareEffects(detail, mask, rows.length));
  }
  return found.filter(({ effect }) => Number.isFinite(effect) && Math.abs(effect) > 0.05)
    .sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect)).slice(0, MOST_EFFECTS);
}
// What names almost every row by itself, as identifiers do, sets nothing apart.
function isTelling(classes) {
  return classes <= MOST_CLASSES_TESTED && (classes <= 2 || classes <= page.points / 2);
}
// Cohen's d: the difference of the means in units of the pooled standard deviation.
function meanEffect(detail, mask) {
  const values = read(detail.field);
  const amount = [0, 0], sum = [0, 0], squares = [0, 0];
  let shift = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    if (!amount[0] && !amount[1]) shift = values[i];
    const side = mask[i], value = values[i] - shift;
    amount[side]++; sum[side] += value; squares[side] += value * value;
  }
  const mean = [0, 1].map((side) => sum[side] / amount[side]);
  const within = [0, 1].reduce((total, side) => total + squares[side] - amount[side] * mean[side] ** 2, 0);
  const deviation = Math.sqrt(Math.max(0, within) / Math.max(1, amount[0] + amount[1] - 2));
  // Where nothing varies within either side, any difference is as clear as can be.
  const difference = mean[1] - mean[0];
  const effect = deviation > 0 ? difference / deviation : Math.abs(difference) > 0 ? Math.sign(difference) * 99 : 0;
  return { name: detail.name, effect, here: number(mean[1] + shift), there: number(mean[0] + shift) };
}
// Cohen's h: the difference of two shares after the arcsine transformation, on the same scale as d.
function shareEffects(detail, mask, size) {
  const values = read(detail.field);
  const inside = new Float64Array(detail.classes.length), outside = new Float64Array(detail.classes.length);
  for (let i = 0; i < values.length; i++) (mask[i] ? inside : outside)[values[i]]++;
  const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
  return detail.classes.map((name, code) => {
    const p = inside[code] / size, q = outside[code] / (values.length - size);
    const effect = 2 * Math.asin(Math.sqrt(p)) - 2 * Math.asin(Math.sqrt(q));
    return { name: `${detail.name}: ${name}`, effect, here: percent(p), there: percent(q) };
  });
}
function effectList(selected) {
  const found = effects(selected);
  const most = Math.max(1, ...found.map(({ effect }) => Math.min(Math.abs(effect), 4)));
  const body = element("tbody");
  for (const { name, effect, here, there } of found) {
    const bar = svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "bar", "aria-hidden": "true" });
    const length = (50 * Math.min(Math.abs(effect), 4)) / most;
    bar.append(svg("rect", { x: effect < 0 ? 50 - length : 50, y: 1, width: length, height: 8, class: effect < 0 ? "less" : "more" }));
    bar.append(svg("rect", { x: 49.7, y: 0, width: 0.6, height: 10, class: "zero" }));
    const size = Math.abs(effect) >= 99 ? "∞" : Math.abs(effect).toFixed(1);
    body.append(element(
      "tr", {}, element("th", { scope: "row", dir: "auto", title: name }, name), element("td", { class: "number" }, here),
      element("td", { class: "number" }, there), element("td", { class: "graphic" }, bar),
      element("td", { class: "number" }, `${effect < 0 ? "−" : "+"}${size}`),
    ));
  }
  if (!found.length) return element("p", { class: "caption" }, "Nothing in the columns of this page sets these points apart.");
  const titles = [["Column", ""], ["here", "number"], ["elsewhere", "number"], ["", "graphic"], ["effect", "number"]];
  return element(
    "table", { class: "effects" },
    element("caption", {}, "What sets them apart: means or shares here and elsewhere, and the effect size (Cohen's d or h)."),
    element("thead", {}, element("tr", {}, ...titles.map(([title, kind]) => element("th", { scope: "col", class: kind }, title)))), body,
  );
}

// ---- the rows
function rowTable(rows) {
  const shown = rows.slice(0, MOST_ROWS);
  const head = element("tr", {}, element("th", { scope: "col", class: "number" }, "row"));
  for (const { name, classes } of page.details) head.append(element("th", { scope: "col", dir: "auto", class: classes ? "" : "number" }, name));
  const body = element("tbody");
  for (const i of shown) {
    const line = element("tr", {}, element("th", { scope: "row", class: "number" }, String(rowNumber(i))));
    for (const detail of page.details) line.append(element("td", { dir: "auto", class: detail.classes ? "" : "number" }, valueOf(detail, i)));
    line.addEventListener("pointerenter", () => { state.pointed = i; redraw(); });
    line.addEventListener("pointerleave", () => unpoint());
    body.append(line);
  }
  const caption = rows.length > shown.length ? `The first ${count(shown.length)} of them; the file has all.` : "All of them.";
  return element(
    "div", { class: "rows", tabindex: "0", role: "region", "aria-label": "Selected rows" },
    element("table", {}, element("caption", {}, caption), element("thead", {}, head), body),
  );
}
function montage(rows) {
  if (!page.images) return [];
  const { width, height, isComplete } = page.images;
  const places = isComplete ? null : new Map(Array.from(read("imageRow"), (row, at) => [row, at]));
  const known = places ? rows.filter((i) => places.has(i)) : rows;
  const chosen = known.filter((_, at) => at % Math.ceil(known.length / MOST_IMAGES) === 0);
  if (!chosen.length) return [];
  const across = Math.min(12, chosen.length);
  const canvas = element("canvas", {
    class: "montage", width: across * width, height: Math.ceil(chosen.length / across) * height, role: "img",
    "aria-label": `images of ${chosen.length} of the selected rows`,
  });
  canvas.style.width = `${Math.min(across * 36, 432)}px`;
  const pen = canvas.getContext("2d");
  chosen.forEach((i, at) => drawImageAt(pen, places ? places.get(i) : i, (at % across) * width, Math.floor(at / across) * height));
  return [element("h3", {}, "What they look like"), canvas];
}

// ---- the file: RFC 4180
const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
function csv(rows) {
  const axes = page.plots.filter((plot) => plot.isLarge);
  const places = axes.flatMap(({ x, y, element: id }) => (axes.length > 1 ? [[`${id} x`, x], [`${id} y`, y]] : [["x", x], ["y", y]]));
  const plain = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(7))) : "");
  const lines = [["row", ...places.map(([name]) => name), ...page.details.map(({ name }) => name)]];
  for (const i of rows) {
    const values = page.details.map(({ field, classes }) => (classes ? classes[read(field)[i]] : plain(read(field)[i])));
    lines.push([String(rowNumber(i)), ...places.map(([, field]) => plain(read(field)[i])), ...values]);
  }
  return lines.map((line) => line.map(quoted).join(",") + "\r\n").join("");
}
function download() {
  const address = URL.createObjectURL(new Blob([csv(state.selected.rows)], { type: "text/csv;charset=utf-8" }));
  const name = page.name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 60) || "selection";
  const link = element("a", { href: address, download: `${name}-selection.csv` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

// ---- search: numbers of rows, and texts of the columns
function search(query) {
  const wanted = query.trim().toLocaleLowerCase();
  if (!wanted) return null;
  const [, digits] = wanted.match(/^(?:row |#)\s*(\d+)$/) ?? [];
  const matching = page.details.filter(({ classes }) => classes).map(({ field, classes }) => [
    read(field), new Set([...classes.keys()].filter((code) => classes[code].toLocaleLowerCase().includes(wanted))),
  ]);
  const found = [];
  for (let i = 0; i < page.points; i++) {
    const isNumber = digits !== undefined ? rowNumber(i) === Number(digits) : String(rowNumber(i)) === wanted;
    if (isNumber || (digits === undefined && matching.some(([values, codes]) => codes.has(values[i])))) found.push(i);
  }
  return found;
}
function connectSearch() {
  const field = byId("search");
  let waiting = 0;
  const run = () => select(search(field.value), "search");
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(run, 160);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    clearTimeout(waiting);
    run();
    if (state.selected?.rows.length) plots.forEach((plot) => plot.frame(state.selected.rows));
  });
}
