"""The verbs of the stereographic chart of a curvature ``k <= 0``, one pass over the rows each, and their gradients.

A kernel ``VERB`` fills the result from the coordinates; ``VERB_slopes`` fills the gradients by each input from the
gradient ``g`` by the result. Both do rows [start, stop) of C-contiguous arrays (m, n) of one dtype.
"""

import math

import numpy as np
from numba import njit

from holonomy.manifolds._lane_functions import arcs
from holonomy.manifolds._lane_rows import collect_lengths, entries, inside, parts_room, put, room
from holonomy.manifolds._lanes import LANES, ROWS, load, root, spread, store, where_less
from holonomy.manifolds._row_loops import (
    arc,
    difference,
    gaps,
    kept,
    kernel,
    moves,
    products,
    squares,
    stretch,
    stretch_slope,
    summed,
    tangent,
    tangent_slope,
    turned,
)

_LONGEST = 1e200
"""Largest square of half the length of a step, at curvature -1: it ends at the edge of the ball long before."""


@kept
def _conformal(k, x, y, i):
    """Return 1 + k |x|^2, the same of y, and sn(d/2)^2."""
    a, b = 1.0 + k * squares(x, i, 0), 1.0 + k * squares(y, i, 0)
    return a, b, gaps(x, y, i, 0) / (a * b)


