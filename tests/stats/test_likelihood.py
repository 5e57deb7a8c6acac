import numpy as np
import pytest
import torch

from holonomy.manifolds import (
    SPD,
    AffineInvariant,
    Euclidean,
    Hyperboloid,
    PoincareBall,
    RiemannianNormal,
    Sphere,
    VonMisesFisher,
    WrappedNormal,
)
from holonomy.stats import fit_riemannian_normal, fit_von_mises_fisher, fit_wrapped_normal


@pytest.mark.parametrize("space", [Sphere(2), Hyperboloid(3), PoincareBall(2), SPD(3)], ids=repr)
def test_no_riemannian_normal_is_more_likely(space):
    x = RiemannianNormal(space, std=0.6).sample(400, random_state=0).double()
    x = space.project(x)
    fitted = fit_riemannian_normal(x, space)
    best = float(fitted.log_prob(x).mean())
    assert fitted.std == pytest.approx(0.6, abs=0.06)
    for std in (0.98 * fitted.std, 1.02 * fitted.std):
        assert float(RiemannianNormal(space, fitted.mean, std).log_prob(x).mean()) < best
    moved = space.exp(fitted.mean, 0.02 * space.random_tangent(fitted.mean, 1))
    assert float(RiemannianNormal(space, moved, fitted.std).log_prob(x).mean()) < best


@pytest.mark.parametrize("metric", [AffineInvariant(), AffineInvariant(2.0, -0.3)], ids=repr)
def test_scale_of_covariances_is_recovered(metric):
    space = SPD(4, metric=metric)
    mean = space.random_normal(random_state=1, dtype=torch.float64)
    x = RiemannianNormal(space, mean, 0.5).sample(2000, random_state=0)
    fitted = fit_riemannian_normal(x, space)
    assert fitted.std == pytest.approx(0.5, rel=0.02)
    assert float(space.dist(fitted.mean, mean)) < 0.06
    assert fitted.expected_square == pytest.approx(float(space.squared_dist(fitted.mean, x).mean()), rel=1e-9)


@pytest.mark.parametrize("kappa", [0.5, 10.0, 5000.0])
@pytest.mark.parametrize("dim", [1, 2, 9])
def test_no_von_mises_fisher_is_more_likely(kappa, dim):
    space = Sphere(dim)
    mean = space.random_uniform(random_state=3, dtype=torch.float64)
    x = space.project(VonMisesFisher(space, mean, kappa).sample(3000, random_state=0))
    fitted = fit_von_mises_fisher(x, space)
    assert fitted.concentration == pytest.approx(kappa, rel=0.25)
    best = float(fitted.log_prob(x).mean())
    for factor in (0.98, 1.02):
        other = VonMisesFisher(space, fitted.mean, factor * fitted.concentration)
        assert float(other.log_prob(x).mean()) < best


def test_on_the_sphere_the_expected_length_is_langevins():
    space = Sphere(2)
    x = space.project(VonMisesFisher(space, concentration=3.0).sample(500, random_state=0).double())
    kappa = fit_von_mises_fisher(x, space).concentration
    assert 1.0 / np.tanh(kappa) - 1.0 / kappa == pytest.approx(float(x.mean(0).norm()), rel=1e-10)
    radius = Sphere(2, curvature=0.25)
    assert fit_von_mises_fisher(2.0 * x, radius).concentration == pytest.approx(kappa, rel=1e-8)


def test_points_that_cancel_are_uniform():
    assert fit_von_mises_fisher(np.vstack([np.eye(3), -np.eye(3)]), Sphere(2)).concentration == 0.0


@pytest.mark.parametrize("space", [Hyperboloid(2), Sphere(2), Euclidean(3)], ids=repr)
def test_no_wrapped_normal_is_more_likely(space):
    x = space.random_normal(400, std=0.6, random_state=0, dtype=torch.float64)
    fitted = fit_wrapped_normal(x, space)
    best = float(fitted.log_prob(x).mean())
    assert fitted.std == pytest.approx(0.6, abs=0.06)
    for std in (0.98 * fitted.std, 1.02 * fitted.std):
        assert float(WrappedNormal(space, fitted.mean, std).log_prob(x).mean()) < best
    for seed in range(4):
        moved = space.exp(fitted.mean, 0.02 * space.random_tangent(fitted.mean, seed))
        assert float(WrappedNormal(space, moved, fitted.std).log_prob(x).mean()) < best


@pytest.mark.parametrize("fit", [fit_riemannian_normal, fit_von_mises_fisher, fit_wrapped_normal])
def test_bad_input_is_refused(fit):
    with pytest.raises(TypeError, match="must"):
        fit(np.eye(3), None)
    with pytest.raises(ValueError, match="points"):
        fit(2.0 * np.eye(3), Sphere(2))
    with pytest.raises(ValueError, match="all are equal"):
        fit(np.eye(3)[[0, 0]], Sphere(2))
    with pytest.raises(ValueError, match="one sample"):
        fit(np.eye(3)[None], Sphere(2))
