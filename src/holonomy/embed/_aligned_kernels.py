"""Compiled steps of the aligned layout: every point gathers its own forces from the previous state of all others.

No point is written by more than one thread and nothing is read while it is written, so the result does not depend on
threads.
"""

import numba
import numpy as np
from numpy import float32, uint32, uint64

from holonomy.embed._layout_kernels import power, scramble

ROUNDS = 3
"""Parts of an epoch's edges that pull one after another: all at once would overshoot at hubs."""

LARGEST = 4.0
"""Bound on each coordinate of a force."""

GOLDEN = 0x9E3779B9
NEAREST = 1e-12


@numba.njit(inline="always", error_model="numpy")
def _bounded(value):
    return min(max(value, float32(-LARGEST)), float32(LARGEST))


@numba.njit(nogil=True, cache=True, error_model="numpy")
def pull(positions, moved, indptr, indices, rates, epoch, part, step, a, b, start, stop):
    """Move the points [start, stop) towards the other ends of those of their sampled edges that are in this part.

    Edge e is sampled whenever (epoch + 1) * rates[e] passes a multiple of 2**32. Its part depends on its two ends
    alike, and its pull on their positions before, so that it moves them by opposite steps.
    """
    dim = positions.shape[1]
    total = np.zeros(dim, dtype=float32)
    time = uint32(epoch + 1)
    factor = float32(-2) * a * b
    for i in range(start, stop):
        for axis in range(dim):
            total[axis] = float32(0)
        for e in range(indptr[i], indptr[i + 1]):
            if uint32(time * rates[e]) >= rates[e]:
                continue
            j = indices[e]
            name = scramble(uint32(uint32(min(i, j)) * uint32(GOLDEN) + uint32(max(i, j)) + time))
            if name % uint32(ROUNDS) != uint32(part):
                continue
            squared = float32(NEAREST)
            for axis in range(dim):
                squared += (positions[i, axis] - positions[j, axis]) ** 2
            p = power(squared, b)
            force = factor * p / (squared * (a * p + float32(1)))
            for axis in range(dim):
                total[axis] += step * _bounded(force * (positions[i, axis] - positions[j, axis]))
        for axis in range(dim):
            moved[i, axis] = positions[i, axis] + total[axis]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def push(positions, moved, indptr, rates, keys, epoch, step, a, b, repulsion, n_negatives, start, stop):
    """Push the points [start, stop) away from ``n_negatives`` random others for each of their sampled edges.

    Draws depend on the key of the point, the epoch and their number alone; a point is never drawn for itself.
    """
    n, dim = positions.shape
    place = np.zeros(dim, dtype=float32)
    time = uint32(epoch + 1)
    factor = float32(2) * repulsion * b
    for i in range(start, stop):
        sampled = 0
        for e in range(indptr[i], indptr[i + 1]):
            sampled += int(uint32(time * rates[e]) < rates[e])
        for axis in range(dim):
            place[axis] = positions[i, axis]
        key = scramble(uint32(keys[i] + uint32(GOLDEN) * uint32(epoch)))
        for drawn in range(sampled * n_negatives * int(n > 1)):
            h = scramble(uint32(key + uint32(drawn) * uint32(GOLDEN)))
            other = int((uint64(h) * uint64(n - 1)) >> uint64(32))
            other += int(other >= i)
            squared = float32(NEAREST)
            for axis in range(dim):
                squared += (place[axis] - positions[other, axis]) ** 2
            force = factor / ((float32(0.001) + squared) * (a * power(squared, b) + float32(1)))
            for axis in range(dim):
                place[axis] += step * _bounded(force * (place[axis] - positions[other, axis]))
        for axis in range(dim):
            moved[i, axis] = place[axis]
