"""What a parametric map is told beside its rows: their scale, landmarks, and targets that are not known."""

from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.validation import as_numpy


def row_moments(X: Any) -> tuple[np.ndarray, float]:
    """Return the mean of the rows, and the root mean square of their deviation per feature; 1 where that is 0."""
    mean = np.asarray(X.mean(axis=0), dtype=np.float64).ravel()
    if sparse.issparse(X):
        variance = float(X.multiply(X).mean()) - float((mean**2).mean())
    else:
        variance = float(((X - mean) ** 2).mean())
    return mean, float(np.sqrt(variance)) if variance > 0 else 1.0


def landmarks_of(positions: Any, n: int, n_components: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return rows and places of landmarks, or None where there are none.

    Raises
    ------
    ValueError
        If the shape is wrong, or a row has a place in part only.
    """
    if positions is None:
        return None
    given = np.asarray(as_numpy(positions), dtype=np.float64)
    if given.shape != (n, n_components):
        raise ValueError(f"landmark_positions must have shape {(n, n_components)}, got {given.shape}.")
    is_known = ~np.isnan(given).any(axis=1)
    if np.isinf(given).any() or not np.isnan(given[~is_known]).all():
        raise ValueError("landmark_positions must be finite, or NaN in all columns of a row that is no landmark.")
    return (np.flatnonzero(is_known), given[is_known]) if is_known.any() else None


def with_unknown(y: Any, count: int) -> np.ndarray:
    """Return targets with ``count`` unknown ones before them."""
    given = np.asarray(y)
    if given.dtype.kind in "OUS":
        return np.concatenate([np.full((count, *given.shape[1:]), None, dtype=object), given.astype(object)])
    unknown = np.full((count, *given.shape[1:]), -1 if given.dtype.kind in "iu" else np.nan, dtype=given.dtype)
    return np.concatenate([unknown, given])
