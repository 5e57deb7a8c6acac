"""The stereographic chart of the spaces of constant curvature: Poincare ball, flat space, projected sphere."""

from collections.abc import Callable

import torch
from torch import Tensor

from holonomy.manifolds._fused import fused
from holonomy.manifolds._pairs import angles, combine, dots, in_blocks, lengths, shift, with_slope
from holonomy.manifolds.constant import ConstantCurvature
from holonomy.manifolds.methods import Chordal
from holonomy.manifolds.numerics import safe_sqrt, tolerances, widen
from holonomy.manifolds.scalars import cosine, sinc, tangent_ratio

_LONGEST = 1e100
"""Largest coordinate of a vector that a ball is walked along."""


class StereographicChart(ConstantCurvature):
    """Verbs in the chart whose metric is ``(2 / (1 + curvature |x|^2))^2`` times the flat one."""

    def _kernels(self) -> str | None:
        return "holonomy.manifolds._ball_kernels" if self._fixed is not None and self._fixed <= 0 else None

    def _kernel_options(self, verb: str, dtype: torch.dtype) -> tuple[float, ...]:
        return (self._value, 1.0 - tolerances(dtype).interior) if verb in ("exp", "chordal") else (self._value,)

    def _conformal(self, square: Tensor) -> Tensor:
        return 1.0 + self.curvature * square

    def _quotients(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return 1 + curvature |x|^2, the same of y, q = sn(d/2)^2 and w = cs(d/2)^2."""
        xx, yy, dd = lengths(x, y)
        a, b = self._conformal(xx), self._conformal(yy)
        product = a * b
        q = dd / product
        if isinstance(self.curvature, float) and self.curvature <= 0:
            return a, b, q, 1.0 - self.curvature * q
        # On a sphere 1 - curvature q cancels for opposite points, and is a sum of squares.
        _, _, _, near, far = angles(x, y)
        cosine_part = 1.0 + self.curvature * 0.25 * (far - near)
        w = (cosine_part.square() + self.curvature**2 * 0.25 * near * far) / product
        return a, b, q, torch.where(self._curvature_as(x) > 0, w, 1.0 - self.curvature * q)

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        scale = 2.0 / self._conformal(widen(x).square().sum(-1))
        return (scale.square() * (widen(u) * widen(v)).sum(-1)).to(u.dtype)

    def _norm(self, x: Tensor, v: Tensor) -> Tensor:
        scale = 2.0 / self._conformal(widen(x).square().sum(-1))
        return (scale * torch.linalg.vector_norm(v, dim=-1, dtype=torch.float64)).to(v.dtype)

    @fused
    @in_blocks
    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return self._move(x, v, self._half_step)

    def _move(self, x: Tensor, v: Tensor, half_step: Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]) -> Tensor:
        """Return where steps end; ``half_step`` is as :meth:`_half_step`."""
        v = self._bounded(v)
        xx, vv, _, near, far = angles(x, v)
        a = self._conformal(xx)
        c, s, m = half_step(self.curvature * vv / a.square())
        s = s / a
        cs = c * s
        spread = with_slope(
            (c * safe_sqrt(xx) - s * safe_sqrt(vv)).square() + cs * far,
            lambda: c.square() * xx + 0.5 * cs * (far - near) + s.square() * vv,
        )
        denominator = a * m - self.curvature * spread
        shrink = self._shrink(a * m / denominator, x.dtype) / denominator
        return combine(x, v, (a * c.square() - self.curvature * spread) * shrink, a * cs * shrink, 0.0)

    def _bounded(self, v: Tensor) -> Tensor:
        """Return vectors whose squares do not overflow: in a ball longer ones end at its edge as well."""
        if v.dtype != torch.float64 or self._through_zero:
            return v
        return v * (_LONGEST / v.detach().abs().amax(-1, keepdim=True).clamp_min(_LONGEST))

    def _half_step(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return (c, s, m) in proportion to cs, sn(t) / t and 1 = cs^2 + curvature sn^2 at half the length.

        For curvature <= 0 they are divided by cs, which would overflow.
        """
        if isinstance(self.curvature, float):
            if self.curvature > 0:
                return cosine(z), sinc(z), torch.ones_like(z)
            ratio, square = tangent_ratio(z)
            return torch.ones_like(z), ratio, square
        positive = z > 0
        up, down = torch.where(positive, z, 0.0), torch.where(positive, 0.0, z)
        ratio, square = tangent_ratio(down)
        return (
            torch.where(positive, cosine(up), 1.0),
            torch.where(positive, sinc(up), ratio),
            torch.where(positive, 1.0, square),
        )

    def _shrink(self, conformal: Tensor, dtype: torch.dtype) -> Tensor:
        """Return the factor that keeps a point with this 1 + curvature |y|^2 inside the ball when it is rounded."""
        edge = 1.0 - tolerances(dtype).interior
        outside = conformal < 1.0 - edge**2
        radius = torch.where(outside, 1.0 - conformal, 1.0).sqrt()
        return torch.where(outside, edge / radius, 1.0)

    @fused
    @in_blocks
    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        a, b, q, w = self._quotients(x, y)
        stretch = self._stretch(q, w)
        v = combine(x, y, stretch * self.curvature * q * a, stretch * a / b, -1.0)
        if self._positive() and not torch._C._are_functorch_transforms_active() and bool((w <= 0).any()):
            turn = self._half_turn(x, a).expand_as(v)
            v = torch.where((w <= 0).unsqueeze(-1), turn, v)
        return v

    def _half_turn(self, x: Tensor, a: Tensor) -> Tensor:
        """Return a tangent vector that ends opposite to x, along the first coordinate."""
        axis = torch.zeros_like(x)
        axis[..., 0] = 1.0
        return axis * (0.5 * self.injectivity_radius * a).to(x.dtype).unsqueeze(-1)

    @fused
    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        _, _, q, w = self._quotients(x, y)
        return self._distance(q, w).to(x.dtype)

    @fused
    @in_blocks
    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        _, _, q, w = self._quotients(x, y)
        return self._squared_distance(q, w).to(x.dtype)

    @fused
    @in_blocks
    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return self._turn(x, y, v, stretched=True)

    def _turn(self, x: Tensor, y: Tensor, v: Tensor, *, stretched: bool) -> Tensor:
        """Return the gyration gyr[y, -x] v; ``stretched`` by the ratio of the metrics it is parallel transport."""
        k = self.curvature
        xx, yy, dd = lengths(x, y)
        a, b = self._conformal(xx), self._conformal(yy)
        vx, vd = dots(v, x, y)
        denominator = a * b - k * dd
        scale = b / a if stretched else torch.ones_like(a)
        double = 2.0 * scale * k / torch.where(denominator != 0, denominator, 1.0)
        along = -double * (a * vd + k * dd * vx)
        across = double * (vx * (a + k * (yy - xx - dd)) - k * xx * vd)
        return shift(v, x, y, scale, along, across)

    def _project(self, x: Tensor) -> Tensor:
        """Return the nearest point of the chart: outside the ball, the outermost one that can be stored."""
        if self._positive():
            return x.clone()
        norm = torch.linalg.vector_norm(x, dim=-1, dtype=torch.float64)
        edge = (1.0 - tolerances(x.dtype).interior) * self._curvature_as(x).abs().rsqrt()
        outside = norm >= edge
        scale = torch.where(outside, edge / torch.where(outside, norm, 1.0), 1.0)
        return (widen(x) * scale.unsqueeze(-1)).to(x.dtype)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        scale = 0.5 * self._conformal(widen(x).square().sum(-1, keepdim=True))
        return (scale.square() * widen(gradient)).to(gradient.dtype)

    def _frame(self, x: Tensor) -> Tensor:
        scale = (0.5 * self._conformal(widen(x).square().sum(-1))).to(x.dtype)
        return scale[..., None, None] * torch.eye(self.dim, dtype=x.dtype, device=x.device)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.zeros(self.dim, dtype=dtype, device=device)

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        scale = (0.5 * self._conformal(widen(x).square().sum(-1, keepdim=True))).to(x.dtype)
        return scale * torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        self._log_volume()
        normal = torch.randn((*size, self.dim + 1), generator=generator, dtype=torch.float64, device=device)
        unit = normal / torch.linalg.vector_norm(normal, dim=-1, keepdim=True)
        radius = self._curvature_as(unit).rsqrt()
        return (radius * unit[..., 1:] / (1.0 + unit[..., :1])).to(dtype)

    def _residual(self, x: Tensor) -> Tensor:
        outside = 1.0 - self._conformal(widen(x).square().sum(-1))
        return torch.where(outside < 1.0, 0.0, outside).to(x.dtype)


class Stereographic(StereographicChart):
    """The kappa-stereographic model: one chart for every constant curvature, smooth through zero.

    Negative curvature is the Poincare ball, positive the sphere projected from its pole, and zero flat space with
    lengths doubled (the metric at the origin is 4 for every curvature).

    Parameters
    ----------
    n : int
        Dimension, at least 1.
    curvature : float, default 0.0
        Sectional curvature, of any sign.
    learnable : bool, default False
        Whether the curvature is a parameter, free to change its sign.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If n is below 1 or the curvature not finite.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Stereographic
    >>> x, y = torch.tensor([0.0, 0.0]), torch.tensor([0.5, 0.0])
    >>> [round(float(Stereographic(2, k).dist(x, y)), 4) for k in (-1.0, 0.0, 1.0)]
    [1.0986, 1.0, 0.9273]

    References
    ----------
    Bachmann, Becigneul, Ganea (2020). Constant curvature graph convolutional networks. ICML.
    """

    _references = ("bachmann2020constant",)

    def __init__(self, n: int, curvature: float = 0.0, *, learnable: bool = False, check: bool = False) -> None:
        super().__init__(n, n, curvature, learnable=learnable, through_zero=True, check=check)


class PoincareBall(StereographicChart):
    """Hyperbolic space of dimension n as the ball ``|x| < 1 / sqrt(-curvature)``.

    The distance from the origin is ``2 artanh |x|`` and the metric ``4 / (1 - |x|^2)^2`` times the flat one, at
    curvature -1. The chart cannot store points beyond radius 17.3 in single and 37.4 in double precision, and 1e-5 of
    the distance is lost from radius 8 and 27: :class:`Hyperboloid` has no such limit. A result beyond it is rounded to
    the outermost point that can be stored.

    ``retract`` is :class:`Chordal`: along geodesics without hyperbolic functions, of second order and inside the ball
    for every vector. (In geoopt ``retr`` adds the coordinates and clips, which is of first order.)

    Parameters
    ----------
    n : int
        Dimension, at least 1.
    curvature : float, default -1.0
        Sectional curvature, negative.
    learnable : bool, default False
        Whether the curvature is a parameter, kept negative.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If n is below 1 or the curvature is not negative.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import PoincareBall
    >>> ball = PoincareBall(2)
    >>> ball.dist(ball.origin(), torch.tensor([0.5, 0.0])), 2 * torch.atanh(torch.tensor(0.5))
    (tensor(1.0986), tensor(1.0986))

    References
    ----------
    Ungar (2008). A gyrovector space approach to hyperbolic geometry. Morgan & Claypool.
    """

    _references = ("ungar2008gyrovector",)

    default_retraction = Chordal()

    def __init__(self, n: int, curvature: float = -1.0, *, learnable: bool = False, check: bool = False) -> None:
        if curvature >= 0:
            raise ValueError(f"curvature of a Poincare ball must be negative, got {curvature}.")
        super().__init__(n, n, curvature, learnable=learnable, check=check)

    @fused
    @in_blocks
    def _chordal(self, x: Tensor, v: Tensor) -> Tensor:
        return self._move(x, v, _half_chord)


def _half_chord(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return what ``_half_step`` does where sinh of half the length is sqrt(-z), for z <= 0."""
    square = 1.0 / (1.0 - z)
    return torch.ones_like(z), square.sqrt(), square
