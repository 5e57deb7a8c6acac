"""UMAP: a map whose fuzzy neighbourhoods agree with those of the data."""

from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from holonomy._core.memory import check_memory
from holonomy._core.parallel import threads
from holonomy._core.persistence import Persistent
from holonomy._core.random import RandomState, check_seed
from holonomy._core.validation import as_numpy, check_option
from holonomy.embed._snapshots import check_epochs
from holonomy.embed._umap_graph import connect, without_duplicates
from holonomy.embed._umap_layout import (
    Connections,
    lay_out,
    layout_device,
    layout_options,
    map_space,
    transform_options,
)
from holonomy.embed._umap_memory import advice, memory_of
from holonomy.embed._umap_new_rows import filled, index_again, place_rows, rows_at
from holonomy.embed.composition import contrast, intersection, union
from holonomy.embed.density import log_radii, map_log_radii
from holonomy.embed.layout import LayoutOptions
from holonomy.embed.supervision import joined_targets, target_array
from holonomy.graphs import NeighborGraph, NeighborIndex

OUTPUTS_OF_SOME_FITS = ("embedding_", "embedding_list_", "init_used_", "rad_emb_", "rad_orig_", "unique_inverse_")
"""Fitted attributes that depend on the parameters, and that no later fit may inherit."""


