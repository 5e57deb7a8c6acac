import numpy as np
import pytest
import torch

from holonomy.manifolds import Euclidean, Grassmann, Sphere
from holonomy.optim import ConjugateGradient, GradientDescent, StrongWolfe, minimize
from holonomy.optim.descent import BETAS


def quadratic(seed, n=6):
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.standard_normal((n, n)))
    A = torch.from_numpy(basis @ np.diag(np.arange(1.0, n + 1.0)) @ basis.T)
    b = torch.from_numpy(rng.standard_normal(n))
    return A, b


@pytest.mark.parametrize("beta", BETAS)
def test_every_rule_ends_on_a_quadratic_in_as_many_steps_as_dimensions(beta):
    A, b = quadratic(0)
    method = ConjugateGradient(beta, restart=1.0, line_search=StrongWolfe(decrease=1e-9, curvature=1e-6))
    found = minimize(lambda x: 0.5 * x @ A @ x - b @ x, Euclidean(6), torch.zeros_like(b), method, gtol=1e-9)
    assert found.success
    assert found.nit <= 7
    assert torch.allclose(found.x, torch.linalg.solve(A, b), atol=1e-8)


@pytest.mark.parametrize("beta", BETAS)
def test_every_rule_finds_the_subspace(beta):
    rng = torch.Generator().manual_seed(0)
    A = torch.randn(15, 15, generator=rng, dtype=torch.float64)
    A = A + A.mT
    space = Grassmann(15, 3)
    x0 = space.random_uniform(random_state=rng, dtype=A.dtype)
    found = minimize(lambda x: -torch.trace(x.mT @ A @ x), space, x0, ConjugateGradient(beta))
    assert found.success
    assert found.fun == pytest.approx(-float(torch.linalg.eigvalsh(A)[-3:].sum()), abs=1e-9)


def test_gradient_descent_converges_linearly_at_the_rate_of_the_condition():
    A, b = quadratic(1)
    found = minimize(lambda x: 0.5 * x @ A @ x - b @ x, Euclidean(6), torch.zeros_like(b), GradientDescent(), gtol=1e-6)
    least = float(-0.5 * b @ torch.linalg.solve(A, b))
    gaps = found.fun_history - least
    steps = len(gaps) - 1
    # The error falls at least by the factor 1 - 1 / condition a step, with the condition 6.
    assert (gaps[-1] / gaps[0]) ** (1.0 / steps) <= 1.0 - 1.0 / 6.0


def test_functions_fall_at_every_step():
    rng = torch.Generator().manual_seed(0)
    A = torch.randn(9, 9, generator=rng, dtype=torch.float64)
    x0 = Sphere(8).random_uniform(random_state=rng, dtype=A.dtype)
    for method in ("gradient_descent", "conjugate_gradient"):
        found = minimize(lambda x: x @ A @ x, Sphere(8), x0, method, gtol=1e-4)
        assert np.all(np.diff(found.fun_history) < 0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ConjugateGradient("newton"), "beta must be one of 'dai_yuan'"),
        (lambda: ConjugateGradient(restart=2.0), "restart must be in"),
    ],
)
def test_bad_options_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()
