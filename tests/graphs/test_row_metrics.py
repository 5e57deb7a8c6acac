"""Metrics by whole rows: agreement with SciPy, umap-learn's library and POT, scales of all points, and bad input."""

import numpy as np
import pytest
from scipy import sparse, stats
from scipy.spatial.distance import cdist

from holonomy.graphs import NeighborIndex, neighbors
from holonomy.graphs._row_metrics import BOOLEAN_METRICS, row_distances

BOOLEAN = sorted(BOOLEAN_METRICS)


@pytest.fixture(scope="module")
def counts():
    return np.random.default_rng(0).poisson(1.5, size=(40, 12)).astype(float) + np.eye(40, 12)


def all_distances(metric, X, parameters=None):
    """Return all distances (n, n) as neighbour search gives them, by the order of the points."""
    indices, distances = NeighborIndex(X, metric=metric, metric_params=parameters).query(X, X.shape[0])
    result = np.empty(indices.shape)
    np.put_along_axis(result, indices.astype(int), distances, axis=1)
    return result


@pytest.mark.parametrize("metric", ["dice", "jaccard", "rogerstanimoto", "russellrao", "sokalsneath", "yule"])
def test_set_metrics_equal_scipy(counts, metric):
    expected = cdist(counts > 0, counts > 0, metric)
    np.testing.assert_allclose(all_distances(metric, counts), expected, rtol=1e-6)


@pytest.mark.parametrize("metric", BOOLEAN)
def test_set_metrics_of_sparse_rows_equal_those_of_dense_ones(counts, metric, monkeypatch):
    dense = neighbors(counts, 6, metric=metric)
    monkeypatch.setattr("holonomy.graphs.search.DENSE_ENTRIES", 10)
    large = neighbors(sparse.csr_matrix(counts), 6, metric=metric)
    np.testing.assert_array_equal(large.indices, dense.indices)
    np.testing.assert_array_equal(large.distances, dense.distances)


@pytest.mark.parametrize("metric", ["cosine", "hellinger", "jaccard"])
def test_few_rows_are_asked_of_many_sparse_ones(counts, metric, monkeypatch):
    expected = NeighborIndex(counts, metric=metric).query(counts[:3] + 1, 5)
    monkeypatch.setattr("holonomy.graphs.search.DENSE_ENTRIES", 100)
    index = NeighborIndex(sparse.csr_matrix(counts), metric=metric)
    for rows in (counts[:3] + 1, sparse.csr_matrix(counts[:3] + 1)):
        for found, known in zip(index.query(rows, 5), expected, strict=True):
            np.testing.assert_allclose(found, known, atol=1e-6)


DEFINITIONS = {
    "hellinger": lambda x, y: np.sqrt(max(1 - np.sqrt(x * y).sum() / np.sqrt(x.sum() * y.sum()), 0)),
    "matching": lambda x, y: np.mean((x > 0) != (y > 0)),
    "sokalmichener": lambda x, y: 2 * np.sum((x > 0) != (y > 0)) / (12 + np.sum((x > 0) != (y > 0))),
    "spearmanr": lambda x, y: 1 - stats.spearmanr(x, y).statistic,
    "symmetric_kl": lambda x, y: (stats.entropy(x + 1e-11, y + 1e-11) + stats.entropy(y + 1e-11, x + 1e-11)) / 2,
    "wasserstein_1d": lambda x, y: stats.wasserstein_distance(range(12), range(12), x, y),
}


@pytest.mark.parametrize("metric", sorted(DEFINITIONS))
def test_metrics_equal_their_definitions(counts, metric):
    X = counts[:15]
    expected = [[DEFINITIONS[metric](x, y) for y in X] for x in X]
    np.testing.assert_allclose(all_distances(metric, X), expected, rtol=1e-5, atol=5e-4)


def test_kulsinski_and_dirichlet_likelihood_equal_umap_learn():
    # As umap.distances gives them; its beta function is approximate, to three digits here.
    X = np.array([[3.0, 0.0, 5.0, 1.0], [2.0, 2.0, 0.0, 4.0], [0.0, 7.0, 6.0, 0.0]])
    np.testing.assert_allclose(all_distances("kulsinski", X)[0, 1:], [2 / 3, 6 / 7], rtol=1e-6)
    np.testing.assert_allclose(all_distances("ll_dirichlet", X)[0, 1:], [1.11712, 1.05418], rtol=1e-3)


def test_poincare_distance_from_the_centre_is_its_closed_form():
    X = np.array([[0.0, 0.0], [0.5, 0.0], [0.0, -0.9]])
    np.testing.assert_allclose(all_distances("poincare", X)[0], 2 * np.arctanh([0, 0.5, 0.9]), rtol=1e-6)


