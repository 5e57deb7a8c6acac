"""Do points of the same label lie together? Leave-one-out nearest-neighbour accuracy."""

from typing import Any

import numpy as np

from holonomy._core.parallel import threads
from holonomy._core.random import RandomState
from holonomy._core.validation import Points, as_numpy, check_int
from holonomy.graphs import NeighborGraph
from holonomy.measure._inputs import (
    check_same_length,
    check_subsample,
    neighbor_lists,
    number_of_points,
    points_unless_graph,
    row_blocks,
)
from holonomy.measure.estimate import Estimate


def label_agreement(
    Z: Points,
    labels: Any,
    n_neighbors: int = 10,
    *,
    graph: NeighborGraph | None = None,
    per_point: bool = False,
    subsample: int | None = None,
    level: float = 0.95,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> float | np.ndarray | Estimate:
    """Measure how often the k nearest neighbours of a point vote for the point's own label.

    This is the leave-one-out accuracy of the k-nearest-neighbour classifier. Every neighbour has one vote; among
    labels with equally many votes the one of the nearest neighbour wins, so that renaming labels changes nothing.

    Parameters
    ----------
    Z : array-like of shape (n, p), or None
        Points, of a map or of the data; Euclidean. May be None where ``graph`` is given.
    labels : array-like of shape (n,)
        Labels: integers, text, booleans or categories, without missing values.
    n_neighbors : int, default 10
        k, less than n.
    graph : NeighborGraph, optional
        Neighbours of the points (at least k), if they are known already.
    per_point : bool, default False
        Return for every point 1.0 where the vote is right, else 0.0; the mean is the accuracy.
    subsample : int, optional
        For large data, at least 30: the votes of this many random points only, and an interval for all. Not together
        with ``per_point``.
    level : float, default 0.95
        Confidence of the interval.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the subsample.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    float, ndarray of shape (n,), or Estimate
        In [0, 1]; an array with ``per_point``, an `Estimate` with ``subsample``. Compare with the share of the largest
        label, which needs no geometry.

    Raises
    ------
    ValueError
        On labels of another length, with missing values, or of a continuous quantity; on ``subsample`` together with
        ``per_point``.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import label_agreement
    >>> Z = np.r_[np.arange(5), 100 + np.arange(5)][:, None]
    >>> label_agreement(Z, ["near"] * 5 + ["far"] * 5, n_neighbors=3)
    1.0
    """
    points = points_unless_graph(Z, graph, "euclidean", "Z")
    n = number_of_points(points, graph)
    codes = label_codes(labels, n)
    k = check_int(n_neighbors, "n_neighbors", minimum=1, maximum=n - 1)
    if per_point and subsample is not None:
        raise ValueError("per_point measures every point; give either per_point or subsample.")
    rows = check_subsample(subsample, n, per_point, random_state)
    with threads(n_jobs):
        nearest = neighbor_lists(points, graph, k, n, rows=rows)
    right = _majority(codes[nearest]) == (codes if rows is None else codes[rows])
    if rows is not None:
        return Estimate.from_sample(right.astype(np.float64), n, level)
    return right.astype(np.float64) if per_point else float(right.mean())


def label_codes(labels: Any, n: int) -> np.ndarray:
    """Return a number for each label, counted in order of appearance; see `label_agreement` for what is refused."""
    import pandas as pd

    labels = as_numpy(labels)
    if np.ndim(labels) != 1:
        raise ValueError(f"labels must be one-dimensional, got {np.ndim(labels)} dimensions.")
    values = pd.Series(labels)
    check_same_length(n, len(values), "Z", "labels")
    missing = int(values.isna().sum())
    if missing:
        raise ValueError(f"labels has {missing} missing values; leave these rows out, or name them.")
    if pd.api.types.is_float_dtype(values) and (values != values.round()).any():
        raise ValueError("labels must be classes, but got fractional numbers; bin a continuous quantity first.")
    return pd.factorize(values)[0]


def _majority(votes: np.ndarray) -> np.ndarray:
    """Return the most frequent entry of each row; of several, the one that comes first."""
    n, k = votes.shape
    winners = np.empty(n, dtype=votes.dtype)
    for rows in row_blocks(n, k * k):
        block = votes[rows]
        frequency = (block[:, :, None] == block[:, None, :]).sum(axis=2)
        winners[rows] = np.take_along_axis(block, frequency.argmax(axis=1)[:, None], axis=1)[:, 0]
    return winners
