"""Which of two points is nearer? How often a map gives the answer of the data."""

import numpy as np

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import Points, check_int
from holonomy.graphs._blocks import run_blocks
from holonomy.measure._inputs import check_measured, check_same_length, check_subsample
from holonomy.measure._pairs import paired_distances
from holonomy.measure._ranks import Metric
from holonomy.measure.estimate import Estimate

ENDLESS = 10**15
"""Triplets are drawn from more than there are points: their number does not bound what an interval speaks of."""


@references("wang2021understanding")
def triplet_accuracy(
    X: Points,
    Z: Points,
    n_triplets: int = 5,
    *,
    metric: Metric = "euclidean",
    per_point: bool = False,
    subsample: int | None = None,
    level: float = 0.95,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> Estimate | np.ndarray:
    """Measure how often, of two random points, the one that is nearer in the data is nearer on the map.

    It looks at the large: most pairs of random points are far from each other. A random map has 0.5. Equal distances
    in one of the two only count as half an answer.

    Parameters
    ----------
    X : array-like of shape (n, d)
        The data, n >= 3; with ``metric="precomputed"`` its distances.
    Z : array-like of shape (n, p)
        The map. Its distances are Euclidean.
    n_triplets : int, default 5
        Pairs of other points drawn for each point. With ``per_point`` at least 100 are needed to tell points apart:
        one value has the standard error 0.5 / sqrt(n_triplets).
    metric : str or callable, default "euclidean"
        Metric of the data.
    per_point : bool, default False
        Return the share of right answers of every point.
    subsample : int, optional
        Ask this many random points only, at least 30; excludes ``per_point``.
    level : float, default 0.95
        Confidence of the interval, which holds for all triplets of these points' source.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the triplets.
    n_jobs : int, optional
        Threads. The result does not depend on it.

    Returns
    -------
    Estimate or ndarray of shape (n,)
        In [0, 1].

    Raises
    ------
    ValueError
        On NaN, fewer than 3 points, different numbers of rows, or both ``per_point`` and ``subsample``.

    References
    ----------
    Wang, Huang, Rudin, Shaposhnik (2021), Understanding how dimension reduction tools work.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import triplet_accuracy
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> float(triplet_accuracy(X, 5 * X))
    1.0
    """
    if per_point and subsample is not None:
        raise ValueError("per_point measures every point; give either per_point or subsample.")
    points, image = check_measured(X, metric), check_measured(Z, "euclidean", "Z")
    n = points.shape[0]
    check_same_length(n, image.shape[0], "X", "Z")
    if n < 3:
        raise ValueError(f"X must have at least 3 points for triplets, got {n}.")
    count = check_int(n_triplets, "n_triplets", minimum=1)
    seed = check_seed(random_state)
    chosen = check_subsample(subsample, n, False, seed)
    anchors = np.arange(n) if chosen is None else chosen
    first, second = _others(anchors, n, count, seed)
    values = np.empty(len(anchors))

    def ask(start: int, stop: int) -> None:
        rows = np.repeat(anchors[start:stop], count)
        pairs = first[start:stop].ravel(), second[start:stop].ravel()
        signs = [
            np.sign(paired_distances(held, rows, pairs[0], by) - paired_distances(held, rows, pairs[1], by))
            for held, by in ((points, metric), (image, "euclidean"))
        ]
        values[start:stop] = ((1 + signs[0] * signs[1]) / 2 + _both_tied(*signs)).reshape(-1, count).mean(axis=1)

    with threads(n_jobs):
        run_blocks(ask, len(anchors), block=max(1, 2**18 // (count * max(1, points.shape[1] // 16))))
    return values if per_point else Estimate.from_sample(values, ENDLESS, level)


def _both_tied(in_data: np.ndarray, on_map: np.ndarray) -> np.ndarray:
    """Return the half that is missing where neither knows an order."""
    return 0.5 * ((in_data == 0) & (on_map == 0))


def _others(anchors: np.ndarray, n: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw for each anchor ``count`` pairs of points, all three different."""
    draws = generator(seed, "measure", "triplets")
    shape = (len(anchors), count)
    first, second = draws.integers(n - 1, size=shape), draws.integers(n - 2, size=shape)
    first += first >= anchors[:, None]
    low, high = np.minimum(first, anchors[:, None]), np.maximum(first, anchors[:, None])
    second += second >= low
    second += second >= high
    return first, second
