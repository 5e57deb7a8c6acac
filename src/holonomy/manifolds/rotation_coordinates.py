"""Continuous coordinates of rotations of space, which networks can put out: six, nine and ten numbers.

No continuous map from rotations to fewer than five numbers has a continuous way back, so that a network which puts out
Euler angles, quaternions or axis-angle vectors must learn a jump.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from holonomy._core.citations import references
from holonomy.manifolds.numerics import safe_divide, tolerances, widen
from holonomy.manifolds.polar import rotation_factor
from holonomy.manifolds.symmetric import eigh, symmetrize


@references("zhou2019continuity", "hempel2022sixd")
def sixd_to_matrix(six: Tensor, *, rows: bool = False) -> Tensor:
    """Return rotations (..., 3, 3) whose first two columns are six numbers (..., 6) made orthonormal.

    By Gram-Schmidt, in float64. Where the first three numbers vanish, or the others are parallel to them, the direction
    that is missing is taken from the axes of space and has derivative 0; `sixd_degenerate` tells where.

    Parameters
    ----------
    six : Tensor of shape (..., 6)
        The first column, then the second.
    rows : bool, default False
        Whether the numbers are the first two rows of the rotation instead, as in some other libraries.

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
    a, b = _two_vectors(six)
    no_first, no_second = _missing(six)
    axes = torch.eye(3, dtype=a.dtype, device=a.device)
    first = _direction(torch.where(no_first, axes[0], a))
    # The axis of space that is farthest from the first column can always be made orthogonal to it.
    spare = axes[first.detach().abs().argmin(-1)]
    second = torch.where(no_second, spare, _direction(torch.where(no_second, spare, b)))
    second = _direction(second - (first * second).sum(-1, keepdim=True) * first)
    columns = torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1).to(six.dtype)
    return columns.mT if rows else columns


def matrix_to_sixd(x: Tensor, *, rows: bool = False) -> Tensor:
    """Return the first two columns (..., 6) of rotations (..., 3, 3), or their first two rows.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import matrix_to_sixd
    >>> matrix_to_sixd(torch.eye(3))
    tensor([1., 0., 0., 0., 1., 0.])
    """
    columns = x.mT if rows else x
    return torch.cat([columns[..., :, 0], columns[..., :, 1]], dim=-1)


def sixd_degenerate(six: Tensor) -> Tensor:
    """Return where (...) six numbers (..., 6) leave a column of the rotation open.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.rotation_coordinates import sixd_degenerate
    >>> sixd_degenerate(torch.tensor([[1.0, 0.0, 0.0, 2.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]]))
    tensor([ True, False])
    """
    no_first, no_second = _missing(six)
    return (no_first | no_second).squeeze(-1)


@references("levinson2020analysis")
def nined_to_matrix(nine: Tensor) -> Tensor:
    """Return the rotations (..., 3, 3) nearest to nine numbers (..., 9), the rows of a matrix.

    By a singular value decomposition: ``U diag(1, 1, det(U V^T)) V^T``. Equal singular values do no harm to the
    gradient; it is infinite only where the nearest rotation is not unique, and then 0 is returned for it.

    Raises
    ------
    ValueError
        If the trailing axis is not 9.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import nined_to_matrix
    >>> nined_to_matrix(torch.tensor([3.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0])).trace()
    tensor(3.)
    """
    if nine.shape[-1] != 9:
        raise ValueError(f"nine must have shape (..., 9), got {tuple(nine.shape)}.")
    return rotation_factor(nine.unflatten(-1, (3, 3)))


def tend_to_symmetric(ten: Tensor) -> Tensor:
    """Return the symmetric matrices (..., 4, 4) whose upper triangles, row by row, are ten numbers (..., 10).

    Raises
    ------
    ValueError
        If the trailing axis is not 10.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.rotation_coordinates import tend_to_symmetric
    >>> tend_to_symmetric(torch.arange(10.0))[0]
    tensor([0., 1., 2., 3.])
    """
    if ten.shape[-1] != 10:
        raise ValueError(f"ten must have shape (..., 10), got {tuple(ten.shape)}.")
    i, j = torch.triu_indices(4, 4, device=ten.device)
    place = torch.zeros(4, 4, dtype=torch.long, device=ten.device)
    place[i, j] = place[j, i] = torch.arange(10, device=ten.device)
    return ten[..., place.flatten()].unflatten(-1, (4, 4))


