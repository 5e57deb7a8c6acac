"""Geometric medians: a sum of distances, minimised from where it is smooth and tested at the points where it is not."""

import torch
from torch import Tensor

from holonomy.manifolds._field_descent import Field, descend
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.means import MeanSolution, weighted_mean
from holonomy.manifolds.numerics import safe_divide, tolerances, widen


def geometric_median(
    manifold: Manifold, x: Tensor, weights: Tensor, tolerance: float | None, max_iter: int
) -> MeanSolution:
    """Return the medians of points (..., n, *shape) by weights (..., n)."""
    rank = len(manifold.shape)
    limit = tolerances(x.dtype).mean if tolerance is None else tolerance
    batch = torch.broadcast_shapes(x.shape[: x.ndim - rank], weights.shape)
    x = x.expand(*batch, *manifold.shape)
    w = (weights / weights.sum(-1, keepdim=True)).expand(batch)
    m = weighted_mean(manifold, x, w, tolerance=_ROUGH).point
    point, residual, steps = m, torch.full(batch[:-1], torch.inf, dtype=torch.float64, device=x.device), 0

    def field(m: Tensor) -> Field:
        vector, value, pull = _pull(manifold, m, x, w)
        return Field(vector, value, torch.full_like(value, limit), 1.0 / pull.clamp_min(tolerances(x.dtype).tiny))

    while steps < max_iter:
        m, length, taken = descend(manifold, m, field, min(_ROUND, max_iter - steps))
        steps += max(taken, 1)
        point, residual = m, length
        corner, excess = _at_nearest(manifold, m, x, w)
        inside = (excess <= 0.0).reshape(*excess.shape, *[1] * rank)
        # Off a data point with too little weight the objective falls again along the pull of the others.
        point = torch.where(inside, corner, point)
        residual = torch.where(excess <= 0.0, 0.0, residual)
        m = point
        if bool((residual <= limit).all()) or taken < min(_ROUND, max_iter):
            break
    spread = (w * widen(manifold._dist(point.unsqueeze(-rank - 1), x))).sum(-1)
    return MeanSolution(point, residual, spread, residual <= limit, steps)


def _pull(manifold: Manifold, m: Tensor, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weighted mean of the unit vectors towards the points, the mean distance, and that of its inverse.

    Points that coincide with m pull nowhere; their weight holds m back (the rule of Vardi and Zhang).
    """
    rank = len(manifold.shape)
    at = m.unsqueeze(-rank - 1)
    logs = manifold._log(at, x)
    distances = widen(manifold._norm(at, logs))
    apart = distances > tolerances(x.dtype).iterate
    inverse = torch.where(apart, safe_divide(w.to(distances), distances), 0.0)
    vector = (manifold._scale(inverse.to(x.dtype), x) * logs).sum(-rank - 1)
    held = torch.where(apart, 0.0, w.to(distances)).sum(-1)
    length = widen(manifold._norm(m, vector))
    free = torch.where(held > 0, (1.0 - safe_divide(held, length)).clamp_min(0.0), 1.0)
    return manifold._scale(free.to(x.dtype), x) * vector, (w * distances).sum(-1), inverse.sum(-1)


def _at_nearest(manifold: Manifold, m: Tensor, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Return the data point nearest to each m, and by how much the pull of the others on it exceeds its weight."""
    rank = len(manifold.shape)
    axis = x.ndim - rank - 1
    nearest = manifold._dist(m.unsqueeze(-rank - 1), x).argmin(-1, keepdim=True)
    index = nearest.reshape(*nearest.shape, *[1] * rank).expand(*nearest.shape, *manifold.shape)
    corner = x.gather(axis, index).squeeze(axis)
    at = corner.unsqueeze(-rank - 1)
    logs = manifold._log(at, x)
    distances = widen(manifold._norm(at, logs))
    apart = distances > tolerances(x.dtype).iterate
    inverse = torch.where(apart, safe_divide(w.to(distances), distances), 0.0)
    pull = widen(manifold._norm(corner, (manifold._scale(inverse.to(x.dtype), x) * logs).sum(-rank - 1)))
    held = torch.where(apart, 0.0, w.to(distances)).sum(-1)
    return corner, pull - held * (1.0 + tolerances(x.dtype).iterate)


_ROUGH = 1e-2
"""Relative residual of the mean that the iteration starts from."""

_ROUND = 25
"""Steps between two tests of the nearest data point."""
