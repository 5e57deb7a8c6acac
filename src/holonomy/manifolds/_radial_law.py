"""The law of the distance from the mean under a Riemannian normal distribution, on spaces of constant curvature."""

import math
from abc import ABC, abstractmethod

import numpy as np
import torch
from scipy import special
from torch import Tensor

from holonomy.manifolds.constant import ConstantCurvature
from holonomy.manifolds.numerics import widen

GRID = 4096
"""Points of the table from which radii are drawn."""


class RadialLaw(ABC):
    """What a density proportional to ``exp(-dist(x, mean)^2 / (2 std^2))`` is on one kind of space, for any mean."""

    sampling: str
    """How samples are drawn."""

    @property
    @abstractmethod
    def log_normalizer(self) -> float:
        """Logarithm of the integral of the density by Riemannian volume."""

    @property
    @abstractmethod
    def expected_square(self) -> float:
        """Expected squared distance from the mean."""

    @abstractmethod
    def sample(self, mean: Tensor, size: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Return independent points (*size, *shape)."""


class ConstantCurvatureLaw(RadialLaw):
    """The law on a space of constant curvature: a uniform direction, and a radius from a table of shells."""

    sampling = "inverse"

    def __init__(self, manifold: ConstantCurvature, std: float) -> None:
        self.manifold = manifold
        self._width, log_mass = _radial_table(manifold.dim, manifold._value, std)
        self._log_normalizer = float(special.logsumexp(log_mass))
        self._mass = np.exp(log_mass - self._log_normalizer)

    @property
    def log_normalizer(self) -> float:
        """Logarithm of the integral of the density by Riemannian volume."""
        return self._log_normalizer

    @property
    def expected_square(self) -> float:
        """Expected squared distance from the mean."""
        radii = self._width * (np.arange(GRID) + 0.5)
        return float(self._mass @ radii**2)

    def sample(self, mean: Tensor, size: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Return independent points (*size, *shape): a direction, and a radius from the inverse of its distribution."""
        mean = mean.expand(*size, *mean.shape)
        direction = self.manifold._random_tangent(mean, generator)
        level = torch.rand(size, generator=generator, dtype=torch.float64)
        cumulative = torch.from_numpy(self._mass.cumsum())
        table = torch.cat([torch.zeros(1, dtype=torch.float64), cumulative])
        cell = torch.searchsorted(cumulative, level).clamp(max=len(cumulative) - 1)
        inside = (level - table[cell]) / (table[cell + 1] - table[cell])
        radius = self._width * (cell + inside)
        scale = radius / widen(self.manifold._norm(mean, direction))
        return self.manifold._exp(mean, (scale.unsqueeze(-1) * widen(direction)).to(mean.dtype))


def _radial_table(dim: int, curvature: float, std: float) -> tuple[float, np.ndarray]:
    """Return the width of equal cells of the radius, and the log mass of the Riemannian normal in each shell.

    On hyperbolic space the mass lies around (dim - 1) std^2 sqrt(-curvature), because volume grows exponentially.
    """
    root = math.sqrt(abs(curvature))
    spread = 10.0 * std * math.sqrt(dim)
    farthest = (dim - 1) * std**2 * root + spread if curvature <= 0 else min(math.pi / root, spread)
    cell = farthest / GRID
    radii = (np.arange(GRID) + 0.5) * cell
    if curvature == 0:
        log_circle = np.log(radii)
    else:
        t = root * radii
        log_circle = np.log(np.sin(t)) if curvature > 0 else t + np.log1p(-np.exp(-2.0 * t)) - math.log(2.0)
        log_circle = log_circle - math.log(root)
    area = math.log(2.0) + 0.5 * dim * math.log(math.pi) - math.lgamma(0.5 * dim)
    return cell, (dim - 1) * log_circle - 0.5 * (radii / std) ** 2 + area + math.log(cell)
