"""Neighbours at distinct places: what a dimension can be measured from when rows repeat."""

from dataclasses import dataclass

import numpy as np

from holonomy.graphs import NeighborGraph, connected_components

SQUARED_METRICS = ("sqeuclidean", "cosine", "correlation")
"""Metrics that grow with the square of a length, so that ratios of them would halve every dimension."""


@dataclass(frozen=True, eq=False)
class DistinctNeighbors:
    """The neighbour graph of m distinct places among n points.

    Attributes
    ----------
    indices : ndarray of int, shape (m, k)
        Neighbouring places, nearest first; meaningless where the distance is infinite.
    distances : ndarray of float64, shape (m, k)
        Positive and ascending; infinite where a place has fewer than k distinct neighbours among the listed ones.
    place : ndarray of int, shape (n,)
        The place of every point.
    """

    indices: np.ndarray
    distances: np.ndarray
    place: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Number of neighbours of each place, shape (m,)."""
        return np.isfinite(self.distances).sum(axis=1)

    def gather(self, values: np.ndarray) -> np.ndarray:
        """Sum values of places, shape (m,), over each place and its neighbours."""
        return values + np.where(np.isfinite(self.distances), values[self.indices], 0).sum(axis=1)

    def scatter(self, values: np.ndarray) -> np.ndarray:
        """Add each place's value to the place itself and to its neighbours: the transpose of `gather`."""
        listed = np.isfinite(self.distances)
        spread = np.broadcast_to(values[:, None], listed.shape)[listed]
        return values + np.bincount(self.indices[listed], weights=spread, minlength=len(values))


def distinct_neighbors(graph: NeighborGraph) -> DistinctNeighbors:
    """Merge points at distance zero into one place, and list every neighbouring place once.

    Raises
    ------
    ValueError
        If the metric of the graph does not measure lengths.
    """
    if graph.metric == "inner_product":
        raise ValueError(
            "graph has the metric 'inner_product', which measures no lengths; search with 'cosine' or 'euclidean'."
        )
    distances = graph.distances.astype(np.float64)
    if graph.metric in SQUARED_METRICS:
        distances = np.sqrt(distances)
    same = graph.distances == 0
    if not same.any():
        return DistinctNeighbors(graph.indices, distances, np.arange(graph.n_points))
    _, place = connected_components(NeighborGraph(graph.indices, np.where(same, 0.0, np.inf)))
    _, representative = np.unique(place, return_index=True)
    indices, distances = place[graph.indices[representative]], distances[representative]
    order = np.argsort(indices, axis=1, kind="stable")
    ordered = np.take_along_axis(indices, order, axis=1)
    repeated = np.zeros(indices.shape, dtype=bool)
    np.put_along_axis(repeated, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    distances[repeated | (indices == np.arange(len(indices))[:, None])] = np.inf
    order = np.argsort(distances, axis=1, kind="stable")
    return DistinctNeighbors(
        np.take_along_axis(indices, order, axis=1), np.take_along_axis(distances, order, axis=1), place
    )
