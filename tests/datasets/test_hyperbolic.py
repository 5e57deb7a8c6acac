"""Balls in hyperbolic space."""

import numpy as np
import pytest
from scipy import integrate, stats

from holonomy.datasets import make_hyperbolic_ball


@pytest.mark.parametrize("dim", [1, 2, 3, 6])
@pytest.mark.parametrize(("radius", "curvature"), [(0.05, -1.0), (2.0, -1.0), (9.0, -4.0)])
def test_radius_has_the_law_of_the_volume(dim, radius, curvature):
    ball = make_hyperbolic_ball(3000, dim=dim, radius=radius, curvature=curvature, random_state=dim)
    r = np.linalg.norm(ball.latent, axis=1)
    # Compare volumes in logarithms: sinh^(d - 1) spans many orders of magnitude.
    grid = np.linspace(0, radius, 20001)
    scale = np.sqrt(-curvature)
    volume = integrate.cumulative_simpson((np.sinh(scale * grid) / np.sinh(scale * radius)) ** (dim - 1), x=grid)
    volume = np.concatenate([[0.0], volume]) / volume[-1]
    assert r.max() <= radius
    assert stats.kstest(r, lambda s: np.interp(s, grid, volume)).pvalue > 0.005
    directions = ball.latent / r[:, None]
    if dim > 1:
        marginal = stats.beta(0.5 * (dim - 1), 0.5 * (dim - 1))
        assert stats.kstest(0.5 * (1 + directions[:, 0]), marginal.cdf).pvalue > 0.005


@pytest.mark.parametrize("curvature", [-1.0, -0.25, -9.0])
def test_points_lie_on_the_hyperboloid_at_their_distances(curvature):
    ball = make_hyperbolic_ball(300, dim=3, curvature=curvature, random_state=0)
    signature = np.diag([1.0, -1.0, -1.0, -1.0])
    products = ball.X @ signature @ ball.X.T
    assert np.allclose(np.diag(products), -1.0 / curvature, rtol=1e-10)
    assert (ball.X[:, 0] > 0).all()
    rows = np.arange(300)
    distances = ball.geodesic_distances(rows[:, None], rows)
    expected = np.arccosh(np.maximum(1.0, -curvature * products)) / np.sqrt(-curvature)
    assert np.allclose(distances, expected, atol=1e-5)


def test_poincare_coordinates_are_the_projected_hyperboloid():
    options = {"dim": 2, "radius": 3.0, "curvature": -0.25, "random_state": 0}
    hyperboloid, ball = (
        make_hyperbolic_ball(200, **options),
        make_hyperbolic_ball(200, coordinates="poincare", **options),
    )
    assert np.allclose(ball.X, hyperboloid.X[:, 1:] / (1.0 + 0.5 * hyperboloid.X[:, :1]))
    assert (np.linalg.norm(ball.X, axis=1) < 2.0).all()
    assert ball.geodesic_distances(1, 2) == hyperboloid.geodesic_distances(1, 2)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"dim": 0}, ValueError, "dim must be at least 1"),
        ({"radius": 0.0}, ValueError, "radius must be positive"),
        ({"radius": 400.0}, ValueError, "radius must be at most 300"),
        ({"radius": 200.0, "curvature": -4.0}, ValueError, "radius must be at most 150"),
        ({"curvature": 0.0}, ValueError, "curvature must be negative"),
        ({"curvature": 1.0}, ValueError, "curvature must be negative"),
        ({"coordinates": "klein"}, ValueError, "coordinates must be one of"),
    ],
)
def test_bad_parameters_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        make_hyperbolic_ball(10, **options)


def test_largest_ball_is_finite():
    ball = make_hyperbolic_ball(50, dim=4, radius=300.0, random_state=0)
    assert np.isfinite(ball.X).all()
    assert np.isfinite(ball.geodesic_distances(np.arange(50)[:, None], np.arange(50))).all()
