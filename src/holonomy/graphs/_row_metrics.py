"""Distances of blocks of rows from all points, for metrics that have no Euclidean search."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist
from scipy.special import gammaln, xlogy
from scipy.stats import rankdata

from holonomy._core.optional import import_optional
from holonomy._core.validation import check_float

BOOLEAN_METRICS = {
    "dice", "jaccard", "kulsinski", "matching", "rogerstanimoto", "russellrao", "sokalmichener", "sokalsneath", "yule",
}  # fmt: skip
"""Metrics of the sets of non-zero entries."""

DENSITY_METRICS = {"kantorovich", "ll_dirichlet", "sinkhorn", "symmetric_kl", "wasserstein", "wasserstein_1d"}
"""Metrics of histograms: rows are not negative and hold something."""

SPARSE_METRICS = {"euclidean", "sqeuclidean", "cosine", "hellinger", "inner_product"} | BOOLEAN_METRICS
"""Metrics that need no dense rows."""

OFFSET = 1e-11
"""What symmetric_kl adds to every entry, as umap-learn does, so that empty ones have a logarithm."""

SINKHORN_STEPS, SINKHORN_TOLERANCE = 1000, 1e-9

RowDistances = Callable[[Any, Any], np.ndarray]


def row_distances(metric: Any, points: Any, parameters: dict[str, Any]) -> RowDistances:
    """Return the function of rows (m, d) and points (n, d) that gives their distances (m, n).

    Parameters
    ----------
    metric : str or callable
        The metric; a callable takes two rows.
    points : array or sparse matrix of shape (n, d)
        The points, from which scales that are not given are estimated, once.
    parameters : dict
        Further arguments of the metric.

    Raises
    ------
    ValueError
        If a parameter is missing, or the points have no scale.
    """
    # Partial functions of module-level ones, so that an index can be pickled.
    if callable(metric):
        return partial(cdist, metric=metric, **parameters)
    if metric in BOOLEAN_METRICS:
        return partial(_set_distances, metric=metric)
    if sparse.issparse(points):
        return partial(_sparse_distances, metric=metric)
    if metric in {"cosine", "correlation", "spearmanr"}:
        return partial(_angular_distances, metric=metric)
    if metric == "haversine":
        from sklearn.metrics.pairwise import haversine_distances

        return haversine_distances
    if metric in {"kantorovich", "wasserstein", "sinkhorn"}:
        cost = _cost(parameters, points.shape[1], metric)
        if metric != "sinkhorn":
            return partial(_transport_distances, cost=cost)
        regularization = check_float(parameters.get("regularization", 1.0), "regularization", minimum=0.0)
        return partial(_sinkhorn_distances, cost=cost, regularization=regularization)
    own = {
        "hellinger": _hellinger_distances,
        "ll_dirichlet": _dirichlet_distances,
        "poincare": _poincare_distances,
        "symmetric_kl": _divergences,
        "wasserstein_1d": _cumulated_distances,
    }
    if metric in own:
        return partial(own[metric], **parameters)
    name = {"manhattan": "cityblock"}.get(metric, metric)
    return partial(cdist, metric=name, **_with_scales(metric, points, parameters))


def check_rows(metric: str, rows: Any, name: str) -> None:
    """Raise where rows are not what a metric is defined for."""
    values = rows.data if sparse.issparse(rows) else rows
    if metric in DENSITY_METRICS | {"hellinger"} and values.size and values.min() < 0:
        raise ValueError(f"metric {metric!r} compares histograms, but {name} has negative values ({values.min():.3g}).")
    if metric in DENSITY_METRICS and not (rows.sum(axis=1) > 0).all():
        raise ValueError(f"metric {metric!r} compares histograms, but {name} has rows that are all 0; leave them out.")
    if metric == "poincare" and not ((rows**2).sum(axis=1) < 1).all():
        raise ValueError(f"metric 'poincare' needs rows of length below 1, but {name} has longer ones.")


def _with_scales(metric: str, points: np.ndarray, parameters: dict[str, Any]) -> dict[str, Any]:
    """Add scales of all points; SciPy would take those of each block, which depend on what rows are in it."""
    if metric == "seuclidean" and "V" not in parameters:
        variances = np.var(points, axis=0, ddof=1, dtype=np.float64)
        # A column that does not vary tells nothing, unless new rows differ in it.
        return {**parameters, "V": np.where(variances > 0, variances, 1.0)}
    if metric == "mahalanobis" and "VI" not in parameters:
        return {**parameters, "VI": np.linalg.pinv(np.atleast_2d(np.cov(points, rowvar=False)), hermitian=True)}
    return parameters


def _set_distances(a: Any, b: Any, metric: str) -> np.ndarray:
    """Distances of sets, by how many elements they share; exact in single precision below 2^24 columns."""
    if sparse.issparse(a):
        both = (a.astype(np.float32) @ b.astype(np.float32).T).toarray()
        n_a, n_b = (np.asarray(rows.sum(axis=1), dtype=np.float64).reshape(-1) for rows in (a, b))
    else:
        both = a.astype(np.float32) @ b.astype(np.float32).T
        n_a, n_b = a.sum(axis=1, dtype=np.float64), b.sum(axis=1, dtype=np.float64)
    both, d = both.astype(np.float64), a.shape[1]
    differ = n_a[:, None] + n_b - 2 * both
    if metric == "matching":
        return differ / d
    if metric in {"rogerstanimoto", "sokalmichener"}:
        return 2 * differ / (d + differ)
    if metric == "russellrao":
        return (d - both) / d
    if metric == "kulsinski":
        return np.where(differ == 0, 0.0, (differ - both + d) / (differ + d))
    if metric == "yule":
        crossed = (n_a[:, None] - both) * (n_b - both)
        return _ratio(2 * crossed, both * (d - both - differ) + crossed)
    weight, shared = {"jaccard": (1, 1), "dice": (1, 2), "sokalsneath": (2, 1)}[metric]
    return _ratio(weight * differ, shared * both + weight * differ)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide, with 0 where nothing differs."""
    return np.divide(part, whole, out=np.zeros_like(part), where=part > 0)


