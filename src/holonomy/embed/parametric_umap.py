"""Parametric UMAP: a network that maps rows as UMAP does."""

from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, check_seed, derive_seed, generator
from holonomy._core.validation import as_numpy, check_int, check_points
from holonomy.embed._parametric_files import SavedNetworks
from holonomy.embed._parametric_inputs import landmarks_of, row_moments, with_unknown
from holonomy.embed._parametric_objective import (
    check_parameters,
    edges_at_once,
    graph_of,
    objective_of,
    training_options,
)
from holonomy.graphs import NeighborGraph

SMALL = 10_000
"""Most rows for which training takes 200 epochs instead of 50."""


class ParametricUMAP(ClassNamePrefixFeaturesOutMixin, SavedNetworks, TransformerMixin, BaseEstimator):
    """Parametric UMAP.

    The fuzzy graph is that of `UMAP`. Instead of coordinates, a network is trained, by gradient descent on batches of
    edges, each pushed away from others of its batch. New rows are mapped by applying it, and with a decoder points of
    the map are mapped back. Further terms keep distances (correlation), rows (autoencoder) or places (landmarks).

    Parameters
    ----------
    n_components : int, default 2
        Dimensions of the map.
    n_neighbors : int, default 15
        Size of a neighbourhood, the point itself included, >= 2.
    metric, metric_kwds : default "euclidean" and None
        See `holonomy.graphs.neighbors`. Not "precomputed": the network needs rows; give neighbours as ``graph``.
    min_dist, spread : float, default 0.1 and 1.0
        Distance within which points may be packed on the map, and its scale.
    set_op_mix_ratio, local_connectivity : float, default 1.0
        See `UMAP`.
    negative_sample_rate : int, default 5
        Negative samples for every edge.
    repulsion_strength : float, default 1.0
        Weight of negative samples.
    a, b : float, optional
        Curve of the map; fitted to ``min_dist`` and ``spread`` where None.
    target_metric, target_metric_kwds, target_n_neighbors, target_weight
        How targets y are used; see `UMAP`.
    disconnection_distance : float, optional
        Distance from which on rows are not neighbours; see `UMAP`.
    encoder : torch.nn.Module, optional
        From rows (b, d) to places (b, n_components); it is copied, not trained itself. By default three hidden layers
        of 100 rectified units, on centred rows in units of their spread.
    decoder : True or torch.nn.Module, optional
        From places to rows, trained along; True makes the mirror image of the default encoder.
    autoencoder_loss : bool, default False
        Whether the reconstruction trains the encoder too, not only the decoder; needs a decoder.
    reconstruction_loss : {"mse", "bce"} or callable, default "mse"
        Loss of decoded rows and rows, two tensors (b, d) to a scalar. "bce" takes the decoder's output as logits and
        rows in [0, 1].
    reconstruction_loss_weight : float, default 1.0
        Its weight.
    global_correlation_loss_weight : float, default 0.0
        Weight of 1 - the correlation of distances between random pairs of a batch in the data and on the map.
    landmark_loss_fn : callable, optional
        Loss of the places of landmarks and where they are to be, two tensors (l, n_components) to a scalar; by default
        the mean distance.
    landmark_loss_weight : float, default 1.0
        Its weight.
    n_epochs : int, optional
        Passes over the edges; the strongest take part in every one. 200 up to 10,000 rows and 50 beyond.
    batch_size : int, optional
        Edges in a batch; by default 1000, or what makes 20 batches of an epoch, at least 100, where that is less.
    learning_rate : float, default 0.001
        Step of Adam.
    training_options : dict, optional
        Further options of training, e.g. ``{"gradient_clip_norm": 4.0, "precision": "bf16-mixed", "progress": True}``.
    random_state : int, Generator, RandomState or None, default None
        Seed.
    device : str, torch.device or None, default None
        Where to train; None takes a GPU where there is one.
    n_jobs : int, optional
        Threads; None and -1 use what is available. On the CPU, training uses one unless ``training_options`` has
        ``n_threads``, so that the result does not depend on it.

    Attributes
    ----------
    embedding_ : ndarray of float32, shape (n, n_components)
        The map of the fitted rows; what `transform` gives for them.
    encoder_, decoder_ : torch.nn.Module
        The trained networks, on the CPU; ``decoder_`` is None without one.
    loss_history_ : list of dict
        The mean of the loss and its terms for each epoch.
    graph_ : csr_array of shape (n, n)
        Symmetric memberships.
    knn_ : NeighborGraph
        The neighbours.
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
    `torch.onnx` exports ``encoder_``. What umap-learn calls otherwise, or has and this has not, is said on the page
    about moving from it.

    References
    ----------
    Sainburg, McInnes, Gentner (2021). Parametric UMAP embeddings for representation and semisupervised learning. Neural
    Computation 33, 2881-2907.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from holonomy.embed import ParametricUMAP
    >>> X = load_iris().data
    >>> model = ParametricUMAP(n_epochs=5, random_state=0).fit(X)
    >>> model.embedding_.shape, bool((model.transform(X[:3]) == model.embedding_[:3]).all())
    ((150, 2), True)
    """

    _references = ("sainburg2021parametric", "mcinnes2018umap")

    def __init__(
        self,
        n_components: int = 2,
        *,
        n_neighbors: int = 15,
        metric: Any = "euclidean",
        metric_kwds: dict[str, Any] | None = None,
        min_dist: float = 0.1,
        spread: float = 1.0,
        set_op_mix_ratio: float = 1.0,
        local_connectivity: float = 1.0,
        negative_sample_rate: int = 5,
        repulsion_strength: float = 1.0,
        a: float | None = None,
        b: float | None = None,
        target_metric: Any = "categorical",
        target_metric_kwds: dict[str, Any] | None = None,
        target_n_neighbors: int = -1,
        target_weight: float = 0.5,
        disconnection_distance: float | None = None,
        encoder: Any = None,
        decoder: Any = None,
        autoencoder_loss: bool = False,
        reconstruction_loss: Any = "mse",
        reconstruction_loss_weight: float = 1.0,
        global_correlation_loss_weight: float = 0.0,
        landmark_loss_fn: Any = None,
        landmark_loss_weight: float = 1.0,
        n_epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float = 1e-3,
        training_options: dict[str, Any] | None = None,
        random_state: RandomState = None,
        device: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.metric_kwds = metric_kwds
        self.min_dist = min_dist
        self.spread = spread
        self.set_op_mix_ratio = set_op_mix_ratio
        self.local_connectivity = local_connectivity
        self.negative_sample_rate = negative_sample_rate
        self.repulsion_strength = repulsion_strength
        self.a = a
        self.b = b
        self.target_metric = target_metric
        self.target_metric_kwds = target_metric_kwds
        self.target_n_neighbors = target_n_neighbors
        self.target_weight = target_weight
        self.disconnection_distance = disconnection_distance
        self.encoder = encoder
        self.decoder = decoder
        self.autoencoder_loss = autoencoder_loss
        self.reconstruction_loss = reconstruction_loss
        self.reconstruction_loss_weight = reconstruction_loss_weight
        self.global_correlation_loss_weight = global_correlation_loss_weight
        self.landmark_loss_fn = landmark_loss_fn
        self.landmark_loss_weight = landmark_loss_weight
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.training_options = training_options
        self.random_state = random_state
        self.device = device
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None, landmark_positions: Any = None) -> Self:
        """Train the networks on X.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            The data, n >= 2.
        y : array-like of shape (n,) or (n, t), optional
            Targets that the map shall respect; see `UMAP`.
        graph : NeighborGraph, optional
            Neighbours of the rows of X found before.
        landmark_positions : array-like of shape (n, n_components), optional
            Where rows are to be placed; NaN for all that are no landmarks.

        Returns
        -------
        ParametricUMAP
            The fitted estimator.
        """
        X = self._validated(X, reset=True)
        check_parameters(self)
        self._seed = check_seed(self.random_state)
        self._n_updates = 0
        self._moments = row_moments(X)
        networks = self._networks()
        self._train(networks, X, y, graph, landmarks_of(landmark_positions, X.shape[0], self.n_components))
        return self

    def update(
        self,
        X: Any,
        y: Any = None,
        *,
        n_landmarks: int = 100,
        graph: NeighborGraph | None = None,
        n_epochs: int | None = None,
    ) -> Self:
        """Train on with new data, keeping some of the rows fitted before at their places.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (m, d)
            New rows.
        y : array-like of shape (m,) or (m, t), optional
            Targets of the new rows; the landmarks have none.
        n_landmarks : int, default 100
            How many of the rows trained on last are kept, drawn at random, all if there are fewer; 0 lets the map move
            freely.
        graph : NeighborGraph, optional
            Neighbours of the rows trained on, which are the landmarks followed by the new rows; without landmarks only.
        n_epochs : int, optional
            Passes over the edges; as many as `fit` took by default.

        Returns
        -------
        ParametricUMAP
            This estimator; ``embedding_`` is now the map of the new rows.
        """
        check_is_fitted(self)
        X = self._validated(X, reset=False)
        if X.shape[0] < 2:
            raise ValueError(f"X must have at least 2 rows to train on, got {X.shape[0]}.")
        count = min(check_int(n_landmarks, "n_landmarks", minimum=0), self._X.shape[0])
        if graph is not None and count:
            raise ValueError("graph can only be given with n_landmarks=0, because landmarks join the rows of X.")
        self._n_updates += 1
        chosen = generator(self._seed, "landmarks", self._n_updates).choice(self._X.shape[0], count, replace=False)
        kept = self._X[np.sort(chosen)]
        rows = (
            X if not count else sparse.vstack([kept, X], format="csr") if sparse.issparse(X) else np.vstack([kept, X])
        )
        positions = np.full((count + X.shape[0], self.n_components), np.nan)
        if count:
            positions[:count] = self._apply(self._encoder(), kept)
        targets = None if y is None else with_unknown(y, count)
        self._train(
            self._modules(),
            rows,
            targets,
            graph,
            landmarks_of(positions, len(positions), self.n_components),
            n_epochs,
            skip=count,
        )
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Place rows on the map by the encoder, each the same whatever other rows are in the call.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (m, d)
            Rows.

        Returns
        -------
        ndarray of float32, shape (m, n_components)
        """
        check_is_fitted(self)
        return self._apply(self._encoder(), self._validated(X, reset=False))

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Turn points of the map into rows of data by the decoder.

        Parameters
        ----------
        X : array-like of shape (m, n_components)
            Points of the map.

        Returns
        -------
        ndarray of float32, shape (m, d)
            With ``reconstruction_loss="bce"`` in [0, 1].
        """
        check_is_fitted(self)
        points = check_points(X)
        if points.shape[1] != self.n_components:
            raise ValueError(f"X must have {self.n_components} columns, got {points.shape[1]}.")
        self._encoder()
        if self.decoder_ is None:
            raise ValueError("inverse_transform needs a decoder; pass decoder=True and fit again.")
        rows = self._apply(self.decoder_, points)
        return 1.0 / (1.0 + np.exp(-rows)) if self.reconstruction_loss == "bce" else rows

    def _validated(self, X: Any, *, reset: bool) -> Any:
        return validate_data(
            self,
            as_numpy(X),
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            ensure_min_samples=2 if reset else 1,
            reset=reset,
        )

    def _networks(self) -> Any:
        """Return fresh networks, checked to fit the data."""
        from holonomy.embed._parametric_training import check_output, make_networks

        seed = derive_seed(self._seed, "weights") % 2**62
        networks = make_networks(
            self.encoder, self.decoder, self.n_features_in_, self.n_components, self._moments, seed
        )
        check_output(networks["encoder"], self.n_features_in_, self.n_components, "encoder")
        if "decoder" in networks:
            check_output(networks["decoder"], self.n_components, self.n_features_in_, "decoder")
        return networks

    def _train(
        self,
        networks: Any,
        X: Any,
        y: Any,
        graph: NeighborGraph | None,
        landmarks: tuple[np.ndarray, np.ndarray] | None,
        n_epochs: int | None = None,
        skip: int = 0,
    ) -> None:
        """Train on X, and keep the map of its rows but the first ``skip``."""
        from holonomy.embed._parametric_training import train

        wanted = self.n_epochs if n_epochs is None else n_epochs
        default = 200 if X.shape[0] <= SMALL else 50
        epochs = default if wanted is None else check_int(wanted, "n_epochs", minimum=1)
        with threads(self.n_jobs):
            fuzzy = graph_of(self, X, y, graph, derive_seed(self._seed, "graph"))
            result = train(
                networks,
                objective_of(self, X, fuzzy, landmarks),
                fuzzy.graph_,
                edges_at_once(self.batch_size, fuzzy.graph_),
                self.learning_rate,
                training_options(self, epochs),
                derive_seed(self._seed, "training", self._n_updates),
            )
        self.knn_, self.graph_, self.a_, self.b_ = fuzzy.knn_, fuzzy.graph_, fuzzy.a_, fuzzy.b_
        self.n_epochs_, self.loss_history_ = epochs, result.history
        self._keep(result.module if result.ema_module is None else result.ema_module)
        self._X = X[skip:]
        self.embedding_ = self._apply(self.encoder_, self._X)

    def _apply(self, network: Any, X: Any) -> np.ndarray:
        from holonomy._core.training.randomness import torch_threads
        from holonomy.embed._parametric_training import apply

        with torch_threads(1):
            return apply(network, X)

    @property
    def _n_features_out(self) -> int:
        return self.n_components

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
