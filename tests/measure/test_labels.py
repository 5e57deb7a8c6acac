"""Leave-one-out nearest-neighbour agreement of labels."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import label_agreement


def test_equals_scikit_learns_leave_one_out_accuracy():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    labels = (X[:, 0] + 0.5 * rng.normal(size=150) > 0).astype(int)
    for k in (1, 5, 9):
        expected = cross_val_score(KNeighborsClassifier(k), X, labels, cv=LeaveOneOut()).mean()
        assert label_agreement(X, labels, k) == pytest.approx(expected)


def test_a_tie_goes_to_the_nearest():
    graph = NeighborGraph(np.array([[1, 2], [0, 2], [1, 0]]), np.array([[1.0, 2], [1, 2], [1, 2]]))
    votes = label_agreement(None, ["a", "a", "b"], 2, graph=graph, per_point=True)
    np.testing.assert_array_equal(votes, [1, 1, 0])


def test_a_majority_beats_the_nearest():
    graph = NeighborGraph(np.array([[3, 1, 2], [0, 2, 3], [0, 1, 3], [0, 1, 2]]), np.tile([1.0, 2, 3], (4, 1)))
    votes = label_agreement(None, ["a", "a", "a", "b"], 3, graph=graph, per_point=True)
    np.testing.assert_array_equal(votes, [1, 1, 1, 0])


@pytest.mark.parametrize(
    "convert",
    [
        lambda y: y,
        lambda y: y.astype(float),
        lambda y: np.array(["zero", "one", "two"])[y],
        lambda y: [str(label) for label in y],
        lambda y: pd.Series(y, index=np.arange(150)[::-1]).astype("category"),
        lambda y: np.array([(0, "one", 2.5)[label] for label in y], dtype=object),
        lambda y: 2 - y,
    ],
)
def test_the_kind_and_the_names_of_labels_do_not_matter(convert):
    X, y = load_iris(return_X_y=True)
    assert label_agreement(X, convert(y)) == label_agreement(X, y)


def test_per_point_averages_to_the_value_and_a_graph_changes_nothing():
    X, y = load_iris(return_X_y=True)
    value = label_agreement(X, y)
    assert label_agreement(X, y, per_point=True).mean() == pytest.approx(value)
    assert label_agreement(None, y, graph=neighbors(X, 12)) == value
    assert value > 0.9


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(149), "describe the same points, got 150 and 149"),
        (np.zeros((150, 2)), "one-dimensional, got 2"),
        (np.zeros((150, 1)), "one-dimensional"),
        ("label", "one-dimensional"),
        ([None] * 3 + ["a"] * 147, "3 missing values"),
        (np.r_[np.nan, np.zeros(149)], "1 missing values"),
        (np.linspace(0, 1, 150), "fractional numbers"),
    ],
)
def test_bad_labels(labels, message):
    X, _ = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=message):
        label_agreement(X, labels)


def test_bad_points_and_neighbours():
    with pytest.raises(ValueError, match="Z contains NaN"):
        label_agreement([[np.nan], [1.0], [2.0]], [0, 0, 1], 1)
    with pytest.raises(ValueError, match="n_neighbors must be in"):
        label_agreement([[0.0], [1.0], [2.0]], [0, 0, 1], 3)


def test_a_subsample_has_an_interval_that_holds_the_accuracy():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    Z = rng.normal(size=(600, 2)) + 1.5 * np.eye(3, 2)[labels]
    whole = label_agreement(Z, labels)
    found = [label_agreement(Z, labels, subsample=200, random_state=seed, level=0.95) for seed in range(40)]
    assert np.mean([each.low <= whole <= each.high for each in found]) > 0.85
    assert all(0 < each.high - each.low < 0.2 for each in found)
    everything = label_agreement(Z, labels, subsample=1000)
    assert everything.value == everything.low == everything.high == pytest.approx(whole)
    graph = neighbors(Z, 10)
    assert label_agreement(None, labels, graph=graph, subsample=200).value == found[0].value
    with pytest.raises(ValueError, match="per_point measures every point"):
        label_agreement(Z, labels, per_point=True, subsample=200)
    with pytest.raises(ValueError, match="subsample must be at least"):
        label_agreement(Z, labels, subsample=3)
