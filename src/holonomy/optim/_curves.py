"""The curves that line searches follow, and the slopes of a function along them, in closed form where there is one."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from holonomy.manifolds import Grassmann, Manifold, Projection, Stiefel
from holonomy.manifolds.fixed_rank import range_bases
from holonomy.manifolds.methods import Retraction
from holonomy.manifolds.numerics import product, widen
from holonomy.optim._orthographic import Orthographic

Slope = Callable[[Tensor], float]
"""From the partial derivatives of a function where a curve is, to its derivative along the curve."""

_LONGEST = 1e8
"""Largest square of the length of a step from a frame of which the eigenvalues, found before, are still accurate."""


class Curve(ABC):
    """A curve that retracts multiples t of a tangent vector."""

    @abstractmethod
    def at(self, t: float) -> tuple[Tensor, Slope]:
        """Return the point, and the slopes of functions there."""


class AnyCurve(Curve):
    """The curve of any retraction; slopes come from automatic differentiation."""

    def __init__(self, manifold: Manifold, retraction: Retraction, x: Tensor, direction: Tensor) -> None:
        self._manifold, self._retraction, self._x, self._direction = manifold, retraction, x, direction

    def at(self, t: float) -> tuple[Tensor, Slope]:
        """Differentiate the retraction."""
        x = self._x
        time = torch.tensor(t, dtype=x.dtype, device=x.device, requires_grad=True)
        with torch.enable_grad():
            moved = self._retraction(self._manifold, x, time * self._direction)

        def slope(egrad: Tensor) -> float:
            return float(torch.autograd.grad(moved, time, grad_outputs=egrad)[0])

        return moved.detach(), slope


class FrameCurve(Curve):
    """The nearest frames to ``x + t v``, for tangent vectors v of a frame x.

    ``(x + t v)^T (x + t v) = I + t^2 v^T v``, so that the eigenvectors of ``v^T v`` serve the whole curve.
    """

    def __init__(self, x: Tensor, direction: Tensor, otherwise: Curve) -> None:
        self._dtype, self._otherwise = x.dtype, otherwise
        wide = widen(direction)
        values, self._vectors = torch.linalg.eigh(product(wide.mT, wide))
        self._values = values.clamp_min(0.0)
        self._largest = float(self._values[-1])
        self._x, self._v = product(widen(x), self._vectors), product(wide, self._vectors)

    def at(self, t: float) -> tuple[Tensor, Slope]:
        """Scale the columns; what rounding leaves of their products is taken off once more."""
        if not t * t * self._largest <= _LONGEST:
            return self._otherwise.at(t)
        shrink = (1.0 + t * t * self._values).rsqrt()
        frame = product(torch.add(self._x, self._v, alpha=t) * shrink, self._vectors.mT)
        frame = torch.add(1.5 * frame, product(frame, product(frame.mT, frame)), alpha=-0.5)

        def slope(egrad: Tensor) -> float:
            velocity = (self._v - self._x * (t * self._values)) * shrink**3
            return float((velocity * product(widen(egrad), self._vectors)).sum())

        return frame.to(self._dtype), slope


class OrthographicCurve(Curve):
    """The curve of :class:`Orthographic`: with the bases at x, three products that are affine in t."""

    def __init__(self, x: Tensor, direction: Tensor, rank: int) -> None:
        self._dtype = x.dtype
        wide, v = widen(x), widen(direction)
        left, right = range_bases(wide, rank)
        self._columns, self._rows = (
            (product(wide, right), product(v, right)),
            (product(left.mT, wide), product(left.mT, v)),
        )
        self._core = tuple(product(left.mT, one) for one in self._columns)

    def at(self, t: float) -> tuple[Tensor, Slope]:
        """Put the products together; the point is not finite where there is none."""
        core, columns, rows = (torch.add(*one, alpha=t) for one in (self._core, self._columns, self._rows))
        inverse, _ = torch.linalg.inv_ex(core)
        before, after = product(columns, inverse), product(inverse, rows)

        def slope(egrad: Tensor) -> float:
            behind = product(widen(egrad), after.mT)
            along = (behind * self._columns[1]).sum() + (product(before.mT, widen(egrad)) * self._rows[1]).sum()
            return float(along - (product(before.mT, behind) * self._core[1]).sum())

        return product(before, rows).to(self._dtype), slope


def curve_of(manifold: Manifold, retraction: Retraction, x: Tensor, direction: Tensor) -> Curve:
    """Return the curve that retracts multiples of a tangent vector."""
    curve = AnyCurve(manifold, retraction, x, direction)
    if x.ndim == 2 and isinstance(retraction, Projection) and isinstance(manifold, Grassmann | Stiefel):
        return FrameCurve(x, direction, curve)
    if x.ndim == 2 and isinstance(retraction, Orthographic) and hasattr(manifold, "k"):
        return OrthographicCurve(x, direction, manifold.k)
    return curve
