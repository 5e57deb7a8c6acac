"""Exact nearest neighbours, block by block: nothing of size n x n is ever held."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from holonomy._core.progress import progress
from holonomy.graphs._blocks import run_blocks
from holonomy.graphs._select import nearest_from_products, nearest_in_rows, nearest_of_candidates

Found = tuple[np.ndarray, np.ndarray]
"""Indices (m, k) and distances (m, k) of nearest points."""

BLOCK_ENTRIES = 2**24
"""Entries of one block of distances: 64 MiB in single precision."""

POINTS_AT_ONCE = 2**13
"""Fewest points that a few queries are compared with at a time."""

ROWS_PER_THREAD = 64
"""Rows of a block that one thread takes at a time."""


def blocks(n_queries: int, n_points: int) -> Iterator[slice]:
    """Slices of the queries such that a block of all their distances stays within ``BLOCK_ENTRIES``."""
    size = int(np.clip(BLOCK_ENTRIES // max(1, n_points), 16, 1024))
    for start in range(0, n_queries, size):
        yield slice(start, min(start + size, n_queries))


TREE_ORDERS = {"euclidean": 2.0, "sqeuclidean": 2.0, "manhattan": 1.0, "chebyshev": np.inf}
"""Metrics a k-d tree knows, with their Minkowski order."""


class ProductSearch:
    """Exact Euclidean search: inner products by BLAS, every close call measured again without cancellation."""

    def __init__(self, points: np.ndarray) -> None:
        self.points = points
        # Any shift serves; one in the points' own precision costs no second copy in double precision.
        self.mean = points.mean(axis=0, dtype=np.float64).astype(points.dtype)
        self.centred = np.empty(points.shape, dtype=np.float32)
        np.subtract(points, self.mean, out=self.centred, casting="same_kind")
        self.norms = np.einsum("ij,ij->i", self.centred, self.centred)

    def search(self, queries: np.ndarray, own: np.ndarray, k: int) -> Found:
        """Return the k nearest points of each query, leaving out the query's ``own`` index."""
        n, d = self.points.shape
        # Rounding of inputs, of a sum of d products in any order, and of the final combination, in units of 2**-24.
        error = (d + 12) * 2.0**-24
        indices = np.empty((len(queries), k), dtype=np.int32)
        distances = np.empty((len(queries), k))
        with progress("Searching neighbours", total=len(queries)) as bar:
            for block in blocks(len(queries), n):
                centred = (
                    self.centred[block] if queries is self.points else (queries[block] - self.mean).astype(np.float32)
                )
                norms = np.einsum("ij,ij->i", centred, centred, dtype=np.float64)
                products = centred @ self.centred.T
                rows = (products, queries[block], norms, own[block], indices[block], distances[block])
                run_blocks(partial(self._select, rows, error), len(products), block=ROWS_PER_THREAD)
                bar.advance(block.stop - block.start)
        return indices, distances

    def _select(self, rows: tuple[np.ndarray, ...], error: float, start: int, stop: int) -> None:
        products, queries, norms, own, indices, distances = (array[start:stop] for array in rows)
        nearest_from_products(products, queries, self.points, norms, self.norms, error, own, indices, distances)


