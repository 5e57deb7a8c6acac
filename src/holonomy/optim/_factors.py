"""Into which factors a point splits: every factor has one second moment, as long as its part of the gradient."""

from typing import Protocol

import torch
from torch import Tensor

from holonomy.manifolds import Euclidean, Manifold, Power, Product


class Factors(Protocol):
    """The factors of a point, with a number (a second moment, a squared length) for each.

    Attributes
    ----------
    shape : tuple of int
        Trailing axes of the numbers of one point.
    """

    shape: tuple[int, ...]

    def squared_lengths(self, x: Tensor, g: Tensor) -> Tensor:
        """Return the squared Riemannian lengths (..., *shape) of the parts of tangent vectors g at x."""
        ...

    def spread(self, numbers: Tensor) -> Tensor:
        """Return the numbers (..., *shape) so that they multiply tangent vectors."""
        ...


class Coordinates:
    """Every coordinate of a flat space is a factor of dimension 1, as in the Euclidean methods."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def squared_lengths(self, x: Tensor, g: Tensor) -> Tensor:
        """Return the squares."""
        return g * g

    def spread(self, numbers: Tensor) -> Tensor:
        """Return the numbers as they are."""
        return numbers


class Points:
    """A point is one factor."""

    def __init__(self, manifold: Manifold) -> None:
        self.shape: tuple[int, ...] = ()
        self._manifold = manifold

    def squared_lengths(self, x: Tensor, g: Tensor) -> Tensor:
        """Return the squared lengths of the vectors."""
        return self._manifold.inner(x, g, g).clamp_min(0.0)

    def spread(self, numbers: Tensor) -> Tensor:
        """Append the axes of a point."""
        return numbers.reshape(*numbers.shape, *[1] * len(self._manifold.shape))


class Repeated:
    """The points of a power, each split alike."""

    def __init__(self, base: Factors, n: int) -> None:
        self.shape = (n, *base.shape)
        self._base = base

    def squared_lengths(self, x: Tensor, g: Tensor) -> Tensor:
        """Return those of the points."""
        return self._base.squared_lengths(x, g)

    def spread(self, numbers: Tensor) -> Tensor:
        """Return what the points spread."""
        return self._base.spread(numbers)


class Parts:
    """The factors of a product side by side, each split in its own way."""

    def __init__(self, product: Product, parts: list[Factors]) -> None:
        self._product, self._parts = product, parts
        self._counts = [torch.Size(part.shape).numel() for part in parts]
        self.shape: tuple[int, ...] = (sum(self._counts),)

    def squared_lengths(self, x: Tensor, g: Tensor) -> Tensor:
        """Return those of the parts, in the metric of the product."""
        pieces = zip(self._parts, self._product.weights, self._product.split(x), self._product.split(g), strict=True)
        found = [(part.squared_lengths(p, v) * weight, part.shape) for part, weight, p, v in pieces]
        return torch.cat([n.flatten(-len(s)) if s else n.unsqueeze(-1) for n, s in found], dim=-1)

    def spread(self, numbers: Tensor) -> Tensor:
        """Return for each coordinate the number of its part."""
        spread = []
        for piece, part, space in zip(
            numbers.split(self._counts, dim=-1), self._parts, self._product.factors, strict=True
        ):
            one = part.spread(piece.unflatten(-1, part.shape) if part.shape else piece.squeeze(-1))
            spread.append(one.expand(*numbers.shape[:-1], *space.shape).flatten(-len(space.shape)))
        return torch.cat(spread, dim=-1)


def factors_of(manifold: Manifold | None, granularity: str) -> Factors:
    """Return how points of a manifold split.

    ``granularity`` is ``"point"``, one factor; ``"factor"``, one for each factor of a product or power; ``"auto"``, in
    which moreover every coordinate of a flat factor counts for itself. A parameter without manifold is numbers, which
    cannot be split.
    """
    if manifold is None:
        return Coordinates(())
    if granularity == "point":
        return Points(manifold)
    if isinstance(manifold, Euclidean) and granularity == "auto":
        return Coordinates(manifold.shape)
    if isinstance(manifold, Power):
        return Repeated(factors_of(manifold.base, granularity), manifold.n)
    if isinstance(manifold, Product):
        return Parts(manifold, [factors_of(factor, granularity) for factor in manifold.factors])
    return Points(manifold)
