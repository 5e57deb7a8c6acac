"""The neighbours of fitted rows, searched or given, and those of new rows among them."""

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import validate_data

from holonomy._core.persistence import Persistent
from holonomy._core.random import derive_seed
from holonomy._core.validation import as_numpy, check_int
from holonomy.graphs import NeighborGraph, NeighborIndex
from holonomy.graphs._sparse import check_graph


class NeighborBase(Persistent, TransformerMixin, BaseEstimator):
    """An estimator with the parameters ``n_neighbors, metric, metric_kwds, random_state, n_jobs`` and a ``_seed``."""

    _not_saved: tuple[str, ...] = ("_index",)
    _X: Any
    _index: Any = None
    _seed: int

    def _validated(self, X: Any, *, reset: bool) -> Any:
        """Check rows, sparse ones included."""
        return validate_data(
            self,
            as_numpy(X),
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            ensure_min_samples=2 if reset else 1,
            reset=reset,
        )

    def _neighbors(self, X: Any, graph: NeighborGraph | None) -> NeighborGraph:
        """Return the ``n_neighbors - 1`` neighbours of every row, and keep what finds those of new rows."""
        n = X.shape[0]
        wanted = check_int(self.n_neighbors, "n_neighbors", minimum=2)
        self._X, self._index = X, None
        if graph is None:
            if wanted > n:
                warnings.warn(
                    f"n_neighbors={wanted} is more than the {n} rows of X; using {n}.", UserWarning, stacklevel=4
                )
            self._index = self._new_index(X)
            return self._index.graph(min(wanted, n) - 1)
        check_graph(graph)
        if graph.n_points != n:
            raise ValueError(f"graph has {graph.n_points} points, but X has {n} rows.")
        if graph.n_neighbors < wanted - 1:
            raise ValueError(
                f"graph holds {graph.n_neighbors} neighbours a point, but n_neighbors={wanted} (the point itself "
                f"included) needs {wanted - 1}."
            )
        return graph.truncated(wanted - 1)

    def _query(self, X: Any, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
        """Return neighbours (q, k) of new rows among the fitted ones, and their distances."""
        if self._index is None:
            self._index = self._new_index(self._X)
        return self._index.query(X, n_neighbors)

    def _new_index(self, X: Any) -> NeighborIndex:
        return NeighborIndex(
            X,
            metric=self.metric,
            metric_params=self.metric_kwds,
            random_state=derive_seed(self._seed, "neighbors"),
            n_jobs=self.n_jobs,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self.metric == "precomputed"
        return tags
