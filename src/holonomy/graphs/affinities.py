"""Affinities by a kernel of the distance: how alike two neighbours are."""

from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.graphs._sparse import check_graph, directed_csr, symmetrize
from holonomy.graphs.neighbor_graph import NeighborGraph

SYMMETRIZATIONS: dict[str, dict[str, Any]] = {
    "mean": {"sum_weight": 0.5, "product_weight": 0.0},
    "product": {"sum_weight": 0.0, "product_weight": 1.0},
    "max": {"largest": True},
}


def gaussian(graph: NeighborGraph, bandwidth: float | str = "median") -> sparse.csr_array:
    """Weigh neighbours by ``exp(-d^2 / (2 bandwidth^2))``, one bandwidth for all.

    Parameters
    ----------
    graph : NeighborGraph
        The k nearest neighbours of n points; an edge is kept if either end lists it.
    bandwidth : float or "median", default "median"
        In units of the distance, > 0; by default the median of the neighbours' distances that are not 0.

    Returns
    -------
    csr_array of float64, shape (n, n)
        Symmetric, in (0, 1], sorted, without diagonal; weights too small for a float64 are not stored.

    Raises
    ------
    TypeError, ValueError
        If ``graph`` is not a NeighborGraph, lists a neighbour twice, or ``bandwidth`` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import NeighborGraph, gaussian
    >>> graph = NeighborGraph(np.array([[1], [0], [1]]), np.array([[1.0], [1.0], [2.0]]))
    >>> gaussian(graph, bandwidth=1.0).toarray().round(3)
    array([[0.   , 0.607, 0.   ],
           [0.607, 0.   , 0.135],
           [0.   , 0.135, 0.   ]])
    """
    distances = check_graph(graph).distances.astype(np.float64)
    if isinstance(bandwidth, str):
        check_option(bandwidth, "bandwidth", ("median",))
        scale = _typical(distances)
    else:
        scale = _positive(bandwidth, "bandwidth")
    weights = np.exp(-0.5 * (distances / scale) ** 2)
    return symmetrize(directed_csr(graph, weights), largest=True)


@references("zelnik2004self")
def adaptive(graph: NeighborGraph, *, neighbor: int = 7) -> sparse.csr_array:
    """Weigh neighbours by ``exp(-d_ij^2 / (s_i s_j))``, with a scale s for each point: self-tuning affinities.

    Parameters
    ----------
    graph : NeighborGraph
        The k nearest neighbours of n points; an edge is kept if either end lists it.
    neighbor : int, default 7
        A point's scale is the distance to this neighbour, in [1, k]. Where that is 0, the first positive distance
        of the point takes its place, or, if all its neighbours are duplicates, the median scale of the others.

    Returns
    -------
    csr_array of float64, shape (n, n)
        Symmetric, in (0, 1], sorted, without diagonal. Does not change when all distances are scaled.

    Raises
    ------
    TypeError, ValueError
        If ``graph`` is not a NeighborGraph, lists a neighbour twice, or has fewer neighbours than ``neighbor``.

    References
    ----------
    Zelnik-Manor, Perona (2004). Self-tuning spectral clustering. Advances in Neural Information Processing 17.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import NeighborGraph, adaptive
    >>> graph = NeighborGraph(np.array([[1], [0], [1]]), np.array([[1.0], [1.0], [2.0]]))
    >>> adaptive(graph, neighbor=1).toarray().round(3)
    array([[0.   , 0.368, 0.   ],
           [0.368, 0.   , 0.135],
           [0.   , 0.135, 0.   ]])
    """
    scales = local_scales(graph, neighbor)
    distances = graph.distances.astype(np.float64)
    weights = np.exp(-(distances / scales[:, None]) * (distances / scales[graph.indices]))
    return symmetrize(directed_csr(graph, weights), largest=True)


