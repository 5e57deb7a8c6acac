"""The page in a real browser: what a person sees and does."""

import csv
import re
import time

import numpy as np
import pytest
from sklearn.decomposition import PCA

from holonomy.plot.palettes import class_colors
from holonomy.report import map_report
from holonomy.report.images import make_sheets
from tests.report.visits import PHONE, PLACE_OF_ROW, VIEW, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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


def blended(color, page=(255, 255, 255), opacity=0.88):
    return opacity * rgb(color) + (1 - opacity) * np.array(page)


def loner(report):
    """The row whose point lies farthest from all others, so that nothing is drawn over it."""
    Z = report.embedding
    gaps = np.linalg.norm(Z[:, None] - Z[None], axis=2) + 1e9 * np.eye(len(Z))
    return int(np.argmax(gaps.min(axis=1)))


ALL = [(0.02, 0.02), (0.9, 0.02), (0.9, 0.4), (0.98, 0.4), (0.98, 0.98), (0.02, 0.98)]
"""A lasso around everything but the buttons."""

LEFT = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.98), (0.02, 0.98)]


def test_the_page_is_quiet_and_loads_nothing_else(visit, plain_report):
    page = visit(plain_report)
    assert page.complaints == []
    assert [url.partition(":")[0] for url in page.requests if not url.startswith("data:")] == ["file"]
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
    assert "switch it off" in key
    seen = {tuple(before)}
    for name in ("Trust", "Stretch", "Distortion", "Local dimension"):
        page.choose(name)
        assert page.page.locator("#legend svg rect").count() == 64
        seen.add(tuple(page.color_at(row)))
    assert len(seen) >= 4
    page.choose("label")
    np.testing.assert_allclose(page.color_at(row), before, atol=2)
    assert page.page.locator("#legend").inner_text() == key


def test_every_column_can_be_coloured_by(visit):
    X = np.random.default_rng(0).normal(size=(80, 20))
    page = visit(map_report(X, method=PCA(2), n_neighbors=8))
    assert page.page.locator("#further option").count() == 13
    page.page.select_option("#further", index=3)
    page.settle()
    assert page.page.locator("#legend svg rect").count() == 64
    assert page.page.locator("#colorings input:checked").count() == 0
    page.choose("Trust")
    assert page.page.locator("#further").input_value() == ""


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
    # Both are in view at once: to scroll would take the pointer off the point.
    page = visit(plain_report, viewport={"width": 1280, "height": 3000})
    before = page.picture()
    place = page.page.evaluate(PLACE_OF_ROW.replace("map-plot", "baseline-plot"), 5)
    page.page.mouse.move(*place)
    page.settle()
    assert page.page.locator("#card").is_visible()
    assert (page.picture() != before).any()


def test_images_are_shown_beside_their_points(visit):
    X = np.zeros((40, 36))
    X[:20, :18] = X[20:, 18:] = 1.0
    X += 0.02 * np.random.default_rng(0).random(X.shape)
    page = visit(map_report(X, method=PCA(2), n_neighbors=8, image_shape=(6, 6)))
    assert page.complaints == []
    card = page.hover(0)
    page.page.wait_for_timeout(200)
    shown = page.picture("#card .image").mean(axis=2)
    half = len(shown) // 2
    assert shown[: half - 8].mean() > 180
    assert shown[half + 8 :].mean() < 60
    assert card.locator(".image").get_attribute("aria-label") == "image of row 0"
    page.draw_around(ALL)
    page.page.wait_for_timeout(200)
    assert page.picture("#selection .montage").mean() > 60


def test_where_not_all_images_fit_the_nearest_one_is_shown(visit, monkeypatch):
    monkeypatch.setattr("holonomy.report.content.make_sheets", lambda images, rows: make_sheets(images, rows, 6_000))
    X = np.random.default_rng(0).random((400, 64))
    report = map_report(X, method=PCA(2), n_neighbors=8, image_shape=(8, 8))
    page = visit(report)
    assert re.search(r"Images of \d+ rows, chosen at random", page.page.locator(".map-section").inner_text())
    notes = []
    for row in range(12):
        card = page.hover(row)
        notes += card.locator(".note").all_inner_texts()
    assert any(re.fullmatch(r"image of row \d+, the nearest one kept", note) for note in notes)
    assert page.complaints == []


