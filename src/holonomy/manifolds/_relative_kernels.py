"""Logarithms of one small matrix relative to another, and their gradients, several matrices at once.

Each kernel does matrices [start, stop) of C-contiguous arrays (m, n, n) of doubles.
"""

import math

import numpy as np
from numba import njit

from holonomy.manifolds._lane_matrices import (
    cholesky,
    congruence,
    eigen,
    gather,
    lane_matrix,
    lower_times,
    scaled_square,
    scatter,
    solve_upper,
    whiten,
)
from holonomy.manifolds._lanes import LANES, lane_array, load, part, size, spread, store, where_less

kernel = njit(cache=True, nogil=True, error_model="numpy")

WIDE, FAILED = 1, 2
"""States of a matrix whose spectrum is so wide that its factors are to be decomposed, and of one with no answer."""

FAR = 0.2
"""Difference of two numbers over their sum from which their logarithms are subtracted; below it is a series."""


@kernel
def logarithms(wide, kept, filled, A, B, U, values, applied, out, states, start, stop):
    """Fill eigenvalues of B relative to A and their logarithms, and what is asked for.

    That is eigenvectors U if ``kept``, and logarithms as matrices, ``out``, if ``filled``.
    What is decomposed is the difference of B and A, or B itself where it is everywhere well below A. ``states`` are set
    where the answer is not to be used, among them where the smallest eigenvalue is below ``wide`` times the largest.
    """
    n = A.shape[1]
    factor, E, V, work = lane_matrix(n), lane_matrix(n), lane_matrix(n), lane_matrix(n)
    d, plain = lane_array(n), np.empty(LANES, dtype=np.bool_)
    for first in range(start, stop, LANES):
        gather(A, first, stop, factor, True)
        cholesky(factor)
        _whitened(A, B, first, stop, factor, E, plain)
        found = eigen(E, d, V, kept or filled)
        for lane in range(min(LANES, stop - first)):
            m = first + lane
            states[m] = _finish(d, lane, plain[lane], wide, values[m], applied[m]) if found else FAILED
            for i in range(n):
                d[i, lane] = applied[m, i]
        if kept:
            scatter(V, U, first, stop)
        if filled:
            lower_times(factor, V, E)
            scaled_square(E, d, V, work)
            scatter(V, out, first, stop)


@part
def _whitened(A, B, first, last, L, E, plain):
    """Fill E with what B, or where that is ``plain`` the difference of B and A, is relative to A = L L^T."""
    n = A.shape[1]
    plain[:] = False
    for _ in range(2):
        gather(B, first, last, E, True)
        for lane in range(LANES):
            m = min(first + lane, last - 1)
            if not plain[lane]:
                for i in range(n):
                    for j in range(n):
                        E[i, j, lane] -= 0.5 * (A[m, i, j] + A[m, j, i])
        whiten(L, E)
        again = False
        for lane in range(LANES):
            if not plain[lane]:
                top = E[0, 0, lane]
                for i in range(1, n):
                    top = max(top, E[i, i, lane])
                plain[lane] = top < -0.5
                again = again or plain[lane]
        if not again:
            return


@part
def _finish(d, lane, plain, wide, values, applied):
    """Fill eigenvalues and their logarithms from those of what was decomposed, and return the state."""
    low, high = np.inf, 0.0
    for i in range(d.shape[0]):
        x = d[i, lane]
        values[i] = x if plain else 1.0 + x
        applied[i] = math.log(x) if plain else math.log1p(x)
        if not (-np.inf < x < np.inf):
            return FAILED
        low, high = min(low, values[i]), max(high, values[i])
    return 0 if low > wide * high else WIDE


@kernel
def logarithm_slopes(g, A, U, values, applied, g_A, g_B, start, stop):
    """Fill the gradients of logarithms as matrices, by A and by B, from the gradient g.

    Cholesky factors are found again: that takes less time than memory for them.
    """
    n = A.shape[1]
    factor, V, Z = lane_matrix(n), lane_matrix(n), lane_matrix(n)
    W, K, work = lane_matrix(n), lane_matrix(n), lane_matrix(n)
    x, y, powers, rests = lane_array(n), lane_array(n), lane_array(n), lane_array(n)
    for first in range(start, stop, LANES):
        gather(A, first, stop, factor, True)
        cholesky(factor)
        gather(U, first, stop, V, False)
        gather(g, first, stop, K, True)
        _vectors(values, applied, first, stop, x, y, powers, rests)
        lower_times(factor, V, Z)
        solve_upper(factor, V, W)
        for i in range(n):
            for j in range(n):
                store(load(Z, i, j), V, j, i)
        congruence(V, K, Z, work)
        _divided(x, y, powers, rests, Z, K)
        congruence(W, K, V, work)
        scatter(V, g_B, first, stop)
        congruence(W, Z, V, work)
        scatter(V, g_A, first, stop)


@part
def _vectors(values, applied, first, last, x, y, powers, rests):
    """Fill lanes with eigenvalues, their logarithms, their powers of two, and the logarithms of what is left."""
    for lane in range(LANES):
        m = min(first + lane, last - 1)
        for i in range(values.shape[1]):
            fraction, exponent = math.frexp(values[m, i])
            x[i, lane], y[i, lane] = values[m, i], applied[m, i]
            powers[i, lane], rests[i, lane] = exponent, math.log(fraction)


@part
def _divided(x, y, powers, rests, K, inside):
    """Multiply K by the divided differences of the logarithm into ``inside``, and replace it by what is of A.

    Logarithms are subtracted by parts, so that large ones lose no digits.
    """
    n, one, far, two = x.shape[0], spread(1.0), spread(FAR), spread(math.log(2.0))
    half = spread(0.5)
    for i in range(n):
        a, p, r = load(x, i), load(powers, i), load(rests, i)
        for j in range(i + 1):
            b = load(x, j)
            total, gap = a + b, a - b
            z = gap / total
            series = (one + one) * _artanh_over(z * z) / total
            apart = where_less(far, size(z), gap, one)
            quotient = ((p - load(powers, j)) * two + (r - load(rests, j))) / apart
            entry = load(K, i, j)
            by_B = where_less(far, size(z), quotient, series) * entry
            by_A = half * ((load(y, i) + load(y, j)) * entry - total * by_B)
            store(by_B, inside, i, j)
            store(by_B, inside, j, i)
            store(by_A, K, i, j)
            store(by_A, K, j, i)


@part
def _artanh_over(square):
    """Return artanh(z) / z from the square of z, which is below that of FAR."""
    total = spread(1.0 / 25.0)
    for k in range(11, -1, -1):
        total = total * square + spread(1.0 / (2.0 * k + 1.0))
    return total


@kernel
def distance_slopes(A, U, by_A, by_B, g_A, g_B, start, stop):
    """Fill gradients from those by what A and B, in terms of the eigenvectors, have on their diagonals."""
    n = A.shape[1]
    factor, V, W, work = lane_matrix(n), lane_matrix(n), lane_matrix(n), lane_matrix(n)
    weights = lane_array(n)
    for first in range(start, stop, LANES):
        gather(A, first, stop, factor, True)
        cholesky(factor)
        gather(U, first, stop, V, False)
        solve_upper(factor, V, W)
        for by, g in ((by_A, g_A), (by_B, g_B)):
            for lane in range(LANES):
                m = min(first + lane, stop - 1)
                for i in range(n):
                    weights[i, lane] = by[m, i]
            scaled_square(W, weights, V, work)
            scatter(V, g, first, stop)
