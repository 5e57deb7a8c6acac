from types import SimpleNamespace

import numpy as np
import pytest
import torch

from holonomy.manifolds import SPD, Euclidean, Sphere
from holonomy.optim import LBFGS, ConjugateGradient, StrongWolfe, minimize
from holonomy.optim._problem import Problem
from holonomy.optim.quasi_newton import _Pairs


def convex(seed, n=6):
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.standard_normal((n, n)))
    return torch.from_numpy(basis @ np.diag(np.arange(1.0, n + 1.0)) @ basis.T), torch.from_numpy(
        rng.standard_normal(n)
    )


def test_with_exact_searches_a_quadratic_gives_the_steps_of_conjugate_gradients():
    A, b = convex(0)

    def path(method):
        points = []
        minimize(
            lambda x: 0.5 * x @ A @ x - b @ x,
            Euclidean(6),
            torch.zeros_like(b),
            method,
            gtol=1e-7,
            callback=lambda state: points.append(state.x),
        )
        return torch.stack(points)

    search = StrongWolfe(decrease=1e-9, curvature=1e-8)
    ours = path(LBFGS(line_search=search))
    theirs = path(ConjugateGradient("fletcher_reeves", restart=1.0, line_search=search))
    assert len(ours) <= 7
    assert torch.allclose(ours[:5], theirs[:5], atol=1e-6)


def test_the_approximation_maps_the_last_change_of_the_gradient_to_the_last_step():
    space = SPD(2)
    points = space.random_normal(4, std=0.5, random_state=0, dtype=torch.float64)
    problem = Problem(lambda x: 0.5 * space.squared_dist(x, points).mean(), space)
    pairs, at = _Pairs(), problem.evaluate(points[0])
    for _ in range(4):
        there = problem.evaluate(problem.retract(at.x, -0.5 * at.grad))
        pairs.follow(problem, at, there, -0.5 * at.grad, LBFGS(memory=3))
        at = there
    assert len(pairs.products) == 3
    asked = SimpleNamespace(x=at.x, grad=pairs.y[-1])
    assert torch.allclose(pairs.direction(problem, asked), -pairs.s[-1], atol=1e-12)
    assert bool(space.is_tangent(at.x, pairs.s).all())


def test_pairs_along_which_the_gradient_falls_are_not_remembered():
    problem = Problem(lambda x: -(x**2).sum(), Euclidean(2))
    at, there = (problem.evaluate(torch.full((2,), t, dtype=torch.float64)) for t in (1.0, 2.0))
    pairs = _Pairs()
    pairs.follow(problem, at, there, there.x - at.x, LBFGS())
    assert not pairs
    assert torch.equal(pairs.direction(problem, there), -there.grad)


def test_more_memory_needs_fewer_steps_on_an_ill_conditioned_function():
    weights = torch.logspace(0, 4, 30, dtype=torch.float64)
    x0 = Sphere(29).random_uniform(random_state=0, dtype=torch.float64)
    steps = [minimize(lambda x: (weights * x**2).sum(), Sphere(29), x0, LBFGS(m), max_iter=3000).nit for m in (1, 20)]
    assert steps[1] < 0.7 * steps[0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LBFGS(memory=0), "memory must be at least 1"),
        (lambda: LBFGS(caution=-1.0), "caution must be at least 0"),
    ],
)
def test_bad_options_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()