@references("moon2019visualizing")
def alpha_decay(
    graph: NeighborGraph,
    *,
    neighbor: int = 5,
    decay: float = 40.0,
    threshold: float = 1e-4,
    symmetrization: str = "mean",
) -> sparse.csr_array:
    """Weigh neighbours by ``exp(-(d_ij / s_i)^decay)``: PHATE's kernel, nearly flat and then falling steeply.

    Parameters
    ----------
    graph : NeighborGraph
        The k nearest neighbours of n points. Take k well above ``neighbor`` (three times, say), so that the
        kernel and not the end of the list decides where a neighbourhood stops.
    neighbor : int, default 5
        A point's scale s is the distance to this neighbour, in [1, k]; duplicates as in :func:`adaptive`.
    decay : float, default 40.0
        Steepness > 0: 2 is a Gaussian, large values a disc.
    threshold : float, default 1e-4
        Weights below this, in [0, 1), are dropped before the two directions are combined.
    symmetrization : {"mean", "product", "max"}, default "mean"
        How the two directions of an edge combine; "product" keeps mutual neighbours only.

    Returns
    -------
    csr_array of float64, shape (n, n)
        Symmetric, in (0, 1], sorted, without diagonal; PHATE's own kernel adds the identity.

    Raises
    ------
    TypeError, ValueError
        If ``graph`` is not a NeighborGraph, lists a neighbour twice, or a parameter is out of range.

    References
    ----------
    Moon et al. (2019). Visualizing structure and transitions in high-dimensional biological data. Nature
    Biotechnology 37, 1482-1492.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import NeighborGraph, alpha_decay
    >>> graph = NeighborGraph(np.array([[1, 2], [0, 2], [1, 0]]), np.array([[1.0, 3], [1, 2], [2, 3]]))
    >>> alpha_decay(graph, neighbor=1, decay=2).toarray().round(3)
    array([[0.   , 0.368, 0.053],
           [0.368, 0.   , 0.193],
           [0.053, 0.193, 0.   ]])
    """
    exponent = _positive(decay, "decay")
    smallest = check_float(threshold, "threshold", minimum=0.0)
    if smallest >= 1.0:
        raise ValueError(f"threshold must be below 1, the weight of a duplicate, got {smallest}.")
    rule = SYMMETRIZATIONS[check_option(symmetrization, "symmetrization", SYMMETRIZATIONS)]
    scales = local_scales(graph, neighbor)
    with np.errstate(over="ignore"):  # a power that overflows is a weight of 0
        weights = np.exp(-((graph.distances / scales[:, None]) ** exponent))
    weights[weights < smallest] = 0.0
    return symmetrize(directed_csr(graph, weights), **rule)


def _positive(value: float, name: str) -> float:
    checked = check_float(value, name, minimum=0.0)
    if checked == 0.0:
        raise ValueError(f"{name} must be positive, got 0.")
    return checked


def _typical(distances: np.ndarray) -> float:
    """Return the median of the positive finite distances; 1 if there are none, as then no weight depends on it."""
    apart = distances[(distances > 0) & np.isfinite(distances)]
    return float(np.median(apart)) if len(apart) else 1.0


def local_scales(graph: NeighborGraph, neighbor: int) -> np.ndarray:
    """Return each point's distance to the given neighbour as float64, positive and finite."""
    check_graph(graph)
    rank = check_int(neighbor, "neighbor", minimum=1)
    if rank > graph.n_neighbors:
        raise ValueError(
            f"neighbor={rank} asks for the distance to neighbour {rank}, but graph lists only {graph.n_neighbors}; "
            "build it with more neighbours or lower neighbor."
        )
    scales = row_scales(graph.distances, rank)
    usable = np.isfinite(scales)
    scales[~usable] = _typical(scales)
    return scales


def row_scales(distances: np.ndarray, rank: int) -> np.ndarray:
    """Return each row's distance of the given rank; where that is 0 its first positive one, infinite if it has none."""
    distances = distances.astype(np.float64)
    finite = np.isfinite(distances)
    last = np.maximum(np.minimum(finite.sum(axis=1), rank) - 1, 0)
    first_apart = np.argmax((distances > 0) & finite, axis=1)
    rows = np.arange(len(distances))
    scales = np.where(distances[rows, last] > 0, distances[rows, last], distances[rows, first_apart])
    return np.where(scales > 0, scales, np.inf)
