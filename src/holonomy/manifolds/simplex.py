"""Probability vectors with the metric of Fisher and Rao."""

import math

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.numerics import tolerances, widen
from holonomy.manifolds.sphere import Sphere


class FisherRaoSimplex(Manifold):
    """The open simplex of probability vectors, with the Fisher information as metric.

    ``x -> 2 sqrt(x)`` maps it isometrically onto the positive part of the sphere of radius 2, so its curvature is 1/4
    and the distance of two distributions is ``2 arccos(sum_i sqrt(x_i y_i))``. The part has a boundary: ``exp`` of a
    vector that leads across it comes back as if mirrored there, because coordinates are squares.

    Parameters
    ----------
    n : int
        Dimension, at least 1: points have n + 1 coordinates, positive and with sum 1.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If n is below 1.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import FisherRaoSimplex
    >>> x, y = torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1])
    >>> FisherRaoSimplex(1).dist(x, y)
    tensor(0.9273)

    References
    ----------
    Rao (1945). Information and the accuracy attainable in the estimation of statistical parameters. Bulletin of the
    Calcutta Mathematical Society.
    """

    _references = ("rao1945information",)
    curvature = 0.25

    def __init__(self, n: int, *, check: bool = False) -> None:
        super().__init__(check_int(n, "n", minimum=1), (n + 1,), check=check)
        self._sphere = Sphere(n, curvature=0.25)

    def _up(self, x: Tensor) -> Tensor:
        return 2.0 * widen(x).clamp_min(tolerances(torch.float64).tiny).sqrt()

    def _up_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        return 2.0 * widen(v) / self._up(x)

    def _down_tangent(self, point: Tensor, v: Tensor, dtype: torch.dtype) -> Tensor:
        return (0.5 * point * v).to(dtype)

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return (self._up_tangent(x, u) * self._up_tangent(x, v)).sum(-1).to(u.dtype)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        point = self._sphere._exp(self._up(x), self._up_tangent(x, v))
        square = point.square()
        return (square / square.sum(-1, keepdim=True)).to(x.dtype)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        point = self._up(x)
        return self._down_tangent(point, self._sphere._log(point, self._up(y)), x.dtype)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return self._sphere._dist(self._up(x), self._up(y)).to(x.dtype)

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        return self._sphere._squared_dist(self._up(x), self._up(y)).to(x.dtype)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        point, there = self._up(x), self._up(y)
        return self._down_tangent(there, self._sphere._transport(point, there, self._up_tangent(x, v)), v.dtype)

    def _project(self, x: Tensor) -> Tensor:
        """Return the nearest vector of sum 1 with coordinates that are at least ``interior``: a sort and a shift."""
        wide = widen(x)
        sums = wide.sort(dim=-1, descending=True).values
        counts = torch.arange(1, x.shape[-1] + 1, dtype=wide.dtype, device=x.device)
        shifts = (sums.cumsum(-1) - 1.0) / counts
        kept = (sums > shifts).sum(-1, keepdim=True)
        nearest = (wide - shifts.gather(-1, kept - 1)).clamp_min(tolerances(x.dtype).interior)
        return (nearest / nearest.sum(-1, keepdim=True)).to(x.dtype)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        """Project in the Fisher metric, in which (x_i) is normal to the simplex."""
        return v - x * v.sum(-1, keepdim=True)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return x * (gradient - (x * gradient).sum(-1, keepdim=True))

    def _frame(self, x: Tensor) -> Tensor:
        point = self._up(x)
        return self._down_tangent(point.unsqueeze(-2), self._sphere._frame(point), x.dtype)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.full(self.shape, 1.0 / (self.dim + 1), dtype=dtype, device=device)

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        point = self._up(x)
        return self._down_tangent(point, self._sphere._random_tangent(point, generator), x.dtype)

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        """Draw from the Dirichlet distribution with all parameters 1/2, which is uniform by Fisher volume."""
        normal = torch.randn((*size, self.dim + 1), generator=generator, dtype=torch.float64, device=device).square()
        return (normal / normal.sum(-1, keepdim=True)).to(dtype)

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        return self._sphere._log_volume_element(self._up(x), self._up_tangent(x, v)).to(x.dtype)

    def _log_volume(self) -> float:
        return self._sphere._log_volume() - (self.dim + 1) * math.log(2.0)

    def _normal_log_prob(self, x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        """Sum over all points of the whole sphere with these squares."""
        choices = torch.cartesian_prod(*[torch.tensor([1.0, -1.0], dtype=torch.float64)] * (self.dim + 1))
        signs = choices.to(x.device).reshape(-1, *[1] * (x.ndim - 1), self.dim + 1)
        return torch.logsumexp(self._sphere._normal_log_prob(signs * self._up(x), self._up(mean), std), 0).to(x.dtype)

    def _residual(self, x: Tensor) -> Tensor:
        off = (widen(x).sum(-1) - 1.0).abs()
        return torch.where((x > 0).all(-1), off, 1.0 + off).to(x.dtype)

    def _tangent_residual(self, x: Tensor, v: Tensor) -> Tensor:
        return v.sum(-1).abs() / (1.0 + torch.linalg.vector_norm(v, dim=-1))

    def _injectivity_radius(self) -> float:
        """Return infinity: every geodesic is the shortest one as long as it stays inside."""
        return math.inf
