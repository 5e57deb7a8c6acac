"""Heat geodesic embedding: a map of the geodesic distances that heat flow on the data estimates."""

import warnings
from typing import Any, Self

import numpy as np

from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, derive_seed
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.embed._distance_map import THRESHOLD, DistanceMap, check_decay, decaying_list_length
from holonomy.graphs import DiffusionOperator, NeighborGraph, heat_distances, knee_point
from holonomy.graphs._dense import squared_distances
from holonomy.graphs.laplacians import NORMALIZATIONS
from holonomy.graphs.varadhan import NOISE

AUTOMATIC_TIMES = np.linspace(0.05, 50.0, 20)
"""Times among which an automatic one is chosen."""

AUTOMATIC_LANDMARKS = 2_000
WHOLE_UP_TO = 2_500
"""Most points that are taken whole where the number of landmarks is left to choose."""

KERNELS = ("adaptive", "alpha_decay", "binary", "entropic", "fuzzy", "gaussian", "precomputed")


class HeatGeodesic(DistanceMap):
    """Heat geodesic embedding.

    Heat flows on the neighbour graph for a time t; the logarithm of how much arrives estimates the squared geodesic
    distance (Varadhan), corrected for the volume around the points so that t can be large enough to smooth noise;
    multidimensional scaling maps these distances. PHATE and maps like SNE are settings of it, see Notes.

    Parameters
    ----------
    n_components : int, default 2
        Dimensions of the map.
    n_neighbors : int, default 10
        The neighbour (not counting the point itself) whose distance is a point's scale. Reduced with a warning where
        there are fewer rows.
    decay : float, default 40
        Steepness > 0 of the kernel ``exp(-(d / scale)^decay)`` of ``kernel="alpha_decay"``.
    anisotropy : float, default 0
        How much of the sampling density to divide out of the weights, in [0, 1].
    t : float, "auto" or sequence of float, default "auto"
        Time > 0. By default the knee of the entropy of the heat over 20 times from 0.05 to 50. The distances of several
        times are averaged with weights ``1 - t / sum(t)``.
    heat : {"auto", "chebyshev", "euler", "exact"}, default "auto"
        How heat flows, see `DiffusionOperator.heat`; by default exactly up to 2,500 points or landmarks.
    order : int, optional
        Degree of the Chebyshev series or number of Euler steps; by default enough for rounding accuracy, or 32.
    laplacian : {"combinatorial", "symmetric", "random_walk"}, default "combinatorial"
        Which Laplacian the heat flows by; it changes the unit of t.
    harnack : float, default 1.0
        Strength of the volume correction, in [0, 1.5]; 0 is Varadhan's formula alone, and better where noise hides the
        manifold. With 1 a point is at distance 0 from itself, and rolls with little noise are measured best.
    log_normalize : bool, default False
        Whether logarithms of heat are divided by that of t; times must then exceed 1.
    denoise : float, default 0.0
        Share rho in [0, 1] of a triplet step, ``(1 - rho) D_ij + rho |D_i. - D_j.|``: distances between points by how
        they see all others.
    scale : float, default 1
        Power > 0 of the distances; 2 spreads clusters.
    mds : {"sgd", "smacof", "classic", "nonmetric"}, default "sgd"
        Multidimensional scaling: metric by pairs or by majorisation, classical, or non-metric.
    mds_weights : None, "heat", "gaussian" or float, default None
        Weights of pairs in metric scaling: all 1; the heat (plus 1e-5); ``exp(-(D / mean D)^2)``; or ``D^-q``.
    n_landmarks : int, None or "auto", default "auto"
        Clusters that stand for the points where there are more, at most 5,000; by default 2,000 beyond 2,500 points;
        None takes all points.
    kernel : str, default "alpha_decay"
        ``"alpha_decay"``, ``"binary"`` (neighbours by weights of 1), ``"fuzzy"``, ``"entropic"``, ``"adaptive"`` or
        ``"gaussian"``; or ``"precomputed"``: X is a symmetric affinity (n, n).
    kernel_kwds : dict, optional
        Arguments of the kernels other than ``"alpha_decay"``, such as ``{"perplexity": 10}``.
    n_pca : int, optional
        Principal axes among which neighbours are searched where there are more columns (dense rows, Euclidean metric).
    metric : str or callable, default "euclidean"
        See `holonomy.graphs.neighbors`. With ``"precomputed"``, X holds distances of shape (n, n).
    metric_kwds : dict, optional
        Further arguments of the metric.
    disconnected : {"warn", "error"}, default "warn"
        What to do about a graph in pieces: set pairs in different pieces to the largest finite distance and warn, or
        raise.
    random_state : int, Generator, RandomState or None, default None
        Seed.
    n_jobs : int, optional
        Threads; None and -1 use what is available.

    Attributes
    ----------
    embedding_ : ndarray of float64, shape (n, n_components)
        The map.
    heat_distances_ : ndarray, shape (m, m)
        Distances of the points, or of the landmarks.
    far_share_ : float
        Share of pairs that no heat reached; the largest at any of the times.
    t_ : float or ndarray
        Time or times used.
    entropy_ : tuple of two ndarrays, or None
        Times and the entropy at each, where t was chosen.
    stress_ : float or None
        Normalised stress of the scaling; None of classical scaling.
    operator_ : DiffusionOperator
        The diffusion on the points.
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
        On bad data or parameters, naming what is wrong; on rows that are all equal; on a graph in pieces if asked; on a
        correction that takes off all distances.

    Warns
    -----
    UserWarning
        If the graph falls into several components, or no heat reached more than half of the pairs.

    Notes
    -----
    ``denoise=1, harnack=0`` at the time that corresponds to PHATE's number of steps compares ``-4 t log H`` row by row:
    PHATE's potential distances up to a factor. With small t, ``harnack=0`` and ``mds_weights="gaussian"`` only near
    pairs count, as in SNE. Scaling the data by c leaves the kernels, which follow the neighbour distances, and so the
    map as they are: distances are in units of the graph, not of the data.

    References
    ----------
    Huguet et al. (2023). A heat diffusion perspective on geodesic preserving dimensionality reduction. NeurIPS 36.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import HeatGeodesic
    >>> arc = np.linspace(0, 3, 100)
    >>> model = HeatGeodesic(1, n_neighbors=4, random_state=0).fit(np.column_stack([np.cos(arc), np.sin(arc)]))
    >>> bool(abs(np.corrcoef(model.embedding_[:, 0], arc)[0, 1]) > 0.99)
    True
    """

    _references = ("huguet2023heat", "varadhan1967behavior")

    def __init__(
        self,
        n_components: int = 2,
        n_neighbors: int = 10,
        *,
        decay: float = 40,
        anisotropy: float = 0,
        t: Any = "auto",
        heat: str = "auto",
        order: int | None = None,
        laplacian: str = "combinatorial",
        harnack: float = 1.0,
        log_normalize: bool = False,
        denoise: float = 0.0,
        scale: float = 1,
        mds: str = "sgd",
        mds_weights: Any = None,
        n_landmarks: int | str | None = "auto",
        kernel: str = "alpha_decay",
        kernel_kwds: dict[str, Any] | None = None,
        n_pca: int | None = None,
        metric: Any = "euclidean",
        metric_kwds: dict[str, Any] | None = None,
        disconnected: str = "warn",
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.decay = decay
        self.anisotropy = anisotropy
        self.t = t
        self.heat = heat
        self.order = order
        self.laplacian = laplacian
        self.harnack = harnack
        self.log_normalize = log_normalize
        self.denoise = denoise
        self.scale = scale
        self.mds = mds
        self.mds_weights = mds_weights
        self.n_landmarks = n_landmarks
        self.kernel = kernel
        self.kernel_kwds = kernel_kwds
        self.n_pca = n_pca
        self.metric = metric
        self.metric_kwds = metric_kwds
        self.disconnected = disconnected
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> Self:
        """Make the map of X.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            The data; distances or an affinity of shape (n, n) where these are "precomputed".
        y : ignored
            Present for scikit-learn's pipelines.
        graph : NeighborGraph, optional
            Neighbours of the rows of X found before; three times ``n_neighbors`` are enough for the default kernel.

        Returns
        -------
        HeatGeodesic
            The fitted estimator.
        """
        times = self._checked_times()
        self._check_options()
        with threads(self.n_jobs):
            self._fit_operator(X, graph, self.anisotropy, self.laplacian)
            self._mind_components()
            operator = self._compress(self._most_landmarks(), "clusters")
            if self.landmarks_ is not None:
                operator = self._in_the_unit_of_the_points(operator)
            method = self._heat_method(operator)
            self.entropy_: tuple[np.ndarray, np.ndarray] | None = None
            if times is None:
                seed = derive_seed(self._seed, "spread")
                spread = operator.heat_spread(AUTOMATIC_TIMES, method=method, order=self.order, random_state=seed)
                self.entropy_ = AUTOMATIC_TIMES, spread
                times = AUTOMATIC_TIMES[[knee_point(*self.entropy_)]]
            self.t_: Any = float(times[0]) if len(times) == 1 else times
            heat = self._measure(operator, times, method)
            self._scale(self.heat_distances_, *self._scaling(), *self._weights(heat))
        return self

    def fit_transform(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> np.ndarray:
        """Make the map of X and return it, shape (n, n_components); see `fit`."""
        return self.fit(X, y, graph=graph).embedding_

    def _checked_times(self) -> np.ndarray | None:
        """Return the given times, None where they are to be chosen."""
        if isinstance(self.t, str):
            check_option(self.t, "t", ("auto",))
            return None
        times = np.array([check_float(time, "t", minimum=0.0) for time in np.atleast_1d(np.asarray(self.t))])
        if len(times) == 0 or (times == 0).any():
            raise ValueError(f"t must be positive, got {self.t!r}.")
        if self.log_normalize and (times <= 1).any():
            raise ValueError(f"log_normalize=True divides by log t, which needs times above 1; got t={self.t!r}.")
        return times

    def _check_options(self) -> None:
        check_option(self.heat, "heat", ("auto", "chebyshev", "euler", "exact"))
        check_option(self.laplacian, "laplacian", NORMALIZATIONS)
        check_option(self.mds, "mds", ("sgd", "smacof", "classic", "nonmetric"))
        check_option(self.kernel, "kernel", KERNELS)
        check_decay(self.decay)
        check_option(self.disconnected, "disconnected", ("warn", "error"))
        check_float(self.denoise, "denoise", minimum=0.0, maximum=1.0)
        check_float(self.harnack, "harnack", minimum=0.0, maximum=1.5)
        if isinstance(self.mds_weights, str):
            check_option(self.mds_weights, "mds_weights", ("heat", "gaussian"))
        elif self.mds_weights is not None:
            check_float(self.mds_weights, "mds_weights", minimum=0.0)

    def _kernel_arguments(self) -> dict[str, Any] | None:
        if self.kernel == "alpha_decay":
            return {"neighbor": self._rank(), "decay": self.decay, "threshold": THRESHOLD, **(self.kernel_kwds or {})}
        return self.kernel_kwds

    def _wanted_rank(self) -> tuple[int, str]:
        return self.n_neighbors, "n_neighbors"

    def _list_length(self, rank: int) -> int:
        if self.kernel == "alpha_decay":
            return decaying_list_length(rank, self.decay)
        return 3 * rank if self.kernel in ("entropic", "gaussian", "adaptive") else rank

    def _most_landmarks(self) -> int:
        n = self.operator_.n_points
        if self.n_landmarks is None:
            return n
        if isinstance(self.n_landmarks, str):
            check_option(self.n_landmarks, "n_landmarks", ("auto",))
            return n if n <= WHOLE_UP_TO else AUTOMATIC_LANDMARKS
        return check_int(self.n_landmarks, "n_landmarks", minimum=2, maximum=5000)

    def _mind_components(self) -> None:
        if self.n_connected_components_ == 1:
            return
        message = (
            f"the neighbour graph falls into {self.n_connected_components_} components, between which no heat flows; "
            "raise n_neighbors, or map each by itself."
        )
        if self.disconnected == "error":
            raise ValueError(message)
        warnings.warn(f"{message} Their points are set at the largest distance found.", UserWarning, stacklevel=3)

    def _in_the_unit_of_the_points(self, operator: DiffusionOperator) -> DiffusionOperator:
        """Scale the weights between landmarks so that a combinatorial Laplacian has the points' unit of time."""
        factor = self.operator_.degrees.mean() / operator.degrees.mean()
        return DiffusionOperator(operator.weights * factor, self.laplacian)

    def _heat_method(self, operator: DiffusionOperator) -> str:
        if self.heat != "auto":
            return self.heat
        return "exact" if operator.n_points <= WHOLE_UP_TO else "chebyshev"

    def _measure(self, operator: DiffusionOperator, times: np.ndarray, method: str) -> np.ndarray:
        """Set ``heat_distances_`` and ``far_share_``; return the heat kernel, averaged like the distances."""
        shares = np.ones(1) if len(times) == 1 else (1.0 - times / times.sum()) / (len(times) - 1)
        n = operator.n_points
        total, heat, self.far_share_ = np.zeros((n, n)), np.zeros((n, n)), 0.0
        noise = 0.0 if method == "euler" else NOISE
        for time, share in zip(times, shares, strict=True):
            kernel = operator.heat_kernel(float(time), method=method, order=self.order)
            found = heat_distances(kernel, float(time), harnack=self.harnack, scale=self.scale, noise=noise)
            unit = np.log(time) ** (-0.5 * self.scale) if self.log_normalize else 1.0
            total += (share * unit) * found.distances
            heat += share * np.maximum(kernel, 0.0)
            self.far_share_ = max(self.far_share_, found.far_share)
        if not total.any():
            raise ValueError(
                f"the volume correction harnack={self.harnack} takes off all of the distances at t={self.t_}; lower it."
            )
        if self.far_share_ > 0.5 and self.n_connected_components_ == 1:
            warnings.warn(
                f"no heat reached {self.far_share_:.0%} of the pairs in time t={self.t_}; they all count as equally "
                "far. Raise t.",
                UserWarning,
                stacklevel=3,
            )
        if self.denoise:
            seen = np.sqrt(squared_distances(total, total))
            seen = 0.5 * (seen + seen.T)
            np.fill_diagonal(seen, 0.0)
            total = (1.0 - self.denoise) * total + self.denoise * seen
        self.heat_distances_ = total
        return heat

    def _scaling(self) -> tuple[str, str]:
        """Return the kind of scaling and the solver of its metric part."""
        if self.mds in ("sgd", "smacof"):
            return "metric", self.mds
        return self.mds, "sgd"

    def _weights(self, heat: np.ndarray) -> tuple[np.ndarray | None, float]:
        """Return weights of pairs, if any, and the power of the distances that multiplies them."""
        if self.mds_weights is None:
            return None, 0.0
        if isinstance(self.mds_weights, str):
            if self.mds_weights == "heat":
                return 0.5 * (heat + heat.T) + 1e-5, 0.0
            distances = self.heat_distances_
            return np.exp(-((distances / distances.mean()) ** 2)), 0.0
        return None, float(self.mds_weights)
