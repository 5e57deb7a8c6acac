"""Nearest neighbours of points, under any metric: exact for moderate sizes, approximate with measured recall beyond."""

from typing import Any, Protocol

import numpy as np
from scipy import sparse

from holonomy._core.memory import check_memory
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import Points, check_int, check_option, check_points
from holonomy.graphs._cells import MAX_PROBES, CellIndex
from holonomy.graphs._exact import TREE_ORDERS, Found, GivenSearch, ProductSearch, RowSearch, TreeSearch, nearest_of_few
from holonomy.graphs._reductions import reduction
from holonomy.graphs._row_metrics import BOOLEAN_METRICS, DENSITY_METRICS, SPARSE_METRICS, check_rows, row_distances
from holonomy.graphs.neighbor_graph import NeighborGraph

METHODS = ("auto", "exact", "approximate", "torch")

EXACT_WORK = 5e10
"""Multiplications up to which exact search is chosen: half a second on two cores."""

TARGET_RECALL = 0.98
SAMPLING_ERROR = 0.005
"""How far recall on a sample may be above that on all rows."""

RECALL_SAMPLE = 256
TREE_DIMENSIONS = 8
DENSE_ENTRIES = 2**29
"""Entries up to which sparse points are made dense: 2 GiB in single precision."""

LARGEST_VALUE = 1e16
"""Largest magnitude of a coordinate (its inverse is the least): squared distances must stay within single precision."""

ALIASES = {
    **dict.fromkeys(("l1", "cityblock", "taxicab"), "manhattan"),
    **dict.fromkeys(("linf", "infinity", "linfty", "linfinity"), "chebyshev"),
    **dict.fromkeys(("wminkowski", "weighted_minkowski"), "minkowski"),
    "l2": "euclidean",
    "standardised_euclidean": "seuclidean",
    "kantorovich_1d": "wasserstein_1d",
}
SCIPY_METRICS = {"braycurtis", "canberra", "hamming", "mahalanobis", "minkowski", "seuclidean", "jensenshannon"}
OWN_METRICS = {"euclidean", "sqeuclidean", "cosine", "correlation", "inner_product", "manhattan", "chebyshev"}
OTHER_METRICS = {"haversine", "hellinger", "poincare", "precomputed", "spearmanr"}
METRICS = tuple(sorted(OWN_METRICS | SCIPY_METRICS | BOOLEAN_METRICS | DENSITY_METRICS | OTHER_METRICS))
"""Names that ``metric`` accepts; any function of two rows is accepted as well."""


class _Search(Protocol):
    def search(self, queries: Any, own: np.ndarray, k: int) -> Found: ...


