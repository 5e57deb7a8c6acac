"""Functions of symmetric matrices against mpmath, at equal, nearly equal and ill-conditioned eigenvalues."""

import mpmath as mp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.func import jacrev, vmap

from holonomy.manifolds._divided_differences import Elementwise, Exp, Log, Log1p, Power, divided_difference
from holonomy.manifolds.symmetric import (
    cholesky_differential,
    derivative,
    lyapunov,
    sym_exp,
    sym_function,
    sym_inv_sqrt,
    sym_log,
    sym_power,
    sym_sqrt,
)

FUNCTIONS = {
    "log": (sym_log, Log(), mp.log),
    "exp": (sym_exp, Exp(), mp.exp),
    "sqrt": (sym_sqrt, Power(0.5), mp.sqrt),
    "inverse sqrt": (sym_inv_sqrt, Power(-0.5), lambda x: 1 / mp.sqrt(x)),
    "power": (lambda A: sym_power(A, 1.7), Power(1.7), lambda x: mp.power(x, mp.mpf(1.7))),
    "any": (lambda A: sym_function(A, torch.sin), Elementwise(torch.sin), mp.sin),
}


@pytest.fixture(autouse=True)
def _fifty_digits():
    with mp.workdps(50):
        yield


def _matrix(eigenvalues, seed=0, dtype=torch.float64) -> Tensor:
    values = torch.as_tensor(eigenvalues, dtype=torch.float64)
    generator = torch.Generator().manual_seed(seed)
    Q, _ = torch.linalg.qr(torch.randn(len(values), len(values), generator=generator, dtype=torch.float64))
    A = (Q * values) @ Q.T
    return (0.5 * (A + A.T)).to(dtype)


def _exact(A: Tensor, f) -> Tensor:
    """Return f of exactly this matrix, by mpmath's own eigendecomposition."""
    values, Q = mp.eigsy(mp.matrix(A.double().tolist()))
    result = Q * mp.diag([f(v) for v in values]) * Q.T
    return torch.tensor([[float(result[i, j]) for j in range(len(A))] for i in range(len(A))], dtype=torch.float64)


def _exact_derivative(A: Tensor, E: Tensor, f) -> Tensor:
    """Return the derivative of f at A along E by a central difference at fifty digits."""
    step = mp.mpf(10) ** -16
    A, E = mp.matrix(A.tolist()), mp.matrix(E.tolist())

    def at(X):
        values, Q = mp.eigsy(X)
        return Q * mp.diag([f(v) for v in values]) * Q.T

    result = (at(A + step * E) - at(A - step * E)) / (2 * step)
    n = result.rows
    return torch.tensor([[float(result[i, j]) for j in range(n)] for i in range(n)], dtype=torch.float64)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("values", [(1.0, 1.0, 1.0, 1.0), (0.5, 0.5 + 1e-9, 0.5 + 1e-4, 2.0), (1e-3, 0.1, 1.0, 5.0)])
def test_value_and_derivative_equal_mpmath(name, values):
    ours, f, oracle = FUNCTIONS[name]
    A, E = _matrix(values), _matrix((1.0, -2.0, 0.5, 0.3), seed=1)
    exact = _exact(A, oracle)
    error = (ours(A) - exact).abs().max() / exact.abs().max().clamp_min(1.0)
    assert error < 1e-15 * values[-1] / values[0] + 2e-15
    slope = _exact_derivative(A, E, oracle)
    assert (derivative(A, f, E) - slope).abs().max() / slope.abs().max() < 1e-15 * values[-1] / values[0] + 1e-14


@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6, 1e8, 1e10, 1e12])
def test_error_of_the_logarithm_is_what_the_input_leaves(condition):
    A = _matrix(torch.logspace(0, -float(torch.log10(torch.tensor(condition))), 6))
    assert (sym_log(A) - _exact(A, mp.log)).abs().max() < 4 * torch.finfo(torch.float64).eps * condition + 1e-14