def nearest_of_few(queries: np.ndarray, points: np.ndarray, own: np.ndarray, k: int) -> np.ndarray:
    """Return indices (m, k) of the points nearest to a few queries, without a centred copy of all points."""
    indices = np.empty((len(queries), 0), dtype=np.int32)
    distances = np.empty((len(queries), 0))
    n_parts = max(1, len(points) // max(POINTS_AT_ONCE, 2 * k))
    for start, stop in pairwise(np.linspace(0, len(points), n_parts + 1).astype(int)):
        itself = np.where((own >= start) & (own < stop), own - start, -1)
        found, apart = ProductSearch(points[start:stop]).search(queries, itself, k)
        indices = np.hstack([indices, found + np.int32(start)])
        distances = np.hstack([distances, apart])
        order = np.lexsort((indices, distances), axis=1)[:, :k]
        indices, distances = np.take_along_axis(indices, order, axis=1), np.take_along_axis(distances, order, axis=1)
    return indices


class TreeSearch:
    """Exact search in few dimensions by a k-d tree; rows cut through a tie are left to a direct search."""

    def __init__(self, points: np.ndarray, metric: str, direct: "ProductSearch | RowSearch") -> None:
        self.tree = cKDTree(points)
        self.order = TREE_ORDERS[metric]
        self.direct = direct

    def search(self, queries: np.ndarray, own: np.ndarray, k: int) -> Found:
        """Return the k nearest points of each query, leaving out the query's ``own`` index."""
        wanted = min(k + 2, self.tree.n)
        distances, indices = self.tree.query(queries, k=wanted, p=self.order, workers=-1)
        # The query itself goes last, whatever its place among duplicates.
        distances = np.where(indices == own[:, None], np.inf, distances)
        order = np.lexsort((indices, distances), axis=1)
        indices = np.take_along_axis(indices, order, axis=1).astype(np.int32)
        distances = np.take_along_axis(distances, order, axis=1)
        if wanted > k:
            tied = np.flatnonzero(distances[:, k] <= distances[:, k - 1] * (1 + 1e-9))
            if len(tied):
                found = self.direct.search(queries[tied], own[tied], k)
                indices[tied, :k], distances[tied, :k] = found
        return indices[:, :k], distances[:, :k]


class RowSearch:
    """Exact search by a function that gives full rows of distances."""

    def __init__(self, points: Any, rows: Callable[[Any, Any], np.ndarray]) -> None:
        self.points = points
        self.rows = rows

    def search(self, queries: Any, own: np.ndarray, k: int) -> Found:
        """Return the k nearest points of each query, leaving out the query's ``own`` index."""
        n_queries = queries.shape[0]
        indices = np.empty((n_queries, k), dtype=np.int32)
        distances = np.empty((n_queries, k))
        with progress("Searching neighbours", total=n_queries) as bar:
            for block in blocks(n_queries, self.points.shape[0]):
                full = np.ascontiguousarray(self.rows(queries[block], self.points), dtype=np.float64)
                if np.isnan(full).any():
                    raise ValueError("metric returned NaN for some pair of rows; distances must be numbers.")
                if (full < 0).any():
                    raise ValueError(f"metric returned a negative distance ({full.min()}); distances must be >= 0.")
                rows = (full, own[block], indices[block], distances[block])
                run_blocks(partial(_select_in_rows, rows), len(full), block=ROWS_PER_THREAD)
                bar.advance(block.stop - block.start)
        return indices, distances


def _select_in_rows(rows: tuple[np.ndarray, ...], start: int, stop: int) -> None:
    nearest_in_rows(*(array[start:stop] for array in rows))


class GivenSearch:
    """Nearest points from given distances: dense rows, or sparse rows with only the known distances stored."""

    def search(self, queries: Any, own: np.ndarray, k: int) -> Found:
        """Return the k nearest points by the rows of distances ``queries``, leaving out the index ``own``."""
        if not sparse.issparse(queries):
            return RowSearch(queries.T, lambda rows, _: rows).search(queries, own, k)
        rows = sparse.csr_array(queries)
        rows.sort_indices()
        indices = np.zeros((rows.shape[0], k), dtype=np.int32)
        distances = np.empty((rows.shape[0], k))
        for row in range(rows.shape[0]):
            span = slice(rows.indptr[row], rows.indptr[row + 1])
            other = rows.indices[span] != own[row]
            columns, values = rows.indices[span][other], rows.data[span][other]
            if len(columns) < k:
                raise ValueError(
                    f"the sparse precomputed matrix stores {len(columns)} distances in row {row}, but {k} neighbours "
                    "are asked for; store more or ask for fewer."
                )
            order = np.argsort(values, kind="stable")[:k]
            indices[row], distances[row] = columns[order], values[order]
        return indices, distances


def rank_candidates(candidates: np.ndarray, queries: np.ndarray, points: np.ndarray, own: np.ndarray, k: int) -> Found:
    """Nearest points of each query among its candidates (each named once, -1 for none), measured exactly."""
    rows = (
        candidates,
        queries,
        own,
        np.empty((len(queries), k), dtype=np.int32),
        np.empty((len(queries), k)),
    )

    def rank(start: int, stop: int) -> None:
        part, asked, itself, indices, distances = (array[start:stop] for array in rows)
        nearest_of_candidates(part, asked, points, itself, indices, distances)

    run_blocks(rank, len(queries), block=1024)
    return rows[3], rows[4]
