"""The verbs of the stereographic chart of a curvature ``k <= 0``, one pass over the rows each, and their gradients.

A kernel ``VERB`` fills the result from the coordinates; ``VERB_slopes`` fills the gradients by each input from the
gradient ``g`` by the result. Both do rows [start, stop) of C-contiguous arrays (m, n) of one dtype.
"""

import math

import numpy as np

from holonomy.manifolds._lane_functions import arcs
from holonomy.manifolds._lanes import LANES, ROWS, lane_array, load, root, spread, store
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


@kept
def _conformal(k, x, y, i):
    """Return 1 + k |x|^2, the same of y, and sn(d/2)^2."""
    a, b = 1.0 + k * squares(x, i, 0), 1.0 + k * squares(y, i, 0)
    return a, b, gaps(x, y, i, 0) / (a * b)


@kernel
def dist(k, x, y, out, start, stop):
    """Fill distances."""
    lanes = lane_array(ROWS // LANES)
    numbers = lanes.reshape(ROWS)
    for first in range(start, stop, ROWS):
        count = min(ROWS, stop - first)
        for i in range(count):
            numbers[i] = _conformal(k, x, y, first + i)[2]
        for i in range((count + LANES - 1) // LANES):
            q = load(lanes, i)
            store(spread(2.0) * root(q) * arcs(spread(-k) * q), lanes, i)
        for i in range(count):
            out[first + i] = numbers[i]


@kernel
def squared_dist(k, x, y, out, start, stop):
    """Fill squared distances."""
    for i in range(start, stop):
        _, _, q = _conformal(k, x, y, i)
        ratio = arc(-k * q)
        out[i] = 4.0 * q * ratio * ratio


@kernel
def dist_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`dist`; 0 where the points are the same."""
    for i in range(start, stop):
        a, b, q = _conformal(k, x, y, i)
        below = math.sqrt(q * (1.0 - k * q))
        _chord_slopes(k, x, y, i, a, b, q, g[i] / below if below > 0.0 else 0.0, g_x, g_y)


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
    """Return 1 + k |x|^2, |v|^2, tanh(t) / t and 1 / cosh(t)^2 at half the length t, |x + s v|^2 and the divisor."""
    a, vv = 1.0 + k * squares(x, i, 0), squares(v, i, 0)
    ratio, square = tangent(-k * vv / (a * a))
    spread = _ends(x, v, ratio / a, i)
    return a, vv, ratio, square, spread, a * square - k * spread


@kept
def _shrink(conformal, edge):
    """Return the factor that keeps a point with this 1 + k |y|^2 inside the ball when it is rounded."""
    return edge / math.sqrt(1.0 - conformal) if conformal < 1.0 - edge * edge else 1.0


@kernel
def exp(k, edge, x, v, out, start, stop):
    """Fill where geodesics end; ``edge`` is the largest radius that can be stored, in units of the ball's."""
    for i in range(start, stop):
        a, _, ratio, square, spread, below = _step(k, x, v, i)
        factor = _shrink(a * square / below, edge) / below
        p, c = (a - k * spread) * factor, ratio * factor
        for j in range(x.shape[1]):
            out[i, j] = p * np.float64(x[i, j]) + c * np.float64(v[i, j])


@kernel
def exp_slopes(k, edge, x, v, g, g_x, g_v, start, stop):
    """Fill the gradients of :func:`exp`."""
    for i in range(start, stop):
        a, vv, ratio, square, spread, below = _step(k, x, v, i)
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
        by_z = by_ratio * tangent_slope(z, ratio, square) - by_square * ratio * square
        by_a -= by_s * s / a + 2.0 * by_z * z / a
        along_x, along_v = 2.0 * k * by_a, -2.0 * k * by_z / (a * a)
        to_x, to_v = factor * p, factor * c
        for j in range(x.shape[1]):
            u, w, h = np.float64(x[i, j]), np.float64(v[i, j]), np.float64(g[i, j])
            h -= radial * (p * u + c * w)
            pull = 2.0 * by_spread * turned(w, u, -s)
            g_x[i, j] = to_x * h + along_x * u + pull
            g_v[i, j] = to_v * h + along_v * w + s * pull


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
