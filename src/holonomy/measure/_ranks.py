"""How near, among all points, one point is to another: neighbour ranks without an n x n matrix."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from scipy import sparse
from sklearn.metrics import pairwise_distances

from holonomy._core.parallel import native_threads
from holonomy.graphs._blocks import run_blocks

Metric = str | Callable[[np.ndarray, np.ndarray], float]
"""A metric known to ``sklearn.metrics.pairwise_distances``, or a function of two points."""

BLOCK_ENTRIES = 2**22
"""Distances held at once by each thread."""

# Bounds on rounding: a little more than half a unit in the last place of float32, and a few of float64.
_FLOAT32_ERROR = 1.1 * 2.0**-24
_FLOAT64_ERROR = 2.0**-50


def count_nearer(
    points: Any, targets: np.ndarray, *, rows: np.ndarray, columns: np.ndarray, metric: Metric = "euclidean"
) -> np.ndarray:
    """Count the points of ``columns`` that are nearer to a point than its targets are.

    Equal distances are ordered by index, so over all columns the rank of a target is its count plus one.

    Parameters
    ----------
    points : ndarray or CSR matrix of shape (n, d)
        All points; the (n, n) distances where ``metric="precomputed"``.
    targets : ndarray of int, shape (m, k)
        For each of ``rows``, the points whose distance is compared with.
    rows : ndarray of int, shape (m,)
        The points distances are measured from. Their own index is never counted.
    columns : ndarray of int, shape (c,)
        The points that are counted.
    metric : str or callable, default "euclidean"
        Euclidean, cosine and correlation distances of dense points go through matrix products in float32, with every
        comparison that float32 cannot settle decided in float64; other metrics through scikit-learn.

    Returns
    -------
    ndarray of int32, shape (m, k)
    """
    counts = np.empty(targets.shape, dtype=np.int32)
    euclidean = _euclidean_equivalent(points, metric)
    if euclidean is not None:
        count_block = _euclidean_counter(euclidean, targets, rows, columns, counts)
    else:
        count_block = _general_counter(points, targets, rows, columns, metric, counts)
    block = int(np.clip(BLOCK_ENTRIES // len(columns), 16, 1024))
    # One BLAS thread for each block, several blocks at once: nobody waits for the slowest.
    with native_threads(1, user_api="blas"):
        run_blocks(count_block, len(rows), block=block)
    return counts


def _euclidean_equivalent(points: Any, metric: Metric) -> np.ndarray | None:
    """Return dense points whose Euclidean distances are ordered as ``metric`` orders, None where there are none."""
    if sparse.issparse(points) or not isinstance(metric, str):
        return None
    if metric in ("euclidean", "l2", "sqeuclidean"):
        return np.ascontiguousarray(points)
    if metric not in ("cosine", "correlation"):
        return None
    directions = points.astype(np.float64)
    if metric == "correlation":
        directions -= directions.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    return np.ascontiguousarray(directions / lengths) if lengths.all() else None


def _euclidean_counter(
    points: np.ndarray, targets: np.ndarray, rows: np.ndarray, columns: np.ndarray, counts: np.ndarray
) -> Callable[[int, int], None]:
    small, half_norms, scale = _centred_float32(points)
    small_columns = np.ascontiguousarray(small[columns]).T
    half_columns = half_norms[columns].astype(np.float32)
    relative_error = _FLOAT32_ERROR * (points.shape[1] + 8)

    def count_block(start: int, stop: int) -> None:
        products = small[rows[start:stop]] @ small_columns
        _count_in_products(
            products,
            half_columns,
            relative_error,
            points,
            scale,
            half_norms,
            rows[start:stop],
            columns,
            targets[start:stop],
            counts[start:stop],
        )

    return count_block


def _centred_float32(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Shift points to their middle and scale them by a power of two, which changes no comparison of distances.

    Returns the points in float32, half their squared norms in float64, and the scale.
    """
    n = len(points)
    middle = np.median(points[:: max(1, n // 1000)], axis=0).astype(np.float64)
    low, high = points.min(axis=0) - middle, points.max(axis=0) - middle
    reach = float(max(np.abs(low).max(), np.abs(high).max()))
    scale = 2.0 ** -np.frexp(reach)[1] if reach > 0 else 1.0
    small, half_norms = np.empty(points.shape, dtype=np.float32), np.empty(n)
    for start in range(0, n, 4096):
        block = (points[start : start + 4096] - middle) * scale
        small[start : start + 4096] = block
        half_norms[start : start + 4096] = np.einsum("ij,ij->i", block, block) / 2
    return small, half_norms, scale


@njit(cache=True, nogil=True)
def _squared_distance(points: np.ndarray, scale: float, i: int, j: int) -> float:
    """Return the squared distance in float64; four sums, so that they can be added side by side."""
    a = b = c = d = 0.0
    dim = points.shape[1]
    whole = dim - dim % 4
    for f in range(0, whole, 4):
        a += ((float(points[i, f]) - float(points[j, f])) * scale) ** 2
        b += ((float(points[i, f + 1]) - float(points[j, f + 1])) * scale) ** 2
        c += ((float(points[i, f + 2]) - float(points[j, f + 2])) * scale) ** 2
        d += ((float(points[i, f + 3]) - float(points[j, f + 3])) * scale) ** 2
    for f in range(whole, dim):
        a += ((float(points[i, f]) - float(points[j, f])) * scale) ** 2
    return (a + b) + (c + d)


@njit(cache=True, nogil=True)
def _count_in_products(
    products: np.ndarray,
    half_columns: np.ndarray,
    relative_error: float,
    points: np.ndarray,
    scale: float,
    half_norms: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    targets: np.ndarray,
    counts: np.ndarray,
) -> None:
    """Count, for each target of each row, the columns that are nearer to the row.

    With h = |x|^2 / 2, the distance of columns l to row i is ordered as h_l - <x_i, x_l>, which float32 knows up to
    relative_error |x_i| |x_l| (and a few roundings of h_l). Only columns whose interval holds the target's value
    are measured in float64.
    """
    n_columns = len(columns)
    infinity = np.float32(np.inf)
    tiny = np.float32(1e-36)
    rounding = np.float32(4 * _FLOAT32_ERROR)
    lower = np.empty(n_columns, np.float32)
    upper = np.empty(n_columns, np.float32)
    exact = np.empty(n_columns)
    norms = np.sqrt(np.float32(2) * half_columns)
    for r in range(len(rows)):
        i = rows[r]
        error = np.float32(relative_error * np.sqrt(2 * half_norms[i]))
        for c in range(n_columns):
            value = half_columns[c] - products[r, c]
            slack = error * norms[c] + rounding * half_columns[c] + tiny
            lower[c] = value - slack
            upper[c] = value + slack
            exact[c] = -1.0
        for c in range(n_columns):
            if columns[c] == i:
                lower[c] = infinity
                upper[c] = infinity
        for t in range(targets.shape[1]):
            j = targets[r, t]
            squared = _squared_distance(points, scale, i, j)
            value64 = squared / 2 - half_norms[i]
            margin = 2 * _FLOAT32_ERROR * abs(value64) + _FLOAT64_ERROR * (points.shape[1] + 8) * half_norms[i]
            surely_below = np.float32(value64 - margin)
            surely_above = np.float32(value64 + margin)
            nearer = 0
            for start in range(0, n_columns, 512):
                stop = min(start + 512, n_columns)
                below = np.int32(0)
                open_or_below = np.int32(0)
                for c in range(start, stop):
                    below += np.int32(upper[c] < surely_below)
                    open_or_below += np.int32(lower[c] <= surely_above)
                nearer += int(below)
                if open_or_below == below:
                    continue
                for c in range(start, stop):
                    if upper[c] >= surely_below and lower[c] <= surely_above:
                        if exact[c] < 0:
                            exact[c] = _squared_distance(points, scale, i, columns[c])
                        nearer += exact[c] < squared or (exact[c] == squared and columns[c] < j)
            counts[r, t] = nearer


def _general_counter(
    points: Any, targets: np.ndarray, rows: np.ndarray, columns: np.ndarray, metric: Metric, counts: np.ndarray
) -> Callable[[int, int], None]:
    whole = len(columns) == points.shape[0]

    def distances(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        if metric == "precomputed":
            return np.asarray(points[np.ix_(rows, columns)], dtype=np.float64)
        return pairwise_distances(points[rows], points[columns], metric=metric)

    def count_block(start: int, stop: int) -> None:
        block = np.ascontiguousarray(distances(rows[start:stop], columns), dtype=np.float64)
        if whole:
            thresholds = np.take_along_axis(block, targets[start:stop], axis=1)
        else:
            thresholds = np.concatenate([distances(rows[r : r + 1], targets[r]) for r in range(start, stop)])
        _count_in_distances(block, thresholds, rows[start:stop], columns, targets[start:stop], counts[start:stop])

    return count_block


@njit(cache=True, nogil=True)
def _count_in_distances(
    distances: np.ndarray,
    thresholds: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    targets: np.ndarray,
    counts: np.ndarray,
) -> None:
    for r in range(len(rows)):
        for t in range(targets.shape[1]):
            threshold, j = thresholds[r, t], targets[r, t]
            nearer = 0
            for c in range(len(columns)):
                distance = distances[r, c]
                before = distance < threshold or (distance == threshold and columns[c] < j)
                nearer += before and columns[c] != rows[r] and columns[c] != j
            counts[r, t] = nearer
