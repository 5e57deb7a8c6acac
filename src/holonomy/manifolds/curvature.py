"""Curvature of any manifold, by automatic differentiation of its metric in a chart around the point."""

import torch
from torch import Tensor

from holonomy.manifolds.base import Manifold


def riemann_tensor(manifold: Manifold, x: Tensor) -> Tensor:
    """Return the curvature tensor in the orthonormal frame ``manifold.frame(x)``.

    Parameters
    ----------
    manifold : Manifold
        Any space whose ``exp`` and ``inner`` can be differentiated.
    x : Tensor of shape (..., *shape)
        Points, best in double precision: three derivatives are taken.

    Returns
    -------
    Tensor of shape (..., dim, dim, dim, dim)
        ``R[i, j, k, l] = <R(e_i, e_j) e_k, e_l>``, signed so that ``R[i, j, j, i]`` is the sectional curvature.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Euclidean, riemann_tensor
    >>> riemann_tensor(Euclidean(2), torch.zeros(2)).abs().max()
    tensor(0.)
    """
    rank = len(manifold.shape)
    batch = x.shape[: x.ndim - rank]
    flat = x.reshape(-1, *manifold.shape)
    with torch.enable_grad():
        tensors = [_at_point(manifold, point, manifold.frame(point)) for point in flat]
    dim = manifold.dim
    empty = x.new_zeros(0, dim, dim, dim, dim)
    return (torch.stack(tensors) if tensors else empty).reshape(*batch, dim, dim, dim, dim)


def sectional_curvature(manifold: Manifold, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """Return the sectional curvature (...) of the planes spanned by tangent vectors u and v at x.

    Raises
    ------
    ValueError
        If u and v are parallel somewhere.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere, sectional_curvature
    >>> x, u, v = torch.eye(3, dtype=torch.float64)
    >>> sectional_curvature(Sphere(2), x, u, v).round(decimals=6)
    tensor(1., dtype=torch.float64)
    """
    tensor = riemann_tensor(manifold, x)
    frame = manifold.frame(x)
    a, b = (_coefficients(manifold, x, frame, w) for w in (u, v))
    area = a.square().sum(-1) * b.square().sum(-1) - (a * b).sum(-1).square()
    if bool((area <= 0).any()):
        raise ValueError("u and v must span a plane, and are parallel at some point.")
    return torch.einsum("...ijkl,...i,...j,...k,...l->...", tensor, a, b, b, a) / area


def ricci_tensor(manifold: Manifold, x: Tensor) -> Tensor:
    """Return the Ricci tensor (..., dim, dim) in the orthonormal frame ``manifold.frame(x)``.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere, ricci_tensor
    >>> ricci_tensor(Sphere(2), torch.eye(3, dtype=torch.float64)[0]).diagonal().round(decimals=6)
    tensor([1., 1.], dtype=torch.float64)
    """
    return torch.einsum("...ijki->...jk", riemann_tensor(manifold, x))


def scalar_curvature(manifold: Manifold, x: Tensor) -> Tensor:
    """Return the scalar curvature (...): the trace of the Ricci tensor.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere, scalar_curvature
    >>> scalar_curvature(Sphere(3), torch.eye(4, dtype=torch.float64)[0]).round(decimals=6)
    tensor(6., dtype=torch.float64)
    """
    return ricci_tensor(manifold, x).diagonal(dim1=-2, dim2=-1).sum(-1)


def _coefficients(manifold: Manifold, x: Tensor, frame: Tensor, v: Tensor) -> Tensor:
    rank = len(manifold.shape)
    return manifold._inner(x.unsqueeze(-rank - 1), frame, v.unsqueeze(-rank - 1))


def _at_point(manifold: Manifold, x: Tensor, frame: Tensor) -> Tensor:
    """Return the curvature tensor at one point from the metric of the normal chart there.

    In normal coordinates the first derivatives of the metric vanish at the centre, and the curvature is a combination
    of its second derivatives.
    """
    rank = len(manifold.shape)
    basis = frame.flatten(-rank)

    def chart(z: Tensor) -> Tensor:
        return manifold._exp(x, (z @ basis).reshape(manifold.shape))

    def metric(z: Tensor) -> Tensor:
        point = chart(z)
        columns = torch.func.jacrev(chart)(z).movedim(-1, 0)
        tangents = manifold._project_tangent(point, columns)
        return manifold._inner(point, tangents.unsqueeze(1), tangents.unsqueeze(0))

    zero = torch.zeros(manifold.dim, dtype=x.dtype, device=x.device)
    # second[a, b, i, j] = d_i d_j g_ab at the centre
    second = torch.func.jacrev(torch.func.jacrev(metric))(zero)
    jk_il = torch.einsum("iljk->ijkl", second)
    il_jk = torch.einsum("jkil->ijkl", second)
    ik_jl = torch.einsum("jlik->ijkl", second)
    jl_ik = torch.einsum("ikjl->ijkl", second)
    return 0.5 * (ik_jl + jl_ik - jk_il - il_jk)
