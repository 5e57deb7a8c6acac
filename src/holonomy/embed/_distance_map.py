"""What maps of diffusion distances share: kernel, landmarks, multidimensional scaling, places of other points."""

import warnings
from abc import abstractmethod
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils.validation import check_is_fitted

from holonomy._core.random import derive_seed
from holonomy._core.validation import check_float, check_int, check_points
from holonomy.embed._diffusion_base import DiffusionBase
from holonomy.embed._projection import ProjectedIndex
from holonomy.embed.classical_scaling import classical_mds
from holonomy.embed.stochastic_scaling import stochastic_mds
from holonomy.embed.stress import metric_mds, nonmetric_mds
from holonomy.graphs import DiffusionOperator, Landmarks, NeighborGraph, NeighborIndex, landmarks
from holonomy.graphs._sparse import check_graph

THRESHOLD = 1e-4
"""Least weight that the alpha-decaying kernel keeps."""

STARTS = 2
"""Starts of the scaling: a classical one, which may lead into a poor minimum, and a random one."""


class DistanceMap(ClassNamePrefixFeaturesOutMixin, DiffusionBase):
    """Fits an operator, compresses it, scales the distances a subclass makes of it, and places all points.

    Subclasses have the parameters ``n_components, n_pca, random_state, n_jobs`` and say by the methods below what
    their others mean.
    """

    @abstractmethod
    def _wanted_rank(self) -> tuple[int, str]:
        """Return the neighbour whose distance is a point's scale, and the name of the parameter that says so."""

    @abstractmethod
    def _list_length(self, rank: int) -> int:
        """Return how many neighbours to search for."""

    def _rank(self) -> int:
        """Return the neighbour whose distance is a point's scale, within what there is."""
        wanted, name = self._wanted_rank()
        return min(check_int(wanted, name, minimum=1), self._X.shape[0] - 1)

    def _neighbors(self, X: Any, graph: NeighborGraph | None) -> NeighborGraph:
        """Return neighbours for the kernel; hides that of the base class, whose lists are the neighbourhoods."""
        n, rank = X.shape[0], self._rank()
        wanted, name = self._wanted_rank()
        if wanted > n - 1:
            warnings.warn(
                f"{name}={wanted} asks for more neighbours than the {n} rows of X give; using {n - 1}.",
                UserWarning,
                stacklevel=5,
            )
        if graph is None:
            self._index = self._new_index(X)
            graph = self._index.graph(min(self._list_length(rank), n - 1))
        elif check_graph(graph).n_points != n or graph.n_neighbors < rank:
            raise ValueError(
                f"graph must hold {n} points with at least {rank} neighbours each, got {graph.n_points} with "
                f"{graph.n_neighbors}."
            )
        if not graph.distances[np.isfinite(graph.distances)].any():
            raise ValueError("all rows of X are equal as far as their neighbours show; there is nothing to map.")
        return graph

    def _new_index(self, X: Any) -> Any:
        """Return a neighbour index, of principal axes where there are more columns than wanted."""
        n_axes = None if self.n_pca is None else check_int(self.n_pca, "n_pca", minimum=1)
        is_euclidean = isinstance(self.metric, str) and self.metric in ("euclidean", "l2")
        if n_axes is None or not is_euclidean or sparse.issparse(X) or X.shape[1] <= n_axes:
            return super()._new_index(X)
        return ProjectedIndex(np.asarray(X), n_axes, derive_seed(self._seed, "neighbors"), self.n_jobs)

    def _compress(self, n_landmarks: int, method: str) -> DiffusionOperator:
        """Set ``landmarks_``, None where there are few enough points, and return the operator to measure."""
        self.landmarks_: Landmarks | None = None
        if self.operator_.n_points <= n_landmarks:
            return self.operator_
        self.landmarks_ = landmarks(
            self.operator_, n_landmarks, method=method, random_state=derive_seed(self._seed, "landmarks")
        )
        return self.landmarks_.operator

    def _scale(self, distances: np.ndarray, mds: str, solver: str, weights: np.ndarray | None, power: float) -> None:
        """Set ``embedding_``, ``stress_`` and the values that new rows average."""
        m = check_int(self.n_components, "n_components", minimum=1)
        seed = derive_seed(self._seed, "scaling")
        places, self.stress_ = _scaled(distances, m, mds, solver, weights, power, seed)
        self._values = places
        self.embedding_ = places
        if self.landmarks_ is not None:
            self.embedding_ = self.landmarks_.interpolate(places)
            self._values = places[self.landmarks_.labels]

    def transform(self, X: Any) -> np.ndarray:
        """Place new rows on the map, each by itself: at the mean of where one step of the walk leads.

        A row at distance zero from a row of the fitted data takes that row's place.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (m, d)
            New rows; where distances or an affinity were given, those of new rows to the fitted ones, (m, n).

        Returns
        -------
        ndarray of float64, shape (m, n_components)
        """
        check_is_fitted(self)
        return self._placed(X, self._values, self.embedding_)

    def inverse_transform(self, Z: Any, n_neighbors: int = 10) -> np.ndarray:
        """Find rows of data for places on the map, each by itself.

        A row is the mean of the fitted rows nearest to the place, weighted by ``exp(-(d / s)^2)`` with s the distance
        of the farthest of them.

        Parameters
        ----------
        Z : array-like of shape (m, n_components)
            Places on the map.
        n_neighbors : int, default 10
            Number of fitted rows to average; fewer where there are fewer.

        Returns
        -------
        ndarray of float64, shape (m, n_features_in_)

        Raises
        ------
        ValueError
            If the shape does not fit, or the map was made of distances or affinities, which have no rows.
        """
        check_is_fitted(self)
        places = check_points(Z, name="Z")
        if places.shape[1] != self.embedding_.shape[1]:
            raise ValueError(f"Z must have {self.embedding_.shape[1]} columns, got {places.shape[1]}.")
        if "precomputed" in (self.metric, self.kernel):
            raise ValueError("a map of precomputed distances or affinities has no rows to return to.")
        k = min(check_int(n_neighbors, "n_neighbors", minimum=1), len(self.embedding_))
        indices, distances = NeighborIndex(self.embedding_, n_jobs=self.n_jobs).query(places, k)
        reach = np.maximum(distances[:, -1:].astype(np.float64), np.finfo(np.float64).tiny)
        weights = np.exp(-((distances / reach) ** 2))
        weights /= weights.sum(axis=1, keepdims=True)
        ends = np.arange(0, indices.size + 1, k)
        average = sparse.csr_array((weights.ravel(), indices.ravel(), ends), shape=(len(places), len(self.embedding_)))
        rows = average @ self._X
        return rows.toarray() if sparse.issparse(rows) else rows

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]


