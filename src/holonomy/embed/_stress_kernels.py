"""Compiled steps of multidimensional scaling, for blocks of rows or of pairs that share no point.

Pairs of a round are those whose indices add up to ``shift`` modulo n: no point is in two of them, so threads that take
different pairs of a round write to different points, and the result does not depend on how they are shared out.
"""

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def guttman_rows(positions, distances, weights, moved, stress, start, stop):
    """Write, for each row i, ``sum_j w d (x_i - x_j) / |x_i - x_j|`` and ``sum_j w (d - |x_i - x_j|)^2``.

    ``weights`` has shape (0, 0) where all are 1.
    """
    n, dim = positions.shape
    is_weighted = len(weights) > 0
    difference = np.empty(dim)
    for i in range(start, stop):
        for axis in range(dim):
            moved[i, axis] = 0.0
        total = 0.0
        for j in range(n):
            squared = 0.0
            for axis in range(dim):
                difference[axis] = positions[i, axis] - positions[j, axis]
                squared += difference[axis] * difference[axis]
            length = math.sqrt(squared)
            weight = weights[i, j] if is_weighted else 1.0
            gap = distances[i, j] - length
            if j != i:
                total += weight * gap * gap
            factor = weight * distances[i, j] / length if length > 0.0 else 0.0
            for axis in range(dim):
                moved[i, axis] += factor * difference[axis]
        stress[i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def place_rows(placed, anchors, distances, n_steps, start, stop):
    """Move each row of ``placed`` to less stress against fixed anchors, by ``n_steps`` majorisation steps."""
    n, dim = anchors.shape
    mean = np.zeros(dim)
    for j in range(n):
        for axis in range(dim):
            mean[axis] += anchors[j, axis] / n
    sums, difference = np.empty(dim), np.empty(dim)
    for i in range(start, stop):
        for _ in range(n_steps):
            sums[:] = 0.0
            for j in range(n):
                squared = 0.0
                for axis in range(dim):
                    difference[axis] = placed[i, axis] - anchors[j, axis]
                    squared += difference[axis] * difference[axis]
                factor = distances[i, j] / math.sqrt(squared) if squared > 0.0 else 0.0
                for axis in range(dim):
                    sums[axis] += factor * difference[axis]
            for axis in range(dim):
                placed[i, axis] = mean[axis] + sums[axis] / n


@njit(cache=True, nogil=True, inline="always")
def _pair(pair, shift, n):
    """Return the points of a pair of a round; the first ``(shift + 1) // 2`` pairs add up to ``shift`` itself."""
    low = (shift + 1) // 2
    if pair < low:
        return pair, shift - pair
    return shift + 1 + pair - low, n - 1 - (pair - low)


@njit(cache=True, nogil=True, inline="always", error_model="numpy")
def _meet(positions, i, j, distance, step, shift):
    """Move two points along the line between them by ``step / 2`` of what separates them from their distance.

    Points at the same place part in a direction that their indices decide.
    """
    dim = positions.shape[1]
    squared = 0.0
    for a in range(dim):
        squared += (positions[i, a] - positions[j, a]) ** 2
    if squared == 0.0:
        for a in range(dim):
            turn = 0.6180339887 * (i + 1) + 0.7548776662 * shift + 0.5698402910 * a
            move = step * distance * (turn - math.floor(turn) - 0.5) / math.sqrt(dim)
            positions[i, a] += move
            positions[j, a] -= move
        return
    length = math.sqrt(squared)
    factor = 0.5 * step * (distance - length) / length
    for a in range(dim):
        move = factor * (positions[i, a] - positions[j, a])
        positions[i, a] += move
        positions[j, a] -= move


@njit(cache=True, nogil=True, inline="always", error_model="numpy")
def _weight(distance, power, floor):
    """Return ``max(distance, floor)^-power``."""
    if power == 0.0:
        return 1.0
    held = max(distance, floor)
    return 1.0 / (held * held) if power == 2.0 else held**-power


@njit(cache=True, nogil=True)
def unroll_pairs(matrix, table, start, stop):
    """Write the entries of the pairs of round ``shift`` to row ``shift`` of ``table``, so that rounds read in order."""
    n = len(matrix)
    for shift in range(start, stop):
        for pair in range((shift + 1) // 2 + (n - 1 - shift) // 2):
            i, j = _pair(pair, shift, n)
            table[shift, pair] = matrix[i, j]


@njit(cache=True, nogil=True, error_model="numpy")
def descend_given(positions, distances, weights, power, floor, shifts, rates, start, stop):
    """Run rounds of pairs on tables of distances; ``min(1, rate * weight)`` is the step of a pair.

    The weight is ``max(distance, floor)^-power`` times that of the table, if any (shape (0, 0) otherwise).
    """
    n = len(positions)
    for r in range(len(shifts)):
        shift = shifts[r]
        for pair in range(start, min(stop, (shift + 1) // 2 + (n - 1 - shift) // 2)):
            i, j = _pair(pair, shift, n)
            distance = np.float64(distances[shift, pair])
            weight = rates[r] * _weight(distance, power, floor)
            if len(weights) > 0:
                weight *= weights[shift, pair]
            _meet(positions, i, j, distance, min(weight, 1.0), shift)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _distance(vectors, i, j):
    total = np.float32(0.0)
    for axis in range(vectors.shape[1]):
        difference = vectors[i, axis] - vectors[j, axis]
        total += difference * difference
    return math.sqrt(np.float64(total))


@njit(cache=True, nogil=True, error_model="numpy")
def descend_vectors(positions, vectors, power, floor, shifts, rates, start, stop):
    """Run rounds of pairs on the Euclidean distances of vectors, as `descend_given`."""
    n = len(positions)
    for r in range(len(shifts)):
        shift = shifts[r]
        for pair in range(start, min(stop, (shift + 1) // 2 + (n - 1 - shift) // 2)):
            i, j = _pair(pair, shift, n)
            distance = _distance(vectors, i, j)
            weight = rates[r] * _weight(distance, power, floor)
            _meet(positions, i, j, distance, min(weight, 1.0), shift)
