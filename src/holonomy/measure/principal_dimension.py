"""How many directions a neighbourhood extends in: dimension by local principal components."""

import numpy as np
from scipy.stats import norm

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.validation import Points, check_float, check_int, check_option, check_points
from holonomy.graphs import NeighborGraph, neighbors, tangent_spaces
from holonomy.measure._distinct import distinct_neighbors
from holonomy.measure._inputs import check_same_length
from holonomy.measure._ranks import Metric
from holonomy.measure.intrinsic_dimension import DimensionEstimate, error_of_sum

CRITERIA = ("largest_share", "explained", "gap", "participation")
DEFAULT_NEIGHBORS = 30


@references("fukunaga1971algorithm")
def local_pca_dimension(
    X: Points,
    n_neighbors: int | None = None,
    *,
    criterion: str = "largest_share",
    threshold: float = 0.05,
    graph: NeighborGraph | None = None,
    metric: Metric = "euclidean",
    level: float = 0.95,
    n_jobs: int | None = None,
) -> DimensionEstimate:
    """Estimate the dimension from the variances of neighbourhoods along their principal directions.

    Neighbourhoods must hold more points than the data has dimensions, several times over: with k neighbours no
    dimension above k can be found, and close below k none is told reliably. Curvature and noise add directions.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Points.
    n_neighbors : int, optional
        Neighbours of each point, at least 2; 30 by default, all of a graph's.
    criterion : {"largest_share", "explained", "gap", "participation"}, default "largest_share"
        Directions with more than ``threshold`` times the largest variance (Fukunaga and Olsen); the fewest with all
        but ``threshold`` of the variance; those before the largest drop of the variance by a factor; or the
        participation ratio (sum of variances)^2 / sum of squares, a real number.
    threshold : float, default 0.05
        In (0, 1); for the first two criteria.
    graph : NeighborGraph, optional
        Neighbours found before.
    metric : str or callable, default "euclidean"
        Metric of the search; the variances are Euclidean.
    level : float, default 0.95
        Confidence of the interval, which accounts for points sharing neighbours.
    n_jobs : int, optional
        Threads. The result does not depend on it.

    Returns
    -------
    DimensionEstimate
        The mean of the points' own dimensions, which are ``per_point``.

    Raises
    ------
    ValueError
        On NaN, fewer than 4 points, rows that are all equal, or a parameter out of range.

    References
    ----------
    Fukunaga, Olsen (1971), An algorithm for finding intrinsic dimensionality of data.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import local_pca_dimension
    >>> plane = np.random.default_rng(0).random((500, 2)) @ np.eye(2, 10)
    >>> float(local_pca_dimension(plane))
    2.0
    """
    check_option(criterion, "criterion", CRITERIA)
    confidence = check_float(level, "level", minimum=0.0, maximum=1.0)
    share = check_float(threshold, "threshold", minimum=0.0, maximum=1.0)
    if share in (0.0, 1.0):
        raise ValueError(f"threshold must lie between 0 and 1, got {share}.")
    points = check_points(X, min_samples=4)
    with threads(n_jobs):
        shared = _graph(points, graph, n_neighbors, metric)
        # One direction of each frame is enough: the variances are all there.
        variances = tangent_spaces(points, shared, 1).variances
    near = distinct_neighbors(shared)
    told = variances[:, 0] > 0
    if not told.any():
        raise ValueError("the neighbours of every point of X coincide with it; remove duplicates.")
    local = np.full(len(points), np.nan)
    local[told] = _dimensions(variances[told], criterion, share)
    value = float(local[told].mean())
    places = np.unique(near.place, return_index=True)[1]
    residuals = np.nan_to_num(local[places] - value)
    reach = float(norm.ppf((1 + confidence) / 2)) * error_of_sum(residuals, near) / max(1, int(told[places].sum()))
    return DimensionEstimate(
        value=value,
        low=max(0.0, value - reach),
        high=value + reach,
        per_point=local,
        n_used=int(told[places].sum()),
        n_neighbors=shared.n_neighbors,
        method="local PCA",
        level=confidence,
    )


def _graph(points: np.ndarray, graph: NeighborGraph | None, n_neighbors: int | None, metric: Metric) -> NeighborGraph:
    k = None if n_neighbors is None else check_int(n_neighbors, "n_neighbors", minimum=2)
    if graph is None:
        return neighbors(points, k or min(DEFAULT_NEIGHBORS, len(points) - 1), metric=metric)
    check_same_length(len(points), graph.n_points, "X", "graph")
    return graph if k is None else graph.truncated(k)


def _dimensions(variances: np.ndarray, criterion: str, share: float) -> np.ndarray:
    """Return the dimension that each row of falling variances tells."""
    total = variances.sum(axis=1, keepdims=True)
    if criterion == "participation":
        return (total[:, 0] ** 2) / np.square(variances).sum(axis=1)
    if criterion == "largest_share":
        return (variances > share * variances[:, :1]).sum(axis=1).astype(np.float64)
    if criterion == "explained":
        return 1.0 + (np.cumsum(variances, axis=1)[:, :-1] < (1 - share) * total).sum(axis=1)
    # What rounding leaves of a variance of zero must not make the largest drop among zeros.
    floor = variances[:, :1] * (variances.shape[1] * np.finfo(np.float64).eps * 16)
    kept = np.maximum(variances, floor)
    if kept.shape[1] == 1:
        return np.ones(len(kept))
    return 1.0 + np.argmax(kept[:, :-1] / kept[:, 1:], axis=1)
