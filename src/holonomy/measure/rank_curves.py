"""Neighbour recall over all sizes of neighbourhoods at once: the R_NX curve, and the area under it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState
from holonomy._core.validation import Points
from holonomy.graphs._blocks import run_blocks
from holonomy.measure._inputs import check_subsample
from holonomy.measure._pairs import TwoDistances, two_distances
from holonomy.measure._ranks import Metric
from holonomy.measure._render import html_table, rich_table
from holonomy.measure.estimate import Estimate

BLOCK_ENTRIES = 2**20
"""Distances sorted at once by each thread."""


@dataclass(frozen=True, eq=False)
class RankCurve:
    """How well neighbourhoods are kept, from the nearest neighbour to all points.

    Attributes
    ----------
    n_neighbors : ndarray of int, shape (n - 2,)
        Sizes k of neighbourhoods: 1 to n - 2.
    recall : ndarray of shape (n - 2,)
        Q_NX(k): mean share of the k nearest in the data that are among the k nearest on the map, in [0, 1].
    rescaled : ndarray of shape (n - 2,)
        R_NX(k) = ((n - 1) Q_NX(k) - k) / (n - 1 - k): 0 for a random map, 1 for a perfect one.
    low, high : ndarray of shape (n - 2,)
        Interval of ``rescaled`` at each size for itself; equal to it where all points were measured.
    area : Estimate
        Area under ``rescaled`` with k on a logarithmic scale: each k counts by 1 / k.
    per_point : ndarray of shape (m,)
        The area of each measured point; their mean is ``area``.
    rows : ndarray of int, shape (m,)
        The points measured.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import rank_curve
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> curve = rank_curve(X, X[:, :2])
    >>> curve.best_size in curve.n_neighbors, 0 < float(curve.area) < 1
    (True, True)
    """

    n_neighbors: np.ndarray
    recall: np.ndarray
    rescaled: np.ndarray
    low: np.ndarray
    high: np.ndarray
    area: Estimate
    per_point: np.ndarray
    rows: np.ndarray

    @property
    def best_size(self) -> int:
        """The size of neighbourhoods that the map keeps best."""
        return int(self.n_neighbors[self.rescaled.argmax()])

    def __float__(self) -> float:
        return self.area.value

    def _facts(self) -> dict[str, str]:
        facts = {"area under R_NX": str(self.area), "best kept neighbourhood": f"{self.best_size:,} points"}
        for k in (10, 100, 1000):
            if k <= len(self.n_neighbors):
                facts[f"R_NX at {k:,} neighbours"] = f"{self.rescaled[k - 1]:.3f}"
        return facts

    def _repr_html_(self) -> str:
        return html_table("Neighbourhoods kept, by size", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Neighbourhoods kept, by size", self._facts())


@references("lee2009quality", "lee2015multiscale")
def rank_curve(
    X: Points,
    Z: Points,
    *,
    metric: Metric = "euclidean",
    subsample: int | None = None,
    level: float = 0.95,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> RankCurve:
    """Measure neighbour recall for neighbourhoods of all sizes, and the area under the rescaled curve.

    A point is a k-neighbour in both where the larger of its two ranks is at most k, so that one count of ranks
    gives the whole curve. Equal distances are ordered by index. O(n) memory for each measured point at work, O(m n
    (d + log n)) time for m of them: about 3 s for 5,000 points on two cores.

    Parameters
    ----------
    X : array-like of shape (n, d)
        The data, n >= 4; dense or SciPy sparse. With ``metric="precomputed"`` its distances, (n, n).
    Z : array-like of shape (n, p)
        The map. Its distances are Euclidean.
    metric : str or callable, default "euclidean"
        Metric of the data, as ``sklearn.metrics.pairwise_distances`` takes it.
    subsample : int, optional
        Measure this many random points, at least 30, among all points, with intervals.
    level : float, default 0.95
        Confidence of the intervals.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the subsample.
    n_jobs : int, optional
        Threads. The result does not depend on it.

    Returns
    -------
    RankCurve
        ``float()`` gives the area.

    Raises
    ------
    ValueError
        On NaN, fewer than 4 points, or different numbers of rows.

    References
    ----------
    Lee, Verleysen (2009), Quality assessment of dimensionality reduction: rank-based criteria.
    Lee, Peluffo-Ordóñez, Verleysen (2015), Multi-scale similarities in stochastic neighbour embedding.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import rank_curve
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> float(rank_curve(X, 2 * X).area)
    1.0
    """
    both = two_distances(X, Z, metric, None, False, n_jobs)
    if both.n < 4:
        raise ValueError(f"X must have at least 4 points for a curve, got {both.n}.")
    chosen = check_subsample(subsample, both.n, False, random_state)
    rows = np.arange(both.n) if chosen is None else chosen
    sizes = np.arange(1, both.n - 1)
    with threads(n_jobs):
        recall, spread, areas = _measure(both, rows, sizes)
    n_used = len(rows)
    stretch = (both.n - 1) / (both.n - 1 - sizes)
    rescaled = stretch * recall - sizes / (both.n - 1 - sizes)
    remaining = 1 - n_used / both.n
    reach = norm.ppf((1 + level) / 2) * stretch * spread * np.sqrt(remaining / n_used)
    area = Estimate.from_influence(float(areas.mean()), areas, both.n, level=level, bounds=(-np.inf, 1.0))
    return RankCurve(sizes, recall, rescaled, rescaled - reach, np.minimum(rescaled + reach, 1.0), area, areas, rows)


def _measure(both: TwoDistances, rows: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean recall for each size, its standard deviation over points, and the area of each point."""
    n, m = both.n, len(rows)
    weights = 1 / sizes
    stretch, offset = (n - 1) / (n - 1 - sizes), sizes / (n - 1 - sizes)
    areas = np.empty(m)
    sums: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def measure(start: int, stop: int) -> None:
        shared = _shared_counts(both, rows[start:stop])[:, :-1] / sizes
        areas[start:stop] = (shared * stretch - offset) @ weights / weights.sum()
        sums[start] = shared.sum(axis=0), np.square(shared).sum(axis=0)

    run_blocks(measure, m, block=max(1, BLOCK_ENTRIES // n))
    total, squares = (np.sum([sums[start][which] for start in sorted(sums)], axis=0) for which in (0, 1))
    mean = total / m
    return mean, np.sqrt(np.maximum(squares / m - mean**2, 0.0) * m / max(1, m - 1)), areas


def _shared_counts(both: TwoDistances, rows: np.ndarray) -> np.ndarray:
    """Count for each row the points whose rank is at most k in both, k = 1 .. n - 1."""
    larger = np.maximum(_ranks(both.data(rows, None), rows), _ranks(both.image(rows, None), rows))
    counts = np.empty((len(rows), both.n - 1), dtype=np.int64)
    for r, ranks in enumerate(larger):
        counts[r] = np.cumsum(np.bincount(ranks, minlength=both.n)[1:])
    return counts


def _ranks(distances: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the rank of every point in every row: 0 for the row itself, then by distance and index."""
    distances[np.arange(len(own)), own] = -1.0
    order = np.argsort(distances, axis=1, kind="stable")
    ranks = np.empty(order.shape, dtype=np.int32)
    np.put_along_axis(ranks, order, np.arange(order.shape[1], dtype=np.int32)[None, :], axis=1)
    return ranks
