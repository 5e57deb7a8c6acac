"""Barycentric subspace analysis: principal components of points on a manifold, spanned by points."""

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import as_numpy, check_float, check_int, check_option
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.euclidean import Euclidean
from holonomy.stats._inputs import restorer, take_points
from holonomy.stats._linear_spans import LinearSpans, linear_spans
from holonomy.stats._reference_descent import Logarithms, descend, span_levels
from holonomy.stats._reference_search import Found, ReferenceSearch, nested_order
from holonomy.stats._span_costs import LinearCosts, SolvedCosts
from holonomy.stats._span_inputs import dependent_points
from holonomy.stats.barycenters import barycentric_point, classify_barycenter
from holonomy.stats.barycentric_projection import SpanProjection, barycentric_project
from holonomy.stats.centers import frechet_mean

_METHODS = ("bsa", "forward", "pure")
_EXHAUSTIVE = {True: 200_000, False: 100}
"""Most choices that are all compared, where spans are linear and where they are solved for."""
_REFINED = {True: 3, False: 1}
"""Most results of the search among data that descent goes on from, likewise."""


class BarycentricSubspaceAnalysis(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Subspaces of a manifold spanned by a few points, nested by leaving points out.

    The span of k + 1 reference points holds the points x with weights w, of total 1, for which
    ``sum w_i log_x x_i = 0``: a great subsphere, a hyperbolic or affine subspace where the curvature is constant, and
    in general a subspace of dimension k that bends with the space. Unlike principal geodesics it is not tied to a mean:
    data may spread widely, or have no point near their mean. In flat space the method finds principal components.

    Parameters
    ----------
    manifold : Manifold, optional
        The space of the points; by default flat space with as many dimensions as the data have columns.
    n_components : int, default 2
        Dimension k of the largest span, at least 1, below the dimension of the space and the number of points.
    method : {"bsa", "pure", "forward"}, default "bsa"
        What is minimised. "bsa": the accumulated unexplained variance, the sum over the spans of the first 1, 2, ...,
        k + 1 reference points of the powers of the distances of all data to them. "pure": those to the largest span
        alone, whose points are then ordered by leaving out, again and again, the one whose loss costs least. "forward":
        each point in turn, those before it kept, starting from the mean.
    points : {"data", "free"}, default "data"
        Where reference points may lie: among the data, or anywhere. Free ones start from those among the data.
    p : float, default 2
        Power of distances, from 1, which is robust to outliers, to 2.
    n_restarts : int, default 10
        Starts of the search by exchanges: the greedy choice and random ones.
    n_landmarks : int, default 1000
        Most data points among which, and by whose distances, the search by exchanges chooses; drawn at random from
        larger data. Descent and what is reported use all points.
    random_state : int, Generator, RandomState or None, default None
        Seed of starts and landmarks.

    Attributes
    ----------
    reference_points_ : ndarray or Tensor of shape (k + 1, *shape)
        The points, ordered: the first i + 1 span the subspace of dimension i.
    indices_ : ndarray of shape (k + 1,) or None
        Their row numbers in the data; None where they are free.
    unexplained_variance_ : ndarray of shape (k + 1,)
        Sum over the data of the distances to the span of the first 1, 2, ... points, to the power p.
    mean_unexplained_variance_ : ndarray of shape (k + 1,)
        The same divided by the number of points.
    auv_ : float
        The accumulated unexplained variance, the sum of ``unexplained_variance_``.
    basis_ : ndarray of shape (k + 1, width) or None
        Orthonormal basis of the largest span in the coordinates of the sphere, the hyperboloid (in the Minkowski
        product, row 0 timelike) or flat space (row 0 is a point of the span), nested as the points are; None in other
        spaces.
    search_ : str
        How reference points among the data were found: "exhaustive" where all choices could be compared, "exchange",
        or "greedy".
    restart_costs_ : ndarray
        What each start of the search came to.
    n_iter_ : int
        Steps of descent, 0 for points among the data.
    n_features_in_ : int
        Number of columns of points that are vectors.

    Notes
    -----
    Where the curvature is constant all distances have closed forms, and one sweep of exchanges over n landmarks takes
    ``O(n^2 d k)``. In other spaces each distance is solved for: candidates are first sorted by the spans of their
    logarithms at the mean, and restarts use these alone; only a few are worked out, which takes minutes for a hundred
    points. A local minimum may be found; ``restart_costs_`` shows how the starts differ.

    References
    ----------
    Pennec (2018). Barycentric subspace analysis on manifolds. Annals of Statistics 46, 2711-2746.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import BarycentricSubspaceAnalysis
    >>> angle = np.linspace(0.0, 4.0, 9)
    >>> circle = np.stack([np.cos(angle), np.sin(angle), np.zeros(9)], axis=1)
    >>> model = BarycentricSubspaceAnalysis(Sphere(2), n_components=1).fit(circle)
    >>> bool(model.unexplained_variance_[1] < 1e-20), model.transform(circle).shape
    (True, (9, 2))
    """

    _references = ("pennec2018barycentric",)

    def __init__(
        self,
        manifold: Manifold | None = None,
        n_components: int = 2,
        *,
        method: str = "bsa",
        points: str = "data",
        p: float = 2,
        n_restarts: int = 10,
        n_landmarks: int = 1000,
        random_state: RandomState = None,
    ) -> None:
        self.manifold = manifold
        self.n_components = n_components
        self.method = method
        self.points = points
        self.p = p
        self.n_restarts = n_restarts
        self.n_landmarks = n_landmarks
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "BarycentricSubspaceAnalysis":
        """Find the reference points.

        Parameters
        ----------
        X : array-like or Tensor of shape (n, *shape)
            Points of the space.
        y : None
            Ignored.

        Returns
        -------
        BarycentricSubspaceAnalysis
            Itself.

        Raises
        ------
        TypeError
            If ``manifold`` is not a manifold, or the points or a parameter have a wrong type.
        ValueError
            If points are off the manifold, a parameter is out of range, or the data lie in a smaller span.
        """
        check_option(self.method, "method", _METHODS)
        check_option(self.points, "points", ("data", "free"))
        check_float(self.p, "p", minimum=1.0, maximum=2.0)
        check_int(self.n_restarts, "n_restarts", minimum=1)
        check_int(self.n_landmarks, "n_landmarks", minimum=2)
        k = check_int(self.n_components, "n_components", minimum=1)
        seed = check_seed(self.random_state)
        x = self._taken(X, fitting=True)
        if k >= len(x):
            raise ValueError(f"n_components must be below the number of points, n_samples = {len(x)}, got {k}.")
        if k >= self._space.dim:
            columns = f" (n_features = {self._space.dim})" if self.manifold is None else ""
            raise ValueError(
                f"n_components must be below the dimension {self._space.dim} of {self._space}{columns}, got {k}."
            )
        with threads(1), torch.no_grad():
            self._fit(x, k, seed)
        self.reference_points_ = restorer(X)(self._points.to(x.dtype))
        return self

    def _taken(self, X: Any, fitting: bool = False) -> Tensor:
        """Return points as a tensor, and settle the space."""
        if self.manifold is None:
            validated = validate_data(self, as_numpy(X), reset=fitting, dtype=[np.float64, np.float32])
            if fitting:
                self._space: Manifold = Euclidean(validated.shape[1])
            return X if isinstance(X, Tensor) else take_points(self._space, validated)
        x = take_points(self.manifold, X)
        if x.ndim != len(self.manifold.shape) + 1:
            raise ValueError(f"X must hold one point a row, got an array of shape {tuple(x.shape)}.")
        if fitting:
            self._space = self.manifold
            if x.ndim == 2:
                self.n_features_in_ = x.shape[1]
        return x.detach()

    def _fit(self, x: Tensor, k: int, seed: int) -> None:
        # Points in single precision are off the space in double.
        wide, m = x if x.dtype == torch.float64 else self._space.project(x.double()), k + 1
        rows = self._landmarks(len(wide), m, seed)
        landmarks = wide[rows]
        search = self._search_among(landmarks, m)
        found = self._found(search, generator(seed, "starts"))
        self.search_, self.restart_costs_ = found.search, np.array(found.objectives)
        self.n_iter_ = 0
        if self.points == "data":
            indices = self._ordered(search, found.indices)
            self.indices_: NDArray[np.intp] | None = rows[list(indices)]
            self._points = wide[self.indices_]
        else:
            self.indices_ = None
            self._points = self._freed(wide, landmarks, search, found)
        if missing := dependent_points(self._space, self._points):
            raise ValueError(
                f"n_components must be at most {missing[0] - 1}: all points found lie in the span of {missing[0]}."
            )
        self.unexplained_variance_ = span_levels(self._space, wide, self._points, float(self.p))
        self.mean_unexplained_variance_ = self.unexplained_variance_ / len(wide)
        self.auv_ = float(self.unexplained_variance_.sum())
        spans = linear_spans(self._space)
        self.basis_ = None if spans is None else spans.basis(spans.vectors(self._points))[0].cpu().numpy()
        self._n_features_out = m

    def _landmarks(self, n: int, m: int, seed: int) -> NDArray[np.intp]:
        if n <= max(self.n_landmarks, m):
            return np.arange(n)
        return np.sort(generator(seed, "landmarks").choice(n, max(self.n_landmarks, m), replace=False))

    def _search_among(self, x: Tensor, m: int) -> ReferenceSearch:
        nested, spans, p = self.method == "bsa", linear_spans(self._space), float(self.p)
        if spans is not None:
            return ReferenceSearch(LinearCosts(spans, spans.vectors(x), p), m, nested)
        mean = frechet_mean(x, self._space, check=False).point
        self._chart = Logarithms(self._space, mean)
        flat = Euclidean(self._space.dim)
        screen = LinearCosts(LinearSpans(flat, flat, 0, 1.0), self._chart(x), p)
        return ReferenceSearch(SolvedCosts(self._space, x, p), m, nested, ReferenceSearch(screen, m, nested))

    def _found(self, search: ReferenceSearch, rng: np.random.Generator) -> Found:
        if self.method == "forward":
            chosen = search.greedy()
            return Found(chosen, (search.objective(chosen),), (chosen,), "greedy")
        if search.count() <= _EXHAUSTIVE[search.screen is None]:
            return search.exhaustive()
        return search.exchange(self.n_restarts, rng)

    def _ordered(self, search: ReferenceSearch, indices: tuple[int, ...]) -> tuple[int, ...]:
        return nested_order(indices, search.plain) if self.method == "pure" else indices

    def _freed(self, x: Tensor, landmarks: Tensor, search: ReferenceSearch, found: Found) -> Tensor:
        """Return reference points moved off the data, downhill."""
        if self.method == "forward":
            return self._forward(x, landmarks, search)
        starts = [landmarks[list(one)] for one in found.others[: _REFINED[search.screen is None]]]
        results = [descend(self._space, x, start, x[:0], float(self.p), self.method == "bsa") for start in starts]
        self.n_iter_ = sum(steps for _, _, steps in results)
        points = min(results, key=lambda one: one[1])[0]
        if self.method == "pure":
            order = nested_order(
                range(len(points)),
                lambda chosen: float(span_levels(self._space, x, points[list(chosen)], float(self.p))[-1]),
            )
            points = points[list(order)]
        return points

    def _forward(self, x: Tensor, landmarks: Tensor, search: ReferenceSearch) -> Tensor:
        """Return points added one by one: the mean, then each moved downhill from the best data point."""
        costs, screen, n = search.costs, search.screen, search.costs.n
        screen_costs = None if screen is None else screen.costs
        if self.p == 2:
            points = frechet_mean(x, self._space, check=False).point.unsqueeze(0)
        else:
            first = search.best_addition(())
            points, _, self.n_iter_ = descend(self._space, x, landmarks[[first]], x[:0], float(self.p), False)
        for level in range(1, search.m):
            search.costs = costs.beside(self._numbers(points))
            if screen is not None and screen_costs is not None:
                screen.costs = screen_costs.beside(self._chart(points))
            start = search.best_addition(range(n, n + level))
            moved, _, steps = descend(self._space, x, landmarks[[start]], points, float(self.p), False)
            points, self.n_iter_ = torch.cat([points, moved]), self.n_iter_ + steps
        return points

    def _numbers(self, points: Tensor) -> Tensor:
        spans = linear_spans(self._space)
        return points if spans is None else spans.vectors(points)

    def _projected(self, X: Any) -> SpanProjection:
        check_is_fitted(self)
        with threads(1), torch.no_grad():
            x = self._taken(X)
            found = barycentric_project(x, self._points.to(x.device), self._space)
        if not bool(found.converged.all()):
            failed = int((~found.converged).sum())
            warnings.warn(
                f"The nearest points of {failed} of {len(x)} rows were not found, and are NaN.",
                ConvergenceWarning,
                stacklevel=3,
            )
            found.points[~found.converged] = torch.nan
            found.weights[~found.converged] = torch.nan
        return found

    def transform(self, X: Any) -> Any:
        """Return the barycentric weights of the nearest points of the largest span.

        Parameters
        ----------
        X : array-like or Tensor of shape (n, *shape)
            Points of the space.

        Returns
        -------
        ndarray or Tensor of shape (n, k + 1)
            Weights of total 1; they may be negative. Points far outside the references have large ones. NaN, with a
            warning, where a nearest point is not found.

        Raises
        ------
        TypeError, ValueError
            If the points are not of the space, or a weight is infinite as their total is 0.
        """
        weights = self._projected(X).weights
        if bool(torch.isinf(weights).any()):
            raise ValueError("X must project to points whose weights have a total other than 0; use project(X).")
        return restorer(X)(weights)

    def project(self, X: Any) -> Any:
        """Return the nearest points of the largest span.

        Parameters
        ----------
        X : array-like or Tensor of shape (n, *shape)
            Points of the space.

        Returns
        -------
        ndarray or Tensor of shape (n, *shape)
            Points of the span; NaN, with a warning, where one is not found.

        Raises
        ------
        TypeError, ValueError
            If the points are not of the space.
        """
        return restorer(X)(self._projected(X).points)

    def inverse_transform(self, weights: Any) -> Any:
        """Return the barycentres of the reference points with given weights.

        Where several points have the same weights this is the one at which their weighted variance is lowest, so that a
        point beyond the quarter of a sphere around the references may come back elsewhere.

        Parameters
        ----------
        weights : array-like or Tensor of shape (n, k + 1)
            Weights of a total other than 0.

        Returns
        -------
        ndarray or Tensor of shape (n, *shape)
            Points of the span.

        Raises
        ------
        TypeError, ValueError
            As :func:`barycentric_point`.
        """
        check_is_fitted(self)
        with threads(1):
            return restorer(weights)(barycentric_point(weights, self._points, self._space))

    def classify(self, X: Any) -> Any:
        """Say for each point of the span which kind of barycentre it is, as :func:`classify_barycenter`.

        Parameters
        ----------
        X : array-like or Tensor of shape (n, *shape)
            Points of the space.

        Returns
        -------
        ndarray of str of shape (n,)
            "frechet", "karcher", "exponential", or "outside" for points off the span.

        Raises
        ------
        TypeError, ValueError
            As :func:`classify_barycenter`.
        """
        check_is_fitted(self)
        with threads(1):
            return classify_barycenter(self._taken(X), self._points, self._space)
