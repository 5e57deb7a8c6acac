"""Diffusion maps: coordinates whose distances are those between the clouds that random walks become."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils.validation import check_is_fitted

from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, derive_seed
from holonomy._core.validation import check_float
from holonomy.embed._diffusion_base import DiffusionBase, check_components, warn_components
from holonomy.graphs import NeighborGraph, knee_point

LONGEST_AUTOMATIC = 100
"""Largest time among which an automatic one is chosen."""

SMALLEST_EIGENVALUE = 1e-10
"""Smallest eigenvalue of the walk, in magnitude, whose eigenfunction is extended to new rows at time 0."""


class DiffusionMaps(ClassNamePrefixFeaturesOutMixin, DiffusionBase):
    """Diffusion maps.

    A random walk on the data steps to neighbours by a kernel of their distance. Coordinates are the eigenfunctions of
    the walk times their eigenvalues to the power t; with all of them, squared distances on the map are the sums of
    ``(p_t(x, z) - p_t(y, z))^2 / pi(z)`` over z, for the probabilities p_t of where the walk is after t steps and the
    stationary distribution pi. New rows are placed by Nystroem's extension.

    Parameters
    ----------
    n_components : int, default 2
        Dimensions of the map, at most n - 1.
    n_neighbors : int, default 64
        Size of a neighbourhood, the point itself included, >= 2. Take it large enough for the kernel to fade within
        the list. Reduced with a warning where there are fewer rows.
    alpha : float, default 1.0
        How much of the sampling density to divide out, in [0, 1]: 0 is the walk of the graph, 1/2 the Fokker-Planck
        diffusion, 1 the Laplace-Beltrami operator whatever the density.
    t : float, "auto" or "multiscale", default 1
        Steps of the walk, >= 0; 0 leaves the eigenfunctions unscaled. ``"auto"`` is the knee of the von Neumann
        entropy; ``"multiscale"`` sums over all times from 1 on, which multiplies by ``lambda / (1 - lambda)``.
    metric : str or callable, default "euclidean"
        See `holonomy.graphs.neighbors`. With ``"precomputed"``, X holds distances of shape (n, n).
    metric_kwds : dict, optional
        Further arguments of the metric.
    kernel : {"gaussian", "adaptive", "alpha_decay", "fuzzy", "binary", "precomputed"}, default "gaussian"
        The function of that name in `holonomy.graphs` (``"fuzzy"`` is `fuzzy_simplicial_set`). A point's weight to
        itself is 1. With ``"precomputed"``, X holds an affinity (n, n).
    kernel_kwds : dict, optional
        Its arguments. For ``"gaussian"`` the bandwidth is ``"slope"`` by default, the one at which the total weight
        grows fastest; ``{"bandwidth": 0.3}`` sets it.
    random_state : int, Generator, RandomState or None, default None
        Seed of the neighbour search and the eigensolver.
    n_jobs : int, optional
        Threads; None and -1 use what is available.

    Attributes
    ----------
    embedding_ : ndarray of float64, shape (n, n_components)
        The map.
    eigenvalues_ : ndarray, shape (n_components,)
        Of the walk after the trivial one, descending, in [-1, 1].
    eigenvectors_ : ndarray, shape (n, n_components)
        Eigenfunctions of the walk; the mean of their squares under pi is 1.
    t_ : float
        The time used; infinite for ``"multiscale"``.
    bandwidth_ : float or None
        That of a Gaussian kernel.
    affinity_ : csr_array of shape (n, n)
        Weights before the density is divided out.
    operator_ : DiffusionOperator
        The walk.
    knn_ : NeighborGraph or None
        The neighbours.
    n_connected_components_ : int
        Number of pieces of the graph; with c of them, the first c - 1 axes only tell these apart.
    n_features_in_ : int
        Number of columns of X.

    Raises
    ------
    ValueError
        On bad data or parameters, naming what is wrong.

    Warns
    -----
    UserWarning
        If the graph falls into several components.

    References
    ----------
    Coifman, Lafon (2006). Diffusion maps. Applied and Computational Harmonic Analysis 21, 5-30.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import DiffusionMaps
    >>> angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    >>> circle = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(200)])
    >>> model = DiffusionMaps(t=0, random_state=0).fit(circle)
    >>> np.linalg.norm(model.embedding_, axis=1).round(3)[:3].tolist()
    [1.414, 1.414, 1.414]
    >>> np.allclose(model.transform(circle[:5]), model.embedding_[:5])
    True
    """

    _references = ("coifman2006diffusion", "bengio2003outofsample")

    def __init__(
        self,
        n_components: int = 2,
        *,
        n_neighbors: int = 64,
        alpha: float = 1.0,
        t: float | str = 1,
        metric: Any = "euclidean",
        metric_kwds: dict[str, Any] | None = None,
        kernel: str = "gaussian",
        kernel_kwds: dict[str, Any] | None = None,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.alpha = alpha
        self.t = t
        self.metric = metric
        self.metric_kwds = metric_kwds
        self.kernel = kernel
        self.kernel_kwds = kernel_kwds
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
            Neighbours of the rows of X found before; at least ``n_neighbors - 1`` for each row are needed.

        Returns
        -------
        DiffusionMaps
            The fitted estimator.
        """
        self._check_time()
        with threads(self.n_jobs):
            self._fit_operator(X, graph, self.alpha)
            count = check_components(self.n_components, self.operator_.n_points)
            warn_components(self.n_connected_components_, count)
            spectrum = self.operator_.spectrum(count, random_state=derive_seed(self._seed, "spectrum"))
            self.eigenvalues_, self.eigenvectors_ = 1.0 - spectrum.eigenvalues, spectrum.eigenvectors
            self.t_ = self._time()
        self.bandwidth_ = getattr(self._kernel, "bandwidth_", None) if self.kernel != "precomputed" else None
        self.embedding_ = self.eigenvectors_ * self._decays()
        return self

    def fit_transform(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> np.ndarray:
        """Make the map of X and return it, shape (n, n_components); see `fit`."""
        return self.fit(X, y, graph=graph).embedding_

    def transform(self, X: Any) -> np.ndarray:
        """Place new rows on the map, each by itself.

        A row at distance zero from a row of the fitted data takes that row's place.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (m, d)
            New rows; their distances or weights to the fitted rows, (m, n), where these are "precomputed".

        Returns
        -------
        ndarray of float64, shape (m, n_components)
        """
        check_is_fitted(self)
        walk, decays = self.eigenvalues_, self._decays()
        # An eigenvalue of 0 has nothing to continue, and its axis is 0 at any time after 0.
        factors = np.divide(decays, walk, out=np.zeros_like(walk), where=np.abs(walk) > SMALLEST_EIGENVALUE)
        return self._placed(X, self.eigenvectors_ * factors, self.embedding_)

    def _check_time(self) -> None:
        if isinstance(self.t, str):
            if self.t not in ("auto", "multiscale"):
                raise ValueError(f"t must be a number of at least 0, 'auto' or 'multiscale', got {self.t!r}.")
            return
        check_float(self.t, "t", minimum=0.0)

    def _time(self) -> float:
        if self.t == "multiscale":
            if self.n_connected_components_ > 1:
                raise ValueError(
                    f"t='multiscale' needs a connected graph, but it falls into {self.n_connected_components_} "
                    "components, between which a walk never mixes; use more neighbours or a number."
                )
            return np.inf
        if self.t == "auto":
            times = np.arange(1, LONGEST_AUTOMATIC + 1)
            entropy = self.operator_.entropy(times, random_state=derive_seed(self._seed, "entropy"))
            return float(times[knee_point(times, entropy)])
        if float(self.t) != int(self.t) and self.eigenvalues_.min() < 0:
            raise ValueError(
                f"t={self.t} is not whole, but the walk has the eigenvalue {self.eigenvalues_.min():.3g} below 0; "
                "use a whole t or fewer components."
            )
        return float(self.t)

    def _decays(self) -> np.ndarray:
        """Return what multiplies each eigenfunction."""
        if np.isinf(self.t_):
            return self.eigenvalues_ / (1.0 - self.eigenvalues_)
        return np.power(self.eigenvalues_, int(self.t_) if self.t_ == int(self.t_) else self.t_)

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]
