"""Normal clusters on curved spaces."""

import numpy as np
import pytest
from scipy import stats

from holonomy.datasets import _spaces, make_gaussian_mixture

DISTANCES = {
    "sphere": lambda z, c: _spaces.great_circle(_spaces.sphere_points(z), _spaces.sphere_points(c)),
    "torus": _spaces.flat_torus,
    "hyperboloid": _spaces.hyperbolic,
}


@pytest.mark.parametrize("space", DISTANCES)
@pytest.mark.parametrize("dim", [1, 2, 4])
def test_clusters_are_normal_round_their_centres(space, dim):
    scale = np.array([0.1, 0.3, 0.2])
    mixture = make_gaussian_mixture(
        6000, space=space, dim=dim, centers=3, scale=scale, weights=[1, 2, 3], random_state=dim
    )
    assert mixture.centers.shape == (3, dim)
    assert stats.chisquare(np.bincount(mixture.labels), [1000, 2000, 3000]).pvalue > 0.005
    for label in range(3):
        members = mixture.latent[mixture.labels == label]
        r = DISTANCES[space](members, mixture.centers[label])
        assert stats.kstest((r / scale[label]) ** 2, stats.chi2(dim).cdf).pvalue > 0.001


@pytest.mark.parametrize("space", ["sphere", "hyperboloid"])
def test_clusters_have_no_preferred_direction(space):
    mixture = make_gaussian_mixture(3000, space=space, dim=2, centers=[[1.0, 0.5]], scale=0.05, random_state=0)
    centre = (_spaces.sphere_points if space == "sphere" else _spaces.hyperboloid_points)(mixture.centers[0])
    spread = np.linalg.eigvalsh(np.cov((mixture.X - centre).T))
    if space == "sphere":
        assert spread[1:] == pytest.approx(0.05**2, rel=0.1)
        assert spread[0] < 0.01 * spread[1]
    else:
        metric = np.diag([-1.0, 1.0, 1.0])
        tangent = mixture.X - centre
        moments = np.linalg.eigvals((tangent.T @ tangent / 3000) @ metric).real
        assert np.sort(moments)[1:] == pytest.approx(0.05**2, rel=0.1)


def test_points_lie_on_their_space():
    sphere = make_gaussian_mixture(200, dim=3, random_state=0)
    assert np.allclose(np.linalg.norm(sphere.X, axis=1), 1.0)
    torus = make_gaussian_mixture(200, space="torus", dim=3, random_state=0)
    assert np.allclose(np.linalg.norm(torus.X.reshape(200, 3, 2), axis=2), 1.0)
    assert ((torus.latent >= 0) & (torus.latent <= 2 * np.pi)).all()
    hyperboloid = make_gaussian_mixture(200, space="hyperboloid", dim=3, random_state=0)
    assert np.allclose(2 * hyperboloid.X[:, 0] ** 2 - (hyperboloid.X**2).sum(axis=1), 1.0)


def test_clusters_may_lie_at_the_pole_and_wrap_round():
    at_pole = make_gaussian_mixture(2000, dim=2, centers=[[0.0, 0.0]], scale=0.1, random_state=0)
    assert stats.kstest((at_pole.latent[:, 0] / 0.1) ** 2, stats.chi2(2).cdf).pvalue > 0.01
    wide = make_gaussian_mixture(5000, space="torus", dim=1, centers=1, scale=20.0, random_state=0)
    assert stats.kstest(wide.latent[:, 0] / (2 * np.pi), "uniform").pvalue > 0.01


def test_density_keeps_the_clusters_and_their_centres():
    uniform, tilted = (make_gaussian_mixture(100, density=density, random_state=0) for density in (1.0, 5.0))
    assert np.array_equal(uniform.centers, tilted.centers)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"space": "plane"}, ValueError, "space must be one of"),
        ({"dim": 0}, ValueError, "dim must be at least 1"),
        ({"centers": 0}, ValueError, "centers must be at least 1"),
        ({"centers": 2.5}, TypeError, "centers must be an integer"),
        ({"centers": [[0.0, 1.0, 2.0]]}, ValueError, "centers must have dim = 2"),
        ({"centers": [[0.0, np.nan]]}, ValueError, "NaN"),
        ({"scale": 0.0}, ValueError, "scale must be one or 4 positive"),
        ({"scale": [0.1, 0.2]}, ValueError, "scale must be one or 4 positive"),
        ({"weights": [1.0]}, ValueError, "weights must hold one number for each of 4"),
    ],
)
def test_bad_parameters_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        make_gaussian_mixture(10, **options)
