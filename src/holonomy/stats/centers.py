"""Means, medians and variances of points on any manifold."""

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from holonomy._core.citations import references
from holonomy._core.render import html_table, rich_table
from holonomy._core.validation import check_float, check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.means import MeanSolver, weighted_mean
from holonomy.stats._inputs import ArrayLike, restorer, take_points, take_weights
from holonomy.stats._weiszfeld import geometric_median


@dataclass(frozen=True)
class Center:
    """A mean or a median, with the proof that it is one.

    Attributes
    ----------
    point : array or tensor of shape (..., *shape)
        The centre, of the kind of the points.
    residual : array or tensor of shape (...)
        Length of the gradient of the objective there: 0 at the exact centre.
    spread : array or tensor of shape (...)
        Root mean square distance from a mean, mean distance from a median.
    converged : bool
        Whether every residual is as small as was asked for.
    n_iter : int
        Steps taken; 0 for a closed form.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import frechet_mean
    >>> frechet_mean(np.eye(3), Sphere(2)).converged
    True
    """

    point: Any
    residual: Any
    spread: Any
    converged: bool
    n_iter: int

    def _facts(self) -> dict[str, Any]:
        def worst(values: Any) -> str:
            return f"{float(values.max()):.3g}" if getattr(values, "size", 1) else "none"

        return {
            "residual": worst(self.residual),
            "spread": worst(self.spread),
            "steps": self.n_iter,
            "converged": "yes" if self.converged else "no",
        }

    def __rich__(self) -> Any:
        return rich_table("Centre", self._facts())

    def _repr_html_(self) -> str:
        return html_table("Centre", self._facts())


@references("karcher1977riemannian")
def frechet_mean(
    X: ArrayLike,
    manifold: Manifold,
    weights: ArrayLike | None = None,
    *,
    method: MeanSolver | None = None,
    tolerance: float | None = None,
    max_iter: int = 200,
    check: bool = True,
) -> Center:
    """Return the point that minimises the weighted sum of squared distances.

    Each space has a solver of its own: closed forms on flat spaces, circles and through charts onto flat spaces,
    Newton's method for the affine-invariant metric, descent with measured steps elsewhere. Tensors that require
    gradients get those of the mean itself (see :func:`holonomy.manifolds.weighted_mean`).

    Parameters
    ----------
    X : array-like or tensor of shape (..., n, *shape)
        Points; leading axes are a batch of samples.
    manifold : Manifold
        The space.
    weights : array-like or tensor of shape (..., n), optional
        Not negative, not all 0; equal by default.
    method : MeanSolver, optional
        A method object of ``holonomy.manifolds`` to use instead of the space's own.
    tolerance : float, optional
        Norm of the gradient, relative to the root mean square distance, at which to stop; 1e-10 in double precision
        and 1e-5 in single by default.
    max_iter : int, default 200
        Most steps.
    check : bool, default True
        Whether to check that the points lie on the manifold.

    Returns
    -------
    Center
        The mean and its residual. In positive curvature the mean need not be unique: it is where the points lie within
        a quarter turn of it.

    Raises
    ------
    TypeError
        If ``manifold`` is no manifold, or the points are not real numbers.
    ValueError
        If points, weights, the tolerance or ``max_iter`` are out of range.

    Warns
    -----
    ConvergenceWarning
        If the residual that was asked for is not reached; it names the one that was.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import SPD
    >>> from holonomy.stats import frechet_mean
    >>> frechet_mean(np.stack([np.eye(2), 4.0 * np.eye(2)]), SPD(2)).point.round(6)
    array([[2., 0.],
           [0., 2.]])
    """
    x, w, limit, steps = _checked(X, manifold, weights, tolerance, max_iter, check)
    found = weighted_mean(manifold, x, w, method=method, tolerance=limit, max_iter=steps)
    return _center(X, "mean", found.point, found.residual, found.spread, found.converged, found.n_iter)


