import numpy as np
import pytest

from holonomy.report import colorings, content
from holonomy.report.columns import make_column, number_column
from holonomy.report.content import Plot, make_content
from holonomy.report.packing import unpack


def made(columns=(), further=(), images=None, n=40, opening=None):
    rng = np.random.default_rng(0)
    plots = [Plot("map-plot", rng.normal(size=(n, 2))), Plot("baseline-plot", rng.normal(size=(n, 2)), is_large=False)]
    return plots, make_content(plots, columns, further, images, "data", opening)


def column(name, values):
    return make_column(name, values, len(values)), colorings.column_coloring


def test_places_and_values_arrive():
    values = np.random.default_rng(1).normal(size=40)
    plots, found = made([column("kind", ["a", "b"] * 20), column("size", values)])
    header, columns = unpack(found.bundle)
    np.testing.assert_array_equal(columns["x0"], plots[0].places[:, 0].astype(np.float32))
    np.testing.assert_array_equal(columns["y1"], plots[1].places[:, 1].astype(np.float32))
    assert columns["c0"].tolist() == [0, 1] * 20
    np.testing.assert_allclose(columns["c1"], values, rtol=1e-5)
    assert [detail["name"] for detail in header["details"]] == ["kind", "size"]
    assert header["details"][0]["classes"] == ["a", "b"]
    assert [coloring["group"] for coloring in header["colorings"]] == ["Labels", "Columns"]
    assert {name["text"] for name in header["names"]["map-plot"]["c0"]} <= {"a", "b"}
    assert "baseline-plot" not in header["names"]
    assert found.remarks == ()


def test_every_colouring_has_a_palette():
    header, _ = unpack(made([column("kind", ["a", "b"] * 20), column("size", np.arange(40.0) ** 1.5)])[1].bundle)
    for coloring in header["colorings"]:
        for colors in header["palettes"][coloring["palette"]].values():
            assert len(colors) == (30 if coloring["palette"] == "classes" else 256)


def test_further_columns_are_coded_in_a_byte():
    values = np.linspace(-3, 5, 40)
    header, columns = unpack(made([column("kind", ["a"] * 40)], [number_column("more", values)])[1].bundle)
    np.testing.assert_allclose(columns["f0"], values, atol=0.1)
    assert header["further"][0]["name"] == "more"
    assert header["colorings"][-1]["group"] == "More columns"


def test_the_page_opens_with_the_column_that_was_asked_for():
    columns = [column("kind", ["a", "b"] * 20), column("size", np.arange(40.0) ** 1.5)]
    assert unpack(made(columns, opening="size")[1].bundle)[0]["opening"] == 1
    assert unpack(made(columns, opening="none")[1].bundle)[0]["opening"] == 0


def test_more_points_than_can_be_drawn(monkeypatch):
    monkeypatch.setattr(content, "MOST_DRAWN", 25)
    images = np.zeros((40, 4, 4), dtype=np.uint8)
    plots, found = made([column("kind", ["a", "b"] * 20)], [number_column("more", np.arange(40.0))], images)
    header, columns = unpack(found.bundle)
    row = columns["row"]
    assert header["points"] == len(row) == len(columns["f0"]) == 25
    np.testing.assert_array_equal(columns["x0"], plots[0].places[row, 0].astype(np.float32))
    np.testing.assert_array_equal(columns["c0"], row % 2)
    assert columns["imageRow"].tolist() == list(range(25))
    assert found.remarks[0].startswith("The page draws 25 of the 40 points, chosen at random")


@pytest.mark.parametrize(("most", "says"), [(1000, "are cut to 25 characters"), (300, "is not on this page")])
def test_texts_that_would_make_the_page_heavy(monkeypatch, most, says):
    monkeypatch.setattr(content, "MOST_TEXT", most)
    _, found = made([column("id", [f"{i:060d}" for i in range(40)]), column("size", np.arange(40.0) ** 1.5)])
    assert says in found.remarks[0]
    assert len(unpack(found.bundle)[0]["details"]) == (2 if most == 1000 else 1)


def test_a_page_of_many_points_is_light():
    rng = np.random.default_rng(0)
    n = 100_000
    columns = [column("group", [f"group {i % 12}" for i in range(n)])]
    columns += [column(f"q{i}", rng.normal(size=n)) for i in range(11)]
    further = [number_column(f"f{i}", rng.normal(size=n)) for i in range(10)]
    found = made(columns, further, n=n)[1]
    assert len(found.bundle) + len(found.pictures[0]) < 7_500_000
