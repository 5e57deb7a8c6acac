"""Compiled steps of the layout: every point gathers its own forces from the previous state of all others.

No point is written by more than one thread and nothing is read while it is written, so the result does not depend on
threads. No fast-math is used and the power function is our own polynomial, so it hardly depends on the processor. All
inner loops run over small buffers without branches, which lets the compiler use vector instructions.

Every sampled edge of a step pulls its two ends by opposite forces, so a group of points keeps its centre and the map
the large-scale order of its start, as when edges are taken one after another. (A point that answered to its own moves
between two pulls would be pulled by other forces than it exerts, and groups would drift.)
"""

import numba
import numpy as np
from numpy import float32, int32, uint32, uint64

GROUP = 64
"""Most forces that a point sums at the same position: more of them would overshoot at hubs."""

ROWS = 64
"""Points whose attractions are computed together."""

BUFFER = 512
"""Attractions computed together; at least GROUP."""


def _polynomial(function, degree):
    """Least-squares polynomial on [-1/2, 1/2] at Chebyshev points, constant first."""
    nodes = 0.5 * np.cos((np.arange(400) + 0.5) / 400 * np.pi)
    return tuple(float(c) for c in np.polyfit(nodes, function(nodes), degree)[::-1])


L0, L1, L2, L3, L4, L5, L6 = _polynomial(lambda t: np.log2(1.5 + t), 6)
E0, E1, E2, E3, E4, E5 = _polynomial(np.exp2, 5)

ROUNDER = float32(12582912.0)
"""1.5 * 2**23: adding it leaves a small number rounded to an integer in the low bits."""


@numba.njit(inline="always", error_model="numpy")
def power(x, exponent):
    """Raise x > 0 to an exponent in single precision, as 2**(exponent * log2 x); relative error below 1e-5."""
    bits = float32(x).view(int32)
    whole = float32((bits >> int32(23)) - int32(127))
    t = int32((bits & int32(0x7FFFFF)) | int32(0x3F800000)).view(float32) - float32(1.5)
    p = float32(L6) * t + float32(L5)
    p = p * t + float32(L4)
    p = p * t + float32(L3)
    p = p * t + float32(L2)
    p = p * t + float32(L1)
    p = p * t + float32(L0)
    value = min(max(exponent * (whole + p), float32(-126.0)), float32(126.0))
    rounded = float32(float32(value + ROUNDER) - ROUNDER)
    t = value - rounded
    p = float32(E5) * t + float32(E4)
    p = p * t + float32(E3)
    p = p * t + float32(E2)
    p = p * t + float32(E1)
    p = p * t + float32(E0)
    return float32(p * int32((int32(rounded) + int32(127)) << int32(23)).view(float32))


@numba.njit(inline="always", error_model="numpy")
def scramble(h):
    """Mix the bits of a 32-bit counter into a random number."""
    h = uint32(h)
    h = uint32(h ^ uint32(h >> uint32(16)))
    h = uint32(h * uint32(0x7FEB352D))
    h = uint32(h ^ uint32(h >> uint32(15)))
    h = uint32(h * uint32(0x846CA68B))
    return uint32(h ^ uint32(h >> uint32(16)))


@numba.njit(inline="always", error_model="numpy")
def _clipped(force, difference):
    """One coordinate of a force, between -4 and 4."""
    return min(max(force * difference, float32(-4)), float32(4))


