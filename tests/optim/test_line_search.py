import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from holonomy.manifolds import Euclidean, Sphere
from holonomy.optim import Armijo, StrongWolfe, minimize
from holonomy.optim._problem import Problem

numbers = st.floats(-2.0, 2.0).filter(lambda a: abs(a) > 0.05)


def line(fun):
    problem = Problem(fun, Euclidean(1))
    at = problem.evaluate(torch.zeros(1, dtype=torch.float64))
    return problem, at


@settings(max_examples=60, deadline=None)
@given(numbers, numbers, st.floats(0.01, 3.0), st.floats(1e-3, 30.0), st.sampled_from([0.1, 0.5, 0.9]))
def test_the_step_satisfies_the_strong_wolfe_conditions(a, b, c, first, curvature):
    problem, at = line(lambda x: a * torch.sin(3.0 * x[0]) + b * x[0] + c * x[0] ** 2)
    if at.norm < 1e-3:
        return
    slope = -at.norm * at.norm
    t, there = StrongWolfe(curvature=curvature)(problem, at, -at.grad, slope, first)
    assert there.fun <= at.fun + 1e-4 * t * slope
    assert abs(problem.along(at.x, t, -at.grad)[1]) <= -curvature * slope


@settings(max_examples=40, deadline=None)
@given(numbers, numbers, st.floats(0.01, 3.0), st.floats(1e-3, 30.0))
def test_backtracking_decreases_enough(a, b, c, first):
    problem, at = line(lambda x: a * torch.sin(3.0 * x[0]) + b * x[0] + c * x[0] ** 2)
    if at.norm < 1e-3:
        return
    t, there = Armijo(decrease=0.1)(problem, at, -at.grad, -at.norm * at.norm, first)
    assert there.fun <= at.fun - 0.1 * t * at.norm**2
    assert math.log2(first / t) == pytest.approx(round(math.log2(first / t)))


@pytest.mark.parametrize("search", [Armijo(), StrongWolfe()])
def test_steps_to_where_the_function_is_not_finite_are_too_long(search):
    problem, at = line(lambda x: x[0] - torch.log(1.0 + x[0]) - 0.5 * x[0])
    t, there = search(problem, at, -at.grad, -at.norm * at.norm, 64.0)
    assert there.finite
    assert there.fun < at.fun
    assert t < 64.0


def test_a_quadratic_is_minimised_in_two_evaluations():
    problem, at = line(lambda x: (x[0] - 3.0) ** 2)
    _, there = StrongWolfe(decrease=1e-9, curvature=1e-3)(problem, at, -at.grad, -at.norm * at.norm, 1.0)
    assert float(there.x) == pytest.approx(3.0)
    assert problem.nfev == 3


def test_a_function_without_end_gives_the_best_step_within_the_limit():
    problem, at = line(lambda x: -x[0])
    t, there = StrongWolfe(max_steps=4)(problem, at, -at.grad, -at.norm * at.norm, 1.0)
    assert t == 64.0
    assert there.fun == -64.0


@pytest.mark.parametrize("search", [Armijo(max_steps=5), StrongWolfe(max_steps=5)])
def test_nothing_is_found_where_the_function_rises(search):
    problem, at = line(lambda x: x[0])
    assert search(problem, at, at.grad, -at.norm * at.norm, 1.0) is None


def test_the_search_follows_the_curve_of_the_retraction():
    space = Sphere(1)
    problem = Problem(lambda x: x[0], space)
    at = problem.evaluate(torch.tensor([0.6, 0.8], dtype=torch.float64))
    t, there = StrongWolfe(decrease=1e-9, curvature=1e-4)(problem, at, -at.grad, -at.norm * at.norm, 0.1)
    assert bool(space.belongs(there.x))
    assert abs(problem.along(at.x, t, -at.grad)[1]) <= 1e-4 * at.norm**2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Armijo(decrease=0.7), "decrease must lie between 0 and 0.5"),
        (lambda: Armijo(shrink=1.0), "shrink must lie between 0 and 1"),
        (lambda: Armijo(max_steps=0), "max_steps must be at least 1"),
        (lambda: StrongWolfe(curvature=1.5), "curvature must lie between 0 and 1"),
        (lambda: StrongWolfe(decrease=0.3, curvature=0.2), "curvature must exceed decrease"),
        (lambda: StrongWolfe(max_steps=0), "max_steps must be at least 1"),
    ],
)
def test_bad_options_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_conjugate_gradients_take_any_search():
    from holonomy.optim import ConjugateGradient

    found = minimize(lambda x: x[0], Sphere(1), torch.tensor([0.6, 0.8]), ConjugateGradient(line_search=Armijo()))
    assert found.success
