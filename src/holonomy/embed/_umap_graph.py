"""The graph of the data: neighbours found or given, their memberships, and what targets make of these.

The functions read the parameters of an estimator and return what they find; nothing is written to it.
"""

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from holonomy._core.random import derive_seed
from holonomy._core.validation import check_float, check_int
from holonomy.embed._distinct_rows import distinct_rows
from holonomy.embed._given_neighbors import graph_of_arrays
from holonomy.embed.supervision import supervised_graph
from holonomy.graphs import NeighborGraph, NeighborIndex, fuzzy_simplicial_set, smooth_neighbor_distances
from holonomy.graphs.fuzzy import query_memberships

if TYPE_CHECKING:
    from holonomy.embed.umap import UMAP

LARGEST_DISTANCES = {"correlation": 2.0, "cosine": 2.0, "dice": 1.0, "hellinger": 1.0, "jaccard": 1.0}
"""What bounded metrics say of rows that have nothing in common."""


@dataclass(frozen=True)
class DataGraph:
    """What `connect` finds.

    Attributes
    ----------
    knn : NeighborGraph
        The neighbours, those beyond the limit at infinite distance.
    graph : csr_array of shape (n, n)
        Symmetric memberships.
    sigmas, rhos : ndarray of shape (n,)
        Local scales.
    index : NeighborIndex or None
        What finds neighbours of new rows, where the search of the fit made it.
    breadth : tuple of int or None
        How widely a search on a device went, whose index is not kept.
    """

    knn: NeighborGraph
    graph: sparse.csr_array
    sigmas: np.ndarray
    rhos: np.ndarray
    index: NeighborIndex | None
    breadth: tuple[int, int] | None


def connect(model: "UMAP", X: Any, targets: Any, graph: NeighborGraph | None, seed: int) -> DataGraph:
    """Find the neighbours of the rows and turn them, with the targets, into the fuzzy graph.

    Raises
    ------
    TypeError, ValueError
        If neighbours that are given do not fit the rows.
    """
    n = X.shape[0]
    n_neighbors = reduced_neighbors(model, n)
    index, breadth = None, None
    given = graph_of_arrays(model.precomputed_knn, n, str(model.metric)) if graph is None else graph
    if given is None:
        searched = new_index(model, X, seed, device=model.device if is_searched_by_torch(model, X) else None)
        found = searched.graph(n_neighbors)
        # What holds memory of a device is not kept: the model may be used where there is none.
        if searched.method == "torch":
            breadth = searched.breadth
        else:
            index = searched
    else:
        found = checked_graph(given, n, n_neighbors)
    knn = _cut(found, distance_limit(model))
    sigmas, rhos = smooth_neighbor_distances(knn, local_connectivity=model.local_connectivity)
    fuzzy = fuzzy_simplicial_set(
        knn, local_connectivity=model.local_connectivity, set_op_mix_ratio=model.set_op_mix_ratio
    )
    if targets is not None:
        fuzzy = supervised_graph(
            fuzzy,
            targets,
            target_metric=model.target_metric,
            target_metric_kwds=model.target_metric_kwds,
            target_n_neighbors=n_neighbors if model.target_n_neighbors == -1 else model.target_n_neighbors - 1,
            target_weight=model.target_weight,
        )
    return DataGraph(knn, fuzzy, sigmas, rhos, index, breadth)


def connect_new(
    model: "UMAP", X: Any, index: NeighborIndex, knn: NeighborGraph
) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
    """Return the memberships (m, n) of new rows to the fitted ones, their neighbours (m, k) and the distances."""
    n = index.n_points
    k = min(check_int(model.n_neighbors, "n_neighbors", minimum=2), n)
    indices, distances = index.query(X, k)
    distances[distances >= distance_limit(model)] = np.inf
    finite = np.isfinite(knn.distances)
    memberships = query_memberships(
        distances,
        local_connectivity=max(0.0, model.local_connectivity - 1),
        mean_distance=float(knn.distances[finite].mean()) if finite.any() else 0.0,
    )
    ends = np.arange(0, memberships.size + 1, k)
    edges = sparse.csr_array((memberships.ravel(), indices.ravel(), ends), shape=(len(indices), n))
    return edges, indices, distances


