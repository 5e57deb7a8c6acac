"""The Riemannian normal distribution of covariance matrices under the affine-invariant metric."""

import math
from functools import cached_property

import torch
from torch import Tensor

from holonomy.manifolds._covariance_spectra import SpectrumSampler
from holonomy.manifolds._pfaffians import log_pfaffian, log_pfaffian_slope
from holonomy.manifolds._radial_law import RadialLaw
from holonomy.manifolds.affine_invariant import AffineInvariant
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.spd import SPD
from holonomy.manifolds.symmetric import symmetrize


class CovarianceLaw(RadialLaw):
    """The law on ``SPD(n)`` with any affine-invariant metric.

    A point is ``L Q diag(exp(r)) Q^T L^T`` with ``L L^T`` the mean, Q uniform on O(n), and r of density proportional to
    ``prod_{i<j} sinh(|r_i - r_j| / 2) exp(-dist^2 / (2 std^2))``, where
    ``dist^2 = alpha |r - mean(r)|^2 + (alpha + n beta) n mean(r)^2``. So ``std / sqrt(alpha)`` is the spread across
    the trace, and only the independent normal trace knows ``beta``, which changes volume as much as spread.
    """

    def __init__(self, manifold: SPD, metric: AffineInvariant, std: float) -> None:
        self._n, self._dim = manifold.n, manifold.dim
        self._alpha, self._trace_weight = metric.alpha, metric.alpha + manifold.n * metric.beta
        if self._trace_weight <= 0.0:
            raise ValueError(f"beta must be above -alpha / n = {-metric.alpha / manifold.n:g}, got {metric.beta:g}.")
        self._spread = std / math.sqrt(metric.alpha)

    @cached_property
    def _squared_shifts(self) -> float:
        """Sum of squares of ``j - (n - 1) / 2``."""
        return self._n * (self._n**2 - 1) / 12

    @cached_property
    def log_normalizer(self) -> float:
        """Logarithm of the integral of the density by Riemannian volume, by de Bruijn's formula."""
        n, s = self._n, self._spread
        # What is left of the volume of O(n), once signs and orders of eigenvectors are taken out.
        rotations = sum(0.5 * k * math.log(math.pi) - math.lgamma(0.5 * k) for k in range(1, n + 1))
        constant = rotations + 0.25 * n * (n - 1) * math.log(2.0) + 0.5 * self._dim * math.log(self._alpha)
        normals = n * math.log(s * math.sqrt(2.0 * math.pi)) + 0.5 * self._squared_shifts * s**2
        return constant + normals + log_pfaffian(n, s)

    @cached_property
    def expected_square(self) -> float:
        """Expected squared distance from the mean: ``std^3`` times the derivative of the log normaliser."""
        n, s = self._n, self._spread
        return self._alpha * s**2 * (n + self._squared_shifts * s**2 + log_pfaffian_slope(n, s))

    @cached_property
    def _sampler(self) -> SpectrumSampler:
        return SpectrumSampler(self._n, self._spread)

    @property
    def sampling(self) -> str:  # type: ignore[override]
        """How the eigenvalues are drawn."""
        return self._sampler.method

    def sample(self, mean: Tensor, size: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Return independent points (*size, n, n)."""
        n = self._n
        r = self._sampler.draw(math.prod(size), generator)
        trace = r.mean(-1, keepdim=True)
        r = r - trace + math.sqrt(self._alpha / self._trace_weight) * trace
        normal = torch.randn(len(r), n, n, generator=generator, dtype=torch.float64, device=generator.device)
        # Householder's Q is uniform but for the signs of its columns, which cancel.
        rotation = torch.linalg.qr(normal).Q
        root = torch.linalg.cholesky(symmetrize(widen(mean)))
        half = root @ rotation * torch.exp(0.5 * r).unsqueeze(-2)
        return symmetrize(half @ half.mT).reshape(*size, n, n).to(mean.dtype)
