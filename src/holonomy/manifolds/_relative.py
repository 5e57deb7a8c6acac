"""Functions of one symmetric matrix relative to another, from one Cholesky factor and one eigendecomposition."""

import functools
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from holonomy.manifolds._divided_differences import Log, ScalarFunction
from holonomy.manifolds._fused import again, in_matrix_blocks, run_rows, served
from holonomy.manifolds._invariant import identity_like, trace
from holonomy.manifolds.numerics import safe_sqrt
from holonomy.manifolds.symmetric import apply_function, derivative, symmetrize

WIDE_SPECTRUM = 1e-4
"""Ratio of the smallest to the largest relative eigenvalue below which factors are decomposed instead of matrices."""


SMALL_SIZE = 8
"""Largest size of the matrices whose distances come from compiled Jacobi rotations."""


def relative_squared_distance(A: Tensor, B: Tensor, alpha: float = 1.0, beta: float = 0.0) -> Tensor:
    """Return ``alpha sum(l^2) + beta sum(l)^2``, l the logarithms of the eigenvalues of ``A^-1 B``.

    Parameters
    ----------
    A, B : Tensor of shape (..., n, n)
        Symmetric positive definite.
    alpha, beta : float
        Weights of the squares and of the trace.

    Returns
    -------
    Tensor of shape (...)
        Differentiable any number of times, smooth where A = B, and relatively precise near there. Eigenvectors are
        computed only where gradients will be.
    """
    A, B = torch.broadcast_tensors(A, B)
    gradients = torch.is_grad_enabled() and (A.requires_grad or B.requires_grad)
    return _SquaredDistance.apply(A, B, alpha, beta, gradients)[0]


def relative_distance(A: Tensor, B: Tensor, alpha: float = 1.0, beta: float = 0.0) -> Tensor:
    """Return the root of :func:`relative_squared_distance`, with derivative 0 where A = B."""
    A, B = torch.broadcast_tensors(A, B)
    gradients = torch.is_grad_enabled() and (A.requires_grad or B.requires_grad)
    if not gradients and _small(A, B):
        return _small_distance_parts(alpha, beta, A, B)[0].sqrt_()
    return _Distance.apply(A, B, alpha, beta, gradients)[0]


def relative_function(A: Tensor, B: Tensor, f: ScalarFunction) -> Tensor:
    """Return ``A^(1/2) f(A^(-1/2) B A^(-1/2)) A^(1/2)``, symmetric, with one eigendecomposition.

    Parameters
    ----------
    A : Tensor of shape (..., n, n)
        Symmetric positive definite.
    B : Tensor of shape (..., n, n)
        Symmetric.
    f : ScalarFunction
        What is applied to the eigenvalues of B relative to A.

    Returns
    -------
    Tensor of shape (..., n, n)
        Differentiable in both any number of times.
    """
    A, B = torch.broadcast_tensors(A, B)
    return _RelativeFunction.apply(A, B, f)[0]


def whiten(L: Tensor, v: Tensor) -> Tensor:
    """Return ``L^-1 v L^-T`` for symmetric v."""
    return symmetrize(_whiten_lower(*torch.broadcast_tensors(L, v)))


def _whiten_lower(L: Tensor, v: Tensor) -> Tensor:
    """Return ``L^-1 v L^-T``, symmetric up to rounding: enough for decompositions, which read the lower triangle."""
    left = torch.linalg.solve_triangular(L, v, upper=False)
    return torch.linalg.solve_triangular(L, left.mT, upper=False)


def _root(A: Tensor) -> Tensor:
    """Return the Cholesky factor of the symmetric part."""
    return torch.linalg.cholesky(symmetrize(A))


