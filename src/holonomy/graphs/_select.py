"""Compiled selection of nearest points, with one rule for ties: equal distances are ordered by index.

Points are scanned by ascending index and enter a list only when strictly nearer than its last entry, so the result
does not depend on block sizes or threads. Most points are passed over a strip at a time: a strip is looked through only
if a count, which vector instructions make, finds an entry for the list in it.
"""

import numba
import numpy as np

STRIP = 64
"""Points passed over together."""


@numba.njit(cache=True, inline="always")
def _insert(distances, indices, k, distance, index):
    """Insert into the ascending list of length k, behind entries of equal distance."""
    place = k - 1
    while place > 0 and distances[place - 1] > distance:
        distances[place] = distances[place - 1]
        indices[place] = indices[place - 1]
        place -= 1
    distances[place] = distance
    indices[place] = index


@numba.njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _squared_distance_below(x, y, bound):
    """Squared distance, or any value >= bound as soon as it is known to be that large."""
    total = 0.0
    start = 0
    while start < len(x) and total < bound:
        # Slices, unlike indices that could be negative, let the compiler use vector instructions.
        u, v = x[start : start + 256], y[start : start + 256]
        part = 0.0
        for axis in range(len(u)):
            difference = np.float64(u[axis]) - np.float64(v[axis])
            part += difference * difference
        total += part
        start += 256
    return total


@numba.njit(nogil=True, cache=True)
def nearest_from_products(products, queries, points, query_norms, point_norms, error, own, indices, distances):
    """Exact nearest points of a block of queries, from single-precision inner products with a known error.

    ``products[q, j]`` approximates <query q, point j> such that the squared distance computed from it is wrong by at
    most ``error * (query_norms[q] + point_norms[j])``. Every point that could be among the nearest within this error
    is measured again directly. ``own[q]`` is the index of the query itself among the points, or -1.
    """
    n = products.shape[1]
    k = indices.shape[1]
    for q in range(products.shape[0]):
        norm = query_norms[q]
        rough = np.full(k, np.inf, dtype=np.float32)
        rough_index = np.zeros(k, dtype=np.int32)
        for strip in range(0, n, STRIP):
            last = min(strip + STRIP, n)
            bound = rough[k - 1]
            hits = 0
            for j in range(strip, last):
                hits += int(point_norms[j] - np.float32(2.0) * products[q, j] < bound)
            if hits == 0:
                continue
            for j in range(strip, last):
                value = point_norms[j] - np.float32(2.0) * products[q, j]
                if value < rough[k - 1] and j != own[q]:
                    _insert(rough, rough_index, k, value, j)
        reach = -np.inf
        for m in range(k):
            reach = max(reach, np.float64(rough[m]) + error * (norm + np.float64(point_norms[rough_index[m]])))
        limit = np.float32(reach + error * norm)
        slack = np.float32(1.0 - error)
        found = np.full(k, np.inf)
        found_index = np.zeros(k, dtype=np.int32)
        for strip in range(0, n, STRIP):
            last = min(strip + STRIP, n)
            hits = 0
            for j in range(strip, last):
                hits += int(slack * point_norms[j] - np.float32(2.0) * products[q, j] <= limit)
            if hits == 0:
                continue
            for j in range(strip, last):
                if slack * point_norms[j] - np.float32(2.0) * products[q, j] <= limit and j != own[q]:
                    value = _squared_distance_below(queries[q], points[j], found[k - 1])
                    if value < found[k - 1]:
                        _insert(found, found_index, k, value, j)
        for m in range(k):
            indices[q, m] = found_index[m]
            distances[q, m] = np.sqrt(found[m])


@numba.njit(nogil=True, cache=True)
def nearest_in_rows(block, own, indices, distances):
    """Nearest points of a block of queries from their full rows of distances."""
    k = indices.shape[1]
    for q in range(block.shape[0]):
        found = np.full(k, np.inf)
        found_index = np.zeros(k, dtype=np.int32)
        count = 0
        for j in range(block.shape[1]):
            if j == own[q]:
                continue
            if count < k or block[q, j] < found[k - 1]:
                _insert(found, found_index, k, block[q, j], j)
                count += 1
        for m in range(k):
            indices[q, m] = found_index[m]
            distances[q, m] = found[m]


@numba.njit(nogil=True, cache=True)
def nearest_of_candidates(candidates, queries, points, own, indices, distances):
    """Nearest points of each query among its candidates, each named once (-1 marks an empty place).

    The order of the candidates does not matter to the result; it is found soonest with the nearest first.
    """
    k = indices.shape[1]
    for q in range(candidates.shape[0]):
        found = np.full(k, np.inf)
        found_index = np.full(k, -1, dtype=np.int32)
        for m in range(candidates.shape[1]):
            j = candidates[q, m]
            if j < 0 or j == own[q]:
                continue
            value = _squared_distance_below(queries[q], points[j], np.nextafter(found[k - 1], np.inf))
            if value > found[k - 1] or (value == found[k - 1] and j > found_index[k - 1]):
                continue
            place = k - 1
            while place > 0 and (
                found[place - 1] > value or (found[place - 1] == value and found_index[place - 1] > j)
            ):
                found[place] = found[place - 1]
                found_index[place] = found_index[place - 1]
                place -= 1
            found[place] = value
            found_index[place] = j
        for m in range(k):
            indices[q, m] = found_index[m]
            distances[q, m] = np.sqrt(found[m])


@numba.njit(nogil=True, cache=True)
def best_candidates(products, column_norms, columns, candidates):
    """Keep, for each row, the columns of smallest norm - 2 * product; writes their point indices, best first."""
    count = candidates.shape[1]
    n = products.shape[1]
    for q in range(products.shape[0]):
        best = np.full(count, np.inf, dtype=np.float32)
        best_index = np.full(count, -1, dtype=np.int32)
        for strip in range(0, n, STRIP):
            last = min(strip + STRIP, n)
            bound = best[count - 1]
            hits = 0
            for c in range(strip, last):
                hits += int(column_norms[c] - np.float32(2.0) * products[q, c] < bound)
            if hits == 0:
                continue
            for c in range(strip, last):
                value = column_norms[c] - np.float32(2.0) * products[q, c]
                if value < best[count - 1]:
                    _insert(best, best_index, count, value, columns[c])
        candidates[q] = best_index
