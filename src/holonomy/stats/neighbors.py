"""Nearest neighbours by geodesic distance: classes, and answers that may be points of a manifold themselves."""

from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from holonomy._core.validation import as_numpy, check_int, check_option
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.euclidean import Euclidean
from holonomy.manifolds.means import weighted_mean
from holonomy.manifolds.numerics import tolerances
from holonomy.stats._inputs import ArrayLike, as_tensor, restorer, take_points

WEIGHTS = ("uniform", "distance")


class _ManifoldNeighbors(BaseEstimator):
    """What both have in common."""

    manifold: Manifold
    n_neighbors: int
    weights: str
    check: bool

    def _remember(self, X: ArrayLike, y: Any) -> Tensor:
        check_option(self.weights, "weights", WEIGHTS)
        x = take_points(self.manifold, X, check=self.check).detach()
        check_int(self.n_neighbors, "n_neighbors", minimum=1, maximum=len(x))
        if len(y) != len(x):
            raise ValueError(f"y must have one entry for each of the {len(x)} points, got {len(y)}.")
        self._points = x
        return x

    def kneighbors(self, X: ArrayLike, n_neighbors: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return distances and indices (m, k) of the nearest points of the fit; ties go to the lower index."""
        check_is_fitted(self, "_points")
        x = take_points(self.manifold, X, check=self.check).detach().to(self._points)
        wanted = self.n_neighbors if n_neighbors is None else n_neighbors
        k = check_int(wanted, "n_neighbors", minimum=1, maximum=len(self._points))
        rows = max(1, _BLOCK // max(1, self._points.numel()))
        parts = [self.manifold._dist(block.unsqueeze(1), self._points.unsqueeze(0)) for block in x.split(rows)]
        distances = torch.cat(parts).cpu().numpy()
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(distances, order, axis=1), order

    def _votes(self, X: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        distances, order = self.kneighbors(X)
        if self.weights == "uniform":
            return np.ones_like(distances), order
        # Points at distance zero outvote all others.
        at_zero = distances <= tolerances(self._points.dtype).tiny
        votes = 1.0 / np.where(at_zero, 1.0, distances)
        return np.where(at_zero.any(1, keepdims=True), at_zero.astype(distances.dtype), votes), order


class ManifoldKNeighborsClassifier(ClassifierMixin, _ManifoldNeighbors):
    """Classes by vote of the nearest points in geodesic distance.

    Parameters
    ----------
    manifold : Manifold
        The space of the points.
    n_neighbors : int, default 5
        How many vote.
    weights : {"uniform", "distance"}, default "uniform"
        Whether all votes count the same, or as one over the distance.
    check : bool, default True
        Whether points are checked to lie on the manifold.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes.

    Notes
    -----
    Rows are points of a manifold, not vectors of features, so that scikit-learn's ``check_estimator`` does not apply.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import ManifoldKNeighborsClassifier
    >>> X, y = np.eye(3), ["a", "b", "c"]
    >>> ManifoldKNeighborsClassifier(Sphere(2), n_neighbors=1).fit(X, y).predict(X)
    array(['a', 'b', 'c'], dtype='<U1')
    """

    def __init__(
        self, manifold: Manifold, n_neighbors: int = 5, *, weights: str = "uniform", check: bool = True
    ) -> None:
        self.manifold = manifold
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.check = check

    def fit(self, X: ArrayLike, y: Any) -> "ManifoldKNeighborsClassifier":
        """Remember points (n, *shape) and their classes (n,).

        Raises
        ------
        TypeError
            If ``manifold`` is none.
        ValueError
            If points, classes or a parameter are out of range.
        """
        labels = np.asarray(as_numpy(y))
        if labels.ndim != 1:
            raise ValueError(f"y must be one class for each point, got shape {labels.shape}.")
        self._remember(X, labels)
        self.classes_, self._labels = np.unique(labels, return_inverse=True)
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the part (m, n_classes) of the votes for each class."""
        votes, order = self._votes(X)
        chosen = self._labels[order]
        counts = np.stack([(votes * (chosen == c)).sum(1) for c in range(len(self.classes_))], axis=1)
        return counts / counts.sum(1, keepdims=True)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the class (m,) with most votes; ties go to the first class."""
        return self.classes_[self.predict_proba(X).argmax(1)]


class ManifoldKNeighborsRegressor(RegressorMixin, _ManifoldNeighbors):
    """The mean answer of the nearest points in geodesic distance; answers may be points of a manifold too.

    Parameters
    ----------
    manifold : Manifold
        The space of the points.
    n_neighbors : int, default 5
        How many are averaged.
    weights : {"uniform", "distance"}, default "uniform"
        Whether all count the same, or as one over the distance.
    target : Manifold, optional
        The space of the answers, whose mean is Frechet's; by default they are numbers or vectors.
    check : bool, default True
        Whether points are checked to lie on the manifold.

    Notes
    -----
    Rows are points of a manifold, not vectors of features, so that scikit-learn's ``check_estimator`` does not apply.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import ManifoldKNeighborsRegressor
    >>> ManifoldKNeighborsRegressor(Sphere(2), n_neighbors=3).fit(np.eye(3), [0.0, 1.0, 2.0]).predict(np.eye(3)[:1])
    array([1.])
    """

    def __init__(
        self,
        manifold: Manifold,
        n_neighbors: int = 5,
        *,
        weights: str = "uniform",
        target: Manifold | None = None,
        check: bool = True,
    ) -> None:
        self.manifold = manifold
        self.n_neighbors = n_neighbors
        self.weights = weights
        self.target = target
        self.check = check

    def fit(self, X: ArrayLike, y: Any) -> "ManifoldKNeighborsRegressor":
        """Remember points (n, *shape) and answers (n,), (n, q) or (n, *target.shape).

        Raises
        ------
        TypeError
            If ``manifold`` or ``target`` is none.
        ValueError
            If points, answers or a parameter are out of range.
        """
        answers = as_tensor(y, "y") if self.target is None else take_points(self.target, y, name="y", check=self.check)
        if not bool(torch.isfinite(answers).all()) or answers.ndim < 1:
            raise ValueError("y must be finite numbers, one row for each point.")
        self._remember(X, answers)
        self._answers, self._restore = answers.detach(), restorer(y)
        return self

    def predict(self, X: ArrayLike) -> Any:
        """Return the mean answers (m, ...), of the kind of those in the fit."""
        votes, order = self._votes(X)
        near = self._answers[torch.from_numpy(order)]
        weights = torch.from_numpy(votes).to(near)
        space = self.target
        if space is not None:
            return self._restore(weighted_mean(space, near, weights).point)
        wide = near.reshape(*near.shape[:2], -1)
        mean = weighted_mean(Euclidean(wide.shape[-1]), wide, weights).point
        return self._restore(mean.reshape(len(near), *near.shape[2:]))


_BLOCK = 4_000_000
"""Coordinates of pairs held at once."""
