"""What functions of one symmetric matrix relative to another are put together from, without derivatives, in torch."""

import torch
from torch import Tensor

from holonomy.manifolds._divided_differences import Log, ScalarFunction
from holonomy.manifolds.symmetric import symmetrize

WIDE_SPECTRUM = 1e-4
"""Ratio of the smallest to the largest relative eigenvalue below which factors are decomposed instead of matrices."""


def whiten_lower(L: Tensor, v: Tensor) -> Tensor:
    """Return ``L^-1 v L^-T``, symmetric up to rounding: enough for decompositions, which read the lower triangle."""
    left = torch.linalg.solve_triangular(L, v, upper=False)
    return torch.linalg.solve_triangular(L, left.mT, upper=False)


def _relative(A: Tensor, B: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the Cholesky factor L of A, what B is relative to A less the identity, and where that would lose digits.

    There, where B is everywhere well below A, it is B itself that is whitened.
    """
    A, B = A.detach().double(), B.detach().double()
    L = torch.linalg.cholesky(A)
    excess = whiten_lower(L, B - A)
    below = excess.diagonal(dim1=-2, dim2=-1).amax(-1) < -0.5
    if bool(below.any()):
        excess = torch.where(below[..., None, None], whiten_lower(L, B), excess)
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


def quadratic(logarithms: Tensor, alpha: float, beta: float) -> Tensor:
    square = alpha * logarithms.square().sum(-1)
    return square if beta == 0.0 else square + beta * logarithms.sum(-1).square()


def function_parts(f: ScalarFunction, A: Tensor, B: Tensor) -> tuple[Tensor, ...]:
    """Return the function, the Cholesky factor, eigenvectors, eigenvalues, and the function of those."""
    if isinstance(f, Log):
        L, excess, below = _relative(A, B)
        applied, values, U = _log_eigenvalues(L, B, excess, below, vectors=True)
    else:
        L = torch.linalg.cholesky(A.detach().double())
        values, U = torch.linalg.eigh(whiten_lower(L, B.detach().double()))
        applied = f.value(values)
    Z = L @ U
    return symmetrize((Z * applied[..., None, :]) @ Z.mT).to(A.dtype), L, U, values, applied


def function_slopes(f: ScalarFunction, grad: Tensor, *parts: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients by A and B from the gradient by the function and its parts."""
    L, U, values, applied = parts
    Z, W = L @ U, torch.linalg.solve_triangular(L.mT, U, upper=True)
    K = Z.mT @ symmetrize(grad).double() @ Z
    inside = f.slope(values[..., :, None], values[..., None, :]).mul_(K)
    K.mul_(_pair_sums(0.5 * applied)).sub_(_pair_sums(0.5 * values).mul_(inside))
    return (W @ K @ W.mT).to(grad.dtype), (W @ inside @ W.mT).to(grad.dtype)


def distance_parts(alpha: float, beta: float, gradients: bool, A: Tensor, B: Tensor) -> tuple[Tensor, ...]:
    """Return squared distances, the Cholesky factor, eigenvectors, eigenvalues, and their logarithms."""
    L, excess, below = _relative(A, B)
    logarithms, values, U = _log_eigenvalues(L, B, excess, below, vectors=gradients)
    return quadratic(logarithms, alpha, beta).to(A.dtype), L, U, values, logarithms


def distance_slopes(L: Tensor, U: Tensor, values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients by A and B from those by the logarithms."""
    W = torch.linalg.solve_triangular(L.mT, U, upper=True)
    return -(W * weights[..., None, :]) @ W.mT, (W * (weights / values)[..., None, :]) @ W.mT


def _pair_sums(values: Tensor) -> Tensor:
    return values[..., :, None] + values[..., None, :]
