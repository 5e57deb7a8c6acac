"""What the fused kernels of the constant-curvature spaces are written with: sums over a row, and scalar functions.

Everything is computed in double precision. Each sum has a loop of its own, which is what compilers turn into vector
instructions. ``summed`` functions may add in any order; an expression that must be rounded as it is written stands in
a ``kept`` one.
"""

import math

import numpy as np
from numba import njit

kernel = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
kept = njit(error_model="numpy", fastmath={"contract"}, forceinline=True)
summed = njit(error_model="numpy", fastmath={"reassoc", "contract", "nsz"}, forceinline=True)

SERIES = 0.0625
"""Below this argument scalar functions are their power series, of terms enough for double precision."""


def _series(ratio, count):
    """Return coefficients, the highest first, from the ratio of each to the one before."""
    found = [1.0]
    for n in range(count - 1):
        found.append(found[-1] * ratio(n))
    return tuple(reversed(found))


def _slopes(coefficients):
    """Return the coefficients of the derivative."""
    ascending = coefficients[::-1]
    return tuple(n * c for n, c in enumerate(ascending))[:0:-1]


def arsinh_series(count):
    """Return the coefficients of arsinh(t) / t by t^2, the highest first."""
    return _series(lambda n: -((2 * n + 1) ** 2) / (2.0 * (n + 1) * (2 * n + 3)), count)


def _tangent_series(count):
    """Return the coefficients of tanh(t) / t by t^2, from tanh' = 1 - tanh^2."""
    found = [1.0]
    for n in range(1, count):
        found.append(-sum(found[i] * found[n - 1 - i] for i in range(n)) / (2 * n + 1))
    return tuple(reversed(found))


_ARC = arsinh_series(13)
_STRETCH = _series(lambda n: -(n + 1) / (n + 1.5), 15)
_STRETCH_SLOPE = _slopes(_STRETCH)
_TANGENT = _tangent_series(12)
_TANGENT_SLOPE = _slopes(_TANGENT)
_COSH = _series(lambda n: 1.0 / ((2 * n + 1) * (2 * n + 2)), 8)
_SINHC = _series(lambda n: 1.0 / ((2 * n + 2) * (2 * n + 3)), 8)
_SINHC_SLOPE = _slopes(_SINHC)
_ARCSIN_SLOPE = _slopes(tuple(abs(c) for c in _ARC))
_SINC_SLOPE = tuple(c * (-1) ** (len(_SINHC_SLOPE) - n) for n, c in enumerate(_SINHC_SLOPE))


@kept
def horner(coefficients, z):
    """Return the polynomial of these coefficients, the highest first."""
    total = 0.0
    for c in coefficients:
        total = total * z + c
    return total


@kept
def arc(z):
    """Return arsinh(t) / t at t = sqrt(z)."""
    if z < SERIES:
        return horner(_ARC, z)
    t = math.sqrt(z)
    return math.log(t + math.sqrt(1.0 + z)) / t


@kept
def stretch(z):
    """Return arsinh(t) / (t sqrt(1 + z)) at t = sqrt(z): how much longer a half-distance is than its chord."""
    return arc(z) / math.sqrt(1.0 + z)


@kept
def stretch_slope(z, value):
    """Return the derivative of :func:`stretch` by z."""
    if z < SERIES:
        return horner(_STRETCH_SLOPE, z)
    return (1.0 - (1.0 + 2.0 * z) * value) / (2.0 * z * (1.0 + z))


@kept
def tangent(z):
    """Return tanh(t) / t and 1 / cosh(t)^2 at t = sqrt(z)."""
    if z < SERIES:
        ratio = horner(_TANGENT, z)
        return ratio, 1.0 - z * ratio * ratio
    t = math.sqrt(z)
    fade = math.exp(-2.0 * t)
    below = 1.0 / (1.0 + fade)
    return (1.0 - fade) * below / t, 4.0 * fade * below * below


@kept
def tangent_slope(z, ratio, square):
    """Return the derivative of tanh(t) / t by z."""
    if z < SERIES:
        return horner(_TANGENT_SLOPE, z)
    return (square - ratio) / (2.0 * z)


@kept
def hyperbolic(z):
    """Return cosh(t) and sinh(t) / t at t = sqrt(z)."""
    if z < SERIES:
        return horner(_COSH, z), horner(_SINHC, z)
    t = math.sqrt(z)
    grown = math.exp(t)
    return 0.5 * (grown + 1.0 / grown), 0.5 * (grown - 1.0 / grown) / t


@kept
def hyperbolic_slope(z, cosh, sinhc):
    """Return the derivative of sinh(t) / t by z."""
    if z < SERIES:
        return horner(_SINHC_SLOPE, z)
    return 0.5 * (cosh - sinhc) / z


@kept
def arcsin_slope(z):
    """Return the derivative of arcsin(t) / t at t = sqrt(z) by z, for small z."""
    return horner(_ARCSIN_SLOPE, z)


@kept
def trigonometric(z):
    """Return cos(t) and sin(t) / t at t = sqrt(z)."""
    t = math.sqrt(z)
    return math.cos(t), math.sin(t) / t if t > 0.0 else 1.0


@kept
def trigonometric_slope(z, cos, sinc):
    """Return the derivative of sin(t) / t by z."""
    if z < SERIES:
        return horner(_SINC_SLOPE, z)
    return 0.5 * (cos - sinc) / z


@kept
def difference(a, b):
    """Return b - a, as it is rounded."""
    return b - a


@kept
def turned(a, b, c):
    """Return b - c a, as it is rounded."""
    return b - c * a


@summed
def squares(x, i, first):
    """Return |x|^2 of row i over the columns from ``first`` on."""
    total = 0.0
    for j in range(first, x.shape[1]):
        a = np.float64(x[i, j])
        total += a * a
    return total


@summed
def products(x, y, i, first):
    """Return <x, y> of row i over the columns from ``first`` on."""
    total = 0.0
    for j in range(first, x.shape[1]):
        total += np.float64(x[i, j]) * np.float64(y[i, j])
    return total


@summed
def gaps(x, y, i, first):
    """Return |y - x|^2 of row i over the columns from ``first`` on."""
    total = 0.0
    for j in range(first, x.shape[1]):
        d = difference(np.float64(x[i, j]), np.float64(y[i, j]))
        total += d * d
    return total


@summed
def rises(x, y, i, first):
    """Return |y|^2 - |x|^2 of row i over the columns from ``first`` on."""
    total = 0.0
    for j in range(first, x.shape[1]):
        a, b = np.float64(x[i, j]), np.float64(y[i, j])
        total += difference(a, b) * (b + a)
    return total


@summed
def moves(v, x, y, i, first):
    """Return <v, y - x> of row i over the columns from ``first`` on."""
    total = 0.0
    for j in range(first, x.shape[1]):
        total += np.float64(v[i, j]) * difference(np.float64(x[i, j]), np.float64(y[i, j]))
    return total
