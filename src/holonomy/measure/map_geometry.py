"""Where a map stretches, squeezes and tears: its Riemannian metric at every point."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.validation import Points, check_float, check_int, check_points
from holonomy.graphs import NeighborGraph, adaptive, laplacian
from holonomy.graphs._sparse import check_affinity, check_graph, directed_csr
from holonomy.measure._distinct import SQUARED_METRICS
from holonomy.measure._inputs import check_same_length
from holonomy.measure._render import html_table, rich_table
from holonomy.measure.intrinsic_dimension import mle_dimension

TEAR = 5.0
"""Stretch of an edge, over that of the shorter edges around, from which it is torn."""


@dataclass(frozen=True, eq=False)
class MapMetric:
    """What a map does to lengths, angles and areas around every point.

    Attributes
    ----------
    dual : ndarray of shape (n, p, p)
        The dual (inverse) metric H in the map's coordinates: the inner products of their gradients on the data. An
        isometric map has the identity; a step of length one on the data in the direction that the map sends along u
        has length sqrt(u H u) on the map. NaN where all neighbours coincide with the point.
    stretches : ndarray of shape (n, p)
        Factors by which lengths grow along ``directions``, falling: roots of the eigenvalues of ``dual``. Those
        beyond the dimension of the data are 0.
    directions : ndarray of shape (n, p, p)
        Unit vectors on the map, one a column, largest stretch first.
    torn : ndarray of shape (n,)
        Share of each point's neighbours in the data that the map carries far off, in [0, 1]: by 5 times the stretch
        of the shorter edges around.
    scale : float
        Typical stretch: units of the map for one of the data (geometric mean).
    dimension : int
        Dimension of the data that the metric was measured with.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import neighbors
    >>> from holonomy.measure import map_metric
    >>> X = np.random.default_rng(0).random((2000, 2))
    >>> found = map_metric(X * [3.0, 1.0], neighbors(X, 15), dimension=2)
    >>> np.median(found.stretches, axis=0).round(1).tolist(), round(found.scale, 1)
    ([3.0, 1.0], 1.7)
    """

    dual: np.ndarray
    stretches: np.ndarray
    directions: np.ndarray
    torn: np.ndarray
    scale: float
    dimension: int

    @property
    def rank(self) -> int:
        """Directions of the data that the map can show: the lesser of its dimension and the data's."""
        return min(self.dimension, self.stretches.shape[1])

    @property
    def metric(self) -> np.ndarray:
        """The metric G of the data in the map's coordinates, (n, p, p): the pseudo-inverse of ``dual``.

        sqrt(v G v) is the length on the data of a short step v on the map along its leading directions.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = np.where(self.stretches > 0, self.stretches**-2.0, 0.0)
        return np.einsum("nij,nj,nkj->nik", self.directions, inverse, self.directions)

    @property
    def expansion(self) -> np.ndarray:
        """log2 of how much larger volumes are drawn here than is usual on this map, (n,): negative where squeezed."""
        with np.errstate(divide="ignore"):
            return np.log2(self.stretches[:, : self.rank] / self.scale).sum(axis=1)

    @property
    def anisotropy(self) -> np.ndarray:
        """How many times farther the most stretched direction is drawn than the least, (n,), at least 1."""
        with np.errstate(divide="ignore"):
            return self.stretches[:, 0] / self.stretches[:, self.rank - 1]

    @property
    def distortion(self) -> np.ndarray:
        """Distance of the metric from that of a similar map, (n,): root mean square of log stretch over scale.

        0 where lengths are drawn in scale; 0.7 where they are twice too long, or too short.
        """
        with np.errstate(divide="ignore"):
            logs = np.log(self.stretches[:, : self.rank] / self.scale)
        return np.sqrt(np.square(logs).mean(axis=1))

    def ellipses(self, radius: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return widths, heights (n,) and angles in degrees of what circles around the points become on a flat map.

        The circles have ``radius`` in units of the data; widths and heights are whole axes in units of the map, and
        angles turn the width's axis counter-clockwise from the first coordinate.

        Raises
        ------
        ValueError
            If the map has not two dimensions.
        """
        if self.stretches.shape[1] != 2:
            raise ValueError(f"ellipses are drawn on maps of two dimensions, and this has {self.stretches.shape[1]}.")
        length = 2 * check_float(radius, "radius", minimum=0.0)
        angles = np.degrees(np.arctan2(self.directions[:, 1, 0], self.directions[:, 0, 0])) % 180.0
        return length * self.stretches[:, 0], length * self.stretches[:, 1], angles

    def _facts(self) -> dict[str, str]:
        low, high = np.nanquantile(self.expansion, [0.05, 0.95])
        return {
            "typical stretch": f"{self.scale:.3g}",
            "volumes, 90 % of points": f"{2**low:.2f} to {2**high:.2f} times the usual",
            "most over least stretched direction": f"{np.nanmedian(self.anisotropy):.2f} (median)",
            "distortion": f"{np.nanmedian(self.distortion):.2f} (median)",
            "points with torn neighbourhoods": f"{100 * np.mean(self.torn > 0):.1f} %",
            "dimension of the data": f"{self.dimension}",
        }

    def _repr_html_(self) -> str:
        return html_table("Metric of the map", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Metric of the map", self._facts())


@references("perraultjoncas2013nonlinear")
def map_metric(
    Z: Points, graph: NeighborGraph, *, dimension: int | None = None, affinity: Any = None, alpha: float = 1.0
) -> MapMetric:
    """Measure the Riemannian metric that a map carries over from the data.

    The dual metric comes from the graph Laplacian L of the data, H_ij = (L z_i z_j - z_i L z_j - z_j L z_i) / 2, which
    is a weighted covariance of the steps to the neighbours: no coordinates of the data are needed. Its unit is set at
    every point by what the same walk does to lengths on the data, so that density, edges of the data and the cut-off
    of neighbourhoods change little.

    Parameters
    ----------
    Z : array-like of shape (n, p)
        The map.
    graph : NeighborGraph
        Neighbours in the data, with their distances. Squared metrics (cosine, correlation, sqeuclidean) are turned
        into lengths.
    dimension : int, optional
        Dimension of the data; by default by maximum likelihood, rounded.
    affinity : sparse array of shape (n, n), optional
        Symmetric weights on the edges of the graph; by default Gaussian with the bandwidth adapted to each point.
    alpha : float, default 1.0
        How much of the density to divide out of the Laplacian, in [0, 1].

    Returns
    -------
    MapMetric

    Raises
    ------
    ValueError
        On NaN, another number of points, weights off the edges of the graph, or a graph that measures no lengths.

    References
    ----------
    Perrault-Joncas, Meila (2013), Non-linear dimensionality reduction: Riemannian metric estimation and the problem of
    geometric discovery.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import neighbors
    >>> from holonomy.measure import map_metric
    >>> sheet = np.random.default_rng(0).random((1000, 2))
    >>> float(np.median(map_metric(5 * sheet, neighbors(sheet, 15), dimension=2).distortion)) < 0.2
    True
    """
    image = check_points(Z, name="Z").astype(np.float64)
    check_graph(graph)
    check_same_length(len(image), graph.n_points, "Z", "graph")
    if graph.metric == "inner_product":
        raise ValueError("graph has the metric 'inner_product', which measures no lengths; search with 'euclidean'.")
    m = (
        max(1, round(float(mle_dimension(graph))))
        if dimension is None
        else check_int(dimension, "dimension", minimum=1)
    )
    walk, lengths = _walk_and_lengths(graph, affinity, alpha)
    dual = _covariances(walk, lengths, image, m)
    rank = min(m, image.shape[1])
    stretches, directions = _axes(dual, rank)
    logs = np.log(stretches[:, :rank], where=stretches[:, :rank] > 0, out=np.full((len(image), rank), np.nan))
    scale = float(np.exp(np.nanmean(logs))) if np.isfinite(logs).any() else 0.0
    return MapMetric(dual, stretches, directions, _torn(image, graph), scale, m)


def _lengths(graph: NeighborGraph) -> np.ndarray:
    distances = graph.distances.astype(np.float64)
    return np.sqrt(distances) if graph.metric in SQUARED_METRICS else distances


def _walk_and_lengths(graph: NeighborGraph, affinity: Any, alpha: float) -> tuple[sparse.csr_array, np.ndarray]:
    """Return the random walk on the edges of the graph, row sums 1, and the length of each of its entries."""
    weights = adaptive(graph, neighbor=min(7, graph.n_neighbors)) if affinity is None else check_affinity(affinity)
    check_same_length(weights.shape[0], graph.n_points, "affinity", "graph")
    entries = laplacian(weights, "random_walk", alpha=alpha).tocoo()
    aside = entries.row != entries.col
    walk = sparse.csr_array((-entries.data[aside], (entries.row[aside], entries.col[aside])), shape=entries.shape)
    walk.sort_indices()
    # Shifted by one, so that edges between equal points stay apart from missing ones.
    edges = directed_csr(graph, _lengths(graph) + 1.0)
    known = edges.maximum(edges.T).tocsr()
    pattern = sparse.csr_array((np.ones(walk.nnz), walk.indices, walk.indptr), shape=walk.shape)
    on_walk = known.multiply(pattern).tocsr()
    on_walk.sort_indices()
    if on_walk.nnz != walk.nnz:
        raise ValueError("affinity must have weights on edges of graph only, whose lengths are known.")
    return walk, on_walk.data - 1.0


def _covariances(walk: sparse.csr_array, lengths: np.ndarray, image: np.ndarray, m: int) -> np.ndarray:
    """Return m E[dz dz^T] / E[length^2] over a step of the walk from each point."""
    n, p = image.shape
    starts = np.repeat(np.arange(n), np.diff(walk.indptr))
    steps = image[walk.indices] - image[starts]
    squares = np.bincount(starts, walk.data * lengths**2, n)
    dual = np.full((n, p, p), np.nan)
    for i in range(p):
        for j in range(i, p):
            moments = np.bincount(starts, walk.data * steps[:, i] * steps[:, j], n)
            value = np.divide(m * moments, squares, out=np.full(n, np.nan), where=squares > 0)
            dual[:, i, j] = dual[:, j, i] = value
    return dual


def _axes(dual: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
    told = np.isfinite(dual).all(axis=(1, 2))
    stretches, directions = np.full(dual.shape[:2], np.nan), np.full(dual.shape, np.nan)
    values, vectors = np.linalg.eigh(dual[told])
    stretches[told] = np.sqrt(np.maximum(values[:, ::-1], 0.0))
    stretches[told, rank:] = 0.0
    directions[told] = vectors[:, :, ::-1]
    return stretches, directions


def _torn(image: np.ndarray, graph: NeighborGraph) -> np.ndarray:
    lengths = _lengths(graph)
    on_map = np.linalg.norm(image[graph.indices] - image[:, None], axis=2)
    told = np.isfinite(lengths) & (lengths > 0)
    ratios = np.divide(on_map, lengths, out=np.full(lengths.shape, np.nan), where=told)
    some = told.any(axis=1)
    usual = np.zeros(len(image))
    # Half of the edges of a point at a cut may be torn, hardly ever three quarters.
    usual[some] = np.nanquantile(ratios[some], 0.25, axis=1)
    far = told & (np.nan_to_num(ratios) > TEAR * usual[:, None])
    return far.sum(axis=1) / np.maximum(told.sum(axis=1), 1)
