from collections.abc import Callable

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from holonomy.graphs import NeighborGraph


@pytest.fixture
def knn() -> Callable[[np.ndarray, int], NeighborGraph]:
    """Neighbour graphs by scikit-learn, so that the tests of what is built on them stand on their own."""

    def build(X: np.ndarray, k: int) -> NeighborGraph:
        distances, indices = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(X).kneighbors()
        return NeighborGraph(indices, distances)

    return build


@pytest.fixture
def cloud() -> np.ndarray:
    """Three blobs of unequal density, 300 points in five dimensions."""
    rng = np.random.default_rng(7)
    return np.vstack([rng.normal(3 * i, 0.3 + i, size=(100, 5)) for i in range(3)])
