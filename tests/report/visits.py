"""A page in a real browser, and what a person does with it."""

import io

import numpy as np
from PIL import Image

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}

PLACE_OF_ROW = """
(row) => {
  const { plot } = document.getElementById("map-plot");
  const box = plot.box.getBoundingClientRect();
  const [x, y] = plot.placeOf(plot.x[row], plot.y[row]);
  return [box.x + x, box.y + y];
}
"""

VIEW = "() => { const { x, y, scale } = document.getElementById('map-plot').plot.view; return [x, y, scale]; }"


class Visit:
    """A page that is open, with what it logged and asked the network for."""

    def __init__(self, browser, html, folder, ready="html[data-ready]", **options):
        path = folder / "page.html"
        path.write_text(html, encoding="utf-8")
        self.has_scripts = options.get("java_script_enabled", True)
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.page = self.context.new_page()
        self.complaints, self.requests, self.blocked = [], [], []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", lambda request: self.blocked.append((request.url, request.failure)))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector(ready, timeout=20_000)
        self.settle()

    def _listen(self, message):
        # What Chromium says about its own graphics driver is not about the page.
        if message.type in ("warning", "error") and "GL Driver Message" not in message.text:
            self.complaints.append(message.text)

    def settle(self):
        """Wait until what was changed has been painted."""
        if not self.has_scripts:
            return
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.page.wait_for_timeout(80)

    def picture(self, selector="#map-plot"):
        shot = self.page.locator(selector).screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

    def show_map(self):
        self.page.evaluate("document.getElementById('map-plot').scrollIntoView({ block: 'center' })")
        self.settle()

    def place(self, row):
        return self.page.evaluate(PLACE_OF_ROW, row)

    def color_at(self, row):
        self.page.mouse.move(2, 2)
        self.settle()
        x, y = self.place(row)
        box = self.page.locator("#map-plot").bounding_box()
        return self.picture()[round(y - box["y"]), round(x - box["x"])]

    def hover(self, row):
        self.show_map()
        x, y = self.place(row)
        self.page.mouse.move(x - 60, y - 60)
        self.page.mouse.move(x, y)
        self.settle()
        return self.page.locator("#card")

    def choose(self, name):
        self.page.locator("label.choice", has=self.page.get_by_text(name, exact=True)).click()
        self.settle()

    def draw_around(self, corners, key="Shift"):
        """Draw a lasso through corners given as shares of the map's width and height."""
        self.show_map()
        box = self.page.locator("#map-plot").bounding_box()
        places = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in corners]
        if key:
            self.page.keyboard.down(key)
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=6)
        self.page.mouse.up()
        if key:
            self.page.keyboard.up(key)
        self.settle()

    def selected(self):
        """Rows in the table of the selection."""
        return [int(text) for text in self.page.locator("#selection .rows tbody th").all_inner_texts()]

    def overflow(self):
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
