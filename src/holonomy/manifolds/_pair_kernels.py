"""One pass over the coordinates of pairs of vectors: sums in double precision, and linear combinations.

Each kernel does rows [start, stop) of C-contiguous arrays (m, n) of one dtype; sums skip the columns before ``first``.
"""

import math

import numpy as np
from numba import njit

_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})


@_compiled
def lengths_rows(x, y, first, xx, yy, dd, start, stop):
    """Fill |x|^2, |y|^2 and |y - x|^2."""
    n = x.shape[1]
    for i in range(start, stop):
        sum_x, sum_y, sum_d = 0.0, 0.0, 0.0
        for j in range(first, n):
            a, b = np.float64(x[i, j]), np.float64(y[i, j])
            sum_x += a * a
            sum_y += b * b
            sum_d += (b - a) * (b - a)
        xx[i], yy[i], dd[i] = sum_x, sum_y, sum_d


@_compiled
def lengths_slopes(x, y, first, g_xx, g_yy, g_dd, g_x, g_y, start, stop):
    """Fill the gradients of the sums of :func:`lengths_rows`."""
    n = x.shape[1]
    for i in range(start, stop):
        u, v, w = 2.0 * g_xx[i], 2.0 * g_yy[i], 2.0 * g_dd[i]
        for j in range(first):
            g_x[i, j] = 0.0
            g_y[i, j] = 0.0
        for j in range(first, n):
            a, b = np.float64(x[i, j]), np.float64(y[i, j])
            g_x[i, j] = u * a - w * (b - a)
            g_y[i, j] = v * b + w * (b - a)


@_compiled
def angles_rows(x, y, first, xx, yy, gap, near, far, start, stop):
    """Fill |x|^2, |y|^2, |y| - |x|, |x||y| |u - w|^2 and |x||y| |u + w|^2, where u and w are the directions of x and y.

    The smaller vector is the one projected out, so that rounding stays relative to it.
    """
    n = x.shape[1]
    for i in range(start, stop):
        sum_x, sum_y, sum_ds = 0.0, 0.0, 0.0
        for j in range(first, n):
            a, b = np.float64(x[i, j]), np.float64(y[i, j])
            sum_x += a * a
            sum_y += b * b
            sum_ds += (b - a) * (b + a)
        norm_x, norm_y = math.sqrt(sum_x), math.sqrt(sum_y)
        total = norm_x + norm_y
        delta = sum_ds / total if total > 0.0 else 0.0
        xx[i], yy[i], gap[i] = sum_x, sum_y, delta
        near_sum, far_sum = 0.0, 0.0
        if norm_x > 0.0 and norm_y > 0.0:
            if norm_x <= norm_y:
                ratio = delta / norm_x
                for j in range(first, n):
                    a, b = np.float64(x[i, j]), np.float64(y[i, j])
                    turn, back = (b - a) - ratio * a, (b + a) + ratio * a
                    near_sum += turn * turn
                    far_sum += back * back
                scale = norm_x / norm_y
            else:
                ratio = delta / norm_y
                for j in range(first, n):
                    a, b = np.float64(x[i, j]), np.float64(y[i, j])
                    turn, back = (b - a) - ratio * b, (b + a) - ratio * b
                    near_sum += turn * turn
                    far_sum += back * back
                scale = norm_y / norm_x
            near_sum *= scale
            far_sum *= scale
        near[i], far[i] = near_sum, far_sum


@_compiled
def angles_slopes(x, y, first, xx, yy, gap, g_xx, g_yy, g_gap, g_near, g_far, g_x, g_y, start, stop):
    """Fill the gradients of the numbers of :func:`angles_rows`; directions of zero vectors count as zero."""
    n = x.shape[1]
    for i in range(start, stop):
        p, q, delta = math.sqrt(xx[i]), math.sqrt(yy[i]), gap[i]
        inv_p = 1.0 / p if p > 0.0 else 0.0
        inv_q = 1.0 / q if q > 0.0 else 0.0
        c, f = 2.0 * g_near[i], 2.0 * g_far[i]
        along_x = 2.0 * g_xx[i] - g_gap[i] * inv_p
        along_y = 2.0 * g_yy[i] + g_gap[i] * inv_q
        for j in range(first):
            g_x[i, j] = 0.0
            g_y[i, j] = 0.0
        if abs(delta) < 0.5 * max(p, q):
            turn_x, turn_y = delta * inv_p, delta * inv_q
            for j in range(first, n):
                a, b = np.float64(x[i, j]), np.float64(y[i, j])
                d, s = b - a, b + a
                g_x[i, j] = along_x * a + c * (turn_x * a - d) + f * (turn_x * a + s)
                g_y[i, j] = along_y * b + c * (d - turn_y * b) + f * (s - turn_y * b)
        else:
            turn_x, turn_y = q * inv_p, p * inv_q
            for j in range(first, n):
                a, b = np.float64(x[i, j]), np.float64(y[i, j])
                g_x[i, j] = along_x * a + c * (turn_x * a - b) + f * (turn_x * a + b)
                g_y[i, j] = along_y * b + c * (turn_y * b - a) + f * (turn_y * b + a)


