"""The heat kernel of rotations of space: the isotropic Gaussian."""

import math

import torch
from torch import Tensor

from holonomy.manifolds.numerics import widen
from holonomy.manifolds.scalars import stumpff

_TURNS = 3
_CHARACTERS = 12
_SWITCH = 2.0


def so3_log_heat_kernel(angle: Tensor, s: Tensor) -> Tensor:
    """Return the log density (...) of rotations by an angle after Brownian motion for time s, by Riemannian volume.

    The volume of all rotations is ``8 pi^2``. The two forms, a sum over windings for short times and one over
    characters for long ones, agree to rounding where they meet.

    Parameters
    ----------
    angle : Tensor of shape (...)
        Rotation angles in [0, pi].
    s : Tensor of shape (...)
        Times, positive: the tangent variance along each direction for short times.
    """
    dtype, angle, s = angle.dtype, widen(angle), widen(s)
    angle, s = torch.broadcast_tensors(angle, s)
    short = s < _SWITCH
    near = _log_windings(angle, torch.where(short, s, _SWITCH))
    far = torch.log(_characters(angle, torch.where(short, _SWITCH, s)))
    return torch.where(short, near, far).to(dtype)


def so3_heat_kernel(angle: Tensor, s: Tensor) -> Tensor:
    """Return the density (...) itself, which may be too small to be stored."""
    return torch.exp(so3_log_heat_kernel(angle, s))


def _log_windings(angle: Tensor, s: Tensor) -> Tensor:
    """Return the log of the sum over k of (-1)^k (angle + 2 pi k) exp(-(angle + 2 pi k)^2 / 2 s), over sin(angle / 2).

    Every term is relative to that of k = 0, the largest.
    """
    total = torch.ones_like(angle)
    for k in range(1, _TURNS + 1):
        # The two windings +k and -k together, divided by the angle.
        shift = 2.0 * math.pi * k
        rate = shift / s
        towards = torch.exp(-0.5 * shift * (shift - 2.0 * angle) / s)
        away = torch.exp(-0.5 * shift * (shift + 2.0 * angle) / s)
        small = rate * angle < 1e-4
        curve = 1.0 + (rate * angle).square() / 6.0
        sinh_over = torch.where(small, rate * towards * curve, 0.5 * (towards - away) / torch.where(small, 1.0, angle))
        total = total + (-1.0) ** k * (towards + away - 2.0 * shift * sinh_over)
    half = stumpff(0.25 * angle.square(), 1)
    return 0.125 * s - 0.5 * angle.square() / s + torch.log(total / half) - 1.5 * torch.log(2.0 * math.pi * s)


def _characters(angle: Tensor, s: Tensor) -> Tensor:
    character = torch.ones_like(angle)
    total = torch.ones_like(angle)
    for degree in range(1, _CHARACTERS):
        character = character + 2.0 * torch.cos(degree * angle)
        total = total + (2 * degree + 1) * torch.exp(-0.5 * degree * (degree + 1) * s) * character
    return total / (8.0 * math.pi**2)
