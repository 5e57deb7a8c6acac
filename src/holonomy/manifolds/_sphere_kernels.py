"""The verbs of the sphere of a curvature ``k > 0``, one pass over the rows each, and their gradients.

A kernel ``VERB`` fills the result from the coordinates; ``VERB_slopes`` fills the gradients by each input from the
gradient ``g`` by the result. Both do rows [start, stop) of C-contiguous arrays (m, n) of one dtype. Points are read as
directions; angles come from what of one point is across the other, found from the difference of near points and from
the sum of nearly opposite ones.
"""

import math

import numpy as np

from holonomy.manifolds._lane_functions import angles
from holonomy.manifolds._lanes import LANES, ROWS, lane_array, load, root, spread, store
from holonomy.manifolds._row_loops import (
    SERIES,
    arcsin_slope,
    kept,
    kernel,
    products,
    squares,
    summed,
    trigonometric,
    trigonometric_slope,
    turned,
)


@kept
def _join(a, b, side):
    """Return b - a on the near side (-1), b + a on the far side (1)."""
    return b + side * a


@summed
def _along(x, y, side, i):
    total = 0.0
    for j in range(x.shape[1]):
        a = np.float64(x[i, j])
        total += a * _join(a, np.float64(y[i, j]), side)
    return total


@summed
def _across(x, y, side, c, i):
    total = 0.0
    for j in range(x.shape[1]):
        a = np.float64(x[i, j])
        r = turned(a, _join(a, np.float64(y[i, j]), side), c)
        total += r * r
    return total


@kept
def _pair(x, y, i):
    """Return |x|^2, |y|^2, <x, y>, the side, c, and |r|^2: y less its part along x is ``r = y + side x - c x``."""
    xx, yy, xy = squares(x, i, 0), squares(y, i, 0), products(x, y, i, 0)
    side = -1.0 if xy > 0.0 else 1.0
    c = _along(x, y, side, i) / xx
    return xx, yy, xy, side, c, _across(x, y, side, c, i)


@kept
def _angle(pair):
    xx, _, xy, _, _, rr = pair
    return math.atan2(math.sqrt(rr * xx), xy)


