"""Entropic affinities: every point has the same effective number of neighbours, as in t-SNE."""

import math

import numpy as np
from numba import njit
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.validation import check_float
from holonomy.graphs._blocks import run_blocks
from holonomy.graphs._sparse import check_graph, directed_csr, symmetrize
from holonomy.graphs.neighbor_graph import NeighborGraph


@references("hinton2002stochastic", "vandermaaten2008visualizing")
def entropic(graph: NeighborGraph, perplexity: float = 30.0) -> sparse.csr_array:
    """Weigh neighbours by Gaussians whose widths give every point the same perplexity, as a joint distribution.

    For each point, ``p_j|i`` is proportional to ``exp(-beta_i d_ij^2)`` with entropy ``log(perplexity)`` and sums
    to 1; the result is ``p_ij = (p_j|i + p_i|j) / (2 n)``.

    Parameters
    ----------
    graph : NeighborGraph
        The k nearest neighbours of n points; k of three times the perplexity loses next to nothing.
    perplexity : float, default 30.0
        Effective number of neighbours, in [1, k].

    Returns
    -------
    csr_array of float64, shape (n, n)
        Symmetric, sums to 1, sorted, without diagonal. Does not change when all distances are scaled. A point
        with more than ``perplexity`` neighbours at its smallest distance weighs these equally, and no others.

    Raises
    ------
    TypeError
        If ``graph`` is not a NeighborGraph.
    ValueError
        If ``perplexity`` exceeds the number of neighbours (at finite distance) of some point.

    References
    ----------
    Hinton, Roweis (2002). Stochastic neighbor embedding. Advances in Neural Information Processing Systems 15.
    van der Maaten, Hinton (2008). Visualizing data using t-SNE. Journal of Machine Learning Research 9, 2579-2605.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import NeighborGraph, entropic
    >>> graph = NeighborGraph(np.array([[1, 2], [0, 2], [1, 0]]), np.array([[1.0, 2], [1, 1], [1, 2]]))
    >>> entropic(graph, perplexity=2).toarray().round(3)
    array([[0.   , 0.167, 0.167],
           [0.167, 0.   , 0.167],
           [0.167, 0.167, 0.   ]])
    """
    distances = check_graph(graph).distances
    target = check_float(perplexity, "perplexity", minimum=1.0)
    fewest = int(np.isfinite(distances).sum(axis=1).min())
    if target > fewest:
        raise ValueError(
            f"perplexity must be at most the number of neighbours at finite distance, which is {fewest} for some "
            f"point, got {perplexity}; build the graph with more neighbours (three times the perplexity is ample)."
        )
    joint = symmetrize(directed_csr(graph, conditional_rows(distances, target)))
    joint.data /= graph.n_points
    return joint


def conditional_rows(distances: np.ndarray, perplexity: float) -> np.ndarray:
    """Return ``p_j|i``, shape (m, k), from rows of ascending distances, each row by itself; rows sum to 1."""
    conditional = np.empty(distances.shape)
    target = math.log(perplexity)
    run_blocks(lambda start, stop: _fill_rows(distances, target, conditional, start, stop), len(distances))
    return conditional


@njit(cache=True, nogil=True)
def _fill_rows(distances: np.ndarray, target: float, conditional: np.ndarray, start: int, stop: int) -> None:
    """Solve the entropy of each row for beta, in units in which the mean excess of the squared distances is 1."""
    excess = np.empty(distances.shape[1])
    for row in range(start, stop):
        count, total, nearest = 0, 0.0, 0
        least = np.float64(distances[row, 0])
        while count < len(excess) and distances[row, count] < np.inf:
            d = np.float64(distances[row, count])
            excess[count] = (d - least) * (d + least)
            total += excess[count]
            nearest += excess[count] == 0.0
            count += 1
        conditional[row, count:] = 0.0
        if math.log(nearest) >= target or total == 0.0:
            conditional[row, :nearest] = 1.0 / nearest
            conditional[row, nearest:] = 0.0
            continue
        excess[:count] *= count / total
        beta = _precision(excess[:count], target) if target < math.log(count) else 0.0
        total = 0.0
        for j in range(count):
            conditional[row, j] = math.exp(-beta * excess[j])
            total += conditional[row, j]
        conditional[row, :count] /= total


@njit(cache=True, nogil=True)
def _precision(excess: np.ndarray, target: float) -> float:
    """Find beta at which the entropy of exp(-beta excess) is ``target``: Newton in log beta inside a bracket."""
    low, high, beta = 0.0, np.inf, 1.0
    for _ in range(200):
        total, first, second = 0.0, 0.0, 0.0
        for e in excess:
            weight = math.exp(-beta * e)
            total += weight
            first += weight * e
            second += weight * e * e
        mean = first / total
        gap = math.log(total) + beta * mean - target
        if abs(gap) < 1e-11:
            break
        if gap > 0:
            low = beta
        else:
            high = beta
        # The entropy falls by beta^2 times the variance for each unit of log beta.
        slope = beta * beta * (second / total - mean * mean)
        step = gap / slope if slope > 0.0 else np.inf
        proposal = beta * math.exp(step) if abs(step) < 3.0 else -1.0
        if low < proposal < high:
            beta = proposal
        elif high == np.inf:
            beta = 8.0 * low
        else:
            beta = 0.5 * (low + high) if low > 0.0 else 0.125 * high
    return beta
