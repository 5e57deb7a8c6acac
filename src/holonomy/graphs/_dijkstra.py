"""Dijkstra's algorithm, compiled: every source by itself, so that sources can be shared out among threads."""

import numpy as np
from numba import njit
from scipy import sparse

from holonomy.graphs._blocks import run_blocks

SOURCES_AT_ONCE = 4


def both_ways(lengths: sparse.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (indptr, indices, data) of all edges seen from either end, the shorter of two; stored zeros stay.

    The rows of ``lengths`` must be sorted.
    """
    n = lengths.shape[0]
    transposed = lengths.tocsc()
    parts = (lengths.indptr, lengths.indices, lengths.data, transposed.indptr, transposed.indices, transposed.data)
    ends = np.zeros(n + 1, np.int64)
    indices, data = np.empty(0, np.int32), np.empty(0)
    run_blocks(lambda start, stop: _merge_shortest(*parts, False, ends, indices, data, start, stop), n)
    np.cumsum(ends, out=ends)
    indices, data = np.empty(ends[-1], np.int32), np.empty(ends[-1])
    run_blocks(lambda start, stop: _merge_shortest(*parts, True, ends, indices, data, start, stop), n)
    return ends, indices, data


def distances_from(
    edges: tuple[np.ndarray, np.ndarray, np.ndarray], sources: np.ndarray, limit: float = np.inf
) -> tuple[np.ndarray, np.ndarray]:
    """Return distances (m, n) from each source, and the point before each on its shortest path (m, n), -1 for none.

    Of several shortest paths the one whose last step comes from the point of lowest index is taken.
    """
    n = len(edges[0]) - 1
    distances, before = np.full((len(sources), n), np.inf), np.full((len(sources), n), -1, np.int32)
    run_blocks(
        lambda start, stop: _walk(*edges, sources, limit, distances, before, start, stop),
        len(sources),
        block=SOURCES_AT_ONCE,
    )
    return distances, before


@njit(cache=True, nogil=True)
def _merge_shortest(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    t_indptr: np.ndarray,
    t_indices: np.ndarray,
    t_data: np.ndarray,
    fill: bool,
    ends: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    start: int,
    stop: int,
) -> None:
    """Merge rows [start, stop) of a matrix and its transpose: count their entries, or write them if ``fill``."""
    for row in range(start, stop):
        i, i_end = indptr[row], indptr[row + 1]
        j, j_end = t_indptr[row], t_indptr[row + 1]
        position = ends[row] if fill else 0
        while i < i_end or j < j_end:
            column = indices[i] if i < i_end else t_indices[j]
            if j < j_end and t_indices[j] < column:
                column = t_indices[j]
            length = np.inf
            while i < i_end and indices[i] == column:
                length = min(length, data[i])
                i += 1
            while j < j_end and t_indices[j] == column:
                length = min(length, t_data[j])
                j += 1
            if fill:
                columns[position] = column
                values[position] = length
            position += 1
        if not fill:
            ends[row + 1] = position


@njit(cache=True, nogil=True)
def _walk(
    indptr: np.ndarray,
    indices: np.ndarray,
    lengths: np.ndarray,
    sources: np.ndarray,
    limit: float,
    distances: np.ndarray,
    before: np.ndarray,
    start: int,
    stop: int,
) -> None:
    """Fill the rows [start, stop) of distances, infinite before, and of the points before, -1 before."""
    n = distances.shape[1]
    heap, keys = np.empty(n, np.int32), np.empty(n)
    place = np.empty(n, np.int32)
    for row in range(start, stop):
        far, previous = distances[row], before[row]
        place[:] = -1
        far[sources[row]] = 0.0
        _put(heap, keys, place, 0, sources[row], 0.0)
        size = 1
        while size > 0:
            point = heap[0]
            here = keys[0]
            size -= 1
            if size > 0:
                _sink(heap, keys, place, heap[size], keys[size], size)
            for edge in range(indptr[point], indptr[point + 1]):
                other = indices[edge]
                reached = here + lengths[edge]
                if reached < far[other] and reached <= limit:
                    far[other] = reached
                    previous[other] = point
                    if place[other] < 0:
                        place[other] = size
                        size += 1
                    _rise(heap, keys, place, other, reached, place[other])
                elif reached == far[other] and lengths[edge] > 0 and previous[other] > point:
                    previous[other] = point


@njit(inline="always")
def _put(heap: np.ndarray, keys: np.ndarray, place: np.ndarray, position: int, point: int, key: float) -> None:
    heap[position] = point
    keys[position] = key
    place[point] = position


@njit(inline="always")
def _rise(heap: np.ndarray, keys: np.ndarray, place: np.ndarray, point: int, key: float, position: int) -> None:
    """Move a point up from a free position until none above it is farther; each has four below it."""
    while position > 0:
        above = (position - 1) >> 2
        if keys[above] <= key:
            break
        _put(heap, keys, place, position, heap[above], keys[above])
        position = above
    _put(heap, keys, place, position, point, key)


@njit(inline="always")
def _sink(heap: np.ndarray, keys: np.ndarray, place: np.ndarray, point: int, key: float, size: int) -> None:
    """Move a point down from the top until none below it is nearer."""
    position = 0
    while 4 * position + 1 < size:
        first = 4 * position + 1
        below = first
        for other in range(first + 1, min(first + 4, size)):
            if keys[other] < keys[below]:
                below = other
        if keys[below] >= key:
            break
        _put(heap, keys, place, position, heap[below], keys[below])
        position = below
    _put(heap, keys, place, position, point, key)