class UMAP(Persistent, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Uniform Manifold Approximation and Projection.

    Every point is connected to its nearest neighbours with a membership that fades at the pace of its own
    neighbourhood; the memberships of both directions are joined; the map is the layout whose memberships, as a
    function of distance on the map, have the least cross-entropy to these. Parameters have umap-learn's names and
    meaning. One seed gives the same map for any number of threads. Fitted models of the same rows combine:
    ``one * two`` maps what both hold, ``one + two`` what any of them holds, ``one - two`` what only the first holds.

    Parameters
    ----------
    n_neighbors : int, default 15
        Size of a neighbourhood, the point itself included, >= 2. Small values show detail, large ones the whole.
        Reduced with a warning where there are fewer rows.
    n_components : int, default 2
        Dimensions of the map.
    metric : str or callable, default "euclidean"
        See `holonomy.graphs.neighbors`. With ``"precomputed"``, X holds distances of shape (n, n).
    metric_kwds : dict, optional
        Further arguments of the metric.
    n_epochs : int or list of int, optional
        Passes of the layout, >= 1; 500 up to 10,000 rows and 200 beyond, and 200 more with ``densmap``. With a list, as
        many as its largest number, and the maps after each are kept in ``embedding_list_``.
    learning_rate : float, default 1.0
        First step of the layout.
    init : {"spectral", "pca", "random"} or array of shape (n, n_components), default "spectral"
        Start of the layout; ``"tswspectral"`` is another name of ``"spectral"``.
    min_dist : float, default 0.1
        Distance within which points may be packed on the map, in [0, spread].
    spread : float, default 1.0
        Scale of the map.
    set_op_mix_ratio : float, default 1.0
        1 joins both directions of an edge by fuzzy union, 0 by intersection.
    local_connectivity : float, default 1.0
        Number of nearest neighbours every point is surely connected to.
    repulsion_strength : float, default 1.0
        Weight of negative samples.
    negative_sample_rate : int, default 5
        Negative samples for every sampled edge.
    a, b : float, optional
        Curve 1 / (1 + a d^(2b)) of the map; fitted to ``min_dist`` and ``spread`` where None.
    output_metric : str or Manifold, default "euclidean"
        Space of the map: ``"haversine"`` (the sphere; latitude and longitude in radians), ``"hyperboloid"``
        (hyperbolic space; space-like coordinates), ``"gaussian_energy"``, ``"diagonal_gaussian_energy"`` or
        ``"spherical_gaussian_energy"`` (Gaussians in the plane: mean, variances, angle), or another distance; see
        `output_geometry`. Or any space of `holonomy.manifolds` whose dimension is ``n_components``: there the layout
        runs along geodesics, by the verbs ``log`` and ``exp``, in double precision and less fast. It should be wide
        beside ``spread``, such as ``Sphere(2, curvature=0.05)`` is.
    output_metric_kwds : dict, optional
        Its parameters.
    densmap : bool, default False
        Whether the density of the map shall follow that of the data (densMAP); Euclidean maps only.
    dens_lambda : float, default 2.0
        Weight of the correlation of log radii beside the cross-entropy, >= 0.
    dens_frac : float, default 0.3
        Share of the epochs, the last ones, that look at density, in [0, 1].
    dens_var_shift : float, default 0.1
        Added to the variance of the map's log radii, >= 0.
    output_dens : bool, default False
        Whether to measure local radii, with densMAP or without.
    target_metric : str or callable, default "categorical"
        How targets y differ: ``"categorical"``, ``"ordinal"``, ``"count"``, ``"string"``, or a metric of
        `holonomy.graphs.neighbors`; see `supervised_graph`.
    target_metric_kwds : dict, optional
        Further arguments of the target metric.
    target_n_neighbors : int, default -1
        Size of a neighbourhood of targets that are not discrete; -1 takes ``n_neighbors``.
    target_weight : float, default 0.5
        Weight of the targets, from 0 (only the data) to 1 (only the targets).
    disconnection_distance : float, optional
        Distance from which on rows are not neighbours. Where None, the largest distance of a bounded metric (1 for
        jaccard, dice and hellinger, 2 for cosine and correlation), else infinity.
    unique : bool, default False
        Whether rows that are equal are mapped as one. The targets are those of the first.
    precomputed_knn : tuple of arrays (indices, distances), optional
        Neighbours found before, each of shape (n, k), the row itself usually listed first; -1 for no neighbour.
    transform_seed : int, default 42
        Seed of `transform`.
    transform_mode : {"embedding", "graph"}, default "embedding"
        With ``"graph"``, the fit stops at the fuzzy graph, and `transform` returns memberships of new rows to it.
    random_state : int, Generator, RandomState or None, default None
        Seed.
    device : str, torch.device or None, default None
        Where the map is made: None by compiled code on the CPU; ``"cuda"``, ``"cuda:1"``, ``"auto"`` (a GPU where there
        is one) or ``"cpu"`` by torch. There the layout runs and, for dense rows with the Euclidean or cosine metric,
        the search of neighbours, which is exact; all else, and `transform`, runs on the CPU. Not with ``densmap``, nor
        with another ``output_metric``.
    n_jobs : int, optional
        Threads; None and -1 use what is available.

    Attributes
    ----------
    embedding_ : ndarray of float32, shape (n, n_components)
        The map. Rows that have no neighbours (see ``disconnection_distance``) are NaN. On a manifold, float64 and
        points of it, flattened: ``embedding_.reshape(-1, *manifold.shape)``.
    embedding_list_ : list of ndarray of float32, shape (n, n_components)
        With a list of ``n_epochs``, the maps after each, in ascending order.
    graph_ : csr_array of shape (n, n)
        Symmetric memberships; with ``unique``, of the m rows that differ, shape (m, m).
    unique_inverse_ : ndarray of int, shape (n,)
        With ``unique``, the row of ``graph_`` that each row of X equals.
    knn_ : NeighborGraph
        The neighbours, with the measured recall of their search.
    recall_ : float or None
        That recall.
    sigmas_, rhos_ : ndarray of float32, shape (n,)
        Local scales of the rows of ``graph_``; see `holonomy.graphs.smooth_neighbor_distances`.
    rad_orig_, rad_emb_ : ndarray of float32, shape (n,)
        With ``output_dens``, log local radii of the data and of the map; see `log_radii`.
    init_used_ : str
        How the layout started; not ``"spectral"`` where that did not converge.
    a_, b_ : float
        The curve used.
    n_epochs_ : int
        The number of epochs used.
    n_features_in_ : int
        Number of columns of X.

    Raises
    ------
    ValueError
        On bad data or parameters, naming what is wrong.

    Notes
    -----
    With a ``device``, one seed gives the same map on the same kind of device with the same version of torch (on its
    ``"cpu"``, with the same number of threads). The forces, their order and the random numbers are those of the
    compiled code, but devices round differently, and a layout of many epochs turns that into another map as good as
    the first. Fitted and saved models hold nothing of the device, and can be used where there is none.

    What umap-learn has and this has not, and why, is said on the page about moving from it.

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.
    Narayan, Berger, Cho (2021). Assessing single-cell transcriptomic variability through density-preserving data
    visualization. Nature Biotechnology 39, 765-774.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from holonomy.embed import UMAP
    >>> umap = UMAP(n_epochs=50, random_state=0).fit(load_iris().data)
    >>> umap.embedding_.shape
    (150, 2)
    >>> umap.transform(load_iris().data[:3]).shape
    (3, 2)
    >>> umap.inverse_transform(umap.embedding_[:3]).shape
    (3, 4)
    >>> from holonomy.manifolds import Sphere
    >>> globe = UMAP(n_epochs=20, output_metric=Sphere(2, curvature=0.05), random_state=0)
    >>> globe.fit_transform(load_iris().data).shape
    (150, 3)
    """

    _references = ("mcinnes2018umap",)

    _not_saved = ("_index", "_searcher")

    _index: NeighborIndex | None = None
    _searcher: NeighborIndex | None = None
    _searched: tuple[int, int] | None = None
    knn_: NeighborGraph
    graph_: sparse.csr_array

    def __init__(
        self,
        n_neighbors: int = 15,
        n_components: int = 2,
        *,
        metric: Any = "euclidean",
        metric_kwds: dict[str, Any] | None = None,
        n_epochs: Any = None,
        learning_rate: float = 1.0,
        init: Any = "spectral",
        min_dist: float = 0.1,
        spread: float = 1.0,
        set_op_mix_ratio: float = 1.0,
        local_connectivity: float = 1.0,
        repulsion_strength: float = 1.0,
        negative_sample_rate: int = 5,
        a: float | None = None,
        b: float | None = None,
        output_metric: Any = "euclidean",
        output_metric_kwds: dict[str, Any] | None = None,
        densmap: bool = False,
        dens_lambda: float = 2.0,
        dens_frac: float = 0.3,
        dens_var_shift: float = 0.1,
        output_dens: bool = False,
        target_metric: Any = "categorical",
        target_metric_kwds: dict[str, Any] | None = None,
        target_n_neighbors: int = -1,
        target_weight: float = 0.5,
        disconnection_distance: float | None = None,
        unique: bool = False,
        precomputed_knn: Any = None,
        transform_seed: int = 42,
        transform_mode: str = "embedding",
        random_state: RandomState = None,
        device: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.n_components = n_components
        self.metric = metric
        self.metric_kwds = metric_kwds
        self.n_epochs = n_epochs
        self.learning_rate = learning_rate
        self.init = init
        self.min_dist = min_dist
        self.spread = spread
        self.set_op_mix_ratio = set_op_mix_ratio
        self.local_connectivity = local_connectivity
        self.repulsion_strength = repulsion_strength
        self.negative_sample_rate = negative_sample_rate
        self.a = a
        self.b = b
        self.output_metric = output_metric
        self.output_metric_kwds = output_metric_kwds
        self.densmap = densmap
        self.dens_lambda = dens_lambda
        self.dens_frac = dens_frac
        self.dens_var_shift = dens_var_shift
        self.output_dens = output_dens
        self.target_metric = target_metric
        self.target_metric_kwds = target_metric_kwds
        self.target_n_neighbors = target_n_neighbors
        self.target_weight = target_weight
        self.disconnection_distance = disconnection_distance
        self.unique = unique
        self.precomputed_knn = precomputed_knn
        self.transform_seed = transform_seed
        self.transform_mode = transform_mode
        self.random_state = random_state
        self.device = device
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> Self:
        """Make the map of X.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d), or distances (n, n) with ``metric="precomputed"``
            The data, n >= 2.
        y : array-like of shape (n,) or (n, t), optional
            Targets that the map shall respect, see ``target_metric``. A category of -1, None or NaN is not known.
        graph : NeighborGraph, optional
            Neighbours of the rows of X found before; at least ``n_neighbors - 1`` for each row are needed.

        Returns
        -------
        UMAP
            The fitted estimator.
        """
        X = self._rows(X, reset=True)
        check_option(self.transform_mode, "transform_mode", ("embedding", "graph"))
        check_seed(self.transform_seed)
        options = layout_options(self, X.shape[0])
        map_space(self)
        layout_device(self)
        targets = None if y is None else target_array(y, X.shape[0], self.target_metric)
        check_memory(self.peak_memory(X), f"a map of {X.shape[0]} x {X.shape[1]} data", advice(X.shape[0]))
        self._seed = check_seed(self.random_state)
        for name in OUTPUTS_OF_SOME_FITS:
            self.__dict__.pop(name, None)
        with threads(self.n_jobs):
            if self.unique:
                X, targets, self.unique_inverse_ = without_duplicates(self, X, targets, graph)
            self._X, self._y = X, targets
            self._connect(graph)
            if self.transform_mode == "embedding":
                kept = () if self.n_epochs is None else check_epochs(self.n_epochs)[1]
                self._lay_out(self.init, options, kept)
        self.a_, self.b_, self.n_epochs_ = options.a, options.b, options.n_epochs
        return self

    def fit_transform(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> np.ndarray:
        """Make the map of X and return it, shape (n, n_components); see `fit`."""
        self.fit(X, y, graph=graph)
        return self.embedding_ if self.transform_mode == "embedding" else self.graph_

    def transform(self, X: Any) -> np.ndarray:
        """Place new rows on the map.

        Every row is placed by itself, the same whatever other rows are in the call and however often it is asked. A
        row at distance zero from a row of the fitted data takes that row's place; one that has no neighbours (see
        ``disconnection_distance``) has none, and is NaN.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (m, d)
            New rows; with ``metric="precomputed"``, their distances to the fitted rows, shape (m, n).

        Returns
        -------
        ndarray of float32, shape (m, n_components)
            On a manifold of float64, as ``embedding_`` is. With ``transform_mode="graph"``, memberships to the fitted
            rows, a csr_array of shape (m, n).
        """
        check_is_fitted(self, "graph_")
        if self._X is None:
            raise ValueError("a combination of models has no rows of its own, so that new ones cannot be placed in it.")
        X = self._rows(X, reset=False)
        with threads(self.n_jobs):
            if self._index is None:
                self._index = index_again(self)
            return place_rows(self, X, self._index)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Find rows of data for places on the map, each by itself and repeatably; see `decode`.

        Parameters
        ----------
        X : array-like of shape (m, n_components)
            Places on the map, best among those of fitted rows.

        Returns
        -------
        ndarray of shape (m, d)

        Raises
        ------
        ValueError
            Where the data are sparse or a precomputed matrix, or their metric has no gradient.
        """
        check_is_fitted(self, "graph_")
        with threads(self.n_jobs):
            return rows_at(self, X)

    def update(self, X: Any, y: Any = None) -> Self:
        """Add rows to the fitted data, and let the map settle around them.

        New rows start where `transform` places them; then all rows move, gently, for as many epochs as there.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (m, d)
            New rows.
        y : array-like of shape (m,) or (m, t), optional
            Their targets; needed where the model was fitted with targets other than categories, which may be unknown.

        Returns
        -------
        UMAP
            This estimator; ``embedding_`` has the new rows after the old ones.

        Raises
        ------
        ValueError
            With ``metric="precomputed"``, ``unique`` or ``transform_mode="graph"``, or where targets are missing.
        """
        check_is_fitted(self, "graph_")
        if self._X is None or self.metric == "precomputed" or self.unique or self.transform_mode == "graph":
            raise ValueError(
                "update needs the rows and a map: neither metric='precomputed', unique=True nor transform_mode='graph'."
            )
        start = np.concatenate([self.embedding_, self.transform(X)])
        X = self._rows(X, reset=False)
        self._y = joined_targets(self._y, y, X.shape[0], self.target_metric)
        self._X = sparse.vstack([self._X, X], format="csr") if sparse.issparse(X) else np.concatenate([self._X, X])
        with threads(self.n_jobs):
            self._connect(None)
            self._lay_out(filled(self, start), transform_options(self, self._X.shape[0]))
        return self

    def peak_memory(self, X: Any) -> int:
        """Estimate the bytes that `fit` would take at its peak, beyond what X takes.

        `fit` refuses data for which this is more than is available, or than ``HOLONOMY_MEMORY_LIMIT`` says.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            The data; only their shape and type are looked at.

        Returns
        -------
        int
            Bytes.
        """
        return memory_of(self, X)

    def __mul__(self, other: "UMAP") -> "UMAP":
        """Map what this and another model of the same rows agree on."""
        return intersection(self, other) if isinstance(other, UMAP) else NotImplemented

    def __add__(self, other: "UMAP") -> "UMAP":
        """Map what this or another model of the same rows holds."""
        return union(self, other) if isinstance(other, UMAP) else NotImplemented

    def __sub__(self, other: "UMAP") -> "UMAP":
        """Map what this model holds and another of the same rows does not."""
        return contrast(self, other) if isinstance(other, UMAP) else NotImplemented

    def _fit_graph(self, graph: sparse.csr_array) -> None:
        """Lay out a fuzzy graph of rows that are not at hand."""
        options = layout_options(self, graph.shape[0])
        self._X, self._y, self._seed, self.graph_ = None, None, check_seed(self.random_state), graph
        self.a_, self.b_, self.n_epochs_ = options.a, options.b, options.n_epochs
        with threads(self.n_jobs):
            self._lay_out("spectral", options)

    def _rows(self, X: Any, *, reset: bool) -> Any:
        return validate_data(
            self,
            as_numpy(X),
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            ensure_min_samples=2 if reset else 1,
            reset=reset,
        )

    def _connect(self, graph: NeighborGraph | None) -> None:
        """Make the fuzzy graph of the rows and their targets."""
        self._index, self._searcher = None, None
        found = connect(self, self._X, self._y, graph, self._seed)
        self._index = self._searcher = found.index
        self._searched = found.breadth
        self.knn_, self.graph_, self.sigmas_, self.rhos_ = found.knn, found.graph, found.sigmas, found.rhos
        self.recall_ = found.knn.recall

    def _lay_out(self, init: Any, options: LayoutOptions, kept: tuple[int, ...] = ()) -> None:
        """Make the map of the fuzzy graph, and those after some epochs."""
        data = Connections(self.graph_, self.__dict__.get("knn_"), None if self.metric == "precomputed" else self._X)
        maps, self.init_used_ = lay_out(self, data, init, options, self._seed, kept)
        if self.output_dens:
            self.rad_orig_ = self._of_all_rows(log_radii(self.graph_, self.knn_))
            self.rad_emb_ = self._of_all_rows(map_log_radii(maps[0], self.knn_.n_neighbors))
        self.embedding_, *self.embedding_list_ = map(self._of_all_rows, maps)
        if not kept:
            del self.embedding_list_

    def _of_all_rows(self, values: np.ndarray) -> np.ndarray:
        """Return values of the rows of the graph for all rows of X."""
        return values[self.unique_inverse_] if self.unique else values

    def _places(self) -> np.ndarray:
        """Coordinates of the rows of the graph."""
        if not self.unique:
            return self.embedding_
        return self.embedding_[np.unique(self.unique_inverse_, return_index=True)[1]]

    def _saved_state(self) -> dict[str, Any]:
        if self._searcher is not None:
            self._searched = self._searcher.breadth
        return super()._saved_state()

    def _used_references(self) -> tuple[str, ...]:
        if self.densmap:
            return ("narayan2021densmap",)
        # A manifold may have some; a name has none.
        return getattr(self.output_metric, "_references", ())

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1] if self.transform_mode == "embedding" else self.graph_.shape[1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self.metric == "precomputed"
        is_named = isinstance(self.output_metric, str)
        tags.transformer_tags.preserves_dtype = ["float32" if is_named else "float64"]
        return tags
