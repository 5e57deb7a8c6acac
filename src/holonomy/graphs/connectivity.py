"""Which points can reach which: the connected components of a graph."""

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from holonomy.graphs._sparse import check_affinity, check_graph, directed_csr
from holonomy.graphs.neighbor_graph import NeighborGraph


def connected_components(graph: NeighborGraph | Any) -> tuple[int, np.ndarray]:
    """Label the connected components, largest first.

    Parameters
    ----------
    graph : NeighborGraph or sparse or array-like of shape (n, n)
        Neighbour lists, where an edge in either direction connects and infinite distances do not, or non-negative
        weights, where those that are not 0 connect.

    Returns
    -------
    n_components : int
        Number of components; an isolated point is one.
    labels : ndarray of int32, shape (n,)
        Component of each point, in [0, n_components): 0 is the largest, and of equal ones that which holds the
        point of lowest index comes first.

    Raises
    ------
    TypeError, ValueError
        If ``graph`` is neither, or holds negative or non-finite weights.

    Examples
    --------
    >>> from holonomy.graphs import connected_components
    >>> connected_components([[0, 0, 0], [0, 0, 1], [0, 1, 0]])
    (2, array([1, 0, 0], dtype=int32))
    """
    if isinstance(graph, NeighborGraph):
        edges = directed_csr(check_graph(graph), np.ones(graph.indices.shape, dtype=np.float32))
    else:
        edges = check_affinity(graph, "graph", symmetric=False)
    return label_components(edges)


def label_components(edges: sparse.csr_array) -> tuple[int, np.ndarray]:
    """Label the components of checked edges, which connect whatever their weight is, 0 too."""
    count, labels = csgraph.connected_components(edges, directed=True, connection="weak")
    _, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    rank = np.empty(count, dtype=np.int32)
    rank[np.lexsort((first, -sizes))] = np.arange(count, dtype=np.int32)
    return int(count), rank[labels]