def _sparse_distances(a: Any, b: Any, metric: str) -> np.ndarray:
    """Distances of sparse points too many to be made dense."""
    if metric == "hellinger":
        return _hellinger_distances(a, b)
    products = (a @ b.T).toarray().astype(np.float64)
    if metric == "inner_product":
        return float(b.multiply(b).sum(axis=1).max()) - products
    norms_a = np.asarray(a.multiply(a).sum(axis=1), dtype=np.float64).reshape(-1, 1)
    norms_b = np.asarray(b.multiply(b).sum(axis=1), dtype=np.float64).reshape(1, -1)
    if metric == "cosine":
        scale = np.sqrt(norms_a * norms_b)
        return np.clip(1 - np.divide(products, scale, out=np.zeros_like(products), where=scale > 0), 0, 2)
    squared = np.maximum(norms_a + norms_b - 2 * products, 0)
    return np.sqrt(squared) if metric == "euclidean" else squared


def _angular_distances(a: np.ndarray, b: np.ndarray, metric: str) -> np.ndarray:
    """Cosine or correlation distances; rows without a direction are at 1 from all others, at 0 from each other."""
    if metric == "spearmanr":
        a, b = rankdata(a, axis=1), rankdata(b, axis=1)
    if metric != "cosine":
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    norms_a, norms_b = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    units_a = a / np.where(norms_a > 0, norms_a, 1)[:, None]
    units_b = b / np.where(norms_b > 0, norms_b, 1)[:, None]
    distances = np.clip(1 - units_a @ units_b.T, 0, 2)
    distances[np.ix_(norms_a == 0, norms_b == 0)] = 0
    return distances


def _hellinger_distances(a: Any, b: Any) -> np.ndarray:
    """sqrt(1 - overlap) of histograms; empty rows are at 1 from all others, and at 0 from each other."""
    sums_a, sums_b = (np.asarray(rows.sum(axis=1), dtype=np.float64).reshape(-1) for rows in (a, b))
    overlap = (a.sqrt() @ b.sqrt().T).toarray() if sparse.issparse(a) else np.sqrt(a) @ np.sqrt(b).T
    scale = np.sqrt(sums_a[:, None] * sums_b)
    distances = np.sqrt(np.clip(1 - np.divide(overlap, scale, out=np.zeros_like(scale), where=scale > 0), 0, 1))
    distances[np.ix_(sums_a == 0, sums_b == 0)] = 0
    return distances