@pytest.mark.parametrize("condition", [1e2, 1e5])
def test_float32_is_as_good_as_its_input(condition):
    A = _matrix(torch.logspace(0, -float(torch.log10(torch.tensor(condition))), 6), dtype=torch.float32)
    exact = _exact(A, mp.log)
    assert sym_log(A).dtype == torch.float32
    assert (sym_log(A).double() - exact).abs().max() / exact.abs().max() < 1e-6


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.1, 10.0), min_size=1, max_size=4),
    st.lists(st.sampled_from([0.0, 1e-14, 1e-9, 1e-5, 1e-2, 0.3]), min_size=4, max_size=4),
    st.sampled_from(["log", "log1p", "exp", "sqrt", "power"]),
)
def test_divided_differences_equal_mpmath(points, gaps, name):
    f, oracle = {
        "log": (Log(), mp.log),
        "log1p": (Log1p(), mp.log1p),
        "exp": (Exp(), mp.exp),
        "sqrt": (Power(0.5), mp.sqrt),
        "power": (Power(-1.3), lambda x: mp.power(x, mp.mpf(-1.3))),
    }[name]
    nodes = torch.tensor([p * (1.0 + g) for p, g in zip(points, gaps, strict=False)], dtype=torch.float64)
    with mp.workdps(120):
        # Equal nodes are told apart by far less than the precision asked for.
        exact = [mp.mpf(float(x)) + mp.mpf(10) ** -25 * i for i, x in enumerate(nodes)]
        table = [oracle(x) for x in exact]
        for order in range(1, len(exact)):
            table = [(table[i + 1] - table[i]) / (exact[i + order] - exact[i]) for i in range(len(table) - 1)]
        expected = float(table[0])
    assert float(divided_difference(f, nodes)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("values", [(1.0, 1.0, 1.0), (0.5, 0.5, 2.0), (0.5, 1.0, 3.0)])
def test_every_order_is_differentiable(name, values):
    A = _matrix(values).requires_grad_()
    ours = FUNCTIONS[name][0]
    assert torch.autograd.gradcheck(ours, A)
    assert torch.autograd.gradgradcheck(ours, A)


def test_third_order_and_vmap():
    A, W = _matrix((0.5, 1.0, 1.0)).requires_grad_(), _matrix((1.0, 2.0, 3.0), seed=2)

    def second(X):
        (first,) = torch.autograd.grad((sym_log(X) * W).sum(), X, create_graph=True)
        return torch.autograd.grad((first * W).sum(), X, create_graph=True)[0]

    assert torch.autograd.gradcheck(second, A)
    batch = torch.stack([A.detach(), _matrix((1.0, 2.0, 4.0))])
    torch.testing.assert_close(vmap(jacrev(sym_log))(batch)[1], jacrev(sym_log)(batch[1]))


def test_lyapunov_solves_and_differentiates():
    A, C = (
        _matrix((0.5, 0.5, 2.0)).requires_grad_(),
        torch.arange(9.0, dtype=torch.float64).reshape(3, 3).requires_grad_(),
    )
    X = lyapunov(A, C)
    torch.testing.assert_close(A @ X + X @ A, C)
    assert torch.autograd.gradcheck(lyapunov, (A, C))
    assert torch.autograd.gradgradcheck(lyapunov, (A, C))
    batch = A.detach().expand(4, 3, 3)
    torch.testing.assert_close(vmap(lambda one: lyapunov(one, C))(batch)[2], X)


def test_cholesky_differential_is_the_derivative():
    A, V = _matrix((0.5, 1.0, 2.0)), _matrix((1.0, -1.0, 0.3), seed=3)
    _, slope = torch.func.jvp(torch.linalg.cholesky, (A,), (V,))
    torch.testing.assert_close(cholesky_differential(torch.linalg.cholesky(A), V), slope)