def test_transport_with_the_cost_of_a_line_is_the_distance_over_the_line(counts):
    place = np.arange(12.0)
    cost = {"cost": np.abs(place[:, None] - place)}
    line = all_distances("wasserstein_1d", counts[:5])
    np.testing.assert_allclose(all_distances("wasserstein", counts[:5], cost), line, atol=1e-6)
    found = all_distances("sinkhorn", counts[:3], {**cost, "regularization": 2.0})
    p, q, kernel = counts[0] / counts[0].sum(), counts[1] / counts[1].sum(), np.exp(-cost["cost"] / 2)
    left = np.ones(12)
    for _ in range(2000):
        left = p / (kernel @ (q / (kernel.T @ left)))
    plan = left[:, None] * kernel * (q / (kernel.T @ left))
    np.testing.assert_allclose(found[0, 1], (plan * cost["cost"]).sum(), rtol=1e-5)
    np.testing.assert_allclose(found, found.T, rtol=1e-5)


def test_rows_that_hold_nothing_are_far_from_all_others(counts):
    X = np.vstack([counts, np.zeros((2, 12))])
    found = all_distances("hellinger", X)
    np.testing.assert_array_equal(found[-1], [1.0] * 40 + [0.0] * 2)
    np.testing.assert_allclose(found[:40, :40], all_distances("hellinger", counts), atol=2e-4)
    for metric in ("cosine", "hellinger"):
        assert (NeighborIndex(counts, metric=metric).query(np.zeros((1, 12)), 3)[1] == 1).all()


@pytest.mark.parametrize("metric", ["seuclidean", "mahalanobis"])
def test_scales_are_those_of_all_points_whatever_rows_are_asked_together(counts, metric):
    scale = {"V": counts.var(axis=0, ddof=1)} if metric == "seuclidean" else {"VI": np.linalg.inv(np.cov(counts.T))}
    np.testing.assert_allclose(all_distances(metric, counts), cdist(counts, counts, metric, **scale), rtol=1e-5)
    index = NeighborIndex(counts, metric=metric)
    np.testing.assert_array_equal(index.query(counts[:1] + 9, 5)[1], index.query(counts + 9, 5)[1][:1])
    constant = np.column_stack([counts, np.ones(40)])
    np.testing.assert_allclose(all_distances(metric, constant), all_distances(metric, counts), atol=1e-5)


def test_other_names_mean_the_same(counts):
    for name, known in (("taxicab", "manhattan"), ("linfty", "chebyshev"), ("standardised_euclidean", "seuclidean")):
        one, two = (neighbors(counts, 4, metric=metric) for metric in (name, known))
        np.testing.assert_array_equal(one.indices, two.indices)
    weights = {"w": np.arange(1.0, 13.0), "p": 3}
    expected = cdist(counts, counts, "minkowski", **weights)
    np.testing.assert_allclose(all_distances("wminkowski", counts, weights), expected, rtol=1e-5)


def test_approximate_search_knows_metrics_of_histograms():
    rng = np.random.default_rng(0)
    X = np.exp(rng.normal(size=(3000, 3)) @ rng.normal(size=(3, 20)) / 3).astype(np.float32)
    graph = neighbors(X, 10, metric="hellinger", method="approximate")
    assert graph.recall >= 0.98
    np.testing.assert_allclose(
        graph.distances[0], row_distances("hellinger", X, {})(X[:1], X[graph.indices[0]])[0], atol=2e-4
    )


@pytest.mark.parametrize(
    ("metric", "X", "parameters", "message"),
    [
        ("hellinger", [[1.0, -1.0], [2.0, 3.0]], {}, "negative values"),
        ("wasserstein_1d", [[1.0, 1.0], [0.0, 0.0]], {}, "all 0"),
        ("poincare", [[1.0, 1.0], [0.0, 0.0]], {}, "length below 1"),
        ("wasserstein", [[1.0, 1.0], [0.0, 1.0]], {}, "needs the cost"),
        ("sinkhorn", [[1.0, 1.0], [0.0, 1.0]], {"cost": [[1.0]]}, r"cost must be a \(2, 2\) array"),
        ("sinkhorn", [[1.0, 1.0], [0.0, 1.0]], {"cost": np.full((2, 2), 1e5)}, "too small"),
        ("sinkhorn", [[1.0, 1.0], [0.0, 1.0]], {"cost": np.eye(2), "regularization": -1}, "regularization must be"),
    ],
)
def test_bad_rows_and_parameters_are_named(metric, X, parameters, message):
    with pytest.raises(ValueError, match=message):
        neighbors(np.array(X), 1, metric=metric, metric_params=parameters)


def test_sparse_rows_too_many_to_be_made_dense_are_refused(monkeypatch):
    monkeypatch.setenv("HOLONOMY_MEMORY_LIMIT", "1MiB")
    with pytest.raises(MemoryError, match="leave them sparse"):
        neighbors(sparse.csr_matrix((1000, 5000)), 3, metric="canberra")
