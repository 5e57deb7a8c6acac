"""Products of hyperbolic spaces whose points are the rows of a strictly lower triangular matrix."""

import math

import torch
from torch import Tensor

from holonomy.manifolds.base import Manifold
from holonomy.manifolds.hyperboloid import Hyperboloid
from holonomy.manifolds.metric import Metric
from holonomy.manifolds.numerics import safe_sqrt


class HyperbolicRows(Metric):
    """Row i holds the i - 1 last coordinates of a point of a hyperboloid; the zeros to its right stay zero."""

    def _inner(self, space: Manifold, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return _rows(x)._inner(_lift(x), _lift_tangent(x, u), _lift_tangent(x, v)).sum(-1)

    def _norm(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        return safe_sqrt(self._inner(space, x, v, v))

    def _exp(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        return _rows(x)._exp(_lift(x), _lift_tangent(x, v))[..., 1:]

    def _log(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return _rows(x)._log(_lift(x), _lift(y))[..., 1:]

    def _dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(space, x, y))

    def _squared_dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return _rows(x)._squared_dist(_lift(x), _lift(y)).sum(-1)

    def _geodesic(self, space: Manifold, x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        return self._exp(space, x, space._scale(t, x) * self._log(space, x, y))

    def _transport(self, space: Manifold, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return _rows(x)._transport(_lift(x), _lift(y), _lift_tangent(x, v))[..., 1:]

    def _egrad_to_rgrad(self, space: Manifold, x: Tensor, gradient: Tensor) -> Tensor:
        # The inverse of the metric in the coordinates without the first is I + x x^T.
        gradient = gradient.tril(-1)
        return gradient + (x * gradient).sum(-1, keepdim=True) * x

    def _frame(self, space: Manifold, x: Tensor) -> Tensor:
        n = x.shape[-1]
        i, j = torch.tril_indices(n, n, offset=-1, device=x.device)
        units = torch.zeros(len(i), n, n, dtype=x.dtype, device=x.device)
        units[torch.arange(len(i), device=x.device), i, j] = 1.0
        return _isometry(x.unsqueeze(-3), units)

    def _random_tangent(self, space: Manifold, x: Tensor, generator: torch.Generator) -> Tensor:
        return _isometry(x, torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device).tril(-1))

    def _log_volume_element(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        lengths = safe_sqrt(_rows(x)._inner(_lift(x), _lift_tangent(x, v), _lift_tangent(x, v)))
        half = lengths.clamp_min(1e-3)
        series = lengths.square() / 6.0 - lengths**4 / 180.0
        stretch = torch.where(lengths < 1e-3, series, torch.log(torch.sinh(half) / half))
        powers = (torch.arange(x.shape[-1], device=x.device) - 1).clamp_min(0)
        return (powers * stretch).sum(-1)

    def _injectivity_radius(self, space: Manifold) -> float:
        return math.inf


def _rows(x: Tensor) -> Hyperboloid:
    return Hyperboloid(x.shape[-1])


def _lift(x: Tensor) -> Tensor:
    return torch.cat([torch.sqrt(1.0 + x.square().sum(-1, keepdim=True)), x], dim=-1)


def _lift_tangent(x: Tensor, v: Tensor) -> Tensor:
    x, v = torch.broadcast_tensors(x, v)
    return torch.cat([(x * v).sum(-1, keepdim=True) / torch.sqrt(1.0 + x.square().sum(-1, keepdim=True)), v], dim=-1)


def _isometry(x: Tensor, s: Tensor) -> Tensor:
    """Map rows with the Euclidean product onto tangent rows: ``s + x <x, s> / (1 + x0)``."""
    first = torch.sqrt(1.0 + x.square().sum(-1, keepdim=True))
    return s + x * (x * s).sum(-1, keepdim=True) / (1.0 + first)
