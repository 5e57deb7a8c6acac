"""Functions of symmetric matrices: logarithm, exponential, roots, powers, any smooth function, and Lyapunov equations.

All share one implementation. Its derivative is the Daleckii-Krein formula with accurate divided differences, so
repeated and nearly repeated eigenvalues are harmless, and it can be differentiated again, any number of times. Matrices
in float32 are decomposed in float64. An eigenvalue is known to the spacing of floating-point numbers at the *largest*
one: at condition number c, the logarithm has an absolute error near ``c * eps``. Reverse mode and ``vmap`` nest;
forward mode is refused by torch.
"""

import itertools
import string
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from holonomy._core.citations import references
from holonomy.manifolds._divided_differences import Elementwise, Exp, Log, Power, ScalarFunction, divided_difference


def sym_log(A: Tensor) -> Tensor:
    """Return the logarithm of symmetric positive definite matrices.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        Symmetric, with positive eigenvalues.

    Returns
    -------
    Tensor of shape (..., n, n)
        Symmetric; NaN where an eigenvalue is negative.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import sym_log
    >>> sym_log(torch.eye(2))
    tensor([[0., 0.],
            [0., 0.]])
    """
    return apply_function(A, Log())


def sym_exp(A: Tensor) -> Tensor:
    """Return the exponential of symmetric matrices (..., n, n).

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import sym_exp
    >>> sym_exp(torch.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    return apply_function(A, Exp())


def sym_power(A: Tensor, exponent: float) -> Tensor:
    """Return a real power of symmetric positive definite matrices (..., n, n).

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import sym_power
    >>> sym_power(4.0 * torch.eye(2), -0.5)
    tensor([[0.5000, 0.0000],
            [0.0000, 0.5000]])
    """
    return apply_function(A, Power(float(exponent)))


def sym_sqrt(A: Tensor) -> Tensor:
    """Return the square root of symmetric positive definite matrices (..., n, n).

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import sym_sqrt
    >>> sym_sqrt(4.0 * torch.eye(2))
    tensor([[2., 0.],
            [0., 2.]])
    """
    return apply_function(A, Power(0.5))


def sym_inv_sqrt(A: Tensor) -> Tensor:
    """Return the inverse square root of symmetric positive definite matrices (..., n, n).

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import sym_inv_sqrt
    >>> sym_inv_sqrt(4.0 * torch.eye(2)).diagonal()
    tensor([0.5000, 0.5000])
    """
    return apply_function(A, Power(-0.5))


def sym_function(A: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
    """Return any smooth function of symmetric matrices.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        Symmetric.
    f : callable
        Maps a tensor of eigenvalues elementwise, by torch operations.

    Returns
    -------
    Tensor of shape (..., n, n)
        ``U f(lambda) U^T``; its gradient is right at repeated eigenvalues.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import sym_function
    >>> sym_function(torch.zeros(2, 2), torch.cos)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return apply_function(A, Elementwise(f))


@references("daleckii1965integration", "higham2008functions")
def apply_function(A: Tensor, f: ScalarFunction) -> Tensor:
    """Return f(A) for symmetric A (..., n, n) and a function that knows its divided differences."""
    return _Apply.apply(A, f)[0]


def derivative(A: Tensor, f: ScalarFunction, *directions: Tensor) -> Tensor:
    """Return the derivative of f(A) at symmetric A along symmetric directions, all (..., n, n); one for each order."""
    values, vectors = eigh(A)
    shape = torch.broadcast_shapes(A.shape, *(one.shape for one in directions))
    known = (A.expand(shape), values.expand(shape[:-1]), vectors.expand(shape))
    return _Derivative.apply(f, *known, *(one.expand(shape) for one in directions))


def lyapunov(A: Tensor, C: Tensor) -> Tensor:
    """Solve ``A X + X A = C`` for symmetric positive definite A.

    Parameters
    ----------
    A, C : Tensor of shape (..., n, n)
        ``A`` symmetric positive definite; ``C`` any matrices (symmetric ones give symmetric solutions).

    Returns
    -------
    Tensor of shape (..., n, n)
        The solution, differentiable in both any number of times.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import lyapunov
    >>> lyapunov(torch.eye(2), torch.ones(2, 2))
    tensor([[0.5000, 0.5000],
            [0.5000, 0.5000]])
    """
    shape = torch.broadcast_shapes(A.shape, C.shape)
    return _Lyapunov.apply(A.expand(shape), C.expand(shape))[0]


