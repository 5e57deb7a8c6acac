"""Every method, at the rate that theory gives, on problems whose solutions are known."""

import math

import numpy as np
import pytest
import torch

from holonomy.manifolds import FixedRank, Grassmann, Hyperboloid, SpecialOrthogonal, Sphere
from holonomy.optim import RiemannianAdagrad, RiemannianAdam, RiemannianAdamNc, RiemannianAMSGrad, RiemannianSGD
from tests.optim.problems import descend, points


def slope(values, first, last):
    """Return the factor by which values shrink a step, between two steps."""
    return math.exp((math.log(values[last]) - math.log(values[first])) / (last - first))


def symmetric(values, seed=0):
    n = len(values)
    basis = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)))[0]
    return basis @ torch.diag(torch.tensor(values, dtype=torch.float64)) @ basis.T, basis


def test_gradient_descent_finds_an_eigenvector_at_the_rate_of_its_gap():
    A, basis = symmetric([1.0, 2.0, 2.5, 4.0])
    x = points(Sphere(3), seed=1).requires_grad_()
    seen = descend(RiemannianSGD([x], lr=0.1, manifold=Sphere(3)), lambda: -x @ A @ x, 60)
    # The Hessian at the solution has eigenvalues 2 (4 - 2.5) and more; the loss falls with the square of the distance.
    assert slope([value + 4.0 for value in seen], 18, 35) == pytest.approx((1 - 0.1 * 2 * 1.5) ** 2, rel=0.01)
    assert abs(float(x.detach() @ basis[:, 3])) == pytest.approx(1.0, abs=1e-8)


def test_heavy_momentum_makes_the_rate_the_root_of_the_momentum():
    A, _ = symmetric([1.0, 2.0, 3.8, 4.0])
    x = points(Sphere(3), seed=1).requires_grad_()
    # Where lr h is above (1 - sqrt(momentum))^2, the two roots are complex and of modulus sqrt(momentum).
    seen = descend(RiemannianSGD([x], lr=0.1, momentum=0.8, manifold=Sphere(3)), lambda: -x @ A @ x, 200)
    errors = np.array([max(value + 4.0, 1e-300) for value in seen])
    envelope = [errors[i : i + 25].max() for i in range(0, 125, 25)]
    rate = (envelope[4] / envelope[1]) ** (1 / 75)
    assert rate == pytest.approx(0.8, abs=0.03)


def test_the_invariant_subspace_is_found_on_the_grassmannian():
    A, basis = symmetric([0.0, 0.2, 2.0, 3.0, 4.0])
    space = Grassmann(5, 2)
    x = points(space, seed=1).requires_grad_()
    seen = descend(RiemannianSGD([x], lr=0.1, manifold=space), lambda: -(x.T @ A @ x).trace(), 120)
    assert slope([value + 7.0 for value in seen], 30, 60) == pytest.approx((1 - 0.1 * 2 * 1.0) ** 2, rel=0.01)
    assert float(space.dist(x.detach(), basis[:, 3:])) < 1e-6


def test_stochastic_steps_of_one_over_t_find_the_mean_at_the_rate_one_over_t():
    space, count, replicas = Hyperboloid(2), 3000, 200
    center = points(space, seed=3)
    data = space.random_normal(count, replicas, mean=center, std=0.3, random_state=0)
    x = space.origin(replicas, dtype=torch.float64).requires_grad_()
    optimizer = RiemannianSGD([x], lr=1.0, manifold=space)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1.0 / (t + 1))
    errors = {}
    for t in range(count):
        v = space.log(x.detach(), data[t])
        x.grad = -torch.cat([-v[:, :1], v[:, 1:]], dim=-1)
        optimizer.step()
        schedule.step()
        errors[t + 1] = float(space.squared_dist(x.detach(), center).mean())
    exponent = math.log(errors[3000] / errors[100]) / math.log(30)
    assert exponent == pytest.approx(-1.0, abs=0.1)
    # The variance of the mean of t normal vectors of variance 0.09 a direction, in two directions.
    assert errors[3000] * 3000 == pytest.approx(2 * 0.09, rel=0.2)


