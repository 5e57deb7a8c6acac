"""Correlation dimension."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from skdim.id import CorrInt

from holonomy.measure import correlation_dimension


def cube(n, d, seed=0):
    return np.random.default_rng(seed).random((n, d))


def sphere(n, d, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, d + 1))
    return X / np.linalg.norm(X, axis=1, keepdims=True)


@pytest.mark.parametrize(("k1", "k2"), [(10, 20), (5, 40)])
def test_equals_scikit_dimension(k1, k2):
    X = sphere(400, 2)
    expected = CorrInt(k1=k1, k2=k2).fit(X).dimension_
    assert correlation_dimension(X, (k1, k2), n_radii=2).value == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_spheres_have_no_edge_and_read_right(d):
    found = correlation_dimension(sphere(3000, d))
    assert found.value == pytest.approx(d, rel=0.06)
    assert found.low < found.value < found.high


def test_the_cantor_set():
    """log 2 / log 3: no estimator that counts whole dimensions finds it."""
    digits = 2 * np.random.default_rng(0).integers(0, 2, size=(4000, 25))
    points = (digits * 3.0 ** -np.arange(1, 26)).sum(axis=1)[:, None]
    found = correlation_dimension(points, radii=(3.0**-7, 3.0**-2), n_radii=20)
    assert found.value == pytest.approx(np.log(2) / np.log(3), abs=0.03)


def test_intervals_hold_the_expected_value():
    values = [correlation_dimension(sphere(400, 2, seed)) for seed in range(30)]
    middle = np.mean([v.value for v in values])
    assert np.mean([v.low <= middle <= v.high for v in values]) >= 0.85


def test_turning_scaling_and_order_change_nothing():
    X = cube(500, 3)
    turned = 7 * X @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0] + 5
    value = correlation_dimension(X).value
    assert correlation_dimension(turned).value == pytest.approx(value, rel=2e-3)
    assert correlation_dimension(X[::-1]).value == pytest.approx(value, rel=1e-6)


def test_precomputed_and_subsampled():
    X = sphere(1500, 2)
    whole = correlation_dimension(X)
    assert correlation_dimension(cdist(X, X), metric="precomputed").value == pytest.approx(whole.value, rel=1e-3)
    part = correlation_dimension(X, subsample=500)
    assert part.low < whole.value < part.high
    assert part.high - part.low > whole.high - whole.low
    assert part.per_point.shape == (1500,)


def test_the_same_for_any_number_of_threads():
    X = cube(800, 2)
    assert correlation_dimension(X, n_jobs=1).value == correlation_dimension(X, n_jobs=2).value


@pytest.mark.parametrize(
    ("X", "arguments", "message"),
    [
        (np.full((5, 2), np.nan), {}, "X contains NaN"),
        (np.eye(3), {}, "at least 4 points"),
        (np.ones((30, 2)), {}, "too many points repeat"),
        (cube(50, 2), {"radii": (2.0, 1.0)}, "ascending"),
        (cube(50, 2), {"radii": (1e-9, 1.0)}, "no two points"),
        (cube(50, 2), {"n_radii": 1}, "n_radii must be at least 2"),
        (cube(50, 2), {"neighbors_range": (5, 5)}, "neighbors_range"),
    ],
)
def test_bad_input(X, arguments, message):
    with pytest.raises(ValueError, match=message):
        correlation_dimension(X, **arguments)
