"""Is the data a tree, an open curve or a closed one? What geodesics tell of it."""

from dataclasses import dataclass

import numpy as np

from holonomy._core.random import generator
from holonomy.graphs import NeighborGraph, connected_components, geodesics, neighbors
from holonomy.measure.estimate import Estimate
from holonomy.measure.hyperbolicity import Hyperbolicity, delta_hyperbolicity

SAMPLE = 2000
"""Points whose graph is walked, of more."""

LANDMARKS = 100
FEWEST_POINTS = 30

TREE_LIKE = 0.018
"""Mean delta over mean distance up to which geodesics are those of a tree; flat clouds have about 0.1."""

LOOPED = 0.06
"""Mean delta over mean distance from which a curve has loops; a circle has 0.125."""

OFF_PATH = 0.05
"""Distance from the longest geodesic, over its length, from which a point is beside it."""

BRANCHING_SHARE = 0.1
"""Share of points beside the longest geodesic from which a tree has branches."""


@dataclass(frozen=True)
class Branching:
    """How like a tree the largest connected part is.

    Attributes
    ----------
    delta : Estimate
        Mean delta of quadruples over the mean geodesic distance.
    relative_delta : float
        2 delta / diameter over the landmarks.
    off_path : float
        Share of points that lie beside the longest geodesic.
    """

    delta: Estimate
    relative_delta: float
    off_path: float

    @property
    def is_tree(self) -> bool:
        """Whether geodesics are those of a tree with branches."""
        return self.delta.value <= TREE_LIKE and self.off_path >= BRANCHING_SHARE

    @property
    def is_path(self) -> bool:
        """Whether geodesics are those of a line: all points lie along one of them."""
        return self.delta.value <= TREE_LIKE and self.off_path < BRANCHING_SHARE

    @property
    def has_loops(self) -> bool:
        """Whether a curve with such geodesics is closed somewhere."""
        return self.delta.value >= LOOPED


def measure_branching(points: np.ndarray, n_neighbors: int, seed: int) -> Branching | None:
    """Measure the geodesics of points of one part, in a sample of up to 2,000; None where there are too few."""
    draws = generator(seed, "branching")
    if len(points) > SAMPLE:
        points = points[np.sort(draws.choice(len(points), SAMPLE, replace=False))]
    if len(points) < FEWEST_POINTS:
        return None
    graph = neighbors(points, min(n_neighbors, len(points) - 1))
    _, labels = connected_components(graph)
    inside = np.flatnonzero(labels == 0)
    if len(inside) < FEWEST_POINTS:
        return None
    landmarks = np.sort(draws.choice(inside, min(LANDMARKS, len(inside)), replace=False))
    distances = geodesics(graph, landmarks, connect="inf")[:, landmarks]
    distances = (distances + distances.T) / 2
    if distances.max() == 0:
        return None
    found: Hyperbolicity = delta_hyperbolicity(distances, metric="precomputed", random_state=seed)
    return Branching(found.mean_relative, found.relative.value, _share_off_path(graph, landmarks, distances, inside))


def _share_off_path(graph: NeighborGraph, landmarks: np.ndarray, distances: np.ndarray, inside: np.ndarray) -> float:
    """Return the share of points beside the longest geodesic between landmarks, stretched to its farthest end.

    On a tree, a point's distance to the path between two others is half of what the detour over it costs.
    """
    start = landmarks[np.unravel_index(distances.argmax(), distances.shape)[0]]
    first = geodesics(graph, [start], connect="inf")[0]
    end = inside[first[inside].argmax()]
    second = geodesics(graph, [end], connect="inf")[0]
    length = first[end]
    beside = (first[inside] + second[inside] - length) / 2
    return float(np.mean(beside > OFF_PATH * length))
