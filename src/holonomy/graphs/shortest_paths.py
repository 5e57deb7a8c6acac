"""Geodesic distances along the edges of a graph."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.validation import Points, check_float, check_int, check_option, check_points
from holonomy.graphs._dijkstra import both_ways, distances_from
from holonomy.graphs._sparse import check_graph, directed_csr
from holonomy.graphs.connectivity import label_components
from holonomy.graphs.neighbor_graph import NeighborGraph
from holonomy.graphs.search import NeighborIndex

ALL_PAIRS_UP_TO = 5000
"""Most points for which distances between all pairs are computed without naming sources: 200 MB."""


PARAMETRIC_METRICS = ("mahalanobis", "minkowski", "seuclidean")
"""Metrics whose name alone does not say how far apart two points are."""


@references("tenenbaum2000global")
def geodesics(
    graph: NeighborGraph | Any,
    sources: ArrayLike | None = None,
    *,
    limit: float = np.inf,
    connect: str = "error",
    X: Points = None,
) -> np.ndarray:
    """Measure the lengths of the shortest paths along the edges of a neighbour graph.

    Parameters
    ----------
    graph : NeighborGraph or sparse array of shape (n, n)
        The k nearest neighbours of n points, or the lengths of edges, of which stored zeros are some. Edges can be
        walked in both directions, infinite ones not at all.
    sources : array-like of int, shape (m,), optional
        Points to measure from; by default all, for at most 5,000 points.
    limit : float, default inf
        Longest path to follow, >= 0; what is farther is infinitely far.
    connect : {"error", "inf", "nearest"}, default "error"
        What to do when the graph falls apart: refuse, leave the distances between components infinite, or tie
        each component to the larger ones by an edge between their nearest points, found among the points ``X``.
    X : array-like of shape (n, d), optional
        The points the graph was made of, or their distances (n, n) if these were; for ``connect="nearest"`` only.

    Returns
    -------
    ndarray of float64, shape (m, n)
        Distances from each source, in units of the graph's distances.

    Raises
    ------
    TypeError
        If ``graph`` is neither or ``sources`` are not integers.
    ValueError
        If the graph is disconnected and ``connect`` is "error", all pairs of more than 5,000 points are asked
        for, or an argument is out of range or missing.

    References
    ----------
    Tenenbaum, de Silva, Langford (2000). A global geometric framework for nonlinear dimensionality reduction. Science
    290, 2319-2323.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import NeighborGraph, geodesics
    >>> graph = NeighborGraph(np.array([[1], [0], [1]]), np.array([[1.0], [1.0], [2.0]]))
    >>> geodesics(graph, sources=[0])
    array([[0., 1., 3.]])
    """
    lengths = connected_lengths(graph, connect, X)
    origins = _check_sources(sources, lengths.shape[0])
    longest = np.inf if limit == np.inf else check_float(limit, "limit", minimum=0.0)
    return distances_from(both_ways(lengths), origins, longest)[0]


@references("tenenbaum2000global")
def geodesic_path(
    graph: NeighborGraph | Any, start: int, stop: int, *, connect: str = "error", X: Points = None
) -> tuple[np.ndarray, float]:
    """Find the shortest path between two points along the edges of a neighbour graph.

    Parameters
    ----------
    graph, connect, X
        As in `geodesics`.
    start, stop : int
        Indices of the two points.

    Returns
    -------
    path : ndarray of int32, shape (l,)
        Points from ``start`` to ``stop``, both included; empty if there is no path and ``connect`` is "inf". Of
        several shortest paths, that whose steps come from the points of lowest index.
    length : float
        Its length, in units of the graph's distances.

    Raises
    ------
    TypeError, ValueError
        As `geodesics`.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import NeighborGraph, geodesic_path
    >>> graph = NeighborGraph(np.array([[1], [0], [1]]), np.array([[1.0], [1.0], [2.0]]))
    >>> geodesic_path(graph, 0, 2)
    (array([0, 1, 2], dtype=int32), 3.0)
    """
    lengths = connected_lengths(graph, connect, X)
    n = lengths.shape[0]
    first = check_int(start, "start", minimum=0, maximum=n - 1)
    last = check_int(stop, "stop", minimum=0, maximum=n - 1)
    distances, before = distances_from(both_ways(lengths), np.array([first]))
    path = [last] if np.isfinite(distances[0, last]) else []
    while path and path[-1] != first:
        path.append(int(before[0, path[-1]]))
    return np.array(path[::-1], dtype=np.int32), float(distances[0, last])


@references("desilva2002global")
def extend_geodesics(indices: ArrayLike, distances: ArrayLike, known: ArrayLike) -> np.ndarray:
    """Continue geodesic distances to new rows, each through its nearest neighbours and by itself.

    Parameters
    ----------
    indices, distances : array-like of shape (q, k)
        Neighbours of q new rows among the n points of the graph and the distances to them, as `NeighborIndex.query`
        returns; infinite ones are left out.
    known : array-like of shape (m, n)
        Distances of the n points from m sources, as `geodesics` returns.

    Returns
    -------
    ndarray of float64, shape (q, m)
        Length of the shortest path from each new row to each source. New rows are not joined to each other.

    Raises
    ------
    ValueError
        If shapes do not fit, distances are negative or NaN, or indices lie outside [0, n).

    References
    ----------
    de Silva, Tenenbaum (2002). Global versus local methods in nonlinear dimensionality reduction. Advances in Neural
    Information Processing Systems 15.

    Examples
    --------
    >>> from holonomy.graphs import extend_geodesics
    >>> extend_geodesics([[0, 1]], [[0.5, 0.6]], [[0.0, 1.0], [1.0, 0.0]])
    array([[0.5, 0.6]])
    """
    columns, steps = np.asarray(indices), np.asarray(distances, dtype=np.float64)
    lengths = np.asarray(known, dtype=np.float64)
    if columns.ndim != 2 or columns.shape != steps.shape or columns.shape[1] < 1:
        raise ValueError(f"indices and distances must both have shape (q, k), got {columns.shape} and {steps.shape}.")
    if lengths.ndim != 2:
        raise ValueError(f"known must have shape (m, n), got {lengths.shape}.")
    if columns.size and (columns.min() < 0 or columns.max() >= lengths.shape[1]):
        raise ValueError(f"indices must lie in [0, {lengths.shape[1]}), got {columns.min()} to {columns.max()}.")
    for name, values in (("distances", steps), ("known", lengths)):
        if not (values >= 0).all():
            raise ValueError(f"{name} must be at least 0, without NaN.")
    by_point = np.ascontiguousarray(lengths.T)
    found = np.full((len(columns), len(lengths)), np.inf)
    for j in range(columns.shape[1]):
        np.minimum(found, steps[:, j, None] + by_point[columns[:, j]], out=found)
    return found


def connected_lengths(graph: NeighborGraph | Any, connect: str, X: Points) -> sparse.csr_array:
    """Return the lengths of the edges after doing what ``connect`` says about a graph that falls apart."""
    check_option(connect, "connect", ("error", "inf", "nearest"))
    lengths = _edge_lengths(graph)
    count, labels = label_components(lengths)
    if count > 1 and connect == "error":
        smallest = np.count_nonzero(labels == count - 1)
        raise ValueError(
            f"graph falls into {count} components (the smallest of {smallest} points), between which there is no "
            'path; use more neighbours, connect="nearest", or connect="inf" to leave them infinitely far apart.'
        )
    if count > 1 and connect == "nearest":
        return _with_bridges(lengths, graph, labels, X)
    return lengths


def _edge_lengths(graph: NeighborGraph | Any) -> sparse.csr_array:
    if not sparse.issparse(graph):
        return directed_csr(check_graph(graph), graph.distances.astype(np.float64))
    lengths = sparse.csr_array(graph, dtype=np.float64)
    if lengths.shape[0] != lengths.shape[1] or lengths.shape[0] == 0:
        raise ValueError(f"graph must be a square matrix of edge lengths, got shape {lengths.shape}.")
    if np.isnan(lengths.data).any() or (lengths.data < 0).any():
        raise ValueError("graph must hold edge lengths of at least 0, without NaN.")
    finite = np.isfinite(lengths.data)
    if finite.all():
        return _sorted_lengths(lengths)
    kept = np.concatenate([[0], np.cumsum(finite)])[lengths.indptr]
    lengths = sparse.csr_array((lengths.data[finite], lengths.indices[finite], kept), shape=lengths.shape)
    return _sorted_lengths(lengths)


def _check_sources(sources: ArrayLike | None, n: int) -> np.ndarray:
    if sources is None:
        if n > ALL_PAIRS_UP_TO:
            raise ValueError(
                f"sources must be given for more than {ALL_PAIRS_UP_TO} points: all pairs of {n} would take "
                f"{n * n * 8 / 1e9:.1f} GB. Pass the indices of some landmarks."
            )
        return np.arange(n)
    origins = np.asarray(sources)
    if origins.ndim != 1 or len(origins) == 0:
        raise ValueError(f"sources must be a non-empty list of point indices, got shape {origins.shape}.")
    if not np.issubdtype(origins.dtype, np.integer):
        raise TypeError(f"sources must be integers, got {origins.dtype}.")
    if origins.min() < 0 or origins.max() >= n:
        raise ValueError(f"sources must lie in [0, {n}), got {origins.min()} to {origins.max()}.")
    return origins


def _with_bridges(
    lengths: sparse.csr_array, graph: NeighborGraph | Any, labels: np.ndarray, X: Points
) -> sparse.csr_array:
    """Return the edges and one more from each component to the nearest point of a larger one."""
    if X is None:
        raise ValueError('connect="nearest" needs the points that the graph was made of; pass X=.')
    if not isinstance(graph, NeighborGraph) or graph.metric in PARAMETRIC_METRICS:
        metric = graph.metric if isinstance(graph, NeighborGraph) else "a matrix of edge lengths"
        raise ValueError(
            f'connect="nearest" needs a neighbour graph of a metric without parameters, not {metric!r}; connect the '
            "components beforehand, or use more neighbours."
        )
    points = check_points(X, accept_sparse=True)
    if points.shape[0] != graph.n_points:
        raise ValueError(f"X must hold the {graph.n_points} points of graph, got {points.shape[0]} rows.")
    if graph.metric == "precomputed" and (points.shape[1] != graph.n_points or sparse.issparse(points)):
        raise ValueError(
            f"X must hold all distances between the {graph.n_points} points of a graph of precomputed distances, as a "
            f"dense square matrix, got shape {points.shape}."
        )
    edges = lengths.tocoo()
    rows, columns, values = [edges.row], [edges.col], [edges.data]
    for label in range(1, labels.max() + 1):
        larger, members = np.flatnonzero(labels < label), np.flatnonzero(labels == label)
        if graph.metric == "precomputed":
            between = points[np.ix_(members, larger)]
            found = between.argmin(axis=1)[:, None]
            distances = np.take_along_axis(between, found, axis=1)
        else:
            found, distances = NeighborIndex(points[larger], metric=graph.metric).query(points[members], 1)
        closest = int(np.argmin(distances[:, 0]))
        rows.append(members[[closest]])
        columns.append(larger[found[closest]])
        values.append(distances[closest].astype(np.float64))
    # Not a sum of two matrices, which would lose the edges of length 0.
    ends = (np.concatenate(rows), np.concatenate(columns))
    return _sorted_lengths(sparse.csr_array((np.concatenate(values), ends), shape=lengths.shape))


def _sorted_lengths(lengths: sparse.csr_array) -> sparse.csr_array:
    """Return the edges sorted in each row, those listed twice still twice."""
    if lengths.has_sorted_indices:
        return lengths
    ordered = lengths.copy()
    ordered.sort_indices()
    return ordered
