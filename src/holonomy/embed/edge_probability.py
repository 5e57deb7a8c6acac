"""The Fermi-Dirac curve from distance to the probability of an edge."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from holonomy._core.validation import check_float

STEPS = 20
"""Most Newton steps of a fit; a logistic regression on one number needs fewer."""

STEEPEST, FLATTEST = 1e-2, 1e2
"""Temperatures that a fit stays between."""


def fermi_dirac(distances: ArrayLike, radius: float = 2.0, temperature: float = 1.0) -> np.ndarray:
    """Return the probability of an edge, 1 / (exp((d - radius) / temperature) + 1).

    Parameters
    ----------
    distances : array-like
        Distances d.
    radius : float, default 2.0
        Distance of probability 1/2.
    temperature : float, default 1.0
        Positive; how slowly the probability falls around it.

    Returns
    -------
    ndarray of the shape of ``distances``

    Raises
    ------
    ValueError
        If a number is not finite, or the temperature not positive.

    Examples
    --------
    >>> from holonomy.embed import fermi_dirac
    >>> fermi_dirac([0.0, 2.0, 4.0], radius=2.0, temperature=1.0).round(3).tolist()
    [0.881, 0.5, 0.119]
    """
    middle = check_float(radius, "radius")
    width = check_float(temperature, "temperature", minimum=0.0)
    if width == 0.0:
        raise ValueError("temperature must be positive, got 0.0.")
    return expit((middle - np.asarray(distances, dtype=np.float64)) / width)


def fit_fermi_dirac(distances: np.ndarray, is_edge: np.ndarray) -> tuple[float, float]:
    """Return the radius and temperature that make edges and other pairs most likely.

    A logistic regression on the distance, by Newton's method with steps halved until the likelihood rises.
    Temperatures outside [0.01, 100] are not reached: where distances separate edges from other pairs, the likeliest
    temperature is zero, and where they say nothing, infinite.
    """
    design = np.column_stack([np.ones_like(distances), -distances])
    # At equal chances no pair is certain, and the curvature is largest.
    theta = np.array([0.0, 1.0 / FLATTEST])
    sign = np.where(is_edge, 1.0, -1.0)

    def cost(at: np.ndarray) -> float:
        return float(np.sum(np.logaddexp(0.0, -sign * (design @ at))))

    best = cost(theta)
    for _ in range(STEPS):
        chance = expit(design @ theta)
        slope = design.T @ (chance - is_edge)
        curvature = (design * (chance * (1.0 - chance))[:, None]).T @ design
        step = np.linalg.solve(curvature + 1e-9 * np.trace(curvature) * np.eye(2) + 1e-300 * np.eye(2), slope)
        for _ in range(STEPS):
            moved = theta - step
            moved[1] = min(max(moved[1], 1.0 / FLATTEST), 1.0 / STEEPEST)
            if (found := cost(moved)) <= best:
                break
            step = 0.5 * step
        else:
            break
        gain, best, theta = best - found, found, moved
        if gain <= 1e-10 * best:
            break
    return float(theta[0] / theta[1]), float(1.0 / theta[1])
