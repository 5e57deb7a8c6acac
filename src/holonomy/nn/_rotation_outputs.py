"""What the numbers of a network mean: the kinds of coordinates of rotations that a head can put out."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from holonomy.manifolds import (
    axis_angle_to_matrix,
    nined_to_matrix,
    quaternion_to_matrix,
    sixd_to_matrix,
    tend_to_matrix,
)
from holonomy.manifolds.numerics import tolerances, widen
from holonomy.manifolds.rotation_conversions import turns_about_axes
from holonomy.manifolds.rotation_coordinates import sixd_degenerate, tend_to_symmetric


@dataclass(frozen=True)
class RotationOutput:
    """A kind of coordinates.

    Attributes
    ----------
    width : int
        How many numbers.
    to_matrix : callable
        From numbers (..., width) to rotations (..., 3, 3); of Euler angles the axes are a second argument.
    degenerate : callable
        From numbers to where (...) they leave the rotation open.
    is_continuous : bool
        Whether rotations have a continuous way back to such numbers.
    """

    width: int
    to_matrix: Callable[..., Tensor]
    degenerate: Callable[[Tensor], Tensor]
    is_continuous: bool


def _quaternion(q: Tensor) -> Tensor:
    """Return the rotations of quaternions of any length; no rotation where they vanish."""
    gone = _vanishing(q)[..., None]
    unit = torch.zeros_like(q)
    unit[..., 0] = 1.0
    return quaternion_to_matrix(torch.where(gone, unit, q))


def _vanishing(q: Tensor) -> Tensor:
    return torch.linalg.vector_norm(q.detach(), dim=-1) <= tolerances(q.dtype).tiny ** 0.5


def _no_nearest(nine: Tensor) -> Tensor:
    """Return where the two smallest singular values, the last with the sign of the determinant, sum to 0."""
    matrix = widen(nine.detach()).unflatten(-1, (3, 3))
    values = torch.linalg.svdvals(matrix)
    sign = torch.where(torch.linalg.det(matrix) < 0, -1.0, 1.0)
    return values[..., 1] + sign * values[..., 2] <= tolerances(nine.dtype).rank * values[..., 0]


def _no_lowest(ten: Tensor) -> Tensor:
    values = torch.linalg.eigvalsh(widen(tend_to_symmetric(ten.detach())))
    return values[..., 1] - values[..., 0] <= tolerances(ten.dtype).rank * values.abs().amax(-1)


def _never(numbers: Tensor) -> Tensor:
    return torch.zeros(numbers.shape[:-1], dtype=torch.bool, device=numbers.device)


OUTPUTS = {
    "6d": RotationOutput(6, sixd_to_matrix, sixd_degenerate, True),
    "9d_svd": RotationOutput(9, nined_to_matrix, _no_nearest, True),
    "10d": RotationOutput(10, tend_to_matrix, _no_lowest, True),
    "quaternion": RotationOutput(4, _quaternion, _vanishing, False),
    "euler": RotationOutput(3, turns_about_axes, _never, False),
    "axis_angle": RotationOutput(3, axis_angle_to_matrix, _never, False),
}
