import re

import numpy as np
import pytest
from sklearn.decomposition import PCA

from holonomy.report import compare_report
from holonomy.report.packing import unpack
from tests.report.visits import PHONE, Visit

rng = np.random.default_rng(0)
X = rng.normal(size=(90, 6)) + 5 * np.repeat(np.eye(6)[:3], 30, axis=0)
GROUP = np.repeat(["a", "b", "c"], 30)
HOSTILE = "<script>window.hacked = 1</script>"


@pytest.fixture(scope="module")
def report():
    methods = {"pca": PCA(2), HOSTILE: X[:, :2], "by chance": rng.normal(size=(90, 2))}
    return compare_report(X, methods, labels=GROUP, n_neighbors=8, name="groups")


def test_all_maps_are_in_the_bundle(report):
    packed = re.search(r'id="bundle">([^<]*)<', report.to_html())[1]
    header, columns = unpack(packed)
    assert [plot["element"] for plot in header["plots"]] == ["map-0", "map-1", "map-2"]
    for i, each in enumerate(report.comparison.maps):
        np.testing.assert_allclose(columns[f"x{i}"], each.aligned[:, 0], rtol=1e-6)
    assert [coloring["name"] for coloring in header["colorings"]][:2] == ["label", "Trust: pca"]


def test_the_table_is_that_of_the_comparison(report):
    html = report.to_html()
    for each in report.comparison.maps:
        assert f"{each.scores['recall'].value:.3f}" in html
    assert str(report) == str(report.comparison)
    assert report._repr_html_() == report.comparison._repr_html_()


def test_the_command_is_there_where_one_makes_the_page():
    named = compare_report("iris", ["pca"], n_neighbors=9, random_state=4)
    words = "holonomy compare iris --methods pca --label target --neighbors 9 --seed 4 --out compare.html"
    assert named.command == words
    options = {"columns": ["petal width (cm)"], "image_shape": (2, 2), "impute": True}
    named = compare_report("iris", ["pca"], n_neighbors=9, **options)
    assert "--color 'petal width (cm)' --image-shape 2x2 --neighbors 9 --impute --seed 0" in named.command
    assert compare_report("iris", [PCA(2)]).command is None
    assert "On the command line" not in compare_report("iris", [PCA(2)]).to_html()


def test_the_lines_of_the_page_make_it_again(tmp_path, monkeypatch):
    made = compare_report("iris", ["pca", PCA(2, whiten=True)], columns=["petal width (cm)"], n_neighbors=9)
    assert 'labels="target"' in made.python
    monkeypatch.chdir(tmp_path)
    exec(made.python.replace("import holonomy", "import holonomy, sklearn"), {})  # noqa: S102 - what the page offers
    assert (tmp_path / "compare.html").read_text(encoding="utf-8") == made.to_html()


def test_what_came_from_memory_is_left_to_fill_in(report):
    assert "X = ...  # your 90 points in 6 dimensions" in report.python
    assert '"pca": sklearn.decomposition.PCA(n_components=2)' in report.python
    assert '"by chance": ...' in report.python
    assert "labels=..." in report.python


def test_the_curves_of_all_maps_and_of_pca_are_drawn(report):
    chart = re.search(r'<svg class="rank-chart".*?</svg>', report.to_html(), re.DOTALL)[0]
    assert chart.count('class="curve') == 3
    other = compare_report(X, {"first": X[:, :2]}, n_neighbors=8).to_html()
    assert '<tspan class="name">PCA</tspan>' in other
    assert "numpy" in other


def test_the_page_is_written_whole(report, tmp_path):
    assert report.save(tmp_path / "page.html").read_text(encoding="utf-8") == report.to_html()


@pytest.mark.parametrize(
    ("methods", "reason"),
    [([PCA(3)], "must map to two dimensions"), ({str(i): X[:, :2] for i in range(13)}, "at most 12")],
)
def test_what_cannot_be_drawn(methods, reason):
    with pytest.raises(ValueError, match=reason):
        compare_report(X, methods, n_neighbors=8)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_maps_are_linked(browser, report, tmp_path, options):
    page = Visit(browser, report.to_html(), tmp_path, **options)
    assert page.complaints == []
    assert page.overflow() == 0
    assert page.page.locator(".one-of-maps h2").nth(1).inner_text().startswith(HOSTILE)
    assert page.page.evaluate("window.hacked") is None
    before = [page.picture(f"#map-{i}") for i in range(3)]
    assert all((picture != 255).any(axis=2).mean() > 0.002 for picture in before)
    page.page.fill("#search", "b")
    page.page.wait_for_selector("#selection", state="visible")
    page.settle()
    assert page.selected() == list(range(30, 60))
    for i in range(3):
        assert (page.picture(f"#map-{i}") != before[i]).any()
    page.context.close()


@pytest.mark.browser
@pytest.mark.slow
def test_pointing_at_one_map_marks_the_row_on_all(browser, report, tmp_path):
    page = Visit(browser, report.to_html(), tmp_path)
    before = page.picture("#map-2")
    place = page.page.evaluate(
        """() => { const { plot } = document.getElementById("map-0"); const box = plot.box.getBoundingClientRect();
        const [x, y] = plot.placeOf(plot.x[3], plot.y[3]); return [box.x + x, box.y + y]; }"""
    )
    page.page.mouse.move(*place)
    page.settle()
    assert page.page.locator("#card .row").inner_text().startswith("row ")
    assert (page.picture("#map-2") != before).any()
    page.context.close()
