"""Probability distributions on manifolds, each with samples and a normalised density by Riemannian volume."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

import torch
from scipy import special
from torch import Tensor

from holonomy._core.validation import check_float, check_int
from holonomy.manifolds._covariance_normal import CovarianceLaw
from holonomy.manifolds._radial_law import ConstantCurvatureLaw, RadialLaw
from holonomy.manifolds._random import TorchRandomState, torch_generator
from holonomy.manifolds.affine_invariant import AffineInvariant
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.constant import ConstantCurvature
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.spd import SPD
from holonomy.manifolds.sphere import Sphere


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

    On covariance matrices everything is exact at any size and scale: the normaliser is a Pfaffian, evaluated in as many
    digits as it needs.

    Parameters
    ----------
    manifold : Sphere, Hyperboloid, PoincareBall, Stereographic or SPD
        A space of constant curvature, or covariance matrices with the affine-invariant metric of any weights.
    mean : Tensor of shape ``manifold.shape``, optional
        The origin by default, in single precision; samples have its precision. Covariance matrices of size n spread
        over condition numbers like ``exp(n std^2)``: give a mean in double precision where that is large.
    std : float, default 1.0
        Scale, positive.

    Attributes
    ----------
    sampling : str
        How samples are drawn: on constant curvature ``"inverse"``, a radius from the inverse of its distribution. On
        covariance matrices exactly, by ``"matrix rejection"`` or ``"ordered rejection"`` of eigenvalues, if one sample
        of a thousand proposals is accepted; else, which no size up to 9 needs, ``"chain"``: each sample is the end of
        its own chain of Hamiltonian Monte Carlo of 40 trajectories, not exact but close.

    Raises
    ------
    TypeError
        If the space is none of these.
    ValueError
        If ``std`` is not positive, ``mean`` is no point of the space, or the metric is not positive at this size.

    Examples
    --------
    >>> from holonomy.manifolds import SPD, Hyperboloid, RiemannianNormal
    >>> normal = RiemannianNormal(Hyperboloid(2), std=0.5)
    >>> normal.log_prob(normal.sample(4, random_state=0)).shape
    torch.Size([4])
    >>> normal = RiemannianNormal(SPD(3), std=0.5)
    >>> normal.sample(4, random_state=0).shape
    torch.Size([4, 3, 3])
    >>> round(normal.expected_square, 4)
    1.5796

    References
    ----------
    Said, Bombrun, Berthoumieu, Manton (2017). Riemannian Gaussian distributions on the space of symmetric positive
    definite matrices. IEEE Transactions on Information Theory.
    """

    _references = ("said2017riemannian",)

    def __init__(self, manifold: ConstantCurvature | SPD, mean: Tensor | None = None, std: float = 1.0) -> None:
        law = _radial_law(manifold)
        self.manifold: ConstantCurvature | SPD = manifold
        self.mean, self.std = _mean(manifold, mean), _positive(std, "std")
        self._law = law(self.std)

    @property
    def log_normalizer(self) -> float:
        """Logarithm of the integral of ``exp(-dist(x, mean)^2 / (2 std^2))`` by Riemannian volume."""
        return self._law.log_normalizer

    @property
    def expected_square(self) -> float:
        """Expected squared distance from the mean: ``std^3`` times the derivative of ``log_normalizer`` by ``std``."""
        return self._law.expected_square

    @property
    def sampling(self) -> str:
        """How samples are drawn."""
        return self._law.sampling

    def sample(self, *size: int, random_state: TorchRandomState = None) -> Tensor:
        """Return independent points (*size, *shape)."""
        return self._law.sample(self.mean, size, torch_generator(random_state, self.mean.device))

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


def _radial_law(manifold: Manifold) -> Callable[[float], RadialLaw]:
    if isinstance(manifold, ConstantCurvature):
        return partial(ConstantCurvatureLaw, manifold)
    if isinstance(manifold, SPD) and isinstance(manifold.metric, AffineInvariant):
        return partial(CovarianceLaw, manifold, manifold.metric)
    got = repr(manifold) if isinstance(manifold, Manifold) else type(manifold).__name__
    raise TypeError(
        f"manifold must have constant curvature, or be SPD with the affine-invariant metric, got {got}: "
        "WrappedNormal works on other spaces."
    )
