"""Neighbour arrays as other packages hand them around."""

import numpy as np
import pytest

from holonomy.embed._given_neighbors import graph_of_arrays
from holonomy.graphs import neighbors

X = np.random.default_rng(0).normal(size=(40, 3))
GRAPH = neighbors(X, 6)
OWN = np.arange(40)[:, None]


def test_the_row_itself_is_left_out_wherever_it_stands():
    first = (np.hstack([OWN, GRAPH.indices]), np.hstack([np.zeros((40, 1)), GRAPH.distances]))
    swapped = tuple(part[:, [1, 0, *range(2, 7)]] for part in first)
    duplicate = (swapped[0], np.hstack([np.zeros((40, 2)), first[1][:, 2:]]))
    for given in (first, (*first, object()), (GRAPH.indices, GRAPH.distances), GRAPH):
        got = graph_of_arrays(given, 40, "euclidean")
        np.testing.assert_array_equal(got.indices, GRAPH.indices)
        np.testing.assert_array_equal(got.distances, GRAPH.distances)
    np.testing.assert_array_equal(graph_of_arrays(duplicate, 40, "euclidean").indices, GRAPH.indices)


def test_missing_neighbours_are_infinitely_far():
    indices = GRAPH.indices.copy()
    indices[3, 2] = -1
    got = graph_of_arrays((indices, GRAPH.distances), 40, "euclidean")
    assert np.isinf(got.distances[3, -1])
    assert np.isfinite(got.distances[3, :-1]).all()


def test_nothing_given_is_none():
    assert graph_of_arrays(None, 40, "euclidean") is None
    assert graph_of_arrays((None, None, None), 40, "euclidean") is None


def test_bad_arrays_are_named():
    with pytest.raises(TypeError, match="precomputed_knn must be a tuple"):
        graph_of_arrays("knn", 40, "euclidean")
    with pytest.raises(ValueError, match=r"of shape \(39, k\)"):
        graph_of_arrays((GRAPH.indices, GRAPH.distances), 39, "euclidean")
    with pytest.raises(ValueError, match="precomputed_knn must hold"):
        graph_of_arrays((GRAPH.indices, GRAPH.distances[:, :3]), 40, "euclidean")
