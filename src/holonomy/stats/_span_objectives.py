"""Costs of spans as functions of the reference points, for descent: by formula, or through nearest points."""

import torch
from torch import Tensor

from holonomy.manifolds.base import Manifold
from holonomy.stats._linear_spans import LinearSpans
from holonomy.stats._span_solver import Solved, SpanSolver

_ROUNDED = 1e-6
"""Distance, relative to the root mean square one, below which powers under 2 are smoothed for descent."""
_GRADIENT = 1e-6
"""Gradient at which nearest points are taken as found: distances are then right to its square."""


class LinearObjective:
    """Sum of powers of the distances of points to spans, in a space of constant curvature.

    Parameters
    ----------
    spans : LinearSpans
        The space.
    vectors : Tensor of shape (n, width)
        The points.
    p : float
        Power of distances.
    nested : bool
        Whether the costs of all prefixes are added.
    fixed : Tensor of shape (r, width)
        Reference points that stay, before those that move.
    scale : float
        Root mean square distance, which small distances are compared with.
    """

    jac = None

    def __init__(
        self, spans: LinearSpans, vectors: Tensor, p: float, nested: bool, fixed: Tensor, scale: float
    ) -> None:
        self.spans, self.vectors, self.p, self.nested, self.fixed = spans, vectors, p, nested, fixed
        self.floor = (_ROUNDED * scale) ** 2

    def __call__(self, x: Tensor) -> Tensor:
        """Return the mean cost for moving reference points (m, *shape)."""
        basis, _ = self.spans.basis(torch.cat([self.fixed, self.spans.vectors(x)]))
        levels = list(self.spans.squares(self.vectors, basis))
        costs = [self._powers(level).mean() for level in (levels if self.nested else levels[-1:])]
        return torch.stack(costs).sum()

    def _powers(self, squares: Tensor) -> Tensor:
        return squares if self.p == 2.0 else (squares + self.floor).pow(0.5 * self.p)


class SolvedObjective:
    """The same in any space, with slopes by the envelope theorem.

    Moving reference i by u moves the point x of the span with weights w by ``H^-1 w_i D(log_x x_i) u``, with H the
    Hessian of the weighted variance. At the point nearest to y, changes of weights do not count, so half the squared
    distance changes by minus the product of that with ``log_x y``.

    Parameters
    ----------
    manifold : Manifold
        The space.
    points : Tensor of shape (n, *shape)
        The points.
    p : float
        Power of distances.
    nested : bool
        Whether the costs of all prefixes are added.
    fixed : Tensor of shape (r, *shape)
        Reference points that stay, before those that move.
    scale : float
        Root mean square distance, which small distances are compared with.
    """

    jac = True

    def __init__(self, manifold: Manifold, points: Tensor, p: float, nested: bool, fixed: Tensor, scale: float) -> None:
        self.manifold, self.points, self.p, self.nested, self.fixed = manifold, points, p, nested, fixed
        self.floor = (_ROUNDED * scale) ** 2
        self._last: dict[int, Solved] = {}

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean cost for moving reference points (m, *shape), and its partial derivatives."""
        start, count = len(self.fixed), len(self.fixed) + len(x)
        value, slope = torch.zeros((), dtype=x.dtype, device=x.device), torch.zeros_like(x)
        for level in range(start + 1, count + 1) if self.nested else (count,):
            moving = x.detach().requires_grad_()
            with torch.enable_grad():
                references = torch.cat([self.fixed, moving])[:level]
                cost, surrogate = self._around(references) if level == 1 else self._span(references)
                (change,) = torch.autograd.grad(surrogate, moving)
            value, slope = value + cost, slope + change
        return value, slope

    def _powers(self, squares: Tensor) -> Tensor:
        return squares if self.p == 2.0 else (squares + self.floor).pow(0.5 * self.p)

    def _around(self, references: Tensor) -> tuple[Tensor, Tensor]:
        cost = self._powers(self.manifold._squared_dist(self.points, references[0])).mean()
        return cost.detach(), cost

    def _span(self, references: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cost, and a function of the references with its derivatives."""
        space = self.manifold
        with torch.no_grad():
            solver = SpanSolver(space, references.detach(), _GRADIENT)
            found = solver.project_by_weights(self.points, self._last.get(len(references)))
            self._last[len(references)] = found
            x, w = found.points, found.weights
            squares = space._squared_dist(x, self.points)
            frame = space._frame(x)
            H = solver.hessian(x, frame, w)
            target = torch.linalg.solve(H, solver.to(x, frame, self.points))
            rate = 1.0 if self.p == 2.0 else 0.5 * self.p * (squares + self.floor).pow(0.5 * self.p - 1.0)
            pull = solver.vector(x, frame, -2.0 * target)
        rank = len(space.shape)
        logs = space._log(x.unsqueeze(-rank - 1), references)
        along = space._inner(x.unsqueeze(-rank - 1), pull.unsqueeze(-rank - 1), logs)
        return self._powers(squares).mean(), (rate * (w * along).sum(-1)).mean()
