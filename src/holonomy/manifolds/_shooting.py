"""Logarithms without a closed form: an iteration finds the value, and the implicit function theorem its derivative."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from holonomy.manifolds._geodesics import _jacobian
from holonomy.manifolds.numerics import tolerances, widen

if TYPE_CHECKING:
    from holonomy.manifolds.base import Manifold

STEPS = 200
"""Most steps of the fixed-point iteration."""

Align = Callable[[Tensor, Tensor], Tensor]


def log_by_correction(space: "Manifold", x: Tensor, y: Tensor, align: Align | None = None) -> Tensor:
    """Return the v with exp(x, v) = y: each step adds what is still missing at the end, brought back to x.

    Parameters
    ----------
    space : Manifold
        Its ``_exp`` and ``_project_tangent`` are used.
    x, y : Tensor
        Points.
    align : callable, optional
        From (y, z) to the coordinates of the point y that are nearest to the coordinates z, where a point has many.

    Returns
    -------
    Tensor
        Differentiable once. The error after each step is the last one times the curvature times the squared distance;
        what has not converged after 200 steps, because x and y are near the cut locus, is not the shortest geodesic.
    """
    x, y = torch.broadcast_tensors(x, y)
    dtype, x, y = x.dtype, widen(x), widen(y)
    with torch.no_grad():
        v = _iterate(space, x, y, align)
    if torch.is_grad_enabled() and (x.requires_grad or y.requires_grad):
        v = _attach(space, x, y, v, align)
    return v.to(dtype)


def _iterate(space: "Manifold", x: Tensor, y: Tensor, align: Align | None) -> Tensor:
    rank = len(space.shape)

    def size(v: Tensor) -> Tensor:
        return v.flatten(-rank).norm(dim=-1).reshape(*v.shape[:-rank], *[1] * rank)

    def rest_at(v: Tensor) -> tuple[Tensor, Tensor]:
        z, *between = space._exp(x, stations * v)
        missing = (y if align is None else align(y, z)) - z
        at_end = space._project_tangent(z, missing)
        back = at_end
        for at in (*between, x):
            back = space._project_tangent(at, back)
        # Projections shorten a vector, which would only slow the iteration down.
        lengths = size(back)
        stretch = torch.where(lengths > 0, size(at_end) / lengths.clamp_min(tolerances(x.dtype).tiny), 0.0)
        return back * stretch, size(missing)

    # Projected straight back from beyond a right angle, a vector would change its sign.
    stations = torch.tensor([1.0, 0.75, 0.5, 0.25], dtype=x.dtype, device=x.device).reshape(-1, *[1] * x.ndim)
    v = torch.zeros_like(x)
    rest, gap = rest_at(v)
    damping = torch.ones_like(gap)
    for _ in range(STEPS):
        new = v + damping * rest
        new_rest, new_gap = rest_at(new)
        worse = new_gap > gap
        damping = torch.where(worse, 0.5 * damping, (1.5 * damping).clamp_max(1.0))
        v, rest, gap = torch.where(worse, v, new), torch.where(worse, rest, new_rest), torch.minimum(gap, new_gap)
        done = size(rest) <= 4.0 * tolerances(x.dtype).iterate * (1.0 + size(v))
        if bool((done | (damping < 1e-6)).all()):
            break
    return v


def _attach(space: "Manifold", x: Tensor, y: Tensor, v: Tensor, align: Align | None) -> Tensor:
    """Return v with the derivatives of the solution of exp(x, v) = y: one Newton step, whose matrix is a constant."""
    rank = len(space.shape)
    with torch.no_grad():
        frame = space._frame(x)
        coefficients = space._inner(x.unsqueeze(-rank - 1), frame, v.unsqueeze(-rank - 1))
        columns = _jacobian(space, x, coefficients, frame)
        end = space._exp(x, v)
        columns = space._project_tangent(end.unsqueeze(-rank - 1), columns.mT.unflatten(-1, space.shape))
        inverse = torch.linalg.pinv(columns.flatten(-rank).mT)
    start = space._project_tangent(x, v)
    z = space._exp(x, start)
    missing = (y if align is None else align(y, end)) - z
    missing = space._project_tangent(end, missing)
    step = (inverse @ missing.flatten(-rank).unsqueeze(-1)).reshape(*coefficients.shape, *[1] * rank)
    return start + space._project_tangent(x, (step * frame).sum(-rank - 1))
