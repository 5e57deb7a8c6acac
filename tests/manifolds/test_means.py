import pytest
import torch

from holonomy.manifolds import (
    SPD,
    AffineInvariant,
    ChartMean,
    CircleMean,
    ClosedMean,
    DescentMean,
    Euclidean,
    FactorwiseMean,
    NewtonMean,
    Product,
    Sphere,
    Torus,
    weighted_mean,
)


def points(space, *size, std=0.4):
    return space.random_normal(*size, std=std, random_state=0, dtype=torch.float64)


@pytest.mark.parametrize(
    ("space", "solver"),
    [
        (Euclidean(2), ClosedMean),
        (Torus(2), CircleMean),
        (Product(Sphere(2), Euclidean(1)), FactorwiseMean),
        (SPD(2), NewtonMean),
        (SPD(2, metric="log_cholesky"), ChartMean),
        (SPD(2, metric="bures_wasserstein"), DescentMean),
        (Sphere(2), DescentMean),
    ],
    ids=repr,
)
def test_every_space_has_its_solver_and_it_agrees_with_descent(space, solver):
    assert isinstance(space._mean_solver(), solver)
    x = points(space, 3, 9)
    found, plain = weighted_mean(space, x), weighted_mean(space, x, method=DescentMean())
    assert found.converged.all()
    assert float(space.dist(found.point, plain.point).max()) < 1e-8


def test_the_weights_of_the_affine_invariant_metric_do_not_move_the_mean_but_scale_the_residual():
    x = points(SPD(3), 8)
    plain, scaled = weighted_mean(SPD(3), x), weighted_mean(SPD(3, AffineInvariant(4.0, 0.5)), x)
    assert torch.allclose(plain.point, scaled.point, atol=1e-9)
    space = SPD(3, AffineInvariant(4.0, 0.5))
    spread = space.squared_dist(scaled.point, x).mean().sqrt()
    assert float(scaled.spread) == pytest.approx(float(spread), rel=1e-9)


def test_newtons_method_finds_means_of_far_and_of_ill_conditioned_matrices():
    found = weighted_mean(SPD(4), points(SPD(4), 2, 10, std=2.0), tolerance=1e-7)
    assert found.converged.all()
    assert found.n_iter <= 10
    # Condition numbers of 1e13: what rounding leaves is told.
    found = weighted_mean(SPD(4), points(SPD(4), 2, 10, std=5.0), tolerance=1e-7)
    assert not found.converged.any()
    assert float(found.residual.max()) < 0.1


def test_float32_is_solved_in_float32():
    found = weighted_mean(Sphere(3), points(Sphere(3), 10).float())
    assert found.point.dtype == torch.float32
    assert found.converged
