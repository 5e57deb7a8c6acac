"""Metrics whose neighbours are the Euclidean neighbours of transformed points."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata


@dataclass(frozen=True)
class Reduction:
    """A way to find the neighbours of a metric by Euclidean search.

    ``points`` (n, p) are transformed once; ``queries`` transforms rows that come later; ``distances`` turns Euclidean
    distances (m, k) into the metric's own, given the transformed queries.
    """

    name: str
    points: np.ndarray
    largest_norm: float = 0.0

    def queries(self, Q: np.ndarray) -> np.ndarray:
        """Transform new rows the way the points were."""
        if self.name == "cosine":
            return _unit_rows(Q)
        if self.name == "correlation":
            return _unit_rows(_centred_rows(Q))
        if self.name == "spearmanr":
            return _unit_rows(_centred_rows(_ranks(Q)))
        if self.name == "hellinger":
            return _root_shares(Q)
        if self.name == "inner_product":
            return np.column_stack([Q, np.zeros(len(Q), dtype=Q.dtype)])
        return Q

    def own_queries(self, X: np.ndarray) -> np.ndarray:
        """Return the points as queries; the very same array where both transform alike."""
        return self.queries(X) if self.name == "inner_product" else self.points

    def distances(self, euclidean: np.ndarray, queries: np.ndarray) -> np.ndarray:
        """Turn Euclidean distances of transformed points into distances of the metric."""
        if self.name == "sqeuclidean":
            return euclidean**2
        if self.name in {"cosine", "correlation", "hellinger", "spearmanr"}:
            found = euclidean / np.sqrt(2) if self.name == "hellinger" else euclidean**2 / 2
            return np.where(np.any(queries, axis=1)[:, None], found, 1.0)
        if self.name == "inner_product":
            norms = np.einsum("ij,ij->i", queries, queries, dtype=np.float64)
            return np.maximum((euclidean**2 + self.largest_norm**2 - norms[:, None]) / 2, 0)
        return euclidean


REDUCED_METRICS = (
    "euclidean", "l2", "sqeuclidean", "cosine", "correlation", "spearmanr", "hellinger", "inner_product",
)  # fmt: skip


def reduction(X: np.ndarray, metric: str) -> Reduction | None:
    """Return the reduction of ``metric`` on the points ``X``, or None where there is none.

    Cosine and hellinger of a zero row and correlations of a constant one are undefined; such data is left to the direct
    computation, which places these rows at distance 1 from all others.
    """
    if metric == "inner_product":
        norms = np.sqrt(np.einsum("ij,ij->i", X, X, dtype=np.float64))
        largest = float(norms.max(initial=0.0))
        extra = np.sqrt(np.maximum(largest**2 - norms**2, 0)).astype(X.dtype)
        return Reduction(metric, np.column_stack([X, extra]), largest)
    if metric in {"cosine", "correlation", "spearmanr"}:
        rows = _ranks(X) if metric == "spearmanr" else X
        rows = rows if metric == "cosine" else _centred_rows(rows)
        if not np.any(rows, axis=1).all():
            return None
        return Reduction(metric, _unit_rows(rows))
    if metric == "hellinger":
        return Reduction(metric, _root_shares(X)) if np.any(X, axis=1).all() else None
    return Reduction(metric, X) if metric in REDUCED_METRICS else None


def _centred_rows(X: np.ndarray) -> np.ndarray:
    return X - X.mean(axis=1, keepdims=True, dtype=np.float64).astype(X.dtype)


def _unit_rows(X: np.ndarray) -> np.ndarray:
    norms = np.sqrt(np.einsum("ij,ij->i", X, X, dtype=np.float64))
    return (X / np.where(norms > 0, norms, 1)[:, None]).astype(X.dtype)


def _ranks(X: np.ndarray) -> np.ndarray:
    return rankdata(X, axis=1).astype(X.dtype)


def _root_shares(X: np.ndarray) -> np.ndarray:
    sums = X.sum(axis=1, dtype=np.float64)
    return np.sqrt(X / np.where(sums > 0, sums, 1)[:, None]).astype(X.dtype)
