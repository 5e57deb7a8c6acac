"""Distributions of rotations of space: isotropic Gaussian, Bingham and matrix-Fisher."""

import math

import numpy as np
import torch
from torch import Tensor

from holonomy.manifolds._random import TorchRandomState, torch_generator
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.polar import rotation_factor
from holonomy.manifolds.rotation_conversions import axis_angle_to_matrix, matrix_to_quaternion, quaternion_to_matrix
from holonomy.manifolds.rotation_kernels import so3_heat_kernel, so3_log_heat_kernel
from holonomy.manifolds.special_orthogonal import SpecialOrthogonal
from holonomy.manifolds.symmetric import eigh, symmetrize

_ANGLES = 4097
_NODES = 400


class IsotropicGaussian:
    """Rotations after Brownian motion for a time s that starts at a mean: the heat kernel of rotations of space.

    For small s the rotation vector is normal with variance s along each axis; as s grows the distribution becomes
    uniform.

    Parameters
    ----------
    mean : Tensor of shape (3, 3)
        A rotation.
    s : float
        Time, positive.

    Raises
    ------
    ValueError
        If ``s`` is not positive or ``mean`` no rotation.

    References
    ----------
    Nikolayev & Savyolov (1997), "Normal distribution on the rotation group SO(3)".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import IsotropicGaussian
    >>> distribution = IsotropicGaussian(torch.eye(3), 0.1)
    >>> distribution.sample(5, random_state=0).shape
    torch.Size([5, 3, 3])
    """

    _references = ("nikolayev1997normal",)

    def __init__(self, mean: Tensor, s: float) -> None:
        self.space = SpecialOrthogonal(3)
        self.space.check_point(mean, "mean")
        if not s > 0.0:
            raise ValueError(f"s must be positive, got {s}.")
        self.mean, self.s = mean, float(s)

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log density (...) at rotations (..., 3, 3), by Riemannian volume, which is ``8 pi^2`` in all."""
        time = torch.tensor(self.s, dtype=torch.float64, device=x.device)
        return so3_log_heat_kernel(self.space.dist(self.mean.to(x), x), time)

    def sample(self, *size: int, random_state: TorchRandomState = None) -> Tensor:
        """Return rotations (*size, 3, 3); angles come from a table of their distribution, right to about 1e-6."""
        generator = torch_generator(random_state, self.mean.device)
        longest = min(math.pi, 9.0 * math.sqrt(self.s))
        angles = torch.linspace(0.0, longest, _ANGLES, dtype=torch.float64, device=self.mean.device)
        density = so3_heat_kernel(angles, torch.tensor(self.s, dtype=torch.float64)) * torch.sin(0.5 * angles).square()
        cumulative = torch.cumulative_trapezoid(density, angles)
        cumulative = torch.cat([cumulative.new_zeros(1), cumulative]) / cumulative[-1]
        chance = torch.rand(size, generator=generator, dtype=torch.float64, device=self.mean.device)
        upper = torch.searchsorted(cumulative, chance).clamp(1, _ANGLES - 1)
        low, high = cumulative[upper - 1], cumulative[upper]
        part = (chance - low) / (high - low).clamp_min(torch.finfo(torch.float64).tiny)
        angle = angles[upper - 1] + part * (angles[upper] - angles[upper - 1])
        axis = torch.randn((*size, 3), generator=generator, dtype=torch.float64, device=self.mean.device)
        axis = axis / axis.norm(dim=-1, keepdim=True)
        return self.mean @ axis_angle_to_matrix(angle[..., None] * axis).to(self.mean.dtype)


class Bingham:
    """Rotations whose quaternions have the density proportional to ``exp(q^T A q)``; a batch of such distributions.

    Parameters
    ----------
    A : Tensor of shape (..., 4, 4)
        Symmetric; adding a multiple of the identity changes nothing. Quaternions have their real part first. Leading
        axes are those of the batch. ``log_prob`` is differentiable in A.

    Raises
    ------
    ValueError
        If ``A`` does not hold symmetric 4 x 4 matrices.

    References
    ----------
    Bingham (1974), "An antipodally symmetric distribution on the sphere". Sampling: Kent, Ganeiber & Mardia (2018), "A
    new unified approach for the simulation of a wide class of directional distributions".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Bingham
    >>> uniform = Bingham(torch.zeros(4, 4))
    >>> float(uniform.log_prob(torch.eye(3)).exp() * 8 * torch.pi**2)
    1.0
    """

    _references = ("bingham1974antipodally", "kent2018new")

    def __init__(self, A: Tensor) -> None:
        if A.shape[-2:] != (4, 4) or not A.is_floating_point() or not torch.allclose(A, A.mT):
            raise ValueError(
                f"A must hold symmetric floating-point matrices (..., 4, 4), got {A.dtype} {tuple(A.shape)}."
            )
        self.A = symmetrize(widen(A))
        self._values, self._vectors = eigh(self.A)

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log density (...) at rotations (..., 3, 3), by Riemannian volume, which is ``8 pi^2`` in all."""
        q = matrix_to_quaternion(widen(x))
        exponent = ((self.A.to(q.device) @ q[..., None]).squeeze(-1) * q).sum(-1)
        return (exponent - self.log_normalizer().to(q.device) - math.log(8.0 * math.pi**2)).to(x.dtype)

    def log_normalizer(self) -> Tensor:
        """Return the log (...) of the mean of ``exp(q^T A q)`` over unit quaternions."""
        return bingham_log_normalizer(torch.linalg.eigvalsh(self.A))

    def mode(self) -> Tensor:
        """Return the most likely rotations (..., 3, 3)."""
        return quaternion_to_matrix(self._vectors[..., -1])

    def sample(self, *size: int, random_state: TorchRandomState = None) -> Tensor:
        """Return rotations (*size, ..., 3, 3), exact, by rejection from an angular central Gaussian."""
        generator = torch_generator(random_state, self.A.device)
        batch, count = self.A.shape[:-2], math.prod(size)
        values, vectors = self._values.reshape(-1, 4), self._vectors.reshape(-1, 4, 4)
        drawn = [_quaternions(one, count, generator) @ turn.mT for one, turn in zip(values, vectors, strict=True)]
        q = torch.stack(drawn, dim=1) if drawn else self.A.new_zeros(count, 0, 4)
        return quaternion_to_matrix(q).reshape(*size, *batch, 3, 3)


