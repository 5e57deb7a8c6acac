"""Dimension from near and from afar: what samples of falling size see."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import Points, check_float, check_int, check_option
from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure._inputs import check_measured, check_same_length
from holonomy.measure._ranks import Metric
from holonomy.measure._render import html_table, rich_table
from holonomy.measure.fractal_dimension import correlation_dimension
from holonomy.measure.intrinsic_dimension import DimensionEstimate, mle_dimension, two_nn
from holonomy.measure.principal_dimension import local_pca_dimension

ESTIMATORS = ("maximum likelihood", "TwoNN", "local PCA", "correlation")

RANGE = (0.5, 3.0)
"""Numbers of neighbours that the correlation dimension looks at, over those that the others do."""

AGREEMENT = 0.15
"""Relative difference of dimensions at neighbouring scales up to which they are the same."""


@dataclass(frozen=True, eq=False)
class DimensionCurve:
    """The dimension of data at a series of scales, fine to coarse.

    Attributes
    ----------
    scales : ndarray of shape (m,)
        Median distance from a point to the neighbours looked at, in units of the data.
    values, low, high : ndarray of shape (m,)
        Dimension at each scale, and its interval at confidence ``level`` (sampling error alone).
    n_points : ndarray of int, shape (m,)
        Points in each sample: all, then half of them, and so on.
    n_samples : ndarray of int, shape (m,)
        Disjoint samples pooled at each scale.
    method : str
        Estimator.
    level : float
        Confidence of the intervals.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import dimension_over_scale
    >>> curve = dimension_over_scale(np.random.default_rng(0).random((1600, 2)))
    >>> curve.n_points.tolist(), round(curve.plateau)
    ([1600, 800, 400, 200, 100], 2)
    """

    scales: np.ndarray
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_points: np.ndarray
    n_samples: np.ndarray
    method: str
    level: float = 0.95

    @property
    def plateau(self) -> float:
        """The dimension over the widest range of scales at which it hardly changes; of equal ones the coarser."""
        return float(np.exp(np.mean(np.log(self.values[self._steady]))))

    @property
    def _steady(self) -> slice:
        logs, best = np.log(self.scales), (0.0, slice(len(self.values) - 1, len(self.values)))
        for start in range(len(self.values)):
            for stop in range(start + 2, len(self.values) + 1):
                part = self.values[start:stop]
                width = float(logs[stop - 1] - logs[start])
                if part.max() <= (1 + AGREEMENT) * part.min() and width >= best[0]:
                    best = (width, slice(start, stop))
        return best[1]

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers, ready for JSON."""
        found = {name: getattr(self, name).tolist() for name in ("scales", "values", "low", "high")}
        counts = {name: getattr(self, name).tolist() for name in ("n_points", "n_samples")}
        return {**found, **counts, "method": self.method, "level": self.level, "plateau": self.plateau}

    def _facts(self) -> dict[str, str]:
        return {
            f"at distance {scale:.3g} ({n:,} points)": f"{value:.2f} ({low:.2f} to {high:.2f})"
            for scale, n, value, low, high in zip(
                self.scales, self.n_points, self.values, self.low, self.high, strict=True
            )
        }

    def _repr_html_(self) -> str:
        return html_table(f"Dimension over scale, {self.method}", self._facts())

    def __rich__(self) -> Any:
        return rich_table(f"Dimension over scale, {self.method}", self._facts())


