"""Factors and eigendecompositions of small symmetric matrices in compiled code, one a lane and all lanes together.

A matrix is an array (n, n, LANES). Of symmetric matrices the lower triangle is read.
"""

import math

import numpy as np

from holonomy.manifolds._lanes import LANES, lane_array, load, part, root, signed, size, spread, store, where_less

EPS = 2.0**-53
TINY = 1e-140
"""What is off the diagonal counts as zero below this part of the largest entry, far below what rounding leaves."""

STEPS = 40
"""Most QL steps for one eigenvalue, of which it needs about two."""


@part
def lane_matrix(n):
    """Return room for a matrix (n, n, LANES)."""
    return lane_array(n * n).reshape(n, n, LANES)


@part
def gather(A, first, last, M, symmetric):
    """Fill M with matrices of A (m, n, n) from ``first`` on, or their symmetric parts; that before ``last`` repeats."""
    for lane in range(LANES):
        m = min(first + lane, last - 1)
        for i in range(A.shape[1]):
            for j in range(A.shape[1]):
                M[i, j, lane] = 0.5 * (A[m, i, j] + A[m, j, i]) if symmetric else A[m, i, j]


@part
def scatter(M, A, first, last):
    """Fill the matrices of A from ``first`` on, before ``last``, with those of M."""
    for lane in range(min(LANES, last - first)):
        for i in range(A.shape[1]):
            for j in range(A.shape[1]):
                A[first + lane, i, j] = M[i, j, lane]


@part
def cholesky(S):
    """Replace S by its lower Cholesky factor, not a number on the diagonal where there is none."""
    n, zero, one = S.shape[0], spread(0.0), spread(1.0)
    for k in range(n):
        pivot = root(load(S, k, k))
        over = one / pivot
        store(pivot, S, k, k)
        for i in range(k + 1, n):
            store(load(S, i, k) * over, S, i, k)
        for i in range(k + 1, n):
            c = load(S, i, k)
            for j in range(k + 1, i + 1):
                store(load(S, i, j) - c * load(S, j, k), S, i, j)
        for j in range(k + 1, n):
            store(zero, S, k, j)


@part
def whiten(L, M):
    """Replace symmetric M, whose both triangles are read, by the lower triangle of ``L^-1 M L^-T``."""
    n, one = M.shape[0], spread(1.0)
    for i in range(n):
        over = one / load(L, i, i)
        for j in range(n):
            total = load(M, i, j)
            for k in range(i):
                total = total - load(L, i, k) * load(M, k, j)
            store(total * over, M, i, j)
    for j in range(n):
        over = one / load(L, j, j)
        for i in range(j, n):
            total = load(M, i, j)
            for k in range(j):
                total = total - load(M, i, k) * load(L, j, k)
            store(total * over, M, i, j)


@part
def solve_upper(L, M, out):
    """Fill out with ``L^-T M``."""
    n, one = L.shape[0], spread(1.0)
    for i in range(n - 1, -1, -1):
        over = one / load(L, i, i)
        for j in range(n):
            total = load(M, i, j)
            for k in range(i + 1, n):
                total = total - load(L, k, i) * load(out, k, j)
            store(total * over, out, i, j)


@part
def lower_times(L, M, out):
    """Fill out with L M."""
    n = L.shape[0]
    for i in range(n):
        for j in range(n):
            total = load(L, i, 0) * load(M, 0, j)
            for k in range(1, i + 1):
                total = total + load(L, i, k) * load(M, k, j)
            store(total, out, i, j)


@part
def _both_triangles(work, Z, out):
    """Fill out with ``work Z^T`` where that is symmetric: one triangle is computed."""
    n = Z.shape[0]
    for i in range(n):
        for j in range(i + 1):
            total = load(work, i, 0) * load(Z, j, 0)
            for k in range(1, n):
                total = total + load(work, i, k) * load(Z, j, k)
            store(total, out, i, j)
            store(total, out, j, i)


@part
def congruence(Z, S, out, work):
    """Fill both triangles of out with the symmetric ``Z S Z^T``, S of both triangles."""
    n = Z.shape[0]
    for i in range(n):
        for j in range(n):
            total = load(Z, i, 0) * load(S, 0, j)
            for k in range(1, n):
                total = total + load(Z, i, k) * load(S, k, j)
            store(total, work, i, j)
    _both_triangles(work, Z, out)


