function connectCopy() {
  for (const node of document.querySelectorAll(".copy")) {
    node.addEventListener("click", async () => {
      const code = node.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        node.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        node.textContent = "Selected";
      }
      setTimeout(() => { node.textContent = "Copy"; }, 1600);
    });
  }
}

async function start() {
  connectCopy();
  const bundle = await unpack(byId("bundle").textContent);
  ({ header: page, read } = bundle);
  rgba = new Uint32Array(page.points);
  isOpen = new Uint8Array(page.points).fill(1);
  state.coloring = page.colorings[page.opening];
  for (const options of page.plots) plots.push(new Scatter(options));
  document.documentElement.classList.add("is-drawn");
  drawColorings();
  drawLegend();
  connectSearch();
  for (const plot of plots) {
    connectPointers(plot);
    connectKeys(plot);
    connectTools(plot);
    plot.box.plot = plot;
  }
  paint();
  isDark.addEventListener("change", () => { drawLegend(); paint(); });
  requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.ready = "true"; }));
}
start().catch((error) => {
  plots.length = 0;
  document.documentElement.dataset.failed = error.message;
  for (const notice of document.querySelectorAll(".notice")) {
    notice.textContent = `${error.message} This is a still picture of the map; everything else on the page holds.`;
    notice.hidden = false;
  }
});
