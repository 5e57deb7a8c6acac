"""The verbs of the sphere of a curvature ``k > 0``, one pass over the rows each, and their gradients.

A kernel ``VERB`` fills the result from the coordinates; ``VERB_slopes`` fills the gradients by each input from the
gradient ``g`` by the result. Both do rows [start, stop) of C-contiguous arrays (m, n) of one dtype. Points are read as
directions; angles come from what of one point is across the other (:mod:`._sphere_pairs`).
"""

import math

import numpy as np

from holonomy.manifolds._lane_functions import angles
from holonomy.manifolds._lane_rows import entries, inside, parts_room, put, room, stored_entries, total
from holonomy.manifolds._lanes import LANES, ROWS, load, root, spread, spread_like, store, where_less
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
from holonomy.manifolds._sphere_pairs import PLAIN, collect, is_plain, pair


@kept
def _join(a, b, side):
    """Return b - a on the near side (-1), b + a on the far side (1)."""
    return b + side * a


@kept
def _angle(found):
    return math.atan2(math.sqrt(found[6]), found[2])


@inside
def _distances(radius, x, y, first, count, parts, lanes, numbers, out):
    """Fill distances of some rows, and the sums that :func:`collect` fills."""
    doubts = collect(x, y, first, count, parts, lanes)
    for i in range((count + LANES - 1) // LANES):
        near, far, rise = load(lanes, 0, i), load(lanes, 1, i), load(lanes, 2, i)
        # Twice the sine, and twice the cosine, times the product of the lengths.
        sine, cosine = root(near * far - rise * rise), spread(0.5) * (far - near)
        store(spread(radius) * angles(sine, cosine), lanes, 3, i)
    if doubts:
        for r in range(count):
            if not is_plain(numbers[0, r], numbers[1, r], numbers[2, r]):
                numbers[3, r] = radius * _angle(pair(x, y, first + r))
    for r in range(count):
        out[first + r] = numbers[3, r]


@kernel
def dist(k, x, y, out, start, stop):
    """Fill distances."""
    radius, parts = 1.0 / math.sqrt(k), parts_room(3)
    lanes, numbers = room(4)
    for first in range(start, stop, ROWS):
        _distances(radius, x, y, first, min(ROWS, stop - first), parts, lanes, numbers, out)


SUMS = {"dist": 3}
"""How many numbers of a row the gradients of a verb take from ``VERB_with_sums``."""


@kernel
def dist_with_sums(k, x, y, sums, out, start, stop):
    """Fill distances, and the sums of :func:`collect`, which are (3, m)."""
    radius, parts = 1.0 / math.sqrt(k), parts_room(3)
    lanes, numbers = room(4)
    for first in range(start, stop, ROWS):
        count = min(ROWS, stop - first)
        _distances(radius, x, y, first, count, parts, lanes, numbers, out)
        for q in range(3):
            for r in range(count):
                sums[q, first + r] = numbers[q, r]


@kernel
def squared_dist(k, x, y, out, start, stop):
    """Fill squared distances."""
    for i in range(start, stop):
        angle = _angle(pair(x, y, i))
        out[i] = angle * angle / k


@kept
def _angle_slopes(x, y, i, found, over_sine, g_x, g_y):
    """Add to the gradients those of a function of the angle whose derivative over the sine is ``over_sine``."""
    xx, yy, _, side, along, other, _ = found
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
def _steps(radius, sums, g, first, count, lanes, numbers):
    """Fill the side and the factors of x, y and z in the gradients, and return whether some rows need care."""
    for r in range(count):
        numbers[6, r] = 2.0 * radius * g[first + r]
        numbers[0, r], numbers[1, r], numbers[2, r] = sums[0, first + r], sums[1, first + r], sums[2, first + r]
    zero, one, half, doubts = spread(0.0), spread(1.0), spread(0.5), spread(0.0)
    for i in range((count + LANES - 1) // LANES):
        near, far, rise = load(lanes, 0, i), load(lanes, 1, i), load(lanes, 2, i)
        product, less, both = near * far, where_less(near, far, near, far), half * (near + far)
        area, side = product - rise * rise, where_less(near, far, zero - one, one)
        doubts = doubts + where_less(spread(PLAIN) * product, area, zero, one)
        # Twice the squares of x and of y; one division serves them and the sine.
        xx, yy = both - rise, both + rise
        over = load(lanes, 6, i) / (root(area) * (xx * yy))
        scale, signed = over * (xx * yy), side * over
        # Twice <x, z> over twice |x|^2, and the same of y with the side.
        store(side, lanes, 3, i)
        store(signed * yy * (less - rise), lanes, 4, i), store(signed * xx * (less + rise), lanes, 5, i)
        store(scale, lanes, 6, i)
    return total(doubts) > 0.0


@kept
def _step(radius, x, y, i):
    """Return the same of one row, with care: 0 where the gradient is."""
    xx, yy, _, side, xz, yz, area = pair(x, y, i)
    scale = radius / math.sqrt(area) if area > 0.0 else 0.0
    return side, scale * xz / xx, side * scale * yz / yy, scale


@inside
def _put_slopes(x, y, first, count, numbers, g_x, g_y):
    """Fill the gradients of some rows from these factors: nothing cancels, so the precision of the rows is enough."""
    for r in range(count):
        i = first + r
        side, p = spread_like(numbers[3, r], x), spread_like(numbers[4, r], x)
        q, scale = spread_like(numbers[5, r], x), spread_like(numbers[6, r], x)
        for j in range(0, x.shape[1], LANES):
            a, b = stored_entries(x, i, j), stored_entries(y, i, j)
            step = scale * (b + side * a)
            put(p * a - step, g_x, i, j)
            put(q * b - side * step, g_y, i, j)


@kernel
def dist_slopes(k, x, y, sums, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`dist`; 0 at coincident and at opposite points."""
    radius, (lanes, numbers) = 1.0 / math.sqrt(k), room(7)
    for first in range(start, stop, ROWS):
        count = min(ROWS, stop - first)
        if _steps(radius, sums, g, first, count, lanes, numbers):
            for r in range(count):
                if not is_plain(numbers[0, r], numbers[1, r], numbers[2, r]):
                    factors = _step(radius * g[first + r], x, y, first + r)
                    numbers[3, r], numbers[4, r], numbers[5, r], numbers[6, r] = factors
        _put_slopes(x, y, first, count, numbers, g_x, g_y)


@kernel
def squared_dist_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`squared_dist`; 0 at coincident and at opposite points."""
    for i in range(start, stop):
        found = pair(x, y, i)
        _clear(i, g_x, g_y)
        if found[6] > 0.0:
            steep = 2.0 / k * g[i] * _angle(found) / math.sqrt(found[6] / (found[0] * found[1]))
            _angle_slopes(x, y, i, found, steep, g_x, g_y)


@kept
def _unrolled(found):
    """Return by what y less its part along x is multiplied to make the logarithm, and angle over sine."""
    xx, yy, _, _, _, _, area = found
    sine = math.sqrt(area / (xx * yy))
    ratio = _angle(found) / sine if sine > 0.0 else 1.0
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
        found = pair(x, y, i)
        xx, _, _, side, along, _, area = found
        if area == 0.0 and side > 0.0:
            _half_turn(k, x, i, xx, out)
            continue
        scale, _ = _unrolled(found)
        c = along / xx
        for j in range(x.shape[1]):
            a = np.float64(x[i, j])
            out[i, j] = scale * turned(a, _join(a, np.float64(y[i, j]), side), c)


@kernel
def log_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`log`; 0 at opposite points."""
    for i in range(start, stop):
        found = pair(x, y, i)
        xx, yy, xy, side, along, _, area = found
        if area == 0.0 and side > 0.0:
            _clear(i, g_x, g_y)
            continue
        scale, ratio = _unrolled(found)
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
        _angle_slopes(x, y, i, found, across * steep * math.sqrt(xx / yy), g_x, g_y)


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
def _half_cosine(found):
    """Return cos^2 of half the angle, and 1 for opposite points, where nothing is divided by it."""
    xx, yy, xy, side, _, _, area = found
    cosine = xy / math.sqrt(xx * yy)
    if side < 0.0:
        return 0.5 * (1.0 + cosine)
    return 0.5 * area / (xx * yy * (1.0 - cosine)) if area > 0.0 else 1.0


@kernel
def transport(k, x, y, v, out, start, stop):
    """Fill vectors moved along geodesics."""
    for i in range(start, stop):
        slope = -0.5 * k * products(v, y, i, 0) / _half_cosine(pair(x, y, i))
        for j in range(x.shape[1]):
            out[i, j] = np.float64(v[i, j]) + slope * (np.float64(x[i, j]) + np.float64(y[i, j]))


@kernel
def transport_slopes(k, x, y, v, g, g_x, g_y, g_v, start, stop):
    """Fill the gradients of :func:`transport`."""
    for i in range(start, stop):
        found = pair(x, y, i)
        half = _half_cosine(found)
        slope = -0.5 * k * products(v, y, i, 0) / half
        by_slope = products(g, x, i, 0) + products(g, y, i, 0)
        by_product = -0.5 * k * by_slope / half
        for j in range(x.shape[1]):
            b, u, h = np.float64(y[i, j]), np.float64(v[i, j]), np.float64(g[i, j])
            g_x[i, j] = slope * h
            g_y[i, j] = slope * h + by_product * u
            g_v[i, j] = h + by_product * b
        # The cosine square falls by half the sine with the angle.
        if found[6] > 0.0:
            _angle_slopes(x, y, i, found, 0.5 * by_slope * slope / half, g_x, g_y)


@inside
def _squares_and_products(x, v, i):
    """Return |x|^2 and <x, v> of row i."""
    xx, xv = spread(0.0), spread(0.0)
    for j in range(0, x.shape[1], LANES):
        a = entries(x, i, j)
        xx, xv = xx + a * a, xv + a * entries(v, i, j)
    return total(xx), total(xv)


@inside
def _put_sum(p, x, q, v, i, out):
    """Fill p x + q v."""
    p, q = spread(p), spread(q)
    for j in range(0, x.shape[1], LANES):
        put(p * entries(x, i, j) + q * entries(v, i, j), out, i, j)


@kernel
def project(k, x, out, start, stop):
    """Fill points in the directions of vectors."""
    for i in range(start, stop):
        scale = spread(1.0 / math.sqrt(k * _squares_and_products(x, x, i)[0]))
        for j in range(0, x.shape[1], LANES):
            put(scale * entries(x, i, j), out, i, j)


@kernel
def project_slopes(k, x, g, g_x, start, stop):
    """Fill the gradients of :func:`project`."""
    for i in range(start, stop):
        xx, xg = _squares_and_products(x, g, i)
        scale = 1.0 / math.sqrt(k * xx)
        _put_sum(-scale * xg / xx, x, scale, g, i, g_x)


@kernel
def project_tangent(k, x, v, out, start, stop):
    """Fill tangent parts of vectors."""
    for i in range(start, stop):
        xx, xv = _squares_and_products(x, v, i)
        _put_sum(-xv / xx, x, 1.0, v, i, out)


@kernel
def project_tangent_slopes(k, x, v, g, g_x, g_v, start, stop):
    """Fill the gradients of :func:`project_tangent`."""
    for i in range(start, stop):
        xx, xv = _squares_and_products(x, v, i)
        xg = _squares_and_products(x, g, i)[1]
        p, q, s = spread(-xv / xx), spread(-xg / xx), spread(2.0 * xv * xg / (xx * xx))
        for j in range(0, x.shape[1], LANES):
            a, h = entries(x, i, j), entries(g, i, j)
            put(p * h + q * entries(v, i, j) + s * a, g_x, i, j)
            put(h + q * a, g_v, i, j)
