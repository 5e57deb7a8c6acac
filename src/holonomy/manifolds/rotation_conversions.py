"""Rotations of space in the coordinates people use: matrices, quaternions, axis-angle and Euler angles.

Quaternions have their real part first. All conversions are smooth up to the unavoidable: quaternions have two signs, an
axis is not defined at angle 0 (axis-angle vectors are), and Euler angles lock.
"""

import math
import warnings
from typing import Any

import torch
from torch import Tensor

from holonomy._core.validation import check_option
from holonomy.manifolds.numerics import safe_sqrt, tolerances, widen
from holonomy.manifolds.scalars import stumpff

AXES = ("moving", "fixed")
ORDERS = ("xyz", "xzy", "yxz", "yzx", "zxy", "zyx", "xyx", "xzx", "yxy", "yzy", "zxz", "zyz")


def hat(w: Tensor) -> Tensor:
    """Return the antisymmetric matrices (..., 3, 3) of vectors (..., 3): ``hat(w) a = w x a``.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.rotation_conversions import hat
    >>> hat(torch.tensor([0.0, 0.0, 1.0]))[:2, :2]
    tensor([[ 0., -1.],
            [ 1.,  0.]])
    """
    x, y, z = w.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))


def axis_angle_to_matrix(w: Tensor) -> Tensor:
    """Return the rotations (..., 3, 3) about the directions of vectors (..., 3) by their lengths.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import axis_angle_to_matrix
    >>> axis_angle_to_matrix(torch.tensor([0.0, 0.0, torch.pi]))[0, 0]
    tensor(-1.)
    """
    square = w.square().sum(-1)[..., None, None]
    turn = hat(w)
    identity = torch.eye(3, dtype=w.dtype, device=w.device)
    return identity + stumpff(square, 1) * turn + stumpff(square, 2) * (turn @ turn)


def matrix_to_axis_angle(x: Tensor) -> Tensor:
    """Return the vectors (..., 3), of length at most pi, whose rotations are x (..., 3, 3).

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import matrix_to_axis_angle
    >>> matrix_to_axis_angle(torch.eye(3))
    tensor([0., 0., 0.])
    """
    q = matrix_to_quaternion(widen(x))
    real, vector = q[..., 0], q[..., 1:]
    square = vector.square().sum(-1)
    sine = safe_sqrt(square)
    far = sine > 1e-2
    t = torch.where(far, 0.0, square / torch.where(far, 1.0, real).square())
    series = 2.0 / torch.where(far, 1.0, real) * (1.0 - t * (1 / 3 - t * (1 / 5 - t * (1 / 7 - t / 9))))
    ratio = torch.where(far, 2.0 * torch.atan2(sine, real) / torch.where(far, sine, 1.0), series)
    return (ratio[..., None] * vector).to(x.dtype)


def quaternion_to_matrix(q: Tensor) -> Tensor:
    """Return the rotations (..., 3, 3) of quaternions (..., 4), real part first, of any length but 0.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import quaternion_to_matrix
    >>> quaternion_to_matrix(torch.tensor([1.0, 0.0, 0.0, 0.0])).trace()
    tensor(3.)
    """
    w, v = q[..., :1, None], q[..., 1:]
    turn = hat(v)
    identity = torch.eye(3, dtype=q.dtype, device=q.device)
    return identity + 2.0 * (w * turn + turn @ turn) / q.square().sum(-1)[..., None, None]


def matrix_to_quaternion(x: Tensor) -> Tensor:
    """Return unit quaternions (..., 4), real part first and not negative, of rotations (..., 3, 3).

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import matrix_to_quaternion
    >>> matrix_to_quaternion(torch.eye(3))
    tensor([1., 0., 0., 0.])
    """
    diagonal = x.diagonal(dim1=-2, dim2=-1)
    trace = diagonal.sum(-1, keepdim=True)
    # Row i is 4 q_i q; the one with the largest q_i is precise.
    off = [x[..., 2, 1] - x[..., 1, 2], x[..., 0, 2] - x[..., 2, 0], x[..., 1, 0] - x[..., 0, 1]]
    sums = x + x.mT
    squares = torch.cat([1.0 + trace, 1.0 - trace + 2.0 * diagonal], dim=-1)
    rows = [torch.stack([squares[..., 0], *off], dim=-1)]
    for i in range(3):
        entries = [squares[..., 1 + i] if j == i else sums[..., i, j] for j in range(3)]
        rows.append(torch.stack([off[i], *entries], dim=-1))
    table = torch.stack(rows, dim=-2)
    best = squares.argmax(-1)[..., None, None].expand(*squares.shape[:-1], 1, 4)
    row = table.gather(-2, best).squeeze(-2)
    q = row / row.norm(dim=-1, keepdim=True)
    return torch.where(q[..., :1] < 0, -q, q)


def euler_to_matrix(angles: Tensor, order: str = "zyx", *, axes: str = "moving", degrees: bool = False) -> Tensor:
    """Return the rotations (..., 3, 3) of Euler angles (..., 3): three turns, one after the other.

    Parameters
    ----------
    angles : Tensor of shape (..., 3)
        One angle for each letter of ``order``. A warning tells of radians beyond a full turn: they may be degrees.
    order : str, default "zyx"
        Axes of the turns, for instance ``"zyx"`` or ``"zxz"``; no axis twice in a row.
    axes : {"moving", "fixed"}, default "moving"
        Whether every turn carries the axes of the next along (intrinsic), or all turns are about the axes of space
        (extrinsic). With twelve orders this makes the 24 kinds of Euler angles.
    degrees : bool, default False
        Whether angles are degrees instead of radians.

    Raises
    ------
    ValueError
        If ``order`` is not one of the twelve, or ``axes`` is neither.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import euler_to_matrix
    >>> euler_to_matrix(torch.tensor([90.0, 0.0, 0.0]), "zyx", degrees=True)[:, 0].round(decimals=6) + 0.0
    tensor([0., 1., 0.])
    """
    check_option(order, "order", ORDERS)
    check_option(axes, "axes", AXES)
    if not degrees:
        _warn_of_degrees(angles)
    radians = torch.deg2rad(angles) if degrees else angles
    return turns_about_axes(radians, order, axes)


