"""Losses on the numbers that stand for a rotation, rather than on the rotation.

They punish numbers that name the same rotation differently, which is why the geodesic loss is to be preferred; they are
here to be compared with.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from holonomy._core.citations import references
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.manifolds import matrix_to_axis_angle, matrix_to_euler, matrix_to_quaternion, matrix_to_sixd
from holonomy.objectives._reduction import reduced

WIDTHS = {"6d": 6, "9d_svd": 9, "quaternion": 4, "euler": 3, "axis_angle": 3}
"""How many numbers a representation has."""

_TARGETS: dict[str, Callable[..., Tensor]] = {
    "6d": matrix_to_sixd,
    "9d_svd": lambda R: R.flatten(-2),
    "euler": matrix_to_euler,
    "axis_angle": matrix_to_axis_angle,
}


@references("zhou2019continuity")
def rotation_parameter_loss(
    numbers: Tensor, R: Tensor, representation: str, reduction: str = "mean", *, order: str = "zyx"
) -> Tensor:
    """Return the squared distance of numbers from those that stand for rotations.

    Parameters
    ----------
    numbers : Tensor of shape (..., p)
        What a network puts out: 6, 9, 4, 3 or 3 numbers.
    R : Tensor of shape (..., 3, 3)
        True rotations.
    representation : {"6d", "9d_svd", "quaternion", "euler", "axis_angle"}
        What the numbers mean: the first two columns; the rows of a matrix; a quaternion, real part first, which is
        normalised, and of whose two signs the nearer one counts; three angles in radians; a rotation vector.
    reduction : {"mean", "sum", "none"}, default "mean"
        What becomes of the values.
    order : str, default "zyx"
        With ``"euler"``: the moving axes that the angles are about; see `euler_to_matrix`.

    Returns
    -------
    Tensor
        A scalar, or (...) without reduction.

    Raises
    ------
    ValueError
        If there is no such representation or reduction, or a shape is wrong.

    Examples
    --------
    >>> import torch
    >>> from holonomy.objectives import rotation_parameter_loss
    >>> rotation_parameter_loss(torch.tensor([-1.0, 0.0, 0.0, 0.0]), torch.eye(3), "quaternion")
    tensor(0.)
    """
    check_option(representation, "representation", WIDTHS)
    width = WIDTHS[representation]
    if numbers.shape[-1] != width:
        raise ValueError(f"numbers must have shape (..., {width}) for {representation!r}, got {tuple(numbers.shape)}.")
    if R.shape[-2:] != (3, 3):
        raise ValueError(f"R must have shape (..., 3, 3), got {tuple(R.shape)}.")
    if representation == "quaternion":
        unit, true = functional.normalize(numbers, dim=-1), matrix_to_quaternion(R)
        both = [(unit - sign * true).square().sum(-1) for sign in (1.0, -1.0)]
        return reduced(torch.minimum(*both), reduction)
    true = _TARGETS[representation](R, order) if representation == "euler" else _TARGETS[representation](R)
    return reduced((numbers - true).square().sum(-1), reduction)


def bin_centers(n_bins: int, bin_degrees: float = 3.0, *, like: Tensor | None = None) -> Tensor:
    """Return the middles (n_bins,), in radians, of bins of angles that lie side by side around 0.

    Raises
    ------
    ValueError
        If there are fewer than 2 bins, the width is not positive, or they reach around more than a full turn.

    Examples
    --------
    >>> from holonomy.objectives.rotation_parameters import bin_centers
    >>> bin_centers(66)[[0, -1]].rad2deg().round(decimals=3)
    tensor([-97.5000,  97.5000])
    """
    check_int(n_bins, "n_bins", minimum=2)
    check_float(bin_degrees, "bin_degrees", minimum=math.ulp(0.0))
    if n_bins * bin_degrees > 360.0 * (1.0 + 1e-12):
        raise ValueError(f"n_bins * bin_degrees must be at most 360, got {n_bins} * {bin_degrees}.")
    centers = (torch.arange(n_bins, dtype=torch.float64) - 0.5 * (n_bins - 1)) * math.radians(bin_degrees)
    return centers.to(torch.float32) if like is None else centers.to(like)


@references("ruiz2018fine")
def binned_angle_loss(
    logits: Tensor, angles: Tensor, *, bin_degrees: float = 3.0, weight: float = 1.0, reduction: str = "mean"
) -> Tensor:
    """Return the cross-entropy of bins of angles, and the squared error of the expected angle.

    Parameters
    ----------
    logits : Tensor of shape (..., k, n_bins)
        Scores of the bins of k angles; 66 bins of 3 degrees reach from -99 to 99 degrees.
    angles : Tensor of shape (..., k)
        True angles in radians; those beyond the bins count to the outermost one.
    bin_degrees : float, default 3.0
        Width of a bin.
    weight : float, default 1.0
        Of the squared error, which is in squared degrees.
    reduction : {"mean", "sum", "none"}, default "mean"
        What becomes of the sums over the k angles.

    Returns
    -------
    Tensor
        A scalar, or (...) without reduction.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is out of range, or there is no such reduction.

    Examples
    --------
    >>> import torch
    >>> from holonomy.objectives import binned_angle_loss
    >>> binned_angle_loss(torch.zeros(1, 66), torch.zeros(1)).exp().round(decimals=3)
    tensor(66.)
    """
    if logits.ndim < 2 or logits.shape[:-1] != angles.shape:
        raise ValueError(
            f"logits must have the shape of angles and an axis of bins, got {tuple(logits.shape)} and "
            f"{tuple(angles.shape)}."
        )
    check_float(weight, "weight", minimum=0.0)
    n_bins = logits.shape[-1]
    centers = bin_centers(n_bins, bin_degrees, like=logits)
    width = math.radians(bin_degrees)
    which = torch.floor(angles / width + 0.5 * n_bins).long().clamp(0, n_bins - 1)
    entropy = -torch.log_softmax(logits, dim=-1).gather(-1, which[..., None]).squeeze(-1)
    expected = (torch.softmax(logits, dim=-1) * centers).sum(-1)
    squares = torch.rad2deg(expected - angles).square()
    return reduced((entropy + weight * squares).sum(-1), reduction)
