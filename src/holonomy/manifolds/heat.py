"""Heat kernels for half the Laplacian as generator: of the unit sphere, and for short times of any space."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from holonomy.manifolds._hyperbolic_heat import hyperbolic_heat
from holonomy.manifolds.scalars import sinc

__all__ = ["SHORT_TIME", "hyperbolic_heat", "short_time_heat", "spherical_heat"]

if TYPE_CHECKING:
    from holonomy.manifolds.base import Manifold

SHORT_TIME = 2e-3
"""Below this time the series on a sphere would need more terms than the short-time form has error."""

_SERIES_EXPONENT = 45.0
_WINDINGS = 4


def spherical_heat(d: Tensor, s: Tensor, dim: int) -> Tensor:
    """Return the heat kernel (...) of the unit sphere at distances d and times s.

    By the series of Gegenbauer polynomials; for times below ``SHORT_TIME`` by the Gaussian with the volume correction
    of van Vleck, whose relative error is of the order of the time.

    Parameters
    ----------
    d : Tensor
        Distances in [0, pi], in double precision.
    s : Tensor
        Positive times.
    dim : int
        Dimension of the sphere, at least 1.

    Examples
    --------
    >>> import math, torch
    >>> from holonomy.manifolds.heat import spherical_heat
    >>> late = spherical_heat(torch.tensor(0.3).double(), torch.tensor(50.0).double(), 2)
    >>> math.isclose(float(late), 1 / (4 * math.pi))
    True
    """
    short = s < SHORT_TIME
    long_time = torch.where(short, torch.ones_like(s), s)
    series = _wrapped_series(d, long_time) if dim == 1 else _gegenbauer_series(d, long_time, dim)
    spread = torch.where(short, s, torch.ones_like(s))
    stretch = sinc(d.square()).clamp_min(torch.finfo(d.dtype).tiny) ** (-0.5 * (dim - 1))
    drift = 0.125 * (dim - 1) ** 2 * spread
    gauss = stretch * torch.exp(drift - 0.5 * d.square() / spread - 0.5 * dim * torch.log(2.0 * math.pi * spread))
    return torch.where(short, gauss, series)


def _terms(s: Tensor) -> int:
    """Return how many terms of a series with factors exp(-l^2 s / 2) count."""
    return 2 + int(math.sqrt(2.0 * _SERIES_EXPONENT / float(s.min().detach()))) if s.numel() else 2


def _wrapped_series(d: Tensor, s: Tensor) -> Tensor:
    """Sum over the windings of early heat, over the frequencies of late heat: the terms add up without cancelling."""
    turns = 2.0 * math.pi * torch.arange(-_WINDINGS, _WINDINGS + 1, dtype=d.dtype, device=d.device)
    early = s < math.pi
    short = torch.where(early, s, torch.ones_like(s))
    wound = torch.exp(-0.5 * (d.unsqueeze(-1) + turns).square() / short.unsqueeze(-1)).sum(-1)
    wound = wound / torch.sqrt(2.0 * math.pi * short)
    long = torch.where(early, torch.full_like(s, math.pi), s)
    waves = torch.ones_like(d * s)
    for k in range(1, _terms(long)):
        waves = waves + 2.0 * torch.exp(-0.5 * k**2 * long) * torch.cos(k * d)
    return torch.where(early, wound, waves / (2.0 * math.pi))


def _gegenbauer_series(d: Tensor, s: Tensor, dim: int) -> Tensor:
    alpha, z = 0.5 * (dim - 1), torch.cos(d)
    before, now = torch.zeros_like(z), torch.ones_like(z)
    total = torch.zeros_like(d * s)
    for order in range(_terms(s)):
        weight = (2 * order + dim - 1) / (dim - 1)
        total = total + weight * torch.exp(-0.5 * order * (order + dim - 1) * s) * now
        step = 2.0 * (order + alpha) * z * now - (order + 2.0 * alpha - 1.0) * before
        before, now = now, step / (order + 1)
    half = 0.5 * (dim + 1)
    return total.clamp_min(0.0) / (2.0 * math.pi**half / math.gamma(half))


def short_time_heat(manifold: "Manifold", x: Tensor, y: Tensor, s: Tensor | float) -> Tensor:
    """Return the heat kernel (...) of any space for short times: a Gaussian with the volume correction of van Vleck.

    The first term of the expansion of Minakshisundaram and Pleijel along the shortest geodesic. The relative error is
    of the order of the time times the curvature, where no other geodesic is about as short.

    Parameters
    ----------
    manifold : Manifold
        A space with a logarithm and a volume element.
    x, y : Tensor of shape (..., *shape)
        Points.
    s : Tensor of shape (...) or float
        Positive times.

    Returns
    -------
    Tensor of shape (...)

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.manifolds.heat import short_time_heat
    >>> sphere = Sphere(2)
    >>> x, y = sphere.random_normal(2, std=0.1, random_state=0)
    >>> bool((short_time_heat(sphere, x, y, 0.01) / sphere.heat_kernel(x, y, 0.01) - 1).abs() < 0.01)
    True

    References
    ----------
    Minakshisundaram & Pleijel (1949). Some properties of the eigenfunctions of the Laplace-operator on Riemannian
    manifolds. Canadian Journal of Mathematics 1.
    """
    time = torch.as_tensor(s, dtype=x.dtype, device=x.device)
    v = manifold.log(x, y)
    volume = manifold.log_volume_element(x, v)
    square = manifold.squared_dist(x, y)
    return torch.exp(-0.5 * (square / time + volume + manifold.dim * torch.log(2.0 * math.pi * time)))
