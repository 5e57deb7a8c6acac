import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from holonomy.report.packing import unpack


class Page(HTMLParser):
    """The elements of a page, as a browser would see them."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.scripts, self.styles, self.texts = [], [], [], []
        self._script = self._style = None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._style = tag == "style"
        if tag == "script":
            self._script = dict(attributes)
            self.scripts.append([self._script.get("type"), ""])

    def handle_endtag(self, tag):
        self._style = False
        if tag == "script":
            self._script = None

    def handle_data(self, data):
        if self._script is not None:
            self.scripts[-1][1] += data
        elif self._style:
            self.styles.append(data)
        else:
            self.texts.append(data)


@pytest.fixture(scope="module")
def page(hostile_report):
    return Page(hostile_report.to_html())


def policy_of(page):
    return next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")


def bundle_of(page):
    return unpack(next(text for kind, text in page.scripts if kind == "application/octet-stream"))[0]


def test_only_our_own_scripts_may_run(page):
    executed = [text for kind, text in page.scripts if kind is None]
    assert len(executed) == 1
    allowed = re.findall(r"'sha256-([^']+)'", policy_of(page))
    own = [*executed, *page.styles]
    assert allowed == [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in own]
    assert policy_of(page).startswith("default-src 'none'")
    assert "unsafe" not in policy_of(page)


def test_no_element_has_a_style_of_its_own(page):
    assert not [tag for tag, attributes in page.tags if "style" in attributes]


def test_nothing_is_loaded_from_anywhere(page):
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not {"href", "srcset", "action"} & set(attributes), tag
        assert attributes.get("src", "data:image/png;base64,").startswith("data:image/png;base64,")


def test_no_handler_comes_from_the_data(page):
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]


def test_hostile_texts_are_texts(page, hostile_report):
    assert hostile_report.name in "".join(page.texts)
    data = bundle_of(page)
    classes = data["details"][0]["classes"]
    assert "<script>window.hacked = 1</script>" in classes
    assert "</script><script>window.hacked = 2</script>" in classes


def test_the_page_says_what_it_must(page, hostile_report):
    text = re.sub(r"[ \n]+", " ", " ".join(page.texts))
    for expected in (
        hostile_report.profile.headline.replace(" %", "\u00a0%"),
        "holonomy.report.map_report(",
        "@article{",
        "Trustworthiness",
        "numpy",
        "seed 0",
    ):
        assert expected in text
    assert ("title", {}) in page.tags
    assert "lang" in dict(page.tags)["html"]


def test_identifiers_are_shown_but_offer_no_colouring(page):
    data = bundle_of(page)
    assert "id" in [detail["name"] for detail in data["details"]]
    assert "id" not in [coloring["name"] for coloring in data["colorings"]]


def test_rendering_again_gives_the_same_texts(hostile_report):
    assert hostile_report.to_html() is hostile_report.to_html()
