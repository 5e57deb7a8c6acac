"""How many numbers it takes to say where a point is on the data: dimension from ratios of neighbour distances."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from holonomy._core.citations import references
from holonomy._core.validation import Points, check_float, check_int, check_option
from holonomy.graphs import NeighborGraph
from holonomy.measure._distinct import DistinctNeighbors, distinct_neighbors
from holonomy.measure._inputs import graph_of
from holonomy.measure._ranks import Metric
from holonomy.measure._render import html_table, rich_table

DEFAULT_NEIGHBORS = 15
AVERAGES = ("harmonic", "arithmetic")


@dataclass(frozen=True, eq=False)
class DimensionEstimate:
    """An intrinsic dimension, of the whole data and around every point.

    Attributes
    ----------
    value : float
        The dimension; a real number, because it is measured.
    low, high : float
        Interval for the sampling error at confidence ``level``: the range expected over samples of the same size from
        the same source. What is systematic is not in it: noise raises the dimension at small distances, edges and
        curvature lower it, and above about 6 dimensions samples of usual size read low by 5 to 20 %.
    per_point : ndarray of shape (n,)
        The dimension around every point; NaN where the neighbours tell nothing.
    n_used : int
        Number of distinct points the value rests on.
    n_neighbors : int
        Neighbours of each point that were at hand.
    method : str
        Name of the estimator.
    level : float
        Confidence of the interval.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import two_nn
    >>> found = two_nn(np.random.default_rng(0).uniform(size=(1000, 2)))
    >>> found.low < 2 < found.high
    True
    """

    value: float
    low: float
    high: float
    per_point: np.ndarray
    n_used: int
    n_neighbors: int
    method: str
    level: float = 0.95

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.method} {self.value:.2f} ({self.level * 100:g} % interval {self.low:.2f} to {self.high:.2f})"

    def _facts(self) -> dict[str, str]:
        facts = {
            "dimension": f"{self.value:.2f}",
            f"{self.level * 100:g} % interval": f"{self.low:.2f} to {self.high:.2f}",
            "distinct points used": f"{self.n_used:,}",
        }
        local = self.per_point[np.isfinite(self.per_point)]
        if len(local):
            low, high = np.quantile(local, [0.05, 0.95])
            facts["around 90 % of points"] = f"{low:.2f} to {high:.2f}"
        return facts

    def _repr_html_(self) -> str:
        return html_table(f"Intrinsic dimension, {self.method}", self._facts())

    def __rich__(self) -> Any:
        return rich_table(f"Intrinsic dimension, {self.method}", self._facts())


@references("facco2017estimating")
def two_nn(
    X: Points | NeighborGraph,
    *,
    discard: float = 0.1,
    n_neighbors: int | None = None,
    metric: Metric = "euclidean",
    level: float = 0.95,
    n_jobs: int | None = None,
) -> DimensionEstimate:
    """Estimate the dimension from the ratio of the distances to the second and the first neighbour.

    Where density varies little over two neighbours, the logarithm of the ratio is exponential with rate d, whatever
    the density. The rate is fitted by maximum likelihood with the largest ratios censored at the least of them (the
    paper fits a line through the same distribution), and made unbiased. It looks at the smallest scale that the data
    has, so that noise and rounding count.

    Points at distance zero are one point: duplicates neither count twice nor as neighbours.

    Parameters
    ----------
    X : array-like of shape (n, d), or NeighborGraph
        Points, or their neighbours.
    discard : float, default 0.1
        Share of the largest ratios, in [0, 1), whose exact size is not trusted.
    n_neighbors : int, optional
        Neighbours over which the dimension around a point is averaged, at least 2; 15 by default, all of a graph's.
    metric : str or callable, default "euclidean"
        Metric of the search. Squared metrics (cosine, correlation, sqeuclidean) are turned into lengths.
    level : float, default 0.95
        Confidence of the interval, which accounts for neighbouring points' ratios depending on each other.
    n_jobs : int, optional
        Threads of the search.

    Returns
    -------
    DimensionEstimate
        ``per_point`` averages the log-ratios of the point and of its neighbours.

    Raises
    ------
    ValueError
        On NaN, fewer than 3 distinct points, or neighbours that are all equally far.

    References
    ----------
    Facco, d'Errico, Rodriguez, Laio (2017), Estimating the intrinsic dimension of datasets by a minimal neighborhood
    information.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import two_nn
    >>> plane = np.random.default_rng(0).random((2000, 2)) @ np.eye(2, 10)
    >>> round(two_nn(plane).value)
    2
    """
    share = check_float(discard, "discard", minimum=0.0)
    if share >= 1:
        raise ValueError(f"discard must be less than 1, got {share}.")
    graph = _graph(X, n_neighbors, metric, n_jobs)
    near = distinct_neighbors(graph)
    usable = _usable(near)
    log_ratios = np.zeros(len(usable))
    log_ratios[usable] = np.log(near.distances[usable, 1] / near.distances[usable, 0])
    ordered = np.sort(log_ratios[usable])
    kept = max(2, len(ordered) - int(share * len(ordered)))
    largest = ordered[kept - 1]
    censored = np.minimum(log_ratios, largest)
    value = (kept - 1) / _positive(censored.sum())
    residuals = np.where(usable, censored * value - (log_ratios <= largest), 0.0)
    around = near.gather(usable.astype(np.float64)), near.gather(log_ratios)
    return _estimate("TwoNN", value, residuals, kept, around, near, level)


@references("levina2004maximum", "mackay2005comments")
def mle_dimension(
    X: Points | NeighborGraph,
    n_neighbors: int | None = None,
    *,
    average: str = "harmonic",
    smooth: bool = True,
    metric: Metric = "euclidean",
    level: float = 0.95,
    n_jobs: int | None = None,
) -> DimensionEstimate:
    """Estimate the dimension from how the number of neighbours grows with distance, by maximum likelihood.

    Around a point with neighbour distances T_1 .. T_k, log(T_k / T_j) for j < k are independent and exponential with
    rate d. The value pools them over all points, which averages inverse dimensions (MacKay and Ghahramani) and is
    free of the bias that averaging the points' own estimates (Levina and Bickel) has: these read too high by the
    factor (k - 1) / (k - 2).

    Points at distance zero are one point: duplicates neither count twice nor as neighbours.

    Parameters
    ----------
    X : array-like of shape (n, d), or NeighborGraph
        Points, or their neighbours.
    n_neighbors : int, optional
        k, at least 2; 15 by default, all of a graph's. More neighbours vary less and look at a larger scale, where
        noise counts less, curvature and edges more.
    average : {"harmonic", "arithmetic"}, default "harmonic"
        Pool inverse dimensions (MacKay and Ghahramani), or average the points' own estimates (Levina and Bickel).
    smooth : bool, default True
        Whether ``per_point`` pools over the point and its neighbours (one number varies by about d / sqrt(k) else).
    metric : str or callable, default "euclidean"
        Metric of the search. Squared metrics (cosine, correlation, sqeuclidean) are turned into lengths.
    level : float, default 0.95
        Confidence of the interval, which accounts for points sharing neighbours.
    n_jobs : int, optional
        Threads of the search.

    Returns
    -------
    DimensionEstimate

    Raises
    ------
    ValueError
        On NaN, fewer than 3 distinct points, or neighbours that are all equally far.

    References
    ----------
    Levina, Bickel (2004), Maximum likelihood estimation of intrinsic dimension.
    MacKay, Ghahramani (2005), Comments on 'Maximum likelihood estimation of intrinsic dimension'.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import mle_dimension
    >>> sphere = np.random.default_rng(0).normal(size=(2000, 3))
    >>> sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    >>> round(mle_dimension(sphere).value)
    2
    """
    check_option(average, "average", AVERAGES)
    graph = _graph(X, n_neighbors, metric, n_jobs)
    near = distinct_neighbors(graph)
    usable = _usable(near)
    farthest = np.where(usable, np.take_along_axis(near.distances, near.counts[:, None] - 1, axis=1)[:, 0], 1.0)
    listed = np.isfinite(near.distances) & usable[:, None]
    ratios = np.divide(farthest[:, None], near.distances, out=np.ones(listed.shape), where=listed)
    log_sums = np.log(ratios).sum(axis=1)
    freedom = np.where(usable, near.counts - 1.0, 0.0)
    around = (near.gather(freedom), near.gather(log_sums)) if smooth else (freedom, log_sums)
    total = freedom.sum()
    if average == "harmonic":
        value = total / _positive(log_sums.sum())
        residuals = log_sums * value - freedom
    else:
        told = usable & (log_sums > 0)
        _positive(log_sums.sum())
        own = np.divide(freedom, log_sums, out=np.zeros(len(freedom)), where=told)
        value = own[told].mean()
        residuals = np.where(told, own / value - 1, 0.0) * (total / told.sum())
    return _estimate("maximum likelihood", value, residuals, total, around, near, level)


def _graph(X: Points | NeighborGraph, n_neighbors: int | None, metric: Metric, n_jobs: int | None) -> NeighborGraph:
    k = None if n_neighbors is None else check_int(n_neighbors, "n_neighbors", minimum=2)
    graph = graph_of(X, k or DEFAULT_NEIGHBORS, metric=metric, n_jobs=n_jobs)
    if graph.n_neighbors < (k or 2):
        raise ValueError(f"the graph holds {graph.n_neighbors} neighbours of each point; {k or 2} are needed.")
    return graph if k is None else graph.truncated(k)


def _usable(near: DistinctNeighbors) -> np.ndarray:
    """Mark the places with two distinct neighbours or more."""
    usable = near.counts >= 2
    if usable.sum() < 3:
        raise ValueError(
            f"X must have at least 3 points with 2 distinct neighbours each to measure a dimension, got {usable.sum()} "
            f"(of {len(near.place)} rows, {len(usable)} distinct); remove duplicates, or search more neighbours."
        )
    return usable


def _positive(log_sum: float) -> float:
    if not log_sum > 0:
        raise ValueError("X has neighbours that are all equally far, so that no dimension can be measured.")
    return log_sum


def error_of_sum(residuals: np.ndarray, near: DistinctNeighbors) -> float:
    """Return the standard error of the sum of residuals of places, those that share neighbours varying together.

    Its square weighs each pair of places by the share of neighbours that they have in common: a Bartlett kernel on
    the graph.
    """
    shared = near.scatter(residuals / np.sqrt(near.counts + 1.0))
    return float(np.sqrt(np.square(shared).sum()))


def _estimate(
    method: str,
    value: float,
    residuals: np.ndarray,
    freedom: float,
    around: tuple[np.ndarray, np.ndarray],
    near: DistinctNeighbors,
    level: float,
) -> DimensionEstimate:
    """Put an estimate together from its score residuals and the number and sum of log-ratios around each place.

    The error is never taken to be less than independent ratios would have.
    """
    confidence = check_float(level, "level", minimum=0.0, maximum=1.0)
    relative_error = max(error_of_sum(residuals, near) / freedom, 1 / np.sqrt(freedom))
    reach = np.exp(norm.ppf((1 + confidence) / 2) * relative_error)
    terms, log_sums = around
    local = np.full(len(log_sums), np.nan)
    np.divide(terms - 1, log_sums, out=local, where=(terms > 1) & (log_sums > 0))
    return DimensionEstimate(
        value=float(value),
        low=float(value / reach),
        high=float(value * reach),
        per_point=local[near.place],
        n_used=int((near.counts >= 2).sum()),
        n_neighbors=near.indices.shape[1],
        method=method,
        level=confidence,
    )