def new_index(
    model: "UMAP", X: Any, seed: int, *, device: Any = None, method: str = "auto", breadth: Any = None
) -> NeighborIndex:
    """Index rows by the metric of the model; with the ``breadth`` of an earlier search, searched as widely."""
    index = NeighborIndex(
        X,
        method="torch" if device is not None else method,
        device=device,
        metric=model.metric,
        metric_params=model.metric_kwds,
        random_state=derive_seed(seed, "neighbors"),
        n_jobs=model.n_jobs,
    )
    if breadth is not None:
        index.breadth = breadth
    return index


def is_searched_by_torch(model: "UMAP", X: Any) -> bool:
    """Whether the device of the model finds the neighbours of the rows."""
    if model.device is None or sparse.issparse(X) or model.metric_kwds:
        return False
    # The cosine of a zero row is not a distance of points.
    return model.metric in ("euclidean", "l2") or (model.metric == "cosine" and bool(X.any(axis=1).all()))


def distance_limit(model: "UMAP") -> float:
    """Distance from which on rows are not neighbours."""
    if model.disconnection_distance is not None:
        return check_float(model.disconnection_distance, "disconnection_distance", minimum=0.0)
    return LARGEST_DISTANCES.get(model.metric, np.inf) if isinstance(model.metric, str) else np.inf


def _cut(knn: NeighborGraph, limit: float) -> NeighborGraph:
    far = knn.distances >= limit
    if not far.any():
        return knn
    return replace(knn, distances=np.where(far, np.inf, knn.distances))


def reduced_neighbors(model: "UMAP", n: int) -> int:
    """Neighbours to search for, without the point itself; fewer, with a warning, where there are fewer rows."""
    wanted = check_int(model.n_neighbors, "n_neighbors", minimum=2)
    if wanted > n:
        warnings.warn(f"n_neighbors={wanted} is more than the {n} rows of X; using {n}.", UserWarning, stacklevel=4)
    return min(wanted, n) - 1


def checked_graph(graph: NeighborGraph, n: int, n_neighbors: int) -> NeighborGraph:
    """Return the nearest ``n_neighbors`` of a given graph.

    Raises
    ------
    TypeError
        If it is no NeighborGraph.
    ValueError
        If it has other points, or fewer neighbours.
    """
    if not isinstance(graph, NeighborGraph):
        raise TypeError(f"graph must be a NeighborGraph, got {type(graph).__name__}.")
    if graph.n_points != n:
        raise ValueError(f"graph has {graph.n_points} points, but X has {n} rows.")
    if graph.n_neighbors < n_neighbors:
        raise ValueError(
            f"graph holds {graph.n_neighbors} neighbours a point, but n_neighbors={n_neighbors + 1} (the point "
            f"itself included) needs {n_neighbors}."
        )
    return graph.truncated(n_neighbors)


def without_duplicates(model: "UMAP", X: Any, targets: Any, graph: NeighborGraph | None) -> tuple[Any, Any, np.ndarray]:
    """Return the rows that differ, the targets of the first of each, and which of them every row equals.

    Raises
    ------
    ValueError
        If neighbours are given, which would have to be those of the rows that are left, or only one row is left.
    """
    if graph is not None or model.precomputed_knn is not None or model.metric == "precomputed":
        raise ValueError("unique=True needs the rows themselves: no graph, precomputed_knn or precomputed metric.")
    first, inverse = distinct_rows(X)
    if len(first) < 2:
        raise ValueError("unique=True leaves a single row, because all rows of X are equal; at least 2 must differ.")
    return X[first], None if targets is None else targets[first], inverse
