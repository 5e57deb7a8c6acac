"""UMAP: a map whose fuzzy neighbourhoods agree with those of the data."""

import warnings
from dataclasses import replace
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from holonomy._core.device import resolve_device
from holonomy._core.memory import check_memory
from holonomy._core.parallel import threads
from holonomy._core.persistence import Persistent
from holonomy._core.random import RandomState, check_seed, derive_seed
from holonomy._core.validation import as_numpy, check_float, check_int, check_option
from holonomy.embed._distinct_rows import distinct_rows
from holonomy.embed._given_neighbors import graph_of_arrays
from holonomy.embed._placement import settle
from holonomy.embed._snapshots import Snapshots, check_epochs
from holonomy.embed._umap_memory import advice, peak_memory
from holonomy.embed.composition import contrast, intersection, union
from holonomy.embed.curve import fit_curve
from holonomy.embed.density import DensityForce, log_radii, map_log_radii
from holonomy.embed.initialization import initial_layout
from holonomy.embed.inverse import decode
from holonomy.embed.layout import EUCLIDEAN, LayoutOptions, optimize_layout, row_keys
from holonomy.embed.output_space import OutputGeometry, given_start, output_geometry
from holonomy.embed.supervision import joined_targets, supervised_graph, target_array
from holonomy.graphs import NeighborGraph, NeighborIndex, fuzzy_simplicial_set, smooth_neighbor_distances
from holonomy.graphs.fuzzy import query_memberships

SMALL = 10_000
"""Most rows for which the layout takes 500 epochs instead of 200."""

OUTPUTS_OF_SOME_FITS = ("embedding_", "embedding_list_", "init_used_", "rad_emb_", "rad_orig_", "unique_inverse_")
"""Fitted attributes that depend on the parameters, and that no later fit may inherit."""

