"""What a parametric map is trained for: its parameters checked, the graph of its rows, the loss and the options.

The functions read the parameters of an estimator and return what they make; nothing is written to it.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from holonomy._core.validation import check_float, check_int
from holonomy.embed.umap import UMAP
from holonomy.graphs import NeighborGraph

if TYPE_CHECKING:
    from holonomy.embed.parametric_umap import ParametricUMAP

LARGEST_BATCH, SMALLEST_BATCH, FEWEST_BATCHES = 1000, 100, 20
"""Edges in a batch unless told otherwise, and batches of an epoch for which there are fewer of them."""

OF_GRAPH = (
    "n_neighbors",
    "n_components",
    "metric",
    "metric_kwds",
    "min_dist",
    "spread",
    "set_op_mix_ratio",
    "local_connectivity",
    "negative_sample_rate",
    "repulsion_strength",
    "a",
    "b",
    "target_metric",
    "target_metric_kwds",
    "target_n_neighbors",
    "target_weight",
    "disconnection_distance",
    "n_jobs",
)
"""Parameters that mean the same in `UMAP`."""


def check_parameters(model: "ParametricUMAP") -> None:
    """Check the parameters that do not concern the graph.

    Raises
    ------
    TypeError, ValueError
        Naming the parameter that cannot be.
    """
    check_int(model.n_components, "n_components", minimum=1)
    if isinstance(model.metric, str) and model.metric == "precomputed":
        raise ValueError("metric cannot be 'precomputed', because a network needs rows; pass graph= to fit.")
    if model.batch_size is not None:
        check_int(model.batch_size, "batch_size", minimum=1)
    if check_float(model.learning_rate, "learning_rate", minimum=0.0) == 0.0:
        raise ValueError("learning_rate must be positive, got 0.")
    for name in ("reconstruction_loss_weight", "global_correlation_loss_weight", "landmark_loss_weight"):
        check_float(getattr(model, name), name, minimum=0.0)
    if model.autoencoder_loss and model.decoder in (None, False):
        raise ValueError("autoencoder_loss=True needs a decoder; pass decoder=True.")
    if not callable(model.reconstruction_loss) and model.reconstruction_loss not in ("mse", "bce"):
        raise ValueError(f"reconstruction_loss must be 'mse', 'bce' or a function, got {model.reconstruction_loss!r}.")
    if model.landmark_loss_fn is not None and not callable(model.landmark_loss_fn):
        raise TypeError(f"landmark_loss_fn must be a function, got {model.landmark_loss_fn!r}.")


def graph_of(model: "ParametricUMAP", X: Any, y: Any, graph: NeighborGraph | None, seed: int) -> UMAP:
    """Return a `UMAP` of the rows that has stopped at their fuzzy graph."""
    shared = {name: getattr(model, name) for name in OF_GRAPH}
    return UMAP(**shared, transform_mode="graph", random_state=seed).fit(X, y, graph=graph)


def objective_of(model: "ParametricUMAP", X: Any, fuzzy: UMAP, landmarks: tuple[np.ndarray, np.ndarray] | None) -> Any:
    """Return the loss of networks on the rows: cross-entropy with the fuzzy graph, and the terms asked for."""
    import torch

    from holonomy.embed._parametric_training import (
        RECONSTRUCTIONS,
        Landmarks,
        Objective,
        Rows,
        device_of,
        distance_to_places,
    )

    device = device_of(model.device)
    kept = None
    if landmarks is not None:
        kept = Landmarks(
            torch.from_numpy(landmarks[0]).to(device),
            torch.as_tensor(landmarks[1], dtype=torch.float32, device=device),
            model.landmark_loss_fn or distance_to_places,
            model.landmark_loss_weight,
        )
    loss = model.reconstruction_loss
    return Objective(
        data=Rows(X, device),
        a=fuzzy.a_,
        b=fuzzy.b_,
        negative_sample_rate=fuzzy.negative_sample_rate,
        repulsion_strength=fuzzy.repulsion_strength,
        reconstruction=loss if callable(loss) else RECONSTRUCTIONS[loss],
        reconstruction_weight=model.reconstruction_loss_weight,
        correlation_weight=model.global_correlation_loss_weight,
        is_autoencoder=model.autoencoder_loss,
        landmarks=kept,
    )


def edges_at_once(batch_size: int | None, graph: sparse.csr_array) -> int:
    """Return the number of edges in a batch: as given, or such that an epoch has enough batches."""
    if batch_size is not None:
        return batch_size
    in_an_epoch = float(graph.data.sum(dtype=np.float64)) / max(float(graph.data.max(initial=0.0)), 1e-300)
    return int(np.clip(in_an_epoch / FEWEST_BATCHES, SMALLEST_BATCH, LARGEST_BATCH))


def training_options(model: "ParametricUMAP", n_epochs: int) -> Any:
    """Return the options of training.

    Raises
    ------
    TypeError, ValueError
        If ``training_options`` holds what it does not know, or what is a parameter of its own.
    """
    from holonomy._core.training import TrainingOptions

    given = dict(model.training_options or {})
    reserved = {"max_epochs", "batch_size", "device"} & set(given)
    if reserved:
        raise ValueError(
            f"training_options cannot hold {sorted(reserved)[0]!r}; use the parameters n_epochs, batch_size and device."
        )
    try:
        return TrainingOptions(**{"n_threads": 1, **given}, max_epochs=n_epochs, device=model.device)
    except TypeError as error:
        raise TypeError(f"training_options does not fit: {error}") from error
