"""Scalar functions that geometry is made of, analytic where the textbook forms divide zero by zero.

All take the *square* of the length, so that they are smooth at 0 and go on through negative arguments, where
trigonometric functions become hyperbolic: one formula serves every sign of the curvature. Derivatives of any order are
exact: each derivative is again one of these functions.
"""

import math

import torch
from torch import Tensor

_SERIES_TERMS = 14
_SERIES_RADIUS = 1.5


def stumpff(z: Tensor, k: int) -> Tensor:
    """Return Stumpff's function ``c_k(z) = sum_j (-z)^j / (k + 2 j)!``.

    With t = sqrt(z): c_0 = cos t, c_1 = sin(t) / t, c_2 = (1 - cos t) / t^2, c_3 = (t - sin t) / t^3. Negative z give
    cosh, sinh(t) / t and so on, with t = sqrt(-z). The relative error is a few units in the last place.

    Parameters
    ----------
    z : Tensor
        Squared angles, of any sign.
    k : int
        Order, at least 0.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.scalars import stumpff
    >>> stumpff(torch.tensor(0.0), 1), stumpff(torch.tensor(0.0), 2)
    (tensor(1.), tensor(0.5000))
    """
    if z.requires_grad or torch._C._are_functorch_transforms_active():
        return _Stumpff.apply(z, k)
    return _stumpff_value(z, k)


class _Stumpff(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor, k: int) -> Tensor:
        return _stumpff_value(z, k)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
        z, ctx.k = inputs
        ctx.save_for_backward(z)
        ctx.save_for_forward(z)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        (z,) = ctx.saved_tensors
        return gradient * _stumpff_slope(z, ctx.k), None

    @staticmethod
    def jvp(ctx, tangent: Tensor, _):  # type: ignore[no-untyped-def]
        (z,) = ctx.saved_tensors
        return tangent * _stumpff_slope(z, ctx.k)


def _stumpff_slope(z: Tensor, k: int) -> Tensor:
    slope = -stumpff(z, k + 1)
    return 0.5 * (slope + k * stumpff(z, k + 2) if k else slope)


def _stumpff_value(z: Tensor, k: int) -> Tensor:
    if k == 0:
        t = z.abs().sqrt()
        return torch.where(z < 0, torch.cosh(t), torch.cos(t))
    if k == 1:
        t = z.abs().sqrt()
        ratio = torch.where(z < 0, torch.sinh(t), torch.sin(t)) / torch.where(t > 0, t, 1.0)
        return torch.where(t > 0, ratio, 1.0)
    if k == 2:
        return 0.5 * _stumpff_value(0.25 * z, 1).square()
    far = z.abs() > _SERIES_RADIUS
    recurrence = (1.0 / math.factorial(k - 2) - _stumpff_value(z, k - 2)) / torch.where(far, z, 1.0)
    near = torch.where(far, 0.0, z)
    series = torch.full_like(z, 1.0 / math.factorial(k + 2 * _SERIES_TERMS))
    for j in reversed(range(_SERIES_TERMS)):
        series = 1.0 / math.factorial(k + 2 * j) - near * series
    return torch.where(far, recurrence, series)


def cosine(z: Tensor) -> Tensor:
    """Return ``cos sqrt(z)``, for negative z ``cosh sqrt(-z)``."""
    return stumpff(z, 0)


def sinc(z: Tensor) -> Tensor:
    """Return ``sin(t) / t`` at t = sqrt(z), for negative z ``sinh(t) / t`` at t = sqrt(-z).

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.scalars import sinc
    >>> sinc(torch.tensor([torch.pi**2 / 4, 0.0, -1.0]))
    tensor([0.6366, 1.0000, 1.1752])
    """
    return stumpff(z, 1)
