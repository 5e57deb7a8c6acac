"""Heat kernels of the unit sphere and of hyperbolic space of curvature -1, for half the Laplacian as generator."""

import math

import torch
from torch import Tensor

from holonomy.manifolds.scalars import sinc

SHORT_TIME = 2e-3
"""Below this time the series on a sphere would need more terms than the short-time form has error."""

_SERIES_EXPONENT = 45.0
_NODES = 400
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


def hyperbolic_heat(d: Tensor, s: Tensor, dim: int) -> Tensor:
    """Return the heat kernel (...) of hyperbolic space of curvature -1 at distances d and times s.

    Closed forms in dimensions 1 and 3, and McKean's integral in dimension 2.

    Parameters
    ----------
    d : Tensor
        Distances, in double precision.
    s : Tensor
        Positive times.
    dim : int
        Dimension, 1, 2 or 3.

    Raises
    ------
    NotImplementedError
        In dimensions above 3.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.heat import hyperbolic_heat
    >>> hyperbolic_heat(torch.tensor(1.0).double(), torch.tensor(1.0).double(), 3).round(decimals=5)
    tensor(0.01987, dtype=torch.float64)
    """
    if dim == 1:
        return torch.exp(-0.5 * d.square() / s) / torch.sqrt(2.0 * math.pi * s)
    if dim == 3:
        return torch.exp(-0.5 * s - 0.5 * d.square() / s) / ((2.0 * math.pi * s) ** 1.5 * sinc(-d.square()))
    if dim != 2:
        raise NotImplementedError(f"The heat kernel of hyperbolic space is known in dimensions 1 to 3, not {dim}.")
    return _mckean(d, s)


def _mckean(d: Tensor, s: Tensor) -> Tensor:
    """Integrate over u = d + v^2, in which the integrand is smooth, by the trapezoidal rule."""
    d, s = (t.unsqueeze(-1) for t in torch.broadcast_tensors(d, s))
    reach = (2.0 * _SERIES_EXPONENT * s / (d + torch.sqrt(d.square() + 2.0 * _SERIES_EXPONENT * s))).sqrt()
    v = reach * torch.linspace(0.0, 1.0, _NODES, dtype=d.dtype, device=d.device)
    rise = v.square()
    # sqrt(cosh u - cosh d) / v, from the product of two hyperbolic sines.
    root = torch.sqrt(torch.sinh(d + 0.5 * rise) * sinc(-0.25 * rise.square()))
    decay = torch.exp(-0.5 * rise * (2.0 * d + rise) / s)
    value = 2.0 * (d + rise) * decay / torch.where(root > 0, root, torch.ones_like(root))
    weights = torch.full_like(v, 1.0)
    weights[..., 0] = weights[..., -1] = 0.5
    integral = (weights * value).sum(-1) * reach.squeeze(-1) / (_NODES - 1)
    time = 0.5 * s.squeeze(-1)
    front = math.sqrt(2.0) * torch.exp(-0.25 * time - 0.5 * d.squeeze(-1).square() / s.squeeze(-1))
    return front * integral / (4.0 * math.pi * time) ** 1.5
