"""Distances and their gradients from one node to a few others, in every space that has compiled steps.

The gradient of a distance with respect to either end y, seen from the other end x, is ``h (y - x) + e y`` in all these
spaces; the functions here write h and e for both ends, and ``exp(-distance)``. In hyperbolic space that exponential is
``(sqrt(q) + sqrt(1 + q))^-2`` with q = sinh^2(d / 2): there is no logarithm to compute, and all loops vectorise.

Coordinates are those at curvature -1; ``scale`` is the curvature radius, by which distances are multiplied.
"""

import math

import numpy as np
from numba import njit

BALL, HYPERBOLOID, FLAT, SQUARED = 0, 1, 2, 3
"""Codes of the spaces; SQUARED is flat space with squared distances."""

N_AUX = {BALL: 1, HYPERBOLOID: 3, FLAT: 0, SQUARED: 0}
"""Numbers that are kept for each node beside its coordinates: see `refresh`."""


@njit(cache=True, nogil=True, error_model="numpy")
def refresh(space, places, aux, first, last):
    """Write what the terms need of the nodes [first, last): 1 - |x|^2 in the ball; |x|, x0, 1 / |x| on the sheet."""
    for i in range(first, last):
        square = 0.0
        for axis in range(places.shape[1]):
            square += np.float64(places[i, axis]) * np.float64(places[i, axis])
        if space == BALL:
            aux[0, i] = 1.0 - square
        elif space == HYPERBOLOID:
            norm = math.sqrt(square)
            aux[0, i] = norm
            aux[1, i] = math.sqrt(1.0 + square)
            aux[2, i] = 1.0 / norm if norm > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def ball_terms(places, aux, scale, source, targets, count, steps, near, own_h, own_e, their_h, their_e):
    """Fill the terms of the ball; ``steps`` (dim, count) receives x - y for the targets y."""
    one, alpha = aux.dtype.type(1), aux[0, source]
    for m in range(count):
        own_e[m] = 0
        their_h[m] = aux[0, targets[m]]
    for axis in range(places.shape[1]):
        x = places[source, axis]
        for m in range(count):
            steps[axis, m] = x - places[targets[m], axis]
        for m in range(count):
            own_e[m] += steps[axis, m] * steps[axis, m]
    # Loops that write to few arrays each are the ones that compilers turn into vector instructions.
    zero, half, inverse = aux.dtype.type(0), aux.dtype.type(0.5), one / alpha
    for m in range(count):
        near[m] = own_e[m] / (alpha * their_h[m])
    for m in range(count):
        q = near[m]
        # d grows as 1 / (sqrt(q) sqrt(1 + q)) with q; coincident points have no direction.
        own_h[m] = half / (np.sqrt(q) * np.sqrt(one + q)) if q > zero else zero
    for m in range(count):
        root = np.sqrt(near[m]) + np.sqrt(one + near[m])
        near[m] = one / (root * root)
    for m in range(count):
        their_e[m] = own_h[m] * own_e[m] * inverse
    for m in range(count):
        own_e[m] = own_h[m] * own_e[m] / their_h[m]
    for m in range(count):
        rate, beta = own_h[m], their_h[m]
        own_h[m] = rate * alpha / beta
        their_h[m] = rate * beta * inverse
    _rescale(scale, count, near, own_h, own_e, their_h, their_e)


@njit(cache=True, nogil=True, error_model="numpy")
def hyperboloid_terms(places, aux, scale, source, targets, count, steps, near, own_h, own_e, their_h, their_e):
    """Fill the terms of the hyperboloid, whose coordinates are the space-like ones.

    q is that of the radii plus that of the angle between the directions: no digits are lost for near points far out.
    """
    norm, time, inverse = aux[0, source], aux[1, source], aux[2, source]
    for m in range(count):
        own_e[m] = 0.0
        own_h[m] = aux[2, targets[m]]
    for axis in range(places.shape[1]):
        x = np.float64(places[source, axis])
        for m in range(count):
            y = np.float64(places[targets[m], axis])
            turn = x * inverse - y * own_h[m]
            own_e[m] += turn * turn
            steps[axis, m] = x - y
    for m in range(count):
        other_norm, other_time = aux[0, targets[m]], aux[1, targets[m]]
        denominator = norm * other_time + other_norm * time
        rise = (norm - other_norm) * (norm + other_norm) / denominator if denominator > 0.0 else 0.0
        square = rise * rise
        q = 0.5 * square / (1.0 + np.sqrt(1.0 + square)) + 0.25 * norm * other_norm * own_e[m]
        root, other = np.sqrt(q), np.sqrt(1.0 + q)
        near[m] = 1.0 / ((root + other) * (root + other))
        rate = 0.5 / (root * other) if q > 0.0 else 0.0
        own_h[m] = their_h[m] = rate
        own_e[m] = their_e[m] = 2.0 * rate * q
    _rescale(scale, count, near, own_h, own_e, their_h, their_e)


