"""How a network of rotations is trained."""

from functools import partial
from typing import Any

import torch

from holonomy._core.random import derive_seed
from holonomy._core.training import FitResult, TrainingOptions, fit_module
from holonomy.predict._rotation_network import Prepared, RotationNetwork, RotationObjective


def trained(model: Any, network: RotationNetwork, data: Any, n_rows: int) -> FitResult:
    """Train a network with the parameters of a `RotationRegressor`."""
    if isinstance(network.prepared, Prepared) and isinstance(data, tuple):
        network.prepared.learn(data[0])
    options = {
        "max_epochs": model.n_epochs,
        "batch_size": model.batch_size,
        "device": model.device,
        "n_threads": 1,
        "scheduler_interval": "step" if model.schedule == "cosine" else "epoch",
    }
    steps = model.n_epochs * -(-n_rows // model.batch_size)
    cosine = partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=steps)
    return fit_module(
        network,
        RotationObjective(model.loss),
        data,
        optimizer=lambda parameters: torch.optim.Adam(parameters, lr=model.learning_rate),
        scheduler=cosine if model.schedule == "cosine" else model.schedule,
        options=TrainingOptions(**{**options, **(model.training_options or {})}),
        random_state=derive_seed(model._seed, "training"),
    )