def test_procrustes_is_solved_as_by_singular_values():
    generator = torch.Generator().manual_seed(0)
    A = torch.randn(10, 3, dtype=torch.float64, generator=generator)
    A = A / A.norm()
    truth = SpecialOrthogonal(3).random_uniform(random_state=1, dtype=torch.float64)
    B = A @ truth + 0.01 * torch.randn(10, 3, dtype=torch.float64, generator=generator)
    U, _, V = torch.linalg.svd(A.T @ B)
    best = U @ torch.diag(torch.tensor([1.0, 1.0, float(torch.det(U @ V))], dtype=torch.float64)) @ V
    for method, options in (
        (RiemannianSGD, {"lr": 0.8}),
        (RiemannianSGD, {"lr": 0.5, "momentum": 0.5, "nesterov": True}),
        (RiemannianAdagrad, {"lr": 1.0}),
        (RiemannianAMSGrad, {"lr": 0.05}),
    ):
        R = SpecialOrthogonal(3).origin(dtype=torch.float64).requires_grad_()
        optimizer = method([R], manifold=SpecialOrthogonal(3), **options)
        descend(optimizer, lambda R=R: (A @ R - B).square().sum(), 250)
        assert float((R.detach() - best).abs().max()) < 1e-4, method


def test_a_matrix_of_low_rank_is_completed():
    space = FixedRank(12, 10, 2, nodes=4)
    truth = points(Sphere(1), seed=0).new_zeros(12, 10)
    generator = torch.Generator().manual_seed(2)
    for _ in range(2):
        truth += torch.outer(*(torch.randn(n, dtype=torch.float64, generator=generator) for n in (12, 10)))
    seen = torch.rand(12, 10, generator=generator) < 0.75
    start = space.project(torch.where(seen, truth, 0.0) / 0.75)
    X = start.clone().requires_grad_()
    optimizer = RiemannianSGD([X], lr=1.0, step="retract", manifold=space)
    losses = descend(optimizer, lambda: 0.5 * (X - truth)[seen].square().sum(), 250)
    assert float((X.detach() - truth).norm() / truth.norm()) < 1e-6
    # Linear convergence: the last steps shrink the loss by as much as those before.
    assert slope(losses, 60, 90) == pytest.approx(slope(losses, 30, 60), abs=0.1)
    assert slope(losses, 30, 90) < 0.9


@pytest.mark.parametrize("method", [RiemannianAdagrad, RiemannianAdam, RiemannianAdamNc, RiemannianAMSGrad])
def test_average_regret_falls_as_the_root_of_the_number_of_steps(method):
    """Distances are geodesically convex and not strongly so: the regret is then no better than the bound."""
    space, count, replicas = Hyperboloid(2), 1000, 50
    data = space.random_normal(count, replicas, std=0.4, random_state=0, dtype=torch.float64)
    x = space.exp(space.origin(replicas, dtype=torch.float64), torch.tensor([0.0, 1.5, 0.0], dtype=torch.float64))
    x.requires_grad_()
    optimizer = method([x], lr=0.5, manifold=space)
    power = 0.0 if method is RiemannianAdagrad else -0.5
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: (t + 1) ** power)
    center = space.origin(dtype=torch.float64)
    total, regrets = 0.0, {}
    for t in range(count):
        v = space.log(x.detach(), data[t])
        d = space.norm(x.detach(), v)
        total += float((d - space.dist(center, data[t])).mean())
        v = v / d.unsqueeze(-1)
        x.grad = -torch.cat([-v[:, :1], v[:, 1:]], dim=-1)
        optimizer.step()
        schedule.step()
        regrets[t + 1] = total / (t + 1)
    assert math.log(regrets[1000] / regrets[30]) / math.log(1000 / 30) < -0.45


@pytest.mark.parametrize("method", [RiemannianAdam, RiemannianAdamNc, RiemannianAMSGrad, RiemannianAdagrad])
def test_adaptive_methods_find_the_eigenvector(method):
    A, basis = symmetric([1.0, 2.0, 2.5, 4.0])
    x = points(Sphere(3), seed=1).requires_grad_()
    optimizer = method([x], lr=0.2, manifold=Sphere(3))
    # Adagrad's own steps shrink; the others need a schedule.
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 1.0 if method is RiemannianAdagrad else 0.97)
    for _ in range(300):
        descend(optimizer, lambda: -x @ A @ x, 1)
        schedule.step()
    assert abs(float(x.detach() @ basis[:, 3])) > 1 - 1e-5