@part
def scaled_square(Z, f, out, work):
    """Fill both triangles of out with ``Z diag(f) Z^T``, f (n, LANES)."""
    n = Z.shape[0]
    for i in range(n):
        for k in range(n):
            store(load(Z, i, k) * load(f, k), work, i, k)
    _both_triangles(work, Z, out)


@part
def eigen(E, d, U, vectors):
    """Fill eigenvalues d (n, LANES), in no order, and if asked eigenvectors, the columns of U; E is used up.

    They are not numbers where an entry is not finite. Say whether all converged.
    """
    n = E.shape[0]
    largest, rest, scale = spread(0.0), spread(0.0), lane_array(1)
    for i in range(n):
        for j in range(i + 1):
            entry = size(load(E, i, j))
            largest, rest = where_less(largest, entry, entry, largest), rest + (entry - entry)
    store(largest + rest, scale, 0)
    _powers(scale)
    factor = load(scale, 0)
    for i in range(n):
        for j in range(i + 1):
            store(load(E, i, j) * factor, E, i, j)
    e, taus = lane_array(n), lane_array(n)
    _tridiagonal(E, taus, d, e)
    if vectors:
        _reflections(E, taus, U)
    found = _diagonalise(d, e, U if vectors else U[:0])
    over = spread(1.0) / factor
    for i in range(n):
        store(load(d, i) * over, d, i)
    return found


@part
def _powers(scale):
    """Replace numbers by powers of two that bring them to about 1, so that nothing is rounded."""
    for lane in range(LANES):
        one = scale[0, lane]
        exponent = min(max(math.frexp(one)[1], -1000), 1000) if one < np.inf else 0
        scale[0, lane] = math.ldexp(1.0, -exponent) if one < np.inf else np.nan


@part
def _tridiagonal(E, taus, d, e):
    """Reduce E to a diagonal d and what is beside it, e, by reflections ``1 - tau h h^T``, whose h replace columns."""
    n = E.shape[0]
    p, zero, one, tiny = lane_array(n), spread(0.0), spread(1.0), spread(TINY * TINY)
    for k in range(n - 2):
        below = zero
        for i in range(k + 2, n):
            h = load(E, i, k)
            below = below + h * h
        first = load(E, k + 1, k)
        length = signed(root(first * first + below), first)
        top = first + length
        store(top, E, k + 1, k)
        # A column that is zero already stays what it is.
        tau = where_less(tiny, below, one / (length * top), zero)
        store(tau, taus, k)
        store(where_less(tiny, below, zero - length, first), e, k)
        _reflect_both(E, tau, k, p)
    for i in range(n):
        store(load(E, i, i), d, i)
    if n > 1:
        store(load(E, n - 1, n - 2), e, n - 2)
    store(zero, e, n - 1)


@part
def _reflect_both(E, tau, k, p):
    """Apply reflection k to both sides of what is left of E."""
    n, zero = E.shape[0], spread(0.0)
    for i in range(k + 1, n):
        h, total = load(E, i, k), zero
        for j in range(k + 1, i):
            entry = load(E, i, j)
            total = total + entry * load(E, j, k)
            store(load(p, j) + entry * h, p, j)
        store(total + load(E, i, i) * h, p, i)
    total = zero
    for i in range(k + 1, n):
        entry = tau * load(p, i)
        store(entry, p, i)
        total = total + entry * load(E, i, k)
    total = spread(0.5) * tau * total
    for i in range(k + 1, n):
        store(load(p, i) - total * load(E, i, k), p, i)
    for i in range(k + 1, n):
        h, q = load(E, i, k), load(p, i)
        for j in range(k + 1, i + 1):
            store(load(E, i, j) - (h * load(p, j) + q * load(E, j, k)), E, i, j)


@part
def _reflections(E, taus, Q):
    """Fill Q with the product of the reflections, the first one leftmost."""
    n, zero = E.shape[0], spread(0.0)
    p = lane_array(n)
    Q[:] = 0.0
    for i in range(n):
        Q[i, i] = 1.0
    for k in range(n - 3, -1, -1):
        for j in range(k + 1, n):
            total = zero
            for i in range(k + 1, n):
                total = total + load(E, i, k) * load(Q, i, j)
            store(total * load(taus, k), p, j)
        for i in range(k + 1, n):
            h = load(E, i, k)
            for j in range(k + 1, n):
                store(load(Q, i, j) - h * load(p, j), Q, i, j)


