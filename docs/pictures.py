"""Take the pictures of the report that the README shows: ``python docs/pictures.py``.

Maps scikit-learn's digits, opens the pages in a headless Chromium (the one named by CHROMIUM, or the first on the
PATH), and writes ``report-light.png``, ``report-dark.png``, ``selection.png`` and ``compare.png`` to ``docs/images``.
"""

import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from holonomy.report import compare_report, map_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
IMAGES = Path(__file__).parent / "images"
VIEW = {"width": 1280, "height": 1000}


def main() -> None:
    """Make the pages and take their pictures."""
    browser_path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        report = map_report("digits").save(Path(folder, "report.html"))
        methods = ["umap", "phate", "isomap", "pca"]
        compared = compare_report("digits", methods).save(Path(folder, "compare.html"))
        browser = driver.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        for mode in ("light", "dark"):
            take(open_page(browser, report, mode), f"report-{mode}.png")
        page = open_page(browser, report, "light")
        select_right_half(page)
        take(page, "selection.png")
        take(open_page(browser, compared, "light"), "compare.png")
        browser.close()


def open_page(browser: Browser, file: Path, mode: Literal["light", "dark"]) -> Page:
    """Open a page and wait until it is drawn."""
    page = browser.new_page(viewport=VIEW, color_scheme=mode)
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    page.wait_for_timeout(500)
    return page


def select_right_half(page: Page) -> None:
    """Draw a lasso around the right half of the map, and point at one of its points."""
    box = page.locator("#map-plot").bounding_box()
    page.keyboard.down("Shift")
    corners = [(0.6, 0.04), (0.9, 0.04), (0.97, 0.4), (0.97, 0.96), (0.6, 0.96)]
    for i, (u, v) in enumerate(corners):
        page.mouse.move(box["x"] + u * box["width"], box["y"] + v * box["height"], steps=6)
        if i == 0:
            page.mouse.down()
    page.mouse.up()
    page.keyboard.up("Shift")
    page.evaluate("document.querySelector('.map-section').scrollIntoView({ block: 'start' }); scrollBy(0, 330)")
    page.wait_for_timeout(500)


def take(page: Page, name: str) -> None:
    """Write a picture of what is seen of a page."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main()
