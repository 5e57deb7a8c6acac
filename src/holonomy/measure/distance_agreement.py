"""Does a map keep distances? Correlation of distances, and stress."""

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState
from holonomy._core.validation import Points, check_option
from holonomy.graphs import NeighborGraph
from holonomy.graphs._blocks import run_blocks
from holonomy.measure._inputs import check_subsample
from holonomy.measure._pairs import TwoDistances, check_all_pairs, point_means, two_distances, upper_pairs
from holonomy.measure._ranks import Metric
from holonomy.measure.estimate import Estimate
from holonomy.measure.neighborhoods import Measurement

CORRELATIONS = ("pearson", "spearman")
SCALES = ("best", "given")
BLOCK_ENTRIES = 2**20


@references("espadoto2021toward")
def shepard_correlation(
    X: Points,
    Z: Points,
    *,
    method: str = "spearman",
    metric: Metric = "euclidean",
    geodesic: bool = False,
    graph: NeighborGraph | None = None,
    per_point: bool = False,
    subsample: int | None = None,
    level: float = 0.95,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> Measurement:
    """Correlate the distances between points in the data with those on the map.

    1 means that farther in the data is farther on the map, everywhere; 0 that distances on the map tell nothing.

    Parameters
    ----------
    X : array-like of shape (n, d), or None
        The data; with ``metric="precomputed"`` its distances. May be None where ``geodesic`` and ``graph`` are given.
    Z : array-like of shape (n, p)
        The map. Its distances are Euclidean.
    method : {"spearman", "pearson"}, default "spearman"
        Correlation of ranks (of order alone), or of lengths.
    metric : str or callable, default "euclidean"
        Metric of the data.
    geodesic : bool, default False
        Measure the data along its neighbour graph. Pairs that no path joins are left out.
    graph : NeighborGraph, optional
        That graph; searched with 15 neighbours by default.
    per_point : bool, default False
        Return the correlation of each point's own distances, NaN where all of them are equal.
    subsample : int, optional
        At least 30. Without ``per_point``: the pairs among this many random points, with an interval that accounts
        for pairs sharing points. With it: distances of every point to this many.
    level : float, default 0.95
        Confidence of the interval.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the subsample.
    n_jobs : int, optional
        Threads. The result does not depend on it.

    Returns
    -------
    float, ndarray of shape (n,), or Estimate
        In [-1, 1]; an array with ``per_point``, an `Estimate` with ``subsample`` alone.

    Raises
    ------
    ValueError
        On NaN, different numbers of rows, distances that are all equal, or more than 5,000 points without
        ``subsample``.

    References
    ----------
    Espadoto, Martins, Kerren, Hirata, Telea (2021), Toward a quantitative survey of dimension reduction techniques.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import shepard_correlation
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> shepard_correlation(X, 5 * X)
    1.0
    """
    check_option(method, "method", CORRELATIONS)
    both = two_distances(X, Z, metric, graph, geodesic, n_jobs)
    rows = check_subsample(subsample, both.n, per_point, random_state)
    with threads(n_jobs):
        if per_point:
            return _per_point(both, rows, lambda d, e: _row_correlations(d, e, method))
        data, image, joined, m = _sampled_pairs(both, rows)
    if method == "spearman":
        data, image = rankdata(data), rankdata(image)
    if np.ptp(data) == 0 or np.ptp(image) == 0:
        which = "data" if np.ptp(data) == 0 else "map"
        raise ValueError(f"all distances between points of the {which} are equal, so that nothing correlates.")
    u, v = _standardised(data), _standardised(image)
    value = float(np.clip(np.mean(u * v), -1.0, 1.0))
    if rows is None:
        return value
    influence = _rank_influence(data, image) if method == "spearman" else u * v - value * (u**2 + v**2) / 2
    return _estimate(value, influence, joined, m, both.n, level, (-1.0, 1.0))


@references("kruskal1964multidimensional", "smelser2024normalized")
def normalized_stress(
    X: Points,
    Z: Points,
    *,
    scale: str = "best",
    metric: Metric = "euclidean",
    geodesic: bool = False,
    graph: NeighborGraph | None = None,
    per_point: bool = False,
    subsample: int | None = None,
    level: float = 0.95,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> Measurement:
    """Measure by how much distances on the map miss those in the data: sqrt(sum (d - s e)^2 / sum d^2).

    d are distances in the data, e on the map. With ``scale="best"`` the map is first scaled so that it fits best,
    without which stress compares units rather than maps (Smelser and others).

    Parameters
    ----------
    X, Z, metric, geodesic, graph
        As for `shepard_correlation`.
    scale : {"best", "given"}, default "best"
        Scale the map to fit best, or take its distances as they are (s = 1).
    per_point : bool, default False
        Return the stress of each point's own distances, under the scale of the whole map.
    subsample, level, random_state, n_jobs
        As for `shepard_correlation`.

    Returns
    -------
    float, ndarray of shape (n,), or Estimate
        0 is perfect; at most 1 with ``scale="best"``. An array with ``per_point``, an `Estimate` with ``subsample``
        alone.

    Raises
    ------
    ValueError
        On NaN, different numbers of rows, points that are all equal, or more than 5,000 points without
        ``subsample``.

    References
    ----------
    Kruskal (1964), Multidimensional scaling by optimizing goodness of fit to a nonmetric hypothesis.
    Smelser, Miller, Kobourov (2024), "Normalized stress" is not normalized: how to interpret stress correctly.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import normalized_stress
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> round(normalized_stress(X, 5 * X), 6), round(normalized_stress(X, 5 * X, scale="given"), 6)
    (0.0, 4.0)
    """
    check_option(scale, "scale", SCALES)
    both = two_distances(X, Z, metric, graph, geodesic, n_jobs)
    rows = check_subsample(subsample, both.n, per_point, random_state)
    with threads(n_jobs):
        # The scale of a map of many points is told well enough by a sample of them.
        some = check_subsample(2000, both.n, False, random_state) if per_point and rows is None else rows
        data, image, joined, m = _sampled_pairs(both, some)
        squares, products = np.square(data).mean(), (data * image).mean()
        if squares == 0:
            raise ValueError("all points of X are equal, so that there is no distance to keep.")
        image_squares = np.square(image).mean()
        factor = 1.0 if scale == "given" else products / image_squares if image_squares > 0 else 0.0
        if per_point:
            return _per_point(both, rows, lambda d, e: _row_stress(d, factor * e))
    misses = np.square(data - factor * image)
    value = float(np.sqrt(misses.mean() / squares))
    if rows is None:
        return value
    # The best factor makes the misses stationary, so that it adds no influence of its own.
    influence = (misses - value**2 * np.square(data)) / (2 * squares * value) if value > 0 else np.zeros(len(misses))
    return _estimate(value, influence, joined, m, both.n, level, (0.0, 1.0 if scale == "best" else np.inf))


def _sampled_pairs(both: TwoDistances, rows: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return the distances of all pairs of points in data and map, which pairs these are, and how many points."""
    if rows is None:
        check_all_pairs(both.n)
        rows = np.arange(both.n)
    if len(rows) < 3:
        raise ValueError(f"X must have at least 3 points to compare distances, got {len(rows)}.")
    data, image = upper_pairs(both.data(rows, rows)), upper_pairs(both.image(rows, rows))
    joined = np.isfinite(data)
    if not joined.any():
        raise ValueError("no two of the points are joined by a path in the graph; use more neighbours.")
    return data[joined], image[joined], joined, len(rows)


def _per_point(
    both: TwoDistances, reference: np.ndarray | None, measure: Callable[[np.ndarray, np.ndarray], float]
) -> np.ndarray:
    """Measure each point's own distances to the reference points (all where None), blocks of points at a time."""
    columns = np.arange(both.n) if reference is None else reference
    # Along a graph, one search from a point finds its distances to all: start from the few.
    known = both.data(columns, None).T if both.is_geodesic and reference is not None else None
    values = np.empty(both.n)

    def fill(start: int, stop: int) -> None:
        rows = np.arange(start, stop)
        data = both.data(rows, columns) if known is None else known[start:stop]
        image = both.image(rows, columns)
        for row in rows:
            kept = np.isfinite(data[row - start]) & (columns != row)
            values[row] = measure(data[row - start, kept], image[row - start, kept])

    run_blocks(fill, both.n, block=max(1, BLOCK_ENTRIES // max(len(columns), both.n)))
    return values


def _row_correlations(data: np.ndarray, image: np.ndarray, method: str) -> float:
    if len(data) < 2:
        return np.nan
    if method == "spearman":
        data, image = rankdata(data), rankdata(image)
    if np.ptp(data) == 0 or np.ptp(image) == 0:
        return np.nan
    return float(np.clip(np.mean(_standardised(data) * _standardised(image)), -1.0, 1.0))


def _row_stress(data: np.ndarray, image: np.ndarray) -> float:
    squares = np.square(data).sum()
    return float(np.sqrt(np.square(data - image).sum() / squares)) if squares > 0 else np.nan


def _standardised(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean()
    return centred / np.sqrt(np.square(centred).mean())


def _rank_influence(data_ranks: np.ndarray, image_ranks: np.ndarray) -> np.ndarray:
    """Return the influence of each pair on Spearman's correlation, 12 E[F G] - 3 with F and G the ranks in [0, 1].

    A pair counts itself, and raises the ranks of all pairs beyond it in either.
    """
    n = len(data_ranks)
    f, g = data_ranks / n, image_ranks / n
    influence = f * g + _mean_beyond(f, g) + _mean_beyond(g, f)
    return 12 * (influence - influence.mean())


def _mean_beyond(f: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Return, for each entry, the mean over all entries of g where f is not below the entry's own, else 0."""
    order = np.argsort(f, kind="stable")
    beyond = np.empty(len(f))
    beyond[order] = np.cumsum(g[order][::-1])[::-1] / len(f)
    return beyond


def _estimate(
    value: float,
    pair_influence: np.ndarray,
    joined: np.ndarray,
    m: int,
    n: int,
    level: float,
    bounds: tuple[float, float],
) -> Estimate:
    """Put an estimate together from the influence of each joined pair: a point's is twice the mean of its pairs'."""
    spread = np.zeros(len(joined))
    spread[joined] = pair_influence * (len(joined) / joined.sum())
    return Estimate.from_influence(value, 2 * point_means(spread, m), n, level=level, bounds=bounds)