class MatrixFisher:
    """Rotations with the density proportional to ``exp(tr(F^T R))``; a batch of such distributions.

    The proper singular values of F say how sharp it is: the rotation vector about the i-th right singular vector has
    variance ``1 / (s_j + s_k)`` where these are large. It is the Bingham distribution of a linear function of F.

    Parameters
    ----------
    F : Tensor of shape (..., 3, 3)
        Any matrices. Leading axes are those of the batch. ``log_prob`` is differentiable in F.

    Raises
    ------
    ValueError
        If ``F`` does not hold 3 x 3 matrices.

    References
    ----------
    Downs (1972), "Orientation statistics". Mardia & Jupp (2000), "Directional statistics". Mohlin, Sullivan & Bianchi
    (2020), "Probabilistic orientation estimation with matrix Fisher distributions".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import MatrixFisher
    >>> sharp = MatrixFisher(100.0 * torch.eye(3))
    >>> bool((sharp.sample(5, random_state=0).diagonal(dim1=-2, dim2=-1) > 0.9).all())
    True
    """

    _references = ("downs1972orientation", "mohlin2020probabilistic", "kent2018new")

    def __init__(self, F: Tensor) -> None:
        if F.shape[-2:] != (3, 3) or not F.is_floating_point():
            raise ValueError(f"F must hold floating-point matrices (..., 3, 3), got {F.dtype} {tuple(F.shape)}.")
        self.F = widen(F)
        self.bingham = Bingham(_quaternion_form(self.F))

    def log_prob(self, x: Tensor) -> Tensor:
        """Return the log density (...) at rotations (..., 3, 3), by Riemannian volume, which is ``8 pi^2`` in all."""
        return self.bingham.log_prob(x)

    def mode(self) -> Tensor:
        """Return the most likely rotations (..., 3, 3): those nearest to F."""
        return rotation_factor(self.F)

    def sample(self, *size: int, random_state: TorchRandomState = None) -> Tensor:
        """Return rotations (*size, ..., 3, 3), exact."""
        return self.bingham.sample(*size, random_state=random_state)


