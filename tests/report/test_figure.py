import base64
import gzip
import json

import numpy as np
import pytest

from holonomy.report.columns import make_column
from holonomy.report.figure import ROOTS, map_document


def models(drawing):
    found = []

    def walk(value):
        if isinstance(value, dict):
            if value.get("type") == "object":
                found.append(value)
            for child in value.values():
                walk(child)
        elif isinstance(value, list):
            for child in value:
                walk(child)

    walk(drawing["document"]["roots"])
    return found


def source_of(drawing):
    return next(
        model["attributes"] for model in models(drawing) if model["name"] == "ColumnDataSource"
        and model["attributes"].get("name") == "rows"
    )  # fmt: skip


def array(packed):
    data = gzip.decompress(base64.b64decode(packed["array"]["data"]))
    return np.frombuffer(data, dtype=packed["dtype"]).reshape(packed["shape"])


@pytest.fixture
def drawing():
    rng = np.random.default_rng(0)
    Z, P = rng.normal(size=(2, 50, 2))
    column = make_column("kind", ["a", "b"] * 25, 50)
    return map_document(Z, P, [column]), Z, P, column


def test_columns_are_packed_and_in_one_order(drawing):
    drawn, Z, P, column = drawing
    entries = {key: array(value) for key, value in source_of(drawn)["data"]["entries"]}
    row = entries["row"]
    assert sorted(row) == list(range(50))
    np.testing.assert_array_equal(np.c_[entries["x"], entries["y"]], Z[row].astype(np.float32))
    np.testing.assert_array_equal(np.c_[entries["px"], entries["py"]], P[row].astype(np.float32))
    np.testing.assert_array_equal(entries["c0"], column.values[row])
    assert entries["c0"].dtype == np.uint8
    assert entries["color"].dtype == np.uint32


def test_points_are_not_drawn_in_the_order_of_the_rows(drawing):
    entries = dict(source_of(drawing[0])["data"]["entries"])
    assert list(array(entries["row"])) != list(range(50))


def test_both_figures_have_a_place_and_use_webgl(drawing):
    drawn = drawing[0]
    assert sorted(drawn["roots"].values()) == sorted(ROOTS.values())
    figures = [model for model in models(drawn) if model["name"] == "Figure"]
    assert {figure["attributes"]["output_backend"] for figure in figures} == {"webgl"}
    json.dumps(drawn)


def test_nothing_in_the_drawing_needs_to_be_compiled_from_text(drawing):
    names = {model["name"] for model in models(drawing[0])}
    assert not any(name.startswith("Custom") for name in names)


def names_on_map(drawn):
    texts = [model["attributes"]["text"] for model in models(drawn) if model["name"] == "Text"]
    return len(texts)


def written(drawn):
    """The names on the map with their places."""
    sources = [m["attributes"] for m in models(drawn) if m["name"] == "ColumnDataSource"]
    entries = [dict(s["data"]["entries"]) for s in sources if s.get("name") != "rows"]
    return [(e["text"], array(e["x"]), array(e["y"])) for e in entries]


@pytest.mark.parametrize(("n_classes", "named"), [(1, 0), (2, 2), (30, 30), (31, 0)])
def test_few_classes_are_named_on_the_map(n_classes, named):
    group = np.arange(20 * n_classes) % n_classes
    Z = np.c_[group, group % 7] + 0.01 * np.random.default_rng(0).normal(size=(len(group), 2))
    drawn = map_document(Z, Z, [make_column("kind", [f"class {g}" for g in group], len(group))])
    assert sum(len(texts) for texts, _, _ in written(drawn)) == named


def test_a_class_is_named_at_one_of_its_own_points():
    angle = np.arange(60) / 60 * np.pi
    arc = np.c_[np.cos(angle), np.sin(angle)]
    [(texts, x, y)] = written(map_document(arc, arc, [make_column("kind", ["a"] * 30 + ["b"] * 30, 60)]))
    assert texts == ["a", "b"]
    np.testing.assert_allclose(np.hypot(x, y), 1.0)
    assert x[0] > 0 > x[1]


def test_a_class_in_islands_is_named_on_the_largest():
    rng = np.random.default_rng(0)
    islands = [rng.normal(center, 0.1, (size, 2)) for center, size in (((0, 0), 60), ((10, 0), 25), ((4, 8), 25))]
    strays = np.array([[3.0, 2.0], [3.2, 2.2]])
    other = rng.normal((-5, 5), 0.1, (40, 2))
    where = np.concatenate([*islands, strays, other])
    kind = ["islands"] * 112 + ["other"] * 40
    [(texts, x, y)] = written(map_document(where, where, [make_column("kind", kind, 152)]))
    assert texts == ["islands", "other"]
    assert np.hypot(x[0], y[0]) < 0.5


def test_a_class_that_is_scattered_among_others_is_not_named():
    rng = np.random.default_rng(0)
    Z = np.r_[rng.normal(size=(90, 2)), 50 + rng.normal(size=(30, 2))]
    kind = list("pqrstu") * 15 + ["apart"] * 30
    [(texts, x, _)] = written(map_document(Z, Z, [make_column("kind", kind, 120)]))
    assert texts == ["apart"]
    assert x[0] > 40


def test_long_names_are_shortened():
    Z = np.r_[np.zeros((9, 2)), np.ones((9, 2))]
    [(texts, _, _)] = written(map_document(Z, Z, [make_column("kind", ["n" * 50] * 9 + ["m"] * 9, 18)]))
    assert texts == ["m", "n" * 17 + "…"]
