"""The affine-invariant mean of positive definite matrices by Newton's method, with the Hessian in closed form."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from holonomy.manifolds._divided_differences import Exp
from holonomy.manifolds.means import MeanSolution, stopping
from holonomy.manifolds.numerics import tolerances, widen
from holonomy.manifolds.symmetric import apply_function, symmetrize

if TYPE_CHECKING:
    from holonomy.manifolds.base import Manifold


@dataclass(frozen=True)
class NewtonMean:
    """Newton's method for the affine-invariant mean: the Hessian comes from the decompositions of the gradient.

    Relative to the current mean each matrix is decomposed once; the Hessian is ``t coth t`` of half the differences of
    logarithmic eigenvalues, and its system is solved by conjugate gradients only as well as the step deserves. Starts
    at the geometric mean of the arithmetic and the harmonic mean. Halves a step that would raise the objective.

    References
    ----------
    Jeuris, Vandebril & Vandereycken (2012), "A survey and comparison of contemporary algorithms for computing the
    matrix geometric mean".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD, NewtonMean, weighted_mean
    >>> x = torch.stack([torch.eye(2), 4.0 * torch.eye(2)])
    >>> weighted_mean(SPD(2), x, method=NewtonMean()).point
    tensor([[2., 0.],
            [0., 2.]])
    """

    _references = ("jeuris2012survey",)
    differentiable: ClassVar[bool] = False

    def __call__(
        self, manifold: "Manifold", x: Tensor, weights: Tensor, tolerance: float, max_iter: int
    ) -> MeanSolution:
        """Return the means of matrices x (..., k, n, n), with the residuals reached."""
        points, w = symmetrize(widen(x)), widen(weights)
        state = _State.at(_between(points, w), points, w)
        best, n_iter, halvings, idle = state, 0, 0, 0
        move = torch.zeros_like(state.gradient)
        while n_iter < max_iter and idle < _PATIENCE:
            limit = stopping(state.square.sqrt(), tolerance, x.dtype)
            if bool((best.size <= limit).all()):
                break
            n_iter += 1
            if halvings == 0:
                forcing = (state.size / state.square.sqrt().clamp_min(tolerances(torch.float64).tiny)).clamp_max(0.1)
                move = _solve(state, forcing)
            trial = _State.at(symmetrize(state.root @ apply_function(move, Exp()) @ state.root.mT), points, w)
            slack = _SLACK * tolerances(torch.float64).eps * state.square
            if bool((trial.square <= state.square + slack).all()):
                state, halvings = trial, 0
                idle = 0 if bool((trial.size < 0.5 * best.size).any()) else idle + 1
                best = trial.where(trial.size < best.size, best)
            else:
                raised = (trial.square > state.square + slack)[..., None, None]
                move, halvings = torch.where(raised, 0.5 * move, move), halvings + 1
                idle += halvings > _HALVINGS
        m = symmetrize(best.root @ best.root.mT).to(x.dtype)
        residual, spread = self._measured(manifold, m, best)
        return MeanSolution(m, residual, spread, residual <= stopping(spread, tolerance, x.dtype), n_iter)

    @staticmethod
    def _measured(manifold: "Manifold", m: Tensor, state: "_State") -> tuple[Tensor, Tensor]:
        """Return the residual and the spread in the units of the metric, whose weights do not move the mean."""
        field = symmetrize(state.root @ state.gradient @ state.root.mT).to(m.dtype)
        metric = manifold.metric
        trace = (state.weights * state.logarithms.sum(-1).square()).sum(-1)
        spread = (metric.alpha * state.square + metric.beta * trace).clamp_min(0.0).sqrt()  # type: ignore[operator, union-attr]
        return widen(manifold._norm(m, field)), spread


@dataclass(frozen=True)
class _State:
    """All that is known at one candidate: everything relative to its root."""

    root: Tensor
    weights: Tensor
    vectors: Tensor
    logarithms: Tensor
    gradient: Tensor
    size: Tensor
    square: Tensor

    @classmethod
    def at(cls, m: Tensor, points: Tensor, weights: Tensor) -> "_State":
        root = torch.linalg.cholesky(m)
        whitener = torch.linalg.solve_triangular(
            root, torch.eye(m.shape[-1], dtype=m.dtype, device=m.device).expand_as(root), upper=False
        ).unsqueeze(-3)
        values, vectors = torch.linalg.eigh(whitener @ points @ whitener.mT)
        logarithms = values.log()
        gradient = _combine(vectors * (weights[..., None] * logarithms)[..., None, :], vectors)
        square = (weights * logarithms.square().sum(-1)).sum(-1)
        return cls(root, weights, vectors, logarithms, gradient, torch.linalg.matrix_norm(gradient), square)

    def where(self, chosen: Tensor, other: "_State") -> "_State":
        """Return this state where chosen (...), the other elsewhere."""
        if bool(chosen.all()):
            return self
        if not bool(chosen.any()):
            return other
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__dataclass_fields__)
        return _State(
            *(torch.where(chosen.reshape(*chosen.shape, *[1] * (a.ndim - chosen.ndim)), a, b) for a, b in pairs)
        )


def _between(points: Tensor, weights: Tensor) -> Tensor:
    """Return the geometric mean of the arithmetic and the harmonic mean."""
    scale = weights[..., None, None]
    arithmetic = (scale * points).sum(-3)
    inverses = torch.cholesky_inverse(torch.linalg.cholesky(points))
    root = torch.linalg.cholesky(arithmetic)
    # Relative to the arithmetic mean, the harmonic mean is one over this.
    values, vectors = torch.linalg.eigh(symmetrize(root.mT @ (scale * inverses).sum(-3) @ root))
    half = root @ vectors
    return symmetrize((half * values.rsqrt()[..., None, :]) @ half.mT)


def _solve(state: _State, forcing: Tensor) -> Tensor:
    """Return the v with ``H v = gradient``, up to a part ``forcing`` (...) of the gradient."""
    # A step needs a few digits only, and the next gradient is right whatever the step: single precision is enough.
    vectors, half = state.vectors.float(), 0.5 * state.logarithms.float()
    bends = state.weights.float()[..., None, None] * _coth_ratio(half[..., :, None] - half[..., None, :])

    def hessian(v: Tensor) -> Tensor:
        inside = vectors.mT @ v.float().unsqueeze(-3) @ vectors
        return _combine(vectors @ (bends * inside), vectors).double()

    v, rest = torch.zeros_like(state.gradient), state.gradient
    along, size = rest, _dot(rest, rest)
    enough = (forcing.clamp_min(_SINGLE) * state.size).square()
    for _ in range(_MOST):
        active = (size > enough)[..., None, None]
        if not bool(active.any()):
            break
        bent = hessian(along)
        length = torch.where(
            active, (size / _dot(along, bent).clamp_min(tolerances(v.dtype).tiny))[..., None, None], 0.0
        )
        v, rest = v + length * along, rest - length * bent
        fresh = _dot(rest, rest)
        turn = torch.where(size > 0, fresh / torch.where(size > 0, size, 1.0), 0.0)[..., None, None]
        along, size = torch.where(active, rest + turn * along, along), torch.where(active[..., 0, 0], fresh, size)
    return symmetrize(v)


def _combine(left: Tensor, right: Tensor) -> Tensor:
    """Return the sums over k of ``left_k right_k^T`` (..., n, n) for stacks (..., k, n, n), as one product."""
    wide = [one.transpose(-3, -2).flatten(-2) for one in (left, right)]
    return symmetrize(wide[0] @ wide[1].mT)


def _dot(u: Tensor, v: Tensor) -> Tensor:
    return (u * v).sum((-2, -1))


def _coth_ratio(t: Tensor) -> Tensor:
    """Return t coth t, which is 1 at 0."""
    size = t.abs()
    small = size < 1e-3
    safe = torch.where(small, 1.0, size)
    return torch.where(small, 1.0 + size.square() / 3.0, safe / torch.tanh(safe))


_MOST = 30
"""Most conjugate gradient steps for one Newton step."""

_SINGLE = 1e-5
"""Smallest relative residual of a step's system in single precision."""

_PATIENCE = 5
"""Steps without half the residual after which rounding is taken to be all that is left."""

_HALVINGS = 30
"""Halvings of a step after which nothing lower is expected in its direction."""

_SLACK = 8.0
"""Rounding of a sum of squared distances, in units of its last place."""
