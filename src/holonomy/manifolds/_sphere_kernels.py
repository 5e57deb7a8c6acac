"""The verbs of the sphere of a curvature ``k > 0``, one pass over the rows each, and their gradients.

A kernel ``VERB`` fills the result from the coordinates; ``VERB_slopes`` fills the gradients by each input from the
gradient ``g`` by the result. Both do rows [start, stop) of C-contiguous arrays (m, n) of one dtype. Points are read as
directions; angles come from what of one point is across the other, found from the difference of near points and from
the sum of nearly opposite ones.
"""

import math

import numpy as np

from holonomy.manifolds._lane_functions import angles
from holonomy.manifolds._lane_rows import entries, inside, parts_room, put, room, total, totals
from holonomy.manifolds._lanes import LANES, ROWS, load, root, spread, store, where_less
from holonomy.manifolds._row_loops import (
    SERIES,
    arcsin_slope,
    kept,
    kernel,
    products,
    squares,
    trigonometric,
    trigonometric_slope,
    turned,
)

PLAIN = 0.05
"""The part of a square that must be left after a subtraction whose rounding is to be harmless."""


@kept
def _join(a, b, side):
    """Return b - a on the near side (-1), b + a on the far side (1)."""
    return b + side * a


@inside
def _across(x, y, i, side, c):
    """Return |y + side x - c x|^2 of row i."""
    across, side, c = spread(0.0), spread(side), spread(c)
    for j in range(0, x.shape[1], LANES):
        a = entries(x, i, j)
        r = entries(y, i, j) + side * a - c * a
        across = across + r * r
    return total(across)


@inside
def _sums(x, y, i):
    """Return, eight columns in each lane, |x|^2, |y|^2, <x, y>, and |z|^2 and <x, z> of y - x and of y + x.

    Both sides are summed, which is faster than to wait for the one that is needed.
    """
    xx, yy, xy = spread(0.0), spread(0.0), spread(0.0)
    near, far, by_near, by_far = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    for j in range(0, x.shape[1], LANES):
        a, b = entries(x, i, j), entries(y, i, j)
        d, s = b - a, b + a
        xx, yy, xy = xx + a * a, yy + b * b, xy + a * b
        near, far, by_near, by_far = near + d * d, far + s * s, by_near + a * d, by_far + a * s
    return xx, yy, xy, near, far, by_near, by_far


@inside
def _pair(x, y, i):
    """Return |x|^2, |y|^2, <x, y>, the side, <x, z>, <y, z>, and |x|^2 times the square of what of y is across x.

    The side makes the shorter of ``z = y + side x``, from which the last is found: as a difference of squares where
    that takes little off, as it does for points of one length, and else from the vector that is across.
    """
    sums = _sums(x, y, i)
    xx, yy, xy = total(sums[0]), total(sums[1]), total(sums[2])
    side = -1.0 if xy > 0.0 else 1.0
    zz, xz = (total(sums[3]), total(sums[5])) if xy > 0.0 else (total(sums[4]), total(sums[6]))
    area = xx * zz - xz * xz
    if not area > PLAIN * xx * zz:
        area = xx * _across(x, y, i, side, xz / xx)
    return xx, yy, xy, side, xz, zz - side * xz, area


