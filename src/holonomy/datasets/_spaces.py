"""Flat, round and hyperbolic space in NumPy: charts, and distances exact for near and far points alike."""

import numpy as np


def euclidean(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return Euclidean distances between points (..., d)."""
    return np.linalg.norm(p - q, axis=-1)


def great_circle(p: np.ndarray, q: np.ndarray, radius: float = 1.0) -> np.ndarray:
    """Return distances on a sphere of this radius between the unit vectors (..., d + 1) of its points."""
    return 2.0 * radius * np.arctan2(np.linalg.norm(p - q, axis=-1), np.linalg.norm(p + q, axis=-1))


def flat_torus(p: np.ndarray, q: np.ndarray, radii: np.ndarray | float = 1.0) -> np.ndarray:
    """Return distances on a product of circles of these radii between angles (..., d)."""
    return np.linalg.norm(radii * shortest_turn(p - q), axis=-1)


def shortest_turn(difference: np.ndarray, period: float = 2.0 * np.pi) -> np.ndarray:
    """Return the difference of two cyclic coordinates that is smallest in size; small ones are kept to the last bit."""
    return difference - period * np.round(difference / period)


def hyperbolic(p: np.ndarray, q: np.ndarray, curvature: float = -1.0) -> np.ndarray:
    """Return hyperbolic distances between normal coordinates (..., d) at the origin."""
    scale = np.sqrt(-curvature)
    r, u = _polar(p * scale)
    s, v = _polar(q * scale)
    half_chord = 0.5 * np.linalg.norm(u - v, axis=-1)
    across = np.sqrt(np.sinh(r)) * np.sqrt(np.sinh(s)) * half_chord
    return 2.0 / scale * np.arcsinh(np.hypot(np.sinh(0.5 * (r - s)), across))


def _polar(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return lengths (...) and directions (..., d) of vectors; a zero vector has the direction zero."""
    length = np.linalg.norm(v, axis=-1)
    return length, v / np.where(length == 0.0, 1.0, length)[..., None]


def hyperboloid_points(v: np.ndarray, curvature: float = -1.0) -> np.ndarray:
    """Return the points (..., d + 1) of the hyperboloid ``x0^2 - |x|^2 = -1 / curvature`` at normal coordinates."""
    scale = np.sqrt(-curvature)
    r, u = _polar(v * scale)
    return np.concatenate([np.cosh(r)[..., None], np.sinh(r)[..., None] * u], axis=-1) / scale


def normal_coordinates(x: np.ndarray) -> np.ndarray:
    """Return the normal coordinates (..., d) of points (..., d + 1) of the unit hyperboloid; inverts the above."""
    sinh_r, u = _polar(x[..., 1:])
    return np.arcsinh(sinh_r)[..., None] * u


def poincare_points(v: np.ndarray, curvature: float = -1.0) -> np.ndarray:
    """Return the points (..., d) of the Poincare ball of radius ``1 / sqrt(-curvature)`` at normal coordinates."""
    scale = np.sqrt(-curvature)
    r, u = _polar(v * scale)
    return np.tanh(0.5 * r)[..., None] * u / scale


def random_directions(rng: np.random.Generator, m: int, dim: int) -> np.ndarray:
    """Return ``m`` unit vectors, uniform on the sphere of dimension ``dim``, shape (m, dim + 1)."""
    return _polar(rng.standard_normal((m, dim + 1)))[1]


def sphere_angles(u: np.ndarray) -> np.ndarray:
    """Return the angles (..., d) of unit vectors (..., d + 1).

    The first d - 1 are polar angles in [0, pi], ``cos(angle_k) = u_k / |u_k, ..., u_d|``; the last is the angle in
    [0, 2 pi) of the last two coordinates.
    """
    tail = np.sqrt(np.cumsum(np.square(u[..., ::-1]), axis=-1))[..., ::-1]
    angles = np.arctan2(tail[..., 1:], u[..., :-1])
    angles[..., -1] = np.mod(np.arctan2(u[..., -1], u[..., -2]), 2.0 * np.pi)
    return angles


def sphere_points(angles: np.ndarray) -> np.ndarray:
    """Return the unit vectors (..., d + 1) of angles (..., d); inverts :func:`sphere_angles`."""
    sines = np.cumprod(np.sin(angles), axis=-1)
    ones = np.ones_like(sines[..., :1])
    return np.concatenate([ones, sines], axis=-1) * np.concatenate([np.cos(angles), ones], axis=-1)


def uniform_angles(rng: np.random.Generator, m: int, dim: int) -> tuple[np.ndarray]:
    """Return ``m`` tuples of ``dim`` angles in [0, 2 pi), uniform on the flat torus, as a proposal of one array."""
    return (rng.uniform(0.0, 2.0 * np.pi, (m, dim)),)


def torus_points(angles: np.ndarray, radii: np.ndarray | float = 1.0) -> np.ndarray:
    """Return the points (..., 2 d) of the product of circles at angles (..., d)."""
    circles = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=-1)
    return circles.reshape(*angles.shape[:-1], -1)
