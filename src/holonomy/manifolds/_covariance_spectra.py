"""Logarithms of eigenvalues of normal covariance matrices, drawn exactly where a proposal is good enough.

Their density is proportional to ``prod_{i<j} sinh(|r_i - r_j| / 2) exp(-|r|^2 / (2 s^2))``.
"""

import math

import torch
from scipy.optimize import brentq
from torch import Tensor

from holonomy.manifolds._invariant import random_symmetric
from holonomy.manifolds._pfaffians import log_pfaffian
from holonomy.manifolds.affine_invariant import log_sinhc

RARE = 1e-3
"""The lowest rate of acceptance at which samples are drawn by rejection."""
TRAJECTORIES = 40
"""Moves of a chain from its start to its sample; each turns the slowest direction by about a quarter."""
BLOCK = 1 << 20
"""The most numbers in one block of matrices."""


class SpectrumSampler:
    """Draws of r (count, n), in no particular order, for spread s.

    ``method`` says how: ``"matrix rejection"`` proposes the eigenvalues of a normal symmetric matrix,
    ``"ordered rejection"`` independent normal numbers whose means are far apart, and ``"chain"`` ends chains of
    Hamiltonian Monte Carlo. The rates of acceptance of the first two are known in closed form.
    """

    def __init__(self, n: int, spread: float) -> None:
        self.n, self.spread = n, spread
        self.tangent, slope = _tangent(n, spread)
        self.slope = slope
        self.matrix_std = (1.0 / spread**2 - 0.5 * n * slope) ** -0.5
        log_ordered = log_pfaffian(n, spread)
        rates = {"matrix rejection": self._log_matrix_rate(log_ordered), "ordered rejection": log_ordered}
        best = max(rates, key=lambda name: rates[name])
        self.log_rate = rates[best]
        self.method = best if self.log_rate >= math.log(RARE) else "chain"

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return r (count, n) in double precision."""
        step = max(1, BLOCK // self.n**2)
        if self.method == "chain":
            parts = [self._chain(min(step, count - k), generator) for k in range(0, count, step)]
            return torch.cat(parts) if parts else self._matrix_proposals(0, generator)
        propose = self._accepted_matrices if self.method == "matrix rejection" else self._accepted_ordered
        found = [self._matrix_proposals(0, generator)]
        missing = count
        while missing > 0:
            tries = int(missing / math.exp(self.log_rate) * 1.05) + 16
            found.append(propose(min(tries, step), generator))
            missing -= len(found[-1])
        return torch.cat(found)[:count]

    def _log_matrix_rate(self, log_ordered: float) -> float:
        """Log of the mass of the density over that of its bound, a normal symmetric matrix of another spread."""
        n, s = self.n, self.spread
        pairs = n * (n - 1) // 2
        mass = math.lgamma(n + 1) + n * math.log(s * math.sqrt(2.0 * math.pi)) + log_ordered
        mass += n * (n**2 - 1) * s**2 / 24
        # Mehta's integral, in which the trace has spread s and every other direction that of the matrix.
        bound = 0.5 * n * math.log(2.0 * math.pi) + math.log(s)
        bound += sum(math.lgamma(1.0 + 0.5 * j) - math.lgamma(1.5) for j in range(1, n + 1))
        bound += (pairs + n - 1) * math.log(self.matrix_std)
        return mass - bound - pairs * (_log_sinhc(self.tangent) - self.slope * self.tangent)

    def _matrix_proposals(self, count: int, generator: torch.Generator) -> Tensor:
        like = torch.empty(count, self.n, self.n, dtype=torch.float64, device=generator.device)
        r = self.matrix_std * torch.linalg.eigvalsh(random_symmetric(like, generator))
        return self._with_new_mean(r, generator)

    def _with_new_mean(self, r: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the mean of r anew: it is independent of differences, and normal."""
        mean = torch.randn(len(r), 1, generator=generator, dtype=r.dtype, device=r.device)
        return r - r.mean(-1, keepdim=True) + self.spread / math.sqrt(self.n) * mean

    def _accepted_matrices(self, tries: int, generator: torch.Generator) -> Tensor:
        r = self._matrix_proposals(tries, generator)
        half = 0.5 * _gaps(r)
        # log(sinh(x) / x) is concave in x^2, so it lies below its tangent.
        line = _log_sinhc(self.tangent) + self.slope * (half.square() - self.tangent)
        return r[self._levels(tries, generator) <= (log_sinhc(half) - line).sum(-1)]

    def _accepted_ordered(self, tries: int, generator: torch.Generator) -> Tensor:
        shift = torch.arange(self.n, dtype=torch.float64, device=generator.device) - 0.5 * (self.n - 1)
        normal = torch.randn(tries, self.n, generator=generator, dtype=torch.float64, device=generator.device)
        r = self.spread * (normal + self.spread * shift)
        levels = self._levels(tries, generator)
        keep = (r.diff(dim=-1) > 0).all(-1)
        r, levels = r[keep], levels[keep]
        return r[levels <= torch.log(-torch.expm1(-_gaps(r))).sum(-1)]

    def _levels(self, count: int, generator: torch.Generator) -> Tensor:
        return torch.rand(count, generator=generator, dtype=torch.float64, device=generator.device).log()

    def _chain(self, count: int, generator: torch.Generator) -> Tensor:
        """Move matrix proposals by Hamiltonian Monte Carlo: the density is log-concave for each order of r."""
        r = self._matrix_proposals(count, generator)
        step = 0.4 * self.spread / math.sqrt(self.n)
        slope, height = self._forces(r)
        for _ in range(TRAJECTORIES):
            momentum = torch.randn(r.shape, generator=generator, dtype=r.dtype, device=r.device)
            jitter = 0.5 + float(torch.rand(1, generator=generator, device=r.device))
            start = height - 0.5 * momentum.square().sum(-1)
            new, new_slope, new_height = r, slope, height
            for _ in range(math.ceil(0.5 * math.pi * self.spread * jitter / step)):
                momentum = momentum + 0.5 * step * new_slope
                new = new + step * momentum
                new_slope, new_height = self._forces(new)
                momentum = momentum + 0.5 * step * new_slope
            accept = self._levels(count, generator) <= new_height - 0.5 * momentum.square().sum(-1) - start
            r, slope = (torch.where(accept[:, None], a, b) for a, b in ((new, r), (new_slope, slope)))
            height = torch.where(accept, new_height, height)
        return self._with_new_mean(r, generator)

    def _forces(self, r: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradient (count, n) of the log density, and the log density (count,)."""
        gaps = r.unsqueeze(-1) - r.unsqueeze(-2)
        turn = torch.tanh(0.5 * gaps)
        turn.diagonal(dim1=-2, dim2=-1).fill_(math.inf)
        slope = 0.5 * turn.reciprocal().sum(-1) - r / self.spread**2
        size = _gaps(r).abs()
        height = (0.5 * size + torch.log(-torch.expm1(-size))).sum(-1)
        return slope, height - 0.5 * (r / self.spread).square().sum(-1)


def _gaps(r: Tensor) -> Tensor:
    i, j = torch.triu_indices(r.shape[-1], r.shape[-1], offset=1, device=r.device)
    return r[..., j] - r[..., i]


def _tangent(n: int, spread: float) -> tuple[float, float]:
    """Return where log(sinh(sqrt t) / sqrt t) is touched for the most acceptance, and the slope there.

    There the proposal's expected t is the place itself: ``(n + 2) / (4 t) + n slope(t) / 2 = 1 / spread^2``, whose
    left side falls.
    """

    def excess(log_t: float) -> float:
        t = math.exp(log_t)
        return spread**2 * ((n + 2) / (4.0 * t) + 0.5 * n * _slope(t)) - 1.0

    low = 0.25 * (n + 2) * spread**2
    high = max(0.5 * (n + 2) * spread**2, (0.5 * n * spread**2) ** 2)
    t = math.exp(float(brentq(excess, math.log(0.99 * low), math.log(1.01 * high), xtol=1e-12)))
    return t, _slope(t)


def _log_sinhc(t: float) -> float:
    """Return log(sinh(sqrt t) / sqrt t)."""
    return float(log_sinhc(torch.tensor(math.sqrt(t), dtype=torch.float64)))


def _slope(t: float) -> float:
    """Return the derivative of log(sinh(sqrt t) / sqrt t) by t."""
    if t < 0.01:
        return 1 / 6 - t * (1 / 90 - t * (1 / 945 - t / 9450))
    root = math.sqrt(t)
    return (root / math.tanh(root) - 1.0) / (2.0 * t)
