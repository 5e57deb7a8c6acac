"""Rotations of space in the coordinates people use: matrices, quaternions, axis-angle, Euler angles, six numbers.

Quaternions have their real part first. All conversions are smooth up to the unavoidable: quaternions have two signs, an
axis is not defined at angle 0 (axis-angle vectors are), Euler angles lock, and six numbers may not be parallel.
"""

import torch
from torch import Tensor

from holonomy._core.citations import references
from holonomy._core.validation import check_option
from holonomy.manifolds.numerics import safe_sqrt, widen
from holonomy.manifolds.scalars import stumpff

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


def euler_to_matrix(angles: Tensor, order: str = "zyx") -> Tensor:
    """Return the rotations (..., 3, 3) of Euler angles (..., 3): turns about moving axes, one after the other.

    Parameters
    ----------
    angles : Tensor of shape (..., 3)
        Radians.
    order : str, default "zyx"
        Axes of the turns, for instance ``"zyx"`` or ``"zxz"``; no axis twice in a row.

    Raises
    ------
    ValueError
        If ``order`` is not one of the twelve.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import euler_to_matrix
    >>> euler_to_matrix(torch.tensor([torch.pi / 2, 0.0, 0.0]), "zyx")[:, 0].round(decimals=6) + 0.0
    tensor([0., 1., 0.])
    """
    check_option(order, "order", ORDERS)
    axes = torch.eye(3, dtype=angles.dtype, device=angles.device)
    turns = [axis_angle_to_matrix(angles[..., i, None] * axes["xyz".index(order[i])]) for i in range(3)]
    return turns[0] @ turns[1] @ turns[2]


def matrix_to_euler(x: Tensor, order: str = "zyx") -> Tensor:
    """Return Euler angles (..., 3) of rotations (..., 3, 3), turns about moving axes.

    The second angle is in [-pi/2, pi/2] for three different axes, and in [0, pi] for repeated ones. Where the axes
    lock, the third angle is 0.

    Parameters
    ----------
    x : Tensor of shape (..., 3, 3)
        Rotations.
    order : str, default "zyx"
        Axes of the turns.

    Raises
    ------
    ValueError
        If ``order`` is not one of the twelve.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import euler_to_matrix, matrix_to_euler
    >>> matrix_to_euler(euler_to_matrix(torch.tensor([0.1, 0.2, 0.3])))
    tensor([0.1000, 0.2000, 0.3000])
    """
    i, j, k = ("xyz".index(axis) for axis in check_option(order, "order", ORDERS))
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


@references("zhou2019continuity")
def sixd_to_matrix(six: Tensor) -> Tensor:
    """Return rotations (..., 3, 3) whose first two columns are six numbers (..., 6) made orthonormal.

    Continuous, unlike any map from fewer than five numbers, so that networks can output rotations.

    Raises
    ------
    ValueError
        If the trailing axis is not 6.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import sixd_to_matrix
    >>> sixd_to_matrix(torch.tensor([2.0, 0.0, 0.0, 1.0, 3.0, 0.0])).trace()
    tensor(3.)
    """
    if six.shape[-1] != 6:
        raise ValueError(f"six must have shape (..., 6), got {tuple(six.shape)}.")
    a, b = six[..., :3], six[..., 3:]
    first = a / a.norm(dim=-1, keepdim=True)
    across = b - (first * b).sum(-1, keepdim=True) * first
    second = across / across.norm(dim=-1, keepdim=True)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def matrix_to_sixd(x: Tensor) -> Tensor:
    """Return the first two columns (..., 6) of rotations (..., 3, 3).

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import matrix_to_sixd
    >>> matrix_to_sixd(torch.eye(3))
    tensor([1., 0., 0., 0., 1., 0.])
    """
    return torch.cat([x[..., :, 0], x[..., :, 1]], dim=-1)
