"""Which rows of consecutive data sets are the same, and how much their neighbourhoods agree."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse


def check_relation(relation: Any, n_before: int, n_after: int, name: str) -> np.ndarray:
    """Return for each of ``n_before`` rows the row of the next data set that is the same, or -1.

    Parameters
    ----------
    relation : dict of int to int, or array-like of shape (r, 2)
        Pairs of rows, each row in at most one.
    n_before, n_after : int
        Numbers of rows of the two data sets.
    name : str
        How error messages call it.

    Raises
    ------
    TypeError
        If it holds anything but pairs of integers.
    ValueError
        If an index is out of range, a row comes twice, or there is no pair at all.
    """
    items = list(relation.items()) if isinstance(relation, Mapping) else relation
    pairs = np.asarray(items)
    if pairs.size == 0:
        raise ValueError(f"{name} is empty; consecutive data sets need at least one row in common.")
    if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.issubdtype(pairs.dtype, np.integer):
        raise TypeError(f"{name} must be a dict of row numbers or an array of pairs of them, got {relation!r:.80}.")
    for column, (n, which) in enumerate(((n_before, "earlier"), (n_after, "later"))):
        rows = pairs[:, column]
        if rows.min() < 0 or rows.max() >= n:
            outside = rows.max() if rows.max() >= n else rows.min()
            raise ValueError(f"{name} names row {outside} of the {which} data set, which has {n}.")
        if len(np.unique(rows)) < len(rows):
            raise ValueError(f"{name} names a row of the {which} data set more than once.")
    after = np.full(n_before, -1, dtype=np.int64)
    after[pairs[:, 0]] = pairs[:, 1]
    return after


def inverted(after: np.ndarray, n_after: int) -> np.ndarray:
    """Return the relation in the other direction."""
    before = np.full(n_after, -1, dtype=np.int64)
    known = np.flatnonzero(after >= 0)
    before[after[known]] = known
    return before


def composed(relations: list[np.ndarray], sizes: list[int], first: int, last: int) -> np.ndarray:
    """Return the relation from data set ``first`` to ``last``, in either direction, -1 where a link is missing."""
    found = np.arange(sizes[first])
    step = 1 if last > first else -1
    for here in range(first, last, step):
        link = relations[here] if step > 0 else inverted(relations[here - 1], sizes[here])
        found = np.where(found >= 0, link[found], -1)
    return found


def neighborhood_agreement(graph: sparse.csr_array, other: sparse.csr_array, relation: np.ndarray) -> np.ndarray:
    """Return for each related row the share of its neighbours, among those that are related, that are neighbours there.

    It is the Jaccard index of the two neighbourhoods, seen in the other graph: 1 where neither has related neighbours,
    0 for rows that are not related.
    """
    n, m = graph.shape[0], other.shape[0]
    known = np.flatnonzero(relation >= 0)
    link = sparse.csr_array((np.ones(len(known)), (known, relation[known])), shape=(n, m))
    in_image = np.zeros(m)
    in_image[relation[known]] = 1.0
    mapped = _pattern(graph) @ link
    reached = (link @ _pattern(other)) @ sparse.diags_array(in_image)
    shared = mapped.multiply(reached).sum(axis=1)
    union = mapped.sum(axis=1) + reached.sum(axis=1) - shared
    agreement = np.where(union > 0, shared / np.maximum(union, 1.0), 1.0)
    return np.where(relation >= 0, agreement, 0.0)


def _pattern(graph: sparse.csr_array) -> sparse.csr_array:
    return sparse.csr_array((np.ones(graph.nnz), graph.indices, graph.indptr), shape=graph.shape)
