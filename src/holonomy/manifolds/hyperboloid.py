"""Hyperbolic space as a hyperboloid."""

import math

import torch
from torch import Tensor

from holonomy.manifolds._fused import fused
from holonomy.manifolds._pairs import angles, combine, in_blocks, shift, with_slope
from holonomy.manifolds.constant import ConstantCurvature
from holonomy.manifolds.numerics import safe_sqrt, tolerances, widen
from holonomy.manifolds.scalars import cosine, sinc


class Hyperboloid(ConstantCurvature):
    """Hyperbolic space of dimension n: points (x0, x1, ..., xn), x0 > 0, with ``-x0^2 + |x|^2 = 1 / curvature``.

    The first coordinate follows from the others, and verbs read the others only, so that rounding of x0 costs nothing:
    distances are right to the last digits out to radius 40 and for near points alike. A tangent vector at radius r is
    stored to about ``exp(r)`` units in the last place, whatever the verbs do: from radius 9 in double, and 3 in single
    precision, that is what limits ``exp``, ``log`` and ``transport``.

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
    >>> from holonomy.manifolds import Hyperboloid
    >>> space = Hyperboloid(2)
    >>> x = space.exp(space.origin(), torch.tensor([0.0, 10.0, 0.0]))
    >>> space.dist(space.origin(), x), space.dist(x, x)
    (tensor(10.), tensor(0.))
    """

    def __init__(self, n: int, curvature: float = -1.0, *, learnable: bool = False, check: bool = False) -> None:
        if curvature >= 0:
            raise ValueError(f"curvature of a hyperboloid must be negative, got {curvature}.")
        super().__init__(n, n + 1, curvature, learnable=learnable, check=check)

    def _kernels(self) -> str | None:
        return "holonomy.manifolds._hyperboloid_kernels" if self._fixed is not None else None

    def _half_chord(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return q = sn(d/2)^2, its cosine square w, cosh of the radius of x, and y0 - x0 over its scale.

        The difference of the radii comes from the addition theorem of sinh; its square and the angle add up.
        """
        curvature = self.curvature
        xx, yy, gap, near, far = angles(x, y, 1)
        nx, ny = safe_sqrt(xx), safe_sqrt(yy)
        cx, cy = (1.0 - curvature * xx).sqrt(), (1.0 - curvature * yy).sqrt()
        rise = gap * (nx + ny)
        radial = (rise / (ny * cx + nx * cy + _TINY)).square()
        q = 0.5 * radial / (1.0 + (1.0 - curvature * radial).sqrt()) + 0.25 * near
        if q.requires_grad or torch._C._are_functorch_transforms_active():
            q = self._smooth_at_origin(q, (xx, yy, cx, cy), rise, gap.square() + near, 0.25 * (far - near))
        return q, 1.0 - curvature * q, cx, rise / (cx + cy)

    def _smooth_at_origin(
        self, q: Tensor, squares: tuple[Tensor, Tensor, Tensor, Tensor], rise: Tensor, dd: Tensor, product: Tensor
    ) -> Tensor:
        """Return q in forms without norms near the origin, where norms have no second derivatives."""
        xx, yy, cx, cy = squares
        curvature = self.curvature
        inner = -curvature * torch.maximum(xx, yy) < 1.0
        small = 0.25 * (dd + curvature * (rise / (cx + cy)).square())
        plain = 0.5 * (1.0 - cx * cy - curvature * product) / curvature
        return torch.where(inner, small, torch.where((xx == 0) | (yy == 0), plain, q))

    def _facing(self, x: Tensor, y: Tensor) -> Tensor:
        """Return y - y0 / x0 x without its first coordinate, which is 0, in double precision.

        Far from the origin it is put together from its part across x and the rest along x, neither of which cancels.
        """
        curvature = self.curvature
        xx, yy, gap, near, _ = (t.unsqueeze(-1) for t in angles(x, y, 1))
        nx, ny = safe_sqrt(xx), safe_sqrt(yy)
        cx, cy = (1.0 - curvature * xx).sqrt(), (1.0 - curvature * yy).sqrt()
        rise = gap * (nx + ny)
        a, b = torch.broadcast_tensors(widen(x[..., 1:]), widen(y[..., 1:]))
        inner = -curvature * xx < 1.0
        safe = torch.where(inner, 1.0, xx)
        across = torch.where((b - a).square().sum(-1, keepdim=True) < 0.25 * torch.maximum(xx, yy), b - a, b)
        for _ in range(2):
            across = across - (a * across).sum(-1, keepdim=True) / safe * a
        fall = 0.5 * near / safe - rise / ((ny * cx + nx * cy) * cx * safe.sqrt() + _TINY)
        plain = b - a + curvature * rise / (cx * (cx + cy)) * a
        return torch.where(inner, plain, across - fall * a)

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        a, b, c = (widen(t[..., 1:]) for t in (x, u, v))
        square = a.square().sum(-1)
        safe = torch.where(square > 0, square, 1.0).unsqueeze(-1)
        radial_u, radial_v = (a * b).sum(-1, keepdim=True), (a * c).sum(-1, keepdim=True)
        across = ((b - radial_u / safe * a) * (c - radial_v / safe * a)).sum(-1)
        along = (radial_u * radial_v / safe).squeeze(-1) / (1.0 - self.curvature * square)
        return (across + along).to(u.dtype)

    def _norm(self, x: Tensor, v: Tensor) -> Tensor:
        square = self._squared_norm(x, v)
        positive = square > 0
        return torch.where(positive, torch.where(positive, square, 1.0).sqrt(), 0.0).to(v.dtype)

    def _squared_norm(self, x: Tensor, v: Tensor) -> Tensor:
        """Return squared lengths in double precision: the area that x and v span is accurate where products cancel."""
        xx, vv, _, near, far = angles(x, v, 1)
        area = with_slope(0.25 * near * far, lambda: xx * vv - (0.25 * (far - near)).square())
        return (vv - self.curvature * area) / (1.0 - self.curvature * xx)

    @fused
    @in_blocks
    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        z = self.curvature * self._squared_norm(x, v)
        return combine(x, v, cosine(z), sinc(z), 0.0)

    @fused
    @in_blocks
    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        q, w, _, _ = self._half_chord(x, y)
        stretch = self._stretch(q, w)
        return combine(x, y, 2.0 * self.curvature * q * stretch, stretch, -1.0)

    @fused
    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        q, w, _, _ = self._half_chord(x, y)
        return self._distance(q, w).to(x.dtype)

    @fused
    @in_blocks
    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        q, w, _, _ = self._half_chord(x, y)
        return self._squared_distance(q, w).to(x.dtype)

    @fused
    @in_blocks
    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        _, w, _, _ = self._half_chord(x, y)
        slope = -0.5 * self.curvature * (widen(v[..., 1:]) * self._facing(x, y)).sum(-1) / w
        return shift(v, x, y, 1.0, 2.0 * slope, slope)

    def _project(self, x: Tensor) -> Tensor:
        space = widen(x[..., 1:])
        time = (space.square().sum(-1, keepdim=True) - 1.0 / self.curvature).sqrt()
        return torch.cat([time, space], dim=-1).to(x.dtype)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        """Remove the component along x, which is normal in the Minkowski product."""
        a, b = widen(x), widen(v)
        time = (a[..., 1:].square().sum(-1, keepdim=True) - 1.0 / self.curvature).sqrt()
        product = (a[..., 1:] * b[..., 1:]).sum(-1, keepdim=True) - time * b[..., :1]
        normal = torch.cat([time, a[..., 1:]], dim=-1)
        return (b - self.curvature * product * normal).to(v.dtype)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        flipped = torch.cat([-gradient[..., :1], gradient[..., 1:]], dim=-1)
        return self._project_tangent(x, flipped)

    def _frame(self, x: Tensor) -> Tensor:
        axes = torch.eye(self.dim + 1, dtype=x.dtype, device=x.device)[1:]
        return self._from_origin(x.unsqueeze(-2), axes)

    def _from_origin(self, x: Tensor, v: Tensor) -> Tensor:
        """Return vectors at the origin, whose first coordinate is 0, moved to x along geodesics."""
        a, b = widen(x), widen(v)
        radius = self._curvature_as(x).neg().rsqrt()
        time = (a[..., 1:].square().sum(-1, keepdim=True) + radius.square()).sqrt()
        slope = (a[..., 1:] * b[..., 1:]).sum(-1, keepdim=True) / (radius * (radius + time))
        return torch.cat([slope * (radius + time), b[..., 1:] + slope * a[..., 1:]], dim=-1).to(v.dtype)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        point = torch.zeros(self.dim + 1, dtype=dtype, device=device)
        point[0] = 1.0 / math.sqrt(-self._value)
        return point

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self._from_origin(x, torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device))

    def _tangent_residual(self, x: Tensor, v: Tensor) -> Tensor:
        """Compare the first coordinate with the one that the others fix."""
        a, b = widen(x), widen(v)
        time = (a[..., 1:].square().sum(-1) - 1.0 / self.curvature).sqrt()
        expected = (a[..., 1:] * b[..., 1:]).sum(-1) / time
        size = torch.linalg.vector_norm(b, dim=-1)
        return ((b[..., 0] - expected).abs() / (1.0 + size)).to(v.dtype)


_TINY = tolerances(torch.float64).tiny ** 0.5
"""Added to a denominator that is 0 where both points are the origin: its square is still a number."""