@kernel
def dist(k, x, y, out, start, stop):
    """Fill distances."""
    parts, (lanes, numbers) = parts_room(4), room(4)
    one, curvature = spread(1.0), spread(k)
    for first in range(start, stop, ROWS):
        count = min(ROWS, stop - first)
        collect_lengths(x, y, first, count, 0, parts, lanes)
        for i in range((count + LANES - 1) // LANES):
            a, b = one + curvature * load(lanes, 0, i), one + curvature * load(lanes, 1, i)
            q = load(lanes, 3, i) / (a * b)
            store(spread(2.0) * root(q) * arcs(spread(-k) * q), lanes, 3, i)
        for r in range(count):
            out[first + r] = numbers[3, r]


@kernel
def squared_dist(k, x, y, out, start, stop):
    """Fill squared distances."""
    for i in range(start, stop):
        _, _, q = _conformal(k, x, y, i)
        ratio = arc(-k * q)
        out[i] = 4.0 * q * ratio * ratio


@inside
def _steps(k, g, first, count, lanes, numbers):
    """Turn the lengths into the factors of x, y and y - x in the gradients of a distance."""
    for r in range(count):
        numbers[2, r] = g[first + r]
    zero, one, curvature = spread(0.0), spread(1.0), spread(k)
    for i in range((count + LANES - 1) // LANES):
        a, b = one + curvature * load(lanes, 0, i), one + curvature * load(lanes, 1, i)
        q, gradient = load(lanes, 3, i) / (a * b), load(lanes, 2, i)
        square = q * (one - curvature * q)
        double = where_less(zero, square, gradient / root(where_less(zero, square, square, one)), zero)
        double = double + double
        along = curvature * q * double
        store(zero - along / a, lanes, 0, i), store(zero - along / b, lanes, 1, i), store(double / (a * b), lanes, 2, i)


@inside
def _put_slopes(x, y, first, count, numbers, g_x, g_y):
    """Fill the gradients of some rows from these factors."""
    for r in range(count):
        i = first + r
        p, q, c = spread(numbers[0, r]), spread(numbers[1, r]), spread(numbers[2, r])
        for j in range(0, x.shape[1], LANES):
            a, b = entries(x, i, j), entries(y, i, j)
            step = c * (b - a)
            put(p * a - step, g_x, i, j)
            put(q * b + step, g_y, i, j)


@kernel
def dist_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`dist`; 0 where the points are the same."""
    parts, (lanes, numbers) = parts_room(4), room(4)
    for first in range(start, stop, ROWS):
        count = min(ROWS, stop - first)
        collect_lengths(x, y, first, count, 0, parts, lanes)
        _steps(k, g, first, count, lanes, numbers)
        _put_slopes(x, y, first, count, numbers, g_x, g_y)


@kernel
def squared_dist_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`squared_dist`."""
    for i in range(start, stop):
        a, b, q = _conformal(k, x, y, i)
        _chord_slopes(k, x, y, i, a, b, q, 4.0 * stretch(-k * q) * g[i], g_x, g_y)


@kept
def _chord_slopes(k, x, y, i, a, b, q, by_q, g_x, g_y):
    """Fill the gradients by the points of a function whose derivative by sn(d/2)^2 is ``by_q``."""
    c = 2.0 * by_q / (a * b)
    along_x, along_y = -2.0 * k * q * by_q / a, -2.0 * k * q * by_q / b
    for j in range(x.shape[1]):
        u, w = np.float64(x[i, j]), np.float64(y[i, j])
        d = difference(u, w)
        g_x[i, j] = along_x * u - c * d
        g_y[i, j] = along_y * w + c * d


@kernel
def log(k, x, y, out, start, stop):
    """Fill logarithms."""
    for i in range(start, stop):
        a, b, q = _conformal(k, x, y, i)
        s = stretch(-k * q)
        p, c = k * q * a * s, a * s / b
        for j in range(x.shape[1]):
            u = np.float64(x[i, j])
            out[i, j] = p * u + c * difference(u, np.float64(y[i, j]))


@kernel
def log_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`log`."""
    for i in range(start, stop):
        a, b, q = _conformal(k, x, y, i)
        s = stretch(-k * q)
        steep = -k * stretch_slope(-k * q, s)
        by_p, by_c = products(g, x, i, 0), moves(g, x, y, i, 0)
        by_q = by_p * k * a * (s + q * steep) + by_c * a / b * steep
        by_a = by_p * k * q * s + by_c * s / b - by_q * q / a
        by_b = -by_c * a * s / (b * b) - by_q * q / b
        p, c = k * q * a * s, a * s / b
        along_x, along_y, along = 2.0 * k * by_a, 2.0 * k * by_b, 2.0 * by_q / (a * b)
        for j in range(x.shape[1]):
            u, w, h = np.float64(x[i, j]), np.float64(y[i, j]), np.float64(g[i, j])
            d = difference(u, w)
            g_x[i, j] = (p - c) * h + along_x * u - along * d
            g_y[i, j] = c * h + along_y * w + along * d


@summed
def _ends(x, v, s, i):
    """Return |x + s v|^2, which is accurate when the sum cancels."""
    total = 0.0
    for j in range(x.shape[1]):
        end = turned(np.float64(v[i, j]), np.float64(x[i, j]), -s)
        total += end * end
    return total


@kept
def _step(k, x, v, i):
    """Return 1 + k |x|^2, |v|^2, T / t and 1 - T^2 at half the length t, |x + s v|^2 and the divisor; T is tanh(t)."""
    a, vv = 1.0 + k * squares(x, i, 0), squares(v, i, 0)
    ratio, square = tangent(-k * vv / (a * a))
    spread = _ends(x, v, ratio / a, i)
    return a, vv, ratio, square, spread, a * square - k * spread


@kept
def _shrink(conformal, edge):
    """Return the factor that keeps a point with this 1 + k |y|^2 inside the ball when it is rounded."""
    return edge / math.sqrt(1.0 - conformal) if conformal < 1.0 - edge * edge else 1.0


@kept
def _exp(k, edge, x, v, out, i):
    """Fill where a geodesic ends, and return the square of half its length."""
    a, vv, ratio, square, spread, below = _step(k, x, v, i)
    factor = _shrink(a * square / below, edge) / below
    p, c = (a - k * spread) * factor, ratio * factor
    for j in range(x.shape[1]):
        out[i, j] = p * np.float64(x[i, j]) + c * np.float64(v[i, j])
    return -k * vv / (a * a)


@njit(error_model="numpy")
def _shortened(k, x, v, i):
    """Return the row of v as long as lets its square not overflow; it ends at the edge of the ball just as well."""
    a, largest = 1.0 + k * squares(x, i, 0), 0.0
    for j in range(x.shape[1]):
        largest = max(largest, abs(np.float64(v[i, j])))
    row = np.empty((1, x.shape[1]))
    for j in range(x.shape[1]):
        row[0, j] = np.float64(v[i, j]) / largest * (math.sqrt(_LONGEST) * a)
    return row


@kept
def _all_steps(step, k, edge, x, v, out, start, stop):
    """Fill where steps end, of which those that are too long to be squared are shortened."""
    for i in range(start, stop):
        if step(k, edge, x, v, out, i) > _LONGEST:
            step(k, edge, x[i : i + 1], _shortened(k, x, v, i), out[i : i + 1], 0)


@kernel
def exp(k, edge, x, v, out, start, stop):
    """Fill where geodesics end; ``edge`` is the largest radius that can be stored, in units of the ball's."""
    _all_steps(_exp, k, edge, x, v, out, start, stop)


@kept
def _slopes(k, edge, step, x, v, g, g_x, g_v, i):
    """Fill the gradients of a step (what :func:`_step` returns, then the slopes of T / t and 1 - T^2 by t^2)."""
    a, vv, ratio, square, spread, below, ratio_slope, square_slope = step
    z, s = -k * vv / (a * a), ratio / a
    p, c = (a - k * spread) / below, ratio / below
    by_p, by_c = products(g, x, i, 0), products(g, v, i, 0)
    factor, radial = _shrink(a * square / below, edge), 0.0
    if factor < 1.0:
        # On the edge only what is across the radius counts.
        size = p * p * squares(x, i, 0) + 2.0 * p * c * products(x, v, i, 0) + c * c * vv
        radial = (by_p * p + by_c * c) / size
        by_p -= radial * (p * squares(x, i, 0) + c * products(x, v, i, 0))
        by_c -= radial * (p * products(x, v, i, 0) + c * vv)
    by_p, by_c = factor * by_p, factor * by_c
    sine = z * ratio * ratio
    by_spread = k / below * (by_p * a * sine / below + by_c * c)
    by_a = -by_p * k * spread / below * sine / below - by_c * c * square / below
    by_square = -a / below * (by_p * p + by_c * c)
    by_s = 2.0 * by_spread * (products(x, v, i, 0) + s * vv)
    by_ratio = by_c / below + by_s / a
    by_z = by_ratio * ratio_slope + by_square * square_slope
    by_a -= by_s * s / a + 2.0 * by_z * z / a
    along_x, along_v = 2.0 * k * by_a, -2.0 * k * by_z / (a * a)
    to_x, to_v = factor * p, factor * c
    for j in range(x.shape[1]):
        u, w, h = np.float64(x[i, j]), np.float64(v[i, j]), np.float64(g[i, j])
        h -= radial * (p * u + c * w)
        pull = 2.0 * by_spread * turned(w, u, -s)
        g_x[i, j] = to_x * h + along_x * u + pull
        g_v[i, j] = to_v * h + along_v * w + s * pull
    return z


@kept
def _exp_slopes(k, edge, x, v, g, g_x, g_v, i):
    """Fill the gradients of :func:`_exp`, and return what it does."""
    a, vv, ratio, square, spread, below = _step(k, x, v, i)
    slope = tangent_slope(-k * vv / (a * a), ratio, square)
    step = (a, vv, ratio, square, spread, below, slope, -ratio * square)
    return _slopes(k, edge, step, x, v, g, g_x, g_v, i)


@kept
def _all_slopes(slopes, k, edge, x, v, g, g_x, g_v, start, stop):
    """Fill the gradients of steps, of which those that are too long to be squared are shortened."""
    for i in range(start, stop):
        if slopes(k, edge, x, v, g, g_x, g_v, i) > _LONGEST:
            row, at = _shortened(k, x, v, i), slice(i, i + 1)
            slopes(k, edge, x[at], row, g[at], g_x[at], g_v[at], 0)
            _rescale(row, v, g_v, i)


@kernel
def exp_slopes(k, edge, x, v, g, g_x, g_v, start, stop):
    """Fill the gradients of :func:`exp`."""
    _all_slopes(_exp_slopes, k, edge, x, v, g, g_x, g_v, start, stop)


@njit(error_model="numpy")
def _rescale(row, v, g_v, i):
    """Turn the gradient by the shortened row of v into that by v itself."""
    largest = 0
    for j in range(v.shape[1]):
        largest = j if abs(v[i, j]) > abs(v[i, largest]) else largest
    for j in range(v.shape[1]):
        g_v[i, j] *= row[0, largest] / v[i, largest]


@kept
def _chordal(k, edge, x, v, out, i):
    """Fill where a step ends whose vector is as long as its chord, and return the square of half its length.

    With all terms of ``exp`` multiplied by ``r^2 = (1 + k |x|^2)^2 - k |v|^2`` there is one division.
    """
    a, vv = 1.0 + k * squares(x, i, 0), squares(v, i, 0)
    cube, rr = a * a * a, a * a - k * vv
    r = math.sqrt(rr)
    ends = -k * _ends(v, x, r, i)
    below = 1.0 / (cube + ends)
    factor = _shrink(cube * below, edge) * below
    p, c = (a * rr + ends) * factor, a * r * factor
    for j in range(x.shape[1]):
        out[i, j] = p * np.float64(x[i, j]) + c * np.float64(v[i, j])
    return rr / (a * a)


@kernel
def chordal(k, edge, x, v, out, start, stop):
    """Fill where steps end whose vectors are as long as their chords."""
    _all_steps(_chordal, k, edge, x, v, out, start, stop)


@kept
def _chordal_slopes(k, edge, x, v, g, g_x, g_v, i):
    """Fill the gradients of :func:`_chordal`, where T is t / sqrt(1 + t^2), and return what it does."""
    a, vv = 1.0 + k * squares(x, i, 0), squares(v, i, 0)
    square = 1.0 / (1.0 - k * vv / (a * a))
    ratio = math.sqrt(square)
    spread = _ends(x, v, ratio / a, i)
    step = (a, vv, ratio, square, spread, a * square - k * spread, -0.5 * ratio * square, -square * square)
    return _slopes(k, edge, step, x, v, g, g_x, g_v, i)


@kernel
def chordal_slopes(k, edge, x, v, g, g_x, g_v, start, stop):
    """Fill the gradients of :func:`chordal`."""
    _all_slopes(_chordal_slopes, k, edge, x, v, g, g_x, g_v, start, stop)


@kernel
def transport(k, x, y, v, out, start, stop):
    """Fill vectors moved along geodesics: turned by the gyration, stretched by the ratio of the metrics."""
    for i in range(start, stop):
        xx, yy, dd = squares(x, i, 0), squares(y, i, 0), gaps(x, y, i, 0)
        a, b = 1.0 + k * xx, 1.0 + k * yy
        vx, vd = products(v, x, i, 0), moves(v, x, y, i, 0)
        scale = b / a
        double = 2.0 * k * scale / (a * b - k * dd)
        p = -double * (a * vd + k * dd * vx)
        c = double * (vx * (b - k * dd) - k * xx * vd)
        for j in range(x.shape[1]):
            u = np.float64(x[i, j])
            out[i, j] = scale * np.float64(v[i, j]) + p * u + c * difference(u, np.float64(y[i, j]))


@kernel
def transport_slopes(k, x, y, v, g, g_x, g_y, g_v, start, stop):
    """Fill the gradients of :func:`transport`."""
    for i in range(start, stop):
        xx, yy, dd = squares(x, i, 0), squares(y, i, 0), gaps(x, y, i, 0)
        a, b = 1.0 + k * xx, 1.0 + k * yy
        vx, vd = products(v, x, i, 0), moves(v, x, y, i, 0)
        scale, below = b / a, a * b - k * dd
        double = 2.0 * k * scale / below
        along, across = a * vd + k * dd * vx, vx * (b - k * dd) - k * xx * vd
        p, c = -double * along, double * across
        by_p, by_c = products(g, x, i, 0), moves(g, x, y, i, 0)
        by_double = by_c * across - by_p * along
        by_vx = double * (by_c * (b - k * dd) - by_p * k * dd)
        by_vd = -double * (by_p * a + by_c * k * xx)
        by_below = -by_double * double / below
        by_scale = products(g, v, i, 0) + by_double * 2.0 * k / below
        by_dd = -double * k * vx * (by_p + by_c) - k * by_below
        by_a = -by_p * double * vd + by_below * b - by_scale * scale / a
        by_b = by_c * double * vx + by_below * a + by_scale / a
        along_x, along_y = 2.0 * k * (by_a - by_c * double * vd), 2.0 * k * by_b
        for j in range(x.shape[1]):
            u, w, t, h = np.float64(x[i, j]), np.float64(y[i, j]), np.float64(v[i, j]), np.float64(g[i, j])
            d = difference(u, w)
            g_v[i, j] = scale * h + by_vx * u + by_vd * d
            g_x[i, j] = (p - c) * h + along_x * u - 2.0 * by_dd * d + (by_vx - by_vd) * t
            g_y[i, j] = c * h + along_y * w + 2.0 * by_dd * d + by_vd * t
