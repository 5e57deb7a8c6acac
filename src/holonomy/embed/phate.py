"""PHATE: a map of how differently random walks see the rest of the data."""

import warnings
from typing import Any, Self

import numpy as np
from scipy.spatial.distance import cdist

from holonomy._core.parallel import threads
from holonomy._core.random import RandomState
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.embed._distance_map import THRESHOLD, DistanceMap, check_decay, decaying_list_length
from holonomy.graphs import DiffusionOperator, NeighborGraph, knee_point
from holonomy.graphs._dense import squared_distances

LONGEST_AUTOMATIC = 100
"""Largest time among which an automatic one is chosen."""

OFFSET = 1e-7
"""What is added to probabilities before their logarithm."""


class PHATE(DistanceMap):
    """Potential of Heat-diffusion for Affinity-based Trajectory Embedding.

    A random walk steps to neighbours by a kernel that is flat within each point's own scale and falls off steeply.
    After t steps, the negative logarithms of its probabilities are the potentials of a point; multidimensional scaling
    maps the Euclidean distances between potentials. Parameters have phate's names and meaning. One seed gives the same
    map for any number of threads.

    Parameters
    ----------
    n_components : int, default 2
        Dimensions of the map.
    knn : int, default 5
        The neighbour (not counting the point itself) whose distance is a point's scale. Reduced with a warning where
        there are fewer rows.
    decay : float or None, default 40
        Steepness of the kernel ``exp(-(d / scale)^decay)`` > 0; None joins the ``knn`` neighbours by weights of 1.
    n_landmark : int or None, default 2000
        Clusters that stand for the points where there are more than that, at most 5,000; None takes all points.
    t : int or "auto", default "auto"
        Steps of the walk, >= 1; by default the knee of the von Neumann entropy over 1 to 100.
    gamma : float, default 1
        Potential: 1 is ``-log(p + 1e-7)``, other values in [-1, 1) are ``2 / (1 - gamma) p^((1 - gamma) / 2)``: 0 the
        square root, -1 the probabilities themselves.
    n_pca : int or None, default 100
        Principal axes among which neighbours are searched where there are more columns (dense rows, Euclidean metric).
    knn_dist : str or callable, default "euclidean"
        Metric of the neighbours, see `holonomy.graphs.neighbors`. With ``"precomputed"``, X holds distances (n, n);
        with ``"precomputed_affinity"``, a symmetric affinity.
    knn_max : int or None, default None
        Most neighbours a point is joined to; by default as many as the kernel reaches.
    mds : {"metric", "classic", "nonmetric"}, default "metric"
        Kind of multidimensional scaling. Metric scaling starts from classical, non-metric from metric.
    mds_solver : {"sgd", "smacof"}, default "sgd"
        How metric scaling descends: by pairs, or by majorisation. See `stochastic_mds` and `metric_mds`.
    mds_dist : str, default "euclidean"
        Metric between potentials, one of `scipy.spatial.distance.cdist`.
    random_landmarking : bool, default False
        Whether landmarks are random points instead of clusters.
    random_state : int, Generator, RandomState or None, default None
        Seed.
    n_jobs : int, optional
        Threads; None and -1 use what is available.

    Attributes
    ----------
    embedding_ : ndarray of float64, shape (n, n_components)
        The map.
    t_ : int
        Steps taken.
    entropy_ : tuple of two ndarrays, or None
        Times and the entropy at each, where t was chosen.
    potential_ : ndarray, shape (m, m)
        Potentials of the points, or of the landmarks, one a row.
    stress_ : float or None
        Normalised stress of the scaling; None of classical scaling.
    operator_ : DiffusionOperator
        The walk on the points.
    landmarks_ : Landmarks or None
        What it was compressed to.
    affinity_ : csr_array of shape (n, n)
        Weights, 1 of a point to itself.
    knn_ : NeighborGraph or None
        The neighbours.
    n_connected_components_ : int
        Number of pieces of the graph.
    n_features_in_ : int
        Number of columns of X.

    Raises
    ------
    ValueError
        On bad data or parameters, naming what is wrong; on rows that are all equal.

    Warns
    -----
    UserWarning
        If the graph falls into several components: distances between these are then all alike.

    Notes
    -----
    Of phate's parameters, ``verbose`` is left out (a progress bar appears on a terminal) and ``n_jobs`` does not change
    the result. Times may differ from phate's by a step or two, as the entropy here is that of eigenvalues, and beyond
    1,000 points or landmarks an estimate of it.

    References
    ----------
    Moon et al. (2019). Visualizing structure and transitions in high-dimensional biological data. Nature Biotechnology
    37, 1482-1492.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from holonomy.embed import PHATE
    >>> model = PHATE(random_state=0).fit(load_iris().data)
    >>> model.embedding_.shape, model.transform(load_iris().data[:3]).shape
    ((150, 2), (3, 2))
    """

    _references = ("moon2019visualizing",)

    metric_kwds: None = None

    def __init__(
        self,
        n_components: int = 2,
        knn: int = 5,
        decay: float | None = 40,
        n_landmark: int | None = 2000,
        t: int | str = "auto",
        gamma: float = 1,
        n_pca: int | None = 100,
        mds_solver: str = "sgd",
        knn_dist: Any = "euclidean",
        knn_max: int | None = None,
        mds_dist: str = "euclidean",
        mds: str = "metric",
        random_landmarking: bool = False,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.knn = knn
        self.decay = decay
        self.n_landmark = n_landmark
        self.t = t
        self.gamma = gamma
        self.n_pca = n_pca
        self.mds_solver = mds_solver
        self.knn_dist = knn_dist
        self.knn_max = knn_max
        self.mds_dist = mds_dist
        self.mds = mds
        self.random_landmarking = random_landmarking
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> Self:
        """Make the map of X.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            The data; distances or an affinity of shape (n, n) where ``knn_dist`` says so.
        y : ignored
            Present for scikit-learn's pipelines.
        graph : NeighborGraph, optional
            Neighbours of the rows of X found before; three times ``knn`` are enough for the default kernel.

        Returns
        -------
        PHATE
            The fitted estimator.
        """
        check_option(self.mds, "mds", ("metric", "classic", "nonmetric"))
        check_option(self.mds_solver, "mds_solver", ("sgd", "smacof"))
        check_float(self.gamma, "gamma", minimum=-1.0, maximum=1.0)
        if self.t != "auto":
            check_int(self.t, "t", minimum=1)
        if self.decay is not None:
            check_decay(self.decay)
        with threads(self.n_jobs):
            self._fit_operator(X, graph, 0.0)
            if self.n_connected_components_ > 1:
                warnings.warn(
                    f"the neighbour graph falls into {self.n_connected_components_} components, between which all "
                    "distances come out alike; raise knn, or map each by itself.",
                    UserWarning,
                    stacklevel=2,
                )
            operator = self._compress(self._most_landmarks(), "random" if self.random_landmarking else "clusters")
            self._walk(operator)
            self._scale(self._distances(), self.mds, self.mds_solver, None, 0.0)
        return self

    def fit_transform(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> np.ndarray:
        """Make the map of X and return it, shape (n, n_components); see `fit`."""
        return self.fit(X, y, graph=graph).embedding_

    @property
    def metric(self) -> Any:
        """The metric of the neighbour search."""
        return "euclidean" if self.kernel == "precomputed" else self.knn_dist

    @property
    def kernel(self) -> str:
        """The kind of kernel."""
        if isinstance(self.knn_dist, str) and self.knn_dist == "precomputed_affinity":
            return "precomputed"
        return "binary" if self.decay is None else "alpha_decay"

    def _kernel_arguments(self) -> dict[str, Any] | None:
        if self.kernel != "alpha_decay":
            return None
        return {"neighbor": self._rank(), "decay": self.decay, "threshold": THRESHOLD}

    def _wanted_rank(self) -> tuple[int, str]:
        return self.knn, "knn"

    def _list_length(self, rank: int) -> int:
        if self.knn_max is not None:
            return check_int(self.knn_max, "knn_max", minimum=rank)
        return rank if self.decay is None else decaying_list_length(rank, self.decay)

    def _most_landmarks(self) -> int:
        if self.n_landmark is None:
            return self.operator_.n_points
        return check_int(self.n_landmark, "n_landmark", minimum=2, maximum=5000)

    def _walk(self, operator: DiffusionOperator) -> None:
        """Set ``t_``, ``entropy_`` and ``potential_``."""
        self.entropy_: tuple[np.ndarray, np.ndarray] | None = None
        self.t_ = 0 if self.t == "auto" else int(self.t)
        if self.t == "auto":
            times = np.arange(1, LONGEST_AUTOMATIC + 1)
            self.entropy_ = times, operator.entropy(times)
            self.t_ = int(times[knee_point(*self.entropy_, "lines")])
        probabilities = np.maximum(operator.walk_kernel(self.t_), 0.0)
        if self.gamma == 1:
            self.potential_ = -np.log(probabilities + OFFSET)
        else:
            self.potential_ = 2.0 / (1.0 - self.gamma) * probabilities ** ((1.0 - self.gamma) / 2.0)

    def _distances(self) -> np.ndarray:
        if self.mds_dist == "euclidean":
            distances = np.sqrt(squared_distances(self.potential_))
        else:
            distances = cdist(self.potential_, self.potential_, self.mds_dist)
        distances = 0.5 * (distances + distances.T)
        np.fill_diagonal(distances, 0.0)
        return distances