def cholesky_differential(L: Tensor, V: Tensor) -> Tensor:
    """Return the derivative of the Cholesky factor of ``L L^T`` along symmetric V.

    Parameters
    ----------
    L : Tensor of shape (..., n, n)
        Lower triangular with positive diagonal.
    V : Tensor of shape (..., n, n)
        Symmetric direction.

    Returns
    -------
    Tensor of shape (..., n, n)
        Lower triangular D with ``D L^T + L D^T = V``.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import cholesky_differential
    >>> cholesky_differential(torch.eye(2), 2.0 * torch.eye(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    left = torch.linalg.solve_triangular(L, V, upper=False)
    inside = torch.linalg.solve_triangular(L, left.mT, upper=False)
    return L @ (inside.tril(-1) + torch.diag_embed(0.5 * inside.diagonal(dim1=-2, dim2=-1)))


def symmetrize(A: Tensor) -> Tensor:
    """Return the symmetric part of matrices (..., n, n)."""
    return 0.5 * (A + A.mT)


def eigh(A: Tensor) -> tuple[Tensor, Tensor]:
    """Return eigenvalues and eigenvectors in float64 of the symmetric part, outside of autograd."""
    return torch.linalg.eigh(symmetrize(A.detach()).double())


def _spectral(vectors: Tensor, values: Tensor) -> Tensor:
    return (vectors * values[..., None, :]) @ vectors.mT


class _Apply(torch.autograd.Function):
    """f(A), with the eigendecomposition as further, not differentiable outputs that later orders share."""

    @staticmethod
    def forward(A: Tensor, f: ScalarFunction) -> tuple[Tensor, Tensor, Tensor]:
        values, vectors = eigh(A)
        return _spectral(vectors, f.value(values)).to(A.dtype), values, vectors

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        A, ctx.f = inputs
        _, values, vectors = output
        ctx.mark_non_differentiable(values, vectors)
        ctx.save_for_backward(A, values, vectors)

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor, None]:
        A, values, vectors = ctx.saved_tensors
        return _Derivative.apply(ctx.f, A, values, vectors, grad), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, A: Tensor, f: ScalarFunction) -> tuple:
        return _Apply.apply(A.movedim(in_dims[0], 0), f), (0, 0, 0)


class _Derivative(torch.autograd.Function):
    """The k-th derivative of f at A along k directions.

    ``<G, D^k f(A)[E_1 .. E_k]>`` is symmetric in G and all E_i, because it is the derivative of order k + 1 of the
    trace of an antiderivative; so every gradient is again such a derivative.
    """

    @staticmethod
    def forward(f: ScalarFunction, A: Tensor, values: Tensor, vectors: Tensor, *directions: Tensor) -> Tensor:
        turned = [vectors.mT @ symmetrize(one).to(vectors.dtype) @ vectors for one in directions]
        inside = divided_difference(f, _all_tuples(values, len(directions) + 1))
        if len(directions) == 1:
            inside = inside * turned[0]
        else:
            inside = torch.stack([_chain(inside, order) for order in itertools.permutations(turned)]).sum(0)
        return (vectors @ inside @ vectors.mT).to(A.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        ctx.f, *tensors = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple:
        A, values, vectors, *directions = ctx.saved_tensors
        known = (ctx.f, A, values, vectors)
        grad_A = _Derivative.apply(*known, *directions, grad) if ctx.needs_input_grad[1] else None
        grads = [
            _Derivative.apply(*known, *directions[:i], grad, *directions[i + 1 :])
            if ctx.needs_input_grad[4 + i]
            else None
            for i in range(len(directions))
        ]
        return None, grad_A, None, None, *grads

    @staticmethod
    def vmap(info: Any, in_dims: tuple, f: ScalarFunction, *tensors: Tensor) -> tuple[Tensor, int]:
        return _Derivative.apply(f, *_batched(info, in_dims[1:], tensors)), 0


class _Lyapunov(torch.autograd.Function):
    """The solution of A X + X A = C, with the eigendecomposition of A kept for the backward pass."""

    @staticmethod
    def forward(A: Tensor, C: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        values, vectors = eigh(A)
        return _solve(values, vectors, C), values, vectors

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        X, values, vectors = output
        ctx.mark_non_differentiable(values, vectors)
        ctx.save_for_backward(inputs[0], X, values, vectors)

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
        A, X, values, vectors = ctx.saved_tensors
        Y = lyapunov(A, grad) if torch.is_grad_enabled() else _solve(values, vectors, grad)
        return -symmetrize(X @ Y.mT + X.mT @ Y), Y

    @staticmethod
    def vmap(info: Any, in_dims: tuple, A: Tensor, C: Tensor) -> tuple:
        return _Lyapunov.apply(*_batched(info, in_dims, (A, C))), (0, 0, 0)


def _solve(values: Tensor, vectors: Tensor, C: Tensor) -> Tensor:
    turned = vectors.mT @ C.to(vectors.dtype) @ vectors
    return (vectors @ (turned / (values[..., :, None] + values[..., None, :])) @ vectors.mT).to(C.dtype)


def _all_tuples(values: Tensor, m: int) -> Tensor:
    """Return all m-tuples of the last axis: shape (..., n, .., n, m)."""
    n = values.shape[-1]
    axes = [values.reshape(*values.shape[:-1], *(n if i == axis else 1 for i in range(m))) for axis in range(m)]
    return torch.stack(torch.broadcast_tensors(*axes), dim=-1)


def _chain(differences: Tensor, directions: tuple[Tensor, ...]) -> Tensor:
    """Return the sum over inner indices of differences[i0 .. ik] E1[i0 i1] ... Ek[i(k-1) ik]."""
    k = len(directions)
    letters = string.ascii_lowercase[: k + 1]
    pairs = ",".join(f"...{letters[i]}{letters[i + 1]}" for i in range(k))
    return torch.einsum(f"...{letters},{pairs}->...{letters[0]}{letters[-1]}", differences, *directions)


def _batched(info: Any, in_dims: tuple, tensors: tuple[Tensor, ...]) -> list[Tensor]:
    """Bring the mapped axis of every tensor to the front, so that leading axes broadcast as everywhere."""
    return [
        one.expand(info.batch_size, *one.shape) if dim is None else one.movedim(dim, 0)
        for one, dim in zip(tensors, in_dims, strict=True)
    ]
