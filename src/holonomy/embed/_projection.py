"""Principal axes before a neighbour search, with every row projected by itself."""

import numpy as np
from numba import njit

from holonomy._core.parallel import native_threads
from holonomy._core.random import generator
from holonomy._core.validation import check_points
from holonomy.graphs import NeighborGraph, NeighborIndex
from holonomy.graphs._blocks import run_blocks

SAMPLE = 5_000
"""Most rows that the axes are computed from."""


class ProjectedIndex:
    """A neighbour index of points projected to their leading principal axes."""

    def __init__(self, X: np.ndarray, n_axes: int, seed: int, n_jobs: int | None) -> None:
        self._mean, self._axes = _principal_axes(X, n_axes, seed)
        self._index = NeighborIndex(self._project(X), random_state=seed, n_jobs=n_jobs)

    def graph(self, n_neighbors: int) -> NeighborGraph:
        """Return the neighbours of all points; see `NeighborIndex.graph`."""
        return self._index.graph(n_neighbors)

    def query(self, Q: np.ndarray, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the points nearest to each row of Q; see `NeighborIndex.query`."""
        return self._index.query(self._project(check_points(Q, name="Q")), n_neighbors)

    def _project(self, X: np.ndarray) -> np.ndarray:
        """Return coordinates (n, n_axes) in single precision; not by BLAS, whose rounding depends on the other rows."""
        projected = np.empty((len(X), self._axes.shape[1]), dtype=np.float32)
        run_blocks(lambda start, stop: _project_rows(X, self._mean, self._axes, projected, start, stop), len(X))
        return projected


def _principal_axes(X: np.ndarray, n_axes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean (d,) and leading axes (d, n_axes) of a sample of rows, in single precision."""
    chosen = np.sort(generator(seed, "axes").choice(len(X), min(len(X), SAMPLE), replace=False))
    sample = X[chosen]
    mean = sample.mean(axis=0, dtype=np.float64)
    centred = (sample - mean).astype(np.float32)
    with native_threads(1):
        _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return mean.astype(np.float32), np.ascontiguousarray(vectors[:, ::-1][:, :n_axes], dtype=np.float32)


@njit(cache=True, nogil=True)
def _project_rows(
    X: np.ndarray, mean: np.ndarray, axes: np.ndarray, projected: np.ndarray, start: int, stop: int
) -> None:
    n_axes = axes.shape[1]
    for row in range(start, stop):
        projected[row, :] = np.float32(0.0)
        for column in range(X.shape[1]):
            value = np.float32(X[row, column] - mean[column])
            if value != 0.0:
                for axis in range(n_axes):
                    projected[row, axis] += value * axes[column, axis]
