"""Targets: how labels, counts, texts or numbers known of the rows change the fuzzy graph of the data."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.validation import as_numpy, check_float, check_int, check_points
from holonomy.graphs import (
    NeighborIndex,
    fuzzy_intersection,
    intersect_by_distance,
    restore_connectivity,
    smooth_neighbor_distances,
)
from holonomy.graphs._sparse import directed_csr

CERTAIN = 1e12
"""Distance between different labels where the target has all the weight."""

UNKNOWN = 1.0
"""Distance between a known and an unknown label, and between two unknown ones."""

DISCRETE = ("categorical", "count", "ordinal", "string")


@references("mcinnes2018umap")
def supervised_graph(
    graph: sparse.csr_array,
    y: Any,
    *,
    target_metric: Any = "categorical",
    target_metric_kwds: dict[str, Any] | None = None,
    target_n_neighbors: int = 14,
    target_weight: float = 0.5,
) -> sparse.csr_array:
    """Make the fuzzy graph of the data agree with targets of its rows.

    Discrete targets weaken every edge by exp(-s D), where D is the distance of the targets of its ends and
    ``s = 2.5 / (1 - target_weight)``. With any other metric, the targets get a fuzzy graph of their own, which is
    intersected with that of the data. Then every point is connected surely to its nearest again.

    Parameters
    ----------
    graph : csr_array of shape (n, n)
        Symmetric memberships of the data.
    y : array-like of shape (n,) or (n, t)
        Targets. Categories may be text or numbers; -1, None and NaN mark those that are not known.
    target_metric : str or callable, default "categorical"
        ``"categorical"``: targets are the same or not. ``"ordinal"``: difference of ranks or scores, in units of half
        their range. ``"count"``: difference in how surprising counts are under a Poisson distribution of their mean.
        ``"string"``: edit distance, in units of a third of the longest text. Else any metric of
        `holonomy.graphs.neighbors`.
    target_metric_kwds : dict, optional
        Further arguments of a metric that is not discrete.
    target_n_neighbors : int, default 14
        Neighbours of a target that is not discrete, the row itself not included; at most n - 1 are used.
    target_weight : float, default 0.5
        From 0 (only the data) to 1 (only the target).

    Returns
    -------
    csr_array of float32, shape (n, n)
        Symmetric memberships.

    Raises
    ------
    ValueError
        If y has the wrong length, holds NaN where it may not, or a parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import supervised_graph
    >>> from holonomy.graphs import fuzzy_simplicial_set, neighbors
    >>> graph = fuzzy_simplicial_set(neighbors(np.arange(6.0)[:, None], 2))
    >>> same = supervised_graph(graph, ["a", "a", "a", "b", "b", "b"])
    >>> bool(same[2, 3] < graph[2, 3])
    True

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.
    """
    n = graph.shape[0]
    weight = check_float(target_weight, "target_weight", minimum=0.0, maximum=1.0)
    scale = 2.5 / (1.0 - weight) if weight < 1.0 else CERTAIN
    targets = target_array(y, n, target_metric)
    if isinstance(target_metric, str) and target_metric in DISCRETE:
        return restore_connectivity(intersect_by_distance(graph, _distances(targets, target_metric, scale)))
    k = min(check_int(target_n_neighbors, "target_n_neighbors", minimum=1), n - 1)
    knn = NeighborIndex(targets, metric=target_metric, metric_params=target_metric_kwds, random_state=0).graph(k)
    sigmas, rhos = smooth_neighbor_distances(knn)
    excess = knn.distances - rhos[:, None]
    fading = -excess / np.where(sigmas > 0, sigmas, 1.0)[:, None]
    memberships = np.exp(np.minimum(fading, 0.0), where=excess > 0, out=np.ones_like(excess))
    return restore_connectivity(fuzzy_intersection(graph, directed_csr(knn, memberships), weight=weight))


def target_array(y: Any, n: int, target_metric: Any) -> np.ndarray:
    """Check targets and bring them to the form their metric is computed on: labels, numbers, texts or points.

    Raises
    ------
    ValueError
        If there is not one target for each of the n rows, or a number is missing.
    """
    given = np.asarray(as_numpy(y))
    if given.ndim == 0 or len(given) != n:
        raise ValueError(f"y must hold one target for each of the {n} rows of X, got shape {given.shape}.")
    if target_metric not in DISCRETE:
        return check_points(given.reshape(n, -1), name="y", dtype=np.float64)
    if given.size != n:
        raise ValueError(f"y must have shape ({n},) with target_metric={target_metric!r}, got {given.shape}.")
    given = given.ravel()
    if target_metric == "categorical":
        return given.astype(object)
    if target_metric == "string":
        return given.astype(np.str_)
    numbers = check_points(given[:, None], name="y", dtype=np.float64)[:, 0]
    if target_metric == "count" and (numbers < 0).any():
        raise ValueError(f"y must hold counts of at least 0 with target_metric='count', got {numbers.min()}.")
    return numbers


def joined_targets(old: np.ndarray | None, y: Any, n_new: int, target_metric: Any) -> np.ndarray | None:
    """Append the targets of new rows to those of a fit, categories that are not given being unknown.

    Raises
    ------
    ValueError
        If one part has targets and the other has none where they are needed.
    """
    if old is None and y is None:
        return None
    if old is None:
        raise ValueError("y must be left out, because the model was fitted without targets.")
    if y is not None:
        return np.concatenate([old, target_array(y, n_new, target_metric)])
    if target_metric != "categorical":
        raise ValueError(f"y must be given, because the model was fitted with {target_metric!r} targets.")
    return np.concatenate([old, np.full(n_new, None)])


def _codes(labels: np.ndarray) -> np.ndarray:
    """Return a number for each category; -1, None and NaN become -1."""
    import pandas

    codes, categories = pandas.factorize(labels)
    is_unknown = np.array([isinstance(category, int | float) and category == -1 for category in categories], dtype=bool)
    return np.where(np.isin(codes, np.flatnonzero(is_unknown)), -1, codes)


def _distances(targets: np.ndarray, metric: str, scale: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Scaled distances of targets as a function of two arrays of rows."""
    if metric == "categorical":
        codes = _codes(targets)

        def between(i: np.ndarray, j: np.ndarray) -> np.ndarray:
            is_unknown = (codes[i] < 0) | (codes[j] < 0)
            return np.where(is_unknown, UNKNOWN, scale * (codes[i] != codes[j]))

        return between
    if metric == "string":
        letters = targets.view(np.uint32).reshape(len(targets), -1)
        lengths = np.char.str_len(targets)
        longest = max(int(lengths.max()) / 3.0, 1.0)
        return lambda i, j: scale * np.minimum(_edit_distances(letters, lengths, i, j) / longest, 1.0)
    places = targets if metric == "ordinal" else _surprise(targets)
    extent = np.ptp(places)
    return lambda i, j: scale * 2.0 * np.abs(places[i] - places[j]) / (extent if extent > 0 else 1.0)


