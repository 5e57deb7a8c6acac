"""Ranks against a plain sort of the full distance matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.spatial.distance import cdist

from holonomy.measure._ranks import count_nearer


def sorted_counts(distances, targets, rows, columns):
    """For each target, how many columns come before it in the order by (distance, index)."""
    counts = np.empty(targets.shape, dtype=int)
    for r, i in enumerate(rows):
        for t, j in enumerate(targets[r]):
            before = [(distances[i, c], c) < (distances[i, j], j) for c in columns if c not in (i, j)]
            counts[r, t] = sum(before)
    return counts


def random_targets(rng, n, k, rows):
    return np.array([rng.choice(np.delete(np.arange(n), i), k, replace=False) for i in rows])


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(4, 40),
    d=st.integers(1, 9),
    levels=st.sampled_from([0, 2, 5]),
    offset=st.sampled_from([0.0, 1e6]),
    scale=st.sampled_from([1e-200, 1.0, 1e150]),
    seed=st.integers(0, 2**16),
)
def test_counts_equal_a_plain_sort_with_ties_offsets_and_scales(n, d, levels, offset, scale, seed):
    rng = np.random.default_rng(seed)
    exact = rng.integers(0, levels, (n, d)).astype(float) if levels else rng.normal(size=(n, d))
    exact = exact + offset
    rows, columns = np.arange(n), np.arange(n)
    targets = random_targets(rng, n, 3, rows)
    # A power of two keeps equal distances equal.
    points = exact * 2.0 ** np.round(np.log2(scale))
    found = count_nearer(points, targets, rows=rows, columns=columns)
    expected = sorted_counts(cdist(exact - offset, exact - offset), targets, rows, columns)
    if offset and not levels:
        # Adding an offset rounds the points; their own distances are the truth.
        shifted = exact - exact[0]
        expected = sorted_counts(cdist(shifted, shifted), targets, rows, columns)
    np.testing.assert_array_equal(found, expected)


def test_single_precision_settles_what_it_can_and_double_the_rest():
    """Points whose distances differ in the tenth digit, far from a third."""
    rng = np.random.default_rng(0)
    angle = np.sort(rng.uniform(0, 1e-4, 50))
    points = np.r_[[[0.0, 0.0]], np.c_[1 + 1e-10 * rng.permutation(50), angle]]
    order = np.argsort(cdist(points[:1], points[1:])[0], kind="stable") + 1
    found = count_nearer(points, np.arange(1, 51)[None], rows=np.array([0]), columns=np.arange(51))
    np.testing.assert_array_equal(np.argsort(found[0]) + 1, order)


def test_an_outlier_does_not_spoil_the_others():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(80, 4))
    points[7] = 1e9
    rows = columns = np.arange(80)
    targets = random_targets(rng, 80, 5, rows)
    expected = sorted_counts(cdist(points, points), targets, rows, columns)
    np.testing.assert_array_equal(count_nearer(points, targets, rows=rows, columns=columns), expected)


@pytest.mark.parametrize("metric", ["cosine", "correlation", "manhattan", "chebyshev"])
@pytest.mark.parametrize("n_columns", [30, 60])
def test_metrics_and_subsets_of_columns(metric, n_columns):
    rng = np.random.default_rng(2)
    points = rng.normal(size=(60, 5))
    rows, columns = np.arange(0, 60, 2), np.sort(rng.choice(60, n_columns, replace=False))
    targets = random_targets(rng, 60, 4, rows)
    distances = cdist(points, points, {"manhattan": "cityblock"}.get(metric, metric))
    expected = sorted_counts(distances, targets, rows, columns)
    np.testing.assert_array_equal(count_nearer(points, targets, rows=rows, columns=columns, metric=metric), expected)


def test_callables_precomputed_sparse_and_zero_rows():
    rng = np.random.default_rng(3)
    points = rng.normal(size=(25, 3))
    points[4] = 0
    rows = columns = np.arange(25)
    targets = random_targets(rng, 25, 3, rows)
    euclidean = sorted_counts(cdist(points, points), targets, rows, columns)
    arguments = {"rows": rows, "columns": columns}
    by_callable = count_nearer(points, targets, metric=lambda a, b: float(np.linalg.norm(a - b)), **arguments)
    precomputed = count_nearer(cdist(points, points), targets, metric="precomputed", **arguments)
    np.testing.assert_array_equal(by_callable, euclidean)
    np.testing.assert_array_equal(precomputed, euclidean)
    np.testing.assert_array_equal(count_nearer(sparse.csr_matrix(points), targets, **arguments), euclidean)
    # A row without direction has no Euclidean equivalent of its cosine distance.
    units = points / np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-300)
    cosine = sorted_counts(1 - units @ units.T, targets[[0]], rows[[0]], columns)
    np.testing.assert_array_equal(
        count_nearer(points, targets[[0]], rows=rows[[0]], columns=columns, metric="cosine"), cosine
    )


def test_rows_that_fill_many_blocks(monkeypatch):
    rng = np.random.default_rng(4)
    points = rng.normal(size=(150, 3))
    rows = columns = np.arange(150)
    targets = random_targets(rng, 150, 2, rows)
    whole = count_nearer(points, targets, rows=rows, columns=columns)
    monkeypatch.setattr("holonomy.measure._ranks.BLOCK_ENTRIES", 1)
    np.testing.assert_array_equal(count_nearer(points, targets, rows=rows, columns=columns), whole)
