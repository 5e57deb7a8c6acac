import numpy as np
import pytest

from holonomy.graphs import NeighborGraph, farthest_points, geodesics


def line(n):
    return np.arange(float(n))[:, None]


def test_landmarks_are_spread_and_nested(knn, cloud):
    graph = knn(cloud, 80)
    found = farthest_points(graph, 20)
    np.testing.assert_array_equal(found.distances, geodesics(graph, found.indices))
    assert len(set(found.indices)) == 20
    assert (np.diff(found.gaps) <= 0).all()
    assert found.gaps[0] == np.inf
    for j in range(1, 20):
        before = found.distances[:j].min(axis=0)
        assert found.indices[j] == np.argmax(before)
        assert found.gaps[j] == before.max()
    assert found.radius == found.distances.min(axis=0).max()
    np.testing.assert_array_equal(farthest_points(graph, 7).indices, found.indices[:7])


def test_line_starts_at_an_end_and_halves(knn):
    assert farthest_points(knn(line(17), 2), 5).indices.tolist() == [16, 0, 8, 4, 12]
    assert farthest_points(knn(line(17), 2), 3, start=5).indices.tolist() == [5, 16, 0]


def test_radius_is_at_most_twice_the_best(knn):
    found = farthest_points(knn(line(30), 2), 3)
    assert found.radius <= 2 * 5


def test_every_component_gets_a_landmark_first(knn):
    points = np.vstack([line(20), 100 + line(9), 1000 + line(9)])
    graph = knn(points, 2)
    found = farthest_points(graph, 6, connect="inf")
    assert set(np.searchsorted([20, 29], found.indices[:3], side="right")) == {0, 1, 2}
    assert np.isinf(found.gaps[:3]).all()
    assert np.isfinite(found.gaps[3:]).all()
    assert np.isfinite(found.radius)
    assert np.isinf(farthest_points(graph, 2, connect="inf").radius)
    tied = farthest_points(graph, 6, connect="nearest", X=points)
    assert np.isfinite(tied.distances).all()
    with pytest.raises(ValueError, match="falls into 3 components"):
        farthest_points(graph, 6)


def test_duplicates_need_no_landmarks_of_their_own(knn):
    points = np.repeat(line(3), 4, axis=0)
    found = farthest_points(knn(points, 5), 10)
    assert len(found.indices) == 3
    assert found.radius == 0


def test_new_rows_are_measured_through_their_neighbours(knn):
    found = farthest_points(knn(line(9), 2), 2)
    np.testing.assert_allclose(found.extend([[2, 3]], [[0.3, 0.7]]), [[5.7, 2.3]])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_landmarks": 0}, ValueError, "n_landmarks must be in"),
        ({"n_landmarks": 10}, ValueError, "n_landmarks must be in"),
        ({"start": 9}, ValueError, "start must be in"),
        ({"start": 0.5}, TypeError, "start must be an integer"),
        ({"connect": "mst"}, ValueError, "connect must be one of"),
        ({"graph": line(3)}, TypeError, "graph must be a NeighborGraph"),
    ],
)
def test_bad_input(knn, arguments, error, message):
    graph = knn(line(9), 2)
    assert isinstance(graph, NeighborGraph)
    with pytest.raises(error, match=message):
        farthest_points(**{"graph": graph, "n_landmarks": 2, **arguments})
