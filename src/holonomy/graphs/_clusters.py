"""K-means of points rounded to small integers, the same bits for any number of threads and any block size.

Inner products of such integers are exact in single precision, whatever the order of summation, as long as there are at
most 64 axes: ``64 * LEVELS**2 < 2**24``.
"""

import numpy as np

LEVELS = 400
"""Steps on either side of zero."""

SAMPLE = 10_000
BLOCK_ENTRIES = 2**21
"""Distances computed at once: 8 MiB, which stay in the cache."""


def rounding_step(coordinates: np.ndarray) -> float:
    """Width of a rounding step, such that all but the farthest outliers stay within ``LEVELS`` steps."""
    reach = float(np.quantile(np.abs(coordinates), 0.9999))
    return reach / LEVELS if reach > 0 else 1.0


def rounded(coordinates: np.ndarray) -> np.ndarray:
    """Return points (n, m <= 64) as small integers in single precision."""
    step = rounding_step(coordinates)
    return np.clip(np.rint(coordinates / step), -LEVELS, LEVELS).astype(np.float32)


def k_means(codes: np.ndarray, n_cells: int, rng: np.random.Generator, *, n_steps: int = 6) -> np.ndarray:
    """Integer centres (c, m) of some Lloyd steps on a sample; empty cells keep their centre."""
    centres = codes[np.sort(rng.choice(len(codes), n_cells, replace=False))]
    sample = codes[np.sort(rng.choice(len(codes), min(len(codes), max(2 * SAMPLE, 30 * n_cells)), replace=False))]
    for _ in range(n_steps):
        cell = assign(sample, centres)
        count = np.bincount(cell, minlength=n_cells)[:, None]
        sums = np.stack([np.bincount(cell, weights=axis, minlength=n_cells) for axis in sample.T], axis=1)
        centres = np.where(count > 0, np.rint(sums / np.maximum(count, 1)), centres).astype(np.float32)
    return centres


def assign(codes: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Index of the nearest centre of each point; ties go to the lower index."""
    norms = np.einsum("ij,ij->i", centres, centres)
    doubled = np.ascontiguousarray(-2 * centres.T)
    nearest = np.empty(len(codes), dtype=np.intp)
    block = max(1, BLOCK_ENTRIES // len(centres))
    for start in range(0, len(codes), block):
        distances = codes[start : start + block] @ doubled
        distances += norms
        np.argmin(distances, axis=1, out=nearest[start : start + block])
    return nearest
