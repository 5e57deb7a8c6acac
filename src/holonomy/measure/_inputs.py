"""What every measure of neighbourhoods is given: points or their neighbour graph, and which rows to look at."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from holonomy._core.random import RandomState, generator
from holonomy._core.validation import Points, check_int, check_points
from holonomy.graphs import NeighborGraph, NeighborIndex, neighbors
from holonomy.graphs._sparse import check_graph
from holonomy.measure._ranks import Metric

SMALLEST_SUBSAMPLE = 30
"""Rows below which an interval from a sample would say more than is known."""

EQUALITY_ENTRIES = 2**24
"""Comparisons of neighbours held at once."""


def check_measured(X: Points, metric: Metric, name: str = "X") -> Any:
    """Return points to measure, dense or CSR; a square matrix where ``metric="precomputed"``."""
    points = check_points(X, name=name, accept_sparse=metric != "precomputed")
    if isinstance(metric, str) and metric == "precomputed" and points.shape[0] != points.shape[1]:
        raise ValueError(f"{name} must be a square matrix of distances where metric='precomputed', got {points.shape}.")
    return points


def points_unless_graph(X: Points, graph: NeighborGraph | None, metric: Metric, name: str = "X") -> Any:
    """Return points to measure, or None where their neighbour graph is given in their place."""
    return None if X is None and graph is not None else check_measured(X, metric, name)


def number_of_points(points: Any, graph: NeighborGraph | None) -> int:
    """Return how many points there are, of which either the rows or the neighbours are known."""
    return graph.n_points if points is None and graph is not None else points.shape[0]


def check_same_length(n: int, other: int, name: str, other_name: str) -> None:
    """Raise unless two arguments describe the same number of points."""
    if n != other:
        raise ValueError(f"{name} and {other_name} must describe the same points, got {n} and {other} rows.")


def graph_of(source: Points | NeighborGraph, n_neighbors: int, **search: Any) -> NeighborGraph:
    """Return ``source`` if it is a neighbour graph, else search the neighbours of these points."""
    if isinstance(source, NeighborGraph):
        return check_graph(source)
    return neighbors(source, n_neighbors, **search)


def neighbor_lists(
    points: Any,
    graph: NeighborGraph | None,
    k: int,
    n: int,
    *,
    rows: np.ndarray | None = None,
    name: str = "graph",
    metric: Metric = "euclidean",
    n_jobs: int | None = None,
) -> np.ndarray:
    """Return the ``k`` nearest neighbours of each of ``rows`` (default: of all ``n``), from ``graph`` or by search.

    Raises
    ------
    ValueError
        If ``graph`` holds fewer than ``k`` neighbours of a point, or another number of points.
    """
    if graph is None:
        return _search_lists(points, k, rows, metric, n_jobs)
    check_graph(graph, name)
    check_same_length(n, graph.n_points, "the points", name)
    if graph.n_neighbors < k or not np.isfinite(graph.distances[:, k - 1]).all():
        raise ValueError(f"{name} must hold {k} neighbours of every point; search more, or lower n_neighbors.")
    return graph.indices[:, :k] if rows is None else graph.indices[rows, :k]


def _search_lists(points: Any, k: int, rows: np.ndarray | None, metric: Metric, n_jobs: int | None) -> np.ndarray:
    index = NeighborIndex(points, metric=metric, n_jobs=n_jobs)
    if rows is None:
        return index.graph(k).indices
    # New rows do not know that they are points themselves: ask for one more and leave the point out.
    found, _ = index.query(points[rows], k + 1)
    keep = found != rows[:, None]
    keep[keep.all(axis=1), k] = False
    return found[keep].reshape(len(rows), k)


def check_subsample(subsample: int | None, n: int, per_point: bool, random_state: RandomState) -> np.ndarray | None:
    """Return the sorted rows of a random subsample, or None where all are used."""
    if subsample is None:
        return None
    size = check_int(subsample, "subsample", minimum=SMALLEST_SUBSAMPLE)
    if size >= n:
        return np.arange(n) if not per_point else None
    return np.sort(generator(random_state, "measure", "subsample").choice(n, size, replace=False))


def row_blocks(n: int, entries_per_row: int) -> Iterator[slice]:
    """Cut n rows into slices that together hold a bounded number of entries."""
    step = max(1, EQUALITY_ENTRIES // entries_per_row)
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def listed_in(candidates: np.ndarray, lists: np.ndarray) -> np.ndarray:
    """Tell for each candidate of each row whether the row's list holds it; all of shape (n, k)."""
    result = np.empty(candidates.shape, dtype=bool)
    for rows in row_blocks(len(candidates), candidates.shape[1] * lists.shape[1]):
        result[rows] = (candidates[rows, :, None] == lists[rows, None, :]).any(axis=2)
    return result
