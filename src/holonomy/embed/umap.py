"""UMAP: a map whose fuzzy neighbourhoods agree with those of the data."""

import warnings
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, check_seed, derive_seed
from holonomy._core.validation import as_numpy, check_float, check_int
from holonomy.embed.curve import fit_curve
from holonomy.embed.initialization import initial_layout
from holonomy.embed.layout import LayoutOptions, optimize_layout, place_points, row_keys
from holonomy.graphs import NeighborGraph, NeighborIndex, fuzzy_simplicial_set
from holonomy.graphs.fuzzy import query_memberships

SMALL = 10_000
"""Most rows for which the layout takes 500 epochs instead of 200."""


class UMAP(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Uniform Manifold Approximation and Projection.

    Every point is connected to its nearest neighbours with a membership that fades at the pace of its own
    neighbourhood; the memberships of both directions are joined; the map is the layout whose memberships, as a
    function of distance on the map, have the least cross-entropy to these. Parameters have umap-learn's names and
    meaning. One seed gives the same map for any number of threads.

    Parameters
    ----------
    n_neighbors : int, default 15
        Size of a neighbourhood, the point itself included, >= 2. Small values show detail, large ones the whole.
        Reduced with a warning where there are fewer rows.
    n_components : int, default 2
        Dimensions of the map.
    metric : str or callable, default "euclidean"
        See `holonomy.graphs.neighbors`. With ``"precomputed"``, X holds distances of shape (n, n).
    metric_kwds : dict, optional
        Further arguments of the metric.
    n_epochs : int, optional
        Passes of the layout; 500 up to 10,000 rows and 200 beyond.
    learning_rate : float, default 1.0
        First step of the layout.
    init : {"spectral", "pca", "random"} or array of shape (n, n_components), default "spectral"
        Start of the layout.
    min_dist : float, default 0.1
        Distance within which points may be packed on the map, in [0, spread].
    spread : float, default 1.0
        Scale of the map.
    set_op_mix_ratio : float, default 1.0
        1 joins both directions of an edge by fuzzy union, 0 by intersection.
    local_connectivity : float, default 1.0
        Number of nearest neighbours every point is surely connected to.
    repulsion_strength : float, default 1.0
        Weight of negative samples.
    negative_sample_rate : int, default 5
        Negative samples for every sampled edge.
    a, b : float, optional
        Curve 1 / (1 + a d^(2b)) of the map; fitted to ``min_dist`` and ``spread`` where None.
    random_state : int, Generator, RandomState or None, default None
        Seed.
    n_jobs : int, optional
        Threads; None and -1 use what is available.

    Attributes
    ----------
    embedding_ : ndarray of float32, shape (n, n_components)
        The map.
    graph_ : csr_array of shape (n, n)
        Symmetric memberships.
    knn_ : NeighborGraph
        The neighbours, with the measured recall of their search.
    recall_ : float or None
        That recall.
    init_used_ : str
        How the layout started; not ``"spectral"`` where that did not converge.
    a_, b_ : float
        The curve used.
    n_epochs_ : int
        The number of epochs used.
    n_features_in_ : int
        Number of columns of X.

    Raises
    ------
    ValueError
        On bad data or parameters, naming what is wrong.

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from holonomy.embed import UMAP
    >>> umap = UMAP(n_epochs=50, random_state=0).fit(load_iris().data)
    >>> umap.embedding_.shape
    (150, 2)
    >>> umap.transform(load_iris().data[:3]).shape
    (3, 2)
    """

    _references = ("mcinnes2018umap",)

    def __init__(
        self,
        n_neighbors: int = 15,
        n_components: int = 2,
        *,
        metric: Any = "euclidean",
        metric_kwds: dict[str, Any] | None = None,
        n_epochs: int | None = None,
        learning_rate: float = 1.0,
        init: Any = "spectral",
        min_dist: float = 0.1,
        spread: float = 1.0,
        set_op_mix_ratio: float = 1.0,
        local_connectivity: float = 1.0,
        repulsion_strength: float = 1.0,
        negative_sample_rate: int = 5,
        a: float | None = None,
        b: float | None = None,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.n_components = n_components
        self.metric = metric
        self.metric_kwds = metric_kwds
        self.n_epochs = n_epochs
        self.learning_rate = learning_rate
        self.init = init
        self.min_dist = min_dist
        self.spread = spread
        self.set_op_mix_ratio = set_op_mix_ratio
        self.local_connectivity = local_connectivity
        self.repulsion_strength = repulsion_strength
        self.negative_sample_rate = negative_sample_rate
        self.a = a
        self.b = b
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> Self:
        """Make the map of X.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d), or distances (n, n) with ``metric="precomputed"``
            The data, n >= 2.
        y : ignored
            Present for scikit-learn's pipelines.
        graph : NeighborGraph, optional
            Neighbours of the rows of X found before; at least ``n_neighbors - 1`` for each row are needed.

        Returns
        -------
        UMAP
            The fitted estimator.
        """
        X = validate_data(self, as_numpy(X), accept_sparse="csr", dtype=[np.float64, np.float32], ensure_min_samples=2)
        n = X.shape[0]
        options = self._options(n)
        n_neighbors = self._reduced_neighbors(n)
        self._seed = check_seed(self.random_state)
        with threads(self.n_jobs):
            self._index: NeighborIndex | None = None
            if graph is None:
                self._index = self._new_index(X)
                self.knn_ = self._index.graph(n_neighbors)
            else:
                self.knn_ = self._checked_graph(graph, n, n_neighbors)
            self.recall_ = self.knn_.recall
            self.graph_ = fuzzy_simplicial_set(
                self.knn_, local_connectivity=self.local_connectivity, set_op_mix_ratio=self.set_op_mix_ratio
            )
            points = None if self.metric == "precomputed" else X
            start, self.init_used_ = initial_layout(
                self.init, self.graph_, points, self.n_components, derive_seed(self._seed, "start")
            )
            self.embedding_ = optimize_layout(self.graph_, start, options, random_state=self._seed)
        self._X = X
        self.a_, self.b_, self.n_epochs_ = options.a, options.b, options.n_epochs
        return self

    def fit_transform(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> np.ndarray:
        """Make the map of X and return it, shape (n, n_components); see `fit`."""
        return self.fit(X, y, graph=graph).embedding_

    def transform(self, X: Any) -> np.ndarray:
        """Place new rows on the map.

        Every row is placed by itself, the same whatever other rows are in the call and however often it is asked. A
        row at distance zero from a row of the fitted data takes that row's place.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (m, d)
            New rows; with ``metric="precomputed"``, their distances to the fitted rows, shape (m, n).

        Returns
        -------
        ndarray of float32, shape (m, n_components)
        """
        check_is_fitted(self)
        X = validate_data(self, as_numpy(X), accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
        n = len(self.embedding_)
        k = min(check_int(self.n_neighbors, "n_neighbors", minimum=2), n)
        with threads(self.n_jobs):
            if self._index is None:
                self._index = self._new_index(self._X)
            indices, distances = self._index.query(X, k)
            finite = np.isfinite(self.knn_.distances)
            memberships = query_memberships(
                distances,
                local_connectivity=max(0.0, self.local_connectivity - 1),
                mean_distance=float(self.knn_.distances[finite].mean()) if finite.any() else 0.0,
            )
            placed = self._place(indices, distances, memberships)
        known = distances[:, 0] == 0
        placed[known] = self.embedding_[indices[known, 0]]
        return placed

    def _place(self, indices: np.ndarray, distances: np.ndarray, memberships: np.ndarray) -> np.ndarray:
        """Start new rows at the weighted mean of their neighbours on the map, and let them settle there."""
        m, k = indices.shape
        total = memberships.sum(axis=1, keepdims=True)
        weights = np.where(total > 0, memberships / np.where(total > 0, total, 1), 1 / k)
        start = np.einsum("mk,mkd->md", weights, self.embedding_[indices])
        edges = sparse.csr_array(
            (memberships.ravel(), indices.ravel(), np.arange(0, m * k + 1, k)), shape=(m, len(self.embedding_))
        )
        fit_options = self._options(len(self.embedding_))
        options = LayoutOptions(
            a=self.a_,
            b=self.b_,
            n_epochs=(100 if len(self.embedding_) <= SMALL else 30)
            if self.n_epochs is None
            else self.n_epochs_ // 3 + 1,
            learning_rate=fit_options.learning_rate / 4,
            repulsion_strength=fit_options.repulsion_strength,
            negative_sample_rate=fit_options.negative_sample_rate,
            n_jobs=self.n_jobs,
        )
        return place_points(edges, start, self.embedding_, options, row_keys(indices, distances, self._seed))

    def _options(self, n: int) -> LayoutOptions:
        """Check the parameters of the layout and fill in what depends on the data."""
        check_int(self.n_components, "n_components", minimum=1)
        n_epochs = 500 if n <= SMALL else 200
        if self.n_epochs is not None:
            n_epochs = check_int(self.n_epochs, "n_epochs", minimum=1)
        if (self.a is None) != (self.b is None):
            raise ValueError(f"a and b must be given together or not at all, got a={self.a} and b={self.b}.")
        a, b = (self.a, self.b) if self.a is not None else fit_curve(self.spread, self.min_dist)
        return LayoutOptions(
            a=check_float(a, "a", minimum=0.0),
            b=check_float(b, "b", minimum=0.0),
            n_epochs=n_epochs,
            learning_rate=check_float(self.learning_rate, "learning_rate", minimum=0.0),
            repulsion_strength=check_float(self.repulsion_strength, "repulsion_strength", minimum=0.0),
            negative_sample_rate=check_int(self.negative_sample_rate, "negative_sample_rate", minimum=0),
            n_jobs=self.n_jobs,
        )

    def _reduced_neighbors(self, n: int) -> int:
        """Neighbours to search for, without the point itself."""
        wanted = check_int(self.n_neighbors, "n_neighbors", minimum=2)
        if wanted > n:
            warnings.warn(f"n_neighbors={wanted} is more than the {n} rows of X; using {n}.", UserWarning, stacklevel=3)
        return min(wanted, n) - 1

    def _new_index(self, X: Any) -> NeighborIndex:
        return NeighborIndex(
            X,
            metric=self.metric,
            metric_params=self.metric_kwds,
            random_state=derive_seed(self._seed, "neighbors"),
            n_jobs=self.n_jobs,
        )

    @staticmethod
    def _checked_graph(graph: NeighborGraph, n: int, n_neighbors: int) -> NeighborGraph:
        if not isinstance(graph, NeighborGraph):
            raise TypeError(f"graph must be a NeighborGraph, got {type(graph).__name__}.")
        if graph.n_points != n:
            raise ValueError(f"graph has {graph.n_points} points, but X has {n} rows.")
        if graph.n_neighbors < n_neighbors:
            raise ValueError(
                f"graph holds {graph.n_neighbors} neighbours a point, but n_neighbors={n_neighbors + 1} (the point "
                f"itself included) needs {n_neighbors}."
            )
        return graph.truncated(n_neighbors)

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
