"""Approximate Euclidean neighbours: search cells of a coarse projection, then measure the best candidates exactly.

The points are projected to their leading principal axes and rounded to small integers. Inner products of such
integers are exact in single precision, whatever the order of summation, so the cells and the candidates found with
BLAS are the same bits for any number of threads and any block size. Everything before the rounding runs on one thread.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from holonomy._core.progress import progress
from holonomy._core.random import generator
from holonomy.graphs._blocks import run_blocks
from holonomy.graphs._clusters import LEVELS, SAMPLE, assign, k_means, rounding_step
from holonomy.graphs._exact import ROWS_PER_THREAD, Found, rank_candidates
from holonomy.graphs._select import best_candidates

N_AXES = 64
"""Principal axes kept; few enough for exact products of the rounded coordinates."""

CELL_SIZE = 300
MAX_PROBES = 512
BLOCK = 4096


@dataclass(frozen=True)
class CellIndex:
    """Points in the cells of a k-means partition of their rounded projection."""

    points: np.ndarray
    mean: np.ndarray
    axes: np.ndarray
    step: float
    codes: np.ndarray
    code_norms: np.ndarray
    centres: np.ndarray
    members: np.ndarray
    starts: np.ndarray
    neighbour_cells: np.ndarray

    @classmethod
    def build(cls, points: np.ndarray, seed: int) -> "CellIndex":
        """Partition ``points`` (n, d) into cells of about ``CELL_SIZE`` points."""
        rng = generator(seed, "cells")
        n = len(points)
        sample = np.sort(rng.choice(n, min(n, SAMPLE), replace=False))
        with threadpool_limits(1):
            mean, axes = _principal_axes(points[sample])
            step = rounding_step((points[sample] - mean) @ axes)
            codes, norms = _encode(points, mean, axes, step)
        centres = k_means(codes, max(1, n // CELL_SIZE), rng)
        cell = assign(codes, centres)
        members = np.argsort(cell, kind="stable").astype(np.int32)
        starts = np.searchsorted(cell[members], np.arange(len(centres) + 1))
        return cls(points, mean, axes, step, codes, norms, centres, members, starts, _cells_around(centres))

    @property
    def max_probes(self) -> int:
        """Most cells that can be searched for one query."""
        return self.neighbour_cells.shape[1]

    def search(self, queries: np.ndarray, own: np.ndarray, k: int, n_probes: int, n_candidates: int) -> Found:
        """Return indices and distances, each (m, k), of the nearest points found for each query.

        ``own`` (m,) is each query's own index among the points, or -1. A query's answer depends on nothing but the
        query: its candidates come from the cells around the cell it falls into.
        """
        if queries is self.points:
            codes = self.codes
        else:
            with threadpool_limits(1):
                codes, _ = _encode(queries, self.mean, self.axes, self.step)
        candidates = np.empty((len(queries), n_candidates), dtype=np.int32)
        with progress("Searching neighbours", total=len(queries)) as bar:
            for rows, columns in self._cells_of(codes, n_probes):
                products = codes[rows] @ self.codes[columns].T
                candidates[rows] = self._best(products, columns, n_candidates)
                bar.advance(len(rows))
        return rank_candidates(candidates, queries, self.points, own, k)

    def _best(self, products: np.ndarray, columns: np.ndarray, n_candidates: int) -> np.ndarray:
        found = np.empty((len(products), n_candidates), dtype=np.int32)
        norms = self.code_norms[columns]
        run_blocks(
            lambda start, stop: best_candidates(products[start:stop], norms, columns, found[start:stop]),
            len(products),
            block=ROWS_PER_THREAD,
        )
        return found

    def _cells_of(self, codes: np.ndarray, n_probes: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield groups of queries of one cell, with the points of the cells around it."""
        cell = assign(codes, self.centres)
        order = np.argsort(cell, kind="stable")
        bounds = np.searchsorted(cell[order], np.arange(len(self.centres) + 1))
        for c in np.flatnonzero(np.diff(bounds)):
            probed = self.neighbour_cells[c, :n_probes]
            columns = np.concatenate([self.members[self.starts[p] : self.starts[p + 1]] for p in probed])
            for start in range(bounds[c], bounds[c + 1], BLOCK):
                yield order[start : min(start + BLOCK, bounds[c + 1])], columns


def _principal_axes(sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (d,) and leading principal axes (d, m) of a sample of points, in single precision."""
    mean = sample.mean(axis=0, dtype=np.float64)
    centred = (sample - mean).astype(np.float32)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return mean, np.ascontiguousarray(vectors[:, ::-1][:, :N_AXES], dtype=np.float32)


def _encode(points: np.ndarray, mean: np.ndarray, axes: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the rounded projection (n, m) and the squared norm (n,) of the centred points, in units of the step."""
    codes = np.empty((len(points), axes.shape[1]), dtype=np.float32)
    norms = np.empty(len(points), dtype=np.float32)
    for start in range(0, len(points), BLOCK):
        block = slice(start, start + BLOCK)
        centred = (points[block] - mean).astype(np.float32)
        codes[block] = np.clip(np.rint(centred @ axes / step), -LEVELS, LEVELS)
        norms[block] = np.einsum("ij,ij->i", centred, centred) / step**2
    return codes, norms


def _cells_around(centres: np.ndarray) -> np.ndarray:
    """Cells ordered by distance from each cell, itself first, at most ``MAX_PROBES`` of them."""
    norms = np.einsum("ij,ij->i", centres, centres)
    return np.concatenate(
        [
            np.argsort(norms - 2 * centres[start : start + BLOCK] @ centres.T, axis=1, kind="stable")[:, :MAX_PROBES]
            for start in range(0, len(centres), BLOCK)
        ]
    )
