import numpy as np
import pytest
from scipy import sparse

from holonomy.graphs import NeighborGraph, connected_components


def blocks(*sizes):
    return sparse.block_diag([np.ones((size, size)) for size in sizes], format="csr")


def test_largest_first_and_ties_by_first_index():
    count, labels = connected_components(blocks(2, 4, 1, 2))
    assert count == 4
    assert labels.tolist() == [1, 1, 0, 0, 0, 0, 3, 2, 2]
    assert labels.dtype == np.int32


def test_an_edge_in_either_direction_connects_neighbour_lists():
    graph = NeighborGraph(np.array([[1], [0], [0], [4], [3]]), np.ones((5, 1)))
    assert connected_components(graph)[1].tolist() == [0, 0, 0, 1, 1]


def test_infinite_distances_do_not_connect_and_zero_distances_do():
    graph = NeighborGraph(np.array([[1], [2], [1], [0]]), np.array([[np.inf], [0.0], [0.0], [np.inf]]))
    assert connected_components(graph)[1].tolist() == [1, 0, 0, 2]


def test_stored_zeros_do_not_connect():
    weights = sparse.csr_array(np.ones((2, 2)))
    weights.data[[1, 2]] = 0.0
    assert connected_components(weights)[0] == 2
    assert weights.nnz == 4, "the input must not be written to"


def test_number_of_components_does_not_depend_on_the_order_of_points(knn, cloud):
    graph = knn(cloud, 2)
    count, labels = connected_components(graph)
    order = np.random.default_rng(0).permutation(len(cloud))
    permuted = NeighborGraph(np.argsort(order)[graph.indices[order]], graph.distances[order])
    other_count, other_labels = connected_components(permuted)
    assert count == other_count > 1
    assert np.bincount(labels).tolist() == np.bincount(other_labels).tolist()
    assert len(set(zip(labels[order], other_labels, strict=True))) == count


@pytest.mark.parametrize(
    ("graph", "error", "message"),
    [
        (np.ones((2, 3)), ValueError, "graph must be a square matrix of weights"),
        (np.full((2, 2), -1.0), ValueError, "at least 0"),
        (np.full((2, 2), np.nan), ValueError, "finite"),
        (np.full((2, 2), "a"), TypeError, "real numbers"),
    ],
)
def test_bad_input(graph, error, message):
    with pytest.raises(error, match=message):
        connected_components(graph)