def neighbors(
    X: Points,
    n_neighbors: int = 15,
    *,
    metric: Any = "euclidean",
    metric_params: dict[str, Any] | None = None,
    method: str = "auto",
    device: Any = None,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> NeighborGraph:
    """Find the nearest neighbours of every row of X.

    The result is the same for any number of threads. Equal distances are ordered by index, and duplicates of a row
    are neighbours at distance zero like any others; only the row itself is left out.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Points; dense or SciPy sparse. With ``metric="precomputed"``, distances of shape (n, n), dense or sparse with
        only the known distances stored.
    n_neighbors : int, default 15
        Neighbours of each row, not counting the row itself; at most n - 1.
    metric : str or callable, default "euclidean"
        One of `METRICS`, or a function of two rows that returns a distance. ``"inner_product"`` ranks by largest
        inner product, measured as max |x|^2 - <x, y>. Boolean metrics read non-zero entries as true; hellinger,
        symmetric_kl, wasserstein_1d and ll_dirichlet read rows as histograms, wasserstein and sinkhorn besides with a
        ``cost`` (d, d) of moving between columns; poincare reads them as points of the unit ball.
    metric_params : dict, optional
        Further arguments of the metric, e.g. ``{"p": 3}`` for ``"minkowski"``. Where they are not given, variances of
        seuclidean and covariances of mahalanobis are those of X, for new rows too.
    method : {"auto", "exact", "approximate", "torch"}, default "auto"
        ``"auto"`` is exact while that takes seconds, else approximate where the metric allows. ``"torch"`` searches
        exactly on ``device``.
    device : str, torch.device or None, default None
        Where ``method="torch"`` searches: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; None takes a CUDA device if there is
        one. Other methods do not look at it.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the approximate search.
    n_jobs : int, optional
        Threads; None and -1 use what is available.

    Returns
    -------
    NeighborGraph
        With ``method`` as used and ``recall`` as measured on a sample of rows (1.0 for exact search).

    Raises
    ------
    ValueError
        On NaN, too few rows for ``n_neighbors``, an unknown metric or method, or a non-square precomputed matrix.

    References
    ----------
    Johnson, Douze, Jegou (2019), Billion-scale similarity search with GPUs (inverted-file search).

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import neighbors
    >>> graph = neighbors(np.array([[0.0], [1.0], [3.0]]), n_neighbors=1)
    >>> graph.indices.ravel().tolist()
    [1, 0, 1]
    """
    index = NeighborIndex(
        X,
        metric=metric,
        metric_params=metric_params,
        method=method,
        device=device,
        random_state=random_state,
        n_jobs=n_jobs,
    )
    return index.graph(n_neighbors)


class NeighborIndex:
    """Points that can be asked for the nearest neighbours of any rows.

    Parameters are those of `neighbors`.

    Attributes
    ----------
    n_points : int
        Number of points held.
    method : str
        How neighbours are found: ``"exact"``, ``"tree"``, ``"rows"``, ``"approximate"``, ``"torch"``,
        ``"precomputed"``.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import NeighborIndex
    >>> indices, distances = NeighborIndex(np.array([[0.0], [1.0], [3.0]])).query([[2.4]], 2)
    >>> indices.tolist()
    [[2, 1]]
    """

    _first_breadth = (48, 3)
    """Cells, and candidates a neighbour, of a first approximate search."""

    def __init__(
        self,
        X: Points,
        *,
        metric: Any = "euclidean",
        metric_params: dict[str, Any] | None = None,
        method: str = "auto",
        device: Any = None,
        random_state: RandomState = 0,
        n_jobs: int | None = None,
    ) -> None:
        check_option(method, "method", METHODS)
        self._metric = metric if callable(metric) else ALIASES.get(metric, metric)
        if not callable(self._metric):
            check_option(self._metric, "metric", METRICS)
        self._params = dict(metric_params or {})
        self._requested = method
        self._device = device
        self._seed = check_seed(random_state)
        self._n_jobs = n_jobs
        self._points = self._validated(X, "X")
        if self._metric == "precomputed" and self._points.shape[0] != self._points.shape[1]:
            raise ValueError(f"a precomputed distance matrix must be square, got shape {self._points.shape}.")
        self._reduced = None
        if not callable(self._metric) and not sparse.issparse(self._points):
            self._reduced = reduction(self._points, self._metric)
        self.n_points: int = self._points.shape[0]
        self.method = self._choose()
        self._breadth = (3 * self._first_breadth[0], self._first_breadth[1])
        self._unmeasured: tuple[Any, ...] | None = None
        self._search = self._build()

    @property
    def metric(self) -> str:
        """Name of the metric."""
        return getattr(self._metric, "__name__", "callable") if callable(self._metric) else self._metric

    @property
    def breadth(self) -> tuple[int, int]:
        """Cells and candidates a neighbour that an approximate search looks at for new rows: enough for its recall.

        After a graph has been found it is measured when it is first asked for.
        """
        if self._unmeasured is not None:
            self._breadth, self._unmeasured = self._breadth_for_new_rows(*self._unmeasured), None
        return self._breadth

    @breadth.setter
    def breadth(self, breadth: tuple[int, int]) -> None:
        self._breadth, self._unmeasured = breadth, None

    def graph(self, n_neighbors: int = 15) -> NeighborGraph:
        """Return the ``n_neighbors`` nearest neighbours of every point among the others."""
        k = check_int(n_neighbors, "n_neighbors", minimum=1)
        if k >= self.n_points:
            raise ValueError(
                f"n_neighbors={k} needs at least {k + 1} rows, but X has {self.n_points}; ask for fewer neighbours."
            )
        queries = self._points if self._reduced is None else self._reduced.own_queries(self._points)
        with threads(self._n_jobs):
            (indices, distances), recall = self._find(queries, k, is_own=True)
        if self._reduced is not None:
            distances = np.maximum.accumulate(self._reduced.distances(distances, queries), axis=1)
        return NeighborGraph(indices, distances, self.metric, self.method, recall)

    def query(self, Q: Points, n_neighbors: int = 15) -> Found:
        """Return (indices, distances), each (m, n_neighbors), of the points nearest to each row of Q.

        Every row is answered independently of the others. With ``metric="precomputed"``, Q holds the distances
        (m, n) of new rows to the points.
        """
        k = check_int(n_neighbors, "n_neighbors", minimum=1, maximum=self.n_points)
        rows = self._validated(Q, "Q")
        if rows.shape[1] != self._points.shape[1]:
            raise ValueError(f"Q has {rows.shape[1]} features, but the index holds {self._points.shape[1]}.")
        queries = rows if self._reduced is None else self._reduced.queries(rows)
        with threads(self._n_jobs):
            (indices, distances), _ = self._find(queries, k, is_own=False)
        if self._reduced is not None:
            distances = self._reduced.distances(distances, queries)
        return indices, distances.astype(np.float32)

    def _validated(self, X: Points, name: str) -> Any:
        """Check rows and bring them to the form the metric is computed on."""
        if self._metric == "precomputed":
            return check_points(X, name=name, accept_sparse=True)
        held = getattr(self, "_points", None)
        is_measured_sparse = not callable(self._metric) and self._metric in SPARSE_METRICS
        is_large = sparse.issparse(X) and np.prod(X.shape, dtype=float) > DENSE_ENTRIES
        # Queries take the form of the points, however few they are.
        stays_sparse = is_large and is_measured_sparse if held is None else sparse.issparse(held)
        if sparse.issparse(X) and not stays_sparse:
            check_memory(
                float(np.prod(X.shape, dtype=float)) * np.dtype(X.dtype).itemsize,
                f"dense rows for metric {self.metric!r} of sparse {name}",
                f"These metrics leave them sparse: {', '.join(sorted(SPARSE_METRICS))}; or reduce the columns first.",
            )
            X = X.toarray()
        points = check_points(X, name=name, accept_sparse=True)
        if stays_sparse and not sparse.issparse(points):
            points = sparse.csr_array(points)
        if not callable(self._metric) and self._metric in BOOLEAN_METRICS:
            return points != 0
        if not callable(self._metric):
            check_rows(self._metric, points, name)
        if sparse.issparse(points):
            return points
        if not callable(self._metric) and self._metric in OWN_METRICS:
            _check_scale(points, name)
        return np.ascontiguousarray(points)

    def _choose(self) -> str:
        if self._metric == "precomputed":
            return "precomputed"
        if self._requested in {"approximate", "torch"}:
            if self._reduced is None:
                raise ValueError(
                    f"method={self._requested!r} needs dense points and one of the metrics euclidean, sqeuclidean, "
                    "cosine, correlation, spearmanr, hellinger, inner_product (without zero rows); got metric "
                    f"{self.metric!r}."
                )
            return self._requested
        n, d = self._points.shape
        if d <= TREE_DIMENSIONS and n > 1000 and self._metric in TREE_ORDERS and not sparse.issparse(self._points):
            return "tree"
        if self._reduced is None:
            return "rows"
        # Selecting among n distances costs about as much as a hundred multiplications for each of them.
        is_long = float(n) ** 2 * (d + 100) > EXACT_WORK
        return "approximate" if self._requested == "auto" and is_long else "exact"

    def _build(self) -> _Search | CellIndex:
        if self.method == "precomputed":
            return GivenSearch()
        points = self._points if self._reduced is None else self._reduced.points
        if self.method == "tree":
            direct = self._by_rows() if self._reduced is None else ProductSearch(points)
            return TreeSearch(points, self._metric, direct)
        if self.method == "approximate":
            return CellIndex.build(points, self._seed)
        if self.method == "torch":
            from holonomy.graphs._device_search import DeviceSearch

            return DeviceSearch(points, self._device)
        return self._by_rows() if self.method == "rows" else ProductSearch(points)

    def _by_rows(self) -> RowSearch:
        return RowSearch(self._points, row_distances(self._metric, self._points, self._params))

    def _find(self, queries: Any, k: int, *, is_own: bool) -> tuple[Found, float | None]:
        """Search; an approximate graph is searched more widely until its measured recall suffices."""
        search, n = self._search, queries.shape[0]
        own = np.arange(n) if is_own else np.full(n, -1)
        if not isinstance(search, CellIndex):
            return search.search(queries, own, k), 1.0
        if not is_own:
            return search.search(queries, own, k, *self._within(search, self.breadth, k)), None
        sample = self._sample()
        true = nearest_of_few(queries[sample], search.points, sample, k)
        for widening in (1, 3, 12):
            breadth = (self._first_breadth[0] * widening, self._first_breadth[1] * min(widening, 2))
            within = self._within(search, breadth, k)
            # Lists can be joined where queries are the points; to inner products they are not.
            found = search.graph(k, *within) if queries is search.points else search.search(queries, own, k, *within)
            recall = _share(found[0][sample], true)
            if recall >= TARGET_RECALL:
                self._unmeasured = (search, breadth, queries[sample], sample, true)
                return found, recall
        # Points without nearby cells, such as noise of high dimension, have no shortcut.
        self._search, self.method = ProductSearch(search.points), "exact"
        return self._search.search(queries, own, k), 1.0

    def _breadth_for_new_rows(
        self, search: CellIndex, breadth: tuple[int, int], queries: np.ndarray, own: np.ndarray, true: np.ndarray
    ) -> tuple[int, int]:
        """Find how widely new rows, which have no lists to join, must be searched to find as many neighbours."""
        cells, factor = breadth
        for tried in (cells // 2, cells, 2 * cells, 4 * cells, MAX_PROBES):
            within = self._within(search, (max(tried, 1), factor), true.shape[1])
            recall = _share(search.search(queries, own, true.shape[1], *within)[0], true)
            if recall >= TARGET_RECALL + SAMPLING_ERROR or within[0] == search.max_probes:
                break
        return within[0], factor

    def _within(self, search: CellIndex, breadth: tuple[int, int], k: int) -> tuple[int, int]:
        """Cells and candidates for k neighbours, within what there is."""
        return min(breadth[0], search.max_probes), min(max(breadth[1] * k, k + 30), self.n_points)

    def _sample(self) -> np.ndarray:
        """Return the seeded rows by which recall is measured."""
        size = min(RECALL_SAMPLE, self.n_points)
        return np.sort(generator(self._seed, "recall").choice(self.n_points, size, replace=False))


def _share(found: np.ndarray, true: np.ndarray) -> float:
    """Return which share of the true neighbours was found."""
    return float(np.mean([len(np.intersect1d(a, b)) / true.shape[1] for a, b in zip(found, true, strict=True)]))


def _check_scale(points: np.ndarray, name: str) -> None:
    """Refuse values whose squares single precision cannot hold."""
    largest = float(max(points.max(), -points.min()))
    if largest > LARGEST_VALUE or 0 < largest < 1 / LARGEST_VALUE:
        raise ValueError(
            f"the largest value of {name} is {largest:.3g} in magnitude, beyond what distances can be measured with; "
            f"rescale {name} first, for example by dividing it by that much."
        )
