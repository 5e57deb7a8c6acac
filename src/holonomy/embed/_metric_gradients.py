"""Distances with their gradients, compiled: what optimisation under a metric other than Euclidean needs."""

from typing import Any

import numpy as np
from numba import njit

from holonomy._core.validation import check_float, check_option
from holonomy.graphs.search import ALIASES

CODES = {
    "euclidean": 0,
    "manhattan": 1,
    "chebyshev": 2,
    "minkowski": 3,
    "seuclidean": 4,
    "mahalanobis": 5,
    "cosine": 6,
    "correlation": 7,
    "canberra": 8,
    "braycurtis": 9,
}
"""Metrics that have a gradient almost everywhere."""


def gradient_metric(metric: Any, parameters: dict[str, Any] | None, name: str) -> tuple[int, float, np.ndarray]:
    """Return the code of a metric, its exponent and its weights, as `distance_and_gradient` takes them.

    Parameters
    ----------
    metric : str
        One of `CODES` or `ALIASES`.
    parameters : dict or None
        ``p`` of minkowski; ``V`` of seuclidean, the variance of each coordinate; ``VI`` of mahalanobis, the inverse
        of the covariance matrix.
    name : str
        How error messages call the metric.

    Raises
    ------
    ValueError
        If the metric has no gradient, or lacks a parameter.
    """
    given = dict(parameters or {})
    known = check_option(ALIASES.get(metric, metric) if isinstance(metric, str) else metric, name, CODES)
    exponent = check_float(given.get("p", 2.0), "p", minimum=1.0)
    weights = np.ones((1, 1))
    if "w" in given:
        raise ValueError(
            f"{name}={metric!r} with weights w has no gradient here; scale the columns by w^(1/p) instead."
        )
    if known == "seuclidean":
        weights = 1.0 / np.atleast_2d(_needed(given, "V", known))
    elif known == "mahalanobis":
        weights = np.atleast_2d(_needed(given, "VI", known))
    return CODES[known], exponent, np.ascontiguousarray(weights, dtype=np.float64)


def _needed(parameters: dict[str, Any], key: str, metric: str) -> np.ndarray:
    if key not in parameters:
        raise ValueError(f"metric {metric!r} needs the parameter {key!r} to be given for this.")
    return np.asarray(parameters[key], dtype=np.float64)


@njit(cache=True, nogil=True, error_model="numpy")
def distance_and_gradient(
    code: int, x: np.ndarray, y: np.ndarray, exponent: float, weights: np.ndarray, gradient: np.ndarray
) -> float:
    """Return the distance of x and y and write its gradient with respect to x; 0 where there is none."""
    if code == 0 or code == 4:
        return _euclidean(x, y, weights, gradient, code == 4)
    if code == 1:
        return _manhattan(x, y, gradient)
    if code == 2:
        return _chebyshev(x, y, gradient)
    if code == 3:
        return _minkowski(x, y, exponent, gradient)
    if code == 5:
        return _mahalanobis(x, y, weights, gradient)
    if code == 6:
        return _angular(x, y, 0.0, 0.0, gradient)
    if code == 7:
        value = _angular(x, y, x.mean(), y.mean(), gradient)
        gradient -= gradient.mean()
        return value
    if code == 8:
        return _canberra(x, y, gradient)
    return _braycurtis(x, y, gradient)


@njit(cache=True, nogil=True, error_model="numpy")
def _euclidean(x: np.ndarray, y: np.ndarray, weights: np.ndarray, gradient: np.ndarray, is_weighted: bool) -> float:
    total = 0.0
    for axis in range(len(x)):
        difference = x[axis] - y[axis]
        scaled = difference * weights[0, axis] if is_weighted else difference
        total += difference * scaled
        gradient[axis] = scaled
    distance = np.sqrt(total)
    gradient *= 1.0 / distance if distance > 0 else 0.0
    return distance