def _relative(A: Tensor, B: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the Cholesky factor L of A, what B is relative to A less the identity, and where that would lose digits.

    There, where B is everywhere well below A, it is B itself that is whitened.
    """
    A, B = A.detach().double(), B.detach().double()
    L = torch.linalg.cholesky(A)
    excess = _whiten_lower(L, B - A)
    below = excess.diagonal(dim1=-2, dim2=-1).amax(-1) < -0.5
    if bool(below.any()):
        excess = torch.where(below[..., None, None], _whiten_lower(L, B), excess)
    return L, excess, below


def _log_eigenvalues(
    L: Tensor, B: Tensor, excess: Tensor, below: Tensor, *, vectors: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the logarithms of the relative eigenvalues, the eigenvalues, and the eigenvectors if asked for."""
    if vectors:
        values, U = torch.linalg.eigh(excess)
    else:
        values = torch.linalg.eigvalsh(excess)
        U = torch.empty_like(excess)
    if bool(below.any()):
        direct = below[..., None]
        plain = torch.log(torch.where(direct, values, 1.0))
        logarithms = torch.where(direct, plain, torch.log1p(torch.where(direct, 0.0, values)))
        values = torch.where(direct, values, 1.0 + values)
    else:
        logarithms, values = torch.log1p(values), 1.0 + values
    wide = ~(values[..., 0] > WIDE_SPECTRUM * values[..., -1])
    if bool(wide.any()):
        logarithms, values, U = logarithms.clone(), values.clone(), U.clone()
        logarithms[wide], values[wide], U[wide] = _from_factors(L[wide], B.detach().double().expand_as(L)[wide])
    return logarithms, values, U


def _from_factors(L: Tensor, B: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same from the singular values of the factor of B relative to that of A.

    They spread over half as many digits as the eigenvalues, so the small ones keep twice as many.
    """
    U, singular, _ = torch.linalg.svd(torch.linalg.solve_triangular(L, torch.linalg.cholesky(B), upper=False))
    singular = singular.flip(-1)
    return 2.0 * torch.log(singular), singular.square(), U.flip(-1)


def _quadratic(logarithms: Tensor, alpha: float, beta: float) -> Tensor:
    square = alpha * logarithms.square().sum(-1)
    return square if beta == 0.0 else square + beta * logarithms.sum(-1).square()


class _RelativeFunction(torch.autograd.Function):
    """``L f(C) L^T`` with ``A = L L^T`` and ``C = L^-1 B L^-T``.

    The result depends on A alone and not on which root L is taken, so the derivative along dA may move L by ``L X / 2``
    with ``X = L^-1 dA L^-T``: no derivative of the Cholesky factor is needed.
    """

    @staticmethod
    def forward(A: Tensor, B: Tensor, f: ScalarFunction) -> tuple[Tensor, ...]:
        return in_matrix_blocks(functools.partial(_relative_parts, f), A, B)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        A, B, ctx.f = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(A, B, *output[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor, Tensor, None]:
        A, B, L, U, values, applied = ctx.saved_tensors
        if torch.is_grad_enabled():
            grad_A, grad_B = _relative_gradients(A.double(), B.double(), ctx.f, grad.double())
            return grad_A.to(A.dtype), grad_B.to(B.dtype), None
        pulled = functools.partial(_relative_slopes, ctx.f)
        grad_A, grad_B = in_matrix_blocks(pulled, grad, L, U, values, applied)
        return grad_A, grad_B, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, A: Tensor, B: Tensor, f: ScalarFunction) -> tuple:
        return _RelativeFunction.apply(*_batched(info, in_dims, A, B), f), (0, 0, 0, 0, 0)


def _relative_parts(f: ScalarFunction, A: Tensor, B: Tensor) -> tuple[Tensor, ...]:
    """Return the function, the Cholesky factor, eigenvectors, eigenvalues, and the function of those."""
    if isinstance(f, Log):
        L, excess, below = _relative(A, B)
        applied, values, U = _log_eigenvalues(L, B, excess, below, vectors=True)
    else:
        L = torch.linalg.cholesky(A.detach().double())
        values, U = torch.linalg.eigh(_whiten_lower(L, B.detach().double()))
        applied = f.value(values)
    Z = L @ U
    return symmetrize((Z * applied[..., None, :]) @ Z.mT).to(A.dtype), L, U, values, applied


def _relative_slopes(f: ScalarFunction, grad: Tensor, *parts: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients by A and B from the gradient by the function and its parts."""
    L, U, values, applied = parts
    Z, W = L @ U, torch.linalg.solve_triangular(L.mT, U, upper=True)
    K = Z.mT @ symmetrize(grad).double() @ Z
    inside = f.slope(values[..., :, None], values[..., None, :]).mul_(K)
    K.mul_(_pair_sums(0.5 * applied)).sub_(_pair_sums(0.5 * values).mul_(inside))
    return (W @ K @ W.mT).to(grad.dtype), (W @ inside @ W.mT).to(grad.dtype)


class _SquaredDistance(torch.autograd.Function):
    """Squared distances, with the gradient from the same eigendecomposition."""

    @staticmethod
    def forward(A: Tensor, B: Tensor, alpha: float, beta: float, gradients: bool) -> tuple[Tensor, ...]:
        if _small(A, B):
            return _small_distance_parts(alpha, beta, A, B)
        return in_matrix_blocks(functools.partial(_distance_parts, alpha, beta, gradients), A, B)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        A, B, ctx.alpha, ctx.beta, _ = inputs
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(A, B, *output[1:])

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        A, B, L, U, values, logarithms = ctx.saved_tensors
        if torch.is_grad_enabled():
            grad_A, grad_B = _distance_gradients(A.double(), B.double(), ctx.alpha, ctx.beta)
            scale = grad[..., None, None]
            return scale * grad_A.to(A.dtype), scale * grad_B.to(B.dtype), None, None, None
        if _small(A, B):
            return *_small_distance_slopes(ctx, False, grad), None, None, None
        return _pull(ctx, A, B, L, U, values, logarithms, grad)

    @staticmethod
    def vmap(info: Any, in_dims: tuple, A: Tensor, B: Tensor, *options: Any) -> tuple:
        return _SquaredDistance.apply(*_batched(info, in_dims, A, B), *options), (0, 0, 0, 0, 0)


class _Distance(_SquaredDistance):
    """Distances, likewise."""

    @staticmethod
    def forward(A: Tensor, B: Tensor, alpha: float, beta: float, gradients: bool) -> tuple[Tensor, ...]:
        squares, *parts = _SquaredDistance.forward(A, B, alpha, beta, gradients)
        return squares.sqrt(), *parts

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        A, B, L, U, values, logarithms = ctx.saved_tensors
        if torch.is_grad_enabled():

            def formula(x: Tensor, y: Tensor) -> Tensor:
                return safe_sqrt(relative_squared_distance(x, y, ctx.alpha, ctx.beta))

            return *again(formula, (A, B), grad), None, None, None
        if _small(A, B):
            return *_small_distance_slopes(ctx, True, grad), None, None, None
        square = _quadratic(logarithms, ctx.alpha, ctx.beta)
        apart = square > 0
        scale = torch.where(apart, 0.5 * grad * torch.where(apart, square, 1.0).rsqrt(), 0.0)
        return _pull(ctx, A, B, L, U, values, logarithms, scale)

    @staticmethod
    def vmap(info: Any, in_dims: tuple, A: Tensor, B: Tensor, *options: Any) -> tuple:
        return _Distance.apply(*_batched(info, in_dims, A, B), *options), (0, 0, 0, 0, 0)


def _pull(ctx: Any, A: Tensor, B: Tensor, *parts: Tensor) -> tuple[Tensor | None, ...]:
    """Return the gradients from those by the squared distances, which are the last of ``parts``."""
    L, U, values, logarithms, grad = parts
    weights = 2.0 * ctx.alpha * logarithms
    if ctx.beta != 0.0:
        weights = weights + 2.0 * ctx.beta * logarithms.sum(-1, keepdim=True)
    grad_A, grad_B = in_matrix_blocks(_distance_slopes, L, U, values, grad.double()[..., None] * weights)
    return grad_A.to(A.dtype), grad_B.to(B.dtype), None, None, None


def _small(A: Tensor, B: Tensor) -> bool:
    """Say whether the matrices are so small that compiled Jacobi rotations beat calls of LAPACK."""
    return A.shape[-1] <= SMALL_SIZE and served(A, B)


def _small_distance_parts(alpha: float, beta: float, A: Tensor, B: Tensor) -> tuple[Tensor, ...]:
    from holonomy.manifolds import _jacobi_kernels

    shape, n = A.shape[:-2], A.shape[-1]
    count = math.prod(shape)
    squares = torch.empty(shape, dtype=A.dtype)
    L, U = (torch.empty(A.shape, dtype=torch.float64) for _ in range(2))
    values, logarithms = (torch.empty(A.shape[:-1], dtype=torch.float64) for _ in range(2))
    matrices = [one.detach().contiguous().numpy().reshape(count, n, n) for one in (A, B, L, U)]
    vectors = [one.numpy().reshape(count, n) for one in (values, logarithms)]
    failed = np.zeros(1, dtype=np.int64)
    filled = squares.numpy().reshape(count)
    run_rows(_jacobi_kernels.squared_dist, [alpha, beta, *matrices, *vectors, filled, failed], count, n * n)
    if failed[0]:
        return _distance_parts(alpha, beta, True, A, B)
    return squares, L, U, values, logarithms


def _small_distance_slopes(ctx: Any, root: bool, grad: Tensor) -> tuple[Tensor, Tensor]:
    from holonomy.manifolds import _jacobi_kernels

    A, _, *parts = ctx.saved_tensors
    n = A.shape[-1]
    count = math.prod(A.shape[:-2])
    grad_A, grad_B = (torch.empty(A.shape, dtype=A.dtype) for _ in range(2))
    L, U, values, logarithms = (one.numpy() for one in parts)
    arrays = [*(one.reshape(count, n, n) for one in (L, U)), *(one.reshape(count, n) for one in (values, logarithms))]
    arrays += [grad.detach().contiguous().numpy().reshape(count)]
    arrays += [one.numpy().reshape(count, n, n) for one in (grad_A, grad_B)]
    run_rows(_jacobi_kernels.squared_dist_slopes, [ctx.alpha, ctx.beta, root, *arrays], count, n * n)
    return grad_A, grad_B


def _distance_parts(alpha: float, beta: float, gradients: bool, A: Tensor, B: Tensor) -> tuple[Tensor, ...]:
    """Return squared distances, the Cholesky factor, eigenvectors, eigenvalues, and their logarithms."""
    L, excess, below = _relative(A, B)
    logarithms, values, U = _log_eigenvalues(L, B, excess, below, vectors=gradients)
    return _quadratic(logarithms, alpha, beta).to(A.dtype), L, U, values, logarithms


def _distance_slopes(L: Tensor, U: Tensor, values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients by A and B from those by the logarithms."""
    W = torch.linalg.solve_triangular(L.mT, U, upper=True)
    return -(W * weights[..., None, :]) @ W.mT, (W * (weights / values)[..., None, :]) @ W.mT


def _relative_gradients(A: Tensor, B: Tensor, f: ScalarFunction, grad: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients of the relative function as an expression that can itself be differentiated."""
    L = _root(A)
    C = whiten(L, B)
    K = L.mT @ symmetrize(grad) @ L
    M = derivative(C, f, K)
    inside = symmetrize(K @ apply_function(C, f)) - symmetrize(M @ C)
    return _unwhiten(L, inside), _unwhiten(L, M)


def _distance_gradients(A: Tensor, B: Tensor, alpha: float, beta: float) -> tuple[Tensor, Tensor]:
    """Return the gradients of the squared distance, differentiable: minus twice the logarithms, lowered."""
    gradients = []
    for x, y in ((A, B), (B, A)):
        L = _root(x)
        inside = whiten(L, relative_function(x, y, Log()))
        if beta != 0.0:
            inside = alpha * inside + beta * trace(inside)[..., None, None] * identity_like(inside)
        else:
            inside = alpha * inside
        gradients.append(-2.0 * _unwhiten(L, inside))
    return gradients[0], gradients[1]


def _unwhiten(L: Tensor, v: Tensor) -> Tensor:
    """Return ``L^-T v L^-1`` for symmetric v."""
    left = torch.linalg.solve_triangular(L.mT, v, upper=True)
    return symmetrize(torch.linalg.solve_triangular(L.mT, left.mT, upper=True))


def _pair_sums(values: Tensor) -> Tensor:
    return values[..., :, None] + values[..., None, :]


def _batched(info: Any, in_dims: tuple, *tensors: Tensor) -> list[Tensor]:
    return [
        one.expand(info.batch_size, *one.shape) if dim is None else one.movedim(dim, 0)
        for one, dim in zip(tensors, in_dims, strict=False)
    ]
