"""Barycentres and spans on any manifold: Newton's method for weighted means, Gauss-Newton for nearest points."""

from dataclasses import dataclass

import torch
from torch import Tensor

from holonomy.manifolds.base import Manifold

ITERATIONS = 100
GRADIENT = 1e-8
"""Gradient, relative to the lengths of what it is a sum of, at which a solver has converged."""
_FINE = 1e-11
"""The same for weighted means, which Newton's method finds to rounding."""
_HALVINGS = 20
_DECREASE = 1e-4
_PENALTIES = tuple(10.0**power for power in range(3, 11))
_STEPS_PER_PENALTY = 40
_FLATTEST = 1e-3
"""Least curvature of half a squared distance that a step under a penalty counts with; it is 1 at the point itself."""


@dataclass(frozen=True)
class Solved:
    """Points (rows, *shape) with their weights (rows, m), and which rows have converged."""

    points: Tensor
    weights: Tensor
    converged: Tensor


class SpanSolver:
    """The span of some reference points of a manifold, whose verbs can be differentiated twice.

    Parameters
    ----------
    manifold : Manifold
        The space.
    references : Tensor of shape (m, *shape)
        The points, in double precision.
    gradient : float, default 1e-8
        Where the search for nearest points ends: gradient relative to the distance.
    """

    def __init__(self, manifold: Manifold, references: Tensor, gradient: float = GRADIENT) -> None:
        self.manifold, self.references, self.gradient = manifold, references, gradient
        self.count, self._rank = len(references), len(manifold.shape)

    def logs(self, x: Tensor, frame: Tensor) -> Tensor:
        """Return the logarithms at x of the references, as columns in an orthonormal frame, (rows, dim, m)."""
        return self._coordinates(x, frame, self.manifold._log(x.unsqueeze(-self._rank - 1), self.references))

    def _coordinates(self, x: Tensor, frame: Tensor, vectors: Tensor) -> Tensor:
        """Return vectors (rows, m, *shape) at x by a frame (rows, dim, *shape) as columns (rows, dim, m)."""
        axis = -self._rank - 1
        at = x.unsqueeze(axis).unsqueeze(axis)
        return self.manifold._inner(at, frame.unsqueeze(axis), vectors.unsqueeze(axis - 1))

    def to(self, x: Tensor, frame: Tensor, y: Tensor) -> Tensor:
        """Return the logarithms at x of y, in the frame, (rows, dim)."""
        vectors = self.manifold._log(x, y).unsqueeze(-self._rank - 1)
        return self._coordinates(x, frame, vectors).squeeze(-1)

    def moved(self, x: Tensor, frame: Tensor, step: Tensor) -> Tensor:
        """Return ``exp`` at x of coordinates (rows, dim) in the frame."""
        return self.manifold._exp(x, self.vector(x, frame, step))

    def vector(self, x: Tensor, frame: Tensor, step: Tensor) -> Tensor:
        """Return the tangent vectors at x with coordinates (rows, dim) in the frame."""
        return (step.unsqueeze(-2) @ frame.flatten(-self._rank)).squeeze(-2).reshape(x.shape)

    def variance(self, x: Tensor, weights: Tensor, points: Tensor | None = None) -> Tensor:
        """Return half the weighted sum of squared distances to points, or to the references, (rows,).

        It is smooth where points coincide.
        """
        at = x.unsqueeze(-self._rank - 1)
        logs = self.manifold._log(at, self.references if points is None else points)
        return 0.5 * (weights * self.manifold._inner(at, logs, logs)).sum(-1)

    def hessian(self, x: Tensor, frame: Tensor, weights: Tensor, points: Tensor | None = None) -> Tensor:
        """Return the Hessian of :meth:`variance` in the frame, (rows, dim, dim).

        In normal coordinates it is the matrix of second derivatives, which automatic differentiation gives; a copy of
        the rows for each column takes two passes in all.
        """
        rows, dim = len(x), self.manifold.dim
        copies = (dim, *[1] * x.ndim)
        x, frame, weights = x.repeat(copies[:-1]), frame.repeat(copies), weights.repeat(dim, 1)
        if points is not None:
            points = points.repeat(dim, *[1] * (points.ndim - 1))
        with torch.enable_grad():
            step = torch.zeros((dim * rows, dim), dtype=x.dtype, device=x.device, requires_grad=True)
            value = self.variance(self.moved(x, frame, step), weights, points).sum()
            (slope,) = torch.autograd.grad(value, step, create_graph=True)
            chosen = slope.reshape(dim, rows, dim).diagonal(dim1=0, dim2=2).sum()
            (columns,) = torch.autograd.grad(chosen, step)
        H = columns.reshape(dim, rows, dim).transpose(0, 1)
        return 0.5 * (H + H.mT)

    def solve(self, x: Tensor, weights: Tensor, *, descend: bool = False) -> Solved:
        """Solve ``sum w_i log_x x_i = 0`` by damped Newton steps from x.

        Parameters
        ----------
        x : Tensor of shape (rows, *shape)
            Starts.
        weights : Tensor of shape (rows, m)
            Weights, of total 1.
        descend : bool, default False
            Whether to go down the weighted variance, to a minimum, instead of to the next critical point.
        """
        x, converged = x.clone(), torch.zeros(len(x), dtype=torch.bool, device=x.device)
        active = torch.arange(len(x), device=x.device)
        for _ in range(ITERATIONS):
            if not len(active):
                break
            here, w = x[active], weights[active]
            frame = self.manifold._frame(here)
            Z = self.logs(here, frame)
            slope, size = (Z @ w.unsqueeze(-1)).squeeze(-1), self._size(Z, w)
            gradient = torch.linalg.vector_norm(slope, dim=-1)
            converged[active] = gradient <= GRADIENT * size
            busy = (gradient > _FINE * size) & torch.isfinite(gradient)
            active, here, frame, w, slope = active[busy], here[busy], frame[busy], w[busy], slope[busy]
            if not len(active):
                break
            step = _newton(self.hessian(here, frame, w), slope, descend)
            x[active], moved = self._search(here, frame, w, step, slope, descend)
            active = active[moved]
        return Solved(x, weights, converged)

    def _size(self, Z: Tensor, weights: Tensor) -> Tensor:
        """Return what gradients are compared with: the lengths that add up in them, at least the span's size."""
        lengths = torch.linalg.vector_norm(Z, dim=-2)
        return (weights.abs() * lengths).sum(-1) + lengths.amax(-1)

    def _search(
        self, x: Tensor, frame: Tensor, w: Tensor, step: Tensor, slope: Tensor, descend: bool
    ) -> tuple[Tensor, Tensor]:
        """Halve steps until they improve; return the points reached, and which rows have moved."""
        # Where the Hessian has overflowed, its step says nothing, and the slope has to do.
        step = torch.where(torch.isfinite(step).all(-1, keepdim=True), step, -slope)
        longest = torch.linalg.vector_norm(self.logs(x, frame), dim=-2).amax(-1)
        length = torch.linalg.vector_norm(step, dim=-1)
        step = step * (longest / length.clamp_min(1e-300)).clamp_max(1.0).unsqueeze(-1)
        before, gain = self._merit(x, w, descend), (slope * step).sum(-1)
        wanted = gain if descend else 2.0 * before
        reached, left, t = x.clone(), torch.arange(len(x), device=x.device), 1.0
        for _ in range(_HALVINGS):
            tried = self.moved(x[left], frame[left], t * step[left])
            # A step so long that its end is beyond what numbers can hold is halved like any other that does not help.
            inside = self.manifold.belongs(tried)
            tried = torch.where(inside.reshape(-1, *[1] * self._rank), tried, x[left])
            after = torch.where(inside, self._merit(tried, w[left], descend), torch.inf)
            better = after <= before[left] - _DECREASE * t * wanted[left]
            better &= after < before[left]
            reached[left[better]] = tried[better]
            left, t = left[~better], 0.5 * t
            if not len(left):
                break
        moved = torch.ones(len(x), dtype=torch.bool, device=x.device)
        moved[left] = False
        return reached, moved

    def _merit(self, x: Tensor, w: Tensor, descend: bool) -> Tensor:
        if descend:
            return self.variance(x, w)
        logs = self.manifold._log(x.unsqueeze(-self._rank - 1), self.references)
        total = (w.unsqueeze(-2) @ logs.flatten(-self._rank)).squeeze(-2).reshape(x.shape)
        return 0.5 * self.manifold._inner(x, total, total)

    def project_by_weights(self, y: Tensor, near: Solved | None = None) -> Solved:
        """Return the points of the span nearest to y, searched for over the weights, from the nearest references on.

        ``near`` are the points nearest to y in a similar span, from whose weights the search starts instead.
        """
        order = self.manifold._dist(y.unsqueeze(-self._rank - 1), self.references).argsort(-1)
        x, weights = self._at_references(order[:, 0])
        if near is not None:
            moved = self.solve(near.points, near.weights)
            x[moved.converged], weights[moved.converged] = moved.points[moved.converged], near.weights[moved.converged]
        found = self._nearest(y, x, weights)
        for i in range(0 if near is not None else 1, self.count):
            left = torch.nonzero(~found.converged).squeeze(-1)
            if not len(left):
                break
            again = self._nearest(y[left], *self._at_references(order[left, i]))
            for kept, new in zip(
                (found.points, found.weights, found.converged),
                (again.points, again.weights, again.converged),
                strict=True,
            ):
                kept[left[again.converged]] = new[again.converged]
        return Solved(found.points, found.weights / found.weights.sum(-1, keepdim=True), found.converged)

    def _at_references(self, start: Tensor) -> tuple[Tensor, Tensor]:
        x = self.references[start].clone()
        return x, torch.nn.functional.one_hot(start, self.count).to(x.dtype)

    def _nearest(self, y: Tensor, x: Tensor, weights: Tensor) -> Solved:
        """Go to the points nearest to y from points x of the span, by weights of length 1, which may pass total 0."""
        weights = torch.nn.functional.normalize(weights, dim=-1)
        converged = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        active = torch.arange(len(x), device=x.device)
        for _ in range(ITERATIONS):
            if not len(active):
                break
            here, w, target = x[active], weights[active], y[active]
            frame = self.manifold._frame(here)
            logs = self.logs(here, frame)
            across = torch.linalg.qr(w.unsqueeze(-1), mode="complete").Q[..., 1:]
            along = torch.linalg.solve(self.hessian(here, frame, w), logs @ across)
            rest = self.to(here, frame, target)
            far, size = torch.linalg.vector_norm(rest, dim=-1), torch.linalg.vector_norm(logs, dim=-2).amax(-1)
            Q, R = torch.linalg.qr(along)
            inside = Q.mT @ rest.unsqueeze(-1)
            gap = torch.linalg.vector_norm(inside.squeeze(-1), dim=-1)
            converged[active] = gap <= self.gradient * (far + size)
            ones = torch.ones((len(here), 1), dtype=x.dtype, device=x.device)
            bend = Q.mT @ self.hessian(here, frame, ones, target.unsqueeze(-self._rank - 1)) @ Q
            turn = torch.linalg.solve_triangular(R, _descent(bend, inside), upper=True).squeeze(-1)
            busy = ~converged[active] & torch.isfinite(gap)
            active = active[busy]
            if not len(active):
                break
            x[active], weights[active], moved = self._along_span(
                here[busy], frame[busy], w[busy], turn[busy], across[busy], along[busy], target[busy]
            )
            active = active[moved]
        return Solved(x, weights, converged)

    def _along_span(
        self, x: Tensor, frame: Tensor, w: Tensor, turn: Tensor, across: Tensor, along: Tensor, y: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Change weights by a part of ``turn``, follow the barycentre, and keep what comes nearer to y."""
        reached, weights, t = x.clone(), w.clone(), 1.0
        left = torch.arange(len(x), device=x.device)
        step, turn = ((A @ turn.unsqueeze(-1)).squeeze(-1) for A in (along, across))
        far = self.manifold._dist(x, y)
        for _ in range(_HALVINGS):
            tried = torch.nn.functional.normalize(w[left] + t * turn[left], dim=-1)
            followed = self.solve(self.moved(x[left], frame[left], t * step[left]), tried)
            nearer = followed.converged & (self.manifold._dist(followed.points, y[left]) < far[left])
            reached[left[nearer]], weights[left[nearer]] = followed.points[nearer], tried[nearer]
            left, t = left[~nearer], 0.5 * t
            if not len(left):
                break
        moved = torch.ones(len(x), dtype=torch.bool, device=x.device)
        moved[left] = False
        return reached, weights, moved

    def project_by_penalty(self, y: Tensor) -> Solved:
        """Return points near y where the smallest singular value of the logarithms is brought to 0 by a penalty.

        The search starts at the nearest references, which lie on the span: in negative curvature the singular value
        falls to 0 at infinity too. Every step takes the linear change of the smallest singular value, which only the
        part of the logarithms outside the span of the others makes.
        """
        start = self.manifold._dist(y.unsqueeze(-self._rank - 1), self.references).argmin(-1)
        x, gap = self.references[start].clone(), torch.full((len(y),), torch.inf, dtype=y.dtype, device=y.device)
        for penalty in _PENALTIES:
            for _ in range(_STEPS_PER_PENALTY):
                frame = self.manifold._frame(x)
                step, size = self._penalized_step(x, frame, y, penalty)
                there = self._penalized_search(x, frame, y, step, penalty)
                gap, x = torch.linalg.vector_norm(step, dim=-1) / size, there
                if bool((gap <= GRADIENT).all()):
                    break
        Z = self.logs(x, self.manifold._frame(x))
        weights, smallest = singular_weights(Z)
        return Solved(x, weights, (gap <= GRADIENT) & (smallest <= GRADIENT) & torch.isfinite(weights).all(-1))

    def _penalized_step(self, x: Tensor, frame: Tensor, y: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
        Z = self.logs(x, frame)
        size = torch.linalg.vector_norm(Z, dim=-2).amax(-1)
        U, S, Vh = torch.linalg.svd(Z, full_matrices=False)
        null = Vh[..., -1, :]
        others = U[..., :-1]
        H = self.hessian(x, frame, null)
        outside = H - others @ (others.mT @ H)
        error = (S[..., -1:] * U[..., :, -1]).unsqueeze(-1)
        weight = penalty**0.5
        ones = torch.ones((len(x), 1), dtype=x.dtype, device=x.device)
        values, vectors = torch.linalg.eigh(self.hessian(x, frame, ones, y.unsqueeze(-self._rank - 1)))
        root = values.abs().clamp_min(_FLATTEST).sqrt().unsqueeze(-1)
        A = torch.cat([root * vectors.mT, weight * outside], dim=-2)
        b = torch.cat([vectors.mT @ self.to(x, frame, y).unsqueeze(-1) / root, weight * error], dim=-2)
        step = torch.linalg.lstsq(A, b).solution.squeeze(-1)
        # Far away all logarithms are nearly parallel: a longer step could jump there.
        length = torch.linalg.vector_norm(step, dim=-1).clamp_min(1e-300)
        return step * (0.25 * size / length).clamp_max(1.0).unsqueeze(-1), size

    def _penalized_search(self, x: Tensor, frame: Tensor, y: Tensor, step: Tensor, penalty: float) -> Tensor:
        before, reached = self._penalized(x, frame, y, penalty), x.clone()
        left, t = torch.arange(len(x), device=x.device), 1.0
        for _ in range(_HALVINGS):
            tried = self.moved(x[left], frame[left], t * step[left])
            better = self._penalized(tried, self.manifold._frame(tried), y[left], penalty) <= before[left]
            reached[left[better]] = tried[better]
            left, t = left[~better], 0.5 * t
            if not len(left):
                break
        return reached

    def _penalized(self, x: Tensor, frame: Tensor, y: Tensor, penalty: float) -> Tensor:
        smallest = torch.linalg.svdvals(self.logs(x, frame))[..., -1]
        return self.manifold._squared_dist(x, y) + penalty * smallest.square()


def singular_weights(Z: Tensor) -> tuple[Tensor, Tensor]:
    """Return weights (..., m) of total 1 that bring ``Z w`` nearest to 0, and the relative smallest singular value.

    Where more than one direction is null, the weights are the shortest such vector.
    """
    _, S, Vh = torch.linalg.svd(Z, full_matrices=True)
    full = torch.nn.functional.pad(S, (0, Vh.shape[-1] - S.shape[-1]))
    largest = full[..., :1].clamp_min(1e-300)
    null = (full <= full[..., -1:] + GRADIENT * largest).to(Z.dtype)
    sums = Vh.sum(-1) * null
    return (sums.unsqueeze(-2) @ Vh).squeeze(-2) / sums.square().sum(-1, keepdim=True), (full[..., -1:] / largest)[
        ..., 0
    ]


def _newton(H: Tensor, slope: Tensor, descend: bool) -> Tensor:
    """Return Newton's step to a critical point, or to a minimum."""
    if descend:
        return _descent(H, slope.unsqueeze(-1)).squeeze(-1)
    step, info = torch.linalg.solve_ex(H, slope)
    return torch.where((info == 0).unsqueeze(-1), step, slope)


def _descent(H: Tensor, slope: Tensor) -> Tensor:
    """Return Newton's step (..., dim, 1) with negative curvatures counted as positive ones."""
    values, vectors = torch.linalg.eigh(H)
    size = values.abs()
    size = size.clamp_min(1e-12).maximum(1e-12 * size.amax(-1, keepdim=True))
    return vectors @ ((vectors.mT @ slope) / size.unsqueeze(-1))
