"""The largest connected part of data: what is said of a shape is said of it."""

import numpy as np

from holonomy.graphs import NeighborGraph
from holonomy.measure.components import Connectedness

MAIN_SHARE = 0.9
"""Share of the points in the largest part from which the other parts are outliers."""

FEWEST_IN_PART = 20
"""Points from which the dimension of a part is told."""

PARTS_TOLD = 5


def is_whole(parts: Connectedness) -> bool:
    """Whether the largest part is all there is, but for outliers."""
    return bool(parts.sizes[0] >= MAIN_SHARE * parts.sizes.sum())


def graph_of_main_part(graph: NeighborGraph, parts: Connectedness) -> NeighborGraph:
    """Return the neighbours within the largest part, whose points are numbered anew; no neighbour leaves a part."""
    if parts.is_connected:
        return graph
    inside = parts.labels == 0
    rows = np.flatnonzero(inside)
    number = np.zeros(graph.n_points, dtype=np.int64)
    number[rows] = np.arange(len(rows))
    indices, distances = number[graph.indices[rows]], graph.distances[rows]
    # What is listed at infinity is no neighbour and may lie anywhere, only not at the point itself.
    beyond = np.isinf(distances)
    indices[beyond] = np.broadcast_to((np.arange(len(rows)) + 1)[:, None] % len(rows), indices.shape)[beyond]
    return NeighborGraph(indices, distances, graph.metric, graph.method, graph.recall)


def dimensions_of_parts(parts: Connectedness, local_dimension: np.ndarray) -> list[float]:
    """Return the harmonic mean of the local dimension in each of the largest parts that have enough points."""
    found = []
    for part in range(min(parts.n_components, PARTS_TOLD)):
        local = local_dimension[parts.labels == part]
        local = local[np.isfinite(local)]
        if len(local) >= FEWEST_IN_PART:
            found.append(float(len(local) / np.sum(1 / local)))
    return found
