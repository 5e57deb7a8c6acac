"""Algebra of fuzzy graphs on the same points: intersection, union, difference, and agreement with labels."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.validation import check_float, check_int
from holonomy.graphs._sparse import check_affinity, symmetrize

SMALLEST = 1e-8
"""Least membership that stands in for an absent edge."""

LARGEST_STAND_IN = 1e-4
"""Most that stands in for an absent edge of the right operand, whose least membership may be large."""


@references("mcinnes2018umap")
def fuzzy_intersection(left: Any, right: Any, *, weight: float = 0.5) -> sparse.csr_array:
    """Intersect two fuzzy graphs, edge by edge: what both hold, with an emphasis on either.

    With m the weight, edges become ``l r^(m / (1 - m))`` for m < 0.5 and ``l^((1 - m) / m) r`` otherwise: l alone at
    0, the product at 0.5, r alone at 1. An edge that one operand lacks counts there as half its least membership, so
    that a point keeps its neighbours when the operands share none.

    Parameters
    ----------
    left, right : sparse or array-like of shape (n, n)
        Memberships in [0, 1].
    weight : float, default 0.5
        m in [0, 1].

    Returns
    -------
    csr_array of float32, shape (n, n)
        Memberships on the edges of either operand; see `restore_connectivity` for what usually follows.

    Raises
    ------
    ValueError
        If an operand is not square, holds memberships outside [0, 1], or the shapes differ.

    Examples
    --------
    >>> from holonomy.graphs import fuzzy_intersection
    >>> one, two = [[0, 0.5], [0.5, 0]], [[0, 0.8], [0.8, 0]]
    >>> fuzzy_intersection(one, two).toarray().round(2)
    array([[0. , 0.4],
           [0.4, 0. ]], dtype=float32)

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.
    """
    m = check_float(weight, "weight", minimum=0.0, maximum=1.0)
    first, second = _operands(left, right)
    powers = (1.0, m / (1.0 - m)) if m < 0.5 else ((1.0 - m) / m, 1.0)
    stand_ins = (_stand_in(first.data), min(_stand_in(second.data), LARGEST_STAND_IN))
    return _combined(first, second, stand_ins, lambda a, b: a ** powers[0] * b ** powers[1])


@references("mcinnes2018umap")
def fuzzy_union(left: Any, right: Any) -> sparse.csr_array:
    """Unite two fuzzy graphs, edge by edge: l + r - l r.

    Parameters
    ----------
    left, right : sparse or array-like of shape (n, n)
        Memberships in [0, 1].

    Returns
    -------
    csr_array of float32, shape (n, n)

    Raises
    ------
    ValueError
        If an operand is not square, holds memberships outside [0, 1], or the shapes differ.

    Examples
    --------
    >>> from holonomy.graphs import fuzzy_union
    >>> fuzzy_union([[0, 0.5], [0.5, 0]], [[0, 0.8], [0.8, 0]]).toarray().round(2)
    array([[0. , 0.9],
           [0.9, 0. ]], dtype=float32)

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.
    """
    first, second = _operands(left, right)
    return _combined(first, second, (0.0, 0.0), lambda a, b: a + b - a * b)


def fuzzy_difference(left: Any, right: Any) -> sparse.csr_array:
    """Keep of a fuzzy graph what another one does not hold, edge by edge: l (1 - r).

    An edge that the right operand holds with full membership keeps a trace (1e-4 at most), so that a point all of
    whose edges are shared does not lose its neighbours.

    Parameters
    ----------
    left, right : sparse or array-like of shape (n, n)
        Memberships in [0, 1].

    Returns
    -------
    csr_array of float32, shape (n, n)
        Memberships on the edges of the left operand.

    Raises
    ------
    ValueError
        If an operand is not square, holds memberships outside [0, 1], or the shapes differ.

    Examples
    --------
    >>> from holonomy.graphs import fuzzy_difference
    >>> fuzzy_difference([[0, 0.5], [0.5, 0]], [[0, 0.8], [0.8, 0]]).toarray().round(2)
    array([[0. , 0.1],
           [0.1, 0. ]], dtype=float32)
    """
    first, second = _operands(left, right)
    return _combined(first, second, (0.0, 0.0), lambda a, b: a * np.maximum(1.0 - b, LARGEST_STAND_IN))


@references("mcinnes2018umap")
def intersect_by_distance(graph: Any, distance: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> sparse.csr_array:
    """Weaken every edge by the distance of its ends in another space: w becomes ``w exp(-distance)``.

    Parameters
    ----------
    graph : sparse or array-like of shape (n, n)
        Memberships in [0, 1].
    distance : callable
        Takes the rows and the columns of all edges, two integer arrays, and returns as many distances >= 0.

    Returns
    -------
    csr_array of float32, shape (n, n)
        Edges that vanish are left out.

    Raises
    ------
    ValueError
        If the graph is not square or holds memberships outside [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import intersect_by_distance
    >>> labels = np.array([0, 0, 1])
    >>> graph = np.ones((3, 3)) - np.eye(3)
    >>> intersect_by_distance(graph, lambda i, j: 5.0 * (labels[i] != labels[j])).toarray().round(3)
    array([[0.   , 1.   , 0.007],
           [1.   , 0.   , 0.007],
           [0.007, 0.007, 0.   ]], dtype=float32)

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.
    """
    edges = _memberships(graph, "graph")
    rows = np.repeat(np.arange(edges.shape[0]), np.diff(edges.indptr))
    weakened = edges.data * np.exp(-distance(rows, edges.indices))
    result = sparse.csr_array((weakened.astype(np.float32), edges.indices, edges.indptr), shape=edges.shape, copy=True)
    result.eliminate_zeros()
    return result


@references("mcinnes2018umap")
def restore_connectivity(graph: Any, *, n_neighbors: int | None = None) -> sparse.csr_array:
    """Connect every point surely to its nearest one again, after an operation that has weakened its edges.

    Each row is divided by its largest entry; the two directions of an edge are then joined by fuzzy union.

    Parameters
    ----------
    graph : sparse or array-like of shape (n, n)
        Memberships in [0, 1].
    n_neighbors : int, optional
        If given, each row is also raised to the power at which it sums to log2(n_neighbors): the mass of a
        neighbourhood of that many points (the point itself counted), as far as the row has enough entries.

    Returns
    -------
    csr_array of float32, shape (n, n)
        Symmetric memberships.

    Raises
    ------
    ValueError
        If the graph is not square or holds memberships outside [0, 1], or ``n_neighbors`` < 2.

    Examples
    --------
    >>> from holonomy.graphs import restore_connectivity
    >>> restore_connectivity([[0, 0.1, 0.05], [0.1, 0, 0], [0.05, 0, 0]]).toarray()
    array([[0., 1., 1.],
           [1., 0., 0.],
           [1., 0., 0.]], dtype=float32)

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.
    """
    edges = _memberships(graph, "graph")
    n = edges.shape[0]
    rows = np.repeat(np.arange(n), np.diff(edges.indptr))
    largest = np.zeros(n, dtype=np.float32)
    np.maximum.at(largest, rows, edges.data)
    scaled = edges.data / largest[rows]
    if n_neighbors is not None:
        mass = np.log2(check_int(n_neighbors, "n_neighbors", minimum=2))
        scaled = scaled ** _powers_of_mass(scaled.astype(np.float64), rows, n, mass)[rows]
    directed = sparse.csr_array((scaled.astype(np.float32), edges.indices, edges.indptr), shape=edges.shape)
    return symmetrize(directed, sum_weight=1.0, product_weight=-1.0)


def _powers_of_mass(values: np.ndarray, rows: np.ndarray, n: int, mass: float) -> np.ndarray:
    """Find for every row the power at which its entries in (0, 1] sum to ``mass``, by bisection in log space.

    Rows with too few entries get a power near 0, which makes all of them 1.
    """
    low, high = np.full(n, -30.0), np.full(n, 30.0)
    for _ in range(40):
        middle = 0.5 * (low + high)
        too_much = np.bincount(rows, values ** np.exp(middle)[rows], minlength=n) > mass
        low, high = np.where(too_much, middle, low), np.where(too_much, high, middle)
    return np.exp(0.5 * (low + high))


def _combined(
    left: sparse.csr_array,
    right: sparse.csr_array,
    stand_ins: tuple[float, float],
    rule: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> sparse.csr_array:
    """Apply ``rule`` to the memberships on the edges of either operand, an absent one replaced by its stand-in."""
    n = left.shape[0]
    keys_left, keys_right = _keys(left), _keys(right)
    keys = np.union1d(keys_left, keys_right)
    values = []
    for operand, own, stand_in in ((left, keys_left, stand_ins[0]), (right, keys_right, stand_ins[1])):
        aligned = np.full(len(keys), stand_in)
        aligned[np.searchsorted(keys, own)] = operand.data
        values.append(aligned)
    indptr = np.searchsorted(keys, np.arange(n + 1, dtype=np.int64) * n)
    result = sparse.csr_array((rule(*values).astype(np.float32), keys % n, indptr), shape=(n, n))
    result.eliminate_zeros()
    return result


def _keys(graph: sparse.csr_array) -> np.ndarray:
    """One ascending number for each edge, the same in every graph of this size."""
    n = graph.shape[0]
    return np.repeat(np.arange(n, dtype=np.int64), np.diff(graph.indptr)) * n + graph.indices


def _stand_in(values: np.ndarray) -> float:
    return max(float(values.min(initial=1.0)) / 2.0, SMALLEST)


def _operands(left: Any, right: Any) -> tuple[sparse.csr_array, sparse.csr_array]:
    first, second = _memberships(left, "left"), _memberships(right, "right")
    if first.shape != second.shape:
        raise ValueError(f"left and right must be on the same points, got shapes {first.shape} and {second.shape}.")
    return first, second


def _memberships(graph: Any, name: str) -> sparse.csr_array:
    edges = check_affinity(graph, name, symmetric=False)
    if edges.data.max(initial=0.0) > 1.0 + 1e-6:
        raise ValueError(f"{name} must hold memberships in [0, 1], got up to {edges.data.max():.3g}.")
    if not edges.has_sorted_indices:
        edges = edges.sorted_indices()
    return edges
