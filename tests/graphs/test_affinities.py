import numpy as np
import pytest

from holonomy.graphs import NeighborGraph, adaptive, alpha_decay, gaussian

KERNELS = [gaussian, adaptive, alpha_decay]


def dense(graph, weigh):
    """Oracle: the weights entry by entry, nan where neither end lists the other."""
    n = graph.n_points
    directed = np.zeros((n, n))
    for i in range(n):
        for j, d in zip(graph.indices[i], graph.distances[i].astype(float), strict=True):
            directed[i, j] = weigh(i, j, d)
    return directed


@pytest.mark.parametrize("kernel", KERNELS)
def test_form_of_the_result(knn, cloud, kernel):
    affinity = kernel(knn(cloud, 12))
    assert affinity.dtype == np.float64
    assert (affinity != affinity.T).nnz == 0
    assert affinity.diagonal().max() == 0
    assert affinity.has_canonical_format
    assert affinity.data.min() > 0
    assert affinity.data.max() <= 1


@pytest.mark.parametrize("kernel", KERNELS)
def test_scaling_and_permuting_the_points(knn, cloud, kernel):
    graph = knn(cloud, 12)
    expected = kernel(graph).toarray()
    scaled = NeighborGraph(graph.indices, graph.distances * np.float32(1024))
    np.testing.assert_allclose(kernel(scaled).toarray(), expected, rtol=1e-12)
    order = np.random.default_rng(0).permutation(len(cloud))
    permuted = NeighborGraph(np.argsort(order)[graph.indices[order]], graph.distances[order])
    np.testing.assert_array_equal(kernel(permuted).toarray(), expected[np.ix_(order, order)])


def test_gaussian_equals_the_formula(knn, cloud):
    graph = knn(cloud, 6)
    directed = dense(graph, lambda i, j, d: np.exp(-(d**2) / (2 * 1.5**2)))
    np.testing.assert_allclose(gaussian(graph, 1.5).toarray(), np.maximum(directed, directed.T))
    median = float(np.median(graph.distances.astype(float)))
    np.testing.assert_allclose(gaussian(graph).toarray(), gaussian(graph, median).toarray())


def test_adaptive_equals_the_formula(knn, cloud):
    graph = knn(cloud, 8)
    s = graph.distances[:, 4].astype(float)
    directed = dense(graph, lambda i, j, d: np.exp(-(d**2) / (s[i] * s[j])))
    np.testing.assert_allclose(adaptive(graph, neighbor=5).toarray(), np.maximum(directed, directed.T))


@pytest.mark.parametrize(
    ("symmetrization", "combine"),
    [("mean", lambda a, b: (a + b) / 2), ("product", lambda a, b: a * b), ("max", np.maximum)],
)
def test_alpha_decay_equals_the_formula(knn, cloud, symmetrization, combine):
    graph = knn(cloud, 20)
    s = graph.distances[:, 4].astype(float)
    directed = dense(graph, lambda i, j, d: np.exp(-((d / s[i]) ** 10)))
    directed[directed < 1e-3] = 0
    result = alpha_decay(graph, neighbor=5, decay=10, threshold=1e-3, symmetrization=symmetrization)
    np.testing.assert_allclose(result.toarray(), combine(directed, directed.T), rtol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_duplicates_are_alike_as_far_as_they_list_each_other(knn, kernel):
    rng = np.random.default_rng(0)
    points = np.vstack([rng.normal(size=(40, 2)), np.repeat(rng.normal(size=(1, 2)), 25, axis=0)])
    affinity = kernel(knn(points, 10))
    assert np.isfinite(affinity.data).all()
    duplicates = affinity[40:][:, 40:]
    assert set(duplicates.data) <= {1.0, 0.5 if kernel is alpha_decay else 1.0}
    assert duplicates.nnz >= 25 * 10


@pytest.mark.parametrize("kernel", KERNELS)
def test_points_that_all_coincide(knn, kernel):
    assert set(kernel(knn(np.zeros((12, 3)), 11)).data) == {1.0}


@pytest.mark.parametrize("kernel", KERNELS)
def test_missing_neighbours_have_no_edge(knn, cloud, kernel):
    graph = knn(cloud, 10)
    distances = graph.distances.copy()
    distances[3] = np.inf
    distances[5, 2:] = np.inf
    affinity = kernel(NeighborGraph(graph.indices, distances))
    assert np.isfinite(affinity.data).all()
    lists_three = [i for i in range(300) if i != 3 and 3 in graph.indices[i][np.isfinite(distances[i])]]
    assert set(affinity[[3]].indices) <= set(lists_three)


def test_huge_ratios_of_distances_do_not_overflow():
    graph = NeighborGraph(np.array([[1, 2], [0, 2], [0, 1]]), np.array([[1e-20, 1e18], [1e-20, 1e18], [1e18, 1e18]]))
    affinity = alpha_decay(graph, neighbor=1)
    assert np.isfinite(affinity.data).all()
    assert affinity[0, 1] == pytest.approx(np.exp(-1))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda g: gaussian(g, 0.0), ValueError, "bandwidth must be positive"),
        (lambda g: gaussian(g, "mean"), ValueError, "bandwidth must be one of 'median'"),
        (lambda g: gaussian(g.indices), TypeError, "graph must be a NeighborGraph"),
        (lambda g: adaptive(g, neighbor=0), ValueError, "neighbor must be at least 1"),
        (lambda g: adaptive(g, neighbor=9), ValueError, "neighbor=9 asks for .* graph lists only 6"),
        (lambda g: alpha_decay(g, neighbor=9), ValueError, "build it with more neighbours"),
        (lambda g: alpha_decay(g, decay=0), ValueError, "decay must be positive"),
        (lambda g: alpha_decay(g, threshold=1.0), ValueError, "threshold must be below 1"),
        (lambda g: alpha_decay(g, symmetrization="+"), ValueError, "symmetrization must be one of"),
    ],
)
def test_bad_input(knn, cloud, call, error, message):
    with pytest.raises(error, match=message):
        call(knn(cloud, 6))
