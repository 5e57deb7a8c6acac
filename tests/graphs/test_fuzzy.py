import numpy as np
import pytest
import umap.umap_ as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from holonomy._core.parallel import threads
from holonomy.graphs import NeighborGraph, fuzzy_simplicial_set, smooth_neighbor_distances
from holonomy.graphs.fuzzy import query_memberships


def with_self(graph):
    """The neighbour arrays as umap-learn wants them: every point first in its own row."""
    n = graph.n_points
    indices = np.column_stack([np.arange(n), graph.indices])
    distances = np.column_stack([np.zeros(n, np.float32), graph.distances])
    return indices, distances


def reference_set(graph, **parameters):
    indices, distances = with_self(graph)
    return reference.fuzzy_simplicial_set(
        np.empty((graph.n_points, 1)), indices.shape[1], None, "euclidean",
        knn_indices=indices, knn_dists=distances, **parameters,
    )  # fmt: skip


@pytest.mark.parametrize("connectivity", [0.0, 0.5, 1.0, 1.7, 3.0, 40.0])
@pytest.mark.parametrize("mix", [0.0, 0.5, 1.0])
def test_equals_umap_learn(knn, cloud, connectivity, mix):
    graph = knn(cloud, 14)
    ours = fuzzy_simplicial_set(graph, local_connectivity=connectivity, set_op_mix_ratio=mix)
    theirs, _, _ = reference_set(graph, local_connectivity=connectivity, set_op_mix_ratio=mix)
    # umap-learn stops its bisection at 1e-5 from the mass, which moves no membership by more.
    assert abs(ours - theirs).max() < 2e-5


@pytest.mark.parametrize("k", [2, 5, 15, 30])
def test_scales_equal_umap_learn(knn, cloud, k):
    graph = knn(cloud, k)
    sigmas, rhos = smooth_neighbor_distances(graph, bandwidth=0.9)
    expected_sigmas, expected_rhos = reference.smooth_knn_dist(with_self(graph)[1], k + 1.0, bandwidth=0.9)
    np.testing.assert_array_equal(rhos, expected_rhos)
    np.testing.assert_allclose(sigmas, expected_sigmas, rtol=2e-4)


@pytest.mark.parametrize("copies", [2, 4, 12, 40])
def test_duplicates_equal_umap_learn(knn, copies):
    rng = np.random.default_rng(1)
    points = np.vstack([rng.normal(size=(60, 3)), np.repeat(rng.normal(size=(2, 3)), copies, axis=0)])
    graph = knn(points, 14)
    theirs, expected_sigmas, expected_rhos = reference_set(graph)
    assert abs(fuzzy_simplicial_set(graph) - theirs).max() < 2e-5
    sigmas, rhos = smooth_neighbor_distances(graph)
    np.testing.assert_array_equal(rhos, expected_rhos)
    np.testing.assert_allclose(sigmas, expected_sigmas, rtol=2e-4)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(2, 40), power=st.integers(-12, 12))
def test_memberships_of_a_row_sum_to_the_logarithm_of_its_size(seed, k, power):
    rng = np.random.default_rng(seed)
    distances = np.sort(rng.gamma(2.0, size=(20, k)) * 10.0**power, axis=1).astype(np.float32)
    indices = (np.arange(20)[:, None] + np.arange(1, k + 1)) % 50
    graph = NeighborGraph(np.vstack([indices, (np.arange(20, 50)[:, None] + np.arange(1, k + 1)) % 50]),
                          np.vstack([distances, np.tile(distances[:1], (30, 1))]))  # fmt: skip
    sigmas, rhos = (values[:, None].astype(float) for values in smooth_neighbor_distances(graph))
    memberships = np.exp(-np.maximum(0, graph.distances - rhos) / sigmas)
    floored = sigmas[:, 0] <= 1.0001e-3 * graph.distances.mean(axis=1)
    np.testing.assert_allclose(memberships.sum(axis=1)[~floored], np.log2(k + 1), rtol=1e-5)


def test_result_is_symmetric_canonical_and_in_the_unit_interval(knn, cloud):
    for mix in (0.0, 0.3, 1.0):
        affinity = fuzzy_simplicial_set(knn(cloud, 14), set_op_mix_ratio=mix)
        assert (affinity != affinity.T).nnz == 0
        assert affinity.dtype == np.float32
        assert affinity.diagonal().max() == 0
        assert affinity.data.min() > 0
        assert affinity.data.max() <= 1
        inside = np.diff(affinity.indptr) > 0
        rising = np.diff(affinity.indices) > 0
        rising[affinity.indptr[1:-1][inside[:-1]] - 1] = True
        assert rising.all()


def test_scaling_the_distances_changes_nothing(knn, cloud):
    graph = knn(cloud, 14)
    scaled = NeighborGraph(graph.indices, graph.distances * np.float32(2**20))
    assert abs(fuzzy_simplicial_set(graph) - fuzzy_simplicial_set(scaled)).max() < 1e-6


