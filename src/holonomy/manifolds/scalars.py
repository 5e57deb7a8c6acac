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
_ARC_TERMS = 10
_ARC_RADIUS = 0.02


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


def arc_ratio(z: Tensor, w: Tensor) -> Tensor:
    """Return ``arcsin(t) / t`` at t = sqrt(z), for negative z ``arsinh(t) / t`` at t = sqrt(-z), with w = 1 - z given.

    Parameters
    ----------
    z : Tensor
        Squared sines, at most 1.
    w : Tensor
        1 - z, as accurate as it is known: near 1 this is where the answer comes from.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.scalars import arc_ratio
    >>> z = torch.tensor([1.0, 0.0])
    >>> arc_ratio(z, 1 - z)
    tensor([1.5708, 1.0000])
    """
    if z.requires_grad or w.requires_grad or torch._C._are_functorch_transforms_active():
        return _ArcRatio.apply(z, w)
    return _arc_ratio_value(z, w)


class _ArcRatio(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor, w: Tensor) -> Tensor:
        return _arc_ratio_value(z, w)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, gradient: Tensor):  # type: ignore[no-untyped-def]
        by_z, by_w = _arc_ratio_slopes(*ctx.saved_tensors)
        return gradient * by_z, gradient * by_w

    @staticmethod
    def jvp(ctx, tangent_z: Tensor, tangent_w: Tensor):  # type: ignore[no-untyped-def]
        by_z, by_w = _arc_ratio_slopes(*ctx.saved_tensors)
        return tangent_z * by_z + tangent_w * by_w


def _arc_ratio_value(z: Tensor, w: Tensor) -> Tensor:
    t = z.abs().sqrt()
    arc = torch.where(z < 0, torch.asinh(t), torch.atan2(t, w.clamp_min(0.0).sqrt()))
    return torch.where(t > 0, arc / torch.where(t > 0, t, 1.0), 1.0)


def _arc_ratio_slopes(z: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Return the derivative along z, carried by z where z is the smaller of the two and else by w; 0 at w = 0."""
    near, end = z.abs() < _ARC_RADIUS, w <= 0
    root = torch.where(end, 1.0, w).rsqrt()
    slope = 0.5 * (root - arc_ratio(z, w)) / torch.where(near, 1.0, z)
    small = torch.where(near, z, 0.0)
    series = torch.zeros_like(z)
    for k in reversed(range(1, _ARC_TERMS + 1)):
        series = series * small + k * math.comb(2 * k, k) / (4.0**k * (2 * k + 1))
    slope = torch.where(end, 0.0, torch.where(near, series, slope))
    by_z = z < 0.5
    return torch.where(by_z, slope, 0.0), torch.where(by_z, 0.0, -slope)


def tangent_ratio(z: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``tanh(t) / t`` and ``1 / cosh(t)^2`` at t = sqrt(-z) for z <= 0; neither overflows.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.scalars import tangent_ratio
    >>> tangent_ratio(torch.tensor([0.0, -1.0]))
    (tensor([1.0000, 0.7616]), tensor([1.0000, 0.4200]))
    """
    if z.requires_grad or torch._C._are_functorch_transforms_active():
        return _TangentRatio.apply(z)
    return _tangent_ratio_value(z)


class _TangentRatio(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(z: Tensor) -> tuple[Tensor, Tensor]:
        return _tangent_ratio_value(z)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, gradient: Tensor, gradient_square: Tensor):  # type: ignore[no-untyped-def]
        slope, slope_square = _tangent_ratio_slopes(*ctx.saved_tensors)
        return gradient * slope + gradient_square * slope_square

    @staticmethod
    def jvp(ctx, tangent: Tensor):  # type: ignore[no-untyped-def]
        slope, slope_square = _tangent_ratio_slopes(*ctx.saved_tensors)
        return tangent * slope, tangent * slope_square


def _tangent_ratio_value(z: Tensor) -> tuple[Tensor, Tensor]:
    t = (-z).clamp_min(0.0).sqrt()
    fade = torch.exp(-2.0 * t)
    ratio = torch.where(t > 0, torch.tanh(t) / torch.where(t > 0, t, 1.0), 1.0)
    return ratio, 4.0 * fade / (1.0 + fade).square()


def _tangent_ratio_slopes(z: Tensor) -> tuple[Tensor, Tensor]:
    ratio, square = tangent_ratio(z)
    near = z.abs() < _ARC_RADIUS
    slope = 0.5 * (square - ratio) / torch.where(near, 1.0, z)
    small = torch.where(near, z, 0.0)
    series = torch.zeros_like(z)
    for coefficient in reversed(_TANGENT_SLOPES):
        series = series * small + coefficient
    return torch.where(near, series, slope), ratio * square


def _tangent_coefficients(count: int) -> list[float]:
    """Return the first coefficients of tan(t) / t by t^2, from tan' = 1 + tan^2."""
    found = [1.0]
    for k in range(1, count):
        found.append(sum(found[i] * found[k - 1 - i] for i in range(k)) / (2 * k + 1))
    return found


_TANGENT_SLOPES = tuple(k * c for k, c in enumerate(_tangent_coefficients(_ARC_TERMS)))[1:]
