"""The affine-invariant metric of symmetric positive definite matrices: congruences are isometries."""

import math

import torch
from torch import Tensor

from holonomy.manifolds._divided_differences import Exp, Log, Power
from holonomy.manifolds._invariant import (
    check_invariant,
    invariant_dual,
    invariant_inner,
    invariant_isometry,
    random_symmetric,
    symmetric_basis,
)
from holonomy.manifolds._relative import relative_distance, relative_function, relative_squared_distance, whiten
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.metric import Metric
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.polar import polar_factor
from holonomy.manifolds.spd_means import NewtonMean
from holonomy.manifolds.symmetric import symmetrize


class AffineInvariant(Metric):
    """The metric ``alpha tr(x^-1 u x^-1 v) + beta tr(x^-1 u) tr(x^-1 v)``, of non-positive curvature.

    Every verb takes one Cholesky factor ``x = L L^T`` and at most one eigendecomposition, of ``L^-1 y L^-T``. Distances
    between close points keep their relative precision. An eigenvalue of y relative to x is known to the spacing of
    numbers at the largest one, so with condition number c the distance has an absolute error near ``c * eps``.

    Parameters
    ----------
    alpha : float, default 1.0
        Positive weight of the whole.
    beta : float, default 0.0
        Weight of the trace, above ``-alpha / n``.

    Raises
    ------
    ValueError
        If ``alpha`` or ``beta`` is out of range.

    References
    ----------
    Pennec, Fillard & Ayache (2006), "A Riemannian Framework for Tensor Computing".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD, AffineInvariant
    >>> space = SPD(2, metric=AffineInvariant())
    >>> space.dist(torch.eye(2), torch.e * torch.eye(2))
    tensor(1.4142)
    """

    _references = ("pennec2006riemannian",)

    def __init__(self, alpha: float = 1.0, beta: float = 0.0) -> None:
        super().__init__()
        self.alpha, self.beta = check_invariant(alpha, beta)

    def _inner(self, space: Manifold, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        L = _root(x)
        return invariant_inner(whiten(L, u), whiten(L, v), self.alpha, self.beta).to(x.dtype)

    def _exp(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        return relative_function(x, v, Exp())

    def _log(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return relative_function(x, y, Log())

    def _dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return relative_distance(x, y, self.alpha, self.beta)

    def _squared_dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return relative_squared_distance(x, y, self.alpha, self.beta)

    def _geodesic(self, space: Manifold, x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        if t.numel() == 1 and not t.requires_grad:
            return relative_function(x, y, Power(float(t))).expand(*t.shape, *[-1] * max(x.ndim, y.ndim))
        return self._exp(space, x, space._scale(t, x) * self._log(space, x, y))

    def _transport(self, space: Manifold, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        # With y = R R^T, (y x^-1)^(1/2) = R W^T L^-1, where W is the polar factor of L^-1 R: no root of an eigenvalue.
        x, y = torch.broadcast_tensors(x, y)
        L, R = _root(x), _root(y)
        move = R @ polar_factor(torch.linalg.solve_triangular(L, R, upper=False)).mT
        return symmetrize(move @ whiten(L, v) @ move.mT).to(v.dtype)

    def _egrad_to_rgrad(self, space: Manifold, x: Tensor, gradient: Tensor) -> Tensor:
        L = _root(x)
        lowered = L.mT @ symmetrize(widen(gradient)) @ L
        return symmetrize(L @ invariant_dual(lowered, self.alpha, self.beta) @ L.mT).to(x.dtype)

    def _frame(self, space: Manifold, x: Tensor) -> Tensor:
        return self._at(x.unsqueeze(-3), symmetric_basis(x.shape[-1], x))

    def _random_tangent(self, space: Manifold, x: Tensor, generator: torch.Generator) -> Tensor:
        return self._at(x, random_symmetric(x, generator))

    def _log_volume_element(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        inside = whiten(_root(x), v)
        # The product over pairs is a function of the matrix itself, through its eigenvalues.
        values = torch.linalg.eigvalsh(inside)
        i, j = torch.triu_indices(x.shape[-1], x.shape[-1], offset=1, device=x.device)
        return log_sinhc(0.5 * (values[..., j] - values[..., i])).sum(-1).to(x.dtype)

    def _mean_solver(self, space: Manifold) -> NewtonMean:
        return NewtonMean()

    def _injectivity_radius(self, space: Manifold) -> float:
        return math.inf

    def _at(self, x: Tensor, s: Tensor) -> Tensor:
        """Map symmetric matrices with the Frobenius product isometrically onto the tangent space at x."""
        L = _root(x)
        return symmetrize(L @ invariant_isometry(widen(s), self.alpha, self.beta) @ L.mT).to(x.dtype)

    def extra_repr(self) -> str:
        """Return the weights."""
        return "" if (self.alpha, self.beta) == (1.0, 0.0) else f"alpha={self.alpha:g}, beta={self.beta:g}"


def _root(x: Tensor) -> Tensor:
    return torch.linalg.cholesky(symmetrize(widen(x)))


def log_sinhc(x: Tensor) -> Tensor:
    """Return log(sinh(x) / x), and 0 at zero, without overflow."""
    size = x.abs()
    small = size < 0.1
    square = torch.where(small, size, 0.0).square()
    series = square * (1 / 6 - square * (1 / 180 - square * (1 / 2835 - square / 37800)))
    large = torch.where(small, 1.0, size)
    return torch.where(small, series, large + torch.log(-torch.expm1(-2.0 * large)) - torch.log(2.0 * large))
