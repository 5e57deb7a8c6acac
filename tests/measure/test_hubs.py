"""Hubness."""

import numpy as np
import pytest
from scipy.stats import skew

from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import hubness


def normal(n, d):
    return np.random.default_rng(0).normal(size=(n, d))


def test_by_hand():
    graph = NeighborGraph(np.array([[1], [0], [0], [0]]), np.ones((4, 1)))
    found = hubness(graph)
    assert found.occurrences.tolist() == [3, 1, 0, 0]
    assert found.skewness == pytest.approx(skew([3, 1, 0, 0]))
    assert found.robin_hood == 0.5
    assert found.antihubs == 0.5
    assert found.hubs.tolist() == [0]
    assert found.hub_occurrence == 0.75


def test_it_rises_with_the_dimension():
    values = [hubness(normal(1000, d)).skewness for d in (2, 10, 100)]
    assert values == sorted(values)
    assert values[0] < 0.5
    assert values[2] > 2


def test_a_regular_graph_has_none():
    ring = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    found = hubness(np.c_[np.cos(ring), np.sin(ring)], 2)
    assert (found.skewness, found.robin_hood, found.hub_occurrence, len(found.hubs)) == (0.0, 0.0, 0.0, 0)


def test_a_graph_serves_as_points_do():
    X = normal(300, 5)
    np.testing.assert_array_equal(hubness(neighbors(X, 15), 10).occurrences, hubness(X, 10).occurrences)


def test_missing_neighbours_do_not_count():
    graph = NeighborGraph(np.array([[1, 2], [0, 2], [0, 1]]), np.array([[1, np.inf], [1, np.inf], [1, 2.0]]))
    assert hubness(graph).occurrences.tolist() == [2, 2, 0]


def test_it_shows_itself():
    found = hubness(normal(100, 3))
    assert "Robin Hood" in found._repr_html_()
    assert found.__rich__().row_count == 5


def test_bad_input():
    with pytest.raises(ValueError, match="X contains NaN"):
        hubness([[np.nan, 1.0], [0, 1]], 1)
    with pytest.raises(ValueError, match="n_neighbors"):
        hubness(neighbors(normal(30, 2), 5), 6)
