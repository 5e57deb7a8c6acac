"""Aligned UMAP: maps of several data sets with rows in common, laid out together."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin
from sklearn.utils.validation import check_is_fitted

from holonomy._core.parallel import threads
from holonomy._core.persistence import Persistent
from holonomy._core.random import RandomState, check_seed, derive_seed
from holonomy._core.validation import check_float, check_int, check_points
from holonomy.embed._aligned_layout import Coupling, optimize_aligned
from holonomy.embed._relations import check_relation, composed, inverted, neighborhood_agreement
from holonomy.embed.initialization import initial_layout
from holonomy.embed.layout import LayoutOptions
from holonomy.embed.umap import UMAP
from holonomy.graphs import NeighborGraph

BY_SLICE = (
    "n_neighbors",
    "metric",
    "metric_kwds",
    "learning_rate",
    "min_dist",
    "spread",
    "set_op_mix_ratio",
    "local_connectivity",
    "repulsion_strength",
    "negative_sample_rate",
    "a",
    "b",
    "target_metric",
    "target_metric_kwds",
    "target_n_neighbors",
    "target_weight",
    "disconnection_distance",
)
"""Parameters of which each data set may have its own."""


class AlignedUMAP(ClassNamePrefixFeaturesOutMixin, Persistent, BaseEstimator):
    """UMAP of a sequence of data sets with rows in common, such as slices of time or versions of a feature table.

    Every data set has its fuzzy graph and its own map, but the maps are laid out together: each row is held to the
    same row on the maps of the data sets before and after, the more so the nearer these are and the more the row's
    neighbourhoods agree. One seed gives the same maps for any number of threads. Parameters have umap-learn's names and
    meaning; those marked * may be lists with a value for each data set.

    Parameters
    ----------
    n_neighbors : int, default 15
        * Size of a neighbourhood, the point itself included, >= 2.
    n_components : int, default 2
        Dimensions of all maps.
    metric, metric_kwds : default "euclidean" and None
        * See `holonomy.graphs.neighbors`.
    n_epochs : int, optional
        Passes of the layout, 200 by default.
    learning_rate : float, default 1.0
        * First step of the layout.
    init : {"spectral", "pca", "random"}, default "spectral"
        Start of each map, which is then turned onto the one before it by the rows in common.
    alignment_regularisation : float, default 0.01
        Strength of the hold, >= 0; with 0 the maps are independent after their start.
    alignment_window_size : int, default 3
        To how many data sets before and after a row is held, >= 1. Rows are followed through all between.
    min_dist, spread : float, default 0.1 and 1.0
        * Distance within which points may be packed on the map, and its scale.
    set_op_mix_ratio, local_connectivity : float, default 1.0
        * See `UMAP`.
    repulsion_strength : float, default 1.0
        * Weight of negative samples.
    negative_sample_rate : int, default 5
        * Negative samples for every sampled edge.
    a, b : float, optional
        * Curve of the map; fitted to ``min_dist`` and ``spread`` where None.
    target_metric, target_metric_kwds, target_n_neighbors, target_weight
        * How targets y are used; see `UMAP`.
    disconnection_distance : float, optional
        * See `UMAP`.
    random_state : int, Generator, RandomState or None, default None
        Seed.
    n_jobs : int, optional
        Threads; None and -1 use what is available.

    Attributes
    ----------
    embeddings_ : list of ndarray of float32, shape (n_i, n_components)
        The maps; NaN for rows without neighbours.
    mappers_ : list of UMAP
        One fitted model for each data set, with its graph and the aligned map; use these for anything that `UMAP` does.
    relations_ : list of ndarray of int64, shape (n_i,)
        For each row of data set i the same row of data set i + 1, or -1.
    n_models_ : int
        Number of data sets.

    Raises
    ------
    ValueError
        On bad data, relations or parameters, naming what is wrong.

    Notes
    -----
    A hold is a spring of strength ``alignment_regularisation * exp(1 - distance in the sequence) * J``, with J the
    Jaccard index of the neighbourhoods among rows in common, that acts at each of a point's moves. Of umap-learn's
    parameters, ``unique``, ``low_memory``, ``angular_rp_forest``, ``force_approximation_algorithm``, ``verbose``,
    ``transform_queue_size`` and ``transform_seed`` are left out: duplicates may be dropped beforehand, and the others
    tune its own search.

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.

    Dadu et al. (2023). Application of Aligned-UMAP to longitudinal biomedical studies. Patterns 4, 100741.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from holonomy.embed import AlignedUMAP
    >>> X = load_iris().data
    >>> first, second = X[:100], X[50:]  # rows 50 to 99 are in both
    >>> relation = {50 + i: i for i in range(50)}
    >>> model = AlignedUMAP(n_epochs=50, random_state=0).fit([first, second], relations=[relation])
    >>> gap = np.linalg.norm(model.embeddings_[0][50:] - model.embeddings_[1][:50], axis=1).mean()
    >>> bool(gap < 0.5 * model.embeddings_[0].std())
    True
    """

    _references = ("mcinnes2018umap", "dadu2023application")

    def __init__(
        self,
        n_neighbors: Any = 15,
        n_components: int = 2,
        *,
        metric: Any = "euclidean",
        metric_kwds: Any = None,
        n_epochs: int | None = None,
        learning_rate: Any = 1.0,
        init: str = "spectral",
        alignment_regularisation: float = 1e-2,
        alignment_window_size: int = 3,
        min_dist: Any = 0.1,
        spread: Any = 1.0,
        set_op_mix_ratio: Any = 1.0,
        local_connectivity: Any = 1.0,
        repulsion_strength: Any = 1.0,
        negative_sample_rate: Any = 5,
        a: Any = None,
        b: Any = None,
        target_metric: Any = "categorical",
        target_metric_kwds: Any = None,
        target_n_neighbors: Any = -1,
        target_weight: Any = 0.5,
        disconnection_distance: Any = None,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.n_components = n_components
        self.metric = metric
        self.metric_kwds = metric_kwds
        self.n_epochs = n_epochs
        self.learning_rate = learning_rate
        self.init = init
        self.alignment_regularisation = alignment_regularisation
        self.alignment_window_size = alignment_window_size
        self.min_dist = min_dist
        self.spread = spread
        self.set_op_mix_ratio = set_op_mix_ratio
        self.local_connectivity = local_connectivity
        self.repulsion_strength = repulsion_strength
        self.negative_sample_rate = negative_sample_rate
        self.a = a
        self.b = b
        self.target_metric = target_metric
        self.target_metric_kwds = target_metric_kwds
        self.target_n_neighbors = target_n_neighbors
        self.target_weight = target_weight
        self.disconnection_distance = disconnection_distance
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: Sequence[Any],
        y: Sequence[Any] | None = None,
        *,
        relations: Sequence[Any],
        graphs: Sequence[NeighborGraph | None] | None = None,
    ) -> Self:
        """Make the maps of all data sets.

        Parameters
        ----------
        X : list of array-likes of shape (n_i, d_i)
            Two or more data sets, in order; their features may differ.
        y : list of targets or None, optional
            Targets of the rows of each data set; None for those without.
        relations : list of dict or of arrays of shape (r, 2)
            One fewer than data sets: which rows of data set i are which rows of data set i + 1.
        graphs : list of NeighborGraph or None, optional
            Neighbours of the rows of each data set found before.

        Returns
        -------
        AlignedUMAP
            The fitted estimator.
        """
        slices, targets, found = self._check_slices(X, y, relations, graphs)
        self._window, self._strength = self._check_alignment()
        options = [self._slice_parameters(i, len(slices)) for i in range(len(slices))]
        self._seed = check_seed(self.random_state)
        with threads(self.n_jobs):
            self.mappers_ = [
                self._connected(i, rows, target, graph, parameters)
                for i, (rows, target, graph, parameters) in enumerate(zip(slices, targets, found, options, strict=True))
            ]
            self.n_models_ = len(self.mappers_)
            sizes = self._sizes()
            self.relations_ = [
                check_relation(relation, sizes[i], sizes[i + 1], f"relations[{i}]")
                for i, relation in enumerate(relations)
            ]
            starts: list[np.ndarray] = []
            for i, rows in enumerate(slices):
                starts.append(self._start(i, rows, starts))
            self._lay_out(starts, None)
        return self

    def fit_transform(
        self,
        X: Sequence[Any],
        y: Sequence[Any] | None = None,
        *,
        relations: Sequence[Any],
        graphs: Sequence[NeighborGraph | None] | None = None,
    ) -> list[np.ndarray]:
        """Make the maps of all data sets and return them; see `fit`."""
        return self.fit(X, y, relations=relations, graphs=graphs).embeddings_

    def update(
        self,
        X: Any,
        y: Any = None,
        *,
        relations: Any,
        graph: NeighborGraph | None = None,
        **parameters: Any,
    ) -> Self:
        """Add a data set after the last, whose map is aligned to those before it, which stay as they are.

        Parameters
        ----------
        X : array-like of shape (n, d)
            The new data set.
        y : targets, optional
            Its targets.
        relations : dict or array of shape (r, 2)
            Which rows of the last data set are which rows of the new one.
        graph : NeighborGraph, optional
            Neighbours of its rows found before.
        **parameters
            Values of parameters marked * for this data set; by default those of the estimator, of a list its last.

        Returns
        -------
        AlignedUMAP
            This estimator, with one more map.
        """
        check_is_fitted(self)
        unknown = sorted(set(parameters) - set(BY_SLICE))
        if unknown:
            names = ", ".join(BY_SLICE)
            raise TypeError(f"unknown parameter {unknown[0]!r}; what a data set can have for itself: {names}.")
        number = self.n_models_
        own = self._slice_parameters(number - 1, number, last=True) | parameters
        with threads(self.n_jobs):
            mapper = self._connected(number, X, y, graph, own)
            sizes = self._sizes()
            relation = check_relation(relations, sizes[-1], mapper.graph_.shape[0], "relations")
            self.mappers_ = [*self.mappers_, mapper]
            self.relations_ = [*self.relations_, relation]
            self.n_models_ = number + 1
            self._lay_out([*self.embeddings_, self._continued(mapper, relation)], [number])
        return self

    def transform(self, X: Any, *, index: int = -1) -> np.ndarray:
        """Place new rows on one of the maps, each by itself; see `UMAP.transform`.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (m, d)
            New rows of that data set.
        index : int, default -1
            Number of the map, the last by default.

        Returns
        -------
        ndarray of float32, shape (m, n_components)
        """
        check_is_fitted(self)
        number = check_int(index, "index", minimum=-self.n_models_, maximum=self.n_models_ - 1)
        return self.mappers_[number].transform(X)

    def _check_slices(
        self, X: Any, y: Any, relations: Any, graphs: Any
    ) -> tuple[list[Any], list[Any], list[NeighborGraph | None]]:
        is_list = isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 3)
        if not is_list or any(np.ndim(rows) != 2 for rows in X):
            raise TypeError("X must be a list of data sets, each with one row a point; UMAP maps a single one.")
        if len(X) < 2:
            raise ValueError(f"X must hold at least two data sets, got {len(X)}.")
        if isinstance(relations, Mapping) or len(relations) != len(X) - 1:
            raise ValueError(
                f"relations must be a list of {len(X) - 1} relations, one between each of the {len(X)} data sets and "
                f"the next, got {'a dict' if isinstance(relations, Mapping) else len(relations)}."
            )
        for name, given in (("y", y), ("graphs", graphs)):
            if given is not None and len(given) != len(X):
                raise ValueError(f"{name} must have an entry for each of the {len(X)} data sets, got {len(given)}.")
        none = [None] * len(X)
        return list(X), none if y is None else list(y), none if graphs is None else list(graphs)

    def _check_alignment(self) -> tuple[int, float]:
        window = check_int(self.alignment_window_size, "alignment_window_size", minimum=1)
        return window, check_float(self.alignment_regularisation, "alignment_regularisation", minimum=0.0)

    def _slice_parameters(self, number: int, n_slices: int, *, last: bool = False) -> dict[str, Any]:
        """Return the parameters of one data set; of lists its own entry, or their last for one that is added."""
        chosen = {}
        for name in BY_SLICE:
            value = getattr(self, name)
            if isinstance(value, list | tuple | np.ndarray):
                if not last and len(value) != n_slices:
                    raise ValueError(
                        f"{name} must be one value or one for each of the {n_slices} data sets, got {len(value)}."
                    )
                value = value[-1] if last else value[number]
            chosen[name] = value.item() if isinstance(value, np.generic) else value
        return chosen

    def _connected(self, number: int, X: Any, y: Any, graph: NeighborGraph | None, parameters: dict[str, Any]) -> UMAP:
        """Return a model of one data set that has its graph and no map yet."""
        seed = derive_seed(self._seed, "slice", number)
        model = UMAP(
            n_components=self.n_components,
            n_epochs=self._n_epochs(),
            init=self.init,
            random_state=seed,
            n_jobs=self.n_jobs,
        )
        model.set_params(transform_mode="graph", **parameters).fit(X, y, graph=graph)
        return model.set_params(transform_mode="embedding")

    def _n_epochs(self) -> int:
        return 200 if self.n_epochs is None else check_int(self.n_epochs, "n_epochs", minimum=1)

    def _sizes(self) -> list[int]:
        return [mapper.graph_.shape[0] for mapper in self.mappers_]

    def _start(self, number: int, X: Any, starts: list[np.ndarray]) -> np.ndarray:
        """Return the start of one map, turned onto that of the map before it."""
        mapper = self.mappers_[number]
        points = None if mapper.metric == "precomputed" else check_points(X, accept_sparse=True)
        seed = derive_seed(self._seed, "start", number)
        start, mapper.init_used_ = initial_layout(self.init, mapper.graph_, points, self.n_components, seed)
        if not starts:
            return start
        relation = self.relations_[number - 1]
        before = np.flatnonzero(relation >= 0)
        return _turned(start, relation[before], starts[-1][before])

    def _continued(self, mapper: UMAP, relation: np.ndarray) -> np.ndarray:
        """Return the start of an added map: known rows where they were, others at the mean of known neighbours."""
        last = self.embeddings_[-1]
        before = inverted(relation, mapper.graph_.shape[0])
        known = (before >= 0) & np.isfinite(last[before]).all(axis=1)
        start = np.zeros((len(before), self.n_components))
        start[known] = last[before[known]]
        weights = mapper.graph_.astype(np.float64)
        places, is_placed = start.copy(), known.copy()
        while not is_placed.all():
            total = weights @ is_placed.astype(np.float64)
            reached = ~is_placed & (total > 0)
            if not reached.any():
                break
            start[reached] = (weights @ places)[reached] / total[reached, None]
            places, is_placed = start.copy(), is_placed | reached
        # Rows that no path joins to a known one start at the centre of those that are known.
        start[~is_placed] = start[known].mean(axis=0) if known.any() else 0.0
        return start

    def _lay_out(self, starts: list[np.ndarray], moving: list[int] | None) -> None:
        options = [
            LayoutOptions(
                a=mapper.a_,
                b=mapper.b_,
                n_epochs=self._n_epochs(),
                learning_rate=mapper.learning_rate,
                repulsion_strength=mapper.repulsion_strength,
                negative_sample_rate=mapper.negative_sample_rate,
                n_jobs=self.n_jobs,
            )
            for mapper in self.mappers_
        ]
        graphs = [mapper.graph_ for mapper in self.mappers_]
        numbers = range(self.n_models_)
        couplings = [self._couplings(i) if moving is None or i in moving else [] for i in numbers]
        seed = derive_seed(self._seed, "layout", 0 if moving is None else moving[0])
        maps = optimize_aligned(graphs, starts, options, couplings, self._strength, seed, moving=moving)
        for mapper, places in zip(self.mappers_, maps, strict=True):
            places[np.diff(mapper.graph_.indptr) == 0] = np.nan
            mapper.embedding_ = places
        self.embeddings_ = maps

    def _couplings(self, number: int) -> list[Coupling]:
        """Return what holds the rows of one map to those of the others in its window."""
        sizes, graphs = self._sizes(), [mapper.graph_ for mapper in self.mappers_]
        found = []
        for other in range(max(0, number - self._window), min(self.n_models_, number + self._window + 1)):
            if other != number:
                related = composed(self.relations_, sizes, number, other)
                agreement = neighborhood_agreement(graphs[number], graphs[other], related)
                found.append(Coupling(other, related, agreement * np.exp(1.0 - abs(other - number))))
        return found

    @property
    def _n_features_out(self) -> int:
        return self.embeddings_[0].shape[1]


def _turned(points: np.ndarray, rows: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the points after the rotation, reflection and shift that bring ``rows`` of them nearest to the targets."""
    centre, goal = points[rows].mean(axis=0), targets.mean(axis=0)
    left, _, right = np.linalg.svd((points[rows] - centre).T @ (targets - goal))
    return (points - centre) @ (left @ right) + goal
