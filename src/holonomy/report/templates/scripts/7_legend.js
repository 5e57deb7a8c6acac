// The key: what to colour by, and what the colours mean.

const FURTHER = "More columns";

function drawColorings() {
  const box = byId("colorings");
  const further = page.colorings.filter((coloring) => coloring.group === FURTHER);
  let group = null, choices = null;
  page.colorings.forEach((coloring, i) => {
    if (coloring.group === FURTHER) return;
    if (coloring.group !== group) {
      group = coloring.group;
      choices = element("div", { class: "choices" });
      box.append(element("div", { class: "choice-group" }, group), choices);
    }
    const input = element("input", { type: "radio", name: "coloring", value: coloring.field });
    input.checked = i === page.opening;
    input.addEventListener("change", () => {
      if (byId("further")) byId("further").value = "";
      choose(coloring);
    });
    const name = element("span", { dir: "auto" }, coloring.name);
    choices.append(element("label", { class: "choice", title: coloring.name }, input, name));
  });
  if (further.length) box.append(furtherList(further));
}
function furtherList(further) {
  const list = element("select", { id: "further", "aria-label": FURTHER }, element("option", { value: "" }, `${FURTHER} …`));
  for (const coloring of further) list.append(element("option", { value: coloring.field }, coloring.name));
  list.addEventListener("change", () => {
    const chosen = further.find((coloring) => coloring.field === list.value);
    if (!chosen) return;
    for (const input of document.querySelectorAll("#colorings input")) input.checked = false;
    choose(chosen);
  });
  return list;
}

function drawLegend() {
  const { coloring } = state;
  const box = byId("legend");
  const classes = classesOf(coloring);
  box.replaceChildren(classes ? classList(coloring, classes) : scale(coloring));
  const hint = [coloring.hint, classes?.length > 1 && "Click a class to switch it off or on."].filter(Boolean).join(" ");
  if (hint) box.append(element("p", { class: "hint" }, hint));
}
function classList(coloring, classes) {
  const colors = paletteOf(coloring);
  const list = element("ul", { class: "classes" });
  const toggles = [];
  const show = () => {
    toggles.forEach((toggle, code) => toggle.setAttribute("aria-pressed", String(!state.hidden.has(code))));
    all.hidden = !state.hidden.size;
    paint();
  };
  classes.forEach((name, code) => {
    const toggle = element(
      "button", { type: "button", class: "toggle", "aria-pressed": String(!state.hidden.has(code)), title: name },
      swatch(colors[shade(coloring, code)]), element("span", { class: "name", dir: "auto" }, name),
      element("span", { class: "count" }, count(coloring.counts[code])),
    );
    toggle.addEventListener("click", () => {
      if (!state.hidden.delete(code)) state.hidden.add(code);
      show();
    });
    const only = button("only", () => {
      state.hidden = new Set(classes.keys());
      state.hidden.delete(code);
      show();
    }, { class: "only", "aria-label": `only ${name}` });
    toggles.push(toggle);
    list.append(element("li", {}, toggle, ...(classes.length > 1 ? [only] : [])));
  });
  const all = button("Show all classes", () => { state.hidden.clear(); show(); }, { class: "link" });
  all.hidden = !state.hidden.size;
  return element("div", {}, list, all);
}
function scale(coloring) {
  const colors = paletteOf(coloring);
  const bins = coloring.histogram;
  const most = Math.max(1, ...bins);
  const drawing = svg("svg", { viewBox: `0 0 ${bins.length} 74`, preserveAspectRatio: "none", "aria-hidden": "true" });
  bins.forEach((amount, i) => {
    const fill = colors[Math.floor((256 * (i + 0.5)) / bins.length)];
    const height = (58 * amount) / most;
    drawing.append(svg("rect", { x: i, y: 60 - height, width: 0.86, height, fill }));
    drawing.append(svg("rect", { x: i, y: 64, width: 1.02, height: 10, fill }));
  });
  const ends = element("div", { class: "ends" }, ...coloring.ticks.map((tick) => element("span", {}, tick)));
  return element("div", { class: "scale" }, drawing, ends);
}