@kernel
def dist(k, x, y, out, start, stop):
    """Fill distances."""
    radius = spread(1.0 / math.sqrt(k))
    lanes, others = lane_array(ROWS // LANES), lane_array(ROWS // LANES)
    sines, cosines = lanes.reshape(ROWS), others.reshape(ROWS)
    for first in range(start, stop, ROWS):
        count = min(ROWS, stop - first)
        for i in range(count):
            xx, _, xy, _, _, rr = _pair(x, y, first + i)
            sines[i], cosines[i] = rr * xx, xy
        for i in range((count + LANES - 1) // LANES):
            store(radius * angles(root(load(lanes, i)), load(others, i)), lanes, i)
        for i in range(count):
            out[first + i] = sines[i]


@kernel
def squared_dist(k, x, y, out, start, stop):
    """Fill squared distances."""
    for i in range(start, stop):
        angle = _angle(_pair(x, y, i))
        out[i] = angle * angle / k


@kept
def _angle_slopes(x, y, i, pair, over_sine, g_x, g_y):
    """Add to the gradients those of a function of the angle whose derivative over the sine is ``over_sine``."""
    xx, yy, _, side, c, _ = pair
    other = _along(y, x, side, i) / yy
    scale = over_sine / math.sqrt(xx * yy)
    for j in range(x.shape[1]):
        a, b = np.float64(x[i, j]), np.float64(y[i, j])
        g_x[i, j] -= scale * turned(a, _join(a, b, side), c)
        g_y[i, j] -= scale * turned(b, _join(b, a, side), other)


@kept
def _clear(i, g_x, g_y):
    for j in range(g_x.shape[1]):
        g_x[i, j] = 0.0
        g_y[i, j] = 0.0


@kernel
def dist_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`dist`; 0 at coincident and at opposite points."""
    for i in range(start, stop):
        pair = _pair(x, y, i)
        _clear(i, g_x, g_y)
        if pair[5] > 0.0:
            _angle_slopes(x, y, i, pair, g[i] / math.sqrt(k * pair[5] / pair[1]), g_x, g_y)


@kernel
def squared_dist_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`squared_dist`; 0 at coincident and at opposite points."""
    for i in range(start, stop):
        pair = _pair(x, y, i)
        _clear(i, g_x, g_y)
        if pair[5] > 0.0:
            steep = 2.0 / k * g[i] * _angle(pair) / math.sqrt(pair[5] / pair[1])
            _angle_slopes(x, y, i, pair, steep, g_x, g_y)


@kept
def _unrolled(pair):
    """Return by what y less its part along x is multiplied to make the logarithm, and angle over sine."""
    xx, yy, _, _, _, rr = pair
    sine = math.sqrt(rr / yy)
    ratio = _angle(pair) / sine if sine > 0.0 else 1.0
    return ratio * math.sqrt(xx / yy), ratio


@kept
def _half_turn(k, x, i, xx, out):
    """Fill a logarithm of the opposite point, along the first of the axes that x leans on least."""
    least = 0
    for j in range(1, x.shape[1]):
        if abs(x[i, j]) < abs(x[i, least]):
            least = j
    lean = np.float64(x[i, least]) / xx
    scale = math.pi / math.sqrt(k * (1.0 - lean * lean * xx))
    for j in range(x.shape[1]):
        out[i, j] = -scale * lean * np.float64(x[i, j])
    out[i, least] += scale


@kernel
def log(k, x, y, out, start, stop):
    """Fill logarithms."""
    for i in range(start, stop):
        pair = _pair(x, y, i)
        xx, _, _, side, c, rr = pair
        if rr == 0.0 and side > 0.0:
            _half_turn(k, x, i, xx, out)
            continue
        scale, _ = _unrolled(pair)
        for j in range(x.shape[1]):
            a = np.float64(x[i, j])
            out[i, j] = scale * turned(a, _join(a, np.float64(y[i, j]), side), c)


@kernel
def log_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`log`; 0 at opposite points."""
    for i in range(start, stop):
        pair = _pair(x, y, i)
        xx, yy, xy, side, c, rr = pair
        if rr == 0.0 and side > 0.0:
            _clear(i, g_x, g_y)
            continue
        scale, ratio = _unrolled(pair)
        gx, gy = products(g, x, i, 0) / xx, products(g, y, i, 0)
        across = gy - xy * gx
        square = rr / yy
        if side < 0.0 and square < SERIES:
            steep = 2.0 * xy / math.sqrt(xx * yy) * arcsin_slope(square)
        else:
            steep = (1.0 - ratio * xy / math.sqrt(xx * yy)) / square
        along_x, along_y = scale * across / xx, -scale * across / yy
        for j in range(x.shape[1]):
            a, b, h = np.float64(x[i, j]), np.float64(y[i, j]), np.float64(g[i, j])
            flat = h - gx * a
            g_x[i, j] = along_x * a - scale * (xy / xx * flat + gx * turned(a, _join(a, b, side), c))
            g_y[i, j] = scale * flat + along_y * b
        _angle_slopes(x, y, i, pair, across * steep * math.sqrt(xx / yy), g_x, g_y)


@kernel
def exp(k, x, v, out, start, stop):
    """Fill where geodesics end."""
    for i in range(start, stop):
        cos, sinc = trigonometric(k * squares(v, i, 0))
        for j in range(x.shape[1]):
            out[i, j] = cos * np.float64(x[i, j]) + sinc * np.float64(v[i, j])


@kernel
def exp_slopes(k, x, v, g, g_x, g_v, start, stop):
    """Fill the gradients of :func:`exp`."""
    for i in range(start, stop):
        z = k * squares(v, i, 0)
        cos, sinc = trigonometric(z)
        along = 2.0 * k * (products(g, v, i, 0) * trigonometric_slope(z, cos, sinc) - 0.5 * products(g, x, i, 0) * sinc)
        for j in range(x.shape[1]):
            h = np.float64(g[i, j])
            g_x[i, j] = cos * h
            g_v[i, j] = sinc * h + along * np.float64(v[i, j])


@kept
def _half_cosine(pair):
    """Return cos^2 of half the angle, and 1 for opposite points, where nothing is divided by it."""
    xx, yy, xy, side, _, rr = pair
    cosine = xy / math.sqrt(xx * yy)
    if side < 0.0:
        return 0.5 * (1.0 + cosine)
    return 0.5 * rr / (yy * (1.0 - cosine)) if rr > 0.0 else 1.0


@kernel
def transport(k, x, y, v, out, start, stop):
    """Fill vectors moved along geodesics."""
    for i in range(start, stop):
        slope = -0.5 * k * products(v, y, i, 0) / _half_cosine(_pair(x, y, i))
        for j in range(x.shape[1]):
            out[i, j] = np.float64(v[i, j]) + slope * (np.float64(x[i, j]) + np.float64(y[i, j]))


@kernel
def transport_slopes(k, x, y, v, g, g_x, g_y, g_v, start, stop):
    """Fill the gradients of :func:`transport`."""
    for i in range(start, stop):
        pair = _pair(x, y, i)
        half = _half_cosine(pair)
        slope = -0.5 * k * products(v, y, i, 0) / half
        by_slope = products(g, x, i, 0) + products(g, y, i, 0)
        by_product = -0.5 * k * by_slope / half
        for j in range(x.shape[1]):
            b, u, h = np.float64(y[i, j]), np.float64(v[i, j]), np.float64(g[i, j])
            g_x[i, j] = slope * h
            g_y[i, j] = slope * h + by_product * u
            g_v[i, j] = h + by_product * b
        # The cosine square falls by half the sine with the angle.
        if pair[5] > 0.0:
            _angle_slopes(x, y, i, pair, 0.5 * by_slope * slope / half, g_x, g_y)
