"""How points of one manifold move along tangent vectors, and take their momentum with them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from holonomy.manifolds import Euclidean, Manifold, Projection
from holonomy.optim._factors import Factors, factors_of
from holonomy.optim._fused import fused_gradient, fused_move


class Motion(ABC):
    """The moves of the points of one manifold; all that end in an underscore work in place.

    Attributes
    ----------
    factors : Factors
        Where second moments are kept.
    """

    factors: Factors

    @abstractmethod
    def gradient(self, x: Tensor, derivatives: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the Riemannian gradients, and their squared lengths where these come with them."""

    @abstractmethod
    def add_decay(self, x: Tensor, g: Tensor, strength: float) -> Tensor:
        """Return g plus the gradient of half ``strength`` times the squared distance from the origin."""

    @abstractmethod
    def decay_(self, x: Tensor, vectors: list[Tensor], part: float | Tensor) -> None:
        """Move x this part of its way to the origin, and the vectors along."""

    @abstractmethod
    def move_(self, x: Tensor, u: Tensor, size: float | Tensor, over: Tensor | None, vectors: list[Tensor]) -> None:
        """Step from x along ``-size * u``, divided factor by factor by ``over``, and carry the vectors.

        ``size`` is a number or, as ``over``, numbers (..., *factors.shape).
        """

    @abstractmethod
    def restore_(self, x: Tensor, vectors: list[Tensor]) -> None:
        """Bring points that rounding, or a change of the curvature, has moved off the manifold back to it."""


@dataclass(frozen=True)
class FlatMotion(Motion):
    """Steps are sums, and vectors stay what they are; in the order of the Euclidean methods, so that bits agree."""

    factors: Factors

    def gradient(self, x: Tensor, derivatives: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the derivatives."""
        return derivatives, None

    def add_decay(self, x: Tensor, g: Tensor, strength: float) -> Tensor:
        """Return g + strength x."""
        return g.add(x, alpha=strength)

    def decay_(self, x: Tensor, vectors: list[Tensor], part: float | Tensor) -> None:
        """Shrink x."""
        x.mul_(1 - part)

    def move_(self, x: Tensor, u: Tensor, size: float | Tensor, over: Tensor | None, vectors: list[Tensor]) -> None:
        """Subtract."""
        if over is not None:
            over = self.factors.spread(over)
        if (
            isinstance(size, Tensor)
            and not size.ndim
            and size.device.type == "cpu"
            and not torch.compiler.is_compiling()
        ):
            size = size.item()
        if isinstance(size, Tensor):
            u = u * (self.factors.spread(size) if size.ndim else size)
            x.sub_(u if over is None else u / over)
        elif over is None:
            x.add_(u, alpha=-size)
        else:
            x.addcdiv_(u, over, value=-size)

    def restore_(self, x: Tensor, vectors: list[Tensor]) -> None:
        """Do nothing: every point is on it."""


@dataclass(frozen=True)
class CurvedMotion(Motion):
    """Steps along geodesics or a retraction, with transported vectors.

    Attributes
    ----------
    manifold : Manifold
        The space.
    step, transport : str
        ``"exp"`` or ``"retract"``; ``"parallel"`` or ``"project"``.
    """

    factors: Factors
    manifold: Manifold
    step: str
    transport: str

    def gradient(self, x: Tensor, derivatives: Tensor) -> tuple[Tensor, Tensor | None]:
        """Convert, in one pass where a kernel does so."""
        fused = fused_gradient(self.manifold, x, derivatives) if self.factors.shape == () else None
        return fused or (self.manifold.egrad_to_rgrad(x, derivatives), None)

    def add_decay(self, x: Tensor, g: Tensor, strength: float) -> Tensor:
        """Return g - strength log_x(origin)."""
        return g.sub(self.manifold.log(x, self._origin(x)), alpha=strength)

    def decay_(self, x: Tensor, vectors: list[Tensor], part: float | Tensor) -> None:
        """Move along the geodesic to the origin."""
        self._arrive_(x, self.manifold.geodesic(x, self._origin(x), part), vectors)

    def move_(self, x: Tensor, u: Tensor, size: float | Tensor, over: Tensor | None, vectors: list[Tensor]) -> None:
        """Step, in one pass where a kernel does so."""
        scale = -size if over is None else -size / over
        exact = self.factors.shape == () and (self.transport == "parallel" or not vectors)
        if exact and fused_move(self.manifold, x, u, scale, vectors, self.step):
            return
        v = u * (self.factors.spread(scale) if isinstance(scale, Tensor) and scale.ndim else scale)
        self._arrive_(x, self.manifold.exp(x, v) if self.step == "exp" else self.manifold.retract(x, v), vectors)

    def restore_(self, x: Tensor, vectors: list[Tensor]) -> None:
        """Project points and vectors."""
        x.copy_(self.manifold.project(x))
        for vector in vectors:
            vector.copy_(self.manifold.project_tangent(x, vector))

    def _arrive_(self, x: Tensor, y: Tensor, vectors: list[Tensor]) -> None:
        method = None if self.transport == "parallel" else Projection()
        moved = [self.manifold.transport(x, y, vector, method=method) for vector in vectors]
        x.copy_(y)
        for vector, new in zip(vectors, moved, strict=True):
            vector.copy_(new)

    def _origin(self, x: Tensor) -> Tensor:
        return self.manifold.origin(dtype=x.dtype, device=x.device)


def motion_of(manifold: Manifold | None, granularity: str, step: str, transport: str) -> Motion:
    """Return the motion of points of a manifold, None for numbers."""
    factors = factors_of(manifold, granularity)
    if manifold is None or isinstance(manifold, Euclidean):
        return FlatMotion(factors)
    return CurvedMotion(factors, manifold, step, transport)


def _is_number(size: Tensor) -> bool:
    """Say whether a tensor can be read as a number at no cost."""
    return size.ndim == 0 and size.device.type == "cpu" and not torch.compiler.is_compiling()


def batch_shape(manifold: Manifold | None, x: Tensor) -> torch.Size:
    """Return the leading axes of a tensor of points."""
    return x.shape if manifold is None else x.shape[: x.ndim - len(manifold.shape)]