def test_classes_are_switched_off_and_on(visit, plain_report):
    page, row = visit(plain_report), loner(plain_report)
    own = plain_report.labels[0].values[row]
    before = page.color_at(row)
    toggle = page.page.locator(".classes .toggle").nth(own)
    toggle.click()
    page.settle()
    assert toggle.get_attribute("aria-pressed") == "false"
    assert np.abs(page.color_at(row) - before).max() > 40
    assert page.hover(row).is_hidden()
    page.page.get_by_text("Show all classes").click()
    page.settle()
    np.testing.assert_allclose(page.color_at(row), before, atol=2)


def test_a_class_can_be_seen_alone(visit, plain_report):
    page, row = visit(plain_report), loner(plain_report)
    own = plain_report.labels[0].values[row]
    before = page.color_at(row)
    page.page.locator(".classes li").nth((own + 1) % 3).hover()
    page.page.locator(".classes .only").nth((own + 1) % 3).click()
    page.settle()
    pressed = [toggle.get_attribute("aria-pressed") for toggle in page.page.locator(".classes .toggle").all()]
    assert pressed.count("true") == 1
    assert np.abs(page.color_at(row) - before).max() > 40


def test_zooming_by_button_key_and_wheel(visit, plain_report):
    page = visit(plain_report)
    start = np.array(page.page.evaluate(VIEW))
    page.page.click('[data-do="closer"]')
    closer = np.array(page.page.evaluate(VIEW))
    assert closer[2] == pytest.approx(start[2] / 1.5)
    page.page.focus("#map-plot")
    page.page.keyboard.press("ArrowRight")
    assert page.page.evaluate(VIEW)[0] > closer[0]
    page.page.keyboard.press("0")
    np.testing.assert_allclose(page.page.evaluate(VIEW), start)
    page.show_map()
    box = page.page.locator("#map-plot").bounding_box()
    page.page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.page.mouse.wheel(0, -200)
    page.settle()
    np.testing.assert_allclose(page.page.evaluate(VIEW), start)
    page.show_map()
    row = loner(plain_report)
    place = np.array(page.place(row))
    page.page.mouse.move(*place)
    page.page.keyboard.down("Control")
    page.page.mouse.wheel(0, -200)
    page.page.keyboard.up("Control")
    page.settle()
    assert page.page.evaluate(VIEW)[2] < start[2]
    np.testing.assert_allclose(page.place(row), place, atol=25)


def test_dragging_moves_the_map(visit, plain_report):
    page = visit(plain_report)
    page.show_map()
    before = np.array(page.place(0))
    box = page.page.locator("#map-plot").bounding_box()
    page.page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 80, box["y"] + 60, steps=5)
    page.page.mouse.up()
    page.settle()
    np.testing.assert_allclose(np.array(page.place(0)) - before, [50, 30], atol=1)


def test_the_keyboard_reaches_a_row_and_says_it(visit, plain_report):
    page = visit(plain_report)
    page.page.focus("#map-plot")
    page.page.keyboard.press("Enter")
    page.settle()
    assert page.page.locator("#card").is_visible()
    assert re.match(r"row \d+, label, [abc], Trust", page.page.locator("#said").inner_text())
    page.page.keyboard.press("Escape")
    page.settle()
    assert page.page.locator("#card").is_hidden()


def test_everything_that_can_be_used_has_a_name(visit, plain_report):
    page = visit(plain_report)
    unnamed = page.page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, :is(canvas, svg):not([aria-hidden])")]
          .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim() || node.closest("label")))
          .map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []


# ---- selections


