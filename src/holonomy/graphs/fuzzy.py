"""The fuzzy simplicial set of a cloud of points: UMAP's view of who is connected to whom, and how surely."""

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.validation import check_float
from holonomy.graphs._blocks import run_blocks
from holonomy.graphs._sparse import check_graph, directed_csr, symmetrize
from holonomy.graphs.neighbor_graph import NeighborGraph

SMALLEST_BANDWIDTH = 1e-3
"""Least bandwidth of a point, in units of its mean neighbour distance."""


@references("mcinnes2018umap")
def smooth_neighbor_distances(
    graph: NeighborGraph, *, local_connectivity: float = 1.0, bandwidth: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Find the local scale of every point: how far its neighbourhood starts, and how fast it fades.

    With ``rho`` the distance to the nearest neighbour that is not a duplicate, ``sigma`` solves
    ``sum_j exp(-max(0, d_j - rho) / sigma) = bandwidth * log2(k + 1)`` over the k neighbours.

    Parameters
    ----------
    graph : NeighborGraph
        The k nearest neighbours of n points. umap-learn counts the point itself: its ``n_neighbors=15`` is k = 14.
    local_connectivity : float, default 1.0
        Number of neighbours, at least 0, that every point is surely connected to; fractions interpolate between
        the distances of two neighbours.
    bandwidth : float, default 1.0
        Factor > 0 on the mass of a neighbourhood.

    Returns
    -------
    sigmas : ndarray of float32, shape (n,)
        Bandwidths, at least 0.001 of the point's mean neighbour distance (of all points' when rho is 0); infinite
        where a point has fewer than ``log2(k + 1)`` neighbours at finite distance, so that all of them count fully.
    rhos : ndarray of float32, shape (n,)
        Distances within which neighbours count fully.

    Raises
    ------
    TypeError
        If ``graph`` is not a NeighborGraph.
    ValueError
        If a parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import NeighborGraph, smooth_neighbor_distances
    >>> graph = NeighborGraph(np.array([[1, 2], [0, 2], [1, 0]]), np.array([[1.0, 2], [1, 1], [1, 2]]))
    >>> sigmas, rhos = smooth_neighbor_distances(graph)
    >>> rhos.tolist()
    [1.0, 1.0, 1.0]

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.
    """
    distances = check_graph(graph).distances
    _, sigmas, rhos = _fuzzy_rows(distances, 1, _mean_distance(distances, 1), local_connectivity, bandwidth)
    return sigmas, rhos


@references("mcinnes2018umap")
def fuzzy_simplicial_set(
    graph: NeighborGraph,
    *,
    local_connectivity: float = 1.0,
    set_op_mix_ratio: float = 1.0,
) -> sparse.csr_array:
    """Connect every point to its neighbours with a degree of membership in [0, 1], and agree on both directions.

    Memberships are ``w_ij = exp(-max(0, d_ij - rho_i) / sigma_i)`` with the scales of
    :func:`smooth_neighbor_distances`; the two directions of an edge combine as
    ``m (w_ij + w_ji - w_ij w_ji) + (1 - m) w_ij w_ji``.

    Parameters
    ----------
    graph : NeighborGraph
        The k nearest neighbours of n points; infinite distances mean "no neighbour".
    local_connectivity : float, default 1.0
        See :func:`smooth_neighbor_distances`.
    set_op_mix_ratio : float, default 1.0
        m in [0, 1]: 1 is the fuzzy union, 0 the fuzzy intersection.

    Returns
    -------
    csr_array of float32, shape (n, n)
        Symmetric bit for bit, sorted, without diagonal and stored zeros.

    Raises
    ------
    TypeError
        If ``graph`` is not a NeighborGraph.
    ValueError
        If a parameter is out of range, or a point lists a neighbour twice.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import NeighborGraph, fuzzy_simplicial_set
    >>> graph = NeighborGraph(np.array([[1, 2], [0, 2], [1, 0]]), np.array([[1.0, 2], [1, 1], [1, 2]]))
    >>> fuzzy_simplicial_set(graph).toarray().round(2)
    array([[0.  , 1.  , 0.83],
           [1.  , 0.  , 1.  ],
           [0.83, 1.  , 0.  ]], dtype=float32)

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.
    """
    mix = check_float(set_op_mix_ratio, "set_op_mix_ratio", minimum=0.0, maximum=1.0)
    distances = check_graph(graph).distances
    memberships, _, _ = _fuzzy_rows(distances, 1, _mean_distance(distances, 1), local_connectivity, 1.0)
    return symmetrize(directed_csr(graph, memberships), sum_weight=mix, product_weight=1.0 - 2.0 * mix)


def query_memberships(
    distances: ArrayLike, *, local_connectivity: float = 0.0, mean_distance: float = 0.0
) -> np.ndarray:
    """Give new points their memberships to their nearest reference points, each row by itself.

    Parameters
    ----------
    distances : array-like of shape (m, k)
        Distances of m new points to their k nearest reference points, ascending along each row.
    local_connectivity : float, default 0.0
        As in :func:`smooth_neighbor_distances`; one less than the reference points use, because a new point's
        nearest reference point takes the place of the point itself (and of its share of the mass log2(k)).
    mean_distance : float, default 0.0
        Mean neighbour distance among the reference points; bounds the bandwidth where ``rho`` is 0.

    Returns
    -------
    ndarray of float32, shape (m, k)
        Memberships in [0, 1]; 0 at infinite distance.

    Raises
    ------
    ValueError
        If distances are negative, NaN or not ascending, or a parameter is out of range.

    Examples
    --------
    >>> from holonomy.graphs.fuzzy import query_memberships
    >>> query_memberships([[0.0, 1.0, 1.0]]).round(3)
    array([[1.   , 0.792, 0.792]], dtype=float32)
    """
    checked = np.ascontiguousarray(distances, dtype=np.float32)
    if checked.ndim != 2 or checked.shape[1] < 1:
        raise ValueError(f"distances must have shape (m, k) with k >= 1, got {checked.shape}.")
    if not (checked >= 0).all() or (checked[:, 1:] < checked[:, :-1]).any():
        raise ValueError("distances must be non-negative and ascending along each row, without NaN.")
    mean = check_float(mean_distance, "mean_distance", minimum=0.0)
    return _fuzzy_rows(checked, 0, mean, local_connectivity, 1.0)[0]


def _mean_distance(distances: np.ndarray, n_self: int) -> float:
    """Return the mean finite distance, counting ``n_self`` zeros in every row."""
    finite = np.isfinite(distances)
    count = np.count_nonzero(finite) + n_self * len(distances)
    return float(np.sum(distances, dtype=np.float64, where=finite) / max(int(count), 1))


def _fuzzy_rows(
    distances: np.ndarray, n_self: int, mean_distance: float, local_connectivity: float, bandwidth: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return memberships (n, k), sigmas (n,) and rhos (n,) of rows whose first entry is (0) or follows (1) the self."""
    connectivity = check_float(local_connectivity, "local_connectivity", minimum=0.0)
    factor = check_float(bandwidth, "bandwidth", minimum=0.0)
    if factor == 0.0:
        raise ValueError("bandwidth must be positive, got 0.0.")
    n, k = distances.shape
    memberships = np.empty((n, k), dtype=np.float32)
    sigmas = np.empty(n, dtype=np.float32)
    rhos = np.empty(n, dtype=np.float32)
    mass = factor * math.log2(k + n_self)
    outputs = (memberships, sigmas, rhos)
    run_blocks(lambda i, j: _fill_rows(distances, n_self, mass, connectivity, mean_distance, *outputs, i, j), n)
    return outputs


