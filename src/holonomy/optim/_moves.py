"""How solvers move: along which curves points go, and how vectors follow them, for each kind of space."""

from dataclasses import dataclass

from torch import Tensor

from holonomy.manifolds import (
    Chordal,
    Exponential,
    FixedRank,
    Flag,
    Grassmann,
    Manifold,
    Power,
    Product,
    Projection,
    Stiefel,
)
from holonomy.manifolds.fixed_rank_psd import FixedRankPSD
from holonomy.manifolds.methods import Retraction, Transport
from holonomy.optim._orthographic import Orthographic

_FRAMES = (FixedRankPSD, Flag, Grassmann, Stiefel)
"""Spaces in coordinates of a surrounding one whose geodesics cost far more than the nearest point."""


@dataclass(frozen=True)
class Parallel:
    """Parallel transport: the verb of the space itself."""

    def __call__(self, manifold: Manifold, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        """Return v at y."""
        return manifold.transport(x, y, v)


@dataclass(frozen=True)
class EachRetraction:
    """The retraction of a product or power that gives every factor its own."""

    parts: tuple[Retraction, ...]

    def __call__(self, manifold: Manifold, x: Tensor, v: Tensor) -> Tensor:
        """Return the points reached from x along v."""
        if isinstance(manifold, Power):
            return self.parts[0](manifold.base, x, v)
        assert isinstance(manifold, Product)  # noqa: S101 - made for products only
        moved = zip(self.parts, manifold._spaces(), manifold.split(x), manifold.split(v), strict=True)
        return manifold.join(*(part(space, *at) for part, space, *at in moved))


@dataclass(frozen=True)
class EachTransport:
    """The transport of a product or power that gives every factor its own."""

    parts: tuple[Transport, ...]

    def __call__(self, manifold: Manifold, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        """Return v at y."""
        if isinstance(manifold, Power):
            return self.parts[0](manifold.base, x, y, v)
        assert isinstance(manifold, Product)  # noqa: S101 - made for products only
        split = (manifold.split(one) for one in (x, y, v))
        moved = zip(self.parts, manifold._spaces(), *split, strict=True)
        return manifold.join(*(part(space, *at) for part, space, *at in moved))


def default_retraction(manifold: Manifold) -> Retraction:
    """Return the retraction that solvers take: the nearest point where geodesics are dear, else the space's own."""
    if isinstance(manifold, Power):
        return EachRetraction((default_retraction(manifold.base),))
    if isinstance(manifold, Product):
        return EachRetraction(tuple(default_retraction(factor) for factor in manifold._spaces()))
    if isinstance(manifold, FixedRank):
        return Orthographic()
    return Projection() if isinstance(manifold, _FRAMES) else manifold.default_retraction


def default_transport(manifold: Manifold) -> Transport:
    """Return the transport that solvers take: projection where the retraction projects, else parallel."""
    if isinstance(manifold, Power):
        return EachTransport((default_transport(manifold.base),))
    if isinstance(manifold, Product):
        return EachTransport(tuple(default_transport(factor) for factor in manifold._spaces()))
    return Parallel() if isinstance(default_retraction(manifold), Exponential | Chordal) else Projection()
