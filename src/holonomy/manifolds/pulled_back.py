"""Metrics pulled back by a diffeomorphism: every verb is the verb of another metric, seen through a chart."""

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from holonomy._core.persistence import Remade
from holonomy.manifolds.means import ChartMean
from holonomy.manifolds.metric import Metric
from holonomy.manifolds.numerics import safe_sqrt

if TYPE_CHECKING:
    from holonomy.manifolds.base import Manifold


class Chart(Remade, nn.Module, ABC):
    """A smooth bijection between the points of two spaces, with its derivative in both directions.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import LogEuclidean
    >>> LogEuclidean().chart(torch.eye(2))
    tensor([[0., 0.],
            [0., 0.]])
    """

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return the images of points x."""

    @abstractmethod
    def inverse(self, y: Tensor) -> Tensor:
        """Return the points whose images are y."""

    @abstractmethod
    def push(self, x: Tensor, u: Tensor) -> Tensor:
        """Return the derivative of the map at x along u."""

    @abstractmethod
    def pull(self, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
        """Return the u at x whose ``push`` is w, with y the image of x."""

    def pull_adjoint(self, x: Tensor, y: Tensor, g: Tensor) -> Tensor:
        """Return the adjoint of ``pull``, applied to partial derivatives g at x."""
        grad = torch.is_grad_enabled()
        with torch.enable_grad():
            w = torch.zeros_like(y.expand(g.shape)).requires_grad_()
            total = (g * self.pull(x, y, w)).sum()
            (result,) = torch.autograd.grad(total, w, create_graph=grad)
        return result


class PulledBack(Metric):
    """The metric that makes a chart an isometry (up to a scale) onto a space with a known metric.

    Parameters
    ----------
    chart : Chart
        From the points of the space to those of the other.
    base : Metric
        The metric there; it is handed the same space for its size, and writes all verbs itself.
    scale : float, default 1.0
        Distances are those of ``base`` times this.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD, LogEuclidean, PulledBack
    >>> isinstance(LogEuclidean(), PulledBack)
    True
    """

    def __init__(self, chart: Chart, base: Metric, scale: float = 1.0) -> None:
        super().__init__()
        self.chart, self.base, self.scale = chart, base, float(scale)

    def _inner(self, space: "Manifold", x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return self.scale**2 * self.base._inner(space, self.chart(x), self.chart.push(x, u), self.chart.push(x, v))

    def _norm(self, space: "Manifold", x: Tensor, v: Tensor) -> Tensor:
        return safe_sqrt(self._inner(space, x, v, v))

    def _exp(self, space: "Manifold", x: Tensor, v: Tensor) -> Tensor:
        return self.chart.inverse(self.base._exp(space, self.chart(x), self.chart.push(x, v)))

    def _log(self, space: "Manifold", x: Tensor, y: Tensor) -> Tensor:
        image = self.chart(x)
        return self.chart.pull(x, image, self.base._log(space, image, self.chart(y)))

    def _dist(self, space: "Manifold", x: Tensor, y: Tensor) -> Tensor:
        return self.scale * self.base._dist(space, self.chart(x), self.chart(y))

    def _squared_dist(self, space: "Manifold", x: Tensor, y: Tensor) -> Tensor:
        return self.scale**2 * self.base._squared_dist(space, self.chart(x), self.chart(y))

    def _geodesic(self, space: "Manifold", x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        return self.chart.inverse(self.base._geodesic(space, self.chart(x), self.chart(y), t))

    def _transport(self, space: "Manifold", x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        image = self.chart(y)
        return self.chart.pull(y, image, self.base._transport(space, self.chart(x), image, self.chart.push(x, v)))

    def _egrad_to_rgrad(self, space: "Manifold", x: Tensor, gradient: Tensor) -> Tensor:
        image = self.chart(x)
        lowered = self.chart.pull_adjoint(x, image, gradient) / self.scale**2
        return self.chart.pull(x, image, self.base._egrad_to_rgrad(space, image, lowered))

    def _frame(self, space: "Manifold", x: Tensor) -> Tensor:
        image = self.chart(x)
        rank = len(space.shape)
        frame = self.base._frame(space, image) / self.scale
        return self.chart.pull(x.unsqueeze(-rank - 1), image.unsqueeze(-rank - 1), frame)

    def _random_tangent(self, space: "Manifold", x: Tensor, generator: torch.Generator) -> Tensor:
        image = self.chart(x)
        return self.chart.pull(x, image, self.base._random_tangent(space, image, generator) / self.scale)

    def _log_volume_element(self, space: "Manifold", x: Tensor, v: Tensor) -> Tensor:
        return self.base._log_volume_element(space, self.chart(x), self.chart.push(x, v))

    def _log_heat_kernel(self, space: "Manifold", x: Tensor, y: Tensor, s: Tensor) -> Tensor:
        found = self.base._log_heat_kernel(space, self.chart(x), self.chart(y), s / self.scale**2)
        return found - space.dim * math.log(self.scale)

    def _mean_solver(self, space: "Manifold") -> ChartMean:
        return ChartMean(self.chart, self.base)

    def _injectivity_radius(self, space: "Manifold") -> float:
        return self.scale * self.base._injectivity_radius(space)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.extra_repr()})"