LARGEST_DISTANCES = {"correlation": 2.0, "cosine": 2.0, "dice": 1.0, "hellinger": 1.0, "jaccard": 1.0}
"""What bounded metrics say of rows that have nothing in common."""


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
    output_metric : str, default "euclidean"
        Space of the map: ``"haversine"`` (the sphere; latitude and longitude in radians), ``"hyperboloid"``
        (hyperbolic space; space-like coordinates), ``"gaussian_energy"``, ``"diagonal_gaussian_energy"`` or
        ``"spherical_gaussian_energy"`` (Gaussians in the plane: mean, variances, angle), or another distance; see
        `output_geometry`.
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
        The map. Rows that have no neighbours (see ``disconnection_distance``) are NaN.
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

    Parameters of umap-learn that are not here: ``low_memory``, ``angular_rp_forest``,
    ``force_approximation_algorithm`` and ``transform_queue_size`` steer a neighbour search that is not ours;
    ``verbose`` and ``tqdm_kwds`` a progress bar that here appears by itself; ``ensure_all_finite`` lets NaN pass.
    Metrics of umap-learn that are not here: those of packed bits, ``"tsss"``, ``"true_angular"`` (an order of rows by
    cosine) and transport around a circle; a function of two rows may be passed instead.
    Target metrics of umap-learn that are not here: ``"myers"`` is the distance of ``"string"`` computed otherwise,
    and ``"hierarchical_categorical"`` cannot be given its hierarchy.
    Output metrics that are not here: callables, and those of distributions (hellinger, symmetric_kl and others). With
    ``output_dens``, `fit_transform` returns the map alone, as pipelines expect, and the radii are attributes.

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
        output_metric: str = "euclidean",
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
        options = self._options(X.shape[0])
        if self._space() is not None and self.densmap:
            raise ValueError(f"densmap=True needs output_metric='euclidean', got {self.output_metric!r}.")
        self._torch_device()
        targets = None if y is None else target_array(y, X.shape[0], self.target_metric)
        check_memory(self.peak_memory(X), f"a map of {X.shape[0]} x {X.shape[1]} data", advice(X.shape[0]))
        self._seed = check_seed(self.random_state)
        for name in OUTPUTS_OF_SOME_FITS:
            self.__dict__.pop(name, None)
        with threads(self.n_jobs):
            if self.unique:
                X, targets = self._without_duplicates(X, targets, graph)
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
            Or, with ``transform_mode="graph"``, memberships to the fitted rows, a csr_array of shape (m, n).
        """
        check_is_fitted(self, "graph_")
        if self._X is None:
            raise ValueError("a combination of models has no rows of its own, so that new ones cannot be placed in it.")
        X = self._rows(X, reset=False)
        n = self._X.shape[0]
        k = min(check_int(self.n_neighbors, "n_neighbors", minimum=2), n)
        with threads(self.n_jobs):
            if self._index is None:
                self._index = self._new_index()
            indices, distances = self._index.query(X, k)
            distances[distances >= self._limit()] = np.inf
            finite = np.isfinite(self.knn_.distances)
            memberships = query_memberships(
                distances,
                local_connectivity=max(0.0, self.local_connectivity - 1),
                mean_distance=float(self.knn_.distances[finite].mean()) if finite.any() else 0.0,
            )
            edges = sparse.csr_array(
                (memberships.ravel(), indices.ravel(), np.arange(0, memberships.size + 1, k)), shape=(len(indices), n)
            )
            if self.transform_mode == "graph":
                edges.eliminate_zeros()
                return edges
            keys = row_keys(indices, distances, check_seed(self.transform_seed))
            placed = settle(edges, self._places(), self._transform_options(), keys, self._space())
        known = distances[:, 0] == 0
        placed[known] = self._places()[indices[known, 0]]
        return placed

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
        if self._X is None or self.metric == "precomputed" or sparse.issparse(self._X):
            raise ValueError("inverse_transform needs the fitted rows, and these are sparse, precomputed or combined.")
        if self.transform_mode == "graph":
            raise ValueError("inverse_transform needs a map; transform_mode='graph' makes none.")
        with threads(self.n_jobs):
            return decode(
                X,
                self._places(),
                self._X,
                self.knn_,
                a=self.a_,
                b=self.b_,
                metric=self.metric,
                metric_params=self.metric_kwds,
                space=self._space(),
                n_neighbors=self.n_neighbors,
                n_steps=self._transform_options().n_epochs,
                repulsion_strength=self.repulsion_strength,
                negative_sample_rate=self.negative_sample_rate,
                random_state=self.transform_seed,
            )

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
            self._lay_out(np.where(np.isnan(start), np.nanmean(start, axis=0), start), self._transform_options())
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
        given = X if hasattr(X, "shape") and hasattr(X, "dtype") else np.asarray(as_numpy(X))
        is_spectral = isinstance(self.init, str) and self.init in ("spectral", "tswspectral")
        k = min(check_int(self.n_neighbors, "n_neighbors", minimum=2), given.shape[0])
        on_device = self.device is not None
        return int(peak_memory(given, self.metric, k, self.n_components, is_spectral=is_spectral, on_device=on_device))

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
        options = self._options(graph.shape[0])
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

    def _without_duplicates(self, X: Any, targets: Any, graph: NeighborGraph | None) -> tuple[Any, Any]:
        if graph is not None or self.precomputed_knn is not None or self.metric == "precomputed":
            raise ValueError("unique=True needs the rows themselves: no graph, precomputed_knn or precomputed metric.")
        first, self.unique_inverse_ = distinct_rows(X)
        if len(first) < 2:
            raise ValueError(
                "unique=True leaves a single row, because all rows of X are equal; at least 2 must differ."
            )
        return X[first], None if targets is None else targets[first]

    def _connect(self, graph: NeighborGraph | None) -> None:
        """Find the neighbours of the rows and turn them, with the targets, into the fuzzy graph."""
        n = self._X.shape[0]
        n_neighbors = self._reduced_neighbors(n)
        self._index, self._searcher, self._searched = None, None, None
        given = graph_of_arrays(self.precomputed_knn, n, str(self.metric)) if graph is None else graph
        if given is None:
            index = self._new_index(self.device if self._is_searched_by_torch() else None)
            found = index.graph(n_neighbors)
            # What holds memory of a device is not kept: the model may be used where there is none.
            if index.method == "torch":
                self._searched = index.breadth
            else:
                self._index = self._searcher = index
        else:
            found = self._checked_graph(given, n, n_neighbors)
        self.knn_ = self._cut(found)
        self.recall_ = self.knn_.recall
        self.sigmas_, self.rhos_ = smooth_neighbor_distances(self.knn_, local_connectivity=self.local_connectivity)
        self.graph_ = fuzzy_simplicial_set(
            self.knn_, local_connectivity=self.local_connectivity, set_op_mix_ratio=self.set_op_mix_ratio
        )
        if self._y is not None:
            self.graph_ = supervised_graph(
                self.graph_,
                self._y,
                target_metric=self.target_metric,
                target_metric_kwds=self.target_metric_kwds,
                target_n_neighbors=n_neighbors if self.target_n_neighbors == -1 else self.target_n_neighbors - 1,
                target_weight=self.target_weight,
            )

    def _lay_out(self, init: Any, options: LayoutOptions, kept: tuple[int, ...] = ()) -> None:
        """Lay out the rows that are connected to others; the rest have no place. Keep the map after some epochs."""
        connected = np.flatnonzero(np.diff(self.graph_.indptr))
        n = self.graph_.shape[0]
        points = None if self.metric == "precomputed" else self._X
        graph = self.graph_
        if len(connected) < n:
            warnings.warn(
                f"{n - len(connected)} of {n} rows have no neighbours and get no place on the map (NaN); a larger "
                "disconnection_distance connects them.",
                UserWarning,
                stacklevel=3,
            )
            graph, points = graph[connected][:, connected], None if points is None else points[connected]
            init = init if isinstance(init, str) else np.asarray(init)[connected]
        maps = []
        for found in self._optimized(init, graph, points, options, connected, kept):
            places = np.full((n, self.n_components), np.nan, dtype=np.float32)
            places[connected] = found
            maps.append(places[self.unique_inverse_] if self.unique else places)
        self.embedding_, *self.embedding_list_ = maps
        if not kept:
            del self.embedding_list_
        if self.output_dens:
            self.rad_orig_ = log_radii(self.graph_, self.knn_)
            self.rad_emb_ = map_log_radii(self._places(), self.knn_.n_neighbors)
            if self.unique:
                self.rad_orig_, self.rad_emb_ = (
                    self.rad_orig_[self.unique_inverse_],
                    self.rad_emb_[self.unique_inverse_],
                )

    def _optimized(
        self,
        init: Any,
        graph: sparse.csr_array,
        points: Any,
        options: LayoutOptions,
        rows: np.ndarray,
        kept: tuple[int, ...],
    ) -> list[np.ndarray]:
        """Lay out a graph of some rows in the space of the map; return the map, and those after some epochs."""
        space, density, device = self._space(), None, self._torch_device()
        if self.densmap:
            density = DensityForce(
                graph,
                log_radii(self.graph_, self.knn_)[rows],
                options,
                strength=self.dens_lambda,
                fraction=self.dens_frac,
                var_shift=self.dens_var_shift,
            )
        if space is not None and not isinstance(init, str):
            start, self.init_used_ = given_start(space, init, len(rows), self.n_components), "given"
        else:
            seed = derive_seed(self._seed, "start")
            start, self.init_used_ = initial_layout(init, graph, points, self.n_components, seed)
        if space is not None and self.init_used_ != "given":
            start = space.start(start)
        if device is not None:
            from holonomy.embed._torch_layout import torch_layout

            found, before = torch_layout(graph, start, options, device=device, random_state=self._seed, kept=kept)
            return [found, *(before[epoch] for epoch in kept)]
        steps = EUCLIDEAN if space is None else space.steps
        snapshots = Snapshots(kept, start.shape, density)
        extra = snapshots if kept else density
        found = optimize_layout(graph, start, options, random_state=self._seed, steps=steps, extra=extra)
        maps = [found, *(snapshots.positions[epoch] for epoch in kept)]
        return maps if space is None else [space.leave(one) for one in maps]

    def _space(self) -> OutputGeometry | None:
        """Where the map lives, if not in Euclidean space."""
        return output_geometry(self.output_metric, self.output_metric_kwds, self.n_components)

    def _torch_device(self) -> Any:
        """Check and return the device whose torch lays out the map; None for the compiled code."""
        if self.device is None:
            return None
        for name, is_possible in (("densmap", not self.densmap), ("output_metric", self._space() is None)):
            if not is_possible:
                raise ValueError(
                    f"device={str(self.device)!r} makes Euclidean maps without densMAP, got "
                    f"{name}={getattr(self, name)!r}; pass device=None."
                )
        return resolve_device(self.device)

    def _is_searched_by_torch(self) -> bool:
        """Whether the device finds the neighbours of the rows."""
        if self.device is None or sparse.issparse(self._X) or self.metric_kwds:
            return False
        # The cosine of a zero row is not a distance of points.
        return self.metric in ("euclidean", "l2") or (self.metric == "cosine" and bool(self._X.any(axis=1).all()))

    def _places(self) -> np.ndarray:
        """Coordinates of the rows of the graph."""
        if not self.unique:
            return self.embedding_
        return self.embedding_[np.unique(self.unique_inverse_, return_index=True)[1]]

    def _limit(self) -> float:
        """Distance from which on rows are not neighbours."""
        if self.disconnection_distance is not None:
            return check_float(self.disconnection_distance, "disconnection_distance", minimum=0.0)
        return LARGEST_DISTANCES.get(self.metric, np.inf) if isinstance(self.metric, str) else np.inf

    def _cut(self, knn: NeighborGraph) -> NeighborGraph:
        far = knn.distances >= self._limit()
        if not far.any():
            return knn
        return replace(knn, distances=np.where(far, np.inf, knn.distances))

    def _transform_options(self) -> LayoutOptions:
        """Fewer and smaller steps than the map itself took."""
        n_epochs = 100 if self._X.shape[0] <= SMALL else 30
        options = self._options(self._X.shape[0])
        return replace(
            options,
            a=self.a_,
            b=self.b_,
            n_epochs=n_epochs if self.n_epochs is None else self.n_epochs_ // 3 + 1,
            learning_rate=options.learning_rate / 4,
        )

    def _options(self, n: int) -> LayoutOptions:
        """Check the parameters of the layout and fill in what depends on the data."""
        check_int(self.n_components, "n_components", minimum=1)
        n_epochs = (500 if n <= SMALL else 200) + (200 if self.densmap else 0)
        if self.n_epochs is not None:
            n_epochs = check_epochs(self.n_epochs)[0]
        if (self.a is None) != (self.b is None):
            raise ValueError(f"a and b must be given together or not at all, got a={self.a} and b={self.b}.")
        a, b = (self.a, self.b) if self.a is not None else fit_curve(self.spread, self.min_dist)
        return LayoutOptions(
            a=check_float(a, "a", minimum=0.0),
            b=check_float(b, "b", minimum=0.0),
            n_epochs=n_epochs,
            learning_rate=check_float(self.learning_rate, "learning_rate", minimum=0.0),
            repulsion_strength=check_float(self.repulsion_strength, "repulsion_strength", minimum=0.0),
            negative_sample_rate=check_int(self.negative_sample_rate, "negative_sample_rate", minimum=0),
            n_jobs=self.n_jobs,
        )

    def _reduced_neighbors(self, n: int) -> int:
        """Neighbours to search for, without the point itself."""
        wanted = check_int(self.n_neighbors, "n_neighbors", minimum=2)
        if wanted > n:
            warnings.warn(f"n_neighbors={wanted} is more than the {n} rows of X; using {n}.", UserWarning, stacklevel=3)
        return min(wanted, n) - 1

    def _saved_state(self) -> dict[str, Any]:
        if self._searcher is not None:
            self._searched = self._searcher.breadth
        return super()._saved_state()

    def _new_index(self, device: Any = None) -> NeighborIndex:
        """Index the rows; again after loading, so that new rows are searched as widely as after the fit."""
        is_exact = self._searched is not None and self.knn_.method in ("exact", "torch")
        index = NeighborIndex(
            self._X,
            method="torch" if device is not None else "exact" if is_exact else "auto",
            device=device,
            metric=self.metric,
            metric_params=self.metric_kwds,
            random_state=derive_seed(self._seed, "neighbors"),
            n_jobs=self.n_jobs,
        )
        if self._searched is not None:
            index.breadth = self._searched
        return index

    @staticmethod
    def _checked_graph(graph: NeighborGraph, n: int, n_neighbors: int) -> NeighborGraph:
        if not isinstance(graph, NeighborGraph):
            raise TypeError(f"graph must be a NeighborGraph, got {type(graph).__name__}.")
        if graph.n_points != n:
            raise ValueError(f"graph has {graph.n_points} points, but X has {n} rows.")
        if graph.n_neighbors < n_neighbors:
            raise ValueError(
                f"graph holds {graph.n_neighbors} neighbours a point, but n_neighbors={n_neighbors + 1} (the point "
                f"itself included) needs {n_neighbors}."
            )
        return graph.truncated(n_neighbors)

    def _used_references(self) -> tuple[str, ...]:
        return ("narayan2021densmap",) if self.densmap else ()

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1] if self.transform_mode == "embedding" else self.graph_.shape[1]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
