"""Compiled sums and forces that let the local radii of a map follow those of the data."""

import numpy as np
from numba import njit
from numpy import float32, uint32

from holonomy.embed._layout_kernels import power

NEAREST = 1e-12
"""Least squared distance on the map."""


@njit(cache=True, nogil=True, error_model="numpy")
def sum_radii(
    positions: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    a: float,
    b: float,
    masses: np.ndarray,
    radii: np.ndarray,
    start: int,
    stop: int,
) -> None:
    """Write, for rows [start, stop), the sum of memberships on the map and the mean squared distance they weigh."""
    dim = positions.shape[1]
    for i in range(start, stop):
        mass, total = 0.0, 0.0
        for e in range(indptr[i], indptr[i + 1]):
            squared = NEAREST
            for axis in range(dim):
                squared += np.float64(positions[i, axis] - positions[indices[e], axis]) ** 2
            membership = 1.0 / (1.0 + a * np.float64(power(float32(squared), float32(b))))
            mass += membership
            total += membership * squared
        masses[i] = mass
        radii[i] = total / mass if mass > 0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def follow_density(
    positions: np.ndarray,
    moved: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    memberships: np.ndarray,
    rates: np.ndarray,
    epoch: int,
    step: float,
    a: float,
    b: float,
    masses: np.ndarray,
    radii: np.ndarray,
    urges: np.ndarray,
    strength: float,
    start: int,
    stop: int,
) -> None:
    """Move rows [start, stop) of ``moved`` so that the log radii rise where ``urges`` are positive, and fall elsewhere.

    Acts along the edges sampled in this epoch, each with the inverse of the share of epochs in which it is sampled.
    """
    dim = positions.shape[1]
    time = uint32(epoch + 1)
    for i in range(start, stop):
        for e in range(indptr[i], indptr[i + 1]):
            if uint32(time * rates[e]) >= rates[e]:
                continue
            j = indices[e]
            squared = NEAREST
            for axis in range(dim):
                squared += np.float64(positions[i, axis] - positions[j, axis]) ** 2
            membership = 1.0 / (1.0 + a * np.float64(power(float32(squared), float32(b))))
            fading = b * (1.0 - membership)
            own = urges[i] / masses[i] * ((1.0 - fading) / (radii[i] + 1e-8) + fading / squared)
            other = urges[j] / masses[j] * ((1.0 - fading) / (radii[j] + 1e-8) + fading / squared)
            force = strength * membership * (own + other) / memberships[e]
            for axis in range(dim):
                difference = np.float64(positions[i, axis] - positions[j, axis])
                moved[i, axis] += float32(step * min(max(force * difference, -4.0), 4.0))
