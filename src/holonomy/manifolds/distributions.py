"""Probability distributions on manifolds, each with samples and a normalised density by Riemannian volume."""

import math
from abc import ABC, abstractmethod

import numpy as np
import torch
from scipy import special
from torch import Tensor

from holonomy._core.validation import check_float, check_int
from holonomy.manifolds._random import TorchRandomState, torch_generator
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.constant import ConstantCurvature
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.sphere import Sphere

GRID = 4096
"""Points of the table from which radii are drawn."""


class Distribution(ABC):
    """Something random on a manifold: ``sample`` and ``log_prob``."""

    manifold: Manifold

    @abstractmethod
    def sample(self, *size: int, random_state: TorchRandomState = None) -> Tensor:
        """Return independent points (*size, *shape)."""

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log density (...) at points x, with respect to Riemannian volume."""


class Uniform(Distribution):
    """Uniform by Riemannian volume, on a space where that is finite.

    Parameters
    ----------
    manifold : Manifold
        The space.

    Raises
    ------
    NotImplementedError
        If the volume is infinite or unknown.

    Examples
    --------
    >>> from holonomy.manifolds import Sphere, Uniform
    >>> uniform = Uniform(Sphere(2))
    >>> uniform.log_prob(uniform.sample(3, random_state=0)).exp()
    tensor([0.0796, 0.0796, 0.0796])
    """

    def __init__(self, manifold: Manifold) -> None:
        manifold.log_volume()
        self.manifold = manifold

    def sample(self, *size: int, random_state: TorchRandomState = None) -> Tensor:
        """Return independent points (*size, *shape)."""
        return self.manifold.random_uniform(*size, random_state=random_state)

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log density (...): minus the log volume."""
        return self.manifold.uniform_log_prob(x)


class WrappedNormal(Distribution):
    """A normal vector in the tangent space at a mean, wrapped onto the space by ``exp``.

    Parameters
    ----------
    manifold : Manifold
        The space.
    mean : Tensor of shape ``manifold.shape``, optional
        The origin by default.
    std : float, default 1.0
        Standard deviation along every direction, positive.

    Raises
    ------
    ValueError
        If ``std`` is not positive, or ``mean`` is no point of the space.

    Examples
    --------
    >>> from holonomy.manifolds import PoincareBall, WrappedNormal
    >>> normal = WrappedNormal(PoincareBall(2), std=0.5)
    >>> normal.log_prob(normal.sample(4, random_state=0)).shape
    torch.Size([4])

    References
    ----------
    Nagano, Yamaguchi, Fujita, Koyama (2019). A wrapped normal distribution on hyperbolic space for gradient-based
    learning. ICML.
    """

    _references = ("nagano2019wrapped",)

    def __init__(self, manifold: Manifold, mean: Tensor | None = None, std: float = 1.0) -> None:
        self.manifold, self.mean, self.std = manifold, _mean(manifold, mean), _positive(std, "std")

    def sample(self, *size: int, random_state: TorchRandomState = None) -> Tensor:
        """Return independent points (*size, *shape)."""
        return self.manifold.random_normal(*size, mean=self.mean, std=self.std, random_state=random_state)

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log density (...) at points x."""
        return self.manifold.normal_log_prob(x, self.mean.to(x.dtype), self.std)


class RiemannianNormal(Distribution):
    """The density proportional to ``exp(-dist(x, mean)^2 / (2 std^2))``, of most entropy for its mean and variance.

    Parameters
    ----------
    manifold : Sphere, Hyperboloid, PoincareBall or Stereographic
        A space of constant curvature.
    mean : Tensor of shape ``manifold.shape``, optional
        The origin by default.
    std : float, default 1.0
        Scale, positive.

    Raises
    ------
    TypeError
        If the curvature is not constant.
    ValueError
        If ``std`` is not positive, or ``mean`` is no point of the space.

    Examples
    --------
    >>> from holonomy.manifolds import Hyperboloid, RiemannianNormal
    >>> normal = RiemannianNormal(Hyperboloid(2), std=0.5)
    >>> normal.log_prob(normal.sample(4, random_state=0)).shape
    torch.Size([4])

    References
    ----------
    Said, Bombrun, Berthoumieu, Manton (2017). Riemannian Gaussian distributions on the space of symmetric positive
    definite matrices. IEEE Transactions on Information Theory.
    """

    _references = ("said2017riemannian",)

    def __init__(self, manifold: ConstantCurvature, mean: Tensor | None = None, std: float = 1.0) -> None:
        if not isinstance(manifold, ConstantCurvature):
            raise TypeError(f"manifold must have constant curvature, got {type(manifold).__name__}.")
        self.manifold: ConstantCurvature = manifold
        self.mean, self.std = _mean(manifold, mean), _positive(std, "std")
        self._width, log_mass = _radial_table(manifold.dim, manifold._value, self.std)
        self.log_normalizer = float(special.logsumexp(log_mass))
        self._cumulative = torch.from_numpy(np.exp(log_mass - self.log_normalizer).cumsum())

    def sample(self, *size: int, random_state: TorchRandomState = None) -> Tensor:
        """Return independent points (*size, *shape): a direction, and a radius from the inverse of its distribution."""
        generator = torch_generator(random_state, self.mean.device)
        mean = self.mean.expand(*size, *self.mean.shape)
        direction = self.manifold._random_tangent(mean, generator)
        level = torch.rand(size, generator=generator, dtype=torch.float64)
        table = torch.cat([torch.zeros(1, dtype=torch.float64), self._cumulative])
        cell = torch.searchsorted(self._cumulative, level).clamp(max=len(self._cumulative) - 1)
        inside = (level - table[cell]) / (table[cell + 1] - table[cell])
        radius = self._width * (cell + inside)
        scale = radius / widen(self.manifold._norm(mean, direction))
        return self.manifold._exp(mean, (scale.unsqueeze(-1) * widen(direction)).to(mean.dtype))

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log density (...) at points x."""
        square = self.manifold.squared_dist(self.mean.to(x.dtype), x)
        return -0.5 * square / self.std**2 - self.log_normalizer


