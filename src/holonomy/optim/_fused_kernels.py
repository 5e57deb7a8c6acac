"""One pass over the rows of points in spaces of constant curvature: gradients with their lengths, and steps.

Each kernel does rows [start, stop) of C-contiguous arrays (m, n) of one dtype, and computes in double precision. A
step moves a point along the geodesic whose velocity is ``scale`` times u, and a vector w along with it, in place; it
leaves the point on its space and the vector tangent to it. Where u is w, the row is read before it is written.
"""

import math

import numpy as np
from numba import njit

_compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
_inlined = njit(error_model="numpy", fastmath={"reassoc", "contract", "nsz"}, forceinline=True)


@_compiled
def _turns(z):
    """Return cos t, sin(t) / t and (1 - cos t) / t^2 at t = sqrt(z), for negative z cosh and so on."""
    half = 0.5 * math.sqrt(abs(z))
    if half == 0.0:
        return 1.0, 1.0, 0.5
    if z < 0.0:
        sine = math.sinh(half)
        cosine = math.sqrt(1.0 + sine * sine)
        ratio = sine / half
        return 1.0 + 2.0 * sine * sine, ratio * cosine, 0.5 * ratio * ratio
    sine, cosine = math.sin(half), math.cos(half)
    ratio = sine / half
    return 1.0 - 2.0 * sine * sine, ratio * cosine, 0.5 * ratio * ratio


@_compiled
def sphere_gradients(x, e, curvature, g, squares, start, stop):
    """Fill tangent parts of derivatives, and their squared lengths."""
    n = x.shape[1]
    for i in range(start, stop):
        xx, xe = 0.0, 0.0
        for j in range(n):
            a = np.float64(x[i, j])
            xx += a * a
            xe += a * e[i, j]
        along, square = xe / xx, 0.0
        for j in range(n):
            b = e[i, j] - along * x[i, j]
            g[i, j] = b
            square += b * b
        squares[i] = square


@_compiled
def sphere_steps(x, u, w, curvature, scale, carry, edge, start, stop):
    """Move along great circles."""
    n = x.shape[1]
    for i in range(start, stop):
        s = scale[i]
        vv, wv = 0.0, 0.0
        for j in range(n):
            b = s * u[i, j]
            vv += b * b
            wv += b * w[i, j]
        cos, sine, verse = _turns(curvature * vv)
        size = 0.0
        for j in range(n):
            y = cos * x[i, j] + sine * (s * u[i, j])
            size += y * y
        fit = 1.0 / math.sqrt(curvature * size)
        normal = 0.0
        for j in range(n):
            a, b = np.float64(x[i, j]), s * u[i, j]
            if carry:
                moved = w[i, j] - curvature * wv * (sine * a + verse * b)
                normal += moved * (cos * a + sine * b)
        normal /= size
        for j in range(n):
            a, b = np.float64(x[i, j]), s * u[i, j]
            y = cos * a + sine * b
            if carry:
                w[i, j] = w[i, j] - curvature * wv * (sine * a + verse * b) - normal * y
            x[i, j] = fit * y


@_compiled
def hyperboloid_gradients(x, e, curvature, g, squares, start, stop):
    """Fill Riemannian gradients and their squared lengths, with the first coordinate of points from the others."""
    n = x.shape[1]
    for i in range(start, stop):
        xx, xe = 0.0, 0.0
        for j in range(1, n):
            a = np.float64(x[i, j])
            xx += a * a
            xe += a * e[i, j]
        time = math.sqrt(xx - 1.0 / curvature)
        along = curvature * (xe + time * e[i, 0])
        g[i, 0] = -e[i, 0] - along * time
        radial = 0.0
        for j in range(1, n):
            b = e[i, j] - along * x[i, j]
            g[i, j] = b
            radial += b * x[i, j]
        across = 0.0
        slope = radial / xx if xx > 0.0 else 0.0
        for j in range(1, n):
            b = (e[i, j] - along * x[i, j]) - slope * x[i, j]
            across += b * b
        squares[i] = across + radial * slope / (1.0 - curvature * xx)


