"""The page in a real browser: what a person sees and does."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from sklearn.decomposition import PCA

from holonomy.report import map_report
from holonomy.report.palettes import class_colors

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}

PLACE_OF_ROW = """
(row) => {
  const drawing = Bokeh.documents[0];
  const { data } = drawing.get_model_by_name("rows");
  const { x_range, y_range } = drawing.get_model_by_name("map");
  const box = document.getElementById("map-plot").getBoundingClientRect();
  const i = Array.from(data.row).indexOf(row);
  return [
    box.x + ((data.x[i] - x_range.start) / (x_range.end - x_range.start)) * box.width,
    box.y + (1 - (data.y[i] - y_range.start) / (y_range.end - y_range.start)) * box.height,
  ];
}
"""


class Visit:
    """A page that is open, with what it logged and asked the network for."""

    def __init__(self, browser, html, folder, **options):
        path = folder / "page.html"
        path.write_text(html, encoding="utf-8")
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.page = self.context.new_page()
        self.complaints, self.requests, self.blocked = [], [], []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", lambda request: self.blocked.append((request.url, request.failure)))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]", timeout=20_000)
        self.settle()

    def _listen(self, message):
        # What Chromium says about its own graphics driver is not about the page.
        if message.type in ("warning", "error") and "GL Driver Message" not in message.text:
            self.complaints.append(message.text)

    def settle(self):
        """Wait until what was changed has been painted."""
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.page.wait_for_timeout(80)

    def picture(self, selector="#map-plot"):
        shot = self.page.locator(selector).screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

    def place(self, row):
        return self.page.evaluate(PLACE_OF_ROW, row)

    def color_at(self, row):
        self.page.mouse.move(2, 2)
        self.settle()
        x, y = self.place(row)
        box = self.page.locator("#map-plot").bounding_box()
        return self.picture()[round(y - box["y"]), round(x - box["x"])]

    def hover(self, row):
        x, y = self.place(row)
        self.page.mouse.move(x - 40, y - 40)
        self.page.mouse.move(x, y)
        self.settle()
        return self.page.locator("#card")

    def choose(self, name):
        self.page.locator("label.choice", has=self.page.get_by_text(name, exact=True)).click()
        self.settle()

    def overflow(self):
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture
def visit(browser, tmp_path):
    visits = []

    def open_page(report, **options):
        visits.append(Visit(browser, report.to_html(), tmp_path, **options))
        return visits[-1]

    yield open_page
    for made in visits:
        made.context.close()


def rgb(color):
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])


def blended(color, page=(255, 255, 255), opacity=0xE0 / 255):
    return opacity * rgb(color) + (1 - opacity) * np.array(page)


def loner(report):
    """The row whose point lies farthest from all others, so that nothing is drawn over it."""
    Z = report.embedding
    gaps = np.linalg.norm(Z[:, None] - Z[None], axis=2) + 1e9 * np.eye(len(Z))
    return int(np.argmax(gaps.min(axis=1)))


def test_the_page_is_quiet_and_loads_nothing_else(visit, plain_report):
    page = visit(plain_report)
    assert page.complaints == []
    assert len(page.requests) == 1
    assert page.requests[0].startswith("file:")
    assert page.page.title().startswith("groups")
    assert page.page.locator("h1").inner_text() == "groups"


def test_points_are_drawn_in_the_colours_of_their_classes(visit, plain_report):
    page, row = visit(plain_report), loner(plain_report)
    label = plain_report.labels[0]
    expected = blended(class_colors(3)[label.values[row]])
    np.testing.assert_allclose(page.color_at(row), expected, atol=14)
    drawn = (page.picture() != 255).any(axis=2).mean()
    assert 0.005 < drawn < 0.5
    baseline = page.picture("#baseline-plot")
    assert 0.005 < (baseline != 255).any(axis=2).mean() < 0.5


def test_switching_the_colouring_changes_the_colours_and_the_legend(visit, plain_report):
    page, row = visit(plain_report), loner(plain_report)
    before, key = page.color_at(row), page.page.locator("#legend").inner_text()
    assert "Choose a class" in key
    seen = {tuple(before)}
    for name in ("Trust", "Local dimension"):
        page.choose(name)
        assert page.page.locator("#legend svg rect").count() == 64
        seen.add(tuple(page.color_at(row)))
    assert len(seen) == 3
    page.choose("label")
    np.testing.assert_allclose(page.color_at(row), before, atol=2)
    assert page.page.locator("#legend").inner_text() == key


def test_hover_shows_the_values_of_the_row(visit, plain_report):
    page, row = visit(plain_report), loner(plain_report)
    card = page.hover(row)
    assert card.is_visible()
    values = dict(zip(card.locator("dt").all_inner_texts(), card.locator("dd").all_inner_texts(), strict=True))
    assert card.locator(".row").inner_text() == f"row {row}"
    label = plain_report.labels[0]
    assert values["label"] == label.categories[label.values[row]]
    assert float(values["Trust"]) == pytest.approx(plain_report.trust[row], rel=1e-3)
    for column in plain_report.columns:
        assert float(values[column.name]) == pytest.approx(column.values[row], rel=1e-3)
    page.page.mouse.move(2, 2)
    page.settle()
    assert card.is_hidden()


def test_pointing_at_the_baseline_marks_the_point_on_the_map(visit, plain_report):
    page = visit(plain_report)
    before = page.picture()
    page.page.locator("#baseline-plot").scroll_into_view_if_needed()
    box = page.page.locator("#baseline-plot").bounding_box()
    for step in range(12):
        page.page.mouse.move(box["x"] + box["width"] * (0.2 + 0.05 * step), box["y"] + box["height"] / 2)
    page.settle()
    assert page.page.locator("#card").is_hidden()
    assert before.shape == page.picture().shape


def test_a_class_can_be_seen_alone(visit, plain_report):
    page, row = visit(plain_report), loner(plain_report)
    own = plain_report.labels[0].values[row]
    before = page.color_at(row)
    buttons = page.page.locator(".classes button")
    buttons.nth((own + 1) % 3).click()
    page.settle()
    assert buttons.nth((own + 1) % 3).get_attribute("aria-pressed") == "true"
    assert np.abs(page.color_at(row) - before).max() > 40
    buttons.nth((own + 1) % 3).click()
    page.settle()
    np.testing.assert_allclose(page.color_at(row), before, atol=2)


def test_zooming_by_button_key_and_wheel_keeps_both_axes_alike(visit, plain_report):
    page = visit(plain_report)
    view = """() => { const m = Bokeh.documents[0].get_model_by_name("map");
      return [m.x_range.end - m.x_range.start, m.y_range.end - m.y_range.start, m.x_range.start]; }"""
    start = np.array(page.page.evaluate(view))
    page.page.click("#zoom-in")
    closer = np.array(page.page.evaluate(view))
    np.testing.assert_allclose(closer[:2], start[:2] / 1.5)
    page.page.focus("#map-plot")
    page.page.keyboard.press("ArrowRight")
    assert page.page.evaluate(view)[2] > closer[2]
    page.page.keyboard.press("0")
    np.testing.assert_allclose(page.page.evaluate(view), start)
    box = page.page.locator("#map-plot").bounding_box()
    page.page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.page.mouse.wheel(0, -200)
    page.settle()
    np.testing.assert_allclose(page.page.evaluate(view), start)
    page.page.evaluate("scrollTo(0, 0)")
    page.page.keyboard.down("Control")
    page.page.mouse.wheel(0, -200)
    page.page.keyboard.up("Control")
    page.settle()
    wheeled = np.array(page.page.evaluate(view))
    assert wheeled[0] < start[0]
    np.testing.assert_allclose(wheeled[0] / wheeled[1], start[0] / start[1], rtol=1e-6)


def test_hostile_texts_are_shown_and_nothing_runs(visit, hostile_report):
    page = visit(hostile_report)
    assert page.page.locator("h1").inner_text() == hostile_report.name
    for choice in page.page.locator("label.choice").all():
        choice.click()
    page.choose(hostile_report.labels[0].name)
    legend = page.page.locator(".classes .name").all_inner_texts()
    assert "<script>window.hacked = 1</script>" in legend
    assert "<img src=x onerror='window.hacked = 3'>" in legend
    for row in range(8):
        card = page.hover(row)
        assert card.is_visible()
        assert re.fullmatch(r"row \d+", card.locator(".row").inner_text())
    assert page.page.evaluate("window.hacked") is None
    assert page.page.locator("#card img, #legend img, h1 script").count() == 0
    assert page.complaints == []
    assert len(page.requests) == 1


def test_what_is_not_ours_may_neither_run_nor_load(visit, plain_report):
    page = visit(plain_report)
    page.page.evaluate(
        """() => {
          document.body.insertAdjacentHTML("beforeend", "<img src=data:x onerror='window.hacked = 1'>");
          const script = document.createElement("script");
          script.textContent = "window.hacked = 2";
          document.body.append(script);
          fetch("https://example.org/").catch(() => {});
          new Image().src = "https://example.org/x.png";
        }"""
    )
    page.page.wait_for_timeout(300)
    assert page.page.evaluate("window.hacked") is None
    outside = [url for url in page.requests if url.startswith("http")]
    assert {(url, "csp") for url in outside} == set(page.blocked)
    assert any("Content Security Policy" in text for text in page.complaints)


def test_on_a_phone(visit, hostile_report, plain_report):
    assert visit(hostile_report, **PHONE).overflow() == 0
    page = visit(plain_report, **PHONE)
    assert page.overflow() == 0
    page.page.locator("#map-plot").scroll_into_view_if_needed()
    row = loner(plain_report)
    page.page.touchscreen.tap(*page.place(row))
    page.page.wait_for_selector("#card", state="visible")
    page.settle()
    assert page.page.locator("#card .row").inner_text() == f"row {row}"
    card, box = (page.page.locator(selector).bounding_box() for selector in ("#card", ".map"))
    assert card["x"] >= box["x"]
    assert card["x"] + card["width"] <= box["x"] + box["width"]
    page.page.touchscreen.tap(box["x"] + 12, box["y"] + 12)
    page.page.wait_for_selector("#card", state="hidden")


def test_dark_mode_is_followed_while_the_page_is_open(visit, plain_report):
    page, row = visit(plain_report, color_scheme="dark"), loner(plain_report)
    own = plain_report.labels[0].values[row]
    background = page.picture()[5, 5]
    assert background.max() < 60
    np.testing.assert_allclose(page.color_at(row), blended(class_colors(3, dark=True)[own], background), atol=14)
    page.page.emulate_media(color_scheme="light")
    page.settle()
    assert page.picture()[5, 5].min() > 240
    np.testing.assert_allclose(page.color_at(row), blended(class_colors(3)[own]), atol=14)


def test_another_size_of_the_window_keeps_the_points_in_view(visit, plain_report):
    page = visit(plain_report)
    page.page.set_viewport_size({"width": 700, "height": 600})
    page.page.wait_for_timeout(300)
    box = page.page.locator("#map-plot").bounding_box()
    for row in range(0, 120, 10):
        x, y = page.place(row)
        assert box["x"] < x < box["x"] + box["width"]
        assert box["y"] < y < box["y"] + box["height"]
    assert page.overflow() == 0


def test_three_points(visit):
    report = map_report(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), method=PCA(2), n_neighbors=2)
    page = visit(report)
    assert page.complaints == []
    assert page.hover(2).locator(".row").inner_text() == "row 2"


def test_five_hundred_classes(visit):
    rng = np.random.default_rng(0)
    labels = [f"class {i % 500} with a rather long name" for i in range(1500)]
    page = visit(map_report(rng.normal(size=(1500, 3)), method=PCA(2), labels=labels))
    assert page.complaints == []
    assert page.page.locator(".classes button").count() == 500
    assert "500 classes" in page.page.locator("#legend .hint").inner_text()
    assert page.page.locator("#legend").bounding_box()["height"] < 500
    assert page.overflow() == 0


def test_where_no_dimension_can_be_measured(visit):
    page = visit(map_report(np.repeat([[0.0, 1.0], [2.0, 5.0]], 10, axis=0), method=PCA(2)))
    assert page.complaints == []
    page.choose("Local dimension")
    assert "(missing)" in page.page.locator("#legend").inner_text()
