"""Losses that let a network say how sure it is of a rotation: minus the log density of what is true."""

from torch import Tensor

from holonomy._core.citations import references
from holonomy.manifolds import Bingham, MatrixFisher
from holonomy.objectives._reduction import reduced


@references("mohlin2020probabilistic", "downs1972orientation")
def matrix_fisher_loss(F: Tensor, R: Tensor, reduction: str = "mean") -> Tensor:
    """Return minus the log density of rotations under matrix-Fisher distributions.

    Parameters
    ----------
    F : Tensor of shape (..., 3, 3)
        Parameters; the most likely rotation is the one nearest to F, and large singular values mean that it is sure.
    R : Tensor of shape (..., 3, 3)
        True rotations.
    reduction : {"mean", "sum", "none"}, default "mean"
        What becomes of the values.

    Returns
    -------
    Tensor
        A scalar, or (...) without reduction; in nats, by Riemannian volume, ``log(8 pi^2)`` for F = 0.

    Raises
    ------
    ValueError
        If a shape is wrong, or there is no such reduction.

    Examples
    --------
    >>> import torch
    >>> from holonomy.objectives import matrix_fisher_loss
    >>> matrix_fisher_loss(torch.zeros(3, 3), torch.eye(3))
    tensor(4.3689)
    """
    return reduced(-MatrixFisher(F).log_prob(R), reduction)


@references("peretroukhin2020smooth", "bingham1974antipodally")
def bingham_loss(A: Tensor, R: Tensor, reduction: str = "mean") -> Tensor:
    """Return minus the log density of rotations whose quaternions have the density ``exp(-q^T A q)`` up to a factor.

    Parameters
    ----------
    A : Tensor of shape (..., 4, 4)
        Symmetric; its lowest eigenvector is the most likely quaternion, and a large gap above means that it is sure.
    R : Tensor of shape (..., 3, 3)
        True rotations.
    reduction : {"mean", "sum", "none"}, default "mean"
        What becomes of the values.

    Returns
    -------
    Tensor
        A scalar, or (...) without reduction; in nats, by Riemannian volume, ``log(8 pi^2)`` for A = 0.

    Raises
    ------
    ValueError
        If a shape is wrong, or there is no such reduction.

    Examples
    --------
    >>> import torch
    >>> from holonomy.objectives import bingham_loss
    >>> bingham_loss(torch.zeros(4, 4), torch.eye(3))
    tensor(4.3689)
    """
    return reduced(-Bingham(-A).log_prob(R), reduction)
