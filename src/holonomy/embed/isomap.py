"""Isomap: coordinates whose distances are the lengths of shortest paths along a neighbour graph."""

import warnings
from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils.validation import check_is_fitted

from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, check_seed, derive_seed
from holonomy._core.validation import check_int, check_option
from holonomy.embed._neighbor_base import NeighborBase
from holonomy.embed.classical_scaling import classical_mds
from holonomy.graphs import (
    NeighborGraph,
    connected_components,
    extend_geodesics,
    farthest_points,
    geodesics,
)
from holonomy.graphs._signs import orient
from holonomy.graphs.shortest_paths import connected_lengths

ALL_UP_TO = 2000
"""Most rows of which all are landmarks unless told otherwise."""

LANDMARKS, FEWEST_LANDMARKS = 1000, 100
LANDMARKS_AT_ONCE = 16
DISTANCES = 2**28
"""Distances from landmarks that are held at most unless told otherwise: 2 GiB."""


class Isomap(ClassNamePrefixFeaturesOutMixin, NeighborBase):
    """Isometric feature mapping, with landmarks so that it scales.

    Distances along the data are the lengths of shortest paths on the neighbour graph; classical multidimensional
    scaling finds the coordinates whose distances are nearest to these. With landmarks only these are scaled, and every
    other point is placed by its distances to them. Time is that of one pass over the graph for each landmark.

    Parameters
    ----------
    n_components : int, default 2
        Dimensions of the map.
    n_neighbors : int, default 10
        Size of a neighbourhood, the point itself included, >= 2. Too many make shortcuts between parts of the data
        that are close in space but not along it. Reduced with a warning where there are fewer rows.
    metric : str or callable, default "euclidean"
        See `holonomy.graphs.neighbors`. With ``"precomputed"``, X holds distances of shape (n, n).
    metric_kwds : dict, optional
        Further arguments of the metric.
    n_landmarks : int, optional
        Landmarks, spread by farthest-point sampling, more than ``n_components``. By default all rows up to 2,000;
        beyond, 1,000 or as many as 2 GiB of distances hold, at least 100.
    conformal : bool, default False
        Divide the length of each edge by the mean neighbour distances at its ends, which undoes a local scaling
        of the data where sampling was uniform before it (C-Isomap).
    connect : {"nearest", "error"}, default "nearest"
        What to do when the graph falls apart: tie each component to the larger ones by an edge between their nearest
        points, with a warning, or refuse.
    random_state : int, Generator, RandomState or None, default None
        Seed of the neighbour search and the eigensolver.
    n_jobs : int, optional
        Threads; None and -1 use what is available.

    Attributes
    ----------
    embedding_ : ndarray of float64, shape (n, n_components)
        The map, centred, along its principal axes, in units of the distance.
    landmarks_ : ndarray of int64, shape (m,)
        Rows that are landmarks.
    landmark_distances_ : ndarray of float64, shape (m, n)
        Distances along the graph from the landmarks to all rows.
    eigenvalues_ : ndarray, shape (n_components,)
        Largest eigenvalues of the scaling of the landmarks; an axis with one of at most 0 is all zeros.
    residual_variance_ : float
        1 - R^2 of the distances on the map against those along the graph, between landmarks and all rows. Its elbow
        over ``n_components`` shows the dimension.
    n_connected_components_ : int
        Number of pieces of the neighbour graph before they were tied.
    knn_ : NeighborGraph
        The neighbours.
    n_features_in_ : int
        Number of columns of X.

    Raises
    ------
    ValueError
        On bad data or parameters, naming what is wrong.

    Warns
    -----
    UserWarning
        If the neighbour graph falls into several components, which are then tied.

    References
    ----------
    Tenenbaum, de Silva, Langford (2000). A global geometric framework for nonlinear dimensionality reduction. Science
    290, 2319-2323.

    de Silva, Tenenbaum (2002). Global versus local methods in nonlinear dimensionality reduction. Advances in Neural
    Information Processing Systems 15.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.datasets import make_swiss_roll
    >>> from holonomy.embed import Isomap
    >>> roll = make_swiss_roll(1000, random_state=0)
    >>> model = Isomap(n_landmarks=100, random_state=0).fit(roll.X)
    >>> bool(model.residual_variance_ < 0.01)
    True
    """

    _references = ("tenenbaum2000global",)

    def __init__(
        self,
        n_components: int = 2,
        *,
        n_neighbors: int = 10,
        metric: Any = "euclidean",
        metric_kwds: dict[str, Any] | None = None,
        n_landmarks: int | None = None,
        conformal: bool = False,
        connect: str = "nearest",
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.metric_kwds = metric_kwds
        self.n_landmarks = n_landmarks
        self.conformal = conformal
        self.connect = connect
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> Self:
        """Make the map of X.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d), or distances (n, n) with ``metric="precomputed"``
            The data.
        y : ignored
            Present for scikit-learn's pipelines.
        graph : NeighborGraph, optional
            Neighbours of the rows of X found before; at least ``n_neighbors - 1`` for each row are needed.

        Returns
        -------
        Isomap
            The fitted estimator.
        """
        X = self._validated(X, reset=True)
        check_int(self.n_components, "n_components", minimum=1)
        check_option(self.connect, "connect", ("error", "nearest"))
        n_landmarks = self._landmark_count(X.shape[0])
        self._seed = check_seed(self.random_state)
        with threads(self.n_jobs):
            self.knn_ = self._neighbors(X, graph)
            lengths = self._lengths(X)
            if n_landmarks == X.shape[0]:
                self.landmarks_ = np.arange(n_landmarks)
                self.landmark_distances_ = geodesics(lengths, self.landmarks_)
            else:
                found = farthest_points(lengths, n_landmarks)
                self.landmarks_, self.landmark_distances_ = found.indices, found.distances
            self._scale()
        return self

    def fit_transform(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> np.ndarray:
        """Make the map of X and return it, shape (n, n_components); see `fit`."""
        return self.fit(X, y, graph=graph).embedding_

    def transform(self, X: Any) -> np.ndarray:
        """Place new rows on the map by their distances to the landmarks, through their nearest neighbours.

        Every row is placed by itself. A row at distance zero from a row of the fitted data takes that row's place.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (q, d)
            New rows; with ``metric="precomputed"``, their distances to the fitted rows, shape (q, n).

        Returns
        -------
        ndarray of float64, shape (q, n_components)
        """
        check_is_fitted(self)
        X = self._validated(X, reset=False)
        with threads(self.n_jobs):
            indices, distances = self._query(X, self.knn_.n_neighbors)
            steps = distances.astype(np.float64)
            if self.conformal:
                steps /= np.sqrt(_mean_distances(distances)[:, None] * self._local[indices])
            placed = self._place(extend_geodesics(indices, steps, self.landmark_distances_))
        known = distances[:, 0] == 0
        placed[known] = self.embedding_[indices[known, 0]]
        return placed

    def _landmark_count(self, n: int) -> int:
        if self.n_landmarks is None:
            return n if n <= ALL_UP_TO else min(LANDMARKS, max(FEWEST_LANDMARKS, DISTANCES // n))
        count = check_int(self.n_landmarks, "n_landmarks", minimum=1)
        if not self.n_components < count <= n:
            raise ValueError(
                f"n_landmarks must be more than n_components={self.n_components} and at most the {n} rows of X, "
                f"got {count}."
            )
        return count

    def _lengths(self, X: Any) -> sparse.csr_array:
        """Return the lengths of the edges of a connected graph."""
        self.n_connected_components_ = connected_components(self.knn_)[0]
        if self.n_connected_components_ > 1 and self.connect == "nearest":
            warnings.warn(
                f"the neighbour graph falls into {self.n_connected_components_} components, which are tied by edges "
                "between their nearest points; distances between them mean little. Use more neighbours, or map each by "
                "itself.",
                UserWarning,
                stacklevel=3,
            )
        lengths = connected_lengths(self.knn_, self.connect, X)
        if not self.conformal:
            return lengths
        self._local = _mean_distances(self.knn_.distances)
        rows = np.repeat(np.arange(len(self._local)), np.diff(lengths.indptr))
        scaled = lengths.data / np.sqrt(self._local[rows] * self._local[lengths.indices])
        return sparse.csr_array((scaled, lengths.indices, lengths.indptr), shape=lengths.shape)

    def _scale(self) -> None:
        """Scale the distances between landmarks to coordinates, and place all rows."""
        between = self.landmark_distances_[:, self.landmarks_]
        # Paths there and back are added up in another order.
        between = 0.5 * (between + between.T)
        self._scaling = classical_mds(between, self.n_components, random_state=derive_seed(self._seed, "scaling"))
        self.eigenvalues_ = self._scaling.eigenvalues
        self._shift, self._rotation = np.zeros(self.n_components), np.eye(self.n_components)
        if len(self.landmarks_) == self.landmark_distances_.shape[1]:
            self.embedding_ = self._scaling.embedding
        else:
            placed = self._place(self.landmark_distances_.T)
            self._shift = placed.mean(axis=0)
            _, axes = np.linalg.eigh((placed - self._shift).T @ (placed - self._shift))
            self._rotation = axes[:, ::-1]
            turned = (placed - self._shift) @ self._rotation
            self._rotation = self._rotation * np.where((orient(turned, axis=0) * turned).sum(axis=0) < 0, -1.0, 1.0)
            self.embedding_ = self._place(self.landmark_distances_.T)
        self.residual_variance_ = self._residual_variance()

    def _place(self, distances: np.ndarray) -> np.ndarray:
        """Return coordinates (q, n_components) from distances to the landmarks (q, m)."""
        moved = self._scaling.place(distances) - self._shift
        return np.einsum("qd,de->qe", moved, self._rotation, optimize=False)

    def _residual_variance(self) -> float:
        m, n = self.landmark_distances_.shape
        sums, products = np.zeros(2), np.zeros((2, 2))
        # A block of landmarks at a time; values are taken relative to their root mean square, and then centred.
        scale = max(float(np.sqrt(np.einsum("mn,mn->", *[self.landmark_distances_] * 2) / (m * n))), 1e-300)
        for first in range(0, m, LANDMARKS_AT_ONCE):
            given = self.landmark_distances_[first : first + LANDMARKS_AT_ONCE].ravel() / scale
            here = self.embedding_[self.landmarks_[first : first + LANDMARKS_AT_ONCE]]
            pair = np.stack([given, cdist(here, self.embedding_).ravel() / scale])
            sums += pair.sum(axis=1)
            products += np.einsum("ik,jk->ij", pair, pair, optimize=False)
        covariance = products / (m * n) - np.outer(sums, sums) / (m * n) ** 2
        spread = covariance[0, 0] * covariance[1, 1]
        if spread <= 1e-24:
            return 0.0 if np.allclose(np.diag(covariance), 0.0) else 1.0
        return float(1.0 - covariance[0, 1] ** 2 / spread)

    def _used_references(self) -> tuple[str, ...]:
        few = len(self.landmarks_) < self.landmark_distances_.shape[1] if hasattr(self, "landmarks_") else False
        return ("desilva2002global",) if few or self.conformal else ()

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]


def _mean_distances(distances: np.ndarray) -> np.ndarray:
    """Return each row's mean finite distance, 1 where that is 0."""
    finite = np.isfinite(distances)
    sums = np.where(finite, distances, 0.0).sum(axis=1, dtype=np.float64)
    means = sums / np.maximum(finite.sum(axis=1), 1)
    return np.where(means > 0, means, 1.0)
