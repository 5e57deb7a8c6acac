"""Better candidates from good ones: a neighbour of a neighbour is likely to be a neighbour.

Lists that a narrow search found are joined with the lists of the points in them, and of the points whose lists they are
in. Points are measured by their rounded coordinates, whose inner products are exact, so the lists are the same bits for
any number of threads.
"""

import threading

import numpy as np
from numba import njit

from holonomy.graphs._blocks import run_blocks
from holonomy.graphs._select import _insert

BLOCK = 1024
"""Points joined at once; points next to each other should be near each other, so that what they read stays cached."""


def join_lists(lists: np.ndarray, n_links: int, codes: np.ndarray, norms: np.ndarray) -> np.ndarray:
    """Return the best candidates among those listed and the ones they are linked to.

    Parameters
    ----------
    lists : ndarray of int32, shape (n, c)
        Candidates of each point, best first; -1 marks an empty place.
    n_links : int
        Links of a point: so many of its list, and as many points in whose lists it is, the nearest first.
    codes : ndarray of float32, shape (n, m)
        Rounded coordinates.
    norms : ndarray of float32, shape (n,)
        Squared norms of the points themselves.

    Returns
    -------
    ndarray of int32, shape (n, c)
        Candidates, best first.
    """
    links = _links(lists, n_links)
    joined = np.empty_like(lists)
    seen = threading.local()

    def join(start: int, stop: int) -> None:
        if not hasattr(seen, "by"):
            seen.by = np.full(len(lists), -1, dtype=np.int32)
        _join_rows(lists, links, codes, norms, seen.by, joined, start, stop)

    run_blocks(join, len(lists), block=BLOCK)
    return joined


@njit(cache=True, nogil=True)
def _links(lists, n_links):
    """Return the first of each list without the point itself, then the points in whose first places it stands."""
    n = len(lists)
    links = np.full((n, 2 * n_links), -1, dtype=np.int32)
    filled = np.zeros(n, dtype=np.int32)
    for i in range(n):
        count = 0
        for a in range(lists.shape[1]):
            if count < n_links and lists[i, a] >= 0 and lists[i, a] != i:
                links[i, count] = lists[i, a]
                count += 1
    for a in range(n_links):
        for i in range(n):
            j = links[i, a]
            if j >= 0 and filled[j] < n_links:
                links[j, n_links + filled[j]] = i
                filled[j] += 1
    return links


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _join_rows(lists, links, codes, norms, seen_by, joined, start, stop):
    count = joined.shape[1]
    for q in range(start, stop):
        best = np.full(count, np.inf, dtype=np.float32)
        best_index = np.full(count, -1, dtype=np.int32)
        code = codes[q]
        for a in range(-1, links.shape[1]):
            near = lists[q] if a < 0 else links[links[q, a]]
            if a >= 0 and links[q, a] < 0:
                continue
            for j in near:
                if j < 0 or seen_by[j] == q:
                    continue
                seen_by[j] = q
                other = codes[j]
                product = np.float32(0.0)
                for axis in range(len(code)):
                    product += code[axis] * other[axis]
                value = norms[j] - np.float32(2.0) * product
                if value < best[count - 1]:
                    _insert(best, best_index, count, value, j)
        joined[q] = best_index
