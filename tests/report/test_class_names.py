import numpy as np
import pytest

from holonomy.report.class_names import class_names
from holonomy.report.columns import make_column


def written(Z, kind):
    """The names on the map with their places."""
    column = make_column("kind", kind, len(kind))
    names = class_names(Z, column.values, column.categories)
    return [name["text"] for name in names], *np.array([[name["x"], name["y"]] for name in names]).reshape(-1, 2).T


@pytest.mark.parametrize(("n_classes", "named"), [(1, 0), (2, 2), (30, 30), (31, 0)])
def test_few_classes_are_named_on_the_map(n_classes, named):
    group = np.arange(20 * n_classes) % n_classes
    Z = np.c_[group, group % 7] + 0.01 * np.random.default_rng(0).normal(size=(len(group), 2))
    assert len(written(Z, [f"class {g}" for g in group])[0]) == named


def test_a_class_without_points_has_no_place():
    assert [name["code"] for name in class_names(np.zeros((3, 2)), np.array([0, 0, 2]), ("a", "b", "c"))] == [0]


def test_a_class_is_named_at_one_of_its_own_points():
    angle = np.arange(60) / 60 * np.pi
    arc = np.c_[np.cos(angle), np.sin(angle)]
    texts, x, y = written(arc, ["a"] * 30 + ["b"] * 30)
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
    texts, x, y = written(where, kind)
    assert texts == ["islands", "other"]
    assert np.hypot(x[0], y[0]) < 0.5


def test_a_class_that_is_scattered_among_others_is_not_named():
    rng = np.random.default_rng(0)
    Z = np.r_[rng.normal(size=(90, 2)), 50 + rng.normal(size=(30, 2))]
    kind = list("pqrstu") * 15 + ["apart"] * 30
    texts, x, _ = written(Z, kind)
    assert texts == ["apart"]
    assert x[0] > 40


def test_long_names_are_shortened():
    Z = np.r_[np.zeros((9, 2)), np.ones((9, 2))]
    texts, _, _ = written(Z, ["n" * 50] * 9 + ["m"] * 9)
    assert texts == ["m", "n" * 17 + "…"]
