"""Distances between chosen points, in the data and on a map: what measures of whole distances look at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.metrics import pairwise_distances
from sklearn.metrics.pairwise import PAIRED_DISTANCES
from sklearn.metrics.pairwise import paired_distances as paired

from holonomy._core.validation import Points
from holonomy.graphs import NeighborGraph, geodesics, neighbors
from holonomy.graphs._sparse import check_graph
from holonomy.measure._inputs import check_measured, check_same_length
from holonomy.measure._ranks import Metric

ALL_PAIRS_UP_TO = 5000
"""Most points of which all pairs are measured at once: 12.5 million distances."""

GEODESIC_NEIGHBORS = 15

PAIRED_METRICS = frozenset(PAIRED_DISTANCES)

Distances = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
"""Distances (m, c) from rows to columns (all points where None)."""


@dataclass(frozen=True, eq=False)
class TwoDistances:
    """Distances of the same n points in the data (straight or along a graph) and on the map."""

    n: int
    data: Distances
    image: Distances
    is_geodesic: bool = False


def two_distances(
    X: Points, Z: Points, metric: Metric, graph: NeighborGraph | None, geodesic: bool, n_jobs: int | None
) -> TwoDistances:
    """Check data and map, and return how to measure both; geodesics run along ``graph``, searched where None."""
    image = check_measured(Z, "euclidean", "Z")
    n = image.shape[0]
    if geodesic:
        graph = _geodesic_graph(X, metric, graph, n_jobs)
        check_same_length(graph.n_points, n, "graph", "Z")
        return TwoDistances(n, _along(graph), between(image, "euclidean"), is_geodesic=True)
    points = check_measured(X, metric)
    check_same_length(points.shape[0], n, "X", "Z")
    return TwoDistances(n, between(points, metric), between(image, "euclidean"))


def check_all_pairs(n: int) -> None:
    """Raise where the pairs of all points are too many to be held."""
    if n > ALL_PAIRS_UP_TO:
        raise ValueError(
            f"all pairs of {n} points would take {n * (n - 1) // 2 * 32 / 1e9:.1f} GB; pass subsample= (2000 points "
            "give an interval of about 0.01), or at most "
            f"{ALL_PAIRS_UP_TO} points."
        )


def upper_pairs(square: np.ndarray) -> np.ndarray:
    """Return the entries above the diagonal of a symmetric matrix, row by row."""
    return square[np.triu_indices(len(square), 1)]


def point_means(pair_values: np.ndarray, m: int) -> np.ndarray:
    """Return for each of m points the mean of a quantity over its pairs, given those above the diagonal."""
    rows, columns = np.triu_indices(m, 1)
    sums = np.bincount(rows, pair_values, m) + np.bincount(columns, pair_values, m)
    counts = np.bincount(rows, minlength=m) + np.bincount(columns, minlength=m)
    return sums / counts


def between(points: Any, metric: Metric) -> Distances:
    """Return how to measure distances between checked points, which are (n, n) distances where precomputed."""

    def distances(rows: np.ndarray, columns: np.ndarray | None) -> np.ndarray:
        if metric == "precomputed":
            chosen = points[rows] if columns is None else points[np.ix_(rows, columns)]
            return np.asarray(chosen, dtype=np.float64)
        others = points if columns is None else points[columns]
        if sparse.issparse(points) or metric not in ("euclidean", "l2"):
            return np.asarray(pairwise_distances(points[rows], others, metric=metric), dtype=np.float64)
        # Differences, not products: near points far from the origin keep their digits.
        return cdist(points[rows].astype(np.float64), others.astype(np.float64))

    return distances


def _along(graph: NeighborGraph) -> Distances:
    def distances(rows: np.ndarray, columns: np.ndarray | None) -> np.ndarray:
        found = geodesics(graph, rows, connect="inf")
        return found if columns is None else found[:, columns]

    return distances


def _geodesic_graph(X: Points, metric: Metric, graph: NeighborGraph | None, n_jobs: int | None) -> NeighborGraph:
    if graph is not None:
        return check_graph(graph)
    points = check_measured(X, metric)
    return neighbors(points, min(GEODESIC_NEIGHBORS, points.shape[0] - 1), metric=metric, n_jobs=n_jobs)


def paired_distances(points: Any, rows: np.ndarray, others: np.ndarray, metric: Metric) -> np.ndarray:
    """Return the distance between rows[i] and others[i] for every i."""
    if metric == "precomputed":
        return np.asarray(points[rows, others], dtype=np.float64)
    if not sparse.issparse(points) and metric in ("euclidean", "l2"):
        steps = points[rows].astype(np.float64) - points[others]
        return np.sqrt(np.einsum("ij,ij->i", steps, steps))
    if metric in PAIRED_METRICS:
        return np.asarray(paired(points[rows], points[others], metric=metric), dtype=np.float64)
    found = [pairwise_distances(points[[i]], points[[j]], metric=metric) for i, j in zip(rows, others, strict=True)]
    return np.concatenate(found).ravel()
