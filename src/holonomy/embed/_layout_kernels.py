"""Compiled steps of the layout: every point gathers its own forces from the previous state of all others.

No point is written by more than one thread and nothing is read while it is written, so the result does not depend on
threads. No fast-math is used and the power function is our own polynomial, so it hardly depends on the processor. All
inner loops run over small buffers without branches, which lets the compiler use vector instructions.
"""

import numba
import numpy as np
from numpy import float32, int32, uint32, uint64

GROUP = 64
"""Most negative samples whose forces are computed at the same position of a point."""

EDGE_GROUP = 16
"""Edges of a point whose attractions are computed at the same position: more of them would overshoot at hubs."""


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
def _gather(targets, chosen, count, position, difference, squared):
    """Differences from a position to chosen targets, axis by axis, and their squared lengths."""
    for m in range(count):
        squared[m] = float32(0)
    for axis in range(targets.shape[0]):
        here = position[axis]
        for m in range(count):
            difference[axis, m] = here - targets[axis, chosen[m]]
        for m in range(count):
            squared[m] += difference[axis, m] * difference[axis, m]
    for m in range(count):
        squared[m] = max(squared[m], float32(1e-12))


@numba.njit(inline="always", error_model="numpy")
def _move(position, difference, force, count, step):
    """Move along the sum of forces, each coordinate of each force clipped to [-4, 4]."""
    for axis in range(len(position)):
        for m in range(count):
            difference[axis, m] = min(max(force[m] * difference[axis, m], float32(-4)), float32(4))
        total = float32(0)
        for m in range(count):
            total += difference[axis, m]
        position[axis] += step * total


@numba.njit(nogil=True, cache=True, error_model="numpy")
def advance(
    positions,
    targets,
    moved,
    indptr,
    indices,
    rates,
    keys,
    epoch,
    step,
    pull,
    a,
    b,
    repulsion,
    n_negatives,
    start,
    stop,
):
    """Move the points [start, stop) by one epoch: first towards their sampled edges, then away from random targets.

    ``positions``, ``moved`` (dim, m) and ``targets`` (dim, n) hold one coordinate a row; the first two may not be the
    same array. Edge e is sampled whenever (epoch + 1) * rates[e] passes a multiple of 2**32. ``pull`` is 2 where both
    ends of an edge move, because every edge is then sampled from either end, and 1 where the targets stay.
    """
    dim, n = targets.shape
    chosen = np.zeros(GROUP, dtype=uint32)
    difference = np.zeros((dim, GROUP), dtype=float32)
    squared = np.zeros(GROUP, dtype=float32)
    force = np.zeros(GROUP, dtype=float32)
    position = np.zeros(dim, dtype=float32)
    one, near = float32(1), float32(0.001)
    attraction, rejection = float32(-2) * a * b, float32(2) * repulsion * b
    time = uint32(epoch + 1)
    is_moving = pull > one
    others = uint64(n - 1) if is_moving else uint64(n)
    for i in range(start, stop):
        for axis in range(dim):
            position[axis] = positions[axis, i]
        n_sampled = 0
        edge, last = indptr[i], indptr[i + 1]
        while edge < last:
            size = min(EDGE_GROUP, last - edge)
            count = 0
            for m in range(size):
                chosen[count] = uint32(indices[edge + m])
                count += int(uint32(time * rates[edge + m]) < rates[edge + m])
            edge += size
            n_sampled += count
            _gather(targets, chosen, count, position, difference, squared)
            for m in range(count):
                p = power(squared[m], b)
                force[m] = attraction * p / (squared[m] * (a * p + one))
            _move(position, difference, force, count, pull * step)
        key = scramble(uint32(keys[i] + uint32(0x9E3779B9) * uint32(epoch)))
        drawn, total = 0, n_sampled * n_negatives
        while drawn < total:
            count = min(GROUP, total - drawn)
            for m in range(count):
                h = scramble(uint32(key + uint32(drawn + m) * uint32(0x9E3779B9)))
                target = (uint64(h) * others) >> uint64(32)
                # A moving point must not be pushed off its own previous place.
                chosen[m] = uint32(target + uint64(is_moving and target >= uint64(i)))
            drawn += count
            _gather(targets, chosen, count, position, difference, squared)
            for m in range(count):
                force[m] = rejection / ((near + squared[m]) * (a * power(squared[m], b) + one))
            _move(position, difference, force, count, step)
        for axis in range(dim):
            moved[axis, i] = position[axis]
