import math

import numpy as np
import pytest
import torch

from holonomy.manifolds import SPD, Euclidean, Grassmann, Hyperboloid, SpecialOrthogonal, Sphere, Stiefel
from holonomy.optim import TrustRegion, minimize
from holonomy.optim._problem import Problem
from holonomy.optim.trust_region import truncated_cg


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


def frechet(space, rng):
    points = space.random_normal(8, std=0.6, random_state=rng, dtype=torch.float64)
    return lambda x: 0.5 * space.squared_dist(x, points).mean(), points[0]


@pytest.mark.parametrize("theta", [1.0, 0.5])
@pytest.mark.parametrize("space", [SPD(3), Hyperboloid(3)], ids=str)
def test_gradients_fall_with_the_order_of_theta(space, theta, rng):
    fun, x0 = frechet(space, rng)
    found = minimize(fun, space, x0, TrustRegion(theta=theta), gtol=1e-15, max_iter=30)
    norms = found.grad_norm_history
    assert norms[-1] < 1e-13
    here, after = norms[:-1], norms[1:]
    near = (here < 0.1 * norms[0]) & (here > 1e-12)
    assert near.sum() >= 2
    # The model is solved up to a residual of |g| (|g| / |g_0|)^theta, and errs by a multiple of |g|^2 itself.
    bounds = here * (here / norms[0]) ** theta + 2.0 * here**2 + 1e-14
    assert np.all(after[near] <= bounds[near])


def test_exact_steps_converge_quadratically_on_frames(rng):
    A = torch.randn(8, 8, generator=rng, dtype=torch.float64)
    A, weights, space = A + A.mT, torch.tensor([2.0, 1.0], dtype=torch.float64), Stiefel(8, 2)
    x0 = space.random_uniform(random_state=rng, dtype=A.dtype)
    method = TrustRegion(kappa=1e-10)
    found = minimize(lambda x: ((x.mT @ A @ x).diagonal() * weights).sum(), space, x0, method, gtol=1e-15, max_iter=30)
    norms = found.grad_norm_history
    here, after = norms[:-1], norms[1:]
    near = (here < 0.3) & (here > 1e-9)
    assert near.sum() >= 2
    assert np.all(after[near] <= 2.0 * here[near] ** 2 + 1e-13)


def test_differences_of_gradients_converge_as_fast_at_first(rng):
    A = torch.randn(10, 10, generator=rng, dtype=torch.float64)
    A, space = A + A.mT, Grassmann(10, 2)
    x0 = space.random_uniform(random_state=rng, dtype=A.dtype)
    exact = minimize(lambda x: torch.trace(x.mT @ A @ x), space, x0, "trust_region")
    rough = minimize(lambda x: torch.trace(x.mT @ A @ x), space, x0, "trust_region", jac=lambda x: 2.0 * A @ x)
    assert rough.hessian_used == "finite differences"
    assert rough.success
    assert rough.nit <= exact.nit + 2


def test_a_saddle_is_left_where_the_gradient_is_not_zero():
    found = minimize(lambda x: x[0] ** 2 - x[1] ** 2 + x[1] ** 4, Euclidean(2), np.array([1.0, 1e-6]), "trust_region")
    assert found.success
    np.testing.assert_allclose(np.abs(found.x), [0.0, math.sqrt(0.5)], atol=1e-6)


@pytest.mark.parametrize("radius", [1e-3, 1e3])
def test_any_first_radius_will_do(radius, rng):
    A = torch.randn(6, 6, generator=rng, dtype=torch.float64)
    space = SpecialOrthogonal(6)
    x0 = space.random_uniform(random_state=rng, dtype=A.dtype)
    found = minimize(lambda x: (x - A).square().sum(), space, x0, TrustRegion(radius=radius))
    assert found.success
    # Steps may lead to other critical points of the trace than the nearest rotation, but only this one is a minimum.
    assert torch.allclose(found.x, space.project(A), atol=1e-6)


def quadratic(rng, signs):
    values = torch.tensor(signs, dtype=torch.float64)
    basis = SpecialOrthogonal(len(signs)).random_uniform(random_state=rng, dtype=torch.float64)
    A = basis @ torch.diag(values) @ basis.mT
    b = torch.randn(len(signs), generator=rng, dtype=torch.float64)
    problem = Problem(lambda x: 0.5 * x @ A @ x + b @ x, Euclidean(len(signs)))
    return A, b, problem, problem.evaluate(torch.zeros_like(b))


def test_within_a_wide_radius_the_step_is_newtons(rng):
    A, b, problem, at = quadratic(rng, [1.0, 2.0, 5.0, 9.0])
    step, image, at_edge = truncated_cg(problem, at, lambda v: A @ v, 1e3, 1e-12, 20)
    assert not at_edge
    assert torch.allclose(step, -torch.linalg.solve(A, b), atol=1e-10)
    assert torch.allclose(image, A @ step, atol=1e-10)


@pytest.mark.parametrize("signs", [[1.0, 2.0, 5.0, 9.0], [-1.0, 2.0, 5.0, 9.0], [-3.0, -2.0, -1.0, -0.5]])
def test_steps_to_the_edge_have_its_radius_and_beat_the_cauchy_step(signs, rng):
    A, b, problem, at = quadratic(rng, signs)
    radius = 0.05
    step, image, at_edge = truncated_cg(problem, at, lambda v: A @ v, radius, 1e-12, 20)
    assert at_edge
    assert float(step.norm()) == pytest.approx(radius)
    assert torch.allclose(image, A @ step, atol=1e-12)
    model = float(b @ step + 0.5 * step @ A @ step)
    curvature, size = float(b @ A @ b), float(b.norm())
    length = min(radius / size, size**2 / curvature) if curvature > 0 else radius / size
    assert model <= -length * size**2 + 0.5 * length**2 * curvature + 1e-12


def test_the_number_of_products_is_bounded(rng):
    A, _, problem, at = quadratic(rng, [1.0, 2.0, 5.0, 9.0])
    seen = []
    truncated_cg(problem, at, lambda v: (seen.append(1), A @ v)[1], 1e3, 0.0, 2)
    assert len(seen) == 2


def test_the_largest_radius_is_kept():
    lengths, last = [], [None]

    def watch(state):
        lengths.append(float(Sphere(1).dist(state.x, last[0])))
        last[0] = state.x

    x0 = Sphere(1).project(torch.tensor([0.1, 1.0], dtype=torch.float64))
    last[0] = x0
    minimize(lambda x: x[1], Sphere(1), x0, TrustRegion(max_radius=0.1), callback=watch)
    assert max(lengths) <= 0.1 + 1e-9


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"radius": 0.0}, "radius must be positive"),
        ({"max_radius": -1.0}, "max_radius must be positive"),
        ({"accept": 0.3}, "accept must lie in"),
        ({"kappa": 1.0}, "kappa must lie between 0 and 1"),
        ({"theta": -1.0}, "theta must be at least 0"),
        ({"max_inner": 0}, "max_inner must be at least 1"),
    ],
)
def test_bad_options_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        TrustRegion(**options)
