"""Spans of points in spaces of constant curvature: linear subspaces of the surrounding coordinates."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from holonomy.manifolds.base import Manifold
from holonomy.manifolds.constant import ConstantCurvature
from holonomy.manifolds.conversions import convert
from holonomy.manifolds.euclidean import Euclidean
from holonomy.manifolds.hyperboloid import Hyperboloid
from holonomy.manifolds.numerics import safe_sqrt, tolerances, widen
from holonomy.manifolds.scalars import arc_ratio, sinc
from holonomy.manifolds.sphere import Sphere


@dataclass(frozen=True)
class LinearSpans:
    """The affine spans of points of one space of constant curvature, in double precision.

    Points become vectors y of ``width`` coordinates in units of the curvature radius: |y| = 1 on a sphere,
    <y, y> = -1 on a hyperboloid, and plain coordinates in flat space, where a span is a point plus a linear subspace.

    Attributes
    ----------
    space : Manifold
        The space of the points.
    model : Manifold
        The sphere, hyperboloid or flat space isometric to it.
    sign : int
        Sign of the curvature.
    unit : float
        Length that one unit of the vectors stands for.
    """

    space: Manifold
    model: Manifold
    sign: int
    unit: float

    def vectors(self, x: Tensor) -> Tensor:
        """Return points (..., *space.shape) as vectors (..., width)."""
        wide = widen(x)
        if self.sign == 0:
            return wide.flatten(-len(self.space.shape))
        return self.model.project(convert(wide, self._curved(), self._model())) / self.unit

    def points(self, y: Tensor, dtype: torch.dtype) -> Tensor:
        """Return vectors (..., width) that satisfy the equation of the model as points (..., *space.shape)."""
        if self.sign == 0:
            return y.unflatten(-1, self.space.shape).to(dtype)
        return convert(self.model.project(y * self.unit), self._model(), self._curved()).to(dtype)

    def _model(self) -> ConstantCurvature:
        return cast(ConstantCurvature, self.model)

    def _curved(self) -> ConstantCurvature:
        return cast(ConstantCurvature, self.space)

    def product(self, u: Tensor, v: Tensor) -> Tensor:
        """Return the inner product (...) of vectors, in the Minkowski form on a hyperboloid."""
        plain = (u * v).sum(-1)
        return plain - 2.0 * u[..., 0] * v[..., 0] if self.sign < 0 else plain

    def dual(self, u: Tensor) -> Tensor:
        """Return the vector whose plain product with another is :meth:`product`."""
        return torch.cat([-u[..., :1], u[..., 1:]], dim=-1) if self.sign < 0 else u

    def basis(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return an orthonormal basis by Gram-Schmidt, and how far each point was from the span of those before it.

        Parameters
        ----------
        points : Tensor of shape (m, width)
            Vectors of points, m at least 1.

        Returns
        -------
        basis : Tensor of shape (m, width)
            The first i + 1 rows belong to the span of the first i + 1 points; on a hyperboloid row 0 is timelike, and
            in flat space it is the first point itself, the others are directions. Rows of dependent points are 0.
        heights : Tensor of shape (m,)
            Lengths of the residuals, 1 for the first; 0 where a point depends on those before it, up to rounding.
        """
        first = points[0]
        rows, heights = [first], [torch.ones((), dtype=points.dtype, device=points.device)]
        for point in points[1:]:
            rest = self.without(self.without(point, rows), rows, affine=False)
            square = self.product(rest, rest)
            size = torch.linalg.vector_norm(torch.stack([point, first]), dim=-1).amax().detach()
            # On a hyperboloid two products with long vectors stand before each residual.
            rounding = tolerances(torch.float64).rank * (size**3 if self.sign < 0 else size)
            independent = square > rounding**2
            height = torch.where(independent, square, 1.0).sqrt()
            rows.append(torch.where(independent, rest / height, 0.0))
            heights.append(torch.where(independent, height, 0.0))
        return torch.stack(rows), torch.stack(heights)

    def without(self, y: Tensor, rows: list[Tensor], affine: bool = True) -> Tensor:
        """Return what is left of vectors (..., width) after their parts along orthonormal rows.

        In flat space the first row is a point, subtracted where ``affine`` and ignored elsewhere.
        """
        rest = y
        for i, row in enumerate(rows):
            if i == 0 and self.sign == 0:
                rest = rest - row if affine else rest
                continue
            along = self.product(rest, row).unsqueeze(-1)
            rest = rest + along * row if i == 0 and self.sign < 0 else rest - along * row
        return rest

    def flag(self, y: Tensor, basis: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield squared residuals and captured squares (...) of vectors (..., width), for each prefix of a basis."""
        rest, captured = y, torch.zeros(y.shape[:-1], dtype=y.dtype, device=y.device)
        for i, row in enumerate(basis):
            if i == 0 and self.sign == 0:
                rest = rest - row
            elif i == 0 and self.sign < 0:
                rest = rest + self.product(rest, row).unsqueeze(-1) * row
            else:
                along = self.product(rest, row)
                rest, captured = rest - along.unsqueeze(-1) * row, captured + along.square()
            # Minkowski squares of spacelike vectors may round below 0.
            left = self.product(rest, rest).clamp_min(0.0)
            yield left, (1.0 + left if self.sign < 0 else captured)

    def squares(self, y: Tensor, basis: Tensor) -> Iterator[Tensor]:
        """Yield squared distances (...) of vectors (..., width) to the spans of each prefix of a basis.

        The first is a point: of the two that its line has on a sphere, the other one is not meant.
        """
        for i, level in enumerate(self.flag(y, basis)):
            if i == 0 and self.sign > 0:
                yield self.model.squared_dist(self.unit * y, self.unit * basis[0])
            else:
                yield self.squared_distances(*level)

    def lengths(self, y: Tensor, basis: Tensor) -> Iterator[Tensor]:
        """Yield the distances themselves, without derivatives at 0."""
        for i, level in enumerate(self.flag(y, basis)):
            if i == 0 and self.sign > 0:
                yield self.model.dist(self.unit * y, self.unit * basis[0])
            else:
                yield self.distances(*level)

    def squared_distances(self, left: Tensor, captured: Tensor) -> Tensor:
        """Return squared distances (...) to a span from squared residuals and captured squares."""
        if self.sign == 0:
            return self.unit**2 * left
        return self.unit**2 * left * arc_ratio(self.sign * left, captured).square()

    def distances(self, left: Tensor, captured: Tensor) -> Tensor:
        """Return distances (...), without derivatives at 0."""
        root = safe_sqrt(left)
        if self.sign == 0:
            return self.unit * root
        return self.unit * (torch.atan2(root, safe_sqrt(captured)) if self.sign > 0 else torch.asinh(root))

    def projections(self, y: Tensor, basis: Tensor) -> Tensor:
        """Return the vectors (..., width) of the nearest points of a span, or its first where all are as far."""
        if len(basis) == 1:
            return basis[0].expand_as(y)
        rest = self.without(y, list(basis))
        part = y - rest if self.sign == 0 else y - self.without(rest, list(basis), affine=False)
        if self.sign == 0:
            return part
        square = self.product(part, part) * self.sign
        lost = square <= tolerances(torch.float64).eps ** 2
        nearest = part / torch.where(lost, 1.0, square).sqrt().unsqueeze(-1)
        return torch.where(lost.unsqueeze(-1), basis[0], nearest)

    def weights(self, y: Tensor, points: Tensor) -> Tensor:
        """Return barycentric coordinates (..., m), not normalised, of vectors (..., width) in the span of points.

        The logarithms at y of the points add up to 0 with weights c_i sin(d_i) / d_i where y = sum c_i x_i, with sinh
        for negative curvature and 1 in flat space.
        """
        basis, _ = self.basis(points)
        if self.sign == 0:
            origin = points.mean(0)
            rows, target = torch.cat([points - origin, _ones(points)], -1), torch.cat([y - origin, _ones(y)], -1)
            return _solve(rows @ _completed(basis[1:]).mT, target @ _completed(basis[1:]).mT)
        inside = self.dual(basis)
        coefficients = _solve(points @ inside.mT, y @ inside.mT)
        angle = self.model.squared_dist(self.unit * y.unsqueeze(-2), self.unit * points) / self.unit**2
        return coefficients * sinc(self.sign * angle)

    def reduced(self, basis: Tensor) -> Manifold:
        """Return the span as a space of its own dimension, which holds the coordinates of its points in the basis."""
        k, curvature = len(basis) - 1, self.sign / self.unit**2
        if self.sign == 0:
            return Euclidean(k)
        return Sphere(k, curvature) if self.sign > 0 else Hyperboloid(k, curvature)

    def coordinates(self, y: Tensor, basis: Tensor) -> Tensor:
        """Return points of ``reduced`` (..., m) for vectors (..., width) in the span."""
        if self.sign == 0:
            return self.unit * ((y - basis[0]) @ basis[1:].mT)
        inside = y @ self.dual(basis).mT
        return self.unit * (torch.cat([-inside[..., :1], inside[..., 1:]], -1) if self.sign < 0 else inside)

    def lifted(self, coordinates: Tensor, basis: Tensor) -> Tensor:
        """Return vectors (..., width) for points of ``reduced``."""
        if self.sign == 0:
            return basis[0] + coordinates / self.unit @ basis[1:]
        return coordinates / self.unit @ basis


def linear_spans(space: Manifold) -> LinearSpans | None:
    """Return the linear description of the spans of a space, or None where there is none."""
    if isinstance(space, Euclidean):
        return LinearSpans(space, space, 0, 1.0)
    if not isinstance(space, ConstantCurvature):
        return None
    curvature = space._value
    if curvature == 0.0:
        # The chart without curvature has 4 times the flat metric.
        return LinearSpans(space, Euclidean(space.dim), 0, 2.0)
    # A model of its own: the curvature of the space may be a parameter, which spans do not train.
    model: Manifold = Sphere(space.dim, curvature) if curvature > 0 else Hyperboloid(space.dim, curvature)
    return LinearSpans(space, model, 1 if curvature > 0 else -1, 1.0 / math.sqrt(abs(curvature)))


def _ones(x: Tensor) -> Tensor:
    return torch.ones_like(x[..., :1])


def _completed(directions: Tensor) -> Tensor:
    """Return directions beside one more axis."""
    width = directions.shape[-1] + 1
    last = torch.zeros((1, width), dtype=directions.dtype, device=directions.device)
    last[0, -1] = 1.0
    return torch.cat([torch.nn.functional.pad(directions, (0, 1)), last])


def _solve(rows: Tensor, targets: Tensor) -> Tensor:
    """Return coefficients c (..., m) with c @ rows = targets, rows (m, m)."""
    flat = targets.reshape(-1, targets.shape[-1])
    return torch.linalg.solve(rows.mT, flat.mT).mT.reshape(targets.shape)
