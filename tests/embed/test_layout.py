"""The layout: forces, sampling, threads, and what it minimises."""

import numba
import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.datasets import load_digits

from holonomy.embed import UMAP, LayoutOptions, fit_curve, optimize_layout
from holonomy.embed._layout_kernels import power, scramble
from holonomy.embed.layout import edge_rates, place_points, row_keys
from holonomy.graphs import fuzzy_simplicial_set, neighbors

A, B = fit_curve()


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    centres = rng.normal(scale=6, size=(4, 8))
    labels = np.repeat(np.arange(4), 75)
    X = centres[labels] + rng.normal(size=(300, 8))
    return fuzzy_simplicial_set(neighbors(X, 10)), rng.uniform(0, 10, size=(300, 2)), labels


def pair(weight=1.0):
    return sparse.csr_array(np.array([[0, weight], [weight, 0]], dtype=np.float32))


def cross_entropy(graph, Z):
    """Negative-sampling objective of the layout, per unit of membership."""
    coo = graph.tocoo()
    d2 = ((Z[coo.row] - Z[coo.col]) ** 2).sum(axis=1).astype(np.float64)
    attraction = -(coo.data * np.log(1 / (1 + A * d2**B))).sum()
    squared = ((Z[:, None] - Z[None]) ** 2).sum(axis=-1).astype(np.float64)
    apart = 1 - 1 / (1 + A * squared[~np.eye(len(Z), dtype=bool)] ** B)
    return attraction / coo.data.sum() - 5 * np.log(np.maximum(apart, 1e-4)).mean()


def test_power_is_accurate_to_single_precision():
    compiled = numba.vectorize(lambda x, e: power(x, e))
    x = np.geomspace(1e-12, 1e8, 20_000).astype(np.float32)
    for exponent in (0.3, 0.895, 1.0, 1.7):
        e = np.float32(exponent)
        expected = x.astype(np.float64) ** np.float64(e)
        np.testing.assert_allclose(compiled(x, e), expected, rtol=1e-5)


def test_random_numbers_are_uniform_and_uncorrelated():
    compiled = numba.vectorize(lambda h: np.uint32(scramble(h)))
    numbers = compiled(np.arange(100_000, dtype=np.uint32))
    counts = np.bincount((numbers.astype(np.uint64) * 100 >> np.uint64(32)).astype(int), minlength=100)
    assert ((counts - 1000) ** 2 / 1000).sum() < 150  # chi-square, 99 degrees of freedom: p = 0.0007
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.01


def test_edges_are_sampled_in_proportion_to_their_weight():
    rates = edge_rates(pair(0.25), 1.0)
    epochs = np.arange(1, 401, dtype=np.uint32)
    assert (epochs * rates[0] < rates[0]).sum() == 100


def test_an_edge_attracts_and_random_points_repel():
    start = np.array([[0.0, 0.0], [5.0, 0.0]])
    without = LayoutOptions(A, B, n_epochs=100, negative_sample_rate=0)
    pulled = optimize_layout(pair(), start, without, random_state=0)
    assert np.linalg.norm(pulled[0] - pulled[1]) < 0.5
    empty = sparse.csr_array((2, 2), dtype=np.float32)
    np.testing.assert_array_equal(optimize_layout(empty, start, without, random_state=0), start)


def test_one_step_is_the_gradient_of_the_cross_entropy():
    start = np.array([[0.0, 0.0], [1.5, 2.0]])
    options = LayoutOptions(A, B, n_epochs=2, learning_rate=1e-3, negative_sample_rate=0)
    moved = optimize_layout(pair(), start, options, random_state=0)
    eps = 1e-6
    gradient = np.zeros(2)
    for axis in range(2):
        shifted = [start[0] + sign * eps * np.eye(2)[axis] for sign in (1, -1)]
        loss = [np.log1p(A * np.sum((p - start[1]) ** 2) ** B) for p in shifted]
        gradient[axis] = (loss[0] - loss[1]) / (2 * eps)
    # The edge is first sampled in the second epoch, at half the step, once from each of its ends.
    np.testing.assert_allclose(moved[0] - start[0], -2 * 0.5e-3 * gradient, rtol=1e-3)


def test_pulls_keep_the_centre_of_every_part():
    rng = np.random.default_rng(3)
    start = rng.uniform(0, 10, size=(400, 2))
    parts = np.repeat([0, 1], 200)
    X = rng.normal(size=(400, 4)) + 100 * parts[:, None]
    graph = fuzzy_simplicial_set(neighbors(X, 8))
    Z = optimize_layout(graph, start, LayoutOptions(A, B, n_epochs=100, negative_sample_rate=0), random_state=0)
    for part in (0, 1):
        np.testing.assert_allclose(Z[parts == part].mean(axis=0), start[parts == part].mean(axis=0), atol=1e-3)
        assert Z[parts == part].std() < 0.1 * start.std()


