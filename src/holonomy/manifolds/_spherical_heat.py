"""The heat kernel of the unit sphere, in any dimension, and its logarithm however far away it is taken.

The series of Gegenbauer polynomials cancels where the kernel is small: terms of size one add up to it. There it is an
integral over larger distances, by the formula of Mehler and Dirichlet for the polynomials and Poisson's for their sum,
of derivatives of Gaussians: of one sign, so that nothing cancels. Very early heat, which would need many terms, is near
its source by the expansion of Minakshisundaram and Pleijel to the second order in the time.
"""

import math
from functools import cache

import numpy as np
import torch
from torch import Tensor

from holonomy.manifolds.scalars import sinc

SHORT_TIME = 2e-3
"""Below this time the expansion near the source is exact to about 1e-8, and the series would need many terms."""

_SERIES_EXPONENT = 45.0
_WINDINGS = 4
_FAR_EXPONENT = 8.0
"""From this exponent on, plus the dimension, heat is far: both forms are exact to 1e-10 there up to 14 dimensions."""

_NODES = 64


def spherical_log_heat(d: Tensor, s: Tensor, dim: int) -> Tensor:
    """Return the log of :func:`spherical_heat` (...), also where the kernel is too small to be stored.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.heat import spherical_log_heat
    >>> round(float(spherical_log_heat(torch.tensor(3.0).double(), torch.tensor(0.01).double(), 2)), 4)
    -445.7
    """
    d, s = torch.broadcast_tensors(d, s)
    if dim == 1:
        return _wrapped(d, s)
    is_far = 0.5 * d.square() > (_FAR_EXPONENT + dim) * s
    is_short = ~is_far & (s < SHORT_TIME)
    is_late = ~is_far & ~is_short
    one = torch.ones_like(s)
    # Where a form is not used it is given inputs that it is good for.
    far = _integral(torch.where(is_far, d, 3.0 * one), torch.where(is_far, s, 0.1 * one), dim)
    short = _expansion(torch.where(is_short, d, 0.0 * one), torch.where(is_short, s, SHORT_TIME * one), dim)
    late = _series(torch.where(is_late, d, 0.0 * one), torch.where(is_late, s, one), dim)
    return torch.where(is_far, far, torch.where(is_short, short, late))


def _terms(s: Tensor) -> int:
    """Return how many terms of a series with factors exp(-l^2 s / 2) count."""
    return 2 + int(math.sqrt(2.0 * _SERIES_EXPONENT / float(s.min().detach()))) if s.numel() else 2


def _wrapped(d: Tensor, s: Tensor) -> Tensor:
    """Sum over the windings of early heat, over the frequencies of late heat: the terms add up without cancelling."""
    turns = 2.0 * math.pi * torch.arange(-_WINDINGS, _WINDINGS + 1, dtype=d.dtype, device=d.device)
    early = s < math.pi
    short = torch.where(early, s, torch.ones_like(s))
    wound = torch.logsumexp(-0.5 * (d.unsqueeze(-1) + turns).square() / short.unsqueeze(-1), dim=-1)
    wound = wound - 0.5 * torch.log(2.0 * math.pi * short)
    long = torch.where(early, torch.full_like(s, math.pi), s)
    waves = torch.ones_like(d * s)
    for k in range(1, _terms(long)):
        waves = waves + 2.0 * torch.exp(-0.5 * k**2 * long) * torch.cos(k * d)
    return torch.where(early, wound, torch.log(waves / (2.0 * math.pi)))


def _series(d: Tensor, s: Tensor, dim: int) -> Tensor:
    """Sum Gegenbauer polynomials by their recurrence."""
    alpha, z = 0.5 * (dim - 1), torch.cos(d)
    before, now = torch.zeros_like(z), torch.ones_like(z)
    total = torch.zeros_like(d * s)
    for order in range(_terms(s)):
        weight = (2 * order + dim - 1) / (dim - 1)
        total = total + weight * torch.exp(-0.5 * order * (order + dim - 1) * s) * now
        step = 2.0 * (order + alpha) * z * now - (order + 2.0 * alpha - 1.0) * before
        before, now = now, step / (order + 1)
    return torch.log(total) - _log_area(dim)


def _log_area(dim: int) -> float:
    half = 0.5 * (dim + 1)
    return math.log(2.0) + half * math.log(math.pi) - math.lgamma(half)