def _surprise(counts: np.ndarray) -> np.ndarray:
    """Sum of -log Poisson(k; mean) over the integers k below each count: equal steps are equally improbable."""
    from scipy.special import gammaln

    whole = counts.astype(np.int64)
    mean = max(float(counts.mean()), 1e-8)
    k = np.arange(whole.min(), whole.max() + 1)
    steps = mean + gammaln(k + 1.0) - k * np.log(mean)
    return np.concatenate([[0.0], np.cumsum(steps)])[whole - whole.min()]


@njit(cache=True, nogil=True)
def _edit_distances(letters: np.ndarray, lengths: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Levenshtein distances of the texts in rows i to those in rows j."""
    result = np.empty(len(i))
    before = np.empty(letters.shape[1] + 1, dtype=np.int64)
    for pair in range(len(i)):
        one, two = letters[i[pair]], letters[j[pair]]
        n_two = lengths[j[pair]]
        for column in range(n_two + 1):
            before[column] = column
        for row in range(lengths[i[pair]]):
            diagonal, before[0] = before[0], row + 1
            for column in range(n_two):
                substituted = diagonal + (one[row] != two[column])
                diagonal = before[column + 1]
                before[column + 1] = min(substituted, diagonal + 1, before[column] + 1)
        result[pair] = before[n_two]
    return result
