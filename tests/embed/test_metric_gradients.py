"""Compiled distances against SciPy's, and their gradients against finite differences."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.spatial.distance import cdist

from holonomy.embed._metric_gradients import CODES, distance_and_gradient, gradient_metric

RNG = np.random.default_rng(0)
SCIPY_NAMES = {"manhattan": "cityblock"}


def parameters_of(metric, dim):
    square = RNG.normal(size=(dim, dim))
    return {
        "minkowski": {"p": 3.0},
        "seuclidean": {"V": RNG.uniform(0.5, 2, size=dim)},
        "mahalanobis": {"VI": square @ square.T + np.eye(dim)},
    }.get(metric, {})


@pytest.mark.parametrize("metric", CODES)
def test_distance_equals_scipy_and_gradient_equals_differences(metric):
    for dim in (2, 5):
        given = parameters_of(metric, dim)
        code, exponent, weights = gradient_metric(metric, given, "metric")
        for _ in range(5):
            x, y, gradient = RNG.normal(size=dim), RNG.normal(size=dim), np.empty(dim)
            distance = distance_and_gradient(code, x, y, exponent, weights, gradient)
            expected = cdist(x[None], y[None], SCIPY_NAMES.get(metric, metric), **given)[0, 0]
            np.testing.assert_allclose(distance, expected, rtol=1e-6, atol=1e-12)

            def value(z):
                return distance_and_gradient(code, z, y, exponent, weights, np.empty(dim))  # noqa: B023

            np.testing.assert_allclose(gradient, approx_fprime(x, value, 1e-7), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("metric", CODES)
def test_gradient_is_finite_where_points_coincide_or_vanish(metric):
    code, exponent, weights = gradient_metric(metric, parameters_of(metric, 3), "metric")
    x, gradient = RNG.normal(size=3), np.empty(3)
    for one, two in ((x, x), (np.zeros(3), np.zeros(3)), (np.zeros(3), x)):
        distance = distance_and_gradient(code, one, two, exponent, weights, gradient)
        assert np.isfinite(distance)
        assert np.isfinite(gradient).all()


def test_bad_metrics_are_named():
    with pytest.raises(ValueError, match="metric must be one of 'braycurtis'"):
        gradient_metric("jaccard", None, "metric")
    with pytest.raises(ValueError, match="'mahalanobis' needs the parameter 'VI'"):
        gradient_metric("mahalanobis", None, "metric")
    with pytest.raises(ValueError, match="p must be at least 1"):
        gradient_metric("minkowski", {"p": 0.5}, "metric")
