"""What all maps by diffusion share: a kernel on a neighbour graph, its operator, and the way to it for new rows."""

import warnings
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from holonomy._core.parallel import threads
from holonomy._core.random import check_seed
from holonomy._core.validation import check_int, check_option
from holonomy.embed._kernels import KERNELS, make_kernel
from holonomy.embed._neighbor_base import NeighborBase
from holonomy.graphs import DiffusionOperator, NeighborGraph, connected_components
from holonomy.graphs._sparse import check_affinity


class DiffusionBase(NeighborBase):
    """Fits a DiffusionOperator to rows, a neighbour graph, distances or an affinity, and leads new rows to it.

    Subclasses have the parameters ``n_neighbors, metric, metric_kwds, kernel, kernel_kwds, random_state, n_jobs``.
    """

    _not_saved = ("_index", "_kernel", "operator_")

    def _fit_operator(
        self, X: Any, graph: NeighborGraph | None, alpha: float, normalization: str = "symmetric"
    ) -> np.ndarray:
        """Set ``knn_``, ``affinity_``, ``operator_``, ``n_connected_components_``; return the validated rows."""
        X = self._validated(X, reset=True)
        check_option(self.kernel, "kernel", (*KERNELS, "precomputed"))
        self._seed = check_seed(self.random_state)
        self._X = X
        self._kernel: Any = None
        self.knn_: Any = None
        if self.kernel == "precomputed":
            self._check_given(graph)
            self.affinity_ = check_affinity(X, "X").astype(np.float64, copy=False)
        else:
            self._kernel = make_kernel(self.kernel, self._kernel_arguments())
            self.knn_ = self._neighbors(X, graph)
            # Every point is its own neighbour at distance 0: a walk may rest.
            self.affinity_ = (self._kernel.fit(self.knn_) + sparse.eye_array(X.shape[0])).tocsr()
        self._operator_options = {"normalization": normalization, "alpha": alpha}
        self.operator_ = DiffusionOperator(self.affinity_, **self._operator_options)
        self.n_connected_components_ = connected_components(self.affinity_)[0]
        return X

    def _restore_state(self, state: dict[str, Any], version: int) -> None:
        super()._restore_state(state, version)
        if "affinity_" in state:
            self.operator_ = DiffusionOperator(self.affinity_, **self._operator_options)
            self._kernel = None
            if self.knn_ is not None:
                self._kernel = make_kernel(self.kernel, self._kernel_arguments())
                self._kernel.fit(self.knn_)

    def _kernel_arguments(self) -> dict[str, Any] | None:
        return self.kernel_kwds

    def _check_given(self, graph: NeighborGraph | None) -> None:
        if graph is not None:
            raise ValueError("graph cannot be given with kernel='precomputed', where X holds the affinity itself.")
        if self.metric == "precomputed":
            raise ValueError(
                "kernel='precomputed' takes an affinity and metric='precomputed' distances; X cannot be both."
            )

    def _weigh(self, X: Any) -> tuple[sparse.csr_array, np.ndarray]:
        """Return weights (q, n) of new rows to the fitted ones, and the fitted row each coincides with, -1 for none."""
        check_is_fitted(self)
        X = self._validated(X, reset=False)
        q, n = X.shape[0], self.operator_.n_points
        if self.kernel == "precomputed":
            return sparse.csr_array(X), np.full(q, -1)
        indices, distances = self._query(X, min(self.knn_.n_neighbors + 1, n))
        weights = self._kernel.rows(indices, distances)
        ends = np.arange(0, weights.size + 1, weights.shape[1])
        rows = sparse.csr_array((weights.ravel(), indices.ravel(), ends), shape=(q, n))
        rows.eliminate_zeros()
        return rows, np.where(distances[:, 0] == 0, indices[:, 0], -1)

    def _placed(self, X: Any, values: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Average ``values`` (n, p) over one step of the walk from new rows; rows that were fitted keep ``places``."""
        with threads(self.n_jobs):
            weights, known = self._weigh(X)
            found = self.operator_.extend(weights, values)
        found[known >= 0] = places[known[known >= 0]]
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = "precomputed" in (self.metric, self.kernel)
        return tags


def check_components(n_components: int, n: int) -> int:
    """Return the number of eigenfunctions to compute, or raise if the graph has too few."""
    count = check_int(n_components, "n_components", minimum=1)
    if count > n - 1:
        raise ValueError(
            f"n_components={count} is more than the {n - 1} eigenvectors that {n} rows have besides the trivial one."
        )
    return count


def warn_components(n_connected: int, n_components: int) -> None:
    """Say that leading eigenfunctions of a graph in pieces only tell the pieces apart."""
    if n_connected > 1:
        warnings.warn(
            f"the neighbour graph falls into {n_connected} components, which the first "
            f"{min(n_connected - 1, n_components)} axes only tell apart; use more neighbours, or map each by itself.",
            UserWarning,
            stacklevel=3,
        )