@references("peretroukhin2020smooth")
def tend_to_matrix(ten: Tensor) -> Tensor:
    """Return the rotations (..., 3, 3) whose quaternions are the lowest eigenvectors of symmetric matrices.

    The rotation is the mode of the Bingham distribution with density proportional to ``exp(-q^T A q)``. It is a linear
    function of ``q q^T``, so that the sign of the eigenvector does not matter, and repeated eigenvalues above the
    lowest do no harm to the gradient.

    Parameters
    ----------
    ten : Tensor of shape (..., 10)
        Upper triangles of A, row by row.

    Raises
    ------
    ValueError
        If the trailing axis is not 10.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import tend_to_matrix
    >>> tend_to_matrix(torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0])).trace()
    tensor(3.)
    """
    return outer_to_matrix(_LowestProjector.apply(widen(tend_to_symmetric(ten)))).to(ten.dtype)


def outer_to_matrix(P: Tensor) -> Tensor:
    """Return the matrices (..., 3, 3) that depend linearly on P (..., 4, 4), and are rotations of q for ``P = q q^T``.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.rotation_coordinates import outer_to_matrix
    >>> outer_to_matrix(torch.diag(torch.tensor([0.0, 1.0, 0.0, 0.0])))[1, 1]
    tensor(-1.)
    """
    w, x, y, z = P.diagonal(dim1=-2, dim2=-1).unbind(-1)
    diagonal = torch.stack([w + x - y - z, w - x + y - z, w - x - y + z], dim=-1)
    wx, wy, wz = P[..., 0, 1], P[..., 0, 2], P[..., 0, 3]
    xy, xz, yz = P[..., 1, 2], P[..., 1, 3], P[..., 2, 3]
    rows = [
        [diagonal[..., 0], 2.0 * (xy - wz), 2.0 * (xz + wy)],
        [2.0 * (xy + wz), diagonal[..., 1], 2.0 * (yz - wx)],
        [2.0 * (xz - wy), 2.0 * (yz + wx), diagonal[..., 2]],
    ]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _two_vectors(six: Tensor) -> tuple[Tensor, Tensor]:
    if six.shape[-1] != 6:
        raise ValueError(f"six must have shape (..., 6), got {tuple(six.shape)}.")
    wide = widen(six)
    return wide[..., :3], wide[..., 3:]


def _missing(six: Tensor) -> tuple[Tensor, Tensor]:
    """Return where the first vector vanishes, and where the second does or is parallel to it, both (..., 1)."""
    with torch.no_grad():
        a, b = _two_vectors(six)
        limits = tolerances(six.dtype)
        lengths = [torch.linalg.vector_norm(v, dim=-1, keepdim=True) for v in (a, b)]
        no_first, no_second = (length <= limits.tiny**0.5 for length in lengths)
        first = torch.where(no_first, torch.eye(3, dtype=a.dtype, device=a.device)[0], safe_divide(a, lengths[0]))
        across = torch.linalg.cross(first, safe_divide(b, lengths[1]))
        parallel = torch.linalg.vector_norm(across, dim=-1, keepdim=True) <= limits.rank
        return no_first, no_second | parallel


def _direction(v: Tensor) -> Tensor:
    return v / torch.linalg.vector_norm(v, dim=-1, keepdim=True)


class _LowestProjector(torch.autograd.Function):
    """The projector on the lowest eigenvector of symmetric matrices."""

    @staticmethod
    def forward(ctx: Any, A: Tensor) -> Tensor:
        values, vectors = eigh(A)
        ctx.save_for_backward(values, vectors)
        lowest = vectors[..., :, :1]
        return (lowest @ lowest.mT).to(A.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        values, vectors = ctx.saved_tensors
        turned = vectors.mT @ symmetrize(grad).to(vectors.dtype) @ vectors
        # Only the lowest eigenvector turns, towards each of the others by one over the gap.
        gaps = safe_divide(turned[..., :1, 1:], values[..., :1, None] - values[..., None, 1:])
        inside = torch.zeros_like(turned)
        inside[..., :1, 1:] = gaps
        inside[..., 1:, :1] = gaps.mT
        return (vectors @ inside @ vectors.mT).to(grad.dtype)
