import itertools

import networkx
import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist

from holonomy._core.parallel import threads
from holonomy.graphs import NeighborGraph, NeighborIndex, extend_geodesics, geodesic_path, geodesics


def circle(n):
    angles = 2 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(angles), np.sin(angles)])


def test_circle_has_its_closed_form(knn):
    n = 200
    steps = np.abs(np.arange(n)[:, None] - np.arange(n))
    steps = np.minimum(steps, n - steps)
    np.testing.assert_allclose(geodesics(knn(circle(n), 2)), steps * 2 * np.sin(np.pi / n), rtol=1e-6)


def test_equals_networkx(knn, cloud):
    graph = knn(cloud, 120)
    edges = networkx.Graph()
    for i in range(300):
        for j, d in zip(graph.indices[i], graph.distances[i], strict=True):
            edges.add_edge(i, int(j), weight=float(d))
    found = geodesics(graph, [5, 250])
    for row, source in zip(found, (5, 250), strict=True):
        expected = networkx.single_source_dijkstra_path_length(edges, source)
        np.testing.assert_allclose(row, [expected[j] for j in range(300)], rtol=1e-6)


def test_is_a_metric_that_no_chord_exceeds(knn, cloud):
    distances = geodesics(knn(cloud, 120))
    np.testing.assert_allclose(distances, distances.T, rtol=1e-12)
    assert (distances >= cdist(cloud, cloud) - 1e-5).all()
    assert (distances[:, None, 7] <= distances + distances[7] + 1e-9).all()


def test_duplicates_are_at_distance_zero(knn):
    points = np.vstack([circle(30), circle(30)])
    distances = geodesics(knn(points, 5))
    np.testing.assert_array_equal(distances[np.arange(30), np.arange(30) + 30], 0)


def test_matrix_of_lengths_with_a_stored_zero_and_an_infinite_edge():
    lengths = sparse.csr_array((np.array([0.0, 2.0, np.inf]), ([0, 1, 0], [1, 2, 3])), shape=(4, 4))
    np.testing.assert_array_equal(geodesics(lengths, [2], connect="inf"), [[2, 2, 0, np.inf]])


def test_limit(knn):
    distances = geodesics(knn(circle(100), 2), [0], limit=0.5)
    assert np.isinf(distances[0, 50])
    assert np.isfinite(distances[0, 5])


@pytest.fixture
def apart(knn):
    """Two circles of unequal size whose centres are five apart, and a pair of duplicates far away."""
    points = np.vstack([circle(40), circle(20) + np.array([5, 0]), np.repeat([[0.0, 11.0]], 2, axis=0)])
    graph = knn(points[:60], 2)
    indices = np.vstack([graph.indices, [[61, 0], [60, 0]]])
    distances = np.vstack([graph.distances, [[0, np.inf], [0, np.inf]]])
    return points, NeighborGraph(indices, distances)


def test_disconnected_graph_is_refused_with_remedies(apart):
    _, graph = apart
    with pytest.raises(ValueError, match=r"3 components .the smallest of 2 points.*more neighbours"):
        geodesics(graph)


def test_disconnected_components_may_stay_infinitely_far(apart):
    _, graph = apart
    distances = geodesics(graph, connect="inf")
    assert np.isinf(distances[0, 40:]).all()
    assert np.isfinite(distances[:40, :40]).all()
    assert distances[60, 61] == 0


def test_components_can_be_tied_by_their_nearest_points(apart):
    points, graph = apart
    distances = geodesics(graph, connect="nearest", X=points)
    assert distances[0, 50] == pytest.approx(3.0)
    assert distances[10, 60] == pytest.approx(10.0)
    assert distances[60, 61] == 0
    np.testing.assert_array_equal(distances[:40, :40], geodesics(graph, connect="inf")[:40, :40])
    sparse_points = sparse.csr_array(points)
    np.testing.assert_allclose(geodesics(graph, connect="nearest", X=sparse_points), distances, rtol=1e-6)


def test_all_pairs_of_many_points_need_sources():
    n = 5001
    ring = NeighborGraph(np.roll(np.arange(n), 1)[:, None], np.ones((n, 1)))
    with pytest.raises(ValueError, match=r"all pairs of 5001 would take 0\.2 GB"):
        geodesics(ring)
    assert geodesics(ring, [0]).shape == (1, n)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"sources": [60]}, ValueError, r"sources must lie in \[0, 60\)"),
        ({"sources": [-1]}, ValueError, "sources must lie in"),
        ({"sources": [0.5]}, TypeError, "sources must be integers"),
        ({"sources": []}, ValueError, "non-empty"),
        ({"limit": -1.0}, ValueError, "limit must be at least 0"),
        ({"limit": np.nan}, ValueError, "limit must be finite"),
        ({"connect": "mst"}, ValueError, "connect must be one of"),
        ({"graph": circle(3)}, TypeError, "graph must be a NeighborGraph"),
        ({"graph": sparse.csr_array(np.ones((2, 3)))}, ValueError, "square matrix of edge lengths"),
        ({"graph": sparse.csr_array([[0, -1.0], [0, 0]])}, ValueError, "edge lengths of at least 0"),
    ],
)
def test_bad_input(knn, arguments, error, message):
    with pytest.raises(error, match=message):
        geodesics(**{"graph": knn(circle(60), 2), **arguments})


