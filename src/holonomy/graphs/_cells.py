"""Approximate Euclidean neighbours: search cells of a coarse projection, then measure the best candidates exactly.

The points are projected to their leading principal axes and rounded to small integers. Inner products of such
integers are exact in single precision, whatever the order of summation, so the cells and the candidates found with
BLAS are the same bits for any number of threads and any block size. Everything before the rounding runs on one thread.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from holonomy._core.parallel import native_threads
from holonomy._core.progress import progress
from holonomy._core.random import generator
from holonomy.graphs._blocks import run_blocks
from holonomy.graphs._clusters import LEVELS, SAMPLE, assign, k_means, random_centres, rounding_step
from holonomy.graphs._exact import Found
from holonomy.graphs._join import join_lists
from holonomy.graphs._select import best_candidates, nearest_of_candidates

N_AXES = 64
"""Principal axes kept; few enough for exact products of the rounded coordinates."""

SAMPLED_ENTRIES, FEWEST_SAMPLED = 8_000_000, 1_000
"""Entries of the points that principal axes are found from, and fewest points of them."""

FLAT = 1e-6
"""Share of the largest variance below which an axis of a sample is rounding."""

SMALLEST_CELL = 100
MAX_PROBES = 512
BLOCK = 1024


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
        """Partition ``points`` (n, d) into cells of similar size."""
        rng = generator(seed, "cells")
        n = len(points)
        sample = np.sort(rng.choice(n, sample_size(n, points.shape[1]), replace=False))
        with native_threads(1):
            mean, axes, coordinates = _principal_axes(points, sample)
            step = rounding_step(coordinates)
            codes, norms = _encode(points, mean, axes, step)
        centres = k_means(codes, random_centres(codes, max(1, n // _cell_size(n)), rng), rng)
        cell = assign(codes, centres)
        members = np.argsort(cell, kind="stable").astype(np.int32)
        starts = np.searchsorted(cell[members], np.arange(len(centres) + 1))
        return cls(points, mean, axes, step, codes, norms, centres, members, starts, _cells_around(centres))

    @property
    def max_probes(self) -> int:
        """Most cells that can be searched for one query."""
        return self.neighbour_cells.shape[1]

    def graph(self, k: int, n_probes: int, n_candidates: int) -> Found:
        """Return indices and distances, each (n, k), of the nearest other points found for each point.

        Candidates from a few cells around each point are joined with the candidates of these candidates.
        """
        # Points by cells, so that what is near in space is near in memory.
        codes, norms = self.codes[self.members], self.code_norms[self.members]
        lists = np.empty((len(codes), n_candidates), dtype=np.int32)

        def gather(start: int, stop: int) -> None:
            for cell in range(start, stop):
                columns = self._places_around(cell, n_probes)
                around, column_norms = codes[columns].T, norms[columns]
                for first in range(self.starts[cell], self.starts[cell + 1], BLOCK):
                    rows = slice(first, min(first + BLOCK, self.starts[cell + 1]))
                    best_candidates(codes[rows] @ around, column_norms, columns, lists[rows])
                    bar.advance(rows.stop - rows.start)

        with progress("Searching neighbours", total=len(codes)) as bar, native_threads(1):
            run_blocks(gather, len(self.centres), block=1)
        lists = join_lists(lists, k, codes, norms)
        indices = np.empty((len(codes), k), dtype=np.int32)
        distances = np.empty((len(codes), k))

        def measure(start: int, stop: int) -> None:
            rows, near = self.members[start:stop], lists[start:stop]
            candidates = np.where(near >= 0, self.members[near], np.int32(-1))
            indices[rows], distances[rows] = self._nearest(candidates, self.points[rows], rows, k)

        run_blocks(measure, len(codes), block=BLOCK)
        return indices, distances

    def search(self, queries: np.ndarray, own: np.ndarray, k: int, n_probes: int, n_candidates: int) -> Found:
        """Return indices and distances, each (m, k), of the nearest points found for each query.

        ``own`` (m,) is each query's own index among the points, or -1. A query's answer depends on nothing but the
        query: its candidates come from the cells around the cell it falls into.
        """
        with native_threads(1):
            codes, _ = _encode(queries, self.mean, self.axes, self.step)
        indices = np.empty((len(queries), k), dtype=np.int32)
        distances = np.empty((len(queries), k))
        groups = list(self._groups(codes))

        def find(start: int, stop: int) -> None:
            """One cell at a time, so that the points around it stay in the processor's cache."""
            for cell, rows in groups[start:stop]:
                columns = self._around(cell, n_probes)
                products = codes[rows] @ self.codes[columns].T
                candidates = np.empty((len(rows), n_candidates), dtype=np.int32)
                best_candidates(products, self.code_norms[columns], columns, candidates)
                indices[rows], distances[rows] = self._nearest(candidates, queries[rows], own[rows], k)
                bar.advance(len(rows))

        with progress("Searching neighbours", total=len(queries)) as bar, native_threads(1):
            run_blocks(find, len(groups), block=1)
        return indices, distances

    def _nearest(self, candidates: np.ndarray, queries: np.ndarray, own: np.ndarray, k: int) -> Found:
        """Measure the candidates of each query exactly and return the nearest."""
        found, apart = np.empty((len(queries), k), dtype=np.int32), np.empty((len(queries), k))
        nearest_of_candidates(candidates, queries, self.points, own, found, apart)
        return found, apart

    def _groups(self, codes: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Yield cells with the queries that fall into them, at most ``BLOCK`` at a time."""
        cell = assign(codes, self.centres)
        order = np.argsort(cell, kind="stable")
        bounds = np.searchsorted(cell[order], np.arange(len(self.centres) + 1))
        for c in np.flatnonzero(np.diff(bounds)):
            for start in range(bounds[c], bounds[c + 1], BLOCK):
                yield int(c), order[start : min(start + BLOCK, bounds[c + 1])]

    def _around(self, cell: int, n_probes: int) -> np.ndarray:
        """Points of the cells around a cell."""
        return self.members[self._places_around(cell, n_probes)]

    def _places_around(self, cell: int, n_probes: int) -> np.ndarray:
        """Places, in the order by cells, of the points of the cells around a cell."""
        probed = self.neighbour_cells[cell, :n_probes]
        return np.concatenate([np.arange(self.starts[p], self.starts[p + 1], dtype=np.int32) for p in probed])


def _cell_size(n_points: int) -> int:
    """Points in a cell: recall depends on how many cells are searched, but their number costs time to make."""
    return max(SMALLEST_CELL, int(np.sqrt(n_points) / 4))


def sample_size(n_points: int, n_columns: int) -> int:
    """Points that principal axes are found from: of wide rows fewer, so that this takes no longer than for others."""
    return min(n_points, SAMPLE, max(FEWEST_SAMPLED, SAMPLED_ENTRIES // n_columns))


def _principal_axes(points: np.ndarray, sample: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (d,) and leading principal axes (d, m) of sampled points, in single precision, and their coordinates."""
    mean = points[sample].mean(axis=0, dtype=np.float64)
    centred = np.empty((len(sample), points.shape[1]), dtype=np.float32)
    for start in range(0, len(sample), BLOCK):
        block = slice(start, start + BLOCK)
        centred[block] = points[sample[block]] - mean
    if centred.shape[1] <= len(centred):
        _, vectors = np.linalg.eigh(centred.T @ centred)
        axes = np.ascontiguousarray(vectors[:, ::-1][:, :N_AXES], dtype=np.float32)
    else:
        variances, vectors = np.linalg.eigh(centred @ centred.T)
        kept = np.flatnonzero(variances >= FLAT * variances[-1])[::-1][:N_AXES]
        lengths = np.sqrt(np.maximum(variances[kept], np.finfo(np.float32).tiny))
        axes = np.ascontiguousarray(centred.T @ (vectors[:, kept] / lengths), dtype=np.float32)
    return mean, axes, centred @ axes


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
