"""Multidimensional scaling as an estimator: a map whose distances are near to those of the data."""

from typing import Any, Self

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, check_seed, derive_seed, generator
from holonomy._core.validation import as_numpy, check_int, check_option
from holonomy.embed._stress_kernels import place_rows
from holonomy.embed.classical_scaling import classical_mds
from holonomy.embed.stochastic_scaling import stochastic_mds
from holonomy.embed.stress import metric_mds, nonmetric_mds
from holonomy.graphs._blocks import run_blocks

METHODS = ("auto", "sgd", "smacof", "classic", "nonmetric")

WHOLE_UP_TO = 5_000
"""Most rows whose distances are computed as a matrix where the metric is Euclidean and pairs can do without."""

MOST_ANCHORS = 1_000
"""Most fitted rows that a new row measures its distance to."""

PLACING_STEPS = 100


class MDS(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Multidimensional scaling.

    The map is the layout whose distances have the least squared difference (stress) to those of the data; or, with
    ``method="classic"``, whose inner products do; or whose distances are in the same order.

    Parameters
    ----------
    n_components : int, default 2
        Dimensions of the map.
    method : {"auto", "sgd", "smacof", "classic", "nonmetric"}, default "auto"
        ``"sgd"`` meets pair by pair and needs no matrix of Euclidean distances; it is what ``"auto"`` takes.
        ``"smacof"`` lowers the stress at every step; see `stochastic_mds`, `metric_mds`, `classical_mds` and
        `nonmetric_mds`.
    metric : str, default "euclidean"
        One of `scipy.spatial.distance.cdist`; with ``"precomputed"``, X holds distances of shape (n, n).
    weight_power : float, default 0.0
        q >= 0 of weights ``d^-q`` of the pairs, for ``"sgd"``.
    init : {"classical", "random"} or array-like of shape (n, n_components), default "classical"
        Start; not used by ``"classic"``.
    max_iter : int, default 300
        Most steps of ``"smacof"`` and ``"nonmetric"``.
    tol : float, default 1e-6
        Relative decrease of their squared stress below which they stop.
    random_state : int, Generator, RandomState or None, default None
        Seed.
    n_jobs : int, optional
        Threads; None and -1 use what is available. The result does not depend on it.

    Attributes
    ----------
    embedding_ : ndarray of float64, shape (n, n_components)
        The map, centred.
    stress_ : float or None
        Normalised stress; None of ``"classic"``.
    eigenvalues_ : ndarray or None
        Of ``"classic"``, see `ClassicalScaling`.
    n_iter_ : int
        Steps that ``"smacof"`` and ``"nonmetric"`` took; 1 otherwise.
    anchors_ : ndarray of int
        The fitted rows, at most 1,000, that new rows measure their distances to.
    n_features_in_ : int
        Number of columns of X.

    Raises
    ------
    ValueError
        On bad data or parameters, naming what is wrong.

    References
    ----------
    Borg, Groenen (2005). Modern Multidimensional Scaling. Springer.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from holonomy.embed import MDS
    >>> mds = MDS(random_state=0).fit(load_iris().data)
    >>> mds.embedding_.shape, mds.stress_ < 0.05
    ((150, 2), True)
    >>> mds.transform(load_iris().data[:3]).shape
    (3, 2)
    """

    _references = ("borg2005modern",)

    def __init__(
        self,
        n_components: int = 2,
        *,
        method: str = "auto",
        metric: str = "euclidean",
        weight_power: float = 0.0,
        init: Any = "classical",
        max_iter: int = 300,
        tol: float = 1e-6,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.method = method
        self.metric = metric
        self.weight_power = weight_power
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Make the map of X.

        Parameters
        ----------
        X : array-like of shape (n, d), or distances (n, n) with ``metric="precomputed"``
            The data, n >= 2.
        y : ignored
            Present for scikit-learn's pipelines.

        Returns
        -------
        MDS
            The fitted estimator.
        """
        X = validate_data(self, as_numpy(X), dtype=[np.float64, np.float32], ensure_min_samples=2)
        check_option(self.method, "method", METHODS)
        check_int(self.n_components, "n_components", minimum=1)
        seed = check_seed(self.random_state)
        with threads(self.n_jobs):
            self._fit_map(X, seed)
        n = len(X)
        chosen = generator(seed, "anchors").choice(n, min(n, MOST_ANCHORS), replace=False)
        self.anchors_ = np.sort(chosen)
        self._rows = None if self.metric == "precomputed" else X[self.anchors_]
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Make the map of X and return it, shape (n, n_components); see `fit`."""
        return self.fit(X, y).embedding_

    def _fit_map(self, X: np.ndarray, seed: int) -> None:
        start = derive_seed(seed, "scaling")
        options = {"init": self.init, "random_state": start}
        self.eigenvalues_: np.ndarray | None = None
        self.stress_: float | None = None
        self.n_iter_ = 1
        is_large = len(X) > WHOLE_UP_TO and self.metric == "euclidean"
        if self.method in ("auto", "sgd") and is_large:
            found = stochastic_mds(X, self.n_components, metric="euclidean", weight_power=self.weight_power, **options)
        else:
            distances = X if self.metric == "precomputed" else _distances(X, X, self.metric)
            if self.method == "classic":
                scaling = classical_mds(distances, self.n_components, random_state=start)
                self.embedding_, self.eigenvalues_ = scaling.embedding, scaling.eigenvalues
                return
            if self.method in ("auto", "sgd"):
                found = stochastic_mds(distances, self.n_components, weight_power=self.weight_power, **options)
            else:
                solver = metric_mds if self.method == "smacof" else nonmetric_mds
                found = solver(distances, self.n_components, max_iter=self.max_iter, tol=self.tol, **options)
        self.embedding_, self.stress_ = found.embedding, found.stress
        self.n_iter_ = max(1, len(found.stresses) - 1)

    def transform(self, X: Any) -> np.ndarray:
        """Place new rows on the map, each by itself: where its stress to the anchors is least.

        A row at distance zero from an anchor takes its place.

        Parameters
        ----------
        X : array-like of shape (m, d)
            New rows; with ``metric="precomputed"``, their distances to the fitted rows, shape (m, n).

        Returns
        -------
        ndarray of float64, shape (m, n_components)
        """
        check_is_fitted(self)
        X = validate_data(self, as_numpy(X), dtype=[np.float64, np.float32], reset=False)
        anchors = np.ascontiguousarray(self.embedding_[self.anchors_])
        if self._rows is None:
            distances = np.ascontiguousarray(X[:, self.anchors_], dtype=np.float64)
        else:
            distances = cdist(X, self._rows, self.metric)
        nearest = np.argmin(distances, axis=1)
        placed = anchors[nearest]
        with threads(self.n_jobs):
            run_blocks(
                lambda start, stop: place_rows(placed, anchors, distances, PLACING_STEPS, start, stop),
                len(placed),
                block=64,
            )
        known = distances[np.arange(len(X)), nearest] == 0
        placed[known] = anchors[nearest[known]]
        return placed

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        return tags


def _distances(rows: np.ndarray, others: np.ndarray, metric: str) -> np.ndarray:
    """Return distances, symmetric to the bit, by SciPy, which measures every pair by itself."""
    distances = cdist(rows, others, metric)
    return 0.5 * (distances + distances.T)
