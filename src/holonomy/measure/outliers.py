"""Points that lie apart from the rest: the local outlier factor."""

import numpy as np

from holonomy._core.citations import references
from holonomy._core.validation import Points, check_int
from holonomy.graphs import NeighborGraph
from holonomy.measure._inputs import graph_of
from holonomy.measure._ranks import Metric

DEFAULT_NEIGHBORS = 20


@references("breunig2000lof")
def local_outlier_factor(
    source: NeighborGraph | Points,
    n_neighbors: int | None = None,
    *,
    metric: Metric = "euclidean",
    n_jobs: int | None = None,
) -> np.ndarray:
    """Measure how much sparser the data is around a point than around its neighbours.

    About 1 inside the data, wherever it is dense or sparse; above 1.5 for most that a person would call outliers, above
    2 for points far away from all others. A clump of more than k outliers is no outlier to itself.

    Parameters
    ----------
    source : NeighborGraph, or array-like of shape (n, d)
        Neighbours, or points whose neighbours are searched.
    n_neighbors : int, optional
        k; the lesser of 20 and n - 1 by default for points, all of a graph's.
    metric : str or callable, default "euclidean"
        Metric of the search.
    n_jobs : int, optional
        Threads of the search.

    Returns
    -------
    ndarray of shape (n,)
        Positive and finite. Among points with more copies than neighbours the factor is 1.

    Raises
    ------
    ValueError
        On NaN, or more neighbours than there are.

    References
    ----------
    Breunig, Kriegel, Ng, Sander (2000), LOF: identifying density-based local outliers.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import local_outlier_factor
    >>> X = np.r_[np.random.default_rng(0).normal(size=(200, 2)), [[9.0, 9.0]]]
    >>> int(local_outlier_factor(X).argmax())
    200
    """
    k = None if n_neighbors is None else check_int(n_neighbors, "n_neighbors", minimum=1)
    if k is None and not isinstance(source, NeighborGraph):
        k = min(DEFAULT_NEIGHBORS, max(1, len(source) - 1 if hasattr(source, "__len__") else source.shape[0] - 1))
    graph = graph_of(source, k or 1, metric=metric, n_jobs=n_jobs)
    graph = graph if k is None else graph.truncated(k)
    listed = np.isfinite(graph.distances)
    distances = np.where(listed, graph.distances, 0.0).astype(np.float64)
    radius = distances.max(axis=1)
    counts = np.maximum(listed.sum(axis=1), 1)
    reaches = np.where(listed, np.maximum(distances, radius[graph.indices]), 0.0).sum(axis=1) / counts
    if not reaches.any():
        return np.ones(graph.n_points)
    # Points with more copies than neighbours are infinitely dense; the least positive reach stands for theirs.
    reaches = np.maximum(reaches, reaches[reaches > 0].min())
    ratios = np.where(listed, reaches[:, None] / reaches[graph.indices], 0.0).sum(axis=1) / counts
    return np.where(listed.any(axis=1), ratios, 1.0)