@njit(cache=True, nogil=True, error_model="numpy")
def _fill_rows(
    distances: np.ndarray,
    n_self: int,
    mass: float,
    local_connectivity: float,
    mean_distance: float,
    memberships: np.ndarray,
    sigmas: np.ndarray,
    rhos: np.ndarray,
    start: int,
    stop: int,
) -> None:
    k = distances.shape[1]
    for row in range(start, stop):
        first, last, total = 0, 0, 0.0
        while last < k and distances[row, last] < np.inf:
            total += distances[row, last]
            first += distances[row, last] <= 0.0
            last += 1
        rho = _start_distance(distances[row, first:last], local_connectivity)
        sigma = _bandwidth(distances[row, 1 - n_self : last], rho, mass)
        mean = total / (last + n_self) if rho > 0.0 else mean_distance
        sigma = max(sigma, SMALLEST_BANDWIDTH * mean)
        for j in range(k):
            d = distances[row, j] - rho
            memberships[row, j] = 0.0 if j >= last else 1.0 if d <= 0.0 else math.exp(-d / sigma)
        sigmas[row] = sigma
        rhos[row] = rho


@njit(cache=True, nogil=True)
def _start_distance(positive: np.ndarray, local_connectivity: float) -> float:
    """Return the distance of the neighbour of (fractional) rank ``local_connectivity`` among those apart."""
    count = len(positive)
    if count == 0:
        return 0.0
    if count < local_connectivity:
        return np.float64(positive[count - 1])
    rank = int(local_connectivity)
    fraction = local_connectivity - rank
    below = np.float64(positive[rank - 1]) if rank > 0 else 0.0
    return below + fraction * (positive[rank] - below) if fraction > 0.0 else below


@njit(cache=True, nogil=True, error_model="numpy")
def _bandwidth(distances: np.ndarray, rho: float, mass: float) -> float:
    """Solve sum_j exp(-max(0, d_j - rho) / sigma) = mass for sigma; 0 or infinity where the sum stays off the mass.

    The logarithm of the part of the sum that fades is convex and falling in t = 1 / sigma, so Newton's iteration
    from t = 0 approaches the root from below, without bracketing, and at every scale of the distances alike.
    """
    tolerance = 1e-5
    count = len(distances)
    near = 0
    while near < count and distances[near] <= rho:
        near += 1
    if near == count or near > mass + tolerance:
        return 0.0
    fading_mass = max(mass - near, tolerance)
    t = 0.0
    for _ in range(200):
        fading, slope = 0.0, 0.0
        for j in range(near, count):
            d = distances[j] - rho
            term = math.exp(-d * t)
            fading += term
            slope += d * term
        if fading <= fading_mass * (1.0 + 1e-9):
            break
        t += math.log(fading / fading_mass) * fading / slope
    return 1.0 / t