@references("fletcher2009geometric", "vardi2000multivariate")
def frechet_median(
    X: ArrayLike,
    manifold: Manifold,
    weights: ArrayLike | None = None,
    *,
    tolerance: float | None = None,
    max_iter: int = 500,
    check: bool = True,
) -> Center:
    """Return the point that minimises the weighted sum of distances: half of the points may be anywhere.

    Weiszfeld's iteration with measured steps; a data point is the median exactly when the pull of the others on it is
    at most its own weight, and that is tested as the iteration comes near.

    Parameters
    ----------
    X : array-like or tensor of shape (..., n, *shape)
        Points.
    manifold : Manifold
        The space.
    weights : array-like or tensor of shape (..., n), optional
        Not negative, not all 0; equal by default.
    tolerance : float, optional
        Norm of the gradient, a mean of unit vectors, at which to stop; 1e-10 in double precision and 1e-5 in single by
        default.
    max_iter : int, default 500
        Most steps.
    check : bool, default True
        Whether to check that the points lie on the manifold.

    Returns
    -------
    Center
        The median, its residual, and the mean distance from it. No gradients are followed.

    Raises
    ------
    TypeError
        If ``manifold`` is no manifold, or the points are not real numbers.
    ValueError
        If points, weights, the tolerance or ``max_iter`` are out of range.

    Warns
    -----
    ConvergenceWarning
        If the residual that was asked for is not reached.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Euclidean
    >>> from holonomy.stats import frechet_median
    >>> frechet_median(np.array([[0.0], [1.0], [100.0]]), Euclidean(1)).point
    array([1.])
    """
    x, w, limit, steps = _checked(X, manifold, weights, tolerance, max_iter, check)
    with torch.no_grad():
        found = geometric_median(manifold, x, w, limit, steps)
    return _center(X, "median", found.point, found.residual, found.spread, found.converged, found.n_iter)


def frechet_variance(
    X: ArrayLike,
    manifold: Manifold,
    weights: ArrayLike | None = None,
    *,
    center: ArrayLike | None = None,
    check: bool = True,
) -> Any:
    """Return the weighted mean of squared distances (...) from the mean, or from ``center``.

    Parameters
    ----------
    X : array-like or tensor of shape (..., n, *shape)
        Points.
    manifold : Manifold
        The space.
    weights : array-like or tensor of shape (..., n), optional
        Not negative, not all 0; equal by default.
    center : array-like or tensor of shape (..., *shape), optional
        Where to measure from; the mean by default.
    check : bool, default True
        Whether to check that the points lie on the manifold.

    Returns
    -------
    array or tensor of shape (...)
        Variances: in flat space the sum over all coordinates, with divisor n.

    Raises
    ------
    TypeError
        If ``manifold`` is no manifold, or the points are not real numbers.
    ValueError
        If points or weights are out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Euclidean
    >>> from holonomy.stats import frechet_variance
    >>> float(frechet_variance(np.array([[0.0], [2.0]]), Euclidean(1)))
    1.0
    """
    x, w, _, _ = _checked(X, manifold, weights, None, 1, check)
    rank = len(manifold.shape)
    if center is None:
        found = weighted_mean(manifold, x, w)
        _warn(found.residual, found.converged, found.n_iter, "mean")
        m = found.point
    else:
        m = take_points(manifold, torch.as_tensor(center).unsqueeze(-rank - 1), name="center", check=check)
        m = m.to(x).squeeze(-rank - 1)
    squares = manifold._squared_dist(m.unsqueeze(-rank - 1), x)
    return restorer(X)((w * squares).sum(-1) / w.sum(-1))


def _checked(
    X: ArrayLike, manifold: Manifold, weights: ArrayLike | None, tolerance: float | None, max_iter: int, check: bool
) -> tuple[Tensor, Tensor, float | None, int]:
    x = take_points(manifold, X, check=check)
    w = take_weights(weights, x, len(manifold.shape))
    limit = None if tolerance is None else check_float(tolerance, "tolerance", minimum=0.0)
    return x, w, limit, check_int(max_iter, "max_iter", minimum=1)


def _center(
    X: ArrayLike, kind: str, point: Tensor, residual: Tensor, spread: Tensor, converged: Tensor, n_iter: int
) -> Center:
    _warn(residual, converged, n_iter, kind)
    restore = restorer(X)
    return Center(restore(point), restore(residual), restore(spread), bool(converged.all()), n_iter)


def _warn(residual: Tensor, converged: Tensor, n_iter: int, kind: str) -> None:
    if not bool(converged.all()):
        warnings.warn(
            f"The {kind} has a residual of {float(residual.max()):.3g} after {n_iter} steps, more than was asked for; "
            "raise max_iter or tolerance.",
            ConvergenceWarning,
            stacklevel=3,
        )
