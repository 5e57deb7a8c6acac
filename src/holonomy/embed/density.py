"""Density: local radii of data and maps, and the force that makes the ones follow the others (densMAP)."""

from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.validation import check_float, check_int, check_points
from holonomy.embed._density_kernels import follow_density, sum_radii
from holonomy.embed.layout import LayoutOptions, edge_rates, prune
from holonomy.graphs import NeighborGraph, fuzzy_simplicial_set, neighbors

SMALLEST_RADIUS = 1e-8
"""Added to squared radii before their logarithm is taken."""


@references("narayan2021densmap")
def log_radii(graph: sparse.csr_array, knn: NeighborGraph) -> np.ndarray:
    """Measure how far the neighbours of every point are: the logarithm of their weighted mean squared distance.

    Parameters
    ----------
    graph : csr_array of shape (n, n)
        Memberships.
    knn : NeighborGraph
        The neighbours they came from. Edges of ``graph`` that it does not hold do not count.

    Returns
    -------
    ndarray of float32, shape (n,)
        log(sum_j w_ij d_ij^2 / sum_j w_ij); NaN for points without edges.

    Raises
    ------
    ValueError
        If the numbers of points differ.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import log_radii
    >>> from holonomy.graphs import fuzzy_simplicial_set, neighbors
    >>> X = np.random.default_rng(0).normal(size=(100, 2)) * np.repeat([[1], [10]], 50, axis=0)
    >>> knn = neighbors(X, 10)
    >>> radii = log_radii(fuzzy_simplicial_set(knn), knn)
    >>> bool(radii[50:].mean() - radii[:50].mean() > np.log(10))
    True

    References
    ----------
    Narayan, Berger, Cho (2021). Assessing single-cell transcriptomic variability through density-preserving data
    visualization. Nature Biotechnology 39, 765-774.
    """
    n = graph.shape[0]
    if knn.n_points != n:
        raise ValueError(f"graph and knn must be of the same points, got {n} and {knn.n_points}.")
    squared = _edge_distances(graph, knn) ** 2
    rows = np.repeat(np.arange(n), np.diff(graph.indptr))
    weights = np.where(np.isnan(squared), 0.0, graph.data)
    mass = np.bincount(rows, weights, minlength=n)
    total = np.bincount(rows, weights * np.nan_to_num(squared), minlength=n)
    mean = np.divide(total, mass, out=np.full(n, np.nan), where=mass > 0)
    return np.log(SMALLEST_RADIUS + mean).astype(np.float32)


def map_log_radii(positions: np.ndarray, n_neighbors: int = 14) -> np.ndarray:
    """Measure the log radii of a map as those of data, from its own neighbours.

    Parameters
    ----------
    positions : ndarray of shape (n, dim)
        The map; rows of NaN are no points of it.
    n_neighbors : int, default 14
        Neighbours of each point, the point itself not counted.

    Returns
    -------
    ndarray of float32, shape (n,)
        NaN where the map is.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import map_log_radii
    >>> grid = np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), axis=-1).reshape(-1, 2)
    >>> bool(np.allclose(map_log_radii(10 * grid) - map_log_radii(grid), 2 * np.log(10), atol=1e-3))
    True
    """
    k = check_int(n_neighbors, "n_neighbors", minimum=1)
    radii = np.full(len(positions), np.nan, dtype=np.float32)
    placed = np.isfinite(positions[:, 0])
    knn = neighbors(check_points(positions[placed], name="positions"), min(k, placed.sum() - 1))
    radii[placed] = log_radii(fuzzy_simplicial_set(knn), knn)
    return radii


def _edge_distances(graph: sparse.csr_array, knn: NeighborGraph) -> np.ndarray:
    """Distance of the ends of every edge, shape (nnz,); NaN where neither lists the other."""
    n, k = knn.indices.shape
    finite = np.isfinite(knn.distances).ravel()
    rows = np.repeat(np.arange(n, dtype=np.int64), k)[finite]
    columns, distances = knn.indices.ravel()[finite].astype(np.int64), knn.distances.ravel()[finite]
    known = np.concatenate([rows * n + columns, columns * n + rows])
    order = np.argsort(known, kind="stable")
    known, distances = known[order], np.concatenate([distances, distances])[order].astype(np.float64)
    wanted = np.repeat(np.arange(n, dtype=np.int64), np.diff(graph.indptr)) * n + graph.indices
    place = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
    if len(known) == 0:
        return np.full(len(wanted), np.nan)
    return np.where(known[place] == wanted, distances[place], np.nan)


