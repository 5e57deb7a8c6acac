"""Following a field of tangent vectors, minus the gradient of an objective, to where it vanishes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from holonomy.manifolds.numerics import tolerances, widen

if TYPE_CHECKING:
    from holonomy.manifolds.base import Manifold


@dataclass(frozen=True)
class Field:
    """What is known at candidates.

    Attributes
    ----------
    vector : Tensor of shape (..., *shape)
        Minus the gradient.
    value : Tensor of shape (...)
        The objective.
    limit : Tensor of shape (...)
        Length of the vector at which to stop.
    step : Tensor of shape (...)
        Length of a first step, as a factor on the vector.
    """

    vector: Tensor
    value: Tensor
    limit: Tensor
    step: Tensor


def descend(
    manifold: "Manifold", m: Tensor, field: Callable[[Tensor], Field], max_iter: int
) -> tuple[Tensor, Tensor, int]:
    """Return the best points met from m (..., *shape) on, the lengths of the field there, and the number of steps.

    A step is the inverse of the second derivative along the last one. One that would raise the objective beyond
    rounding is cut to a quarter. All members of the batch move at once; those that have arrived stay.
    """
    at = field(m)
    step = at.step
    best, least = m, widen(manifold._norm(m, at.vector))
    limit, idle = at.limit, torch.zeros_like(step)
    for n_iter in range(max_iter):
        open_ = (least > limit) & (idle < _PATIENCE)
        if not bool(open_.any()):
            return best, least, n_iter
        move = manifold._scale(torch.where(open_, step, 0.0).to(m.dtype), m) * at.vector
        trial = manifold._exp(m, move)
        there = field(trial)
        slack = _SLACK * tolerances(m.dtype).eps * at.value.abs()
        better = torch.isfinite(there.value) & (there.value <= at.value + slack)
        step = torch.where(better, _secant_step(manifold, m, move, at.vector, trial, there.vector, step), 0.25 * step)
        m = _choose(manifold, better, trial, m)
        at = Field(
            _choose(manifold, better, there.vector, at.vector),
            torch.where(better, there.value, at.value),
            torch.where(better, there.limit, at.limit),
            at.step,
        )
        length = widen(manifold._norm(m, at.vector))
        idle = torch.where(length < 0.9 * least, 0.0, idle + 1.0)
        lower = length < least
        best, least = _choose(manifold, lower, m, best), torch.where(lower, length, least)
        limit = torch.where(lower, at.limit, limit)
    return best, least, max_iter


def _secant_step(
    manifold: "Manifold", m: Tensor, move: Tensor, vector: Tensor, end: Tensor, end_vector: Tensor, step: Tensor
) -> Tensor:
    """Return the inverse of the second derivative along a step, from the slopes at both its ends."""
    length = widen(manifold._inner(m, move, move))
    onward = -manifold._log(end, m)
    rise = widen(manifold._inner(m, vector, move)) - widen(manifold._inner(end, end_vector, onward))
    usable = (rise > 0) & (length > 0)
    wanted = torch.where(usable, length, step) / torch.where(usable, rise, 1.0)
    return torch.where(usable, torch.minimum(torch.maximum(wanted, 0.1 * step), 10.0 * step), step)


def _choose(manifold: "Manifold", chosen: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return torch.where(chosen.reshape(*chosen.shape, *[1] * len(manifold.shape)), a, b)


_PATIENCE = 25.0
"""Steps without a smaller gradient after which rounding is taken to be all that is left."""

_SLACK = 8.0
"""Rounding of an objective, in units of its last place."""