def test_tying_needs_points_and_a_metric(apart):
    points, graph = apart
    with pytest.raises(ValueError, match="pass X="):
        geodesics(graph, connect="nearest")
    with pytest.raises(ValueError, match="X must hold the 62 points"):
        geodesics(graph, connect="nearest", X=points[:5])
    given = NeighborGraph(graph.indices, graph.distances, metric="minkowski")
    with pytest.raises(ValueError, match="without parameters, not 'minkowski'"):
        geodesics(given, connect="nearest", X=points)
    given = NeighborGraph(graph.indices, graph.distances, metric="precomputed")
    with pytest.raises(ValueError, match="must hold all distances between the 62 points"):
        geodesics(given, connect="nearest", X=points)
    tied = geodesics(given, connect="nearest", X=cdist(points, points))
    np.testing.assert_allclose(tied, geodesics(graph, connect="nearest", X=points), rtol=1e-6)


def test_matrix_of_lengths_is_walked_both_ways():
    lengths = sparse.csr_array((np.array([3.0, 4.0]), ([0, 2], [1, 1])), shape=(3, 3))
    np.testing.assert_array_equal(geodesics(lengths, [0]), [[0, 3, 7]])
    assert lengths.nnz == 2


def test_shortest_paths_are_paths_of_their_length(knn, cloud):
    graph = knn(cloud, 60)
    lengths = graph.to_csr()
    for stop in (3, 120, 299):
        path, length = geodesic_path(graph, 7, stop)
        assert (path[0], path[-1]) == (7, stop)
        steps = [max(lengths[i, j], lengths[j, i]) for i, j in itertools.pairwise(path)]
        assert min(steps) > 0
        assert sum(steps) == pytest.approx(length, rel=1e-6)
        assert length == geodesics(graph, [7])[0, stop]
    path, length = geodesic_path(graph, 7, 7)
    assert (path.tolist(), length) == ([7], 0.0)


def test_equal_paths_go_through_the_lowest_indices():
    square = sparse.csr_array(np.array([[0.0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]]))
    assert geodesic_path(square, 0, 3)[0].tolist() == [0, 1, 3]
    assert geodesic_path(square, 3, 0)[0].tolist() == [3, 1, 0]


def test_there_may_be_no_path(apart):
    _, graph = apart
    path, length = geodesic_path(graph, 0, 61, connect="inf")
    assert path.tolist() == []
    assert length == np.inf


def test_new_rows_continue_the_distances(knn):
    points = circle(400)
    known = geodesics(knn(points, 4), np.arange(0, 400, 40))
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 50)
    rows = np.column_stack([np.cos(angles), np.sin(angles)])
    indices, steps = NeighborIndex(points).query(rows, 3)
    found = extend_geodesics(indices, steps, known)
    gaps = np.abs(angles[:, None] - 2 * np.pi * np.arange(10) / 10)
    np.testing.assert_allclose(found, np.minimum(gaps, 2 * np.pi - gaps), atol=0.02)
    np.testing.assert_array_equal(extend_geodesics(indices[7:8], steps[7:8], known), found[7:8])


def test_points_themselves_keep_their_distances(knn, cloud):
    graph = knn(cloud, 80)
    known = geodesics(graph, [0, 100])
    own = np.column_stack([np.arange(300), graph.indices])
    found = extend_geodesics(own, np.column_stack([np.zeros(300), graph.distances]), known)
    np.testing.assert_allclose(found, known.T, rtol=1e-6)


def test_edges_listed_twice_in_a_matrix_count_by_the_shorter():
    lengths = sparse.csr_array((np.array([5.0, 1.0]), np.array([1, 1]), np.array([0, 2, 2])), shape=(2, 2))
    np.testing.assert_array_equal(geodesics(lengths, [1]), [[1.0, 0.0]])


def test_same_bits_for_any_number_of_threads(knn, cloud):
    results = []
    for count in (1, 2):
        with threads(count):
            results.append(geodesics(knn(cloud, 60)).tobytes())
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"indices": [[0, 1]]}, "must both have shape"),
        ({"indices": [[9]]}, r"indices must lie in \[0, 2\)"),
        ({"distances": [[-1.0]]}, "distances must be at least 0"),
        ({"known": [0.0, 1.0]}, r"known must have shape \(m, n\)"),
        ({"known": [[0.0, np.nan]]}, "known must be at least 0"),
    ],
)
def test_bad_extensions(arguments, message):
    with pytest.raises(ValueError, match=message):
        extend_geodesics(**{"indices": [[0]], "distances": [[1.0]], "known": [[0.0, 1.0]], **arguments})