@numba.njit
def edge_by_edge(Z, indptr, indices, weights, n_epochs, rng):
    """Move a map (n, 2) in place by the published loop: one edge after another, each followed by its negatives."""
    for epoch in range(n_epochs):
        step = 1 - epoch / n_epochs
        for i in range(len(Z)):
            for e in range(indptr[i], indptr[i + 1]):
                if np.floor((epoch + 1) * weights[e]) == np.floor(epoch * weights[e]):
                    continue
                for draw in range(6):
                    j = indices[e] if draw == 0 else rng.integers(0, len(Z))
                    x, y = Z[i, 0] - Z[j, 0], Z[i, 1] - Z[j, 1]
                    d2 = x * x + y * y
                    if d2 == 0:
                        continue
                    p = A * d2**B
                    c = -2 * B * p / (d2 * (1 + p)) if draw == 0 else 2 * B / ((0.001 + d2) * (1 + p))
                    x, y = step * min(max(c * x, -4), 4), step * min(max(c * y, -4), 4)
                    Z[i, 0] += x
                    Z[i, 1] += y
                    if draw == 0:
                        Z[j, 0] -= x
                        Z[j, 1] -= y


@pytest.mark.slow
def test_large_scale_order_survives_as_if_edges_were_taken_one_by_one():
    X, y = load_digits(return_X_y=True)
    graph = fuzzy_simplicial_set(neighbors(X, 14))
    start = UMAP(n_epochs=1, learning_rate=1e-9, random_state=0).fit_transform(X)

    def order(Z):
        return spearmanr(*(pdist([part[y == k].mean(axis=0) for k in range(10)]) for part in (X, Z))).statistic

    ours, theirs = [], []
    for seed in range(5):
        ours.append(order(optimize_layout(graph, start, LayoutOptions(A, B, n_epochs=500), random_state=seed)))
        sequential = start.astype(np.float64)
        edge_by_edge(
            sequential, graph.indptr, graph.indices, graph.data / graph.data.max(), 500, np.random.default_rng(seed)
        )
        theirs.append(order(sequential))
    assert np.mean(ours) > np.mean(theirs) - 0.1  # standard error of the difference: 0.03


def test_layout_lowers_the_cross_entropy_and_separates_clusters(problem):
    graph, start, labels = problem
    Z = optimize_layout(graph, start, LayoutOptions(A, B, n_epochs=300), random_state=0)
    assert cross_entropy(graph, Z) < 0.6 * cross_entropy(graph, start)
    centres = np.stack([Z[labels == c].mean(axis=0) for c in range(4)])
    assert (np.argmin(((Z[:, None] - centres) ** 2).sum(axis=-1), axis=1) == labels).mean() > 0.98


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_same_bits_for_any_number_of_threads(problem, dim):
    graph, _, _ = problem
    start = np.random.default_rng(1).normal(size=(300, dim))
    runs = [
        optimize_layout(graph, start, LayoutOptions(A, B, n_epochs=30, n_jobs=jobs), random_state=3)
        for jobs in (1, 2, 5)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[0], runs[2])
    assert runs[0].shape == (300, dim)


def test_seeds_differ_and_the_start_is_kept(problem):
    graph, start, _ = problem
    kept = start.copy()
    one, two = (optimize_layout(graph, start, LayoutOptions(A, B, n_epochs=20), random_state=s) for s in (1, 2))
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(start, kept)


def test_coinciding_points_stay_finite():
    Z = optimize_layout(pair(), np.zeros((2, 2)), LayoutOptions(A, B, n_epochs=50), random_state=0)
    assert np.isfinite(Z).all()


def test_new_points_are_placed_each_by_itself(problem):
    _, reference, _ = problem
    rng = np.random.default_rng(2)
    indices = np.sort(rng.permuted(np.tile(np.arange(300), (20, 1)), axis=1)[:, :5], axis=1)
    distances = np.sort(rng.random((20, 5)), axis=1)
    memberships = np.exp(-distances).astype(np.float32)
    start = rng.uniform(0, 10, size=(20, 2))

    def place(rows):
        edges = sparse.csr_array(
            (memberships[rows].ravel(), indices[rows].ravel(), np.arange(0, 5 * len(rows) + 1, 5)),
            shape=(len(rows), 300),
        )
        keys = row_keys(indices[rows], distances[rows], 0)
        return place_points(edges, start[rows], reference, LayoutOptions(A, B, n_epochs=40), keys)

    together = place(np.arange(20))
    np.testing.assert_array_equal(place(np.array([7])), together[7:8])
    np.testing.assert_array_equal(place(np.arange(20)[::-1]), together[::-1])


def test_bad_input_is_named(problem):
    graph, start, _ = problem
    with pytest.raises(ValueError, match="graph must have shape"):
        optimize_layout(graph, start[:10], LayoutOptions(A, B, n_epochs=5))
    with pytest.raises(ValueError, match="start contains NaN"):
        optimize_layout(graph, np.full((300, 2), np.nan), LayoutOptions(A, B, n_epochs=5))
