"""Dimension over scale."""

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from holonomy.graphs import neighbors
from holonomy.measure import (
    correlation_dimension,
    dimension_over_scale,
    local_pca_dimension,
    mle_dimension,
    two_nn,
)


def noisy_ring(n, noise, seed=0):
    rng = np.random.default_rng(seed)
    t = rng.uniform(0, 2 * np.pi, n)
    X = np.zeros((n, 6))
    X[:, 0], X[:, 1] = 10 * np.cos(t), 10 * np.sin(t)
    return X + noise * rng.normal(size=X.shape)


def test_noise_is_seen_near_and_not_from_afar():
    curve = dimension_over_scale(noisy_ring(6400, 0.1))
    assert curve.values[0] > 2
    assert curve.values[-1] < 1.25
    assert (np.diff(curve.values) < 0).all()
    assert (np.diff(curve.scales) > 0).all()
    assert curve.n_points.tolist() == [6400, 3200, 1600, 800, 400, 200, 100]
    assert curve.n_samples.tolist() == [1, 2, 4, 4, 4, 4, 4]


def test_without_noise_all_scales_agree():
    curve = dimension_over_scale(noisy_ring(1600, 0), method="TwoNN")
    assert curve.plateau == pytest.approx(1, abs=0.1)
    assert ((curve.low < 1.05) & (curve.high > 0.95)).all()


def test_the_finest_scale_is_the_estimator_itself():
    X = noisy_ring(500, 0.1)
    assert dimension_over_scale(X, 12).values[0] == pytest.approx(mle_dimension(X, 12).value)
    assert dimension_over_scale(X, 12, method="TwoNN").values[0] == pytest.approx(two_nn(X, n_neighbors=12).value)
    given = dimension_over_scale(X, 10, graph=neighbors(X, 15))
    np.testing.assert_array_equal(given.values, dimension_over_scale(X, 10).values)


@pytest.mark.parametrize("method", ["local PCA", "correlation"])
def test_other_estimators_see_noise_near_and_a_curve_from_afar(method):
    curve = dimension_over_scale(noisy_ring(1600, 0.1), method=method)
    assert curve.values[0] > 1.4
    assert curve.values[-1] < 1.25
    assert ((curve.low <= curve.values) & (curve.values <= curve.high)).all()
    assert curve.method == method
    X = noisy_ring(500, 0.1)
    finest = dimension_over_scale(X, 12, method=method).values[0]
    alone = {"local PCA": lambda: local_pca_dimension(X, 12), "correlation": lambda: correlation_dimension(X, (6, 36))}
    assert finest == pytest.approx(alone[method]().value)


def test_small_data_have_one_scale():
    curve = dimension_over_scale(noisy_ring(60, 0.1))
    assert len(curve.values) == 1
    assert curve.plateau == pytest.approx(curve.values[0])


def test_precomputed_distances_and_units():
    X = noisy_ring(400, 0.1)
    curve = dimension_over_scale(X)
    np.testing.assert_allclose(dimension_over_scale(cdist(X, X), metric="precomputed").values, curve.values, rtol=1e-3)
    scaled = dimension_over_scale(1000 * X)
    np.testing.assert_allclose(scaled.values, curve.values, rtol=1e-4)
    np.testing.assert_allclose(scaled.scales, 1000 * curve.scales, rtol=1e-4)


def test_it_shows_itself():
    curve = dimension_over_scale(noisy_ring(400, 0.1))
    json.dumps(curve.to_dict(), allow_nan=False)
    assert "400 points" in curve._repr_html_()
    assert curve.__rich__().row_count == 3


@pytest.mark.parametrize(
    ("X", "arguments", "message"),
    [
        (np.full((5, 2), np.nan), {}, "X contains NaN"),
        (np.eye(5), {}, "needs at least 11 rows"),
        (np.ones((50, 2)), {}, "distinct"),
        (np.eye(50), {"method": "box"}, "method must be one of"),
        (np.eye(50), {"n_neighbors": 1}, "n_neighbors must be at least 2"),
        (np.eye(50), {"graph": neighbors(np.eye(40), 10)}, "same points, got 50 and 40"),
    ],
)
def test_bad_input(X, arguments, message):
    with pytest.raises(ValueError, match=message):
        dimension_over_scale(X, **arguments)
