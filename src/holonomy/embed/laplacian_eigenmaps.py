"""Laplacian eigenmaps: the smoothest functions on a neighbour graph as coordinates."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils.validation import check_is_fitted

from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, derive_seed
from holonomy.embed._diffusion_base import DiffusionBase, check_components, warn_components
from holonomy.graphs import NeighborGraph

SMALLEST_EIGENVALUE = 1e-10
"""Smallest eigenvalue of the walk, in magnitude, whose eigenfunction is extended to new rows."""


class LaplacianEigenmaps(ClassNamePrefixFeaturesOutMixin, DiffusionBase):
    """Laplacian eigenmaps.

    Coordinates are the solutions f of ``L f = lambda D f`` with the smallest eigenvalues after the constant one: the
    map on which neighbours differ least, on average over the edges, for a given spread. New rows are placed by
    Nystroem's extension, which continues each coordinate as the eigenfunction it is.

    Parameters
    ----------
    n_components : int, default 2
        Dimensions of the map, at most n - 1.
    n_neighbors : int, default 15
        Size of a neighbourhood, the point itself included, >= 2. Reduced with a warning where there are fewer rows.
    metric : str or callable, default "euclidean"
        See `holonomy.graphs.neighbors`. With ``"precomputed"``, X holds distances of shape (n, n).
    metric_kwds : dict, optional
        Further arguments of the metric.
    kernel : {"binary", "gaussian", "adaptive", "alpha_decay", "fuzzy", "precomputed"}, default "binary"
        Weights of the edges: 1, or the function of that name in `holonomy.graphs` (``"fuzzy"`` is
        `fuzzy_simplicial_set`). A point's weight to itself is 1. With ``"precomputed"``, X holds an affinity (n, n).
    kernel_kwds : dict, optional
        Arguments of that function; ``{"bandwidth": "slope"}`` is the default for ``"gaussian"``.
    random_state : int, Generator, RandomState or None, default None
        Seed of the neighbour search and the eigensolver.
    n_jobs : int, optional
        Threads; None and -1 use what is available.

    Attributes
    ----------
    embedding_ : ndarray of float64, shape (n, n_components)
        The map: each axis has mean 0 and mean square 1 under the degrees, its entry of largest magnitude positive.
    eigenvalues_ : ndarray, shape (n_components,)
        Of the normalised Laplacian, ascending, in [0, 2].
    affinity_ : csr_array of shape (n, n)
        Weights of the edges.
    operator_ : DiffusionOperator
        The walk on them.
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
    Belkin, Niyogi (2003). Laplacian eigenmaps for dimensionality reduction and data representation. Neural Computation
    15, 1373-1396.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import LaplacianEigenmaps
    >>> angle = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    >>> circle = np.column_stack([np.cos(angle), np.sin(angle), np.zeros(100)])
    >>> Z = LaplacianEigenmaps(n_neighbors=5, random_state=0).fit_transform(circle)
    >>> np.linalg.norm(Z, axis=1).round(3)[:3].tolist()
    [1.414, 1.414, 1.414]
    """

    _references = ("belkin2003laplacian", "bengio2003outofsample")

    def __init__(
        self,
        n_components: int = 2,
        *,
        n_neighbors: int = 15,
        metric: Any = "euclidean",
        metric_kwds: dict[str, Any] | None = None,
        kernel: str = "binary",
        kernel_kwds: dict[str, Any] | None = None,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors
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
        LaplacianEigenmaps
            The fitted estimator.
        """
        with threads(self.n_jobs):
            self._fit_operator(X, graph, alpha=0.0)
            count = check_components(self.n_components, self.operator_.n_points)
            warn_components(self.n_connected_components_, count)
            spectrum = self.operator_.spectrum(count, random_state=derive_seed(self._seed, "spectrum"))
        self.eigenvalues_, self.embedding_ = spectrum.eigenvalues, spectrum.eigenvectors
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
            An axis whose eigenvalue of the walk is 0 cannot be continued: there new rows get 0.
        """
        check_is_fitted(self)
        walk = 1.0 - self.eigenvalues_
        factors = np.divide(1.0, walk, out=np.zeros_like(walk), where=np.abs(walk) > SMALLEST_EIGENVALUE)
        return self._placed(X, self.embedding_ * factors, self.embedding_)

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]
