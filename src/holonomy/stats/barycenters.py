"""Weighted means of a few points, and their weights: coordinates of the span of the points."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from holonomy._core.citations import references as cites
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.scalars import cosine, sinc
from holonomy.stats._inputs import as_tensor, restorer
from holonomy.stats._linear_spans import linear_spans
from holonomy.stats._span_inputs import as_points, as_references, check_within_reach
from holonomy.stats._span_solver import GRADIENT, SpanSolver, singular_weights

_ON_SPAN = 1e-6
"""Smallest singular value of the logarithms, relative to the largest, up to which a point counts as in the span."""
_DEFINITE = 1e-9
"""Smallest eigenvalue of a Hessian, relative to the largest, above which it counts as positive definite."""


@cites("pennec2018barycentric")
def barycentric_weights(x: Any, references: Any, manifold: Manifold) -> Any:
    """Return the barycentric coordinates of points in the span of reference points.

    They are the weights w, of total 1, for which ``sum w_i log_x x_i = 0``; they may be negative. For a point off the
    span they bring this sum nearest to 0 among vectors of length 1: the singular vector of the smallest singular value.

    Parameters
    ----------
    x : array-like or Tensor of shape (..., *shape)
        Points of the space.
    references : array-like or Tensor of shape (m, *shape)
        The m points that span.
    manifold : Manifold
        The space.

    Returns
    -------
    array or Tensor of shape (..., m)
        The weights.

    Raises
    ------
    TypeError
        If ``manifold`` is not a manifold or the points are no real numbers.
    ValueError
        If points are off the manifold, the references are dependent, a point is opposite to a reference, or its weights
        have total 0, as on the sphere those of points a right angle away from every barycentre.

    References
    ----------
    Pennec (2018). Barycentric subspace analysis on manifolds. Annals of Statistics 46, 2711-2746.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import barycentric_weights
    >>> middle = np.array([1.0, 1.0, 1.0]) / 3**0.5
    >>> barycentric_weights(middle, np.eye(3), Sphere(2)).round(6)
    array([0.333333, 0.333333, 0.333333])
    """
    points = as_points(manifold, x, "x")
    anchors = as_references(manifold, references).to(points.device)
    check_within_reach(manifold, points.double(), anchors.double())
    batch = points.shape[: points.ndim - len(manifold.shape)]
    rows = points.double().reshape(-1, *manifold.shape)
    weights = singular_weights(_logs(SpanSolver(manifold, anchors.double()), rows))[0]
    if bool((lost := weights.abs().amax(-1) * GRADIENT > 1.0).any()):
        where = int(torch.nonzero(lost)[0])
        raise ValueError(f"x must have weights of a total other than 0, and those of point {where} have none.")
    return restorer(x)(weights.to(points.dtype).reshape(*batch, len(anchors)))


@cites("pennec2018barycentric")
def barycentric_point(weights: Any, references: Any, manifold: Manifold, start: Any = None) -> Any:
    """Return the barycentres of reference points with given weights.

    Solves ``sum w_i log_x x_i = 0``. Several points may solve it: this returns, of the local minima of the weighted
    variance ``sum w_i d(x, x_i)^2`` that Newton's method finds from the references and from a combination of them, the
    lowest, and another critical point only where it finds no minimum.

    Parameters
    ----------
    weights : array-like or Tensor of shape (..., m)
        Weights of any signs and a total other than 0; they are divided by it.
    references : array-like or Tensor of shape (m, *shape)
        The m points that span.
    manifold : Manifold
        The space.
    start : array-like or Tensor of shape (..., *shape), optional
        Where to start instead; the next critical point is returned.

    Returns
    -------
    array or Tensor of shape (..., *shape)
        The barycentres.

    Raises
    ------
    TypeError
        If ``manifold`` is not a manifold or something holds no real numbers.
    ValueError
        If shapes do not fit, a total is 0, the references are dependent, or no barycentre is found: on a sphere not all
        weights have one.

    References
    ----------
    Pennec (2018). Barycentric subspace analysis on manifolds. Annals of Statistics 46, 2711-2746.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import barycentric_point
    >>> barycentric_point([1 / 3, 1 / 3, 1 / 3], np.eye(3), Sphere(2)).round(6)
    array([0.57735, 0.57735, 0.57735])
    """
    anchors = as_references(manifold, references)
    w = _checked_weights(weights, len(anchors)).to(anchors.device)
    rows = w.reshape(-1, len(anchors))
    if start is None:
        found, converged = _lowest_barycenters(manifold, rows, anchors.double())
    else:
        begin = as_points(manifold, start, "start").double().expand(*w.shape[:-1], *manifold.shape)
        solved = SpanSolver(manifold, anchors.double()).solve(begin.reshape(-1, *manifold.shape), rows)
        found, converged = solved.points, solved.converged
    if not bool(converged.all()):
        failed = torch.nonzero(~converged).flatten()
        raise ValueError(
            f"weights must have a barycentre, and none was found for {len(failed)} of {len(rows)} rows (first row "
            f"{int(failed[0])}: {rows[failed[0]].tolist()}); give start= a point near it, if there is one."
        )
    return restorer(references)(found.to(anchors.dtype).reshape(*w.shape[:-1], *manifold.shape))


@cites("pennec2018barycentric")
def classify_barycenter(x: Any, references: Any, manifold: Manifold) -> Any:
    """Say which kind of barycentre of reference points each point is.

    Parameters
    ----------
    x : array-like or Tensor of shape (..., *shape)
        Points of the space.
    references : array-like or Tensor of shape (m, *shape)
        The m points that span.
    manifold : Manifold
        The space.

    Returns
    -------
    str, or array of str of shape (...)
        "frechet": the weighted variance has its lowest value there; "karcher": a local minimum, but it is lower
        elsewhere; "exponential": a critical point whose Hessian is not positive definite; "outside": none of these.
        That no place is lower is judged from the minima that Newton's method finds from the references and, on a
        sphere, the points opposite to them.

    Raises
    ------
    TypeError, ValueError
        As :func:`barycentric_weights`.

    References
    ----------
    Pennec (2018). Barycentric subspace analysis on manifolds. Annals of Statistics 46, 2711-2746.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import classify_barycenter
    >>> middle = np.array([1.0, 1.0, 0.0]) / 2**0.5
    >>> classify_barycenter(np.stack([middle, -middle]), np.eye(3)[:2], Sphere(2))
    array(['frechet', 'exponential'], dtype='<U11')
    """
    points = as_points(manifold, x, "x")
    anchors = as_references(manifold, references).to(points.device).double()
    check_within_reach(manifold, points.double(), anchors)
    rows = points.double().reshape(-1, *manifold.shape)
    weights, gaps = singular_weights(_logs(SpanSolver(manifold, anchors), rows))
    kinds = np.full(len(rows), "outside", dtype="<U11")
    kinds[(inside := (gaps <= _ON_SPAN)).cpu().numpy()] = "exponential"
    minimum = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
    minimum[inside] = _is_minimum(manifold, rows[inside], weights[inside], anchors)
    kinds[minimum.cpu().numpy()] = "karcher"
    if bool(minimum.any()):
        lowest = torch.zeros_like(minimum)
        lowest[minimum] = _is_lowest(manifold, rows[minimum], weights[minimum], anchors)
        kinds[lowest.cpu().numpy()] = "frechet"
    batch = points.shape[: points.ndim - len(manifold.shape)]
    return kinds.reshape(batch) if batch else str(kinds[0])


def _logs(solver: SpanSolver, x: Tensor) -> Tensor:
    return solver.logs(x, solver.manifold._frame(x))


def _checked_weights(weights: Any, m: int) -> Tensor:
    w = as_tensor(weights, "weights").detach().double()
    if not w.ndim or w.shape[-1] != m:
        raise ValueError(f"weights must have shape (..., {m}), one for each reference, got {tuple(w.shape)}.")
    if not bool(torch.isfinite(w).all()):
        raise ValueError("weights holds NaN or infinity.")
    total = w.sum(-1, keepdim=True)
    if bool((lost := total.abs() <= GRADIENT * w.abs().sum(-1, keepdim=True)).any()):
        where = torch.nonzero(lost.reshape(-1))[0].item()
        raise ValueError(f"weights must have a total other than 0, and row {where} has total 0.")
    return w / total


def _lowest_barycenters(manifold: Manifold, weights: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
    """Return barycentres (rows, *shape) and whether they were found, inside the span where that is known."""
    spans = linear_spans(manifold)
    if spans is None or len(anchors) == 1:
        return _search(SpanSolver(manifold, anchors), weights)
    vectors = spans.vectors(anchors)
    basis, _ = spans.basis(vectors)
    inside = SpanSolver(spans.reduced(basis), spans.coordinates(vectors, basis))
    found, converged = _search(inside, weights)
    return spans.points(spans.lifted(found, basis), anchors.dtype), converged


def _search(solver: SpanSolver, weights: Tensor) -> tuple[Tensor, Tensor]:
    starts = _starts(solver, weights)
    count, rows = starts.shape[1], len(weights)
    flat, repeated = starts.flatten(0, 1), weights.repeat_interleave(count, 0)
    solved = solver.solve(flat, repeated, descend=True)
    value = solver.variance(solved.points, repeated).masked_fill(~solved.converged, torch.inf).reshape(rows, count)
    best = value.argmin(-1) + count * torch.arange(rows, device=weights.device)
    points, converged = solved.points[best].clone(), solved.converged[best].clone()
    # Values of the variance tell points apart to half the digits only, its gradient to all.
    sharp = solver.solve(points[converged], weights[converged])
    points[converged] = torch.where(_rows(sharp.converged, points), sharp.points, points[converged])
    for i in range(count):
        left = torch.nonzero(~converged).flatten()
        if not len(left):
            break
        again = solver.solve(starts[left, i], weights[left])
        points[left[again.converged]] = again.points[again.converged]
        converged[left] = again.converged
    return points, converged


def _rows(kept: Tensor, points: Tensor) -> Tensor:
    return kept.reshape(-1, *[1] * (points.ndim - 1))


def _starts(solver: SpanSolver, weights: Tensor) -> Tensor:
    """Return starts (rows, m + 1, *shape): the references, and their mean in the tangent space at the heaviest."""
    references = solver.references
    rank = len(solver.manifold.shape)
    each = references.expand(len(weights), *references.shape)
    base = references[weights.argmax(-1)]
    logs = solver.manifold._log(base.unsqueeze(-rank - 1), references)
    mean = (weights.unsqueeze(-2) @ logs.flatten(-rank)).reshape(base.shape)
    combined = solver.manifold._exp(base, mean)
    usable = torch.isfinite(combined).flatten(1).all(-1).reshape(-1, *[1] * rank)
    return torch.cat([each, torch.where(usable, combined, base).unsqueeze(1)], dim=1)


def _is_minimum(manifold: Manifold, x: Tensor, weights: Tensor, anchors: Tensor) -> Tensor:
    """Say whether Hessians of the weighted variance are positive definite; across a known span it is a number."""
    spans = linear_spans(manifold)
    if spans is None or len(anchors) == 1:
        solver = SpanSolver(manifold, anchors)
        return _definite(solver.hessian(x, manifold._frame(x), weights))
    vectors = spans.vectors(anchors)
    basis, _ = spans.basis(vectors)
    small = spans.reduced(basis)
    inside = spans.coordinates(spans.projections(spans.vectors(x), basis), basis)
    solver = SpanSolver(small, spans.coordinates(vectors, basis))
    along = _definite(solver.hessian(inside, small._frame(inside), weights))
    if small.dim == manifold.dim:
        return along
    z = spans.sign * small._squared_dist(inside.unsqueeze(-2), solver.references) / spans.unit**2
    return along & ((weights * cosine(z) / sinc(z)).sum(-1) > _DEFINITE)


def _definite(H: Tensor) -> Tensor:
    values = torch.linalg.eigvalsh(H)
    return values[..., 0] > _DEFINITE * values.abs().amax(-1)


def _is_lowest(manifold: Manifold, x: Tensor, weights: Tensor, anchors: Tensor) -> Tensor:
    """Say whether no minimum found from the references, or from the points opposite to them, is lower than x."""
    spans = linear_spans(manifold)
    solver, here = SpanSolver(manifold, anchors), x
    if spans is not None and len(anchors) > 1:
        vectors = spans.vectors(anchors)
        basis, _ = spans.basis(vectors)
        solver = SpanSolver(spans.reduced(basis), spans.coordinates(vectors, basis))
        here = spans.coordinates(spans.projections(spans.vectors(x), basis), basis)
    starts = _starts(solver, weights)
    if spans is not None and spans.sign > 0:
        starts = torch.cat([starts, -starts], dim=1)
    count = starts.shape[1]
    repeated = weights.repeat_interleave(count, 0)
    solved = solver.solve(starts.flatten(0, 1), repeated, descend=True)
    values = torch.stack([solver.variance(p, repeated) for p in (solved.points, starts.flatten(0, 1))])
    lowest = values.nan_to_num(torch.inf).amin(0).reshape(-1, count).amin(-1)
    value, size = solver.variance(here, weights), solver.variance(here, weights.abs())
    return value <= lowest + GRADIENT * (size + 1e-300)
