"""Numbers of pairs of points of the hyperboloid of a curvature ``k < 0``: half-chords, and what gradients are made of.

Rows are those of C-contiguous arrays (m, n) of one dtype. The first coordinate of a point follows from the others,
which alone enter distances.
"""

import math

import numpy as np

from holonomy.manifolds._lane_rows import collect_lengths, inside, total
from holonomy.manifolds._lanes import LANES, load, root, spread, store, where_less
from holonomy.manifolds._row_loops import (
    difference,
    gaps,
    kept,
    moves,
    products,
    rises,
    squares,
    summed,
    turned,
)

PLAIN = 0.0125
"""A quarter of the part of a square that must be left after a subtraction whose rounding is to be harmless."""

FAR = 32.0
"""Sum of the hyperbolic cosines of two radii from which gradients take care along the radius."""


@summed
def _across(x, y, c, i):
    """Return |y - x - c x|^2 and <x, y - x - c x> over the columns from 1 on."""
    square = 0.0
    for j in range(1, x.shape[1]):
        a = np.float64(x[i, j])
        r = turned(a, difference(a, np.float64(y[i, j])), c)
        square += r * r
    rest = 0.0
    for j in range(1, x.shape[1]):
        a = np.float64(x[i, j])
        rest += a * turned(a, difference(a, np.float64(y[i, j])), c)
    return square, rest


@summed
def left_across(x, y, c, i):
    """Return |y - c x|^2 and <x, y - c x> over the columns from 1 on."""
    square = 0.0
    for j in range(1, x.shape[1]):
        r = turned(np.float64(x[i, j]), np.float64(y[i, j]), c)
        square += r * r
    rest = 0.0
    for j in range(1, x.shape[1]):
        a = np.float64(x[i, j])
        rest += a * turned(a, np.float64(y[i, j]), c)
    return square, rest


@kept
def half_chord(k, x, y, i):
    """Return whether q needed no care, q = sn(d/2)^2, |x|^2, |y|^2, what of 4 q is from the angle, and a climb.

    Where the difference of the first coordinates takes little off that of the others, q is their difference and the
    climb is |y|^2 - |x|^2. Elsewhere :func:`_apart` takes care. Sums run over all columns and leave out the first
    afterwards, which costs no digits here and is faster.
    """
    a, b = np.float64(x[i, 0]), np.float64(y[i, 0])
    up = difference(a, b)
    xx = max(squares(x, i, 0) - a * a, 0.0)
    rise, dd = rises(x, y, i, 0) - up * (a + b), gaps(x, y, i, 0) - up * up
    yy = max(xx + rise, 0.0)
    total = math.sqrt(1.0 - k * xx) + math.sqrt(1.0 - k * yy)
    step = rise / total
    q = 0.25 * (dd + k * step * step)
    if q > PLAIN * dd and total < FAR:
        return True, q, xx, yy, 0.0, rise
    return _apart(k, x, y, i)


@kept
def _apart(k, x, y, i):
    """Return the same from the angle and from sn of the difference of the radii, which is the climb.

    What is across is found from the difference to the nearer point's line, so it is accurate for near points, and
    what rounding leaves along the line is taken off.
    """
    xx, yy, rise = squares(x, i, 1), squares(y, i, 1), rises(x, y, i, 1)
    nx, ny = math.sqrt(xx), math.sqrt(yy)
    below = ny * math.sqrt(1.0 - k * xx) + nx * math.sqrt(1.0 - k * yy)
    climb = rise / below if below > 0.0 else 0.0
    angle = 0.0
    if xx > 0.0 and yy > 0.0:
        if xx <= yy:
            small, along = xx, moves(x, x, y, i, 1)
            square, rest = _across(x, y, along / xx, i)
        else:
            small, along = yy, moves(y, y, x, i, 1)
            square, rest = _across(y, x, along / yy, i)
        product = small + along
        square = max(square - rest * rest / small, 0.0)
        both = nx * ny
        angle = 2.0 * square * small / (both + product) if product >= 0.0 else 2.0 * (both - product)
    radial = climb * climb
    q = 0.5 * radial / (1.0 + math.sqrt(1.0 - k * radial)) + 0.25 * angle
    return False, q, xx, yy, angle, climb


@inside
def half_chords(k, x, y, first, count, parts, lanes):
    """Fill the cosh of both radii, what :func:`half_chord` divides for q, and q of some rows; NaN where it takes care.

    Return whether there may be such rows.
    """
    collect_lengths(x, y, first, count, 1, parts, lanes)
    zero, one, care, curvature, doubts = spread(0.0), spread(1.0), spread(np.nan), spread(k), spread(0.0)
    for i in range((count + LANES - 1) // LANES):
        cx, cy = root(one - curvature * load(lanes, 0, i)), root(one - curvature * load(lanes, 1, i))
        both, dd = cx + cy, load(lanes, 3, i)
        step = load(lanes, 2, i) / both
        q = spread(0.25) * (dd + curvature * step * step)
        least = where_less(both, spread(FAR), spread(PLAIN) * dd, care)
        store(cx, lanes, 0, i), store(cy, lanes, 1, i), store(step, lanes, 2, i)
        store(where_less(least, q, q, care), lanes, 3, i)
        doubts = doubts + where_less(least, q, zero, one)
    return total(doubts) > 0.0


@kept
def perpendicular(x, y, i, xx, close):
    """Return (c, rest): y less its part along x is ``(y - x if close else y) - c x - rest x``."""
    if xx == 0.0:
        return 0.0, 0.0
    if close:
        c = moves(x, x, y, i, 1) / xx
        _, rest = _across(x, y, c, i)
    else:
        c = products(x, y, i, 1) / xx
        _, rest = left_across(x, y, c, i)
    return c, rest / xx


@kept
def coordinate(a, b, close, c, rest):
    """Return one coordinate of the vector of :func:`perpendicular`."""
    return turned(a, turned(a, difference(a, b) if close else b, c), rest)


@kept
def radial_slope(k, xx, angle, climb):
    """Return the derivative of q along x, over |x|^2."""
    return 0.25 * angle / xx - 0.5 * climb / math.sqrt(xx * (1.0 - k * xx)) if xx > 0.0 else 0.0


@kept
def lift(k, xx, yy, rise):
    """Return (y0 - x0) / x0."""
    cx = math.sqrt(1.0 - k * xx)
    return -k * rise / (cx * (cx + math.sqrt(1.0 - k * yy)))
