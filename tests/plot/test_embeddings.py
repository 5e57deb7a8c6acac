import matplotlib.pyplot as plt
import numpy as np
import pytest

from holonomy.plot import embedding

Z = np.random.default_rng(0).normal(size=(60, 2))


def drawn(ax):
    """The places of all points that are drawn."""
    return np.concatenate([part.get_offsets().data for part in ax.collections if len(part.get_offsets())])


@pytest.mark.parametrize("color", [None, ["a", "b"] * 30, [True, False] * 30, np.arange(60), np.linspace(0, 1, 60)])
def test_every_point_is_drawn_once(color):
    places = drawn(embedding(Z, color))
    np.testing.assert_array_equal(places[np.lexsort(places.T)], Z[np.lexsort(Z.T)])


def test_classes_have_a_legend_and_quantities_a_bar():
    ax = embedding(Z, ["10", "9", "8"] * 20, label="kind")
    assert ax.get_legend().get_title().get_text() == "kind"
    assert embedding(Z, [f"c{i % 13}" for i in range(60)]).get_legend() is None
    assert embedding(Z, [f"c{i % 13}" for i in range(60)], legend=True).get_legend() is not None
    assert len(embedding(Z, np.linspace(0, 1, 60), label="size").figure.axes) == 2
    assert len(embedding(Z, np.linspace(0, 1, 60), legend=False).figure.axes) == 1


def test_the_given_axes_are_drawn_on():
    ax = plt.subplots()[1]
    assert embedding(Z, ax=ax) is ax
    assert ax.get_aspect() == 1


def test_missing_values_are_no_error():
    embedding(Z, np.where(np.arange(60) % 2, np.nan, 1.5))


@pytest.mark.parametrize(
    ("points", "color", "reason"),
    [
        (Z[:, :1], None, "two columns"),
        (np.c_[Z, Z], None, "two columns to be drawn, got 4"),
        (np.full((3, 2), np.nan), None, "Z"),
        (Z, [1, 2], "one value for each of the 60 points"),
    ],
)
def test_what_cannot_be_drawn(points, color, reason):
    with pytest.raises(ValueError, match=reason):
        embedding(points, color)
