"""How fast the number of close pairs grows with distance: the correlation dimension."""

import numpy as np
from scipy.stats import norm

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState
from holonomy._core.validation import Points, check_float, check_int
from holonomy.graphs import neighbors
from holonomy.graphs._blocks import run_blocks
from holonomy.measure._inputs import check_measured, check_subsample
from holonomy.measure._pairs import between
from holonomy.measure._ranks import Metric
from holonomy.measure.intrinsic_dimension import DimensionEstimate

BLOCK_ENTRIES = 2**20


@references("grassberger1983measuring")
def correlation_dimension(
    X: Points,
    neighbors_range: tuple[int, int] = (5, 30),
    *,
    n_radii: int = 8,
    radii: tuple[float, float] | None = None,
    metric: Metric = "euclidean",
    subsample: int | None = None,
    level: float = 0.95,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> DimensionEstimate:
    """Estimate the dimension as the slope of log C(r) over log r, C(r) the share of pairs within r of each other.

    Dense places have more pairs and count more, which sets it apart from the other estimators where dimension and
    density vary together. Edges lower it, as they do all of them.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Points; with ``metric="precomputed"`` their distances.
    neighbors_range : tuple of int, default (5, 30)
        The line is fitted from the median distance to one neighbour to that of the other.
    n_radii : int, default 8
        Radii between these, evenly spaced in the logarithm, at least 2.
    radii : tuple of float, optional
        Smallest and largest radius, in place of ``neighbors_range``.
    metric : str or callable, default "euclidean"
        Metric that grows as lengths do.
    subsample : int, optional
        Count the neighbours of all points among this many of them, at least 30.
    level : float, default 0.95
        Confidence of the interval.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the subsample.
    n_jobs : int, optional
        Threads. The result does not depend on it.

    Returns
    -------
    DimensionEstimate
        ``per_point`` is the slope of each point's own counts, NaN where none is within the smallest radius.

    Raises
    ------
    ValueError
        On NaN, too few points, radii out of order, or no pairs within the smallest.

    References
    ----------
    Grassberger, Procaccia (1983), Measuring the strangeness of strange attractors.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import correlation_dimension
    >>> ring = np.random.default_rng(0).uniform(0, 2 * np.pi, 1000)
    >>> round(float(correlation_dimension(np.c_[np.cos(ring), np.sin(ring)])), 1)
    1.0
    """
    confidence = check_float(level, "level", minimum=0.0, maximum=1.0)
    points = check_measured(X, metric)
    n = points.shape[0]
    count = check_int(n_radii, "n_radii", minimum=2)
    with threads(n_jobs):
        limits = _range_of(points, neighbors_range, metric) if radii is None else (float(radii[0]), float(radii[1]))
        if not 0 < limits[0] < limits[1] < np.inf:
            raise ValueError(
                f"radii must be positive and ascending, got {limits[0]:.3g} and {limits[1]:.3g}; where they come from "
                "neighbors_range, too many points repeat."
            )
        chosen = check_subsample(subsample, n, False, random_state)
        columns = np.arange(n) if chosen is None else chosen
        steps = np.geomspace(*limits, count)
        counts = _counts(points, columns, steps, metric)
    means = counts.mean(axis=0)
    if means[0] == 0:
        raise ValueError(f"no two points lie within the smallest radius, {limits[0]:.3g}; raise it.")
    logs = np.log(steps)
    slopes = (logs - logs.mean()) / np.square(logs - logs.mean()).sum()
    value = float(slopes @ np.log(means))
    influence = (counts / means) @ slopes
    # Each point is one end of its pairs, and the other end of others' where it is counted.
    error = np.std(influence, ddof=1) * np.sqrt(1 / len(columns) + 3 / n)
    reach = float(norm.ppf((1 + confidence) / 2) * error)
    local = np.full(n, np.nan)
    told = counts[:, 0] > 0
    local[told] = np.log(counts[told]) @ slopes
    return DimensionEstimate(
        value=value,
        low=max(0.0, value - reach),
        high=value + reach,
        per_point=local,
        n_used=int(told.sum()),
        n_neighbors=max(1, round(float(np.median(counts[:, -1])) * n / len(columns))),
        method="correlation",
        level=confidence,
    )


def _range_of(points: np.ndarray, neighbors_range: tuple[int, int], metric: Metric) -> tuple[float, float]:
    n = points.shape[0]
    first = check_int(neighbors_range[0], "neighbors_range[0]", minimum=1)
    last = check_int(neighbors_range[1], "neighbors_range[1]", minimum=first + 1)
    if n < 4:
        raise ValueError(f"X must have at least 4 points for a correlation dimension, got {n}.")
    if last > n - 1:
        # Small data: two scales apart matter more than which they are.
        last = n - 1
        first = min(first, max(1, last // 3))
    distances = neighbors(points, last, metric=metric).distances.astype(np.float64)
    return float(np.median(distances[:, first - 1])), float(np.median(distances[:, last - 1]))


def _counts(points: np.ndarray, columns: np.ndarray, radii: np.ndarray, metric: Metric) -> np.ndarray:
    """Count for each point the others among ``columns`` within each radius."""
    n = points.shape[0]
    measure = between(points, metric)
    counts = np.empty((n, len(radii)))
    is_column = np.zeros(n)
    is_column[columns] = 1.0

    def count(start: int, stop: int) -> None:
        rows = np.arange(start, stop)
        distances = measure(rows, columns)
        for index, radius in enumerate(radii):
            counts[start:stop, index] = (distances <= radius).sum(axis=1) - is_column[start:stop]

    run_blocks(count, n, block=max(1, BLOCK_ENTRIES // len(columns)))
    return counts