@numba.njit(inline="always", error_model="numpy")
def _pull(places, there, targets, owner, chosen, count, difference, squared, force, step, a, b):
    """Move the owners of sampled edges, rows of ``there``, by the pull of the chosen targets on their places."""
    for m in range(count):
        squared[m] = float32(1e-12)
    for axis in range(targets.shape[1]):
        for m in range(count):
            difference[axis, m] = places[owner[m], axis] - targets[chosen[m], axis]
        for m in range(count):
            squared[m] += difference[axis, m] * difference[axis, m]
    factor = float32(-2) * a * b
    for m in range(count):
        p = power(squared[m], b)
        force[m] = factor * p / (squared[m] * (a * p + float32(1)))
    for axis in range(targets.shape[1]):
        for m in range(count):
            difference[axis, m] = step * _clipped(force[m], difference[axis, m])
        for m in range(count):
            there[owner[m], axis] += difference[axis, m]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def attract(positions, targets, moved, sampled, indptr, indices, rates, epoch, step, a, b, start, stop):
    """Move the points [start, stop) towards the other ends of their sampled edges.

    ``positions``, ``moved`` (m, dim) and ``targets`` (n, dim) are coordinates; only ``moved`` is written, and may be
    none of the others. Edge e is sampled whenever (epoch + 1) * rates[e] passes a multiple of 2**32; the number of
    sampled edges of each point is added to ``sampled``.
    """
    dim = targets.shape[1]
    owner = np.zeros(BUFFER, dtype=uint32)
    chosen = np.zeros(BUFFER, dtype=uint32)
    difference = np.zeros((dim, BUFFER), dtype=float32)
    squared = np.zeros(BUFFER, dtype=float32)
    force = np.zeros(BUFFER, dtype=float32)
    places = np.zeros((ROWS, dim), dtype=float32)
    there = np.zeros((ROWS, dim), dtype=float32)
    time = uint32(epoch + 1)
    for first in range(start, stop, ROWS):
        n_rows = min(ROWS, stop - first)
        for r in range(n_rows):
            for axis in range(dim):
                places[r, axis] = there[r, axis] = positions[first + r, axis]
        count = 0
        for r in range(n_rows):
            begin, last = indptr[first + r], indptr[first + r + 1]
            total = 0
            for edge in range(begin, last, GROUP):
                if edge > begin or count > BUFFER - GROUP:
                    _pull(places, there, targets, owner, chosen, count, difference, squared, force, step, a, b)
                    count = 0
                    for axis in range(dim):
                        places[r, axis] = there[r, axis]
                before = count
                for e in range(edge, min(edge + GROUP, last)):
                    owner[count] = uint32(r)
                    chosen[count] = uint32(indices[e])
                    count += int(uint32(time * rates[e]) < rates[e])
                total += count - before
            sampled[first + r] += total
        _pull(places, there, targets, owner, chosen, count, difference, squared, force, step, a, b)
        for r in range(n_rows):
            for axis in range(dim):
                moved[first + r, axis] = there[r, axis]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def repel(positions, targets, moved, sampled, keys, epoch, step, a, b, repulsion, n_negatives, is_moving, start, stop):
    """Push the points [start, stop) away from ``n_negatives`` random targets for each of their sampled edges.

    Arrays as in :func:`attract`. Draws depend on the key of the point, the epoch and their number alone. Where the
    targets are the moving points themselves, a point must not be pushed off its own previous place.
    """
    n, dim = targets.shape
    chosen = np.zeros(GROUP, dtype=uint32)
    difference = np.zeros((dim, GROUP), dtype=float32)
    squared = np.zeros(GROUP, dtype=float32)
    force = np.zeros(GROUP, dtype=float32)
    place = np.zeros(dim, dtype=float32)
    others = uint64(n - 1) if is_moving else uint64(n)
    factor = float32(2) * repulsion * b
    for i in range(start, stop):
        for axis in range(dim):
            place[axis] = positions[i, axis]
        key = scramble(uint32(keys[i] + uint32(0x9E3779B9) * uint32(epoch)))
        skipped = uint32(i) if is_moving else uint32(0xFFFFFFFF)
        for drawn in range(0, sampled[i] * n_negatives, GROUP):
            count = min(GROUP, sampled[i] * n_negatives - drawn)
            for m in range(count):
                h = scramble(uint32(key + uint32(drawn + m) * uint32(0x9E3779B9)))
                target = uint32((uint64(h) * others) >> uint64(32))
                chosen[m] = uint32(target + uint32(target >= skipped))
            for m in range(count):
                squared[m] = float32(0)
            for axis in range(dim):
                for m in range(count):
                    difference[axis, m] = place[axis] - targets[chosen[m], axis]
                for m in range(count):
                    squared[m] += difference[axis, m] * difference[axis, m]
            for m in range(count):
                force[m] = factor / (
                    (float32(0.001) + squared[m]) * (a * power(max(squared[m], float32(1e-12)), b) + float32(1))
                )
            for axis in range(dim):
                for m in range(count):
                    difference[axis, m] = _clipped(force[m], difference[axis, m])
                total = float32(0)
                for m in range(count):
                    total += difference[axis, m]
                place[axis] += step * total
        for axis in range(dim):
            moved[i, axis] = place[axis]
