"""Exact isometries between the models of one space of constant curvature."""

import torch
from torch import Tensor

from holonomy.manifolds.constant import ConstantCurvature
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.stereographic import StereographicChart


def convert(x: Tensor, source: ConstantCurvature, target: ConstantCurvature) -> Tensor:
    """Return the same points in another model of the same space.

    Parameters
    ----------
    x : Tensor of shape (..., *source.shape)
        Points of ``source``. The pole opposite to the origin of a sphere has no image in the chart.
    source, target : Sphere, Hyperboloid, PoincareBall or Stereographic
        Models of one dimension and one curvature.

    Returns
    -------
    Tensor of shape (..., *target.shape)
        Points of ``target`` at the same distances from each other.

    Raises
    ------
    TypeError
        If one is not a model of constant curvature.
    ValueError
        If dimensions or curvatures differ: no isometry exists.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Hyperboloid, PoincareBall, convert
    >>> convert(torch.tensor([0.5, 0.0]), PoincareBall(2), Hyperboloid(2))
    tensor([1.6667, 1.3333, 0.0000])
    """
    into_chart, out_of_chart = _steps(source, target)
    wide = widen(x)
    y = _into_chart(wide, source) if into_chart else wide
    return (_out_of_chart(y, target) if out_of_chart else y).to(x.dtype)


def convert_tangent(x: Tensor, v: Tensor, source: ConstantCurvature, target: ConstantCurvature) -> Tensor:
    """Return the same tangent vectors in another model: the differential of :func:`convert` at x, applied to v.

    Parameters
    ----------
    x : Tensor of shape (..., *source.shape)
        Points of ``source``.
    v : Tensor of shape (..., *source.shape)
        Tangent vectors at x.
    source, target : Sphere, Hyperboloid, PoincareBall or Stereographic
        Models of one dimension and one curvature.

    Returns
    -------
    Tensor of shape (..., *target.shape)
        Tangent vectors of ``target`` at ``convert(x, source, target)``, of the same lengths and angles.

    Raises
    ------
    TypeError, ValueError
        As :func:`convert`.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Hyperboloid, PoincareBall, convert_tangent
    >>> convert_tangent(torch.zeros(2), torch.tensor([0.5, 0.0]), PoincareBall(2), Hyperboloid(2))
    tensor([0., 1., 0.])
    """
    _steps(source, target)
    x, v = torch.broadcast_tensors(x, v)
    return torch.func.jvp(lambda p: convert(p, source, target), (x,), (v,))[1]


def _steps(source: ConstantCurvature, target: ConstantCurvature) -> tuple[bool, bool]:
    for name, space in (("source", source), ("target", target)):
        if not isinstance(space, ConstantCurvature):
            raise TypeError(f"{name} must be a space of constant curvature, got {type(space).__name__}.")
    if source.dim != target.dim or source.curvature != target.curvature:
        raise ValueError(f"source and target must be models of one space, got {source} and {target}.")
    chart = isinstance(source, StereographicChart), isinstance(target, StereographicChart)
    same_embedding = not any(chart)
    return not (chart[0] or same_embedding), not (chart[1] or same_embedding)


def _into_chart(x: Tensor, space: ConstantCurvature) -> Tensor:
    """Project from the opposite pole; x0 of a hyperboloid follows from the other coordinates."""
    rest = x[..., 1:]
    curvature = space._curvature_as(x)
    scaled = curvature.abs().sqrt() * x[..., :1]
    height = torch.where(curvature < 0, (1.0 - curvature * rest.square().sum(-1, keepdim=True)).abs().sqrt(), scaled)
    return rest / (1.0 + height)


def _out_of_chart(y: Tensor, space: ConstantCurvature) -> Tensor:
    curvature = space._curvature_as(y)
    square = curvature * y.square().sum(-1, keepdim=True)
    time = (1.0 - square) / (1.0 + square) * curvature.abs().rsqrt()
    return torch.cat([time, 2.0 * y / (1.0 + square)], dim=-1)
