"""Verbs of last resort, from the metric tensor or from ``exp`` alone: slower, and approximate."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from holonomy.manifolds.numerics import tolerances

if TYPE_CHECKING:
    from holonomy.manifolds.base import Manifold

NEWTON_STEPS = 30
"""Most Newton steps of a shooting."""

_ENTRIES = 1 << 20
"""Most coordinates of points that are moved at once for a derivative."""


def exp_by_ode(manifold: "Manifold", x: Tensor, v: Tensor) -> Tensor:
    """Return exp from the geodesic equation; only charts, whose coordinates are free, know how."""
    raise NotImplementedError(f"{manifold} must write _exp, or be a MetricField, whose coordinates are free.")


def log_by_shooting(manifold: "Manifold", x: Tensor, y: Tensor) -> Tensor:
    """Return the v with exp(x, v) = y by Newton's method in an orthonormal frame, halving steps that do not help.

    It starts from the tangent part of the difference of the coordinates, and finds the geodesic next to that start,
    which is the shortest one for points that are not far apart.
    """
    rank = len(manifold.shape)
    x, y = torch.broadcast_tensors(x, y)
    frame = manifold._frame(x)
    start = manifold._project_tangent(x, y - x)
    at = x.unsqueeze(-rank - 1)
    coefficients = manifold._inner(at, frame, start.unsqueeze(-rank - 1))

    def miss(c: Tensor) -> Tensor:
        return (manifold._exp(x, _combine(c, frame, rank)) - y).flatten(-rank)

    residual = miss(coefficients)
    size = residual.square().sum(-1)
    for _ in range(NEWTON_STEPS):
        jacobian = _jacobian(manifold, x, coefficients, frame, residual.requires_grad)
        step = torch.linalg.lstsq(jacobian, residual.unsqueeze(-1)).solution.squeeze(-1)
        scale = torch.ones_like(size)
        for _ in range(10):
            trial = coefficients - scale.unsqueeze(-1) * step
            trial_residual = miss(trial)
            trial_size = trial_residual.square().sum(-1)
            worse = ~(trial_size <= size)
            if not bool(worse.any()):
                break
            scale = torch.where(worse, 0.5 * scale, scale)
        better = trial_size <= size
        coefficients = torch.where(better.unsqueeze(-1), trial, coefficients)
        residual = torch.where(better.unsqueeze(-1), trial_residual, residual)
        size = torch.where(better, trial_size, size)
        moved = (scale.unsqueeze(-1) * step).norm(dim=-1)
        if bool((moved <= tolerances(x.dtype).iterate * (1.0 + coefficients.norm(dim=-1))).all() | (~better).all()):
            break
    return _combine(coefficients, frame, rank)


def log_volume_of_exp(manifold: "Manifold", x: Tensor, v: Tensor) -> Tensor:
    """Return log |det d exp_x| at v, in orthonormal frames at both ends."""
    rank = len(manifold.shape)
    x, v = torch.broadcast_tensors(x, v)
    frame = manifold._frame(x)
    coefficients = manifold._inner(x.unsqueeze(-rank - 1), frame, v.unsqueeze(-rank - 1))
    y = manifold._exp(x, v)
    columns = _jacobian(manifold, x, coefficients, frame, y.requires_grad).mT.unflatten(-1, manifold.shape)
    tangents = manifold._project_tangent(y.unsqueeze(-rank - 1), columns)
    at = y.unsqueeze(-rank - 1).unsqueeze(-rank - 1)
    gram = manifold._inner(at, tangents.unsqueeze(-rank - 1), tangents.unsqueeze(-rank - 2))
    return 0.5 * torch.linalg.slogdet(gram).logabsdet


def _combine(coefficients: Tensor, frame: Tensor, rank: int) -> Tensor:
    return (coefficients.reshape(*coefficients.shape, *[1] * rank) * frame).sum(-rank - 1)


def _jacobian(
    manifold: "Manifold", x: Tensor, coefficients: Tensor, frame: Tensor, differentiable: bool = False
) -> Tensor:
    """Return the derivatives (..., coordinates, dim) of exp by the coefficients of the tangent vector."""
    rank = len(manifold.shape)
    batch = x.shape[: x.ndim - rank]
    count = math.prod(batch)
    flat_x = x.reshape(count, *manifold.shape)
    flat_frame = frame.reshape(count, manifold.dim, *manifold.shape)

    def reach(c: Tensor) -> Tensor:
        return manifold._exp(flat_x, _combine(c, flat_frame, rank)).flatten(-rank)

    # Directions are one more axis of the batch, as many at once as memory should hold.
    flat = coefficients.reshape(count, manifold.dim)
    each = max(1, _ENTRIES // max(1, flat_x.numel()))
    columns = []
    for directions in torch.eye(manifold.dim, dtype=x.dtype, device=x.device).split(each):
        copies = flat.expand(len(directions), *flat.shape).contiguous()
        along = directions.unsqueeze(1).expand_as(copies).contiguous()
        columns.append(torch.autograd.functional.jvp(reach, copies, along, create_graph=differentiable)[1])
    return torch.cat(columns).movedim(0, -1).reshape(*batch, math.prod(manifold.shape), manifold.dim)