@njit(cache=True, nogil=True, error_model="numpy")
def flat_terms(is_squared, places, source, targets, count, steps, near, own_h, own_e, their_h, their_e):
    """Fill the terms of flat space."""
    for m in range(count):
        near[m] = 0.0
    for axis in range(places.shape[1]):
        x = places[source, axis]
        for m in range(count):
            steps[axis, m] = x - places[targets[m], axis]
        for m in range(count):
            near[m] += steps[axis, m] * steps[axis, m]
    for m in range(count):
        square = near[m]
        length = np.sqrt(square)
        rate = 2.0 if is_squared else (1.0 / length if length > 0.0 else 0.0)
        near[m] = np.exp(-square if is_squared else -length)
        own_h[m] = their_h[m] = rate
        own_e[m] = their_e[m] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _rescale(scale, count, near, own_h, own_e, their_h, their_e):
    """Change distances to those at another curvature."""
    if scale == 1.0:
        return
    inverse = near.dtype.type(1.0 / scale)
    for m in range(count):
        near[m] = near[m] ** near.dtype.type(scale)
        own_h[m] *= inverse
        own_e[m] *= inverse
        their_h[m] *= inverse
        their_e[m] *= inverse


@njit(cache=True, nogil=True, error_model="numpy")
def fill_terms(space, places, aux, scale, source, targets, count, steps, near, own_h, own_e, their_h, their_e):
    """Fill the terms of one node with others, in any space."""
    if space == BALL:
        ball_terms(places, aux, scale, source, targets, count, steps, near, own_h, own_e, their_h, their_e)
    elif space == HYPERBOLOID:
        hyperboloid_terms(places, aux, scale, source, targets, count, steps, near, own_h, own_e, their_h, their_e)
    else:
        flat_terms(space == SQUARED, places, source, targets, count, steps, near, own_h, own_e, their_h, their_e)


@njit(cache=True, nogil=True, error_model="numpy")
def move(space, place, aux, gradient, step, edge, is_retraction):
    """Move a place (dim,) by ``-step`` times its Riemannian gradient, along the geodesic or by a straight line.

    ``aux`` is the 1 - |x|^2 of the ball. Returns whether the ball's outermost radius, 1 - ``edge``, was reached.
    """
    dim = len(place)
    if space == BALL:
        return _move_in_ball(place, np.float64(aux), gradient, step, edge, is_retraction)
    if space == HYPERBOLOID:
        _move_on_sheet(place, gradient, step, is_retraction)
    else:
        for axis in range(dim):
            place[axis] -= step * gradient[axis]
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def _move_in_ball(place, alpha, gradient, step, edge, is_retraction):
    """Follow a geodesic: the Moebius sum of the place and a vector of length tanh(|v| / alpha)."""
    dim, square, product = len(place), 0.0, 0.0
    for axis in range(dim):
        square += np.float64(gradient[axis]) * np.float64(gradient[axis])
        product += np.float64(gradient[axis]) * np.float64(place[axis])
    own, along = 1.0, -step
    if not is_retraction:
        length = step * math.sqrt(square)
        if length == 0.0:
            return False
        taken = math.tanh(length / alpha)
        factor = -step * taken / length
        inner, size = 2.0 * factor * product, taken * taken
        denominator = 1.0 + inner + (1.0 - alpha) * size
        own, along = (1.0 + inner + size) / denominator, alpha * factor / denominator
    norm = 0.0
    for axis in range(dim):
        place[axis] = own * place[axis] + along * gradient[axis]
        norm += np.float64(place[axis]) * np.float64(place[axis])
    limit = 1.0 - edge
    if norm <= limit * limit:
        return False
    shrink = limit / math.sqrt(norm)
    for axis in range(dim):
        place[axis] *= shrink
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _move_on_sheet(place, gradient, step, is_retraction):
    """Follow a geodesic: cosh(t) x + sinh(t) v / t, t being the Minkowski length of the tangent vector v.

    The part of v along x counts 1 / x0 of its length; parts are squared apart, so that nothing cancels.
    """
    dim, square, product = len(place), 0.0, 0.0
    for axis in range(dim):
        square += np.float64(place[axis]) * np.float64(place[axis])
        product += np.float64(gradient[axis]) * np.float64(place[axis])
    slope = product / square if square > 0.0 else 0.0
    length = product * slope / (1.0 + square)
    for axis in range(dim):
        across = np.float64(gradient[axis]) - slope * np.float64(place[axis])
        length += across * across
    length = step * math.sqrt(length)
    own, along = 1.0, -step
    if not is_retraction:
        own = math.cosh(length)
        along = -step * (math.sinh(length) / length if length > 1e-8 else 1.0)
    for axis in range(dim):
        place[axis] = own * place[axis] + along * gradient[axis]