def _quaternion_form(F: Tensor) -> Tensor:
    """Return the symmetric A (..., 4, 4) with ``q^T A q = tr(F^T R)`` for the rotation R of every unit quaternion q."""
    x, y, z = F.diagonal(dim1=-2, dim2=-1).unbind(-1)
    sums = F + F.mT
    wx, wy, wz = F[..., 2, 1] - F[..., 1, 2], F[..., 0, 2] - F[..., 2, 0], F[..., 1, 0] - F[..., 0, 1]
    xy, xz, yz = sums[..., 0, 1], sums[..., 0, 2], sums[..., 1, 2]
    rows = [[x + y + z, wx, wy, wz], [wx, x - y - z, xy, xz], [wy, xy, y - x - z, yz], [wz, xz, yz, z - x - y]]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _quaternions(values: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return quaternions (count, 4) of a Bingham distribution with diagonal A, its entries ascending."""
    decay = values[-1] - values
    b = _envelope(decay)
    spread = (1.0 + 2.0 * decay / b).rsqrt()
    bound = -0.5 * (4.0 - b) + 2.0 * math.log(4.0 / b)
    parts = [decay.new_zeros(0, 4)]
    missing = count
    while missing > 0:
        q = spread * torch.randn(2 * missing + 16, 4, generator=generator, dtype=torch.float64, device=decay.device)
        q = q / q.norm(dim=-1, keepdim=True)
        quadratic = (decay * q.square()).sum(-1)
        accept = -quadratic + 2.0 * torch.log(1.0 + 2.0 * quadratic / b) - bound
        chance = torch.rand(len(q), generator=generator, dtype=torch.float64, device=decay.device)
        parts.append(q[torch.log(chance) < accept][:missing])
        missing -= len(parts[-1])
    return torch.cat(parts)


def bingham_log_normalizer(values: Tensor) -> Tensor:
    """Return the log of the mean of ``exp(sum_i values_i q_i^2)`` over unit quaternions, for values (..., 4).

    A sphere in four dimensions is a family of products of two circles, over which the mean is a product of Bessel
    functions; what is left is one smooth integral.
    """
    top = values.amax(-1, keepdim=True)
    a, b, c, d = (values - top).sort(dim=-1).values.unbind(-1)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    # Nodes crowd at both ends, where sharp distributions have their mass.
    u = torch.as_tensor(0.5 * (nodes + 1.0)).to(values)
    t = u**4 * (35.0 - 84.0 * u + 70.0 * u**2 - 20.0 * u**3)
    slope = 140.0 * u**3 * (1.0 - u) ** 3
    rest = torch.flip(t, (0,))
    first = 0.5 * (a + b)[..., None] * t + 0.5 * (b - a)[..., None].abs() * t
    second = 0.5 * (c + d)[..., None] * rest + 0.5 * (d - c)[..., None].abs() * rest
    bessel = torch.special.i0e(0.5 * (b - a)[..., None] * t) * torch.special.i0e(0.5 * (d - c)[..., None] * rest)
    integral = (torch.exp(first + second) * bessel * slope * torch.as_tensor(0.5 * weights).to(values)).sum(-1)
    return torch.log(integral) + top[..., 0]


def _envelope(decay: Tensor) -> Tensor:
    """Return the b with ``sum_i 1 / (b + 2 decay_i) = 1``, which makes rejection most efficient."""
    low, high = 1.0, 4.0
    for _ in range(60):
        b = 0.5 * (low + high)
        low, high = (b, high) if float((1.0 / (b + 2.0 * decay)).sum()) > 1.0 else (low, b)
    return torch.tensor(0.5 * (low + high), dtype=decay.dtype, device=decay.device)