def turns_about_axes(radians: Tensor, order: str, axes: str = "moving") -> Tensor:
    """Return what :func:`euler_to_matrix` does, of options that were checked before."""
    along = torch.eye(3, dtype=radians.dtype, device=radians.device)
    turns = [axis_angle_to_matrix(radians[..., i, None] * along["xyz".index(order[i])]) for i in range(3)]
    first, second, third = turns if axes == "moving" else turns[::-1]
    return first @ second @ third


def matrix_to_euler(x: Tensor, order: str = "zyx", *, axes: str = "moving", degrees: bool = False) -> Tensor:
    """Return Euler angles (..., 3) of rotations (..., 3, 3).

    The second angle is in [-pi/2, pi/2] for three different axes, and in [0, pi] for repeated ones; the others are in
    [-pi, pi]. Where the axes lock, the third angle is 0 (with fixed axes the first).

    Parameters
    ----------
    x : Tensor of shape (..., 3, 3)
        Rotations.
    order : str, default "zyx"
        Axes of the turns.
    axes : {"moving", "fixed"}, default "moving"
        As in :func:`euler_to_matrix`.
    degrees : bool, default False
        Whether to return degrees instead of radians.

    Raises
    ------
    ValueError
        If ``order`` is not one of the twelve, or ``axes`` is neither.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import euler_to_matrix, matrix_to_euler
    >>> matrix_to_euler(euler_to_matrix(torch.tensor([0.1, 0.2, 0.3])))
    tensor([0.1000, 0.2000, 0.3000])
    """
    check_option(order, "order", ORDERS)
    # Turns about fixed axes are the turns about moving axes in the opposite order.
    if check_option(axes, "axes", AXES) == "fixed":
        angles = _moving_angles(x, order[::-1]).flip(-1)
    else:
        angles = _moving_angles(x, order)
    return torch.rad2deg(angles) if degrees else angles


def _moving_angles(x: Tensor, order: str) -> Tensor:
    i, j, k = ("xyz".index(axis) for axis in order)
    proper = i == k
    other = 3 - i - j if proper else k
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    if proper:
        flat = torch.hypot(x[..., i, j], x[..., i, other])
        second = torch.atan2(flat, x[..., i, i])
        first = torch.atan2(x[..., j, i], -sign * x[..., other, i])
        third = torch.atan2(x[..., i, j], sign * x[..., i, other])
    else:
        flat = torch.hypot(x[..., i, i], x[..., i, j])
        second = torch.atan2(sign * x[..., i, k], flat)
        first = torch.atan2(-sign * x[..., j, k], x[..., k, k])
        third = torch.atan2(-sign * x[..., i, j], x[..., i, i])
    locked = flat <= 16.0 * torch.finfo(x.dtype).eps
    alone = torch.atan2(sign * x[..., other, j], x[..., j, j])
    return torch.stack([torch.where(locked, alone, first), second, torch.where(locked, 0.0, third)], dim=-1)


def check_rotations(R: Any, name: str = "R") -> None:
    """Raise unless ``R`` is a floating-point tensor of rotations (..., 3, 3).

    Parameters
    ----------
    R : Tensor of shape (..., 3, 3)
        What to check; ``R^T R`` may differ from the identity by the tolerance of its dtype (1e-4 in float32, 1e-9 in
        float64).
    name : str, default "R"
        How the error calls it.

    Raises
    ------
    TypeError
        If it is no floating-point tensor.
    ValueError
        If its shape is wrong, or a matrix is no rotation; the index of the first is named.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import check_rotations
    >>> check_rotations(torch.eye(3))
    """
    if not isinstance(R, Tensor) or not R.is_floating_point():
        raise TypeError(f"{name} must be a floating-point tensor, got {getattr(R, 'dtype', type(R).__name__)}.")
    if R.shape[-2:] != (3, 3):
        raise ValueError(f"{name} must have shape (..., 3, 3), got {tuple(R.shape)}.")
    wide = widen(R.detach())
    skewed = (wide.mT @ wide - torch.eye(3, dtype=wide.dtype, device=wide.device)).abs().amax((-2, -1))
    determinant = torch.linalg.det(wide)
    # A comparison with NaN is false.
    bad = ~((skewed <= tolerances(R.dtype).belongs) & (determinant > 0))
    if not bool(bad.any()):
        return
    at = tuple(int(i) for i in bad.nonzero()[0])
    place = f"{name}[{', '.join(map(str, at))}]" if at else name
    raise ValueError(
        f"{name} must hold rotations, and {place} is none: its determinant is {float(determinant[at]):.4g}, and R^T R "
        f"is off the identity by {float(skewed[at]):.3g}. SpecialOrthogonal(3).project({name}) gives the nearest ones."
    )


def _warn_of_degrees(angles: Tensor) -> None:
    largest = float(angles.detach().abs().amax()) if angles.numel() else 0.0
    if largest > 2.0 * math.pi * (1.0 + 1e-6):
        warnings.warn(
            f"angles holds {largest:.4g}, more than a full turn in radians; pass degrees=True if these are degrees.",
            stacklevel=3,
        )
