"""How far rotations of space are from one another: the angle between them, and the chord."""

import torch
from torch import Tensor

from holonomy._core.citations import references
from holonomy.manifolds.numerics import safe_sqrt, widen
from holonomy.objectives._reduction import reduced


@references("hempel2022sixd")
def geodesic_loss(R1: Tensor, R2: Tensor, reduction: str = "mean") -> Tensor:
    """Return the angle by which rotations differ, in [0, pi].

    The same when both are turned by a third rotation, on either side. Computed without an inverse cosine: gradients are
    right everywhere else, and finite at the angles 0 and pi, where they are no gradients but 0.

    Parameters
    ----------
    R1, R2 : Tensor of shape (..., 3, 3)
        Rotations; leading axes broadcast.
    reduction : {"mean", "sum", "none"}, default "mean"
        What becomes of the angles.

    Returns
    -------
    Tensor
        A scalar, or (...) without reduction; radians.

    Raises
    ------
    ValueError
        If a shape is wrong, or there is no such reduction.

    Examples
    --------
    >>> import torch
    >>> from holonomy.objectives import geodesic_loss
    >>> geodesic_loss(torch.eye(3), torch.diag(torch.tensor([-1.0, -1.0, 1.0])))
    tensor(3.1416)
    """
    R1, R2, dtype = _checked(R1, R2)
    square = (R1 - R2).square().sum((-2, -1))
    # |R1 - R2|^2 = 8 sin^2(angle / 2). Beyond a right angle its complement to 8 loses digits; sine and cosine do not.
    near = square <= 4.0
    small = torch.where(near, square, 1.0)
    chord_angle = 2.0 * torch.atan2(safe_sqrt(small), torch.sqrt(8.0 - small))
    turn = R1.mT @ R2
    sine = safe_sqrt((turn - turn.mT).square().sum((-2, -1)) / 8.0)
    cosine = 0.5 * (turn.diagonal(dim1=-2, dim2=-1).sum(-1) - 1.0)
    far_angle = torch.atan2(torch.where(near, 0.0, sine), torch.where(near, -1.0, cosine))
    return reduced(torch.where(near, chord_angle, far_angle).to(dtype), reduction)


def chordal_loss(R1: Tensor, R2: Tensor, reduction: str = "mean", *, squared: bool = True) -> Tensor:
    """Return the Frobenius norm of the difference of rotations, squared: ``8 sin^2(angle / 2)``, in [0, 8].

    Parameters
    ----------
    R1, R2 : Tensor of shape (..., 3, 3)
        Rotations, or any matrices; leading axes broadcast.
    reduction : {"mean", "sum", "none"}, default "mean"
        What becomes of the values.
    squared : bool, default True
        False returns the norm itself, whose gradient does not fall towards coincident rotations (there it is 0).

    Returns
    -------
    Tensor
        A scalar, or (...) without reduction.

    Raises
    ------
    ValueError
        If a shape is wrong, or there is no such reduction.

    Examples
    --------
    >>> import torch
    >>> from holonomy.objectives import chordal_loss
    >>> chordal_loss(torch.eye(3), torch.diag(torch.tensor([-1.0, -1.0, 1.0])))
    tensor(8.)
    """
    R1, R2, dtype = _checked(R1, R2)
    square = (R1 - R2).square().sum((-2, -1))
    return reduced((square if squared else safe_sqrt(square)).to(dtype), reduction)


def _checked(R1: Tensor, R2: Tensor) -> tuple[Tensor, Tensor, torch.dtype]:
    for name, R in (("R1", R1), ("R2", R2)):
        if R.shape[-2:] != (3, 3):
            raise ValueError(f"{name} must have shape (..., 3, 3), got {tuple(R.shape)}.")
    return widen(R1), widen(R2), torch.promote_types(R1.dtype, R2.dtype)
