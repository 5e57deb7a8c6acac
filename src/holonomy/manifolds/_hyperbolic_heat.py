"""The heat kernel of hyperbolic space of curvature -1, in any dimension, for half the Laplacian as generator.

Two dimensions more are a derivative by the hyperbolic cosine of the distance (Millson's recursion). From the line this
gives all odd dimensions, from McKean's integral for the plane all even ones; with ``E(c) = exp(-arccosh(c)^2 / 2 s)``
both are derivatives of E, at the distance, or integrated over larger ones. Derivatives of E alternate in sign, as do
those of the squared distance, so that none of the sums cancels.
"""

import math

import torch
from torch import Tensor

from holonomy.manifolds.scalars import sinc

_EXPONENT = 45.0
_NODES = 400
_SERIES_TERMS = 36
_SERIES_REACH = 0.5
"""Up to this cosh(d) - 1 derivatives of the squared distance are summed as series, which converge up to 2."""


def hyperbolic_heat(d: Tensor, s: Tensor, dim: int) -> Tensor:
    """Return the heat kernel (...) of hyperbolic space of curvature -1 at distances d and times s.

    Parameters
    ----------
    d : Tensor
        Distances, in double precision.
    s : Tensor
        Positive times.
    dim : int
        Dimension, at least 1.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.heat import hyperbolic_heat
    >>> round(float(hyperbolic_heat(torch.tensor(1.0).double(), torch.tensor(1.0).double(), 3)), 4)
    0.0199
    """
    return torch.exp(hyperbolic_log_heat(d, s, dim))


def hyperbolic_log_heat(d: Tensor, s: Tensor, dim: int) -> Tensor:
    """Return the log of :func:`hyperbolic_heat` (...), also where the kernel is too small to be stored.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.heat import hyperbolic_log_heat
    >>> round(float(hyperbolic_log_heat(torch.tensor(50.0).double(), torch.tensor(1.0).double(), 3)), 2)
    -1298.65
    """
    d, s = torch.broadcast_tensors(d, s)
    order = (dim - 1) // 2
    front = -0.125 * (dim - 1) ** 2 * s - 0.5 * d.square() / s - order * math.log(2.0 * math.pi)
    if dim % 2:
        return front + torch.log(_derivative(d, s, order)) - 0.5 * torch.log(2.0 * math.pi * s)
    return front + torch.log(_integral(d, s, order + 1))


def _integral(d: Tensor, s: Tensor, order: int) -> Tensor:
    """Integrate the derivative of some order over larger distances u = d + v^2, by the trapezoidal rule."""
    d, s = d.unsqueeze(-1), s.unsqueeze(-1)
    reach = (2.0 * _EXPONENT * s / (d + torch.sqrt(d.square() + 2.0 * _EXPONENT * s))).sqrt()
    v = reach * torch.linspace(0.0, 1.0, _NODES, dtype=d.dtype, device=d.device)
    rise = v.square()
    u = d + rise
    # sqrt(cosh u - cosh d) / v, from the product of two hyperbolic sines.
    root = torch.sqrt(torch.sinh(d + 0.5 * rise) * sinc(-0.25 * rise.square()))
    decay = torch.exp(-0.5 * rise * (2.0 * d + rise) / s)
    value = _derivative(u, s, order) * torch.sinh(u) * decay / torch.where(root > 0, root, torch.ones_like(root))
    weights = torch.full_like(v, 1.0)
    weights[..., 0] = weights[..., -1] = 0.5
    total = (weights * value).sum(-1) * reach.squeeze(-1) / (_NODES - 1)
    return 2.0 * math.sqrt(2.0) * s.squeeze(-1) * total / (2.0 * math.pi * s.squeeze(-1)) ** 1.5


def _derivative(d: Tensor, s: Tensor, order: int) -> Tensor:
    """Return ``(-d/dc)^order`` of ``exp(-arccosh(c)^2 / 2 s)`` at ``c = cosh d``, over the exponential itself."""
    slopes = [(-1.0) ** k * q / (2.0 * s) for k, q in enumerate(_squares(d, order))]
    parts = [torch.ones_like(d * s)]
    for m in range(order):
        parts.append(torch.stack([math.comb(m, j) * slopes[j] * parts[m - j] for j in range(m + 1)]).sum(0))
    return parts[order]


def _squares(d: Tensor, order: int) -> list[Tensor]:
    """Return the derivatives 1 to ``order`` of ``q = arccosh(c)^2`` at ``c = cosh d``; their signs alternate.

    They satisfy ``(c^2 - 1) q'' + c q' = 2``, which is differentiated again and again; near 1 series are summed.
    """
    first = 2.0 / sinc(-d.square())
    if order < 2:
        return [first][:order]
    at_one = [2.0]
    for k in range(1, order + _SERIES_TERMS):
        at_one.append(-(k**2) * at_one[-1] / (2 * k + 1))
    rise = 2.0 * torch.sinh(0.5 * d).square()
    near = rise < _SERIES_REACH
    small = torch.where(near, rise, torch.zeros_like(rise))
    c = torch.where(near, torch.full_like(rise, 2.0), 1.0 + rise)
    across = c.square() - 1.0
    steps = [first, (2.0 - c * first) / across]
    for k in range(1, order - 1):
        steps.append(-((2 * k + 1) * c * steps[k] + k**2 * steps[k - 1]) / across)
    return [first, *(torch.where(near, _series(at_one[k:], small), steps[k]) for k in range(1, order))]


def _series(derivatives: list[float], x: Tensor) -> Tensor:
    """Sum a Taylor series by Horner's rule."""
    total = torch.zeros_like(x)
    for j in reversed(range(_SERIES_TERMS)):
        total = total * x / (j + 1) + derivatives[j]
    return total