@_compiled
def hyperboloid_steps(x, u, w, curvature, scale, carry, edge, start, stop):
    """Move along geodesics; the first coordinates follow from the others."""
    n = x.shape[1]
    for i in range(start, stop):
        s = scale[i]
        xx, xu, xw = 0.0, 0.0, 0.0
        for j in range(1, n):
            a = np.float64(x[i, j])
            xx += a * a
            xu += a * u[i, j]
            xw += a * w[i, j]
        inverse = 1.0 / xx if xx > 0.0 else 0.0
        ru, rw, stretch = xu * inverse, xw * inverse, 1.0 - curvature * xx
        uu, uw = 0.0, 0.0
        for j in range(1, n):
            a = np.float64(x[i, j])
            across = u[i, j] - ru * a
            uu += across * across
            uw += across * (w[i, j] - rw * a)
        uu += ru * xu / stretch
        wv = s * (uw + rw * xu / stretch)
        cos, sine, verse = _turns(curvature * s * s * uu)
        yy, yw = 0.0, 0.0
        for j in range(1, n):
            a, b = np.float64(x[i, j]), s * u[i, j]
            y = cos * a + sine * b
            if carry:
                moved = w[i, j] - curvature * wv * (sine * a + verse * b)
                yw += y * moved
                w[i, j] = moved
            yy += y * y
            x[i, j] = y
        time = math.sqrt(yy - 1.0 / curvature)
        x[i, 0] = time
        if carry:
            w[i, 0] = yw / time


@_compiled
def ball_gradients(x, e, curvature, g, squares, start, stop):
    """Fill Riemannian gradients and their squared lengths."""
    n = x.shape[1]
    for i in range(start, stop):
        xx, ee = 0.0, 0.0
        for j in range(n):
            a, b = np.float64(x[i, j]), np.float64(e[i, j])
            xx += a * a
            ee += b * b
        half = 0.5 * (1.0 + curvature * xx)
        for j in range(n):
            g[i, j] = half * half * e[i, j]
        squares[i] = half * half * ee


_LONGEST = 1e100
"""Half the length of a step, at curvature -1, that ends at the edge of the ball, and whose square is a number."""


@_inlined
def _norm(u, i, square):
    """Return |u| of row i, whose square may be too large to be stored."""
    if square < np.inf:
        return math.sqrt(square)
    largest, rest = 0.0, 0.0
    for j in range(u.shape[1]):
        largest = max(largest, abs(np.float64(u[i, j])))
    for j in range(u.shape[1]):
        part = u[i, j] / largest
        rest += part * part
    return largest * math.sqrt(rest)


@_inlined
def _ball_moves(chordal, x, u, w, curvature, scale, carry, edge, start, stop):
    """Move along geodesics, not beyond the outermost point that can be stored, and turn w by the gyration."""
    n = x.shape[1]
    # The point as it is stored: at the edge of the ball its rounding is what decides about the metric there.
    stored = np.empty(n, x.dtype)
    for i in range(start, stop):
        s = scale[i]
        xx, uu = 0.0, 0.0
        for j in range(n):
            here, b = np.float64(x[i, j]), np.float64(u[i, j])
            xx += here * here
            uu += b * b
        a = 1.0 + curvature * xx
        speed = _norm(u, i, uu) * math.sqrt(-curvature) / a
        t = abs(s) * speed
        if t > _LONGEST:
            s, t = math.copysign(_LONGEST / speed, s), _LONGEST
        if chordal:
            square = 1.0 / (1.0 + t * t)
            along = math.sqrt(square) / a
        else:
            fall = math.expm1(-2.0 * t)
            inverse = 1.0 / (2.0 + fall)
            square = 4.0 * (1.0 + fall) * inverse * inverse
            along = (-fall * inverse / t if t > 0.0 else 1.0) / a
        step, spread = along * s, 0.0
        for j in range(n):
            part = x[i, j] + step * u[i, j]
            spread += part * part
        shrink = 1.0 / (a * square - curvature * spread)
        conformal = a * square * shrink
        if conformal < 1.0 - edge * edge:
            shrink *= edge / math.sqrt(1.0 - conformal)
        p, q = (a - curvature * spread) * shrink, a * step * shrink
        yy, dd, wx, wd = 0.0, 0.0, 0.0, 0.0
        for j in range(n):
            here = np.float64(x[i, j])
            stored[j] = p * here + q * u[i, j]
            y = np.float64(stored[j])
            d = y - here
            yy += y * y
            dd += d * d
            wx += here * w[i, j]
            wd += d * w[i, j]
        b = 1.0 + curvature * yy
        ratio = b / a
        double = 2.0 * ratio * curvature / (a * b - curvature * dd)
        back = -double * (a * wd + curvature * dd * wx)
        side = double * (wx * (a + curvature * (yy - xx - dd)) - curvature * xx * wd)
        for j in range(n):
            if carry:
                here = np.float64(x[i, j])
                w[i, j] = ratio * w[i, j] + back * here + side * (stored[j] - here)
            x[i, j] = stored[j]


@_compiled
def ball_steps(x, u, w, curvature, scale, carry, edge, start, stop):
    """Move as far as ``exp`` does."""
    _ball_moves(False, x, u, w, curvature, scale, carry, edge, start, stop)


@_compiled
def ball_chords(x, u, w, curvature, scale, carry, edge, start, stop):
    """Move as far as the chordal retraction does."""
    _ball_moves(True, x, u, w, curvature, scale, carry, edge, start, stop)
