"""The flat metric of a vector space of matrices: what logarithmic charts map onto."""

import math

import torch
from torch import Tensor

from holonomy.manifolds._invariant import (
    check_invariant,
    invariant_dual,
    invariant_inner,
    invariant_isometry,
    random_symmetric,
    symmetric_basis,
)
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.means import ClosedMean
from holonomy.manifolds.metric import Metric
from holonomy.manifolds.numerics import safe_sqrt, widen
from holonomy.manifolds.symmetric import symmetrize


class FlatMetric(Metric):
    """Straight lines and differences; a subclass says with which product, and spans the space."""

    def _exp(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        return x + v

    def _log(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return y - x

    def _dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(space, x, y))

    def _squared_dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return self._inner(space, x, y - x, y - x)

    def _norm(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        return safe_sqrt(self._inner(space, x, v, v))

    def _geodesic(self, space: Manifold, x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        return x + space._scale(t, x) * (y - x)

    def _transport(self, space: Manifold, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return v.expand(torch.broadcast_shapes(x.shape, y.shape, v.shape))

    def _log_volume_element(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        return torch.zeros_like((x + v).sum(dim=tuple(range(-len(space.shape), 0))))

    def _log_heat_kernel(self, space: Manifold, x: Tensor, y: Tensor, s: Tensor) -> Tensor:
        square, time = widen(self._squared_dist(space, x, y)), widen(s)
        return (-0.5 * (square / time + space.dim * torch.log(2.0 * math.pi * time))).to(x.dtype)

    def _random_tangent(self, space: Manifold, x: Tensor, generator: torch.Generator) -> Tensor:
        frame = self._frame(space, x)
        size = (*frame.shape[:-2], 1, 1)
        return (torch.randn(size, generator=generator, dtype=x.dtype, device=x.device) * frame).sum(-3)

    def _injectivity_radius(self, space: Manifold) -> float:
        return math.inf

    def _mean_solver(self, space: Manifold) -> ClosedMean:
        return ClosedMean()


class FlatSymmetric(FlatMetric):
    """Symmetric matrices with the product ``alpha <u, v> + beta tr u tr v``.

    Parameters
    ----------
    alpha, beta : float
        Weights, ``alpha > 0`` and ``beta > -alpha / n``.
    """

    def __init__(self, alpha: float = 1.0, beta: float = 0.0) -> None:
        super().__init__()
        self.alpha, self.beta = check_invariant(alpha, beta)

    def _inner(self, space: Manifold, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return invariant_inner(widen(u), widen(v), self.alpha, self.beta).to(x.dtype)

    def _egrad_to_rgrad(self, space: Manifold, x: Tensor, gradient: Tensor) -> Tensor:
        return invariant_dual(symmetrize(gradient), self.alpha, self.beta)

    def _frame(self, space: Manifold, x: Tensor) -> Tensor:
        basis = invariant_isometry(symmetric_basis(x.shape[-1], x), self.alpha, self.beta)
        return basis.expand(*x.shape[:-2], *basis.shape)

    def _random_tangent(self, space: Manifold, x: Tensor, generator: torch.Generator) -> Tensor:
        return invariant_isometry(random_symmetric(x, generator), self.alpha, self.beta)


class FlatSpan(FlatMetric):
    """A linear subspace of matrices with the Frobenius product, given by a function that spans it."""

    def _span(self, space: Manifold, x: Tensor) -> Tensor:
        """Return an orthonormal basis (dim, n, n), of the size, dtype and device of x."""
        raise NotImplementedError

    def _inner(self, space: Manifold, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return (widen(u) * widen(v)).sum((-2, -1)).to(x.dtype)

    def _egrad_to_rgrad(self, space: Manifold, x: Tensor, gradient: Tensor) -> Tensor:
        basis = self._span(space, x).flatten(-2)
        return (gradient.flatten(-2) @ basis.mT @ basis).unflatten(-1, gradient.shape[-2:])

    def _frame(self, space: Manifold, x: Tensor) -> Tensor:
        basis = self._span(space, x)
        return basis.expand(*x.shape[:-2], *basis.shape)


class FlatLower(FlatSpan):
    """Lower triangular matrices; without the diagonal if ``strict``."""

    def __init__(self, *, strict: bool = False) -> None:
        super().__init__()
        self.strict = strict

    def _span(self, space: Manifold, x: Tensor) -> Tensor:
        n = x.shape[-1]
        i, j = torch.tril_indices(n, n, offset=-1 if self.strict else 0, device=x.device)
        basis = torch.zeros(len(i), n, n, dtype=x.dtype, device=x.device)
        basis[torch.arange(len(i), device=x.device), i, j] = 1.0
        return basis