def _expansion(d: Tensor, s: Tensor, dim: int) -> Tensor:
    """Return the Gaussian with the volume correction of van Vleck and two more terms of the logarithm, for short d.

    The first is ``-c (1 - d cot d) / 2 d^2`` with ``c = (dim - 1) (dim - 3) / 4``; both are summed as power series.
    """
    square, c = d.square(), 0.25 * (dim - 1) * (dim - 3)
    gauss = -0.5 * square / s - 0.5 * dim * torch.log(2.0 * math.pi * s) - 0.5 * (dim - 1) * torch.log(sinc(square))
    # (1 - d cot d) / d^2 = 1/3 + d^2/45 + 2 d^4/945 + d^6/4725 + 2 d^8/93555 + ...
    first, second = torch.zeros_like(d), torch.zeros_like(d)
    for power, term in reversed(list(enumerate((1 / 3, 1 / 45, 2 / 945, 1 / 4725, 2 / 93555, 1382 / 638512875)))):
        first = first * square + term
        if power:
            second = second * square + term * (power + 0.5 * (dim - 2))
    return gauss + 0.125 * (dim - 1) ** 2 * s - 0.5 * c * (s * first + s.square() * second)


def _integral(d: Tensor, s: Tensor, dim: int) -> Tensor:
    """Integrate over larger distances d + r, r = top t^2, up to pi or as far as it counts."""
    rate = 0.5 * (dim - 1)
    rest = (math.pi - d).clamp_min(0.0)
    reach = 2.0 * _SERIES_EXPONENT * s / (d + torch.sqrt(d.square() + 2.0 * _SERIES_EXPONENT * s))
    # Its own share of the distance to the antipode, which is 1 at the antipode itself.
    share = torch.where(reach < rest, reach / torch.where(reach < rest, rest, torch.ones_like(rest)), 1.0)
    top = torch.minimum(reach, rest)
    nodes, weights = (torch.as_tensor(z).to(d) for z in _gauss())
    r = top.unsqueeze(-1) * nodes.square()
    d, s = d.unsqueeze(-1), s.unsqueeze(-1)
    # (cos d - cos(d + r)) / r (pi - d), from the product of two sines, and without what vanishes at the antipode.
    shape = (1.0 - 0.5 * share.unsqueeze(-1) * nodes.square()) * sinc((rest.unsqueeze(-1) - 0.5 * r).square())
    shape = shape * sinc(0.25 * r.square())
    past = 2.0 * math.pi - d - r
    around = torch.exp(0.5 * (d - past) * (d + past) / s) * _slopes(past, s, dim)
    decay = torch.exp(-0.5 * r * (2.0 * d + r) / s) * _slopes(d + r, s, dim) + around
    total = (weights * nodes ** (dim - 2) * shape ** (rate - 1.0) * decay).sum(-1)
    d, s = d.squeeze(-1), s.squeeze(-1)
    logs = rate * torch.log(share) - (dim - 2) * torch.log(sinc(rest.square())) - (dim - 0.5) * torch.log(s)
    constant = 0.5 * math.log(2.0) + rate * math.log(2.0) - math.lgamma(rate + 1.0) - math.lgamma(2.0 * rate)
    constant += math.lgamma(rate + 0.5) - _log_area(dim)
    return constant + logs - 0.5 * d.square() / s + 0.5 * rate**2 * s + torch.log(total)


def _slopes(u: Tensor, s: Tensor, dim: int) -> Tensor:
    """Return ``D exp(-u^2 / 2 s)`` over the exponential and over ``s^-(dim-1)``.

    D is the product of ``d^2 + j^2``, d the derivative and j = dim/2 - 3/2, dim/2 - 5/2, ... positive, times -d where
    the dimension is even, d^2 where it is odd.
    """
    factors = np.array([1.0])
    for j in np.arange(0.5 * dim - 1.5, 0.0, -1.0):
        factors = np.polynomial.polynomial.polymul(factors, [j**2, 0.0, 1.0])
    factors = np.concatenate([np.zeros(2 if dim % 2 else 1), factors])
    before, now = torch.zeros_like(u * s), torch.ones_like(u * s)
    total = torch.zeros_like(now)
    for power, factor in enumerate(factors):
        if factor:
            total = total + factor * s ** (dim - 1 - power) * now
        before, now = now, u * now - power * s * before
    return total


@cache
def _gauss() -> tuple[np.ndarray, np.ndarray]:
    """Return the Gauss nodes in [0, 1] and their weights."""
    points, weights = np.polynomial.legendre.leggauss(_NODES)
    return 0.5 * (points + 1.0), 0.5 * weights