def test_a_lasso_selects_what_it_surrounds(visit, plain_report):
    page = visit(plain_report)
    left = plain_report.embedding[:, 0] < np.ptp(plain_report.embedding[:, 0]) / 2 + plain_report.embedding[:, 0].min()
    page.draw_around(LEFT)
    assert page.selected() == np.flatnonzero(left).tolist()
    assert page.page.locator("#found").inner_text() == f"{left.sum()} of 120 points selected"
    page.page.get_by_role("button", name="Clear").click()
    assert page.page.locator("#selection").is_hidden()


def test_what_sets_a_selection_apart(visit, plain_report):
    page = visit(plain_report)
    page.draw_around(LEFT)
    inside = np.isin(np.arange(120), page.selected())
    found = page.page.locator(".effects tbody tr").all()
    names = [row.locator("th").inner_text() for row in found]
    assert 3 <= len(names) <= 8
    sizes = []
    for row in found:
        here, there, _, effect = (cell.inner_text() for cell in row.locator("td").all())
        sizes.append(abs(float(effect.replace("−", "-").replace("∞", "99"))))
        name = row.locator("th").inner_text()
        column = next((c for c in plain_report.columns if c.name == name), None)
        if column is not None:
            a, b = column.values[inside], column.values[~inside]
            assert float(here) == pytest.approx(a.mean(), rel=2e-3)
            assert float(there) == pytest.approx(b.mean(), rel=2e-3)
            pooled = np.sqrt(((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum()) / np.sqrt(118)
            assert float(effect.replace("−", "-")) == pytest.approx((a.mean() - b.mean()) / pooled, abs=0.06)
        if name.startswith("label: "):
            share = (plain_report.labels[0].values == "abc".index(name[-1]))[inside].mean()
            assert float(here.rstrip(" %")) == pytest.approx(100 * share, abs=0.6)
    assert sizes == sorted(sizes, reverse=True)


def test_the_selection_is_downloaded_as_it_is(visit, hostile_report):
    page = visit(hostile_report)
    page.draw_around(ALL)
    chosen = page.selected()
    with page.page.expect_download() as waiting:
        page.page.get_by_role("button", name="Download as CSV").click()
    assert re.fullmatch(r"[\w.-]+-selection\.csv", waiting.value.suggested_filename)
    with open(waiting.value.path(), encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert [int(row[0]) for row in rows] == chosen
    label = hostile_report.labels[0]
    assert header[:4] == ["row", "x", "y", label.name]
    for row in rows:
        i = int(row[0])
        np.testing.assert_allclose([float(row[1]), float(row[2])], hostile_report.embedding[i], rtol=1e-5)
        assert row[3] == label.categories[label.values[i]]


def test_the_lasso_button_and_the_search(visit, plain_report):
    page = visit(plain_report)
    button = page.page.locator('[data-do="lasso"]')
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    page.draw_around(ALL, key=None)
    assert len(page.selected()) > 100
    page.page.fill("#search", "row 17")
    page.page.wait_for_timeout(400)
    assert page.selected() == [17]
    page.page.keyboard.press("Enter")
    page.settle()
    box = page.page.locator("#map-plot").bounding_box()
    np.testing.assert_allclose(page.place(17), [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2], atol=2)
    page.page.fill("#search", "nothing like this")
    page.page.wait_for_timeout(400)
    assert "0 of 120" in page.page.locator("#found").inner_text()
    page.page.fill("#search", "B")
    page.page.wait_for_timeout(400)
    assert page.selected() == list(range(40, 80))
    page.page.fill("#search", "")
    page.page.wait_for_timeout(400)
    assert page.page.locator("#selection").is_hidden()


# ---- hostile data, other screens, other sizes


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
    page.draw_around(ALL)
    assert "<img src=x" in page.page.locator("#selection").inner_text()
    assert not any(
        text.startswith("id:") for text in page.page.locator("#selection .effects tbody th").all_inner_texts()
    )
    page.page.fill("#search", "<script>")
    page.page.wait_for_timeout(400)
    assert len(page.selected()) == 15 or len(page.selected()) == 16
    assert page.page.evaluate("window.hacked") is None
    assert page.page.locator("#card img, #legend img, #selection img, h1 script").count() == 0
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith(("data:", "file:"))] == []


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
    assert {(url, "csp") for url in outside} <= set(page.blocked)
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
    page.page.fill("#search", "b")
    page.page.wait_for_selector("#selection", state="visible")
    assert len(page.selected()) == 40
    assert page.overflow() == 0


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
    for width in (1100, 360, 900, 700):
        page.page.set_viewport_size({"width": width, "height": 600})
        page.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.page.wait_for_timeout(120)
    page.show_map()
    box = page.page.locator("#map-plot").bounding_box()
    for row in range(0, 120, 10):
        x, y = page.place(row)
        assert box["x"] < x < box["x"] + box["width"]
        assert box["y"] < y < box["y"] + box["height"]
    assert page.overflow() == 0


def test_without_webgl_there_is_a_still_picture(plain_report, tmp_path, browser_without_webgl):
    page = Visit(browser_without_webgl, plain_report.to_html(), tmp_path, ready="html[data-failed]")
    assert "no WebGL" in page.page.locator(".notice:visible").inner_text()
    assert page.page.locator(".still").is_visible()
    assert 0.005 < (page.picture() != 255).any(axis=2).mean() < 0.5
    assert page.page.locator("#colorings").is_hidden()
    page.context.close()


def test_without_scripts_there_is_a_still_picture(browser, plain_report, tmp_path):
    page = Visit(browser, plain_report.to_html(), tmp_path, ready="h1", java_script_enabled=False)
    assert page.page.locator(".still").is_visible()
    assert "Without scripts" in page.page.locator("noscript .notice").inner_text()
    page.context.close()


def test_three_points(visit):
    report = map_report(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), method=PCA(2), n_neighbors=2)
    page = visit(report)
    assert page.complaints == []
    assert page.hover(2).locator(".row").inner_text() == "row 2"


def test_five_hundred_classes(visit):
    rng = np.random.default_rng(0)
    labels = [f"class {i % 500} with a rather long name" for i in range(1500)]
    page = visit(map_report(rng.normal(size=(1500, 3)), method=PCA(2), labels=labels, checks="none"))
    assert page.complaints == []
    assert page.page.locator(".classes .toggle").count() == 500
    assert "500 classes" in page.page.locator("#legend .hint").inner_text()
    assert page.page.locator("#legend").bounding_box()["height"] < 500
    assert page.overflow() == 0


def test_where_no_dimension_can_be_measured(visit):
    page = visit(map_report(np.repeat([[0.0, 1.0], [2.0, 5.0]], 10, axis=0), method=PCA(2)))
    assert page.complaints == []
    page.choose("Local dimension")
    assert "(missing)" in page.page.locator("#legend").inner_text()


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_a_hundred_thousand_points(browser, tmp_path, large_report, options):
    html = large_report.to_html()
    assert len(html.encode()) < 8_000_000
    started = time.perf_counter()
    page = Visit(browser, html, tmp_path, **options)
    opened = time.perf_counter() - started
    switch = """async (input) => {
      const started = performance.now();
      input.click();
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      return performance.now() - started;
    }"""
    inputs = page.page.locator("#colorings input").all()
    seconds = [page.page.evaluate(switch, choice.element_handle()) / 1000 for choice in inputs[1:6]]
    # Without a graphics card, on a machine that has other things to do; the goals of 3 s and 0.3 s are for usual ones.
    assert opened < 9
    assert min(seconds) < 0.9
    page.page.fill("#search", "group 3")
    page.page.wait_for_selector("#selection", state="visible")
    assert "points selected" in page.page.locator("#found").inner_text()
    assert page.overflow() == 0
    assert page.complaints == []
    page.context.close()
