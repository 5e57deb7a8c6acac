"""Merging points at distance zero into places."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure._distinct import distinct_neighbors


@settings(max_examples=25, deadline=None)
@given(st.integers(4, 15), st.integers(1, 3), st.integers(0, 1000))
def test_places_are_the_distinct_rows_and_their_neighbours(n, copies, seed):
    rng = np.random.default_rng(seed)
    unique = rng.normal(size=(n, 2))
    order = rng.permutation(np.repeat(np.arange(n), copies))
    k = copies * 3 - 1
    near = distinct_neighbors(neighbors(unique[order], k))
    assert len(near.distances) == n
    # The same rows have the same place, and other rows have other places.
    assert len(set(zip(order, near.place, strict=True))) == n
    row_of_place = np.empty(n, dtype=int)
    row_of_place[near.place] = order
    whole = neighbors(unique, 2)
    assert (near.counts == 2).all()
    np.testing.assert_allclose(near.distances[:, :2], whole.distances[row_of_place], rtol=1e-5)
    np.testing.assert_array_equal(row_of_place[near.indices[:, :2]], whole.indices[row_of_place])


def test_without_duplicates_nothing_changes():
    graph = neighbors(np.random.default_rng(0).normal(size=(20, 2)), 4)
    near = distinct_neighbors(graph)
    np.testing.assert_array_equal(near.indices, graph.indices)
    np.testing.assert_array_equal(near.place, np.arange(20))


def test_gather_and_scatter_are_transposes():
    graph = neighbors(np.repeat(np.random.default_rng(0).normal(size=(12, 2)), [1, 2, 3] * 4, axis=0), 5)
    near = distinct_neighbors(graph)
    a, b = np.random.default_rng(1).normal(size=(2, 12))
    assert near.gather(a) @ b == pytest.approx(a @ near.scatter(b))


def test_squared_metrics_become_lengths():
    graph = NeighborGraph(np.array([[1], [0]]), np.array([[4.0], [4.0]]), metric="sqeuclidean")
    assert distinct_neighbors(graph).distances.tolist() == [[2.0], [2.0]]
