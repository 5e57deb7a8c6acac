"""Reference points moved downhill off the data, and what their spans leave unexplained."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from holonomy.manifolds.base import Manifold
from holonomy.optim import minimize
from holonomy.stats._linear_spans import linear_spans
from holonomy.stats._span_objectives import LinearObjective, SolvedObjective
from holonomy.stats.barycentric_projection import barycentric_project

_STEPS = {True: 500, False: 50}
_GRADIENT = {True: None, False: 1e-4}
"""Most steps of descent, and the gradient at its end, where spans are linear and where they are solved for."""


def descend(
    space: Manifold, x: Tensor, start: Tensor, fixed: Tensor, p: float, nested: bool
) -> tuple[Tensor, float, int]:
    """Return reference points (m, *shape) that cost least near a start, their cost, and the number of steps.

    Parameters
    ----------
    space : Manifold
        The space.
    x : Tensor of shape (n, *shape)
        The data.
    start : Tensor of shape (m, *shape)
        Where the reference points start.
    fixed : Tensor of shape (r, *shape)
        Reference points before them, which stay.
    p : float
        Power of distances.
    nested : bool
        Whether the costs of the spans of the first 1, 2, ... points are added.
    """
    spans = linear_spans(space)
    scale = float(space._squared_dist(x, start[0]).mean().sqrt())
    objective: Any
    if spans is None:
        objective = SolvedObjective(space, x, p, nested, fixed, scale)
    else:
        objective = LinearObjective(spans, spans.vectors(x), p, nested, spans.vectors(fixed), scale)
    linear = spans is not None
    found = minimize(objective, space, start, jac=objective.jac, gtol=_GRADIENT[linear], max_iter=_STEPS[linear])
    if found.status == "max_iter":
        warnings.warn(
            f"Reference points still move after {found.nit} steps of descent.", ConvergenceWarning, stacklevel=5
        )
    return found.x, found.fun, found.nit


def span_levels(space: Manifold, x: Tensor, points: Tensor, p: float) -> NDArray[np.float64]:
    """Return the sums of powers of distances of x to the spans of the first 1, 2, ... points."""
    spans = linear_spans(space)
    if spans is not None:
        basis, _ = spans.basis(spans.vectors(points))
        distances = list(spans.lengths(spans.vectors(x), basis))
    else:
        distances = [space._dist(x, points[0])]
        distances += [barycentric_project(x, points[:i], space).distances for i in range(2, len(points) + 1)]
    return np.array([float(d.pow(p).sum()) for d in distances])


class Logarithms:
    """Coordinates of points by their logarithms at one place."""

    def __init__(self, space: Manifold, place: Tensor) -> None:
        self.space, self.place = space, place
        self.frame = space._frame(place)

    def __call__(self, x: Tensor) -> Tensor:
        """Return points (n, *shape) as coordinates (n, dim)."""
        logs = self.space._log(self.place, x).unsqueeze(-len(self.space.shape) - 1)
        return self.space._inner(self.place, self.frame, logs)