@references("facco2017estimating", "levina2004maximum")
def dimension_over_scale(
    X: Points,
    n_neighbors: int = 10,
    *,
    method: str = "maximum likelihood",
    smallest: int = 100,
    n_samples: int = 4,
    graph: NeighborGraph | None = None,
    metric: Metric = "euclidean",
    level: float = 0.95,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> DimensionCurve:
    """Estimate the dimension in samples of falling size, whose neighbours are ever farther away.

    Noise fills all directions at distances below its size, and curvature and edges count at large ones: the dimension
    to believe is that of a range of scales between, over which it does not change.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Points; with ``metric="precomputed"`` their distances.
    n_neighbors : int, default 10
        Neighbours looked at in each sample, at least 2.
    method : {"maximum likelihood", "TwoNN", "local PCA", "correlation"}, default "maximum likelihood"
        Estimator: `mle_dimension`, `two_nn`, `local_pca_dimension`, or `correlation_dimension` between the distances
        of half and of three times ``n_neighbors``.
    smallest : int, default 100
        Halve the samples while they have at least this many points.
    n_samples : int, default 4
        Most disjoint samples pooled at one scale.
    graph : NeighborGraph, optional
        Neighbours of all points, at least ``n_neighbors``, found before.
    metric : str or callable, default "euclidean"
        Metric.
    level : float, default 0.95
        Confidence of the intervals.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the samples.
    n_jobs : int, optional
        Threads. The result does not depend on it.

    Returns
    -------
    DimensionCurve

    Raises
    ------
    ValueError
        On NaN, no more points than neighbours, or points too many of which repeat.

    References
    ----------
    Facco, d'Errico, Rodriguez, Laio (2017), Estimating the intrinsic dimension of datasets by a minimal neighborhood
    information.
    Levina, Bickel (2004), Maximum likelihood estimation of intrinsic dimension.

    Examples
    --------
    A thin strip is a line from afar:

    >>> import numpy as np
    >>> from holonomy.measure import dimension_over_scale
    >>> strip = np.random.default_rng(0).random((3200, 2)) * [100, 1]
    >>> dimension_over_scale(strip).values.round()[[0, -1]].tolist()
    [2.0, 1.0]
    """
    check_option(method, "method", ESTIMATORS)
    confidence = check_float(level, "level", minimum=0.0, maximum=1.0)
    k = check_int(n_neighbors, "n_neighbors", minimum=2)
    least = max(check_int(smallest, "smallest", minimum=4), int(RANGE[1] * k) + 2 if method == ESTIMATORS[3] else k + 2)
    most = check_int(n_samples, "n_samples", minimum=1)
    points = check_measured(X, metric)
    n = points.shape[0]
    if graph is not None:
        check_same_length(n, graph.n_points, "X", "graph")
    order = generator(check_seed(random_state), "measure", "scales").permutation(n)
    found: list[tuple[float, ...]] = []
    size = n
    with threads(n_jobs):
        while not found or size >= least:
            samples = [np.sort(order[i * size : (i + 1) * size]) for i in range(min(most, n // size))]
            graphs = [_graph_of(points, graph, rows, k, metric) for rows in samples]
            estimates = [
                _estimate(points, rows, near, k, method, metric, confidence)
                for rows, near in zip(samples, graphs, strict=True)
            ]
            found.append((size, len(graphs), _reach(graphs), *_pooled(estimates, confidence)))
            size //= 2
    sizes, counts, scales, values, low, high = (np.array(column) for column in zip(*found, strict=True))
    return DimensionCurve(scales, values, low, high, sizes, counts, method, confidence)


def _graph_of(points: Any, graph: NeighborGraph | None, rows: np.ndarray, k: int, metric: Metric) -> NeighborGraph:
    n = points.shape[0]
    if len(rows) == n and graph is not None:
        return graph.truncated(k)
    return neighbors(_rows_of(points, rows, metric), k, metric=metric)


def _rows_of(points: Any, rows: np.ndarray, metric: Metric) -> Any:
    if len(rows) == points.shape[0]:
        return points
    return points[np.ix_(rows, rows)] if metric == "precomputed" else points[rows]


def _estimate(
    points: Any, rows: np.ndarray, graph: NeighborGraph, k: int, method: str, metric: Metric, level: float
) -> DimensionEstimate:
    if method == ESTIMATORS[0]:
        return mle_dimension(graph, level=level)
    if method == ESTIMATORS[1]:
        return two_nn(graph, level=level)
    sample = _rows_of(points, rows, metric)
    if method == ESTIMATORS[2]:
        return local_pca_dimension(sample, k, graph=graph, metric=metric, level=level)
    between = (max(1, int(RANGE[0] * k)), int(RANGE[1] * k))
    return correlation_dimension(sample, between, metric=metric, level=level)


def _reach(graphs: list[NeighborGraph]) -> float:
    """Return the median distance of the neighbours looked at."""
    listed = [graph.distances[np.isfinite(graph.distances) & (graph.distances > 0)] for graph in graphs]
    return float(np.median(np.concatenate(listed)))


def _pooled(estimates: list[DimensionEstimate], level: float) -> tuple[float, float, float]:
    """Return dimension and interval over several samples: inverse dimensions are averaged."""
    value = 1 / np.mean([1 / estimate.value for estimate in estimates])
    quantile = norm.ppf((1 + level) / 2)
    errors = [np.log(estimate.high / estimate.value) / quantile for estimate in estimates]
    reach = np.exp(quantile * np.sqrt(np.mean(np.square(errors)) / len(estimates)))
    return float(value), float(value / reach), float(value * reach)
