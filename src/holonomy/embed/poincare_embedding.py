"""Poincare embeddings as an estimator: nodes of a hierarchy or network in hyperbolic space, or on any manifold."""

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from holonomy._core.persistence import Persistent
from holonomy._core.random import RandomState, check_seed, derive_seed
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.embed import ranking_descent as descent
from holonomy.embed._edge_inputs import EdgeList, known_numbers, label_numbers, plain, read_edges
from holonomy.embed._embedding_space import EmbeddingSpace, space_of
from holonomy.embed.edge_probability import fermi_dirac
from holonomy.graphs import transitive_closure
from holonomy.graphs.hierarchies import find_cycle
from holonomy.measure import LinkRanking, link_ranking

if TYPE_CHECKING:
    import torch

    from holonomy.manifolds import Manifold

OBJECTIVES = ("ranking", "fermi_dirac")
OPTIMIZERS = ("rsgd", "retraction", "radagrad", "radam", "ramsgrad")
SCORES = ("distance", "is_a", "probability")
DEFAULT_CURVE = (2.0, 1.0)


class PoincareEmbedding(Persistent, BaseEstimator):
    """Embed the nodes of a hierarchy or a network so that linked nodes are near.

    Hyperbolic space has room for trees: in a few dimensions distances tell what is related, and norms what is general.
    Places are found by stochastic Riemannian descent, with negative samples and a slow start that lays out the angles.
    The same seed gives the same bits on any number of threads.

    Parameters
    ----------
    n_components : int, default 10
        Dimension of the space; not used where ``manifold`` is an object.
    manifold : {"poincare", "hyperboloid", "euclidean", "squared_euclidean"} or Manifold, default "poincare"
        The ball and the hyperboloid are two charts of one space; the second has room beyond the radius at which the
        ball's coordinates run out of digits. Flat space is there to compare with, also with squared distances. A
        `holonomy.manifolds` object is any other space, or a hyperbolic one of another curvature; those without compiled
        steps are differentiated by torch.
    objective : {"ranking", "fermi_dirac"}, default "ranking"
        Softmax of the linked node among negative samples, for hierarchies; or cross-entropy of the probability
        ``1 / (exp((d - r) / t) + 1)`` of an edge, for networks.
    n_negatives : int, default 50
        Nodes drawn for each pair that its first node is not linked to.
    lr : float, default 0.3
        Length of a step for each pair, in units of distance.
    epochs : int, default 300
        Passes over the pairs.
    burn_in : int, default 20
        Passes at first with a smaller step, at most all of them.
    burn_in_factor : float, default 0.1
        That step, in units of ``lr``.
    dampening : float, default 0.75
        In the burn-in, negatives are drawn in proportion to their degree to this power; uniformly afterwards.
    batch_size : int or "auto", default "auto"
        Pairs that see the same places; an eighth of the number of nodes, from 10 to 4,096. Large batches are shared out
        to threads. Where a node is in more than four pairs of a batch, their forces are averaged, to count as four.
    optimizer : {"rsgd", "retraction", "radagrad", "radam", "ramsgrad"}, default "rsgd"
        Descent along geodesics, or by straight lines; or an adaptive method of `holonomy.optim`, through torch.
    curve : tuple of float or "learned", default (2.0, 1.0)
        Radius r and temperature t of ``"fermi_dirac"``; learned, they are fitted before every epoch.
    closure : bool, default False
        Whether to embed the transitive closure of the given edges, which must then have no directed cycle.
    dtype : {"float64", "float32"}, default "float64"
        Of the coordinates.
    random_state : int, Generator, RandomState or None, default None
        Seed.
    n_jobs : int, optional
        Threads; None and -1 use what is available. The result does not depend on it.
    device : str or torch.device, default "cpu"
        ``"cuda"`` differentiates by torch on a GPU.

    Attributes
    ----------
    embedding_ : ndarray of shape (n_nodes, *shape)
        A point of the manifold for each node: n_components numbers, one more on the hyperboloid.
    labels_ : ndarray of shape (n_nodes,)
        What the nodes are called.
    links_ : csr_array of float64, shape (n_nodes, n_nodes)
        The pairs that were embedded, with their weights.
    curve_ : tuple of float
        Radius and temperature of ``"fermi_dirac"``.
    batch_size_ : int
        Pairs in a batch.
    boundary_share_ : float
        Share of nodes at the outermost radius that the ball allows: 1 - 1e-9 of its own, in single precision 1 - 1e-5.
    mean_rank_, map_ : float
        What `evaluate` found last.

    Raises
    ------
    ValueError
        If an edge joins a node to itself, has NaN, or closes a cycle that must not be; if a parameter is out of range;
        or if the descent diverges.
    TypeError
        If edges or a parameter are of another kind.

    Notes
    -----
    ``fit`` takes edges between nodes with labels, not a table of features, so that scikit-learn's ``check_estimator``
    cannot be applied; parameters, ``clone``, pickling and files are as everywhere.

    References
    ----------
    Nickel, Kiela (2017). Poincare embeddings for learning hierarchical representations. NeurIPS.

    Nickel, Kiela (2018). Learning continuous hierarchies in the Lorentz model of hyperbolic geometry. ICML.

    Examples
    --------
    >>> from holonomy.embed import PoincareEmbedding
    >>> edges = [("dog", "mammal"), ("cat", "mammal"), ("mammal", "animal"), ("trout", "fish"), ("fish", "animal")]
    >>> model = PoincareEmbedding(2, n_negatives=4, closure=True, random_state=0).fit(edges)
    >>> model.evaluate().mean_average_precision
    1.0
    >>> sorted(name for name, _ in model.most_similar("dog", 2))
    ['animal', 'mammal']
    """

    _references = ("nickel2017poincare",)

    def __init__(
        self,
        n_components: int = 10,
        *,
        manifold: "str | Manifold" = "poincare",
        objective: str = "ranking",
        n_negatives: int = 50,
        lr: float = 0.3,
        epochs: int = 300,
        burn_in: int = 20,
        burn_in_factor: float = 0.1,
        dampening: float = 0.75,
        batch_size: int | str = "auto",
        optimizer: str = "rsgd",
        curve: tuple[float, float] | str = DEFAULT_CURVE,
        closure: bool = False,
        dtype: str = "float64",
        random_state: RandomState = None,
        n_jobs: int | None = None,
        device: "str | torch.device" = "cpu",
    ) -> None:
        self.n_components = n_components
        self.manifold = manifold
        self.objective = objective
        self.n_negatives = n_negatives
        self.lr = lr
        self.epochs = epochs
        self.burn_in = burn_in
        self.burn_in_factor = burn_in_factor
        self.dampening = dampening
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.curve = curve
        self.closure = closure
        self.dtype = dtype
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.device = device

    def fit(self, edges: Any, y: Any = None) -> Self:
        """Embed the nodes that edges join.

        Parameters
        ----------
        edges : array-like of shape (m, 2) or (m, 3), table, path, networkx graph or sparse matrix (n, n)
            Pairs of labels, as numbers or text, from the special to the general; with weights that say how often each
            is visited. Tables and CSV files have columns id1, id2 and perhaps weight. Edges of an undirected graph are
            pairs in both directions. The labels of a matrix are 0, 1, ..., n - 1. Weights of equal pairs add up.
        y : ignored
            Present for scikit-learn's pipelines.

        Returns
        -------
        PoincareEmbedding
            The fitted estimator.
        """
        space = self._space()
        found = read_edges(edges)
        links = self._closed(found) if self.closure else found.links
        n = links.shape[0]
        options = self._options(space, n)
        heads, tails = (np.asarray(ends, dtype=np.int64) for ends in links.nonzero())
        pairs = descent.Pairs(n, heads, tails, links.data / links.data.mean(), links)
        seed = check_seed(self.random_state)
        start = space.start(n, np.dtype(self.dtype), derive_seed(seed, "start"))
        curve = self._curve(space, pairs, options, seed)
        places = space.descend(start, pairs, options, derive_seed(seed, "descent"), self._method(), curve, self.device)
        if not np.isfinite(places).all():
            raise ValueError(f"the descent diverged: lr={self.lr} is too large for these edges; pass a smaller one.")
        self.embedding_ = space.leave(places)
        self.labels_, self.links_, self.batch_size_ = found.labels, links, options.batch_size
        self.boundary_share_ = space.boundary_share(places)
        self.curve_ = curve(options.epochs, places) if curve is not None else DEFAULT_CURVE
        self._index()
        return self

    def fit_transform(self, edges: Any, y: Any = None) -> np.ndarray:
        """Embed the nodes that edges join and return their places, in the order of ``labels_``."""
        return self.fit(edges).embedding_

    @property
    def manifold_(self) -> "Manifold":
        """The space that the nodes are in."""
        return self._space().manifold

    def transform(self, labels: Iterable[Any]) -> np.ndarray:
        """Return the places (m, *shape) of nodes.

        Raises
        ------
        ValueError
            If a label is unknown.
        """
        return self.embedding_[self._numbers(labels, "labels")]

    def distance(self, a: Any, b: Any) -> Any:
        """Return the distance between two nodes, or the distances (m,) between the nodes of two lists.

        Raises
        ------
        ValueError
            If a label is unknown.
        """
        both = [self._numbers([x] if self._is_label(x) else x, name) for x, name in ((a, "a"), (b, "b"))]
        found = self._distances(*both)
        return float(found[0]) if self._is_label(a) and self._is_label(b) else found

    def most_similar(self, label: Any, k: int = 10) -> list[tuple[Hashable, float]]:
        """Return the k nearest nodes and their distances, the nearest first.

        Raises
        ------
        ValueError
            If the label is unknown, or there are not so many others.
        """
        node = self._numbers([label], "label")
        count = check_int(k, "k", minimum=1, maximum=len(self.labels_) - 1)
        distances = self._distances(node, np.arange(len(self.labels_)))
        distances[node[0]] = np.inf
        nearest = np.argsort(distances, kind="stable")[:count]
        return [(plain(self.labels_[i]), float(distances[i])) for i in nearest]

    def score_pairs(self, pairs: Any, score: str = "distance", *, alpha: float = 1000.0) -> np.ndarray:
        """Score pairs of nodes; more is more likely linked.

        Parameters
        ----------
        pairs : array-like of shape (m, 2)
            Labels.
        score : {"distance", "is_a", "probability"}, default "distance"
            Minus the distance; ``-(1 + alpha (|v| - |u|)) d(u, v)``, which asks whether u is a kind of v, by the norms
            in the ball (the distances from the origin, in spaces that are not hyperbolic); or the Fermi-Dirac
            probability of an edge.
        alpha : float, default 1000.0
            How much norms count in ``"is_a"``.

        Returns
        -------
        ndarray of float64, shape (m,)

        Raises
        ------
        ValueError
            If a label is unknown, or pairs are no pairs.
        """
        check_option(score, "score", SCORES)
        weight = check_float(alpha, "alpha")
        columns = [tuple(pair) for pair in pairs]
        if any(len(pair) != 2 for pair in columns):
            raise ValueError("pairs must have two labels each.")
        u = self._numbers((a for a, _ in columns), "pairs")
        v = self._numbers((b for _, b in columns), "pairs")
        distances = self._distances(u, v)
        if score == "probability":
            return fermi_dirac(distances, *self.curve_)
        if score == "distance":
            return -distances
        norms = self._space().norms(self.embedding_)
        return -(1.0 + weight * (norms[v] - norms[u])) * distances

    def evaluate(
        self, edges: Any = None, *, subsample: int | None = None, random_state: RandomState = 0
    ) -> LinkRanking:
        """Rank, for every node, what it is linked to among all that it is not linked to.

        Parameters
        ----------
        edges : as for `fit`, optional
            Links to rank, between fitted nodes; those that were fitted are no negatives either. By default the fitted
            ones.
        subsample : int, optional
            Measure this many random nodes.
        random_state : int, Generator, RandomState or None, default 0
            Seed of the subsample.

        Returns
        -------
        LinkRanking
            Also kept as ``mean_rank_`` and ``map_``.

        Raises
        ------
        ValueError
            If a label is unknown.
        """
        check_is_fitted(self)
        links = self.links_ if edges is None else self._known_links(edges)
        space = self._space()
        ranking = link_ranking(
            space.order(self.embedding_),
            links,
            known=self.links_,
            subsample=subsample,
            random_state=random_state,
            n_jobs=self.n_jobs,
        )
        self.mean_rank_, self.map_ = ranking.mean_rank, ranking.mean_average_precision
        return ranking

    def to_ball(self) -> np.ndarray:
        """Return the places (n_nodes, dim) in the Poincare ball.

        Raises
        ------
        ValueError
            If the space is not hyperbolic.
        """
        check_is_fitted(self)
        return self._space().to_ball(self.embedding_)

    def _known_links(self, edges: Any) -> sparse.csr_array:
        pairs = known_numbers(edges, self._numbers_of, "edges")
        shape = self.links_.shape
        return sparse.csr_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=shape)

    def _distances(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self._space().distances(self.embedding_[a], self.embedding_[b])

    def _numbers(self, labels: Iterable[Any], name: str) -> np.ndarray:
        check_is_fitted(self)
        return label_numbers(labels, self._numbers_of, name)

    def _is_label(self, value: Any) -> bool:
        return isinstance(value, str) or not isinstance(value, Iterable) or plain(value) in self._numbers_of

    def _index(self) -> None:
        self._numbers_of = {plain(label): i for i, label in enumerate(self.labels_)}

    _not_saved = ("_numbers_of",)

    def _restore_state(self, state: dict[str, Any], version: int) -> None:
        super()._restore_state(state, version)
        self._index()

    def _used_references(self) -> tuple[str, ...]:
        return ("nickel2018learning",) if self.manifold == "hyperboloid" else ()

    def _space(self) -> EmbeddingSpace:
        return space_of(self.manifold, self.n_components)

    def _method(self) -> str:
        return "rsgd" if self.optimizer == "retraction" else self.optimizer

    def _closed(self, found: EdgeList) -> sparse.csr_array:
        """Return the closure of edges; a pair that was not given has weight one."""
        cycle = find_cycle(found.links)
        if cycle is not None:
            names = [repr(plain(found.labels[node])) for node in [*cycle[:6], cycle[0]]]
            raise ValueError(f"edges must have no directed cycle where closure=True, got {' -> '.join(names)}.")
        implied = transitive_closure(found.links).astype(np.float64)
        closed = sparse.csr_array(implied - implied.multiply(found.links > 0) + found.links)
        closed.eliminate_zeros()
        closed.sort_indices()
        return closed

    def _options(self, space: EmbeddingSpace, n: int) -> descent.DescentOptions:
        """Check the parameters of the descent."""
        check_option(self.dtype, "dtype", ("float32", "float64"))
        check_option(self.optimizer, "optimizer", OPTIMIZERS)
        objective = OBJECTIVES.index(check_option(self.objective, "objective", OBJECTIVES))
        is_auto = isinstance(self.batch_size, str) and self.batch_size == "auto"
        batch = descent.auto_batch(n) if is_auto else check_int(self.batch_size, "batch_size", minimum=1)
        lr = check_float(self.lr, "lr", minimum=0.0)
        if lr == 0.0:
            raise ValueError("lr must be positive, got 0.0.")
        epochs = check_int(self.epochs, "epochs", minimum=1)
        return descent.DescentOptions(
            space=space.code,
            objective=objective,
            scale=space.scale,
            n_negatives=check_int(self.n_negatives, "n_negatives", minimum=1),
            lr=lr,
            epochs=epochs,
            burn_in=min(epochs, check_int(self.burn_in, "burn_in", minimum=0)),
            burn_in_factor=check_float(self.burn_in_factor, "burn_in_factor", minimum=0.0),
            dampening=check_float(self.dampening, "dampening", minimum=0.0),
            batch_size=batch,
            edge=space.edge(np.dtype(self.dtype)),
            is_retraction=self.optimizer == "retraction",
            n_jobs=self.n_jobs,
        )

    def _curve(self, space: EmbeddingSpace, pairs: descent.Pairs, options: descent.DescentOptions, seed: int) -> Any:
        """Return radius and temperature of an epoch as a function, or None where there are none."""
        if self.objective == "ranking":
            return None
        if isinstance(self.curve, str):
            check_option(self.curve, "curve", ("learned",))
            schedule = descent.Schedule(pairs, options, derive_seed(seed, "curve"))
            return descent.LearnedCurve(schedule, DEFAULT_CURVE, space.target_distances())
        try:
            radius, temperature = self.curve
        except (TypeError, ValueError):
            raise ValueError(f"curve must be a radius and a temperature, or 'learned', got {self.curve!r}.") from None
        fermi_dirac(0.0, radius, temperature)
        return lambda epoch, places: (float(radius), float(temperature))
