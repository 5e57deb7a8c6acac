"""Nearest points of the span of a few points: the subspaces of barycentric subspace analysis."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from holonomy._core.citations import references as cites
from holonomy._core.validation import check_option
from holonomy.manifolds.base import Manifold
from holonomy.stats._inputs import restorer
from holonomy.stats._linear_spans import LinearSpans, linear_spans
from holonomy.stats._span_inputs import as_points, as_references
from holonomy.stats._span_solver import SpanSolver


@dataclass(frozen=True, eq=False)
class SpanProjection:
    """Points of a span nearest to given ones.

    Attributes
    ----------
    points : array of shape (..., *shape)
        The nearest points.
    weights : array of shape (..., m)
        Their barycentric weights, of total 1; infinite where weights of total 0 describe the point.
    distances : array of shape (...)
        How far the points are from the given ones.
    converged : array of bool of shape (...)
        Where the solver has found the point; a closed form always has.
    method : str
        What was used: "closed_form", "weights" or "penalty".

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import barycentric_project
    >>> found = barycentric_project(np.array([0.6, 0.0, 0.8]), np.eye(3)[:2], Sphere(2))
    >>> found.method, bool(found.converged)
    ('closed_form', True)
    """

    points: Any
    weights: Any
    distances: Any
    converged: Any
    method: str


@cites("pennec2018barycentric")
def barycentric_project(x: Any, references: Any, manifold: Manifold, method: str = "auto") -> SpanProjection:
    """Project points onto the affine span of reference points.

    The span of m points holds the points x with weights w, of total 1, for which ``sum w_i log_x x_i = 0``. On a
    sphere it is a great subsphere, in hyperbolic space a hyperbolic subspace, in flat space an affine one, and its
    nearest points have a closed form. On other spaces they are searched for.

    Parameters
    ----------
    x : array-like or Tensor of shape (..., *shape)
        Points of the space.
    references : array-like or Tensor of shape (m, *shape)
        The m points that span, at most ``dim + 1`` and none in the span of the others.
    manifold : Manifold
        The space.
    method : {"auto", "closed_form", "weights", "penalty"}, default "auto"
        "weights" moves along the span by Newton steps on the weights, from the nearest references on; "penalty" moves
        freely and pays for the smallest singular value of the logarithms of the references, ever more. Both stop at a
        gradient of 1e-8 or after 100 steps, and find the nearest point where the span does not bend away from itself.
        "auto" takes the closed form where there is one, else "weights".

    Returns
    -------
    SpanProjection
        Arrays, or tensors where x is one. On a sphere the nearer of the two poles is taken, and the first reference
        where all points of the span are equally far.

    Raises
    ------
    TypeError
        If ``manifold`` is not a manifold or the points are no real numbers.
    ValueError
        If points are off the manifold, the references are too many, depend on each other or are opposite, or no closed
        form is known.

    References
    ----------
    Pennec (2018). Barycentric subspace analysis on manifolds. Annals of Statistics 46, 2711-2746.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import barycentric_project
    >>> equator = np.eye(3)[:2]
    >>> found = barycentric_project(np.array([0.6, 0.0, 0.8]), equator, Sphere(2))
    >>> found.points, round(float(found.distances), 4)
    (array([1., 0., 0.]), 0.9273)
    """
    check_option(method, "method", ("auto", "closed_form", "weights", "penalty"))
    points = as_points(manifold, x, "x")
    anchors = as_references(manifold, references).to(points.device)
    spans = linear_spans(manifold)
    if method == "closed_form" and spans is None:
        raise ValueError(f'method "closed_form" needs a space of constant curvature, got {manifold}; use "weights".')
    used = ("closed_form" if spans is not None else "weights") if method == "auto" else method
    batch = points.shape[: points.ndim - len(manifold.shape)]
    rows = points.double().reshape(-1, *manifold.shape)
    if used == "closed_form" and spans is not None:
        nearest, weights, distances = project_linearly(spans, rows, anchors.double())
        converged = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
    else:
        solver = SpanSolver(manifold, anchors.double())
        found = solver.project_by_weights(rows) if used == "weights" else solver.project_by_penalty(rows)
        nearest, weights, converged = found.points, found.weights, found.converged
        distances = manifold._dist(rows, nearest)

    def back(values: Tensor, axes: tuple[int, ...]) -> Any:
        kept = values.to(points.dtype) if values.is_floating_point() else values
        return restorer(x)(kept.reshape((*batch, *axes)))

    return SpanProjection(
        back(nearest, manifold.shape), back(weights, (len(anchors),)), back(distances, ()), back(converged, ()), used
    )


@cites("pennec2018barycentric")
def span_distance(x: Any, references: Any, manifold: Manifold, method: str = "auto") -> Any:
    """Return the distances (...) of points to the affine span of reference points.

    Parameters
    ----------
    x : array-like or Tensor of shape (..., *shape)
        Points of the space.
    references : array-like or Tensor of shape (m, *shape)
        The m points that span.
    manifold : Manifold
        The space.
    method : {"auto", "closed_form", "weights", "penalty"}, default "auto"
        As in :func:`barycentric_project`.

    Returns
    -------
    array or Tensor of shape (...)
        Distances; NaN where a solver has not converged.

    Raises
    ------
    TypeError, ValueError
        As :func:`barycentric_project`.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Hyperboloid
    >>> from holonomy.stats import span_distance
    >>> space = Hyperboloid(2)
    >>> line = np.array([[1.0, 0.0, 0.0], [np.cosh(1), np.sinh(1), 0.0]])
    >>> round(float(span_distance(np.array([np.cosh(2), 0.0, np.sinh(2)]), line, space)), 6)
    2.0
    """
    found = barycentric_project(x, references, manifold, method)
    where = torch.where if isinstance(x, Tensor) else _where
    return where(found.converged, found.distances, float("nan"))


def project_linearly(spans: LinearSpans, x: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return nearest points, weights and distances of points (n, *shape) in closed form."""
    y, vectors = spans.vectors(x), spans.vectors(anchors)
    basis, _ = spans.basis(vectors)
    nearest = spans.projections(y, basis)
    weights = spans.weights(nearest, vectors)
    *_, distances = spans.lengths(y, basis)
    return spans.points(nearest, x.dtype), weights / weights.sum(-1, keepdim=True), distances


def _where(condition: Any, values: Any, other: float) -> Any:
    import numpy as np

    return np.where(condition, values, np.asarray(other, dtype=values.dtype))
