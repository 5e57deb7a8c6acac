"""Neighbour arrays found elsewhere, in the form the peers hand them around, as a NeighborGraph."""

from typing import Any

import numpy as np

from holonomy.graphs import NeighborGraph


def graph_of_arrays(precomputed_knn: Any, n: int, metric: str) -> NeighborGraph | None:
    """Read ``(indices, distances)`` or ``(indices, distances, search_index)``, each row usually listing itself first.

    The row itself is left out wherever it stands. Indices of -1 mean that there is no such neighbour. Returns None
    where nothing is given, which umap-learn writes as ``(None, None, None)``.

    Raises
    ------
    TypeError
        If it is not such a tuple.
    ValueError
        If the arrays do not have one row for each of the n points, or differ in shape.
    """
    if precomputed_knn is None:
        return None
    if isinstance(precomputed_knn, NeighborGraph):
        return precomputed_knn
    if not isinstance(precomputed_knn, tuple | list) or len(precomputed_knn) not in (2, 3):
        raise TypeError(
            "precomputed_knn must be a tuple (indices, distances) or a NeighborGraph, got "
            f"{type(precomputed_knn).__name__}."
        )
    if precomputed_knn[0] is None and precomputed_knn[1] is None:
        return None
    indices, distances = np.asarray(precomputed_knn[0]), np.array(precomputed_knn[1], dtype=np.float32)
    if indices.ndim != 2 or indices.shape != distances.shape or len(indices) != n:
        raise ValueError(
            f"precomputed_knn must hold indices and distances of shape ({n}, k), got {indices.shape} and "
            f"{distances.shape}."
        )
    own = np.arange(n)[:, None]
    is_self = indices == own
    if is_self.any():
        last = indices.shape[1] - 1
        left_out = np.where(is_self.any(axis=1), is_self.argmax(axis=1), last)
        kept = np.arange(last + 1) != left_out[:, None]
        indices, distances = indices[kept].reshape(n, last), distances[kept].reshape(n, last)
    is_missing = indices < 0
    indices = np.where(is_missing, (own + 1) % n, indices)
    distances[is_missing] = np.inf
    order = np.argsort(distances, axis=1, kind="stable")
    return NeighborGraph(
        np.take_along_axis(indices, order, axis=1), np.take_along_axis(distances, order, axis=1), metric, "given"
    )
