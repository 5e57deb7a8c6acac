// Elements from texts: values of the data only ever become text nodes.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
function svg(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
function button(label, action, attributes = {}) {
  const node = element("button", { type: "button", ...attributes }, label);
  node.addEventListener("click", action);
  return node;
}
function swatch(color) {
  const node = element("span", { class: "swatch" });
  node.style.background = color;
  return node;
}
function number(value) {
  if (!Number.isFinite(value)) return page.missing;
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
const count = (value) => value.toLocaleString("en");
