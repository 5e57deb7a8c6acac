"""Operations on fuzzy graphs against umap-learn's, their limits, and bad input."""

import numpy as np
import pytest
from scipy import sparse

from holonomy.graphs import (
    fuzzy_difference,
    fuzzy_intersection,
    fuzzy_simplicial_set,
    fuzzy_union,
    intersect_by_distance,
    neighbors,
    restore_connectivity,
)


@pytest.fixture(scope="module")
def graphs():
    rng = np.random.default_rng(0)
    return tuple(fuzzy_simplicial_set(neighbors(rng.normal(size=(80, 4)), k)) for k in (6, 9))


@pytest.mark.parametrize("weight", [0.2, 0.5, 0.7])
def test_intersection_equals_umap_learn(graphs, weight):
    umap_ = pytest.importorskip("umap.umap_")
    left, right = (sparse.csr_matrix(graph) for graph in graphs)
    expected = umap_.general_simplicial_set_intersection(left, right, weight)
    np.testing.assert_allclose(
        fuzzy_intersection(*graphs, weight=weight).toarray(), expected.toarray(), rtol=1e-4, atol=1e-7
    )


def test_intersection_at_its_ends_is_one_operand(graphs):
    left, right = (graph.toarray() for graph in graphs)
    np.testing.assert_allclose(fuzzy_intersection(*graphs, weight=0.0).toarray()[left > 0], left[left > 0], rtol=1e-6)
    np.testing.assert_allclose(
        fuzzy_intersection(*graphs, weight=1.0).toarray()[right > 0], right[right > 0], rtol=1e-6
    )


def test_union_is_the_probabilistic_sum_and_the_empty_graph_its_identity(graphs):
    left, right = (graph.toarray() for graph in graphs)
    np.testing.assert_allclose(fuzzy_union(*graphs).toarray(), left + right - left * right, rtol=1e-6)
    empty = sparse.csr_array(left.shape)
    np.testing.assert_allclose(fuzzy_union(graphs[0], empty).toarray(), left, rtol=1e-6)


def test_union_is_close_to_umap_learn(graphs):
    umap_ = pytest.importorskip("umap.umap_")
    expected = umap_.general_simplicial_set_union(*(sparse.csr_matrix(graph) for graph in graphs)).toarray()
    smallest = max(graph.data.min() for graph in graphs) / 2
    assert np.abs(fuzzy_union(*graphs).toarray() - expected).max() <= smallest + 1e-6


def test_difference_keeps_what_the_other_does_not_hold(graphs):
    left, right = (graph.toarray() for graph in graphs)
    np.testing.assert_allclose(fuzzy_difference(*graphs).toarray(), left * np.maximum(1 - right, 1e-4), rtol=1e-5)
    np.testing.assert_allclose(fuzzy_difference(graphs[0], sparse.csr_array(left.shape)).toarray(), left, rtol=1e-6)


@pytest.mark.parametrize("n_neighbors", [None, 15])
def test_restored_connectivity_equals_umap_learn(graphs, n_neighbors):
    umap_ = pytest.importorskip("umap.umap_")
    weakened = fuzzy_intersection(*graphs)
    expected = umap_.reset_local_connectivity(sparse.csr_matrix(weakened), n_neighbors is not None)
    got = restore_connectivity(weakened, n_neighbors=n_neighbors)
    np.testing.assert_allclose(got.toarray(), sparse.csr_array(expected).toarray(), atol=2e-4)


def test_restored_rows_hold_a_sure_edge_and_stay_symmetric(graphs):
    restored = restore_connectivity(graphs[0] * np.float32(0.3)).toarray()
    np.testing.assert_array_equal(restored.max(axis=1), 1.0)
    np.testing.assert_array_equal(restored, restored.T)


def test_rows_without_edges_stay_empty():
    graph = sparse.csr_array(np.array([[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]]))
    for operation in (lambda g: restore_connectivity(g, n_neighbors=5), lambda g: fuzzy_intersection(g, g)):
        np.testing.assert_array_equal(operation(graph).toarray()[2], 0.0)


def test_intersection_by_labels_equals_umap_learn(graphs):
    umap_ = pytest.importorskip("umap.umap_")
    labels = np.random.default_rng(1).integers(3, size=80)
    expected = umap_.discrete_metric_simplicial_set_intersection(
        sparse.csr_matrix(graphs[0], copy=True), labels, far_dist=5.0
    )
    weakened = intersect_by_distance(graphs[0], lambda i, j: 5.0 * (labels[i] != labels[j]))
    np.testing.assert_allclose(
        restore_connectivity(weakened).toarray(), sparse.csr_array(expected).toarray(), rtol=1e-4, atol=1e-7
    )


def test_operands_are_not_written_to(graphs):
    before = [graph.copy() for graph in graphs]
    fuzzy_intersection(*graphs)
    fuzzy_difference(*graphs)
    restore_connectivity(graphs[0], n_neighbors=10)
    intersect_by_distance(graphs[0], lambda i, j: np.full(len(i), 1e9))
    for graph, copy in zip(graphs, before, strict=True):
        np.testing.assert_array_equal(graph.data, copy.data)


@pytest.mark.parametrize("operation", [fuzzy_intersection, fuzzy_union, fuzzy_difference])
def test_bad_operands_are_named(operation, graphs):
    with pytest.raises(ValueError, match="left and right must be on the same points"):
        operation(graphs[0], graphs[0][:5][:, :5])
    with pytest.raises(ValueError, match=r"right must hold memberships in \[0, 1\]"):
        operation(graphs[0], graphs[1] * 2)
    with pytest.raises(ValueError, match="left must be a square matrix"):
        operation(np.ones((3, 2)), graphs[1])


def test_bad_parameters_are_named(graphs):
    with pytest.raises(ValueError, match="weight must be in"):
        fuzzy_intersection(*graphs, weight=1.5)
    with pytest.raises(ValueError, match="n_neighbors must be at least 2"):
        restore_connectivity(graphs[0], n_neighbors=1)
