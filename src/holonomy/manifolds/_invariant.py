"""Products of symmetric matrices that do not change under rotations."""

import torch
from torch import Tensor


def identity_like(x: Tensor) -> Tensor:
    """Return the identity matrix (n, n) of the size, dtype and device of matrices (..., n, n)."""
    return torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)


def frobenius(u: Tensor, v: Tensor) -> Tensor:
    """Return the sum of products of entries (...)."""
    return (u * v).sum((-2, -1))


def trace(x: Tensor) -> Tensor:
    """Return the trace (...) of matrices (..., n, n)."""
    return x.diagonal(dim1=-2, dim2=-1).sum(-1)


def invariant_inner(u: Tensor, v: Tensor, alpha: float, beta: float) -> Tensor:
    """Return ``alpha <u, v> + beta tr u tr v`` for symmetric matrices."""
    product = alpha * frobenius(u, v)
    return product if beta == 0.0 else product + beta * trace(u) * trace(v)


def invariant_isometry(s: Tensor, alpha: float, beta: float) -> Tensor:
    """Map the Frobenius product isometrically to ``alpha <u, v> + beta tr u tr v``."""
    scale = alpha**-0.5
    if beta == 0.0:
        return scale * s
    n = s.shape[-1]
    shift = ((alpha + n * beta) ** -0.5 - scale) / n
    return scale * s + shift * trace(s)[..., None, None] * identity_like(s)


def invariant_dual(g: Tensor, alpha: float, beta: float) -> Tensor:
    """Return the v with ``alpha <v, w> + beta tr v tr w = <g, w>`` for every symmetric w."""
    if beta == 0.0:
        return g / alpha
    n = g.shape[-1]
    return (g - beta / (alpha + n * beta) * trace(g)[..., None, None] * identity_like(g)) / alpha


def check_invariant(alpha: float, beta: float) -> tuple[float, float]:
    """Return the two coefficients as floats.

    Raises
    ------
    ValueError
        If ``alpha`` is not positive or ``beta`` negative enough that no size of matrix has a metric.
    """
    if not alpha > 0.0:
        raise ValueError(f"alpha must be positive, got {alpha}.")
    if not beta > -alpha:
        raise ValueError(f"beta must be above -alpha / n for matrices of size n, got {beta} with alpha = {alpha}.")
    return float(alpha), float(beta)


def symmetric_basis(n: int, like: Tensor) -> Tensor:
    """Return an orthonormal basis (n (n + 1) / 2, n, n) of the symmetric matrices, of the dtype of a tensor."""
    i, j = torch.triu_indices(n, n, device=like.device)
    basis = torch.zeros(len(i), n, n, dtype=like.dtype, device=like.device)
    entry = torch.where(i == j, like.new_tensor(1.0), like.new_tensor(0.5).sqrt())
    at = torch.arange(len(i), device=like.device)
    basis[at, i, j] = entry
    basis[at, j, i] = entry
    return basis


def random_symmetric(x: Tensor, generator: torch.Generator) -> Tensor:
    """Return symmetric matrices, standard normal along every direction, one for each matrix of x (..., n, n)."""
    normal = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return 0.5**0.5 * (normal.tril(-1) + normal.tril(-1).mT) + torch.diag_embed(normal.diagonal(dim1=-2, dim2=-1))
