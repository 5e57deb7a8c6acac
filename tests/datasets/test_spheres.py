"""Spheres and balls."""

import numpy as np
import pytest
from scipy import stats

from holonomy.datasets import make_ball, make_sphere


@pytest.mark.parametrize("dim", [1, 2, 3, 7])
def test_sphere_is_uniform(dim):
    sphere = make_sphere(4000, dim=dim, radius=3.0, random_state=0)
    assert np.allclose(np.linalg.norm(sphere.X, axis=1), 3.0, rtol=1e-14)
    for axis in range(dim + 1):
        height = 0.5 * (1.0 + sphere.X[:, axis] / 3.0)
        assert stats.kstest(height, stats.beta(0.5 * dim, 0.5 * dim).cdf).pvalue > 0.005
    assert stats.kstest(sphere.latent[:, -1] / (2 * np.pi), "uniform").pvalue > 0.01


def test_numeric_density_is_exponential_in_height():
    sphere = make_sphere(4000, density=np.exp(4.0), random_state=0)
    height = 0.5 * (1.0 - sphere.X[:, 0])  # uniform on [0, 1] for a uniform sphere, so exp(-4 h) now
    assert stats.kstest(height, lambda h: -np.expm1(-4.0 * h) / -np.expm1(-4.0)).pvalue > 0.01


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_great_circles_match_arccosines_and_small_chords(dim):
    sphere = make_sphere(500, dim=dim, radius=2.0, random_state=1)
    rows = np.arange(500)
    distances = sphere.geodesic_distances(rows[:, None], rows)
    cosines = sphere.X @ sphere.X.T / 4.0
    assert np.allclose(distances, 2.0 * np.arccos(np.clip(cosines, -1, 1)), atol=1e-7)
    chords = np.linalg.norm(sphere.X[:, None] - sphere.X, axis=-1)
    assert np.allclose(distances, 4.0 * np.arcsin(np.minimum(1.0, chords / 4.0)), atol=1e-7)
    assert distances.max() <= 2.0 * np.pi


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_ball_is_uniform(dim):
    ball = make_ball(4000, dim=dim, radius=2.0, random_state=0)
    radii = np.linalg.norm(ball.X, axis=1)
    assert stats.kstest((radii / 2.0) ** dim, "uniform").pvalue > 0.01
    # A coordinate of a uniform ball is that of a sphere two dimensions up.
    assert stats.kstest(0.5 + 0.25 * ball.X[:, 0], stats.beta(0.5 * (dim + 1), 0.5 * (dim + 1)).cdf).pvalue > 0.01
    assert ball.geodesic_distances(3, 4) == pytest.approx(np.linalg.norm(ball.X[3] - ball.X[4]), rel=1e-14)


@pytest.mark.parametrize("make", [make_sphere, make_ball])
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"dim": 0}, ValueError, "dim must be at least 1"),
        ({"dim": 2.5}, TypeError, "dim must be an integer"),
        ({"radius": 0.0}, ValueError, "radius must be positive"),
        ({"radius": "big"}, TypeError, "radius must be a number"),
    ],
)
def test_bad_parameters_are_refused(make, options, error, message):
    with pytest.raises(error, match=message):
        make(10, **options)