class DensityForce:
    """The force of densMAP: it raises the correlation between the log radii of data and map.

    An instance is an ``extra`` of `optimize_layout`. Its objective is
    ``strength * Cov(r, R) / sqrt(Var(r) + var_shift)``, with r the log radii of the map and R those of the data,
    standardised.

    Parameters
    ----------
    graph : csr_array of shape (n, n)
        The graph that is laid out.
    radii : ndarray of shape (n,)
        Log radii of the data, as `log_radii` measures them; points where they are NaN are left alone.
    options : LayoutOptions
        Those of the layout.
    strength : float, default 2.0
        Weight of the correlation beside the cross-entropy, >= 0; umap-learn's ``dens_lambda``.
    fraction : float, default 0.3
        Share of the epochs, the last ones, in which the force acts, in [0, 1].
    var_shift : float, default 0.1
        Added to the variance of the map's log radii, >= 0, so that uniform density does not make the force infinite.

    Raises
    ------
    ValueError
        If a parameter is out of range, or graph and radii are of different points.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import DensityForce, LayoutOptions, log_radii, optimize_layout
    >>> from holonomy.graphs import fuzzy_simplicial_set, neighbors
    >>> X = np.random.default_rng(0).normal(size=(80, 3))
    >>> knn = neighbors(X, 8)
    >>> graph, options = fuzzy_simplicial_set(knn), LayoutOptions(1.58, 0.9, n_epochs=60)
    >>> force = DensityForce(graph, log_radii(graph, knn), options)
    >>> optimize_layout(graph, X[:, :2], options, random_state=0, extra=force).shape
    (80, 2)

    References
    ----------
    Narayan, Berger, Cho (2021). Assessing single-cell transcriptomic variability through density-preserving data
    visualization. Nature Biotechnology 39, 765-774.
    """

    _references = ("narayan2021densmap",)

    def __init__(
        self,
        graph: sparse.csr_array,
        radii: np.ndarray,
        options: LayoutOptions,
        *,
        strength: float = 2.0,
        fraction: float = 0.3,
        var_shift: float = 0.1,
    ) -> None:
        if len(radii) != graph.shape[0]:
            raise ValueError(f"graph and radii must be of the same points, got {graph.shape[0]} and {len(radii)}.")
        self._strength = check_float(strength, "dens_lambda", minimum=0.0)
        last = check_float(fraction, "dens_frac", minimum=0.0, maximum=1.0)
        self._var_shift = check_float(var_shift, "dens_var_shift", minimum=0.0)
        self._first_epoch = round((1.0 - last) * options.n_epochs)
        self._curve = (options.a, options.b)
        strongest = float(graph.data.max(initial=0.0))
        edges = prune(graph, strongest / options.n_epochs)
        self._edges: tuple[Any, ...] = (edges.indptr, edges.indices)
        self._sampled: tuple[Any, ...] = (edges.data.astype(np.float64), edge_rates(edges, strongest))
        values = np.asarray(radii, dtype=np.float64)
        spread = np.nanstd(values)
        self._radii = np.nan_to_num((values - np.nanmean(values)) / (spread if spread > 0 else 1.0))
        self._lock = Lock()
        self._places: np.ndarray | None = None
        self._masses, self._means = np.empty(len(values)), np.empty(len(values))

    def __call__(
        self, epoch: int, step: float, rows: slice, wait: Callable[[], object], positions: Any, moved: Any
    ) -> None:
        """Add the moves of one epoch to ``moved[rows]``."""
        if self._strength == 0 or epoch < self._first_epoch:
            return
        # Radii count after the pushes, which undo what the pulls contract.
        places = self._places_like(positions)
        places[rows] = moved[rows]
        wait()
        span = (rows.start, rows.stop)
        measured = (places, *self._edges, *self._curve, self._masses, self._means, *span)
        sum_radii(*measured)
        wait()
        urges, masses, strength = self._urges()
        sampled = (*self._edges, *self._sampled, epoch, 2.0 * step)
        follow_density(*(places, moved, *sampled, *self._curve, masses, self._means, urges, strength, *span))

    def _places_like(self, positions: np.ndarray) -> np.ndarray:
        """Return room for the positions of all points, the same for all threads."""
        with self._lock:
            if self._places is None:
                self._places = np.empty_like(positions)
            return self._places

    def _urges(self) -> tuple[np.ndarray, np.ndarray, float]:
        """How much the correlation gains by a larger log radius of each point, up to a factor, and that factor."""
        n = len(self._means)
        logs = np.log(SMALLEST_RADIUS + self._means)
        deviation = max(float(np.sqrt(logs.var() + self._var_shift)), 1e-12)
        covariance = float(np.sum(logs * self._radii)) / max(n - 1, 1)
        urges = self._radii - covariance * (logs - logs.mean()) / deviation**2
        has_edges = self._masses > 0
        strength = self._strength * float(self._sampled[0].sum()) / (deviation * n)
        return np.where(has_edges, urges, 0.0), np.where(has_edges, self._masses, 1.0), strength
