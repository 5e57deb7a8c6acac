// The card: the values of one row, and its image, beside the pointer.

const sheets = new Map();

function point(plot, [px, py], reach, isSaid = false) {
  const i = Number.isFinite(reach) ? plot.nearest(px, py, reach) : nearestOfAll(plot, px, py);
  if (i < 0) return unpoint();
  if (i !== state.pointed) {
    state.pointed = i;
    redraw();
  }
  showCard(plot, i);
  if (isSaid) byId("said").textContent = byId("card").innerText.replace(/\n+/g, ", ");
}
function unpoint() {
  if (state.pointed < 0) return;
  state.pointed = -1;
  byId("card").hidden = true;
  redraw();
}
function nearestOfAll(plot, px, py) {
  for (let reach = 20; reach < 1e5; reach *= 2) {
    const i = plot.nearest(px, py, reach);
    if (i >= 0) return i;
  }
  return -1;
}
function valueOf(detail, i) {
  const value = read(detail.field)[i];
  return detail.classes ? detail.classes[value] : number(value);
}
function showCard(plot, i) {
  const card = byId("card");
  const rows = element("dl");
  for (const detail of page.details) {
    rows.append(
      element("dt", { dir: "auto", title: detail.name }, detail.name), element("dd", { dir: "auto" }, valueOf(detail, i)),
    );
  }
  const head = element("div", { class: "row" }, swatch(colorOf(i)), `row ${rowNumber(i)}`);
  card.replaceChildren(head, ...imageOf(i), rows);
  card.hidden = false;
  const figure = plot.box.parentElement;
  if (card.parentElement !== figure) figure.append(card);
  const [x, y] = plot.placeOf(plot.x[i], plot.y[i]);
  const isRight = x + 18 + card.offsetWidth <= figure.clientWidth;
  const left = isRight ? x + 18 : x - 18 - card.offsetWidth;
  card.style.left = `${Math.max(6, Math.min(left, figure.clientWidth - card.offsetWidth - 6))}px`;
  const top = y - card.offsetHeight / 2;
  card.style.top = `${Math.max(6, Math.min(top, plot.box.clientHeight - card.offsetHeight - 6))}px`;
}

// ---- images, cut from sheets
function imageOf(i) {
  if (!page.images) return [];
  const { width, height } = page.images;
  const zoom = Math.max(1, Math.floor(112 / Math.max(width, height)));
  const canvas = element("canvas", { class: "image", width, height, role: "img", "aria-label": `image of row ${rowNumber(i)}` });
  canvas.style.width = `${width * zoom}px`;
  const [at, owner] = nearestImage(i);
  drawImageAt(canvas.getContext("2d"), at, 0, 0);
  const note = owner === i ? [] : [element("p", { class: "note" }, `image of row ${rowNumber(owner)}, the nearest one kept`)];
  return [canvas, ...note];
}
function nearestImage(i) {
  const rows = read("imageRow");
  if (page.images.isComplete) return [i, i];
  const { x, y } = plots[0] ?? { x: read("x0"), y: read("y0") };
  let best = 0, least = Infinity;
  for (let at = 0; at < rows.length; at++) {
    const distance = rows[at] === i ? -1 : (x[rows[at]] - x[i]) ** 2 + (y[rows[at]] - y[i]) ** 2;
    if (distance < least) [best, least] = [at, distance];
  }
  return [best, rows[best]];
}
async function drawImageAt(pen, at, x, y) {
  const { width, height, each, across } = page.images;
  const number = Math.floor(at / each);
  if (!sheets.has(number)) sheets.set(number, createImageBitmap(new Blob([read(`sheet${number}`)], { type: "image/webp" })));
  const sheet = await sheets.get(number);
  const place = at % each;
  // The last sheet may be narrower than the others.
  const columns = Math.min(across, Math.round(sheet.width / width));
  pen.drawImage(sheet, (place % columns) * width, Math.floor(place / columns) * height, width, height, x, y, width, height);
}
