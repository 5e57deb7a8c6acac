"""Take the pictures of the report that the README shows: ``python docs/pictures.py``.

Maps scikit-learn's digits, opens the page in a headless Chromium (the one named by CHROMIUM, or the first on the PATH),
and writes ``docs/images/report-light.png`` and ``docs/images/report-dark.png``.
"""

import io
import os
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from holonomy.report import map_report

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
IMAGES = Path(__file__).parent / "images"
VIEW = {"width": 1280, "height": 1000}


def main() -> None:
    """Make the report and take its picture on a light and on a dark page."""
    browser_path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)))
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        page_file = map_report("digits").save(Path(folder, "report.html"))
        browser = driver.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        for mode in ("light", "dark"):
            page = browser.new_page(viewport=VIEW, color_scheme=mode)
            page.goto(page_file.as_uri())
            page.wait_for_selector("html[data-ready]")
            page.wait_for_timeout(500)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            picture.save(IMAGES / f"report-{mode}.png", optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
