// What is shown: one state for all plots of the page, and the colours that follow from it.

const isDark = matchMedia("(prefers-color-scheme: dark)");
const state = { coloring: null, hidden: new Set(), selected: null, pointed: -1 };
const plots = [];
let page, read, rgba, isOpen;

const mode = () => (isDark.matches ? "dark" : "light");
const paletteOf = (coloring) => page.palettes[coloring.palette][mode()];
const classesOf = (coloring) => page.details.find((detail) => detail.field === coloring.field)?.classes;
const rowNumber = (i) => (page.columns.row ? read("row")[i] : i);

function shade(coloring, value) {
  if (coloring.palette === "classes") return value % page.palettes.classes.light.length;
  const position = (value - coloring.low) / (coloring.high - coloring.low || 1);
  return Math.max(0, Math.min(255, Math.floor(256 * position)));
}
function colorOf(i) {
  const { coloring } = state;
  const value = read(coloring.field)[i];
  return Number.isNaN(value) ? "var(--faint)" : paletteOf(coloring)[shade(coloring, value)];
}
const abgr = (color, alpha) => {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
};

// A point is open where it may be pointed at and selected: its class is not switched off.
function paint() {
  const { coloring, hidden, selected } = state;
  const shades = paletteOf(coloring).map((color) => abgr(color, 255));
  const faded = abgr(isDark.matches ? "#55606a" : "#8b959d", isDark.matches ? 70 : 56);
  const values = read(coloring.field);
  const isClass = coloring.palette === "classes";
  for (let i = 0; i < page.points; i++) {
    const value = values[i];
    isOpen[i] = isClass && hidden.has(value) ? 0 : 1;
    const isFaded = !isOpen[i] || Number.isNaN(value) || (selected && !selected.mask[i]);
    rgba[i] = isFaded ? faded : shades[shade(coloring, value)];
  }
  for (const plot of plots) plot.recolor(rgba);
}
function redraw() {
  for (const plot of plots) plot.draw();
}
function choose(coloring) {
  Object.assign(state, { coloring, hidden: new Set() });
  drawLegend();
  paint();
}