def test_permuting_the_points_permutes_the_set_exactly(knn, cloud):
    graph = knn(cloud, 14)
    order = np.random.default_rng(0).permutation(graph.n_points)
    place = np.argsort(order)
    permuted = NeighborGraph(place[graph.indices[order]], graph.distances[order])
    expected = fuzzy_simplicial_set(graph)[order][:, order]
    assert (fuzzy_simplicial_set(permuted) != expected).nnz == 0


def test_same_bits_for_any_number_of_threads(knn):
    graph = knn(np.random.default_rng(3).normal(size=(9000, 2)), 6)
    with threads(1):
        one = fuzzy_simplicial_set(graph)
    with threads(2):
        two = fuzzy_simplicial_set(graph)
    assert one.data.tobytes() == two.data.tobytes()
    assert one.indices.tobytes() == two.indices.tobytes()


def test_missing_neighbours_are_ignored(knn, cloud):
    full = knn(cloud, 14)
    distances = full.distances.copy()
    indices = full.indices.copy()
    distances[:50, 8:] = np.inf
    distances[7] = np.inf
    indices[:50, 8:] = indices[:50, :1]  # any index may stand where there is no neighbour
    graph = NeighborGraph(indices, distances)
    sigmas, rhos = smooth_neighbor_distances(graph)
    affinity = fuzzy_simplicial_set(graph)
    assert np.isfinite(sigmas).all()
    assert rhos[7] == 0
    memberships = np.exp(-np.maximum(0, distances[0, :8] - rhos[0]) / sigmas[0])
    assert memberships.sum() == pytest.approx(np.log2(15), abs=1e-5)
    assert np.isfinite(affinity.data).all()
    listing = [row for row in range(300) if 7 in full.indices[row][np.isfinite(distances[row])]]
    assert sorted(affinity[[7]].indices) == listing


def test_rows_with_too_few_neighbours_count_them_fully(knn, cloud):
    graph = knn(cloud, 14)
    distances = graph.distances.copy()
    distances[:, 2:] = np.inf
    sigmas, _ = smooth_neighbor_distances(NeighborGraph(graph.indices, distances))
    assert np.isinf(sigmas).all()
    assert set(fuzzy_simplicial_set(NeighborGraph(graph.indices, distances)).data) == {1.0}


def test_points_that_all_coincide_are_fully_connected(knn):
    affinity = fuzzy_simplicial_set(knn(np.ones((20, 2)), 5))
    assert set(affinity.data) == {1.0}


def test_queries_equal_umap_learn(cloud, knn):
    distances = np.sort(np.abs(np.random.default_rng(2).normal(size=(50, 15))), axis=1).astype(np.float32)
    sigmas, rhos = reference.smooth_knn_dist(distances, 15.0, local_connectivity=0.0)
    indices = np.tile(np.arange(15), (50, 1))
    _, _, expected, _ = reference.compute_membership_strengths(indices, distances, sigmas, rhos, bipartite=True)
    ours = query_memberships(distances)
    np.testing.assert_allclose(ours.ravel(), expected, atol=2e-5)
    np.testing.assert_array_equal(ours[20:21], query_memberships(distances[20:21]))


def test_queries_on_top_of_a_reference_point_and_without_neighbours():
    memberships = query_memberships([[0.0, 0.0, 0.0, 0.0, 5.0], [np.inf] * 5])
    np.testing.assert_array_equal(memberships, [[1, 1, 1, 1, 0], [0, 0, 0, 0, 0]])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"local_connectivity": -1.0}, "local_connectivity must be at least 0"),
        ({"local_connectivity": np.nan}, "local_connectivity must be finite"),
        ({"set_op_mix_ratio": 1.5}, r"set_op_mix_ratio must be in \[0.0, 1.0\]"),
    ],
)
def test_parameters_out_of_range(knn, cloud, parameters, message):
    with pytest.raises(ValueError, match=message):
        fuzzy_simplicial_set(knn(cloud, 5), **parameters)


def test_bad_graphs(knn, cloud):
    with pytest.raises(TypeError, match=r"graph must be a NeighborGraph, as neighbors\(X\) returns, got ndarray"):
        fuzzy_simplicial_set(cloud)
    with pytest.raises(ValueError, match="at least one point and one neighbour"):
        smooth_neighbor_distances(NeighborGraph(np.empty((0, 3), int), np.empty((0, 3))))
    with pytest.raises(ValueError, match="bandwidth must be positive"):
        smooth_neighbor_distances(knn(cloud, 5), bandwidth=0.0)
    twice = NeighborGraph(np.array([[1, 2], [0, 2], [1, 1]]), np.ones((3, 2)))
    with pytest.raises(ValueError, match="neighbour 1 of point 2 more than once"):
        fuzzy_simplicial_set(twice)


@pytest.mark.parametrize(
    ("distances", "message"),
    [([1.0, 2.0], "shape"), ([[2.0, 1.0]], "ascending"), ([[-1.0, 1.0]], "non-negative"), ([[np.nan]], "NaN")],
)
def test_bad_query_distances(distances, message):
    with pytest.raises(ValueError, match=message):
        query_memberships(distances)
