"""Hierarchies as directed graphs without cycles: closure, reduction, depth, and a split of what the closure implies."""

from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.random import RandomState, generator
from holonomy._core.validation import check_float


def transitive_closure(adjacency: Any, *, allow_cycles: bool = False) -> sparse.csr_array:
    """Return which nodes can be reached from which along one edge or more.

    Parameters
    ----------
    adjacency : sparse matrix or array-like of shape (n, n)
        Nonzero entries are edges, from row to column.
    allow_cycles : bool, default False
        Whether directed cycles are allowed, whose nodes reach themselves.

    Returns
    -------
    csr_array of bool, shape (n, n)

    Raises
    ------
    ValueError
        If it is not square, or has a cycle where none is allowed; the error names one.

    Examples
    --------
    >>> from holonomy.graphs import transitive_closure
    >>> transitive_closure([[0, 1, 0], [0, 0, 1], [0, 0, 0]]).toarray().astype(int).tolist()
    [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
    """
    edges = _checked(adjacency)
    if not allow_cycles:
        _depths(edges)
    closure = edges
    while True:
        # Paths of up to twice as many edges.
        larger = closure + closure @ closure
        if larger.nnz == closure.nnz:
            break
        closure = larger
    closure = sparse.csr_array(closure)
    closure.sort_indices()
    return closure


@references("aho1972transitive")
def transitive_reduction(adjacency: Any) -> sparse.csr_array:
    """Return the fewest edges from which the same nodes can be reached: those that no longer path implies.

    Parameters
    ----------
    adjacency : sparse matrix or array-like of shape (n, n)
        Nonzero entries are edges, from row to column; a closure, or anything between it and its reduction. No directed
        cycles.

    Returns
    -------
    csr_array of bool, shape (n, n)

    Raises
    ------
    ValueError
        If it is not square, or has a cycle, which is named.

    References
    ----------
    Aho, Garey, Ullman (1972). The transitive reduction of a directed graph. SIAM Journal on Computing 1, 131-137.

    Examples
    --------
    >>> from holonomy.graphs import transitive_reduction
    >>> transitive_reduction([[0, 1, 1], [0, 0, 1], [0, 0, 0]]).toarray().astype(int).tolist()
    [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    """
    edges = _checked(adjacency)
    implied = edges @ transitive_closure(edges)
    reduced = sparse.csr_array(edges.astype(np.int8) - edges.astype(np.int8).multiply(implied))
    reduced.eliminate_zeros()
    reduced.sort_indices()
    return reduced.astype(bool)


def hierarchy_depths(adjacency: Any) -> np.ndarray:
    """Return how many edges the longest path from each node to a node without outgoing edges has.

    Parameters
    ----------
    adjacency : sparse matrix or array-like of shape (n, n)
        Nonzero entries are edges, from child to parent. No directed cycles.

    Returns
    -------
    ndarray of int64, shape (n,)
        0 for roots.

    Raises
    ------
    ValueError
        If it is not square, or has a cycle, which is named.

    Examples
    --------
    >>> from holonomy.graphs import hierarchy_depths
    >>> hierarchy_depths([[0, 1, 1], [0, 0, 1], [0, 0, 0]]).tolist()
    [2, 1, 0]
    """
    return _depths(_checked(adjacency))


def split_closure(
    closure: Any, test_share: float = 0.1, *, random_state: RandomState = None
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Split the pairs of a transitive closure so that those held out follow from those kept.

    Only pairs that the reduction does not need are held out: every node keeps its direct links, and nothing is held out
    that the others do not imply.

    Parameters
    ----------
    closure : sparse matrix or array-like of shape (n, n)
        A transitive closure, from descendants to ancestors.
    test_share : float, default 0.1
        Share of the pairs outside the reduction to hold out, in [0, 1].
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    kept, held_out : csr_array of bool, shape (n, n)

    Raises
    ------
    ValueError
        If the closure is not square or has a cycle, or the share is outside [0, 1].

    Examples
    --------
    >>> from holonomy.graphs import split_closure
    >>> kept, held_out = split_closure([[0, 1, 1], [0, 0, 1], [0, 0, 0]], 1.0, random_state=0)
    >>> kept.nnz, list(zip(*held_out.nonzero()))[0] == (0, 2)
    (2, True)
    """
    edges = _checked(closure)
    share = check_float(test_share, "test_share", minimum=0.0, maximum=1.0)
    rows, columns = edges.nonzero()
    needed = np.asarray(transitive_reduction(edges)[rows, columns]).ravel()
    candidates = np.flatnonzero(~needed)
    rng = generator(random_state, "split closure")
    out = np.zeros(len(rows), dtype=bool)
    out[rng.choice(candidates, round(share * len(candidates)), replace=False)] = True
    kept, held_out = (
        sparse.csr_array((np.ones(part.sum(), dtype=bool), (rows[part], columns[part])), shape=edges.shape)
        for part in (~out, out)
    )
    return kept, held_out


def _checked(adjacency: Any) -> sparse.csr_array:
    given = adjacency if sparse.issparse(adjacency) else np.asarray(adjacency)
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        raise ValueError(f"adjacency must be square, got shape {given.shape}.")
    if given.dtype.kind not in "fiub":
        raise ValueError(f"adjacency must hold numbers, got dtype {given.dtype}.")
    edges = sparse.csr_array(given).astype(bool)
    edges.eliminate_zeros()
    edges.sort_indices()
    return edges


def _depths(edges: sparse.csr_array) -> np.ndarray:
    """Return the number of edges of the longest path that leaves each node; raises where there is a cycle."""
    depths, inside = _peel(edges)
    if inside.any():
        nodes = _cycle(edges, inside)
        shown = [*nodes, nodes[0]] if len(nodes) <= 6 else [*nodes[:6], "..."]
        raise ValueError(f"adjacency must have no directed cycle, got {' -> '.join(map(str, shown))}.")
    return depths


def find_cycle(edges: sparse.csr_array) -> list[int] | None:
    """Return the nodes of a directed cycle in their order, or None where there is none."""
    _, inside = _peel(edges)
    return _cycle(edges, inside) if inside.any() else None


def _peel(edges: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Take away nodes without edges to nodes that are left; return when each went, and which never did."""
    n = edges.shape[0]
    incoming = sparse.csr_array(edges.T)
    left = np.diff(edges.indptr).astype(np.int64)
    depths = np.zeros(n, dtype=np.int64)
    front, depth = np.flatnonzero(left == 0), 0
    while len(front):
        depths[front] = depth
        counts = np.diff(incoming.indptr)[front]
        starts = np.repeat(incoming.indptr[front] - np.cumsum(counts) + counts, counts)
        parents = incoming.indices[starts + np.arange(counts.sum())]
        np.subtract.at(left, parents, 1)
        front = np.unique(parents[left[parents] == 0])
        depth += 1
    return depths, left > 0


def _cycle(edges: sparse.csr_array, inside: np.ndarray) -> list[int]:
    """Follow edges among nodes that all have one to another of them, until a node comes back."""
    path: list[int] = []
    seen: dict[int, int] = {}
    node = int(np.flatnonzero(inside)[0])
    while node not in seen:
        seen[node] = len(path)
        path.append(node)
        targets = edges.indices[edges.indptr[node] : edges.indptr[node + 1]]
        node = int(targets[inside[targets]][0])
    return path[seen[node] :]