class VonMisesFisher(Distribution):
    """The density proportional to ``exp(concentration <mean, x> / R^2)`` on a sphere of radius R.

    Parameters
    ----------
    sphere : Sphere
        The space.
    mean : Tensor of shape (n + 1,), optional
        Where the density is highest; the origin by default.
    concentration : float, default 1.0
        At least 0: 0 is uniform, and large values are close to a normal of variance 1 / concentration.

    Raises
    ------
    TypeError
        If ``sphere`` is not a sphere.
    ValueError
        If the concentration is negative, or ``mean`` is no point of the sphere.

    Examples
    --------
    >>> from holonomy.manifolds import Sphere, VonMisesFisher
    >>> fisher = VonMisesFisher(Sphere(2), concentration=10.0)
    >>> fisher.sample(1000, random_state=0).mean(0)[0] > 0.85
    tensor(True)

    References
    ----------
    Wood (1994). Simulation of the von Mises Fisher distribution. Communications in Statistics.
    """

    _references = ("wood1994simulation",)

    def __init__(self, sphere: Sphere, mean: Tensor | None = None, concentration: float = 1.0) -> None:
        if not isinstance(sphere, Sphere):
            raise TypeError(f"sphere must be a Sphere, got {type(sphere).__name__}.")
        self.manifold: Sphere = sphere
        self.mean = _mean(sphere, mean)
        self.concentration = check_float(concentration, "concentration", minimum=0.0)

    @property
    def log_normalizer(self) -> float:
        """Logarithm of the integral of ``exp(concentration (<mean, x> / R^2 - 1))``."""
        kappa, order = self.concentration, 0.5 * (self.manifold.dim - 1)
        volume = self.manifold.log_volume()
        if kappa == 0.0:
            return volume
        bessel = float(special.ive(order, kappa))
        if bessel == 0.0:
            return volume - kappa
        unit = 0.5 * (self.manifold.dim + 1) * math.log(2.0 * math.pi) - order * math.log(kappa) + math.log(bessel)
        whole = math.log(2.0) + 0.5 * (self.manifold.dim + 1) * math.log(math.pi)
        return unit + volume - (whole - math.lgamma(0.5 * (self.manifold.dim + 1)))

    def sample(self, *size: int, random_state: TorchRandomState = None) -> Tensor:
        """Return independent points (*size, n + 1), by Wood's rejection for the cosine and a uniform direction."""
        generator = torch_generator(random_state, self.mean.device)
        mean = self.mean.expand(*size, *self.mean.shape)
        cosine = self._cosines(math.prod(size), generator).reshape(size)
        direction = widen(self.manifold._random_tangent(mean, generator))
        direction = direction / torch.linalg.vector_norm(direction, dim=-1, keepdim=True)
        radius = torch.linalg.vector_norm(widen(self.mean))
        sine = (1.0 - cosine.square()).clamp_min(0.0).sqrt()
        return (cosine.unsqueeze(-1) * widen(mean) + (radius * sine).unsqueeze(-1) * direction).to(mean.dtype)

    def _cosines(self, count: int, generator: torch.Generator) -> Tensor:
        kappa, m = self.concentration, float(self.manifold.dim)
        b = m / (2.0 * kappa + math.sqrt(4.0 * kappa**2 + m**2))
        peak = (1.0 - b) / (1.0 + b)
        shift = kappa * peak + m * math.log1p(-(peak**2)) if b < 1.0 else 0.0
        found = torch.empty(count, dtype=torch.float64)
        open_rows = torch.arange(count)
        while len(open_rows):
            # A Beta(m/2, m/2) number from two chi-square numbers of m degrees each.
            normal = torch.randn(2, len(open_rows), self.manifold.dim, generator=generator, dtype=torch.float64)
            chi = normal.square().sum(-1)
            beta = chi[0] / chi.sum(0)
            w = (1.0 - (1.0 + b) * beta) / (1.0 - (1.0 - b) * beta)
            level = torch.rand(len(open_rows), generator=generator, dtype=torch.float64).log()
            accept = kappa * w + m * torch.log1p(-peak * w) - shift >= level
            found[open_rows[accept]] = w[accept]
            open_rows = open_rows[~accept]
        return found

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log density (...) at points x."""
        half = (
            0.5
            * widen(self.manifold.dist(self.mean.to(x.dtype), x))
            / self.manifold._origin(torch.float64, x.device).norm()
        )
        return (-2.0 * self.concentration * torch.sin(half).square() - self.log_normalizer).to(x.dtype)


class BrownianMotion(Distribution):
    """Where Brownian motion from a point is after a time: variance ``time`` in every direction, for short times.

    Samples are geodesic random walks; their error falls as one over the number of steps.

    Parameters
    ----------
    manifold : Manifold
        The space.
    start : Tensor of shape ``manifold.shape``, optional
        The origin by default.
    time : float, default 1.0
        Positive; the generator is half the Laplacian.
    steps : int, default 100
        Number of steps of the walk, at least 1.

    Raises
    ------
    ValueError
        If a number is out of range, or ``start`` is no point of the space.

    Examples
    --------
    >>> from holonomy.manifolds import BrownianMotion, Sphere
    >>> motion = BrownianMotion(Sphere(2), time=0.5)
    >>> motion.log_prob(motion.sample(3, random_state=0)).shape
    torch.Size([3])
    """

    def __init__(self, manifold: Manifold, start: Tensor | None = None, time: float = 1.0, *, steps: int = 100) -> None:
        self.manifold, self.start = manifold, _mean(manifold, start)
        self.time, self.steps = _positive(time, "time"), check_int(steps, "steps", minimum=1)

    def path(self, *size: int, random_state: TorchRandomState = None) -> Tensor:
        """Return whole walks (steps + 1, *size, *shape), the start included."""
        generator = torch_generator(random_state, self.start.device)
        points = [self.start.expand(*size, *self.start.shape)]
        for _ in range(self.steps):
            points.append(self.manifold.brownian_step(points[-1], self.time / self.steps, generator))
        return torch.stack(points)

    def sample(self, *size: int, random_state: TorchRandomState = None) -> Tensor:
        """Return independent ends of walks (*size, *shape)."""
        return self.path(*size, random_state=random_state)[-1]

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log of the heat kernel (...) at points x, where the space knows it."""
        return self.manifold.log_heat_kernel(self.start.to(x.dtype), x, self.time)


def _mean(manifold: Manifold, mean: Tensor | None) -> Tensor:
    if mean is None:
        return manifold.origin()
    manifold.check_point(mean, "mean")
    if tuple(mean.shape) != manifold.shape:
        raise ValueError(f"mean must have shape {manifold.shape}, got {tuple(mean.shape)}.")
    return mean.detach()


def _positive(value: float, name: str) -> float:
    checked = check_float(value, name, minimum=0.0)
    if checked == 0.0:
        raise ValueError(f"{name} must be positive, got 0.0.")
    return checked


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
