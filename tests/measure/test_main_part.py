import numpy as np

from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import Connectedness, connectedness
from holonomy.measure._main_part import dimensions_of_parts, graph_of_main_part, is_whole

X = np.array([[50.0], [0.0], [1.0], [52.0], [3.0], [53.0], [6.0]])


def test_the_graph_of_the_largest_part_is_that_of_its_points():
    graph = neighbors(X, 2)
    parts = connectedness(graph)
    found = graph_of_main_part(graph, parts)
    expected = neighbors(X[parts.labels == 0], 2)
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_array_equal(found.distances, expected.distances)
    assert not is_whole(parts)


def test_a_connected_graph_is_its_own_part():
    graph = neighbors(X[:, :] * 0.01, 4)
    assert graph_of_main_part(graph, connectedness(graph)) is graph


def test_places_beyond_reach_stay_there():
    indices = np.array([[1, 3], [0, 3], [1, 3], [4, 0], [3, 0]])
    distances = np.array([[1, np.inf], [1, np.inf], [2, np.inf], [1, np.inf], [1, np.inf]])
    graph = NeighborGraph(indices, distances)
    found = graph_of_main_part(graph, connectedness(graph))
    assert found.n_points == 3
    assert found.indices[:, 0].tolist() == [1, 0, 1]
    assert np.isinf(found.distances[:, 1]).all()


def test_dimensions_by_part_of_those_with_enough_points():
    labels = np.repeat([0, 1, 2], [30, 25, 2])
    parts = Connectedness(3, np.bincount(labels), labels, 5)
    local = np.r_[np.tile([1.0, 2.0], 15), np.full(24, 3.0), np.nan, 5, 5]
    np.testing.assert_allclose(dimensions_of_parts(parts, local), [4 / 3, 3])
