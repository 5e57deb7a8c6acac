"""What spaces of constant curvature share: the curvature itself, and scalar functions smooth through curvature zero."""

import math

import torch
from torch import Tensor, nn

from holonomy._core.validation import check_float, check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.heat import hyperbolic_log_heat, spherical_log_heat
from holonomy.manifolds.means import DescentMean
from holonomy.manifolds.numerics import safe_sqrt, widen
from holonomy.manifolds.scalars import arc_ratio, sinc

WINDINGS = 8
"""On a sphere, how many turns around it a wrapped normal is summed over, in each direction."""


class ConstantCurvature(Manifold):
    """A simply connected space of constant sectional curvature, in some coordinates.

    Parameters
    ----------
    dim : int
        Dimension, at least 1.
    width : int
        Number of coordinates of a point.
    curvature : float
        Sectional curvature.
    learnable : bool, default False
        Whether the curvature is a parameter. Its sign then stays what it is, unless ``through_zero``.
    through_zero : bool, default False
        Whether any sign of the curvature is allowed.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If the dimension is below 1 or the curvature not finite.
    """

    signed_curvature: nn.Parameter
    log_curvature: nn.Parameter

    def __init__(
        self,
        dim: int,
        width: int,
        curvature: float,
        *,
        learnable: bool = False,
        through_zero: bool = False,
        check: bool = False,
    ) -> None:
        super().__init__(check_int(dim, "n", minimum=1), (width,), check=check)
        value = check_float(curvature, "curvature")
        self._through_zero = through_zero
        self._fixed = None if learnable else value
        self._sign = math.copysign(1.0, value)
        if learnable:
            start = value if through_zero else math.log(abs(value))
            name = "signed_curvature" if through_zero else "log_curvature"
            self.register_parameter(name, nn.Parameter(torch.tensor(start, dtype=torch.float64)))

    @property
    def curvature(self) -> float | Tensor:
        """Sectional curvature: a number, or where it is learnable a tensor of no axes in double precision."""
        if self._fixed is not None:
            return self._fixed
        if self._through_zero:
            return widen(self.signed_curvature)
        return self._sign * torch.exp(widen(self.log_curvature))

    def _curvature_as(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.curvature, dtype=torch.float64, device=x.device)

    @property
    def _value(self) -> float:
        """The curvature as a number."""
        curvature = self.curvature
        return float(curvature.detach()) if isinstance(curvature, Tensor) else curvature

    def _positive(self) -> bool:
        return self._value > 0

    def _kernels(self) -> str | None:
        """Return the module whose compiled kernels compute the verbs, where there is one for this curvature."""
        return None

    def _kernel_options(self, verb: str, dtype: torch.dtype) -> tuple[float, ...]:
        """Return the numbers that the kernels of a verb take first."""
        return (self._value if self._fixed is None else self._fixed,)

    def _distance(self, q: Tensor, w: Tensor) -> Tensor:
        """Return distances d from q = sn(d/2)^2 and w = cs(d/2)^2 = 1 - curvature q, in double precision."""
        curvature = self.curvature
        if isinstance(curvature, Tensor):
            return 2.0 * safe_sqrt(q) * arc_ratio(curvature * q, w)
        if curvature == 0:
            return 2.0 * safe_sqrt(q)
        scale = math.sqrt(abs(curvature))
        root = safe_sqrt(q) * scale
        return 2.0 / scale * (torch.asinh(root) if curvature < 0 else torch.atan2(root, safe_sqrt(w)))

    def _squared_distance(self, q: Tensor, w: Tensor) -> Tensor:
        """Return squared distances, analytic in q."""
        return 4.0 * q * arc_ratio(self.curvature * q, w).square()

    def _stretch(self, q: Tensor, w: Tensor) -> Tensor:
        """Return d / sn(d), with 0 for the infinite value at opposite points."""
        opposite = w <= 0
        ratio = arc_ratio(self.curvature * q, w)
        return torch.where(opposite, 0.0, ratio * torch.where(opposite, 1.0, w).rsqrt())

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        z = self.curvature * widen(self._inner(x, v, v))
        return ((self.dim - 1) * sinc(z).abs().log()).to(v.dtype)

    def _normal_log_prob(self, x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        """Sum, on a sphere, over the geodesics that reach the point: those of lengths d + 2 pi k R, for all k."""
        d, spread, curvature = widen(self._dist(mean, x)), widen(std), self._curvature_as(x)
        constant = self.dim * (0.5 * math.log(2.0 * math.pi) + torch.log(spread))
        if self._positive():
            turn = 2.0 * math.pi / torch.sqrt(curvature)
            d = d + turn * torch.arange(-WINDINGS, WINDINGS + 1, device=x.device).reshape(-1, *[1] * d.ndim)
        stretch = (self.dim - 1) * sinc(curvature * d.square()).abs().log()
        terms = -0.5 * (d / spread).square() - stretch
        return ((torch.logsumexp(terms, dim=0) if self._positive() else terms) - constant).to(x.dtype)

    def _log_heat_kernel(self, x: Tensor, y: Tensor, s: Tensor) -> Tensor:
        """Evaluate in units of the curvature radius, where times are multiplied by the curvature."""
        scale = abs(self._value)
        d, time = widen(self._dist(x, y)), widen(s)
        if scale == 0.0:
            return (-0.5 * d.square() / time - 0.5 * self.dim * torch.log(2.0 * math.pi * time)).to(x.dtype)
        kernel = spherical_log_heat if self._positive() else hyperbolic_log_heat
        found = kernel(math.sqrt(scale) * d, scale * time, self.dim)
        return (0.5 * self.dim * math.log(scale) + found).to(x.dtype)

    def _mean_solver(self) -> DescentMean:
        return DescentMean("projection")

    def _injectivity_radius(self) -> float:
        return math.pi / math.sqrt(self._value) if self._positive() else math.inf

    def _log_volume(self) -> float:
        if not self._positive():
            raise NotImplementedError(f"{self} has infinite volume, so nothing on it is uniform.")
        half = 0.5 * (self.dim + 1)
        unit = math.log(2.0) + half * math.log(math.pi) - math.lgamma(half)
        return unit - 0.5 * self.dim * math.log(self._value)

    def extra_repr(self) -> str:
        """Return the dimension and the curvature."""
        learnable = "" if self._fixed is not None else ", learnable=True"
        return f"{self.dim}, curvature={self._value:g}{learnable}"
