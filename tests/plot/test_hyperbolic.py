"""The Poincare disk: its lines are geodesics, and bad input is named."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")

from matplotlib import pyplot as plt

from holonomy.plot import disk
from holonomy.plot.hyperbolic import geodesic_arcs


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def distances(a, b):
    q = np.sum((a - b) ** 2, axis=-1) / ((1 - np.sum(a**2, axis=-1)) * (1 - np.sum(b**2, axis=-1)))
    return 2 * np.arcsinh(np.sqrt(q))


def test_lines_are_geodesics():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(-0.65, 0.65, (2, 50, 2))
    arcs = geodesic_arcs(a, b, 17)
    np.testing.assert_allclose(arcs[:, 0], a, atol=1e-12)
    np.testing.assert_allclose(arcs[:, -1], b, atol=1e-12)
    steps = distances(arcs[:, 1:], arcs[:, :-1])
    np.testing.assert_allclose(steps, distances(a, b)[:, None] / 16 * np.ones(16), rtol=1e-8)


def test_a_point_joined_to_itself_and_lines_through_the_centre():
    arcs = geodesic_arcs(np.array([[0.3, 0.2], [-0.5, 0.0]]), np.array([[0.3, 0.2], [0.5, 0.0]]))
    np.testing.assert_allclose(arcs[0], np.broadcast_to([0.3, 0.2], arcs[0].shape))
    np.testing.assert_allclose(arcs[1, :, 1], 0.0, atol=1e-15)


def test_draws_points_lines_names_and_the_boundary():
    Z = np.array([[0.0, 0.0], [0.5, 0.5], [-0.5, 0.3]])
    ax = disk(Z, [[0, 1], [0, 2]], ["a", "b", "b"], names=["root", None, ""])
    assert [text.get_text() for text in ax.texts] == ["root"]
    assert len(ax.collections[0].get_segments()) == 2
    assert ax.patches[0].get_radius() == 1.0
    own = plt.figure().add_subplot()
    assert disk(Z, ax=own) is own


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0, 1.0]],), "inside the unit disk"),
        (([[0.0, 0.0, 0.0]],), "two columns"),
        (([[0.0, 0.0]], [[0, 1]]), r"rows in \[0, 1\)"),
        (([[0.0, 0.0]], [[0.0, 0.0]]), "pairs of row numbers"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        disk(*arguments)


def test_names_need_rows():
    with pytest.raises(ValueError, match="names must belong to rows"):
        disk([[0.0, 0.0]], names={3: "far"})
