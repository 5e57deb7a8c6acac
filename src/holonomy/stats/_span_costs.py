"""What spans of data points cost: the sum of powers of the distances of all points to them."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from holonomy.manifolds.base import Manifold
from holonomy.manifolds.numerics import safe_divide, tolerances
from holonomy.stats._linear_spans import LinearSpans
from holonomy.stats._span_inputs import dependent_points
from holonomy.stats._span_solver import SpanSolver

_BLOCK_ENTRIES = 1 << 21
_ROUGH = 1e-3
"""Gradient at which nearest points are near enough to compare spans: its square is the error of their distances."""


class SpanCosts(Protocol):
    """Costs of spans of points among n, given by their numbers."""

    n: int

    def extended(self, chosen: Sequence[int], candidates: Tensor) -> Tensor:
        """Return the costs (c,), on the CPU, of the spans of the chosen points and each one of the candidates."""
        ...

    def beside(self, more: Tensor) -> "SpanCosts":
        """Return the costs for the same points, with further ones numbered from n on that may span."""
        ...


class LinearCosts:
    """Costs in a space of constant curvature: one matrix product for all candidates.

    Parameters
    ----------
    spans : LinearSpans
        The space.
    vectors : Tensor of shape (n, width)
        The points.
    p : float
        Power of distances.
    """

    def __init__(self, spans: LinearSpans, vectors: Tensor, p: float) -> None:
        self.spans, self.vectors, self.p, self.n = spans, vectors, p, len(vectors)
        self.numbered = vectors

    def beside(self, more: Tensor) -> "LinearCosts":
        """Return the costs for the same points, with further ones (r, width) numbered from n on that may span."""
        costs = LinearCosts(self.spans, self.vectors, self.p)
        costs.numbered = torch.cat([self.vectors, more])
        return costs

    def extended(self, chosen: Sequence[int], candidates: Tensor) -> Tensor:
        """Return the costs (c,) of the spans of the chosen points and each one of the candidates."""
        block = max(1, _BLOCK_ENTRIES // self.n)
        cost = self._around if not chosen else self._beside
        return torch.cat([cost(chosen, part) for part in candidates.split(block)]).cpu()

    def _around(self, chosen: Sequence[int], candidates: Tensor) -> Tensor:
        space, unit = self.spans.model, self.spans.unit
        if self.spans.sign == 0:
            distances = unit * torch.cdist(self.numbered[candidates], self.vectors)
        else:
            distances = space._dist(unit * self.numbered[candidates].unsqueeze(1), unit * self.vectors)
        return distances.pow(self.p).sum(-1)

    def _beside(self, chosen: Sequence[int], candidates: Tensor) -> Tensor:
        """Add one direction to the basis for each candidate: what is left of it after the span of the chosen."""
        spans, y = self.spans, self.vectors
        basis, _ = spans.basis(self.numbered[list(chosen)])
        rest, added = (spans.without(z, list(basis)) for z in (y, self.numbered[candidates]))
        *_, (left, captured) = spans.flag(y, basis)
        squares = spans.product(added, added).clamp_min(0.0)
        # What is left of points in the span is rounding, and adds no direction.
        floor = (tolerances(y.dtype).rank * torch.linalg.vector_norm(self.numbered[candidates], dim=-1)).square()
        directions = safe_divide(added, squares.sqrt().unsqueeze(-1)) * (squares > floor).unsqueeze(-1)
        gained = (directions @ spans.dual(rest).mT).square()
        left = (left - gained).clamp_min(0.0)
        captured = 1.0 + left if spans.sign < 0 else captured + gained
        return spans.distances(left, captured).pow(self.p).sum(-1)


class SolvedCosts:
    """Costs in any space, where every nearest point is searched for.

    Parameters
    ----------
    manifold : Manifold
        The space.
    points : Tensor of shape (n, *shape)
        The points.
    p : float
        Power of distances.
    """

    def __init__(self, manifold: Manifold, points: Tensor, p: float) -> None:
        self.manifold, self.points, self.p, self.n = manifold, points, p, len(points)
        self.numbered = points

    def beside(self, more: Tensor) -> "SolvedCosts":
        """Return the costs for the same points, with further ones (r, *shape) numbered from n on that may span."""
        costs = SolvedCosts(self.manifold, self.points, self.p)
        costs.numbered = torch.cat([self.points, more])
        return costs

    def extended(self, chosen: Sequence[int], candidates: Tensor) -> Tensor:
        """Return the costs (c,) of the spans of the chosen points and each one of the candidates."""
        return torch.tensor([float(self._cost([*chosen, int(c)])) for c in candidates], dtype=self.points.dtype)

    def _cost(self, indices: list[int]) -> Tensor:
        """Return the cost of one span, infinite where it is degenerate or a nearest point is not found."""
        anchors = self.numbered[indices]
        rank = len(self.manifold.shape)
        if len(indices) == 1:
            return self.manifold._dist(self.points, anchors[0]).pow(self.p).sum()
        if dependent_points(self.manifold, anchors):
            return torch.tensor(torch.inf, dtype=self.points.dtype)
        found = SpanSolver(self.manifold, anchors, _ROUGH).project_by_weights(self.points)
        distances = self.manifold._dist(self.points, found.points)
        # A point whose search has not ended is at least as near as the nearest reference.
        nearest = self.manifold._dist(self.points.unsqueeze(-rank - 1), anchors).amin(-1)
        return torch.where(found.converged, distances, nearest).pow(self.p).sum()
