"""What every multidimensional scaling asks of its distances, weights and start."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from holonomy._core.validation import as_numpy, check_points
from holonomy.graphs._blocks import run_blocks

LARGEST = 20_000
"""Most points whose distances are taken as a dense matrix (3.2 GB)."""


def check_distances(distances: Any, name: str = "distances") -> np.ndarray:
    """Return distances (n, n) as float64, symmetric to 1e-6 of the largest, with zeros on the diagonal.

    Raises
    ------
    ValueError
        If they are not square, finite, non-negative, symmetric, zero on the diagonal, or too many.
    """
    checked = _square(distances, name)
    largest = float(checked.max(initial=0.0))
    if checked.min(initial=0.0) < 0:
        raise ValueError(f"{name} must be at least 0, got {checked.min():.3g}.")
    if np.abs(np.diagonal(checked)).max(initial=0.0) > 1e-6 * largest:
        raise ValueError(f"{name} must be 0 on the diagonal, got {np.abs(np.diagonal(checked)).max():.3g}.")
    return checked


def check_weights(weights: ArrayLike | None, n: int, name: str = "weights") -> np.ndarray | None:
    """Return weights (n, n) as float64, symmetric and non-negative, with every point weighed against another.

    Raises
    ------
    ValueError
        If they are not.
    """
    if weights is None:
        return None
    checked = _square(weights, name)
    if len(checked) != n:
        raise ValueError(f"{name} must have shape {(n, n)}, got {checked.shape}.")
    if checked.min(initial=0.0) < 0:
        raise ValueError(f"{name} must be at least 0, got {checked.min():.3g}.")
    without_diagonal = checked.sum(axis=1) - np.diagonal(checked)
    if n > 1 and (without_diagonal <= 0).any():
        raise ValueError(f"{name} of point {int(np.argmin(without_diagonal))} to all others are 0; it has no place.")
    return checked


def check_start(init: ArrayLike, n: int, n_components: int) -> np.ndarray:
    """Return a start (n, n_components) as a new float64 array.

    Raises
    ------
    ValueError
        If it has another shape or is not finite.
    """
    start = check_points(init, name="init", dtype=np.float64)
    if start.shape != (n, n_components):
        raise ValueError(f"init must have shape {(n, n_components)}, got {start.shape}.")
    return np.array(start, dtype=np.float64, order="C")


def _square(matrix: Any, name: str) -> np.ndarray:
    given = np.asarray(as_numpy(matrix))
    if given.ndim != 2 or given.shape[0] != given.shape[1] or given.shape[0] == 0:
        raise ValueError(f"{name} must be a square matrix, got shape {given.shape}.")
    if len(given) > LARGEST:
        raise ValueError(
            f"{name} of {len(given)} points would take {len(given) ** 2 * 8 / 1e9:.1f} GB; up to {LARGEST} points are "
            "taken. Use stochastic_mds on vectors, or landmarks."
        )
    checked = given.astype(np.float64, copy=False)
    if not np.isfinite(checked).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity; are some points not connected?")
    if _asymmetry(checked) > 1e-6 * max(checked.max(), -checked.min()):
        raise ValueError(f"{name} must be symmetric.")
    return np.ascontiguousarray(checked)


def _asymmetry(matrix: np.ndarray) -> float:
    """Return the largest difference between an entry and the one across the diagonal."""
    gaps = np.zeros(len(matrix))

    def compare(start: int, stop: int) -> None:
        across = matrix[start:, start:stop].T
        gaps[start] = np.abs(matrix[start:stop, start:] - across).max()

    run_blocks(compare, len(matrix), block=256)
    return float(gaps.max())