def check_decay(decay: Any) -> float:
    """Return the steepness of an alpha-decaying kernel, or raise."""
    checked = check_float(decay, "decay", minimum=0.0)
    if checked == 0.0:
        raise ValueError("decay must be positive, got 0.")
    return checked


def decaying_list_length(rank: int, decay: float) -> int:
    """Return how many neighbours an alpha-decaying kernel can reach, with some to spare, at most 20 times its rank."""
    reach = (-np.log(THRESHOLD)) ** (1.0 / decay)
    return int(np.ceil(rank * np.clip(reach**4, 3.0, 20.0)))


def _scaled(
    distances: np.ndarray,
    n_components: int,
    mds: str,
    solver: str,
    weights: np.ndarray | None,
    power: float,
    seed: int,
) -> tuple[np.ndarray, float | None]:
    """Return coordinates and their stress, None of classical scaling."""
    if mds == "classic":
        return classical_mds(distances, n_components, random_state=seed).embedding, None
    if solver == "smacof":
        if power:
            positive = np.maximum(distances, 1e-3 * distances.max())
            weights = positive**-power * (1.0 if weights is None else weights)
        found = metric_mds(distances, n_components, weights=weights, random_state=seed)
    else:
        found = stochastic_mds(
            distances, n_components, weights=weights, weight_power=power, n_init=STARTS, random_state=seed
        )
    if mds == "nonmetric":
        found = nonmetric_mds(distances, n_components, init=found.embedding, random_state=seed)
    return found.embedding, found.stress
