"""Tangent spaces of a cloud of points, by principal components of its neighbourhoods."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from holonomy._core.citations import references
from holonomy._core.parallel import native_threads
from holonomy._core.validation import Points, check_float, check_int, check_option, check_points
from holonomy.graphs._blocks import run_blocks
from holonomy.graphs._signs import orient
from holonomy.graphs._sparse import check_graph
from holonomy.graphs.neighbor_graph import NeighborGraph

CHUNK_BYTES = 2**21
"""Memory for the neighbourhoods worked on at once in each thread: what stays in the cache of a core."""


@dataclass(frozen=True, eq=False)
class TangentSpaces:
    """An orthonormal frame of the data's tangent space at every point.

    Attributes
    ----------
    bases : ndarray, shape (n, d, m)
        ``bases[i, :, j]`` is the j-th tangent vector at point i, by falling variance; columns from ``dims[i]`` on
        are zero. Vectors of equal variance are an arbitrary basis of their span; each vector's entry of largest
        magnitude is positive. In the precision of the points.
    variances : ndarray of float64, shape (n, min(k, d))
        Variance of the neighbourhood along each principal direction, falling, in squared units of the data.
    dims : ndarray of int64, shape (n,)
        Dimension of each tangent space.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import neighbors, tangent_spaces
    >>> line = np.outer(np.arange(20.0), [0.6, 0.8])
    >>> spaces = tangent_spaces(line, neighbors(line, 4))
    >>> int(spaces.dims.max()), spaces.bases[5, :, 0].round(3).tolist()
    (1, [0.6, 0.8])
    """

    bases: np.ndarray
    variances: np.ndarray
    dims: np.ndarray


@references("singer2012vector")
def tangent_spaces(
    X: Points,
    graph: NeighborGraph,
    dim: int | None = None,
    *,
    explained: float = 0.95,
    weights: str = "uniform",
) -> TangentSpaces:
    """Fit a tangent space to each point's neighbourhood by principal component analysis.

    A neighbourhood is the point and its neighbours at finite distance, about their (weighted) mean.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Points.
    graph : NeighborGraph
        Their k nearest neighbours. Curvature biases large neighbourhoods, noise small ones.
    dim : int, optional
        Dimension of all tangent spaces, in [1, min(k, d)]; by default each point's own, the fewest directions that
        explain the share ``explained`` of the neighbourhood's variance (0 where all its points coincide).
    explained : float, default 0.95
        In (0, 1]; only used when ``dim`` is not given.
    weights : {"uniform", "gaussian"}, default "uniform"
        Whether neighbours count alike, or by ``exp(-d^2 / (2 s^2))`` with s the median distance in the list.

    Returns
    -------
    TangentSpaces
        Bases, variances and dimensions. Where a neighbourhood spans fewer than ``dim`` directions, the
        remaining vectors complete the basis arbitrarily; their variances are 0 up to rounding.

    Raises
    ------
    TypeError, ValueError
        If ``X`` is not a finite matrix with the graph's number of points, or a parameter is out of range.

    References
    ----------
    Singer, Wu (2012). Vector diffusion maps and the connection Laplacian. Communications on Pure and Applied
    Mathematics 65, 1067-1144.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import NeighborGraph, tangent_spaces
    >>> line = np.column_stack([np.arange(4.0), np.zeros(4)])
    >>> graph = NeighborGraph(np.array([[1, 2], [0, 2], [1, 3], [2, 1]]), np.array([[1.0, 2], [1, 1], [1, 1], [1, 2]]))
    >>> tangent_spaces(line, graph, dim=1).bases[:, :, 0].tolist()
    [[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]
    """
    points = check_points(X)
    check_graph(graph)
    if len(points) != graph.n_points:
        raise ValueError(f"X must hold the {graph.n_points} points of graph, got {len(points)} rows.")
    rank = min(graph.n_neighbors, points.shape[1])
    fixed = None if dim is None else check_int(dim, "dim", minimum=1, maximum=rank)
    share = check_float(explained, "explained", minimum=0.0, maximum=1.0)
    if share == 0.0:
        raise ValueError("explained must be positive, got 0.")
    check_option(weights, "weights", ("uniform", "gaussian"))

    def choose(variances: np.ndarray) -> np.ndarray:
        return _explaining(variances, share) if fixed is None else np.full(len(variances), fixed)

    n, d = points.shape
    variances = np.empty((n, rank))
    dims = np.empty(n, dtype=np.int64)
    frames: dict[int, np.ndarray] = {}

    def fit(start: int, stop: int) -> None:
        cloud = _neighbourhoods(points, graph, weights, start, stop)
        variances[start:stop], dims[start:stop], axes = _principal_axes(cloud, rank, choose)
        frames[start] = orient(axes, axis=1).astype(points.dtype, copy=False)

    with native_threads(1, user_api="blas"):
        run_blocks(fit, n, block=max(1, CHUNK_BYTES // (8 * d * (graph.n_neighbors + 1))))
    bases = np.zeros((n, d, dims.max()), dtype=points.dtype)
    for start in sorted(frames):
        frame = frames.pop(start)
        bases[start : start + len(frame), :, : frame.shape[2]] = frame
    bases *= np.arange(bases.shape[2]) < dims[:, None, None]
    return TangentSpaces(bases, variances, dims)


def _neighbourhoods(points: np.ndarray, graph: NeighborGraph, weights: str, start: int, stop: int) -> np.ndarray:
    """Return the weighted displacements of points and neighbours from their mean, shape (stop - start, k + 1, d)."""
    distances = graph.distances[start:stop].astype(np.float64)
    finite = np.isfinite(distances)
    shares = np.ones((stop - start, graph.n_neighbors + 1))
    shares[:, 1:] = _gaussian_weights(distances, finite) if weights == "gaussian" else finite
    shares /= shares.sum(axis=1, keepdims=True)
    own = points[start:stop, None].astype(np.float64)
    cloud = np.zeros((stop - start, graph.n_neighbors + 1, points.shape[1]))
    # Differences to the point itself first: neighbourhoods far from the origin lose no digits.
    cloud[:, 1:] = points[graph.indices[start:stop]] - own
    cloud -= np.einsum("bk,bkd->bd", shares, cloud)[:, None]
    cloud *= np.sqrt(shares)[:, :, None]
    return cloud


def _gaussian_weights(distances: np.ndarray, finite: np.ndarray) -> np.ndarray:
    counts = finite.sum(axis=1)
    rows = np.arange(len(distances))
    scales = distances[rows, np.maximum(counts - 1, 0) // 2][:, None]
    far = np.where(distances > 0, np.inf, 0.0)
    ratios = np.divide(distances, scales, out=far, where=finite & (scales > 0) & np.isfinite(scales))
    return np.exp(-0.5 * ratios**2)


def _principal_axes(
    cloud: np.ndarray, rank: int, choose: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return variances (b, rank), dimensions (b,) and axes (b, d, largest dimension) of each cloud (k + 1, d)."""
    tall = cloud.shape[1] >= cloud.shape[2]
    transposed = cloud.transpose(0, 2, 1)
    values, vectors = np.linalg.eigh(transposed @ cloud if tall else cloud @ transposed)
    variances = np.maximum(values[:, ::-1][:, :rank], 0.0)
    dims = choose(variances)
    m = int(dims.max())
    leading = vectors[:, :, ::-1][:, :, :m]
    if tall:
        return variances, dims, leading
    lengths = np.sqrt(variances[:, None, :m])
    axes = np.divide(transposed @ leading, lengths, out=np.zeros((*cloud.shape[::2], m)), where=lengths > 0)
    # Squaring halves the digits: short axes come from the cloud itself, and so do those that span nothing.
    needed = np.arange(m) < dims[:, None]
    short = np.flatnonzero((needed & (lengths[:, 0] <= 1e-4 * lengths[:, 0, :1])).any(axis=1))
    if len(short):
        axes[short] = np.linalg.svd(cloud[short], full_matrices=False)[2][:, :m].transpose(0, 2, 1)
    return variances, dims, axes


def _explaining(variances: np.ndarray, share: float) -> np.ndarray:
    """Return how many leading variances make up the share of each row's sum; 0 where the sum is 0."""
    sums = np.cumsum(variances, axis=1)
    totals = sums[:, -1:]
    missing = (sums < share * totals * (1.0 - 1e-12)).sum(axis=1)
    return np.where(totals[:, 0] > 0, missing + 1, 0)
