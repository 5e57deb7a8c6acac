"""Functions of one symmetric matrix relative to another, from one Cholesky factor and one eigendecomposition."""

import functools
from typing import Any

import torch
from torch import Tensor

from holonomy.manifolds import _relative_compiled as compiled
from holonomy.manifolds import _relative_parts as plain
from holonomy.manifolds._divided_differences import Log, ScalarFunction
from holonomy.manifolds._fused import again, in_matrix_blocks
from holonomy.manifolds._invariant import identity_like, trace
from holonomy.manifolds._relative_compiled import small, together
from holonomy.manifolds._relative_parts import quadratic, whiten_lower
from holonomy.manifolds.numerics import safe_sqrt
from holonomy.manifolds.symmetric import apply_function, derivative, symmetrize


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
    if not gradients and small(A, B):
        return compiled.small_distance_parts(alpha, beta, A, B)[0].sqrt_()
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
    gradients = torch.is_grad_enabled() and (A.requires_grad or B.requires_grad)
    if not gradients and isinstance(f, Log) and together(A, B):
        return compiled.logarithm_parts(A, B, kept=False, filled=True)[0].to(A.dtype)
    return _RelativeFunction.apply(A, B, f)[0]


def whiten(L: Tensor, v: Tensor) -> Tensor:
    """Return ``L^-1 v L^-T`` for symmetric v."""
    return symmetrize(whiten_lower(*torch.broadcast_tensors(L, v)))


def _root(A: Tensor) -> Tensor:
    """Return the Cholesky factor of the symmetric part."""
    return torch.linalg.cholesky(symmetrize(A))


class _RelativeFunction(torch.autograd.Function):
    """``L f(C) L^T`` with ``A = L L^T`` and ``C = L^-1 B L^-T``.

    The result depends on A alone and not on which root L is taken, so the derivative along dA may move L by ``L X / 2``
    with ``X = L^-1 dA L^-T``: no derivative of the Cholesky factor is needed.
    """

    @staticmethod
    def forward(A: Tensor, B: Tensor, f: ScalarFunction) -> tuple[Tensor, ...]:
        if isinstance(f, Log) and together(A, B):
            value, *parts = compiled.logarithm_parts(A, B, kept=True, filled=True)
            return value.to(A.dtype), *parts
        return in_matrix_blocks(functools.partial(plain.function_parts, f), A, B)

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
        if L.shape != A.shape:
            grad_A, grad_B = compiled.logarithm_slopes(grad, A, U, values, applied)
            return grad_A.to(A.dtype), grad_B.to(B.dtype), None
        pulled = functools.partial(plain.function_slopes, ctx.f)
        grad_A, grad_B = in_matrix_blocks(pulled, grad, L, U, values, applied)
        return grad_A, grad_B, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, A: Tensor, B: Tensor, f: ScalarFunction) -> tuple:
        return _RelativeFunction.apply(*_batched(info, in_dims, A, B), f), (0, 0, 0, 0, 0)


class _SquaredDistance(torch.autograd.Function):
    """Squared distances, with the gradient from the same eigendecomposition."""

    @staticmethod
    def forward(A: Tensor, B: Tensor, alpha: float, beta: float, gradients: bool) -> tuple[Tensor, ...]:
        if small(A, B):
            return compiled.small_distance_parts(alpha, beta, A, B)
        if together(A, B):
            return compiled.distance_parts(alpha, beta, gradients, A, B)
        return in_matrix_blocks(functools.partial(plain.distance_parts, alpha, beta, gradients), A, B)

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
        if small(A, B):
            return *compiled.small_distance_slopes(ctx, False, grad), None, None, None
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
        if small(A, B):
            return *compiled.small_distance_slopes(ctx, True, grad), None, None, None
        square = quadratic(logarithms, ctx.alpha, ctx.beta)
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
    weights = grad.double()[..., None] * weights
    if L.shape != A.shape:
        grad_A, grad_B = compiled.distance_slopes(A, U, values, weights)
    else:
        grad_A, grad_B = in_matrix_blocks(plain.distance_slopes, L, U, values, weights)
    return grad_A.to(A.dtype), grad_B.to(B.dtype), None, None, None


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


def _batched(info: Any, in_dims: tuple, *tensors: Tensor) -> list[Tensor]:
    return [
        one.expand(info.batch_size, *one.shape) if dim is None else one.movedim(dim, 0)
        for one, dim in zip(tensors, in_dims, strict=False)
    ]
