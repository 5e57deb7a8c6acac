"""The verbs of the hyperboloid of a curvature ``k < 0``, one pass over the rows each, and their gradients.

A kernel ``VERB`` fills the result from the coordinates; ``VERB_slopes`` fills the gradients by each input from the
gradient ``g`` by the result. Both do rows [start, stop) of C-contiguous arrays (m, n) of one dtype. The first
coordinate of a point follows from the others, which alone enter distances.
"""

import math

import numpy as np

from holonomy.manifolds._hyperboloid_pairs import (
    FAR,
    PLAIN,
    coordinate,
    half_chord,
    half_chords,
    left_across,
    lift,
    perpendicular,
    radial_slope,
)
from holonomy.manifolds._lane_functions import arcs
from holonomy.manifolds._lane_rows import entries, inside, parts_room, put, room
from holonomy.manifolds._lanes import LANES, ROWS, load, root, spread, store
from holonomy.manifolds._row_loops import (
    arc,
    difference,
    gaps,
    hyperbolic,
    hyperbolic_slope,
    kept,
    kernel,
    moves,
    products,
    squares,
    stretch,
    stretch_slope,
    summed,
    turned,
)


@kernel
def dist(k, x, y, out, start, stop):
    """Fill distances."""
    parts, (lanes, numbers) = parts_room(4), room(4)
    for first in range(start, stop, ROWS):
        count = min(ROWS, stop - first)
        if half_chords(k, x, y, first, count, parts, lanes):
            for r in range(count):
                if np.isnan(numbers[3, r]):
                    numbers[3, r] = half_chord(k, x, y, first + r)[1]
        for i in range((count + LANES - 1) // LANES):
            q = load(lanes, 3, i)
            store(spread(2.0) * root(q) * arcs(spread(-k) * q), lanes, 3, i)
        for r in range(count):
            out[first + r] = numbers[3, r]


@kernel
def squared_dist(k, x, y, out, start, stop):
    """Fill squared distances."""
    for i in range(start, stop):
        q = half_chord(k, x, y, i)[1]
        ratio = arc(-k * q)
        out[i] = 4.0 * q * ratio * ratio


@kept
def _chord_slopes(k, x, y, i, pair, by_q, g_x, g_y):
    """Add to the gradients those of a function whose derivative by q is ``by_q``."""
    plain, _, xx, yy, angle, climb = pair
    half = 0.5 * by_q
    if plain:
        first_x, first_y = g_x[i, 0], g_y[i, 0]
        lift_x, lift_y = lift(k, xx, yy, climb), lift(k, yy, xx, climb)
        for j in range(x.shape[1]):
            a, b = np.float64(x[i, j]), np.float64(y[i, j])
            d = difference(a, b)
            g_x[i, j] -= half * turned(a, d, lift_x)
            g_y[i, j] += half * turned(b, d, lift_y)
        g_x[i, 0], g_y[i, 0] = first_x, first_y
        return
    close = gaps(x, y, i, 1) < 0.25 * max(xx, yy)
    slope_x, slope_y = by_q * radial_slope(k, xx, angle, climb), by_q * radial_slope(k, yy, angle, -climb)
    c_x, rest_x = perpendicular(x, y, i, xx, close)
    c_y, rest_y = perpendicular(y, x, i, yy, close)
    for j in range(1, x.shape[1]):
        a, b = np.float64(x[i, j]), np.float64(y[i, j])
        g_x[i, j] += slope_x * a - half * coordinate(a, b, close, c_x, rest_x)
        g_y[i, j] += slope_y * b - half * coordinate(b, a, close, c_y, rest_y)


@kept
def _number_slopes(k, x, y, i, pair, by_q, g_x, g_y):
    """Fill the gradients of a function whose derivative by q is ``by_q``, in one pass where no care is needed."""
    if not pair[0]:
        _clear(i, g_x, g_y)
        _chord_slopes(k, x, y, i, pair, by_q, g_x, g_y)
        return
    half, lift_x, lift_y = 0.5 * by_q, lift(k, pair[2], pair[3], pair[5]), lift(k, pair[3], pair[2], pair[5])
    for j in range(x.shape[1]):
        a, b = np.float64(x[i, j]), np.float64(y[i, j])
        d = difference(a, b)
        g_x[i, j] = -half * turned(a, d, lift_x)
        g_y[i, j] = half * turned(b, d, lift_y)
    g_x[i, 0], g_y[i, 0] = 0.0, 0.0


@kept
def _clear(i, g_x, g_y):
    for j in range(g_x.shape[1]):
        g_x[i, j] = 0.0
        g_y[i, j] = 0.0


@inside
def _steps(k, g, first, count, lanes, numbers):
    """Turn the numbers of :func:`half_chords` into the factors of x, y and y - x in the gradients of a distance."""
    gradients = numbers[4]
    for r in range(count):
        gradients[r] = 0.5 * g[first + r]
    one, curvature = spread(1.0), spread(k)
    for i in range((count + LANES - 1) // LANES):
        q = load(lanes, 3, i)
        half = load(lanes, 4, i) / root(q * (one - curvature * q))
        raised = curvature * load(lanes, 2, i) * half
        store(raised / load(lanes, 0, i), lanes, 0, i), store(raised / load(lanes, 1, i), lanes, 1, i)
        store(half, lanes, 2, i)


@inside
def _put_slopes(x, y, i, p, q, half, g_x, g_y):
    """Fill the gradients of a row from these factors."""
    p, q, half = spread(p), spread(q), spread(half)
    for j in range(1, x.shape[1], LANES):
        a, b = entries(x, i, j), entries(y, i, j)
        step = half * (b - a)
        put(spread(0.0) - p * a - step, g_x, i, j)
        put(q * b + step, g_y, i, j)
    g_x[i, 0], g_y[i, 0] = 0.0, 0.0


@kernel
def dist_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`dist`; 0 where the points are the same."""
    parts, (lanes, numbers) = parts_room(4), room(5)
    for first in range(start, stop, ROWS):
        count = min(ROWS, stop - first)
        half_chords(k, x, y, first, count, parts, lanes)
        _steps(k, g, first, count, lanes, numbers)
        _all_slopes(k, x, y, g, first, count, numbers, g_x, g_y)


@inside
def _all_slopes(k, x, y, g, first, count, numbers, g_x, g_y):
    """Fill the gradients of some rows, from the factors or with care."""
    for r in range(count):
        i = first + r
        if not np.isnan(numbers[3, r]):
            _put_slopes(x, y, i, numbers[0, r], numbers[1, r], numbers[2, r], g_x, g_y)
        else:
            pair = half_chord(k, x, y, i)
            below = math.sqrt(pair[1] * (1.0 - k * pair[1]))
            _number_slopes(k, x, y, i, pair, g[i] / below if below > 0.0 else 0.0, g_x, g_y)


@kernel
def squared_dist_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`squared_dist`."""
    for i in range(start, stop):
        pair = half_chord(k, x, y, i)
        _number_slopes(k, x, y, i, pair, 4.0 * stretch(-k * pair[1]) * g[i], g_x, g_y)


@kernel
def log(k, x, y, out, start, stop):
    """Fill logarithms."""
    for i in range(start, stop):
        q = half_chord(k, x, y, i)[1]
        s = stretch(-k * q)
        p = 2.0 * k * q * s
        for j in range(x.shape[1]):
            a = np.float64(x[i, j])
            out[i, j] = p * a + s * difference(a, np.float64(y[i, j]))


@kernel
def log_slopes(k, x, y, g, g_x, g_y, start, stop):
    """Fill the gradients of :func:`log`."""
    for i in range(start, stop):
        pair = half_chord(k, x, y, i)
        q = pair[1]
        s = stretch(-k * q)
        steep = -k * stretch_slope(-k * q, s)
        back = 2.0 * k * q * s - s
        by_q = products(g, x, i, 0) * 2.0 * k * (s + q * steep) + moves(g, x, y, i, 0) * steep
        if pair[0]:
            half, lift_x, lift_y = 0.5 * by_q, lift(k, pair[2], pair[3], pair[5]), lift(k, pair[3], pair[2], pair[5])
            for j in range(x.shape[1]):
                a, b, h = np.float64(x[i, j]), np.float64(y[i, j]), np.float64(g[i, j])
                d = difference(a, b)
                g_x[i, j] = back * h - half * turned(a, d, lift_x)
                g_y[i, j] = s * h + half * turned(b, d, lift_y)
            g_x[i, 0], g_y[i, 0] = back * g[i, 0], s * g[i, 0]
            continue
        for j in range(x.shape[1]):
            h = np.float64(g[i, j])
            g_x[i, j] = back * h
            g_y[i, j] = s * h
        _chord_slopes(k, x, y, i, pair, by_q, g_x, g_y)


@kept
def _squared_norm(k, x, v, i):
    """Return whether no care was needed, the squared length of v, |x|^2, <x, v> / x0^2, and what is across x.

    As for :func:`half_chord`: the squares are subtracted where that is harmless; elsewhere the part of v across x
    and the one along x add up.
    """
    a, b = np.float64(x[i, 0]), np.float64(v[i, 0])
    xx, vv = max(squares(x, i, 0) - a * a, 0.0), squares(v, i, 0) - b * b
    xv = products(x, v, i, 0) - a * b
    tilt = xv / (1.0 - k * xx)
    square = vv + k * xv * tilt
    if square > 4.0 * PLAIN * vv and 1.0 - k * xx < 0.25 * FAR * FAR:
        return True, square, xx, tilt, 0.0, 0.0
    xx, xv = squares(x, i, 1), products(x, v, i, 1)
    tilt = xv / (1.0 - k * xx)
    if xx == 0.0:
        return True, squares(v, i, 1), xx, tilt, 0.0, 0.0
    c = xv / xx
    square, rest = left_across(x, v, c, i)
    rest /= xx
    return False, max(square - rest * rest * xx, 0.0) + c * tilt, xx, tilt, c, rest


@kept
def _lowered(k, a, b, foot):
    """Return one coordinate, after the first, of half the derivative of the squared length by v."""
    plain, _, xx, tilt, c, rest = foot
    if plain or -k * xx < 1.0:
        return turned(a, b, -k * tilt)
    return turned(a, turned(a, b, c), rest) + tilt / xx * a


@kernel
def exp(k, x, v, out, start, stop):
    """Fill where geodesics end."""
    for i in range(start, stop):
        square = _squared_norm(k, x, v, i)[1]
        cosh, sinhc = hyperbolic(-k * square)
        for j in range(x.shape[1]):
            out[i, j] = cosh * np.float64(x[i, j]) + sinhc * np.float64(v[i, j])


@kernel
def exp_slopes(k, x, v, g, g_x, g_v, start, stop):
    """Fill the gradients of :func:`exp`."""
    for i in range(start, stop):
        foot = _squared_norm(k, x, v, i)
        z, turn = -k * foot[1], k * foot[3]
        cosh, sinhc = hyperbolic(z)
        by_p, by_c = products(g, x, i, 0), products(g, v, i, 0)
        double = -2.0 * k * (0.5 * by_p * sinhc + by_c * hyperbolic_slope(z, cosh, sinhc))
        for j in range(x.shape[1]):
            h = np.float64(g[i, j])
            g_x[i, j] = cosh * h
            g_v[i, j] = sinhc * h
        first_x, first_v = g_x[i, 0], g_v[i, 0]
        for j in range(x.shape[1]):
            down = double * _lowered(k, np.float64(x[i, j]), np.float64(v[i, j]), foot)
            g_x[i, j] += turn * down
            g_v[i, j] += down
        g_x[i, 0], g_v[i, 0] = first_x, first_v


@summed
def _facing_product(v, x, y, i, facing):
    """Return the product of v at x with y, whose first coordinates are accounted for by ``facing``."""
    close, c, rest, fall = facing
    total = 0.0
    for j in range(1, x.shape[1]):
        a = np.float64(x[i, j])
        total += np.float64(v[i, j]) * turned(a, coordinate(a, np.float64(y[i, j]), close, c, rest), fall)
    return total


@kept
def _carry(k, x, y, v, i, pair):
    """Return cosh^2 of half the distance, what of x + y is added to v, and how y is facing x.

    Far out the vector ``y - y0 / x0 x`` is put together from its part across x and the rest along x.
    """
    plain, q, xx, yy, angle, climb = pair
    half = 1.0 - k * q
    if plain:
        facing = (True, 0.0, 0.0, lift(k, xx, yy, climb))
        a, b, c = np.float64(x[i, 0]), np.float64(y[i, 0]), np.float64(v[i, 0])
        across = moves(v, x, y, i, 0) - c * difference(a, b)
        product = across - facing[3] * (products(v, x, i, 0) - c * a)
    else:
        close = gaps(x, y, i, 1) < 0.25 * max(xx, yy)
        c, rest = perpendicular(x, y, i, xx, close)
        facing = (close, c, rest, 2.0 * radial_slope(k, xx, angle, climb))
        product = _facing_product(v, x, y, i, facing)
    return half, -0.5 * k * product / half, facing


@kernel
def transport(k, x, y, v, out, start, stop):
    """Fill vectors moved along geodesics."""
    for i in range(start, stop):
        _, slope, _ = _carry(k, x, y, v, i, half_chord(k, x, y, i))
        for j in range(x.shape[1]):
            u = np.float64(x[i, j])
            both = 2.0 * u + difference(u, np.float64(y[i, j]))
            out[i, j] = np.float64(v[i, j]) + slope * both


@kernel
def transport_slopes(k, x, y, v, g, g_x, g_y, g_v, start, stop):
    """Fill the gradients of :func:`transport`."""
    for i in range(start, stop):
        pair = half_chord(k, x, y, i)
        xx, yy = pair[2], pair[3]
        half, slope, facing = _carry(k, x, y, v, i, pair)
        close, part, left, fall = facing
        by_slope = 2.0 * products(g, x, i, 0) + moves(g, x, y, i, 0)
        by_product = -0.5 * k * by_slope / half
        for j in range(x.shape[1]):
            h = np.float64(g[i, j])
            g_x[i, j] = slope * h
            g_y[i, j] = slope * h
            g_v[i, j] = h
        foot = _squared_norm(k, x, v, i)
        cx, cy = math.sqrt(1.0 - k * xx), math.sqrt(1.0 - k * yy)
        down = by_product * k * foot[3] * cx / cy
        for j in range(1, x.shape[1]):
            a, b, u = np.float64(x[i, j]), np.float64(y[i, j]), np.float64(v[i, j])
            g_x[i, j] -= by_product * cy / cx * _lowered(k, a, u, foot)
            g_y[i, j] += by_product * u + down * b
            g_v[i, j] += by_product * turned(a, coordinate(a, b, close, part, left), fall)
        _chord_slopes(k, x, y, i, pair, by_slope * slope * k / half, g_x, g_y)
