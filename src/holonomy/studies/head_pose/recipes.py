"""How the published models were trained."""

from functools import partial
from typing import Any

import torch

from holonomy._core.citations import references
from holonomy.predict import RotationRegressor


@references("hempel2022sixd")
def reference_regressor(backbone: Any, *, halving: bool = False, **changes: Any) -> RotationRegressor:
    """Return the estimator with the published settings: six numbers, the angle as loss, Adam with rate 1e-4.

    It was trained for 80 epochs on 300W-LP with a RepVGG-B1g2 whose weights came from ImageNet.

    Parameters
    ----------
    backbone : torch.nn.Module
        From images (b, 3, 224, 224) in the units of ImageNet to features (b, f), such as a model of timm with
        ``num_classes=0``.
    halving : bool, default False
        Whether the rate is halved at epochs 10 and 20.
    **changes
        Parameters of `RotationRegressor` to be set otherwise.

    Returns
    -------
    RotationRegressor

    Examples
    --------
    >>> import torch
    >>> from holonomy.studies.head_pose import reference_regressor
    >>> model = reference_regressor(torch.nn.Flatten(), n_epochs=2)
    >>> model.batch_size, model.n_epochs
    (80, 2)
    """
    schedule = partial(torch.optim.lr_scheduler.MultiStepLR, milestones=[10, 20], gamma=0.5) if halving else None
    published = {"n_epochs": 80, "batch_size": 80, "learning_rate": 1e-4, "schedule": schedule}
    return RotationRegressor(backbone, **{**published, **changes})
