"""Rotations of R^n."""

import math

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds._divided_differences import Elementwise
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.grassmann import angle_per_sine
from holonomy.manifolds.means import DescentMean
from holonomy.manifolds.numerics import safe_sqrt, widen
from holonomy.manifolds.polar import polar_factor, rotation_factor
from holonomy.manifolds.rotation_conversions import axis_angle_to_matrix, hat, matrix_to_axis_angle
from holonomy.manifolds.rotation_kernels import so3_log_heat_kernel
from holonomy.manifolds.scalars import stumpff
from holonomy.manifolds.symmetric import apply_function, symmetrize

WINDINGS = 4
"""How often around a circle a wrapped normal is followed, in both directions."""


class SpecialOrthogonal(Manifold):
    """Rotation matrices of R^n, with the bi-invariant metric in which a turn in one plane has its angle as length.

    Tangent vectors at x are the v with ``x^T v`` antisymmetric, measured by half the Frobenius product. ``log`` is
    unique while every angle of ``x^T y`` is below pi. For n = 3 it goes through quaternions and is precise up to
    pi; for n > 3 through the square root of the rotation, and loses digits as pi minus the largest angle; at exactly pi
    it is not a logarithm.

    Parameters
    ----------
    n : int
        Dimension, at least 2.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If ``n`` is below 2.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SpecialOrthogonal
    >>> half_turn = torch.diag(torch.tensor([-1.0, -1.0, 1.0]))
    >>> SpecialOrthogonal(3).dist(torch.eye(3), half_turn)
    tensor(3.1416)
    """

    _references = ("edelman1998geometry",)

    def __init__(self, n: int, *, check: bool = False) -> None:
        n = check_int(n, "n", minimum=2)
        super().__init__(n * (n - 1) // 2, (n, n), check=check)
        self.n = n

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return (0.5 * (widen(u) * widen(v)).sum((-2, -1))).to(u.dtype)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return (widen(x) @ rotation_exp(_left(x, v))).to(x.dtype)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        x, dtype = widen(x), x.dtype
        return (x @ rotation_log(x.mT @ widen(y))).to(dtype)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(x, y))

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        turn = rotation_log(widen(x).mT @ widen(y))
        return (0.5 * turn.square().sum((-2, -1))).to(x.dtype)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        half = rotation_exp(0.5 * rotation_log(widen(x).mT @ widen(y)))
        return (widen(y) @ (half.mT @ _left(x, v) @ half)).to(v.dtype)

    def _project(self, x: Tensor) -> Tensor:
        return rotation_factor(x)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        return v - x @ symmetrize(x.mT @ v)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return 2.0 * self._project_tangent(x, gradient)

    def _frame(self, x: Tensor) -> Tensor:
        i, j = torch.triu_indices(self.n, self.n, offset=1, device=x.device)
        basis = torch.zeros(self.dim, self.n, self.n, dtype=x.dtype, device=x.device)
        at = torch.arange(self.dim, device=x.device)
        basis[at, j, i] = 1.0
        basis[at, i, j] = -1.0
        return x.unsqueeze(-3) @ basis

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        angles = torch.linalg.svdvals(_left(x, v))[..., 0 : self.n - self.n % 2 : 2]
        i, j = torch.triu_indices(angles.shape[-1], angles.shape[-1], offset=1, device=x.device)
        roots = [angles[..., i] - angles[..., j], angles[..., i] + angles[..., j]]
        if self.n % 2:
            roots.append(angles)
        return torch.log(stumpff(0.25 * torch.cat(roots, -1).square(), 1).square()).sum(-1).to(x.dtype)

    def _normal_log_prob(self, x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        """Sum, for n of 2 and 3, over the geodesics that reach the point: those of lengths d + 2 pi k, for all k."""
        if self.n > 3:
            raise NotImplementedError(
                f"{self} does not know by how many geodesics a point is reached; n of 2 or 3 does."
            )
        turns = 2.0 * math.pi * torch.arange(-WINDINGS, WINDINGS + 1, dtype=torch.float64, device=x.device)
        d, spread = widen(self._dist(mean, x)).unsqueeze(-1) + turns, widen(std).unsqueeze(-1)
        terms = -0.5 * (d / spread).square()
        if self.n == 3:
            terms = terms - stumpff(0.25 * d.square(), 1).square().log()
        constant = self.dim * (0.5 * math.log(2.0 * math.pi) + torch.log(spread.squeeze(-1)))
        return (torch.logsumexp(terms, dim=-1) - constant).to(x.dtype)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.eye(self.n, dtype=dtype, device=device)

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        orthogonal = polar_factor(torch.randn((*size, *self.shape), generator=generator, dtype=dtype, device=device))
        sign = torch.linalg.det(orthogonal).sign()[..., None, None]
        return torch.cat([sign * orthogonal[..., :1], orthogonal[..., 1:]], dim=-1)

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        normal = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device).tril(-1)
        return x @ (normal - normal.mT)

    def _log_volume(self) -> float:
        areas = (math.log(2.0) + 0.5 * j * math.log(math.pi) - math.lgamma(0.5 * j) for j in range(2, self.n + 1))
        return sum(areas)

    def _log_heat_kernel(self, x: Tensor, y: Tensor, s: Tensor) -> Tensor:
        if self.n == 3:
            return so3_log_heat_kernel(self._dist(x, y), s)
        raise NotImplementedError(f"{self} knows no closed form of its heat kernel; only n = 3 does.")

    def _mean_solver(self) -> DescentMean:
        return DescentMean("projection")

    def _injectivity_radius(self) -> float:
        return math.pi


def rotation_exp(turn: Tensor) -> Tensor:
    """Return the rotations of antisymmetric matrices (..., n, n)."""
    if turn.shape[-1] == 3:
        return axis_angle_to_matrix(torch.stack([turn[..., 2, 1], turn[..., 0, 2], turn[..., 1, 0]], dim=-1))
    return torch.linalg.matrix_exp(turn)


def rotation_log(rotation: Tensor) -> Tensor:
    """Return the antisymmetric logarithm, with angles up to pi, of rotations (..., n, n)."""
    n = rotation.shape[-1]
    if n == 2:
        angle = torch.atan2(rotation[..., 1, 0] - rotation[..., 0, 1], rotation[..., 0, 0] + rotation[..., 1, 1])
        zero = torch.zeros_like(angle)
        return torch.stack([zero, -angle, angle, zero], dim=-1).unflatten(-1, (2, 2))
    if n == 3:
        return hat(matrix_to_axis_angle(rotation))
    # The square root turns by half the angles, at most pi / 2, and leaves an analytic function of its cosines.
    root = polar_factor(rotation + torch.eye(n, dtype=rotation.dtype, device=rotation.device))
    sines, cosines = 0.5 * (root - root.mT), symmetrize(root)
    turn = sines @ apply_function(cosines, _ANGLE_PER_SINE)
    return turn - turn.mT


def _left(x: Tensor, v: Tensor) -> Tensor:
    """Return ``x^T v``, made antisymmetric."""
    inside = widen(x).mT @ widen(v)
    return 0.5 * (inside - inside.mT)


_ANGLE_PER_SINE = Elementwise(angle_per_sine)
