// One plot: points drawn by WebGL, and above them a sheet for names, marks and the lasso.

const VERTEX = `#version 300 es
in vec2 place; in vec4 color;
uniform vec2 scale, shift; uniform float size, isFront, opacity;
out vec4 paint;
void main() {
  bool isShown = (color.a > 0.5) == (isFront > 0.5);
  gl_Position = isShown ? vec4(place * scale + shift, 0.0, 1.0) : vec4(2.0);
  gl_PointSize = size;
  paint = vec4(color.rgb, color.a > 0.5 ? opacity : color.a);
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec4 paint; out vec4 pixel;
uniform float size;
void main() {
  float edge = (0.5 - length(gl_PointCoord - 0.5)) * size;
  float alpha = paint.a * clamp(edge, 0.0, 1.0);
  if (alpha <= 0.0) discard;
  pixel = vec4(paint.rgb * alpha, alpha);
}`;
const FONTS = 'Inter, "Helvetica Neue", "Segoe UI", "Liberation Sans", Arial, sans-serif';

function shuffled(length) {
  // A fixed random order, so that no class covers another because of the order of the rows.
  const order = Uint32Array.from({ length }, (_, i) => i);
  let seed = 2463534242;
  for (let i = length - 1; i > 0; i--) {
    seed ^= seed << 13; seed ^= seed >>> 17; seed ^= seed << 5;
    const j = (seed >>> 0) % (i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
function extent(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high, middle: (low + high) / 2, size: Math.max(high - low, 1e-6) };
}

class Scatter {
  constructor({ element: id, x, y, size, isLarge }) {
    Object.assign(this, { id, isLarge, size, x: read(x), y: read(y), lasso: null });
    this.box = byId(id);
    this.extent = { x: extent(this.x), y: extent(this.y) };
    this.names = page.names[id] ?? {};
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.sheet = element("canvas", { "aria-hidden": "true" });
    this.order = shuffled(page.points);
    this.colors = new Uint32Array(page.points);
    this.prepare();
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => { this.prepare(); this.recolor(rgba); });
    this.box.append(this.canvas, this.sheet);
    this.index = new Index(this.x, this.y, this.extent);
    this.showAll();
    new ResizeObserver(() => this.resized()).observe(this.box);
    // What is scrolled out of sight is drawn once it comes back.
    this.isSeen = true;
    new IntersectionObserver(([entry]) => {
      this.isSeen = entry.isIntersecting;
      if (this.isSeen) this.draw();
    }, { rootMargin: "80px" }).observe(this.box);
  }

  prepare() {
    const gl = this.canvas.getContext("webgl2", { premultipliedAlpha: true, antialias: false });
    if (!gl) throw new Error("This browser draws no WebGL.");
    const program = gl.createProgram();
    for (const [type, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.bindAttribLocation(program, 0, "place");
    gl.bindAttribLocation(program, 1, "color");
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getProgramInfoLog(program));
    }
    gl.useProgram(program);
    const uniform = (name) => gl.getUniformLocation(program, name);
    this.uniforms = Object.fromEntries(["scale", "shift", "size", "isFront", "opacity"].map((name) => [name, uniform(name)]));
    // Places relative to the middle, in units of the extent, so that single precision lasts for any zoom.
    const places = new Float32Array(2 * page.points);
    this.unit = Math.max(this.extent.x.size, this.extent.y.size) / 2;
    for (let at = 0; at < this.order.length; at++) {
      places[2 * at] = (this.x[this.order[at]] - this.extent.x.middle) / this.unit;
      places[2 * at + 1] = (this.y[this.order[at]] - this.extent.y.middle) / this.unit;
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, places, gl.STATIC_DRAW);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, this.colors.byteLength, gl.DYNAMIC_DRAW);
    gl.vertexAttribPointer(1, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.enableVertexAttribArray(0);
    gl.enableVertexAttribArray(1);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.gl = gl;
  }

  recolor(colors) {
    for (let at = 0; at < this.order.length; at++) this.colors[at] = colors[this.order[at]];
    this.gl.bufferSubData(this.gl.ARRAY_BUFFER, 0, this.colors);
    this.hasFaded = this.colors.some((color) => color >>> 24 < 128);
    this.draw();
  }

  // ---- the view: equal scales on both axes, whatever the size of the window
  showAll() {
    const { x, y } = this.extent;
    this.look(x.middle, y.middle, this.wholeScale());
  }
  wholeScale() {
    const width = Math.max(this.box.clientWidth, 40), height = Math.max(this.box.clientHeight, 40);
    return Math.max(this.extent.x.size / (0.92 * width), this.extent.y.size / (0.92 * height));
  }
  look(x, y, scale) {
    const whole = this.whole = this.wholeScale();
    const reach = 0.5 * Math.max(this.extent.x.size, this.extent.y.size);
    const within = (value, { middle }) => Math.max(middle - reach, Math.min(middle + reach, value));
    this.view = {
      x: within(x, this.extent.x), y: within(y, this.extent.y),
      scale: Math.max(whole / 400, Math.min(3 * whole, scale)),
    };
    this.draw();
  }
  zoom(factor, px = this.box.clientWidth / 2, py = this.box.clientHeight / 2) {
    const [x, y] = this.dataAt(px, py);
    const { scale } = this.view;
    this.look(x + (this.view.x - x) * factor, y + (this.view.y - y) * factor, scale * factor);
  }
  pan(dx, dy) {
    const { x, y, scale } = this.view;
    this.look(x - dx * scale, y + dy * scale, scale);
  }
  frame(rows) {
    const x = extent(rows.map((i) => this.x[i])), y = extent(rows.map((i) => this.y[i]));
    const scale = Math.max(x.size / (0.6 * this.box.clientWidth), y.size / (0.6 * this.box.clientHeight));
    this.look(x.middle, y.middle, Math.max(scale, this.wholeScale() / 12));
  }
  resized() {
    const share = this.view.scale / this.whole;
    if (this.wholeScale() !== this.whole) this.look(this.view.x, this.view.y, share * this.wholeScale());
    else this.draw();
  }
  dataAt(px, py) {
    const { x, y, scale } = this.view;
    return [x + (px - this.box.clientWidth / 2) * scale, y - (py - this.box.clientHeight / 2) * scale];
  }
  placeOf(x, y) {
    const { scale } = this.view;
    return [this.box.clientWidth / 2 + (x - this.view.x) / scale, this.box.clientHeight / 2 - (y - this.view.y) / scale];
  }
  diameter() {
    const closer = this.wholeScale() / this.view.scale;
    return this.size * Math.max(1, Math.min(3.5, closer ** 0.35));
  }

  // ---- drawing, at most once a frame
  draw() {
    if (this.isDue || this.isSeen === false) return;
    this.isDue = true;
    requestAnimationFrame(() => { this.isDue = false; this.drawNow(); });
  }
  drawNow() {
    const { gl, uniforms } = this;
    const density = Math.min(devicePixelRatio || 1, 2);
    this.width = this.box.clientWidth;
    this.height = this.box.clientHeight;
    for (const canvas of [this.canvas, this.sheet]) {
      const width = Math.round(this.width * density), height = Math.round(this.height * density);
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    }
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const { x, y, scale } = this.view;
    const stretch = [(2 * this.unit) / (scale * this.width), (2 * this.unit) / (scale * this.height)];
    gl.uniform2f(uniforms.scale, ...stretch);
    gl.uniform2f(
      uniforms.shift, ((this.extent.x.middle - x) / this.unit) * stretch[0], ((this.extent.y.middle - y) / this.unit) * stretch[1],
    );
    gl.uniform1f(uniforms.size, this.diameter() * density + 0.5);
    gl.uniform1f(uniforms.opacity, page.opacity);
    // What is faded lies behind everything else.
    for (const isFront of this.hasFaded ? [0, 1] : [1]) {
      gl.uniform1f(uniforms.isFront, isFront);
      gl.drawArrays(gl.POINTS, 0, page.points);
    }
    this.drawSheet(density);
  }
  drawSheet(density) {
    const pen = this.sheet.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    const ink = style.getPropertyValue("--ink"), panel = style.getPropertyValue("--panel");
    pen.setTransform(density, 0, 0, density, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    this.drawNames(pen, ink, panel);
    if (state.pointed >= 0) {
      const [px, py] = this.placeOf(this.x[state.pointed], this.y[state.pointed]);
      pen.beginPath();
      pen.arc(px, py, Math.max(6, this.diameter()), 0, 2 * Math.PI);
      pen.lineWidth = 4.5; pen.strokeStyle = panel; pen.stroke();
      pen.lineWidth = 2; pen.strokeStyle = ink; pen.stroke();
    }
    if (this.lasso) {
      pen.beginPath();
      this.lasso.forEach(([px, py]) => pen.lineTo(px, py));
      pen.closePath();
      pen.fillStyle = `color-mix(in srgb, ${style.getPropertyValue("--accent")} 14%, transparent)`;
      pen.fill();
      pen.lineWidth = 1.5; pen.strokeStyle = style.getPropertyValue("--accent");
      pen.setLineDash([5, 4]); pen.stroke(); pen.setLineDash([]);
    }
  }
  drawNames(pen, ink, panel) {
    const names = this.names[state.coloring.field] ?? [];
    Object.assign(pen, { textAlign: "center", textBaseline: "middle", lineJoin: "round", font: `600 ${this.width < 300 ? 12 : 14.5}px ${FONTS}` });
    for (const { code, text, x, y } of names) {
      if (state.hidden.has(code)) continue;
      const [px, py] = this.placeOf(x, y);
      if (px < -80 || py < -20 || px > this.width + 80 || py > this.height + 20) continue;
      // The name stands on a halo of the panel's colour, so that it reads on any points.
      pen.lineWidth = 4.5; pen.strokeStyle = panel; pen.strokeText(text, px, py);
      pen.fillStyle = ink; pen.fillText(text, px, py);
    }
  }

  // ---- which points lie where
  nearest(px, py, reach) {
    const [x, y] = this.dataAt(px, py);
    return this.index.nearest(x, y, reach * this.view.scale);
  }
  inside(path) {
    const corners = path.map(([px, py]) => this.dataAt(px, py));
    const xs = extent(corners.map(([x]) => x)), ys = extent(corners.map(([, y]) => y));
    const found = [];
    for (let i = 0; i < page.points; i++) {
      const x = this.x[i], y = this.y[i];
      if (!isOpen[i] || x < xs.low || x > xs.high || y < ys.low || y > ys.high) continue;
      let isInside = false;
      for (let a = 0, b = corners.length - 1; a < corners.length; b = a++) {
        const [ax, ay] = corners[a], [bx, by] = corners[b];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isInside = !isInside;
      }
      if (isInside) found.push(i);
    }
    return found;
  }
}

// Points by cells of a grid, to find the nearest one without looking at all.
class Index {
  constructor(x, y, extents) {
    this.across = Math.max(1, Math.min(512, Math.round(Math.sqrt(x.length / 2))));
    this.cell = (Math.max(extents.x.size, extents.y.size) / this.across) * 1.0001;
    Object.assign(this, { x, y, left: extents.x.low, bottom: extents.y.low });
    this.starts = new Uint32Array(this.across * this.across + 1);
    const cells = Uint32Array.from(x, (_, i) => this.cellOf(x[i], y[i]));
    for (const cell of cells) this.starts[cell + 1]++;
    for (let cell = 0; cell < this.across * this.across; cell++) this.starts[cell + 1] += this.starts[cell];
    const next = this.starts.slice();
    this.rows = new Uint32Array(x.length);
    cells.forEach((cell, i) => { this.rows[next[cell]++] = i; });
  }
  column(x) {
    return Math.max(0, Math.min(this.across - 1, Math.floor((x - this.left) / this.cell)));
  }
  line(y) {
    return Math.max(0, Math.min(this.across - 1, Math.floor((y - this.bottom) / this.cell)));
  }
  cellOf(x, y) {
    return this.line(y) * this.across + this.column(x);
  }
  nearest(x, y, reach) {
    let best = -1, least = reach * reach;
    for (let line = this.line(y - reach); line <= this.line(y + reach); line++) {
      const from = this.starts[line * this.across + this.column(x - reach)];
      const to = this.starts[line * this.across + this.column(x + reach) + 1];
      for (let at = from; at < to; at++) {
        const i = this.rows[at];
        const distance = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
        if (distance <= least && isOpen[i]) [best, least] = [i, distance];
      }
    }
    return best;
  }
}
