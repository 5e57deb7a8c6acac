"""Scalar functions of distances in compiled code, a vector of arguments at once, to double precision."""

import math
from fractions import Fraction

import numpy as np

from holonomy.manifolds._lanes import exponent, fraction, part, root, size, spread, where_less
from holonomy.manifolds._row_loops import SERIES

HALVES = math.log(2.0)
_EIGHTH = math.sqrt(2.0) - 1.0
"""Tangent of an eighth of a half turn."""


def _economized(ratio, end, count):
    """Return coefficients, the highest first, of a polynomial near a power series on [0, end].

    ``ratio(n)`` is what term n + 1 of the series has over term n. Of many terms, exact ones, the highest is replaced
    again and again by what differs from it least on the interval, which takes about half the terms of the series.
    """
    end, series = Fraction(math.ceil(1e4 * end), 10_000), [Fraction(1)]
    for n in range(2 * count + 4):
        series.append(series[-1] * ratio(n))
    while len(series) > count:
        # Chebyshev's polynomial of this degree in 2 z / end - 1, whose coefficients have this ratio.
        n, one, least = len(series) - 1, Fraction((-1) ** (len(series) - 1)), []
        for m in range(n + 1):
            least.append(one)
            one *= Fraction(-2 * (n * n - m * m), (m + 1) * (2 * m + 1)) / end
        share = series[-1] / least[-1]
        series = [a - share * b for a, b in zip(series, least, strict=True)][:-1]
    return tuple(map(float, reversed(series)))


_ARTANH = _economized(lambda n: Fraction(2 * n + 1, 2 * n + 3), _EIGHTH**4, 8)
_ARCTAN = _economized(lambda n: -Fraction(2 * n + 1, 2 * n + 3), _EIGHTH**2, 12)
_ARC = _economized(lambda n: -Fraction((2 * n + 1) ** 2, 2 * (n + 1) * (2 * n + 3)), SERIES, 10)


@part
def polynomial(coefficients, z):
    """Return the polynomial of these coefficients, of an even number, the highest first.

    Odd and even powers are summed apart, so that half as many steps wait for each other.
    """
    even, odd, square = spread(0.0), spread(0.0), z * z
    for n in range(0, len(coefficients), 2):
        odd, even = odd * square + spread(coefficients[n]), even * square + spread(coefficients[n + 1])
    return even + z * odd


@part
def logarithm(x):
    """Return log(x) of positive normal numbers; what is infinite or not a number stays so."""
    one, half = spread(1.0), spread(0.5)
    f, e = fraction(x), exponent(x)
    large = spread(math.sqrt(2.0))
    e, f = where_less(large, f, e + one, e), where_less(large, f, half * f, f)
    z = (f - one) / (f + one)
    value = e * spread(HALVES) + (z + z) * polynomial(_ARTANH, z * z)
    return where_less(x, spread(np.inf), value, x)


@part
def arcs(z):
    """Return arsinh(t) / t at t = sqrt(z), for z >= 0."""
    one, series = spread(1.0), spread(SERIES)
    t = root(where_less(z, series, one, z))
    value = logarithm(t + root(one + t * t)) / t
    return where_less(z, series, polynomial(_ARC, z), value)


@part
def angles(sine, cosine):
    """Return the angles in [0, pi] of vectors of these coordinates, of which the first are not negative."""
    zero, one = spread(0.0), spread(1.0)
    width = size(cosine)
    steep = where_less(width, sine, one, zero)
    low, high = where_less(width, sine, width, sine), where_less(width, sine, sine, width)
    # An angle of at most an eighth of a turn, less one of half that where it is above a sixteenth.
    beyond = where_less(spread(_EIGHTH) * high, low, one, zero)
    up = where_less(zero, beyond, low - high, low)
    down = where_less(zero, beyond, low + high, high)
    r = up / where_less(zero, down, down, one)
    angle = beyond * spread(0.25 * math.pi) + r * polynomial(_ARCTAN, r * r)
    angle = where_less(zero, steep, spread(0.5 * math.pi) - angle, angle)
    return where_less(cosine, zero, spread(math.pi) - angle, angle)
