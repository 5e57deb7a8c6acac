"""How two points of the sphere lie to each other, read as directions: sums over their coordinates, in double precision.

With ``d = y - x`` and ``s = y + x``, what of one is across the other has the area ``|d|^2 |s|^2 - <d, s>^2``, four
times its square, and ``<d, s> = |y|^2 - |x|^2`` is about 0 on a sphere: three sums tell angles apart near 0 and near
pi alike, without a choice of side. Where the lengths of the points differ so much that the subtraction costs digits,
care is taken.
"""

from holonomy.manifolds._lane_rows import entries, inside, total, totals
from holonomy.manifolds._lanes import LANES, load, spread, store, where_less

PLAIN = 0.05
"""The part of a product that must be left after a subtraction whose rounding is to be harmless."""


@inside
def _sums(x, y, i):
    """Return, eight columns in each lane, |d|^2, |s|^2 and <d, s>."""
    near, far, rise = spread(0.0), spread(0.0), spread(0.0)
    for j in range(0, x.shape[1], LANES):
        a, b = entries(x, i, j), entries(y, i, j)
        d, s = b - a, b + a
        near, far, rise = near + d * d, far + s * s, rise + d * s
    return near, far, rise


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
def _with_care(x, y, i, side):
    """Return what :func:`pair` does from a sum of its own for each number, and from the vector that is across."""
    xx, yy, xy, xz, yz, sign = spread(0.0), spread(0.0), spread(0.0), spread(0.0), spread(0.0), spread(side)
    for j in range(0, x.shape[1], LANES):
        a, b = entries(x, i, j), entries(y, i, j)
        z = b + sign * a
        xx, yy, xy, xz, yz = xx + a * a, yy + b * b, xy + a * b, xz + a * z, yz + b * z
    square, along = total(xx), total(xz)
    return square, total(yy), total(xy), side, along, total(yz), square * _across(x, y, i, side, along / square)


@inside
def pair(x, y, i):
    """Return |x|^2, |y|^2, <x, y>, the side, <x, z>, <y, z>, and |x|^2 times the square of what of y is across x.

    The side makes the shorter of ``z = y + side x``.
    """
    sums = _sums(x, y, i)
    near, far, rise = total(sums[0]), total(sums[1]), total(sums[2])
    side = -1.0 if near < far else 1.0
    product = near * far
    area = product - rise * rise
    if not area > PLAIN * product:
        return _with_care(x, y, i, side)
    xx, yy = 0.25 * (near + far) - 0.5 * rise, 0.25 * (near + far) + 0.5 * rise
    xz, yz = (0.5 * (rise - near), 0.5 * (rise + near)) if near < far else (0.5 * (far - rise), 0.5 * (far + rise))
    return xx, yy, 0.25 * (far - near), side, xz, yz, 0.25 * area


@inside
def collect(x, y, first, count, parts, lanes):
    """Fill |d|^2, |s|^2 and <d, s> of some rows, and return whether some of them need care."""
    for r in range(count):
        near, far, rise = _sums(x, y, first + r)
        store(near, parts, r, 0), store(far, parts, r, 1), store(rise, parts, r, 2)
    groups = (count + LANES - 1) // LANES
    for r in range(count, groups * LANES):
        # Lanes without a row are given the sums of one, so that they ask for nothing of their own.
        for q in range(3):
            store(load(parts, 0, q), parts, r, q)
    zero, one, doubts = spread(0.0), spread(1.0), spread(0.0)
    for i in range(groups):
        near, far, rise = totals(parts, i, 0), totals(parts, i, 1), totals(parts, i, 2)
        product = near * far
        doubts = doubts + where_less(spread(PLAIN) * product, product - rise * rise, zero, one)
        store(near, lanes, 0, i), store(far, lanes, 1, i), store(rise, lanes, 2, i)
    return total(doubts) > 0.0


@inside
def is_plain(near, far, rise):
    """Say whether these sums of a row need no care."""
    product = near * far
    return product - rise * rise > PLAIN * product
