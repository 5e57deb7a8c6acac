"""Grassmann manifolds: subspaces, as orthonormal bases or as orthogonal projectors."""

import math

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds._divided_differences import Elementwise
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.numerics import product, safe_sqrt, tolerances, widen
from holonomy.manifolds.polar import polar_factor
from holonomy.manifolds.scalars import stumpff
from holonomy.manifolds.symmetric import apply_function, symmetrize


class Grassmann(Manifold):
    """Subspaces of dimension k of R^n, by orthonormal bases; bases of one subspace are the same point.

    Tangent vectors at x are the n x k matrices v with ``x^T v = 0``, measured by the Frobenius product; the distance is
    the length of the vector of principal angles. All verbs are analytic functions of k x k symmetric matrices, exact
    with repeated and with zero angles. ``log`` is unique while every angle is below pi / 2.

    Parameters
    ----------
    n, k : int
        Dimensions of the space and of the subspaces, ``1 <= k < n``.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If not ``1 <= k < n``.

    References
    ----------
    Bendokat, Zimmermann & Absil (2024), "A Grassmann manifold handbook".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Grassmann
    >>> x, y = torch.eye(3)[:, :1], torch.eye(3)[:, 1:2]
    >>> Grassmann(3, 1).dist(x, y)
    tensor(1.5708)
    """

    _references = ("bendokat2024grassmann",)

    def __init__(self, n: int, k: int, *, check: bool = False) -> None:
        self_n, self_k = _sizes(n, k)
        super().__init__(self_k * (self_n - self_k), (self_n, self_k), check=check)
        self.n, self.k = self_n, self_k

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return (widen(u) * widen(v)).sum((-2, -1)).to(u.dtype)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        x, v, dtype = widen(x), widen(v), x.dtype
        gram = v.mT @ v
        return (x @ apply_function(gram, _COSINE) + v @ apply_function(gram, _SINC)).to(dtype)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        x, y, dtype = widen(x), widen(y), x.dtype
        aligned = y @ polar_factor(y.mT @ x)
        cosines = symmetrize(x.mT @ aligned)
        across = aligned - x
        return ((across - x @ (x.mT @ across)) @ apply_function(cosines, _ANGLE_PER_SINE)).to(dtype)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(x, y))

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        v = self._log(x, y)
        return self._inner(x, v, v)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        x, dtype = widen(x), v.dtype
        along = self._log(x, widen(y))
        gram = along.mT @ along
        turned = x @ apply_function(gram, _SINC) + along @ apply_function(gram, _VERSINE)
        moved = widen(v) - turned @ (along.mT @ widen(v))
        # The vector is expressed in the basis that the geodesic ends with; y may be another basis of that subspace.
        end = x @ apply_function(gram, _COSINE) + along @ apply_function(gram, _SINC)
        return (moved @ (end.mT @ widen(y))).to(dtype)

    def _project(self, x: Tensor) -> Tensor:
        return polar_factor(x)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        return v - product(x, product(x.mT, v))

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return self._project_tangent(x, gradient)

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        angles = torch.linalg.svdvals(v)[..., : min(self.k, self.n - self.k)]
        i, j = torch.triu_indices(angles.shape[-1], angles.shape[-1], offset=1, device=x.device)
        pairs = torch.cat([angles[..., i] - angles[..., j], angles[..., i] + angles[..., j]], dim=-1)
        single = abs(self.n - 2 * self.k) * torch.log(stumpff(angles.square(), 1).abs()).sum(-1)
        return torch.log(stumpff(pairs.square(), 1).abs()).sum(-1) + single

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.eye(self.n, self.k, dtype=dtype, device=device)

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        normal = torch.randn((*size, self.n, self.k), generator=generator, dtype=dtype, device=device)
        return polar_factor(normal)

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self._project_tangent(x, torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device))

    def _log_volume(self) -> float:
        return grassmann_log_volume(self.n, self.k)

    def _injectivity_radius(self) -> float:
        return 0.5 * math.pi

    def principal_angles(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the angles (..., k) between two subspaces, ascending; small ones keep their relative precision."""
        return torch.linalg.svdvals(self._log(widen(x), widen(y))).flip(-1).to(x.dtype)

    def projector(self, x: Tensor) -> Tensor:
        """Return the orthogonal projectors (..., n, n) onto subspaces given by bases."""
        return x @ x.mT

    def extra_repr(self) -> str:
        """Return n and k."""
        return f"{self.n}, {self.k}"


class GrassmannProjector(Manifold):
    """Subspaces of dimension k of R^n, by their orthogonal projectors; every subspace is one matrix.

    Tangent vectors at x are the symmetric v with ``x v + v x = v``, measured by half the Frobenius product, so that the
    map from bases to projectors is an isometry. Costs O(n^3), where bases cost O(n k^2).

    Parameters
    ----------
    n, k : int
        Dimensions of the space and of the subspaces, ``1 <= k < n``.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If not ``1 <= k < n``.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import GrassmannProjector
    >>> x, y = torch.diag(torch.tensor([1.0, 0.0])), torch.full((2, 2), 0.5)
    >>> GrassmannProjector(2, 1).dist(x, y)
    tensor(0.7854)
    """

    _references = ("bendokat2024grassmann",)

    def __init__(self, n: int, k: int, *, check: bool = False) -> None:
        self_n, self_k = _sizes(n, k)
        super().__init__(self_k * (self_n - self_k), (self_n, self_n), check=check)
        self.n, self.k = self_n, self_k

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return (0.5 * (widen(u) * widen(v)).sum((-2, -1))).to(u.dtype)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        x, v, dtype = widen(x), widen(v), x.dtype
        square = 4.0 * v @ v
        identity = torch.eye(self.n, dtype=x.dtype, device=x.device)
        reflected = apply_function(square, _COSINE) @ (2.0 * x - identity)
        return symmetrize(0.5 * (identity + reflected) + v @ apply_function(square, _SINC)).to(dtype)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        x, y, dtype = widen(x), widen(y), x.dtype
        across = y - x
        # On the range of x the squared cosines of the angles; the rest of the space is given the angle 0.
        squares = symmetrize(torch.eye(self.n, dtype=x.dtype, device=x.device) + x @ across @ x)
        lower = (across - x @ across) @ x @ apply_function(squares, _ANGLE_PER_PRODUCT)
        return (2.0 * symmetrize(lower)).to(dtype)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(x, y))

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        v = self._log(x, y)
        return self._inner(x, v, v)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        x, dtype = widen(x), v.dtype
        along = self._log(x, widen(y))
        square = along @ along
        turn = apply_function(square, _COSINE) + (along @ x - x @ along) @ apply_function(square, _SINC)
        return symmetrize(turn @ widen(v) @ turn.mT).to(dtype)

    def _project(self, x: Tensor) -> Tensor:
        vectors = torch.linalg.eigh(symmetrize(widen(x))).eigenvectors[..., -self.k :]
        return (vectors @ vectors.mT).to(x.dtype)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        v = symmetrize(v)
        return 2.0 * symmetrize(x @ v - x @ v @ x)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return 2.0 * self._project_tangent(x, gradient)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.diag((torch.arange(self.n, device=device) < self.k).to(dtype))

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        normal = torch.randn((*size, self.n, self.k), generator=generator, dtype=dtype, device=device)
        basis = polar_factor(normal)
        return basis @ basis.mT

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        normal = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        return 2.0 * symmetrize(x @ normal - x @ normal @ x)

    def _log_volume(self) -> float:
        return grassmann_log_volume(self.n, self.k)

    def _injectivity_radius(self) -> float:
        return 0.5 * math.pi

    def basis(self, x: Tensor) -> Tensor:
        """Return an orthonormal basis (..., n, k) of each subspace; which one is not continuous in the projector."""
        return torch.linalg.eigh(symmetrize(widen(x))).eigenvectors[..., -self.k :].to(x.dtype)

    def extra_repr(self) -> str:
        """Return n and k."""
        return f"{self.n}, {self.k}"


def grassmann_log_volume(n: int, k: int) -> float:
    """Return the logarithm of the volume of Gr(n, k): a ratio of areas of spheres."""

    def log_area(j: int) -> float:
        return math.log(2.0) + 0.5 * j * math.log(math.pi) - math.lgamma(0.5 * j)

    return sum(log_area(j) for j in range(n - k + 1, n + 1)) - sum(log_area(j) for j in range(1, k + 1))


def _sizes(n: int, k: int) -> tuple[int, int]:
    n = check_int(n, "n", minimum=2)
    return n, check_int(k, "k", minimum=1, maximum=n - 1)


def angle_per_sine(cosine: Tensor) -> Tensor:
    """Return ``arccos(c) / sqrt(1 - c^2)``, analytic at c = 1; from c = 1 on, its continuation."""
    gap = 1.0 - cosine
    near = gap.abs() < 0.05
    small = torch.where(near, gap, 0.0)
    series = torch.ones_like(cosine)
    # arccos(1 - g) / sqrt(2 g - g^2) = sum_k k! g^k / (2k + 1)!!
    for k in reversed(range(1, 12)):
        series = 1.0 + small * series * (k / (2.0 * k + 1.0))
    far = torch.where(near, 0.0, cosine)
    return torch.where(near, series, torch.acos(far.clamp_min(-1.0)) / torch.sqrt(1.0 - far.square()))


def _angle_per_product(square: Tensor) -> Tensor:
    """Return ``angle / (sin cos)`` from the squared cosine."""
    cosine = torch.sqrt(square.clamp_min(tolerances(square.dtype).tiny))
    return angle_per_sine(cosine) / cosine


_COSINE = Elementwise(lambda z: stumpff(z, 0))
_SINC = Elementwise(lambda z: stumpff(z, 1))
_VERSINE = Elementwise(lambda z: stumpff(z, 2))
_ANGLE_PER_SINE = Elementwise(angle_per_sine)
_ANGLE_PER_PRODUCT = Elementwise(_angle_per_product)
