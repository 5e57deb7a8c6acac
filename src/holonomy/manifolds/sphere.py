"""The sphere."""

import math

import torch
from torch import Tensor

from holonomy.manifolds._fused import fused
from holonomy.manifolds._pairs import angles, combine, dots, in_blocks, shift
from holonomy.manifolds.constant import ConstantCurvature
from holonomy.manifolds.methods import Projection
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.scalars import cosine, sinc


class Sphere(ConstantCurvature):
    """The sphere of dimension n: vectors of length ``1 / sqrt(curvature)`` in n + 1 coordinates.

    Distances depend on the directions of points only, and are accurate for near and for opposite points alike; their
    gradient at coincident and at opposite points is 0. ``log`` of the opposite point, which every geodesic reaches, is
    a vector of the right length in a direction that depends on the point alone.

    Parameters
    ----------
    n : int
        Dimension, at least 1.
    curvature : float, default 1.0
        Sectional curvature, positive: the inverse squared radius.
    learnable : bool, default False
        Whether the curvature is a parameter, kept positive.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If n is below 1 or the curvature is not positive.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> x, y, _ = torch.eye(3)
    >>> Sphere(2).dist(x, torch.stack([x, y, -x]))
    tensor([0.0000, 1.5708, 3.1416])
    """

    default_retraction = Projection()

    def __init__(self, n: int, curvature: float = 1.0, *, learnable: bool = False, check: bool = False) -> None:
        if curvature <= 0:
            raise ValueError(f"curvature of a sphere must be positive, got {curvature}.")
        super().__init__(n, n + 1, curvature, learnable=learnable, check=check)

    def _kernels(self) -> str | None:
        return "holonomy.manifolds._sphere_kernels" if self._fixed is not None else None

    def _chords(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return sin^2 and cos^2 of half the angle, |y|, and |y| - |x|."""
        xx, yy, gap, near, far = angles(x, y)
        ny = yy.sqrt()
        scale = 0.25 / (xx.sqrt() * ny)
        return near * scale, far * scale, ny, gap

    @fused
    @in_blocks
    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        z = self.curvature * widen(v).square().sum(-1)
        return combine(x, v, cosine(z), sinc(z), 0.0)

    @fused
    @in_blocks
    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        z, w, ny, gap = self._chords(x, y)
        stretch, tilt, beyond = self._stretch(z / self.curvature, w), gap / ny, z > 0.5
        along = torch.where(beyond, tilt - 2.0 * w, 2.0 * z - tilt)
        side = torch.where(beyond, 1.0, -1.0).to(torch.float64)
        v = combine(x, y, stretch * along, stretch * (1.0 - tilt), side)
        if (
            not torch.compiler.is_compiling()
            and not torch._C._are_functorch_transforms_active()
            and bool((w <= 0).any())
        ):
            v = torch.where((w <= 0).unsqueeze(-1), self._half_turn(x).expand_as(v), v)
        return v

    def _half_turn(self, x: Tensor) -> Tensor:
        """Return a tangent vector that ends opposite to x: the coordinate axis that x leans on least, projected."""
        axis = torch.nn.functional.one_hot(x.abs().argmin(-1), x.shape[-1]).to(x.dtype)
        tangent = self._project_tangent(x, axis)
        return tangent * (self.injectivity_radius / tangent.norm(dim=-1, keepdim=True))

    @fused
    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        z, w, _, _ = self._chords(x, y)
        return self._distance(z / self.curvature, w).to(x.dtype)

    @fused
    @in_blocks
    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        z, w, _, _ = self._chords(x, y)
        return self._squared_distance(z / self.curvature, w).to(x.dtype)

    @fused
    @in_blocks
    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        _, w, _, _ = self._chords(x, y)
        vx, vd = dots(v, x, y)
        slope = -0.5 * self.curvature * (vx + vd) / torch.where(w > 0, w, 1.0)
        return shift(v, x, y, 1.0, 2.0 * slope, slope)

    @fused
    def _project(self, x: Tensor) -> Tensor:
        wide = widen(x)
        radius = self._curvature_as(x).rsqrt()
        return (radius * wide / torch.linalg.vector_norm(wide, dim=-1, keepdim=True)).to(x.dtype)

    @fused
    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        a, b = widen(x), widen(v)
        along = (a * b).sum(-1, keepdim=True) / a.square().sum(-1, keepdim=True)
        return (b - along * a).to(v.dtype)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return self._project_tangent(x, gradient)

    def _frame(self, x: Tensor) -> Tensor:
        """Reflect the coordinate axes so that the first falls on the line of x; the others are the frame."""
        unit = x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        sign = torch.where(unit[..., :1] < 0, -1.0, 1.0).to(x.dtype)
        mirror = torch.cat([unit[..., :1] + sign, unit[..., 1:]], dim=-1)
        axes = torch.eye(self.dim + 1, dtype=x.dtype, device=x.device)[1:]
        return axes - mirror[..., 1:, None] * mirror[..., None, :] / (1.0 + unit[..., :1].abs()).unsqueeze(-1)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        point = torch.zeros(self.dim + 1, dtype=dtype, device=device)
        point[0] = 1.0 / math.sqrt(self._value)
        return point

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self._project_tangent(x, torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device))

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        return self._project(torch.randn((*size, self.dim + 1), generator=generator, dtype=dtype, device=device))
