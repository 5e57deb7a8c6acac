"""Landmarks spread over a graph, each as far as possible from those before it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from holonomy._core.citations import references
from holonomy._core.validation import Points, check_int
from holonomy.graphs._dijkstra import both_ways, distances_from
from holonomy.graphs.neighbor_graph import NeighborGraph
from holonomy.graphs.shortest_paths import connected_lengths, extend_geodesics


@dataclass(frozen=True, eq=False)
class GeodesicLandmarks:
    """Points spread over a graph, and the distances of all points from them.

    Attributes
    ----------
    indices : ndarray of int64, shape (m,)
        The landmarks, in the order chosen: the first j are a good choice of j landmarks, for every j.
    distances : ndarray of float64, shape (m, n)
        Lengths of the shortest paths from each landmark to all points.
    gaps : ndarray of float64, shape (m,)
        Distance of each landmark from those before it, never growing; infinite for the first, and for the first of
        each further component.
    radius : float
        Largest distance of a point from its nearest landmark. No m balls of half this radius cover all points.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import farthest_points, neighbors
    >>> found = farthest_points(neighbors(np.arange(5.0)[:, None], 2), 3)
    >>> found.indices.tolist(), found.radius, found.extend([[4]], [[0.5]]).tolist()
    ([4, 0, 2], 1.0, [[0.5, 4.5, 2.5]])
    """

    indices: np.ndarray
    distances: np.ndarray
    gaps: np.ndarray
    radius: float

    def extend(self, indices: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Return distances (q, m) of new rows from the landmarks, given their neighbours; see `extend_geodesics`."""
        return extend_geodesics(indices, distances, self.distances)


@references("gonzalez1985clustering")
def farthest_points(
    graph: NeighborGraph | Any,
    n_landmarks: int,
    *,
    start: int | None = None,
    connect: str = "error",
    X: Points = None,
) -> GeodesicLandmarks:
    """Choose landmarks one by one, each the point farthest from all before it along the graph.

    Parameters
    ----------
    graph : NeighborGraph or sparse array of shape (n, n)
        As in `geodesics`.
    n_landmarks : int
        Number of landmarks m, in [1, n]. There are fewer where all points coincide with a landmark. Memory is
        8 m n bytes.
    start : int, optional
        The first landmark; by default the point farthest from point 0, at one end of the data. Of equally far points
        that of lowest index is taken.
    connect : {"error", "inf", "nearest"}, default "error"
        As in `geodesics`. With "inf", every component gets a landmark before any gets its second.
    X : array-like of shape (n, d), optional
        The points the graph was made of; for ``connect="nearest"`` only.

    Returns
    -------
    GeodesicLandmarks
        Landmarks, all distances from them, and how well they cover the points.

    Raises
    ------
    TypeError, ValueError
        As `geodesics`.

    References
    ----------
    Gonzalez (1985). Clustering to minimize the maximum intercluster distance. Theoretical Computer Science 38, 293-306.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import farthest_points, neighbors
    >>> farthest_points(neighbors(np.arange(9.0)[:, None], 2), 3, start=0).indices.tolist()
    [0, 8, 4]
    """
    lengths = connected_lengths(graph, connect, X)
    n = lengths.shape[0]
    count = check_int(n_landmarks, "n_landmarks", minimum=1, maximum=n)
    edges = both_ways(lengths)
    if start is None:
        from_first = distances_from(edges, np.array([0]))[0][0]
        chosen = int(np.argmax(np.where(np.isfinite(from_first), from_first, -1.0)))
    else:
        chosen = check_int(start, "start", minimum=0, maximum=n - 1)
    indices: list[int] = []
    rows: list[np.ndarray] = []
    gaps: list[float] = []
    nearest = np.full(n, np.inf)
    while len(indices) < count and (not indices or nearest[chosen] > 0):
        gaps.append(nearest[chosen])
        indices.append(chosen)
        rows.append(distances_from(edges, np.array([chosen]))[0][0])
        np.minimum(nearest, rows[-1], out=nearest)
        chosen = int(np.argmax(nearest))
    return GeodesicLandmarks(np.array(indices), np.stack(rows), np.array(gaps), float(nearest.max()))
