"""Do labels separate? How much nearer a point is to its own class than to the next."""

from typing import Any

import numpy as np

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState
from holonomy._core.validation import Points
from holonomy.graphs._blocks import run_blocks
from holonomy.measure._inputs import check_measured, check_subsample
from holonomy.measure._pairs import between
from holonomy.measure._ranks import Metric
from holonomy.measure.estimate import Estimate
from holonomy.measure.labels import label_codes
from holonomy.measure.neighborhoods import Measurement

BLOCK_ENTRIES = 2**20


@references("rousseeuw1987silhouettes")
def silhouette(
    Z: Points,
    labels: Any,
    *,
    metric: Metric = "euclidean",
    per_point: bool = False,
    subsample: int | None = None,
    level: float = 0.95,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> Measurement:
    """Measure how much nearer points are to their own class than to the nearest other one.

    With a the mean distance of a point to the others of its class, and b the least mean distance to another class,
    this is (b - a) / max(a, b); 0 for a point alone in its class. It asks for round, separate classes: a curved or
    elongated class scores low however clearly it is apart (see `label_agreement`).

    Parameters
    ----------
    Z : array-like of shape (n, p)
        Points, of a map or of the data; with ``metric="precomputed"`` their distances.
    labels : array-like of shape (n,)
        At least two classes, without missing values.
    metric : str or callable, default "euclidean"
        Metric of the points.
    per_point : bool, default False
        Return the value of every point; excludes ``subsample``.
    subsample : int, optional
        Measure this many random points, at least 30, against all points, and return an interval.
    level : float, default 0.95
        Confidence of the interval.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the subsample.
    n_jobs : int, optional
        Threads. The result does not depend on it.

    Returns
    -------
    float, ndarray of shape (n,), or Estimate
        In [-1, 1]; an array with ``per_point``, an `Estimate` with ``subsample``.

    Raises
    ------
    ValueError
        On NaN, a single class, missing labels, or both ``per_point`` and ``subsample``.

    References
    ----------
    Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and validation of cluster analysis.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import silhouette
    >>> Z = np.r_[np.zeros((5, 2)), np.ones((5, 2))]
    >>> silhouette(Z, ["near"] * 5 + ["far"] * 5)
    1.0
    """
    if per_point and subsample is not None:
        raise ValueError("per_point measures every point; give either per_point or subsample.")
    points = check_measured(Z, metric, "Z")
    n = points.shape[0]
    codes = label_codes(labels, n)
    n_classes = int(codes.max()) + 1
    if n_classes < 2:
        raise ValueError("labels must hold at least two classes for a silhouette, got one.")
    chosen = check_subsample(subsample, n, False, random_state)
    rows = np.arange(n) if chosen is None else chosen
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    distances = between(points, metric)
    values = np.empty(len(rows))

    def measure(start: int, stop: int) -> None:
        block = rows[start:stop]
        sums = np.add.reduceat(distances(block, order), starts, axis=1)
        values[start:stop] = _silhouettes(sums, codes[block], sizes)

    with threads(n_jobs):
        run_blocks(measure, len(rows), block=max(1, BLOCK_ENTRIES // n))
    if per_point:
        return values
    value = float(values.mean())
    return value if chosen is None else Estimate.from_influence(value, values, n, level=level, bounds=(-1.0, 1.0))


def _silhouettes(sums: np.ndarray, own: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the silhouettes of points from the sums of their distances to every class."""
    at = np.arange(len(own)), own
    alone = sizes[own] == 1
    inside = sums[at] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[at] = np.inf
    outside = means.min(axis=1)
    larger = np.maximum(inside, outside)
    values = np.divide(outside - inside, larger, out=np.zeros(len(own)), where=larger > 0)
    return np.where(alone, 0.0, values)
