"""Local outlier factors."""

import numpy as np
import pytest
from sklearn.neighbors import LocalOutlierFactor

from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import local_outlier_factor


def normal(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize("k", [5, 20])
def test_equals_scikit_learn(k):
    X = np.r_[normal(300, 3), 0.1 * normal(100, 3, 1) + 5, [[20.0, 0, 0]]]
    expected = -LocalOutlierFactor(n_neighbors=k).fit(X).negative_outlier_factor_
    np.testing.assert_allclose(local_outlier_factor(X, k), expected, rtol=1e-4)
    np.testing.assert_allclose(local_outlier_factor(neighbors(X, 25), k), expected, rtol=1e-4)


def test_even_data_have_one_everywhere():
    ring = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    np.testing.assert_allclose(local_outlier_factor(np.c_[np.cos(ring), np.sin(ring)], 4), 1.0, atol=1e-5)


def test_scale_and_order_change_nothing():
    X = normal(200, 2)
    factor = local_outlier_factor(X)
    np.testing.assert_allclose(local_outlier_factor(1e6 * X), factor, rtol=1e-4)
    np.testing.assert_allclose(local_outlier_factor(X[::-1]), factor[::-1], rtol=1e-5)


def test_repeated_rows_stay_finite():
    X = np.r_[np.zeros((30, 2)), normal(50, 2) + 30]
    factor = local_outlier_factor(X, 10)
    assert np.isfinite(factor).all()
    np.testing.assert_allclose(factor[:30], 1.0)
    np.testing.assert_array_equal(local_outlier_factor(np.ones((20, 2))), 1.0)


def test_points_without_neighbours_have_one():
    graph = NeighborGraph(np.array([[1], [0], [0]]), np.array([[1.0], [1.0], [np.inf]]))
    np.testing.assert_array_equal(local_outlier_factor(graph), 1.0)


def test_few_rows():
    assert local_outlier_factor([[0.0], [1.0], [2.0]]).shape == (3,)


def test_bad_input():
    with pytest.raises(ValueError, match="X contains NaN"):
        local_outlier_factor([[np.nan, 1.0], [0, 1], [2, 2]])
    with pytest.raises(ValueError, match="needs at least 6 rows"):
        local_outlier_factor(normal(5, 2), 5)
