// Pointer, wheel and keys: pan, zoom, point, lasso.

const TOUCH_REACH = 24, MOUSE_REACH = 12;

function placeIn(box, event) {
  const { left, top } = box.getBoundingClientRect();
  return [event.clientX - left - box.clientLeft, event.clientY - top - box.clientTop];
}

function connectPointers(plot) {
  const { box } = plot;
  const fingers = new Map();
  let moved = 0;
  const spread = () => {
    const [a, b] = [...fingers.values()];
    return { apart: Math.hypot(a[0] - b[0], a[1] - b[1]), middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
  };
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const at = placeIn(box, event);
    fingers.set(event.pointerId, at);
    moved = 0;
    try { box.setPointerCapture(event.pointerId); } catch { /* The finger has left already. */ }
    plot.lasso = fingers.size === 1 && (plot.isSelecting || event.shiftKey) ? [at] : null;
  });
  box.addEventListener("pointermove", (event) => {
    const at = placeIn(box, event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") point(plot, at, MOUSE_REACH);
      return;
    }
    moved += Math.hypot(at[0] - before[0], at[1] - before[1]);
    if (plot.lasso) {
      plot.lasso.push(at);
      plot.draw();
    } else if (fingers.size === 2) {
      const old = spread();
      fingers.set(event.pointerId, at);
      const now = spread();
      plot.pan(now.middle[0] - old.middle[0], now.middle[1] - old.middle[1]);
      plot.zoom(old.apart / Math.max(now.apart, 1), ...now.middle);
    } else if (moved > 3) {
      plot.pan(at[0] - before[0], at[1] - before[1]);
      box.classList.add("is-panning");
      unpoint();
    }
    fingers.set(event.pointerId, at);
  });
  const lift = (event) => {
    if (!fingers.delete(event.pointerId)) return;
    box.classList.remove("is-panning");
    const path = plot.lasso;
    plot.lasso = null;
    if (path && moved > 12 && event.type === "pointerup") select(plot.inside(path), "lasso");
    else if (moved <= 6 && event.type === "pointerup") {
      point(plot, placeIn(box, event), event.pointerType === "touch" ? TOUCH_REACH : MOUSE_REACH);
      if (path && state.selected) select(null);
    }
    plot.draw();
  };
  box.addEventListener("pointerup", lift);
  box.addEventListener("pointercancel", lift);
  // A finger leaves the screen right after it has tapped: the card then stays until the next touch.
  box.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") unpoint(); });
  box.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    plot.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 300), ...placeIn(box, event));
  }, { passive: false });
  box.addEventListener("dblclick", (event) => plot.zoom(1 / 2, ...placeIn(box, event)));
}

function connectKeys(plot) {
  const actions = {
    "+": () => plot.zoom(1 / 1.25), "=": () => plot.zoom(1 / 1.25), "-": () => plot.zoom(1.25), 0: () => plot.showAll(),
    ArrowLeft: () => plot.pan(60, 0), ArrowRight: () => plot.pan(-60, 0),
    ArrowUp: () => plot.pan(0, 60), ArrowDown: () => plot.pan(0, -60),
    Enter: () => point(plot, [plot.box.clientWidth / 2, plot.box.clientHeight / 2], Infinity, true),
    Escape: () => (state.pointed >= 0 ? unpoint() : select(null)),
  };
  plot.box.addEventListener("keydown", (event) => {
    if (!actions[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    actions[event.key]();
  });
}

function connectTools(plot) {
  const tools = document.querySelector(`.tools[data-for="${plot.id}"]`);
  if (!tools) return;
  const on = (name, action) => tools.querySelector(`[data-do="${name}"]`).addEventListener("click", action);
  on("closer", () => plot.zoom(1 / 1.5));
  on("farther", () => plot.zoom(1.5));
  on("all", () => plot.showAll());
  on("lasso", (event) => {
    plot.isSelecting = !plot.isSelecting;
    event.currentTarget.setAttribute("aria-pressed", String(plot.isSelecting));
    plot.box.classList.toggle("is-selecting", plot.isSelecting);
  });
}
