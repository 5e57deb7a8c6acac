"""Compiled steps of a layout whose distances are not Euclidean.

Same scheme as the Euclidean steps: a point sums its forces from the previous state of all others, so threads cannot
race. Points are held in coordinates in which a step is simple: unit vectors for the sphere; for the hyperboloid the
space-like coordinates, the time-like one being computed in double precision; for Gaussians the mean, the logarithms of
the variances and an angle. On sphere and hyperboloid a move is a tangent vector, followed along its geodesic.
"""

import numpy as np
from numba import njit
from numpy import float32, uint32, uint64

from holonomy.embed._layout_kernels import scramble
from holonomy.embed._metric_gradients import distance_and_gradient

SPHERE, HYPERBOLOID, GAUSSIAN = 20, 21, 22
"""Codes beside those of `_metric_gradients.CODES`."""

GROUP = 64
"""Most forces that a point sums at the same position. On the sphere it is one: sums of more would go around it."""

STRONGEST = 4.0
"""Largest coordinate of a force; on sphere and hyperboloid its largest length."""

LONGEST_STEP = 2.0
"""Longest move at once on the hyperboloid, where distances along it grow exponentially."""

LEAST_ENERGY = 0.1
"""Distance that repulsion sees at least between Gaussians, whose energies may be negative."""


@njit(cache=True, nogil=True, error_model="numpy")
def spread_and_gradient(
    code: int, x: np.ndarray, y: np.ndarray, exponent: float, weights: np.ndarray, gradient: np.ndarray
) -> float:
    """Return the distance on a map and write its (Riemannian) gradient with respect to x; 0 where there is none."""
    if code == SPHERE:
        return _spherical(x, y, gradient)
    if code == HYPERBOLOID:
        return _hyperbolic(x, y, gradient)
    if code == GAUSSIAN:
        return _gaussian_energy(x, y, gradient)
    return distance_and_gradient(code, x, y, exponent, weights, gradient)


@njit(cache=True, nogil=True, error_model="numpy")
def _spherical(x: np.ndarray, y: np.ndarray, gradient: np.ndarray) -> float:
    near, far, product = 0.0, 0.0, 0.0
    for axis in range(len(x)):
        near += (x[axis] - y[axis]) ** 2
        far += (x[axis] + y[axis]) ** 2
        product += x[axis] * y[axis]
    sine = 0.5 * np.sqrt(near * far)
    for axis in range(len(x)):
        gradient[axis] = (product * x[axis] - y[axis]) / sine if sine > 1e-9 else 0.0
    return 2.0 * np.arctan2(np.sqrt(near), np.sqrt(far))


@njit(cache=True, nogil=True, error_model="numpy")
def _hyperbolic(x: np.ndarray, y: np.ndarray, gradient: np.ndarray) -> float:
    norm_x, norm_y, chord = 1.0, 1.0, 0.0
    for axis in range(len(x)):
        norm_x += x[axis] * x[axis]
        norm_y += y[axis] * y[axis]
        chord += (x[axis] - y[axis]) ** 2
    chord = max(chord - (np.sqrt(norm_x) - np.sqrt(norm_y)) ** 2, 0.0)
    distance = 2.0 * np.arcsinh(0.5 * np.sqrt(chord))
    sine = np.sinh(distance)
    for axis in range(len(x)):
        gradient[axis] = (x[axis] - y[axis] + 0.5 * chord * x[axis]) / sine if sine > 1e-9 else 0.0
    return distance


@njit(cache=True, nogil=True, error_model="numpy")
def _gaussian_energy(x: np.ndarray, y: np.ndarray, gradient: np.ndarray) -> float:
    """-log of the overlap of two Gaussians of mean (x0, x1), log variances x2 (and x3) and angle x4."""
    n = len(x)
    first_x, first_y = np.exp(x[2]), np.exp(y[2])
    second_x, second_y = np.exp(x[3 if n > 3 else 2]), np.exp(y[3 if n > 3 else 2])
    angle_x, angle_y = (x[4], y[4]) if n > 4 else (0.0, 0.0)
    cos_x, sin_x, cos_y, sin_y = np.cos(angle_x), np.sin(angle_x), np.cos(angle_y), np.sin(angle_y)
    s11 = first_x * cos_x**2 + second_x * sin_x**2 + first_y * cos_y**2 + second_y * sin_y**2
    s22 = first_x * sin_x**2 + second_x * cos_x**2 + first_y * sin_y**2 + second_y * cos_y**2
    s12 = (first_x - second_x) * sin_x * cos_x + (first_y - second_y) * sin_y * cos_y
    determinant = max(s11 * s22 - s12 * s12, 1e-300)
    shift, other = x[0] - y[0], x[1] - y[1]
    u, v = (s22 * shift - s12 * other) / determinant, (s11 * other - s12 * shift) / determinant
    gradient[0], gradient[1] = u, v
    g11, g22 = 0.5 * (s22 / determinant - u * u), 0.5 * (s11 / determinant - v * v)
    g12 = -0.5 * (s12 / determinant + u * v)
    along = first_x * (g11 * cos_x**2 + 2.0 * g12 * sin_x * cos_x + g22 * sin_x**2)
    across = second_x * (g11 * sin_x**2 - 2.0 * g12 * sin_x * cos_x + g22 * cos_x**2)
    gradient[2] = along if n > 3 else along + across
    if n > 3:
        gradient[3] = across
    if n > 4:
        turn = (g22 - g11) * sin_x * cos_x + g12 * (cos_x**2 - sin_x**2)
        gradient[4] = 2.0 * (first_x - second_x) * turn
    return 0.5 * (shift * u + other * v + np.log(determinant)) + np.log(2.0 * np.pi)