def _poincare_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Hyperbolic distances in the unit ball."""
    room_a, room_b = (1 - (rows.astype(np.float64) ** 2).sum(axis=1) for rows in (a, b))
    return 2 * np.arcsinh(cdist(a, b) / np.sqrt(room_a[:, None] * room_b))


def _shares(rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(np.float64)
    return rows / rows.sum(axis=1, keepdims=True)


def _divergences(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean of both Kullback-Leibler divergences of histograms."""
    p, q = _shares(a + OFFSET), _shares(b + OFFSET)
    own = xlogy(p, p).sum(axis=1)[:, None] + xlogy(q, q).sum(axis=1)
    return np.maximum((own - p @ np.log(q).T - np.log(p) @ q.T) / 2, 0)


def _cumulated_distances(a: np.ndarray, b: np.ndarray, p: float = 1.0) -> np.ndarray:
    """Distances between histograms over the line: of their sums up to every place."""
    return cdist(np.cumsum(_shares(a), axis=1), np.cumsum(_shares(b), axis=1), "minkowski", p=p)


def _dirichlet_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How much less likely counts are as draws from each other than from themselves (Dirichlet-multinomial)."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    n_a, n_b = a.sum(axis=1), b.sum(axis=1)
    own_a, own_b = (_log_beta(n, n) - _log_beta(rows, rows).sum(axis=1) for rows, n in ((a, n_a), (b, n_b)))
    result = np.empty((len(a), len(b)))
    for row in range(len(a)):
        shared = _log_beta(a[row], b).sum(axis=1) - _log_beta(n_a[row], n_b)
        result[row] = (shared + own_b) / n_b + (shared + own_a[row]) / n_a[row]
    return np.sqrt(np.maximum(result, 0))


def _log_beta(x: Any, y: Any) -> np.ndarray:
    """Logarithm of the beta function, 0 where nothing was counted (less than about one)."""
    counted = x * y > 0.9
    one, two = np.where(counted, x, 1.0), np.where(counted, y, 1.0)
    return np.where(counted, gammaln(one) + gammaln(two) - gammaln(one + two), 0.0)


def _cost(parameters: dict[str, Any], d: int, metric: str) -> np.ndarray:
    if "cost" not in parameters:
        raise ValueError(
            f"metric {metric!r} needs the cost of moving between columns, e.g. metric_kwds={{'cost': array}} of shape "
            f"({d}, {d}); for columns along a line 'wasserstein_1d' needs none."
        )
    cost = np.ascontiguousarray(parameters["cost"], dtype=np.float64)
    if cost.shape != (d, d) or not np.isfinite(cost).all() or (cost < 0).any():
        raise ValueError(f"cost must be a ({d}, {d}) array of finite numbers >= 0, got shape {cost.shape}.")
    return cost


def _transport_distances(a: np.ndarray, b: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Least cost of moving one histogram to another, by linear programs."""
    ot = import_optional("ot", extra="transport", purpose="measure distances by optimal transport")
    p, q = _shares(a), _shares(b)
    result = np.empty((len(p), len(q)))
    for i, x in enumerate(p):
        kept = x > 0
        for j, y in enumerate(q):
            filled = y > 0
            result[i, j] = max(ot.emd2(x[kept], y[filled], np.ascontiguousarray(cost[np.ix_(kept, filled)])), 0.0)
    return result


def _sinkhorn_distances(a: np.ndarray, b: np.ndarray, cost: np.ndarray, regularization: float) -> np.ndarray:
    """Cost of the entropically regularised plan; each pair is iterated by itself, so that it depends on no other."""
    p, q = _shares(a), _shares(b).T
    kernel = np.exp(-cost / max(regularization, np.finfo(float).tiny))
    if (kernel == 0).any():
        raise ValueError(f"regularization={regularization} is too small for costs up to {cost.max():.3g}; raise it.")
    result = np.empty((len(p), q.shape[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        for row, x in enumerate(p):
            left, right = np.ones((len(x), q.shape[1])), np.ones_like(q)
            active = np.arange(q.shape[1])
            for _ in range(SINKHORN_STEPS):
                right[:, active] = np.nan_to_num(q[:, active] / (kernel.T @ left[:, active]))
                reached = kernel @ right[:, active]
                off = np.abs(left[:, active] * reached - x[:, None]).sum(axis=0)
                left[:, active] = np.nan_to_num(x[:, None] / reached)
                active = active[off > SINKHORN_TOLERANCE]
                if len(active) == 0:
                    break
            result[row] = np.einsum("dn,de,en->n", left, kernel * cost, right, optimize=True)
    return result
