"""Compiled steps of multidimensional scaling, for blocks of rows or of pairs that share no point.

Pairs of a round are those whose indices add up to ``shift`` modulo n: no point is in two of them, so threads that take
different pairs of a round write to different points, and the result does not depend on how they are shared out.
"""

import math

import numpy as np
from numba import njit

BLOCK = 256
"""Pairs that move together; what is known of them stays in the first cache."""


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


@njit(cache=True, nogil=True, error_model="numpy")
def _meet(places, first, last, n_pairs, wanted, steps, shift, gaps, factors):
    """Move points ``first, first + 1, ...`` and ``last, last - 1, ...`` (places of shape (m, n)) along their lines.

    Each by ``step / 2`` of what separates the two from their distance. The loops run over pairs inside, so that they
    compile to vector instructions, of the same bits as one pair after another.
    """
    n_axes = len(places)
    # Of unsigned indices none is taken for one from the end, which would keep the loops from vector instructions.
    first, last, n_pairs = np.uint64(first), np.uint64(last), np.uint64(n_pairs)
    for k in range(n_pairs):
        factors[k] = 0.0
    for axis in range(n_axes):
        for k in range(n_pairs):
            gap = places[axis, first + k] - places[axis, last - k]
            gaps[axis, k] = gap
            factors[k] += gap * gap
    n_touching = 0
    for k in range(n_pairs):
        length = math.sqrt(factors[k])
        n_touching += length == 0.0
        factors[k] = 0.5 * steps[k] * (wanted[k] - length) / (length if length > 0.0 else 1.0)
    for axis in range(n_axes):
        for k in range(n_pairs):
            places[axis, first + k] += factors[k] * gaps[axis, k]
        for k in range(n_pairs):
            places[axis, last - k] -= factors[k] * gaps[axis, k]
    if n_touching:
        for k in range(n_pairs):
            if not gaps[:, k].any():
                _part(places, first + k, last - k, steps[k] * wanted[k], shift)


@njit(cache=True, nogil=True)
def _part(places, i, j, length, shift):
    """Move two points at the same place apart, in a direction that their indices decide."""
    n_axes = len(places)
    for axis in range(n_axes):
        turn = 0.6180339887 * (i + 1) + 0.7548776662 * shift + 0.5698402910 * axis
        move = length * (turn - math.floor(turn) - 0.5) / math.sqrt(n_axes)
        places[axis, i] += move
        places[axis, j] -= move


@njit(cache=True, nogil=True)
def unroll_pairs(matrix, table, start, stop):
    """Write the entries of the pairs of round ``shift`` to row ``shift`` of ``table``, so that rounds read in order."""
    n = len(matrix)
    for shift in range(start, stop):
        for pair in range((shift + 1) // 2 + (n - 1 - shift) // 2):
            i, j = _pair(pair, shift, n)
            table[shift, pair] = matrix[i, j]


@njit(cache=True, nogil=True, inline="always")
def _run_of(pair, stop, shift, n):
    """Return the points of a pair, and how many pairs from it on are of neighbours of these: up to a block's."""
    low = (shift + 1) // 2
    i, j = _pair(pair, shift, n)
    return i, j, min((low if pair < low else stop) - pair, stop - pair, BLOCK)


@njit(cache=True, nogil=True, error_model="numpy")
def descend_given(places, distances, weights, power, floor, shifts, rates, start, stop):
    """Run rounds of pairs on tables of distances; ``min(1, rate * weight)`` is the step of a pair.

    The weight is ``max(distance, floor)^-power`` times that of the table, if any (shape (0, 0) otherwise). ``places``
    has shape (m, n).
    """
    n = places.shape[1]
    gaps = np.empty((len(places), BLOCK))
    wanted, steps, factors = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for r in range(len(shifts)):
        shift = shifts[r]
        end = min(stop, (shift + 1) // 2 + (n - 1 - shift) // 2)
        pair = start
        while pair < end:
            i, j, n_pairs = _run_of(pair, end, shift, n)
            wanted[:n_pairs] = distances[shift, pair : pair + n_pairs]
            _fill_steps(steps, wanted, n_pairs, power, floor, rates[r])
            if len(weights) > 0:
                steps[:n_pairs] *= weights[shift, pair : pair + n_pairs]
            np.minimum(steps, 1.0, steps)
            _meet(places, i, j, n_pairs, wanted, steps, shift, gaps, factors)
            pair += n_pairs


@njit(cache=True, nogil=True, inline="always", error_model="numpy")
def _fill_steps(steps, wanted, n_pairs, power, floor, rate):
    """Write ``rate * max(wanted, floor)^-power``."""
    if power == 0.0:
        steps[:] = rate
    elif power == 2.0:
        for k in range(n_pairs):
            held = max(wanted[k], floor)
            steps[k] = rate / (held * held)
    else:
        for k in range(n_pairs):
            steps[k] = rate * max(wanted[k], floor) ** -power


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _distance(vectors, i, j):
    total = np.float32(0.0)
    for axis in range(vectors.shape[1]):
        difference = vectors[i, axis] - vectors[j, axis]
        total += difference * difference
    return math.sqrt(np.float64(total))


@njit(cache=True, nogil=True, error_model="numpy")
def descend_vectors(places, vectors, power, floor, shifts, rates, start, stop):
    """Run rounds of pairs on the Euclidean distances of vectors, as `descend_given`."""
    n = places.shape[1]
    gaps = np.empty((len(places), BLOCK))
    wanted, steps, factors = np.empty(BLOCK), np.empty(BLOCK), np.empty(BLOCK)
    for r in range(len(shifts)):
        shift = shifts[r]
        end = min(stop, (shift + 1) // 2 + (n - 1 - shift) // 2)
        pair = start
        while pair < end:
            i, j, n_pairs = _run_of(pair, end, shift, n)
            for k in range(n_pairs):
                wanted[k] = _distance(vectors, i + k, j - k)
            _fill_steps(steps, wanted, n_pairs, power, floor, rates[r])
            np.minimum(steps, 1.0, steps)
            _meet(places, i, j, n_pairs, wanted, steps, shift, gaps, factors)
            pair += n_pairs