@njit(cache=True, nogil=True, error_model="numpy")
def follow(code: int, place: np.ndarray, move: np.ndarray) -> None:
    """Change a place by a move: along the geodesic on sphere and hyperboloid, in a straight line elsewhere."""
    if code == SPHERE:
        length, norm = np.sqrt((move * move).sum()), 0.0
        sine = np.sin(length) / length if length > 1e-12 else 1.0
        for axis in range(len(place)):
            place[axis] = np.cos(length) * place[axis] + sine * move[axis]
            norm += place[axis] * place[axis]
        place /= np.sqrt(norm)
    elif code == HYPERBOLOID:
        time = (place * move).sum() / np.sqrt(1.0 + (place * place).sum())
        length = np.sqrt(max((move * move).sum() - time * time, 0.0))
        taken = min(length, LONGEST_STEP)
        sine = np.sinh(taken) / length if length > 1e-12 else 1.0
        for axis in range(len(place)):
            place[axis] = np.cosh(taken) * place[axis] + sine * move[axis]
    else:
        for axis in range(len(place)):
            place[axis] += move[axis]


@njit(cache=True, nogil=True, error_model="numpy")
def _push(code: int, force: float, gradient: np.ndarray, move: np.ndarray) -> None:
    """Add a force along a gradient to a move, limited."""
    if code in (SPHERE, HYPERBOLOID):
        force = min(max(force, -STRONGEST), STRONGEST)
    for axis in range(len(move)):
        pushed = force * gradient[axis]
        move[axis] += pushed if code in (SPHERE, HYPERBOLOID) else min(max(pushed, -STRONGEST), STRONGEST)


@njit(cache=True, nogil=True, error_model="numpy")
def attract(
    code: int,
    exponent: float,
    weights: np.ndarray,
    positions: np.ndarray,
    targets: np.ndarray,
    moved: np.ndarray,
    sampled: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    rates: np.ndarray,
    epoch: int,
    step: float,
    a: float,
    b: float,
    start: int,
    stop: int,
) -> None:
    """Move the points [start, stop) towards the other ends of their sampled edges; arguments as in the flat case."""
    dim = targets.shape[1]
    place, target, gradient, move = np.empty(dim), np.empty(dim), np.empty(dim), np.zeros(dim)
    time = uint32(epoch + 1)
    together = 1 if code == SPHERE else GROUP
    for i in range(start, stop):
        place[:] = positions[i]
        total, waiting = 0, 0
        for e in range(indptr[i], indptr[i + 1]):
            if uint32(time * rates[e]) < rates[e]:
                target[:] = targets[indices[e]]
                d = spread_and_gradient(code, place, target, exponent, weights, gradient)
                if d > 0.0:
                    absent = a * d ** (2.0 * b)
                    _push(code, -2.0 * b * absent / ((1.0 + absent) * d), gradient, move)
                total, waiting = total + 1, waiting + 1
            if waiting == together or (e == indptr[i + 1] - 1 and waiting > 0):
                move *= step
                follow(code, place, move)
                move[:] = 0.0
                waiting = 0
        moved[i] = place.astype(float32)
        sampled[i] += total


@njit(cache=True, nogil=True, error_model="numpy")
def repel(
    code: int,
    exponent: float,
    weights: np.ndarray,
    positions: np.ndarray,
    targets: np.ndarray,
    moved: np.ndarray,
    sampled: np.ndarray,
    keys: np.ndarray,
    epoch: int,
    step: float,
    a: float,
    b: float,
    repulsion: float,
    n_negatives: int,
    is_moving: bool,
    start: int,
    stop: int,
) -> None:
    """Push the points [start, stop) away from random targets; arguments as in the flat case."""
    n, dim = targets.shape
    place, target, gradient, move = np.empty(dim), np.empty(dim), np.empty(dim), np.zeros(dim)
    others = uint64(n - 1) if is_moving else uint64(n)
    least = LEAST_ENERGY if code == GAUSSIAN else 0.0
    together = 1 if code == SPHERE else GROUP
    for i in range(start, stop):
        place[:] = positions[i]
        key = scramble(uint32(keys[i] + uint32(0x9E3779B9) * uint32(epoch)))
        count = sampled[i] * n_negatives
        for draw in range(count):
            h = scramble(uint32(key + uint32(draw) * uint32(0x9E3779B9)))
            other = (uint64(h) * others) >> uint64(32)
            target[:] = targets[other + uint64(is_moving and other >= uint64(i))]
            d = max(spread_and_gradient(code, place, target, exponent, weights, gradient), least)
            membership = 1.0 / (1.0 + a * d ** (2.0 * b))
            _push(code, 2.0 * repulsion * b * membership * d / (0.001 + d * d), gradient, move)
            if (draw + 1) % together == 0 or draw == count - 1:
                move *= step
                follow(code, place, move)
                move[:] = 0.0
        moved[i] = place.astype(float32)


@njit(cache=True, nogil=True, error_model="numpy")
def distances_between(
    code: int, exponent: float, weights: np.ndarray, rows: np.ndarray, others: np.ndarray, result: np.ndarray
) -> None:
    """Write the distances (m, n) of rows to others."""
    gradient = np.empty(rows.shape[1])
    for i in range(len(rows)):
        for j in range(len(others)):
            result[i, j] = spread_and_gradient(code, rows[i], others[j], exponent, weights, gradient)