@_compiled
def dots_rows(v, x, y, first, vx, vd, start, stop):
    """Fill <v, x> and <v, y - x>."""
    n = x.shape[1]
    for i in range(start, stop):
        sum_x, sum_d = 0.0, 0.0
        for j in range(first, n):
            a, b, c = np.float64(x[i, j]), np.float64(y[i, j]), np.float64(v[i, j])
            sum_x += c * a
            sum_d += c * (b - a)
        vx[i], vd[i] = sum_x, sum_d


@_compiled
def dots_slopes(v, x, y, first, g_vx, g_vd, g_v, g_x, g_y, start, stop):
    """Fill the gradients of the sums of :func:`dots_rows`."""
    n = x.shape[1]
    for i in range(start, stop):
        p, q = g_vx[i], g_vd[i]
        for j in range(first):
            g_v[i, j] = 0.0
            g_x[i, j] = 0.0
            g_y[i, j] = 0.0
        for j in range(first, n):
            a, b, c = np.float64(x[i, j]), np.float64(y[i, j]), np.float64(v[i, j])
            g_v[i, j] = p * a + q * (b - a)
            g_x[i, j] = (p - q) * c
            g_y[i, j] = q * c


@_compiled
def combine_rows(x, y, p, q, s, out, start, stop):
    """Fill p x + q (y + s x)."""
    n = x.shape[1]
    for i in range(start, stop):
        a, b, c = p[i], q[i], s[i]
        for j in range(n):
            u = np.float64(x[i, j])
            out[i, j] = a * u + b * (np.float64(y[i, j]) + c * u)


@_compiled
def combine_slopes(x, y, p, q, s, g, g_x, g_y, g_p, g_q, g_s, start, stop):
    """Fill the gradients of :func:`combine_rows`."""
    n = x.shape[1]
    for i in range(start, stop):
        a, b, c = p[i], q[i], s[i]
        both = a + b * c
        sum_x, sum_y = 0.0, 0.0
        for j in range(n):
            u, h = np.float64(x[i, j]), np.float64(g[i, j])
            g_x[i, j] = both * h
            g_y[i, j] = b * h
            sum_x += h * u
            sum_y += h * (np.float64(y[i, j]) + c * u)
        g_p[i], g_q[i], g_s[i] = sum_x, sum_y, b * sum_x


@_compiled
def shift_rows(v, x, y, e, p, q, out, start, stop):
    """Fill e v + p x + q (y - x)."""
    n = x.shape[1]
    for i in range(start, stop):
        a, b, c = e[i], p[i], q[i]
        for j in range(n):
            u = np.float64(x[i, j])
            out[i, j] = a * np.float64(v[i, j]) + b * u + c * (np.float64(y[i, j]) - u)


@_compiled
def shift_slopes(v, x, y, e, p, q, g, g_v, g_x, g_y, g_e, g_p, g_q, start, stop):
    """Fill the gradients of :func:`shift_rows`."""
    n = x.shape[1]
    for i in range(start, stop):
        a, b, c = e[i], p[i], q[i]
        rest = b - c
        sum_v, sum_x, sum_d = 0.0, 0.0, 0.0
        for j in range(n):
            u, h = np.float64(x[i, j]), np.float64(g[i, j])
            g_v[i, j] = a * h
            g_x[i, j] = rest * h
            g_y[i, j] = c * h
            sum_v += h * np.float64(v[i, j])
            sum_x += h * u
            sum_d += h * (np.float64(y[i, j]) - u)
        g_e[i], g_p[i], g_q[i] = sum_v, sum_x, sum_d