@inside
def _pairs(x, y, first, count, parts, lanes, numbers):
    """Fill the numbers of :func:`_pair` of some rows."""
    for r in range(count):
        xx, yy, xy, near, far, by_near, by_far = _sums(x, y, first + r)
        store(xx, parts, r, 0), store(yy, parts, r, 1), store(xy, parts, r, 2), store(near, parts, r, 3)
        store(far, parts, r, 4), store(by_near, parts, r, 5), store(by_far, parts, r, 6)
    zero, one, doubts = spread(0.0), spread(1.0), spread(0.0)
    for i in range((count + LANES - 1) // LANES):
        xx, xy = totals(parts, i, 0), totals(parts, i, 2)
        side = where_less(zero, xy, zero - one, one)
        zz = where_less(zero, xy, totals(parts, i, 3), totals(parts, i, 4))
        xz = where_less(zero, xy, totals(parts, i, 5), totals(parts, i, 6))
        area = xx * zz - xz * xz
        (
            store(xx, lanes, 0, i),
            store(totals(parts, i, 1), lanes, 1, i),
            store(xy, lanes, 2, i),
            store(side, lanes, 3, i),
        )
        store(xz, lanes, 4, i), store(zz - side * xz, lanes, 5, i)
        plain = spread(PLAIN) * xx * zz
        store(where_less(plain, area, area, spread(np.nan)), lanes, 6, i)
        doubts = doubts + where_less(plain, area, zero, one)
    if total(doubts) > 0.0:
        for r in range(count):
            if np.isnan(numbers[6, r]):
                numbers[6, r] = _pair(x, y, first + r)[6]


@kept
def _angle(pair):
    return math.atan2(math.sqrt(pair[6]), pair[2])


@kernel
def dist(k, x, y, out, start, stop):
    """Fill distances."""
    radius, parts = spread(1.0 / math.sqrt(k)), parts_room(7)
    lanes, numbers = room(7)
    for first in range(start, stop, ROWS):
        count = min(ROWS, stop - first)
        _pairs(x, y, first, count, parts, lanes, numbers)
        for i in range((count + LANES - 1) // LANES):
            store(radius * angles(root(load(lanes, 6, i)), load(lanes, 2, i)), lanes, 6, i)
        for r in range(count):
            out[first + r] = numbers[6, r]


@kernel
def squared_dist(k, x, y, out, start, stop):
    """Fill squared distances."""
    for i in range(start, stop):
        angle = _angle(_pair(x, y, i))
        out[i] = angle * angle / k


@kept
def _angle_slopes(x, y, i, pair, over_sine, g_x, g_y):
    """Add to the gradients those of a function of the angle whose derivative over the sine is ``over_sine``."""
    xx, yy, _, side, along, other, _ = pair
    scale = over_sine / math.sqrt(xx * yy)
    for j in range(x.shape[1]):
        a, b = np.float64(x[i, j]), np.float64(y[i, j])
        z = _join(a, b, side)
        g_x[i, j] -= scale * turned(a, z, along / xx)
        g_y[i, j] -= scale * side * turned(b, z, other / yy)


@kept
def _clear(i, g_x, g_y):
    for j in range(g_x.shape[1]):
        g_x[i, j] = 0.0
        g_y[i, j] = 0.0


@inside
def _steps(radius, g, first, count, lanes, numbers):
    """Turn the numbers of :func:`_pair` into the factors of x, y and z in the gradients."""
    for r in range(count):
        numbers[2, r] = radius * g[first + r]
    zero = spread(0.0)
    for i in range((count + LANES - 1) // LANES):
        gradient, area = load(lanes, 2, i), load(lanes, 6, i)
        scale = where_less(zero, area, gradient / root(where_less(zero, area, area, gradient)), zero)
        store(scale * load(lanes, 4, i) / load(lanes, 0, i), lanes, 4, i)
        store(load(lanes, 3, i) * scale * load(lanes, 5, i) / load(lanes, 1, i), lanes, 5, i)
        store(scale, lanes, 6, i)


@inside
def _put_slopes(x, y, first, count, numbers, g_x, g_y):
    """Fill the gradients of some rows from these factors."""
    for r in range(count):
        i = first + r
        side, p, q, scale = spread(numbers[3, r]), spread(numbers[4, r]), spread(numbers[5, r]), spread(numbers[6, r])
        for j in range(0, x.shape[1], LANES):
            a, b = entries(x, i, j), entries(y, i, j)
            step = scale * (b + side * a)
            put(p * a - step, g_x, i, j)
            put(q * b - side * step, g_y, i, j)


@kernel
def dist_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`dist`; 0 at coincident and at opposite points."""
    radius, parts = 1.0 / math.sqrt(k), parts_room(7)
    lanes, numbers = room(7)
    for first in range(start, stop, ROWS):
        count = min(ROWS, stop - first)
        _pairs(x, y, first, count, parts, lanes, numbers)
        _steps(radius, g, first, count, lanes, numbers)
        _put_slopes(x, y, first, count, numbers, g_x, g_y)


@kernel
def squared_dist_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`squared_dist`; 0 at coincident and at opposite points."""
    for i in range(start, stop):
        pair = _pair(x, y, i)
        _clear(i, g_x, g_y)
        if pair[6] > 0.0:
            steep = 2.0 / k * g[i] * _angle(pair) / math.sqrt(pair[6] / (pair[0] * pair[1]))
            _angle_slopes(x, y, i, pair, steep, g_x, g_y)


@kept
def _unrolled(pair):
    """Return by what y less its part along x is multiplied to make the logarithm, and angle over sine."""
    xx, yy, _, _, _, _, area = pair
    sine = math.sqrt(area / (xx * yy))
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
        xx, _, _, side, along, _, area = pair
        if area == 0.0 and side > 0.0:
            _half_turn(k, x, i, xx, out)
            continue
        scale, _ = _unrolled(pair)
        c = along / xx
        for j in range(x.shape[1]):
            a = np.float64(x[i, j])
            out[i, j] = scale * turned(a, _join(a, np.float64(y[i, j]), side), c)


@kernel
def log_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`log`; 0 at opposite points."""
    for i in range(start, stop):
        pair = _pair(x, y, i)
        xx, yy, xy, side, along, _, area = pair
        if area == 0.0 and side > 0.0:
            _clear(i, g_x, g_y)
            continue
        scale, ratio = _unrolled(pair)
        gx, gy = products(g, x, i, 0) / xx, products(g, y, i, 0)
        c, across, square = along / xx, gy - xy * gx, area / (xx * yy)
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
    xx, yy, xy, side, _, _, area = pair
    cosine = xy / math.sqrt(xx * yy)
    if side < 0.0:
        return 0.5 * (1.0 + cosine)
    return 0.5 * area / (xx * yy * (1.0 - cosine)) if area > 0.0 else 1.0


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
        if pair[6] > 0.0:
            _angle_slopes(x, y, i, pair, 0.5 * by_slope * slope / half, g_x, g_y)