@part
def _diagonalise(d, e, U):
    """Make tridiagonal matrices diagonal by implicit QL steps that turn the columns of U; say whether that succeeded.

    Each rotation of one matrix waits for the one before; here those of all lanes are done together. U may have no rows
    where nobody asks for vectors.
    """
    n = d.shape[0]
    rows, start, turns = lane_array(2), lane_array(1), lane_array(2 * n).reshape(2, n, LANES)
    start[:] = 0.0
    for _ in range(STEPS * n):
        _blocks(d, e, rows)
        first, last = n, 0
        for lane in range(LANES):
            low, high = int(rows[0, lane]), int(rows[1, lane])
            if low < high:
                first, last = min(first, low), max(last, high)
                start[0, lane] = _first_entry(d, e, lane, low, high)
        if first >= last:
            return True
        _step(d, e, rows, first, last, start, turns)
        for row in range(U.shape[0]):
            right = load(U, row, last)
            for i in range(last - 1, first - 1, -1):
                c, s, left = load(turns, 0, i), load(turns, 1, i), load(U, row, i)
                store(s * left + c * right, U, row, i + 1)
                right = c * left - s * right
            store(right, U, row, first)
    return False


@part
def _blocks(d, e, rows):
    """Fill rows (2, LANES) with the ends of the first block that is not yet diagonal, the same where there is none."""
    n, eps, tiny = d.shape[0], spread(EPS), spread(TINY)
    low, high, run = spread(0.0), spread(0.0), spread(n - 1.0)
    for i in range(n - 2, -1, -1):
        beside, here = size(load(e, i)), spread(float(i))
        small = eps * (size(load(d, i)) + size(load(d, i + 1))) + tiny
        low, high = where_less(small, beside, here, low), where_less(small, beside, run, high)
        run = where_less(small, beside, run, here)
    store(low, rows, 0)
    store(high, rows, 1)


@part
def _first_entry(d, e, lane, low, high):
    """Return the entry that the first rotation of a step starts from: Wilkinson's shift off the last diagonal one."""
    g = 0.5 * (d[low + 1, lane] - d[low, lane]) / e[low, lane]
    g += math.copysign(math.sqrt(g * g + 1.0), g)
    return d[high, lane] - d[low, lane] + e[low, lane] / g


@part
def _step(d, e, rows, first, last, start, turns):
    """Do one QL step on the rows of each lane's block; cosines and sines are left in ``turns``."""
    zero, one, half, two = spread(0.0), spread(1.0), spread(0.5), spread(2.0)
    low, high = load(rows, 0), load(rows, 1)
    g, s, c, p = load(start, 0), one, one, zero
    for i in range(last - 1, first - 1, -1):
        here = spread(float(i)) + half
        above, under = low - here, here - high
        # Negative in the block.
        outside = where_less(above, under, under, above)
        this, next_one, beside = load(d, i), load(d, i + 1), load(e, i)
        f, b = s * beside, c * beside
        square = f * f + g * g
        over = one / root(where_less(zero, square, square, one))
        sine, cosine = f * over, where_less(zero, square, g * over, one)
        shifted = next_one - p
        turn = (this - shifted) * sine + two * cosine * b
        moved = sine * turn
        store(where_less(outside, zero, square * over, load(e, i + 1)), e, i + 1)
        store(where_less(outside, zero, shifted + moved, next_one), d, i + 1)
        g = where_less(outside, zero, cosine * turn - b, g)
        s, c = where_less(outside, zero, sine, s), where_less(outside, zero, cosine, c)
        p = where_less(outside, zero, moved, p)
        store(where_less(outside, zero, cosine, one), turns, 0, i)
        store(where_less(outside, zero, sine, zero), turns, 1, i)
    store(p, turns, 0, d.shape[0] - 1)
    store(g, turns, 1, d.shape[0] - 1)
    for lane in range(LANES):
        top, end = int(rows[0, lane]), int(rows[1, lane])
        if top < end:
            d[top, lane] -= turns[0, d.shape[0] - 1, lane]
            e[top, lane] = turns[1, d.shape[0] - 1, lane]
            e[end, lane] = 0.0