@njit(cache=True, nogil=True, error_model="numpy")
def _manhattan(x: np.ndarray, y: np.ndarray, gradient: np.ndarray) -> float:
    total = 0.0
    for axis in range(len(x)):
        difference = x[axis] - y[axis]
        total += abs(difference)
        gradient[axis] = np.sign(difference)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _chebyshev(x: np.ndarray, y: np.ndarray, gradient: np.ndarray) -> float:
    largest, where = 0.0, 0
    for axis in range(len(x)):
        gradient[axis] = 0.0
        if abs(x[axis] - y[axis]) > largest:
            largest, where = abs(x[axis] - y[axis]), axis
    gradient[where] = np.sign(x[where] - y[where])
    return largest


@njit(cache=True, nogil=True, error_model="numpy")
def _minkowski(x: np.ndarray, y: np.ndarray, exponent: float, gradient: np.ndarray) -> float:
    largest = _chebyshev(x, y, gradient)
    if largest == 0.0:
        return 0.0
    total = 0.0
    for axis in range(len(x)):
        total += (abs(x[axis] - y[axis]) / largest) ** exponent
    norm = total ** (1.0 / exponent)
    for axis in range(len(x)):
        difference = x[axis] - y[axis]
        gradient[axis] = np.sign(difference) * (abs(difference) / (largest * norm)) ** (exponent - 1.0)
    return largest * norm


@njit(cache=True, nogil=True, error_model="numpy")
def _mahalanobis(x: np.ndarray, y: np.ndarray, inverse: np.ndarray, gradient: np.ndarray) -> float:
    total = 0.0
    for axis in range(len(x)):
        product = 0.0
        for other in range(len(x)):
            product += 0.5 * (inverse[axis, other] + inverse[other, axis]) * (x[other] - y[other])
        gradient[axis] = product
        total += product * (x[axis] - y[axis])
    distance = np.sqrt(max(total, 0.0))
    gradient *= 1.0 / distance if distance > 0 else 0.0
    return distance


@njit(cache=True, nogil=True, error_model="numpy")
def _angular(x: np.ndarray, y: np.ndarray, shift_x: float, shift_y: float, gradient: np.ndarray) -> float:
    """One minus the cosine of the angle between x - shift_x and y - shift_y."""
    product, norm_x, norm_y = 0.0, 0.0, 0.0
    for axis in range(len(x)):
        u, v = x[axis] - shift_x, y[axis] - shift_y
        product += u * v
        norm_x += u * u
        norm_y += v * v
    if norm_x == 0.0 or norm_y == 0.0:
        gradient[:] = 0.0
        return 0.0 if norm_x == norm_y else 1.0
    scale = 1.0 / np.sqrt(norm_x * norm_y)
    for axis in range(len(x)):
        gradient[axis] = ((x[axis] - shift_x) * product / norm_x - (y[axis] - shift_y)) * scale
    return max(1.0 - product * scale, 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _canberra(x: np.ndarray, y: np.ndarray, gradient: np.ndarray) -> float:
    total = 0.0
    for axis in range(len(x)):
        size = abs(x[axis]) + abs(y[axis])
        difference = x[axis] - y[axis]
        gradient[axis] = 0.0
        if size > 0:
            total += abs(difference) / size
            gradient[axis] = np.sign(difference) / size - abs(difference) * np.sign(x[axis]) / (size * size)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _braycurtis(x: np.ndarray, y: np.ndarray, gradient: np.ndarray) -> float:
    above, below = 0.0, 0.0
    for axis in range(len(x)):
        above += abs(x[axis] - y[axis])
        below += abs(x[axis] + y[axis])
    for axis in range(len(x)):
        gradient[axis] = 0.0
        if below > 0:
            gradient[axis] = (np.sign(x[axis] - y[axis]) - above / below * np.sign(x[axis] + y[axis])) / below
    return above / below if below > 0 else 0.0
