"""K-means of points rounded to small integers, the same bits for any number of threads and any block size.

Inner products of such integers are exact in single precision, whatever the order of summation, as long as there are at
most 64 axes: ``64 * LEVELS**2 < 2**24``.
"""

import numpy as np
from numba import njit

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


def k_means(codes: np.ndarray, centres: np.ndarray, rng: np.random.Generator, *, n_steps: int = 6) -> np.ndarray:
    """Integer centres (c, m) after some Lloyd steps on a sample; empty cells keep their centre."""
    n_cells = len(centres)
    sample = codes[np.sort(rng.choice(len(codes), min(len(codes), max(2 * SAMPLE, 30 * n_cells)), replace=False))]
    for _ in range(n_steps):
        cell = assign(sample, centres)
        count = np.bincount(cell, minlength=n_cells)[:, None]
        sums = np.stack([np.bincount(cell, weights=axis, minlength=n_cells) for axis in sample.T], axis=1)
        centres = np.where(count > 0, np.rint(sums / np.maximum(count, 1)), centres).astype(np.float32)
    return centres


def random_centres(codes: np.ndarray, n_cells: int, rng: np.random.Generator) -> np.ndarray:
    """Return random points, as dense as the points are."""
    return codes[np.sort(rng.choice(len(codes), n_cells, replace=False))]


def spread_centres(codes: np.ndarray, n_cells: int, rng: np.random.Generator) -> np.ndarray:
    """Return points drawn one after another with odds of their squared distance from those before (k-means++).

    They are drawn from a sample of the points, and start k-means near to its optimum; sparse regions get more of them
    than of random points. Fewer than wanted are different where the sample holds fewer different points.

    Arthur, Vassilvitskii (2007). k-means++: the advantages of careful seeding. SODA, 1027-1035.
    """
    sample = random_centres(codes, min(len(codes), max(SAMPLE, 3 * n_cells)), rng)
    return sample[_draw_apart(sample, np.einsum("ij,ij->i", sample, sample).astype(np.float64), rng.random(n_cells))]


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _draw_apart(codes: np.ndarray, norms: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return indices of points; all sums are of integers that are exact in any order."""
    n, dim = codes.shape
    nearest = np.full(n, np.inf)
    chosen = np.empty(len(draws), dtype=np.int64)
    latest = int(draws[0] * n)
    for c in range(len(draws)):
        if c > 0:
            left = draws[c] * nearest.sum()
            for i in range(n):
                left -= nearest[i]
                if left < 0.0:
                    latest = i
                    break
        chosen[c] = latest
        for i in range(n):
            product = np.float32(0.0)
            for axis in range(dim):
                product += codes[i, axis] * codes[latest, axis]
            nearest[i] = min(nearest[i], norms[i] + norms[latest] - 2.0 * product)
    return chosen


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
