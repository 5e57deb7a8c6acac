"""How long, how fast, where and in which precision to train."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from holonomy._core.validation import check_float, check_int, check_option

if TYPE_CHECKING:
    import torch

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "64-true", "bf16-true", "16-true")
INTERVALS = ("epoch", "step")


@dataclass(frozen=True, kw_only=True)
class EarlyStopping:
    """Stop when the loss has not improved for a while.

    The loss watched is the validation loss where there is validation data, and the training loss elsewhere.

    Parameters
    ----------
    patience : int, default 10
        Epochs without improvement before the run stops, at least 1.
    min_delta : float, default 0
        How much lower than the best loss so far counts as an improvement, at least 0.
    restore_best : bool, default True
        Whether the run ends with the weights of its best epoch instead of those of its last, whatever stopped it.
    """

    patience: int = 10
    min_delta: float = 0.0
    restore_best: bool = True

    def __post_init__(self) -> None:
        check_int(self.patience, "patience", minimum=1)
        check_float(self.min_delta, "min_delta", minimum=0)


@dataclass(frozen=True, kw_only=True)
class Checkpoints:
    """When to write the whole state of a run to a folder.

    A checkpoint is also written when the run ends. The newest is found by ``fit_module(..., resume_from=folder)``.

    Parameters
    ----------
    folder : path
        Made when it does not exist. A run that starts afresh refuses a folder that already holds checkpoints.
    every_epochs : int or None, default 1
        Write after so many epochs.
    every_steps : int or None, default None
        Write after so many steps, also in the middle of an epoch.
    keep : int or None, default 1
        How many of the newest checkpoints stay; None keeps all.
    """

    folder: str | os.PathLike[str]
    every_epochs: int | None = 1
    every_steps: int | None = None
    keep: int | None = 1

    def __post_init__(self) -> None:
        for name in ("every_epochs", "every_steps", "keep"):
            _check_optional_int(getattr(self, name), name)

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.folder)


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """What a run of `fit_module` is asked to do, apart from what it learns.

    Parameters
    ----------
    max_epochs : int, default 100
        Passes over the data.
    max_steps : int or None, default None
        Optimiser steps after which the run stops, also in the middle of an epoch.
    batch_size : int, default 256
        Rows in a batch, over all processes together; ignored when the data are batches already.
    shuffle : bool, default True
        Whether the rows come in a new order every epoch.
    drop_last : bool, default False
        Whether a last batch with fewer rows is left out (for layers such as batch normalisation).
    steps_per_epoch : int or None, default None
        Ends an epoch after so many batches; needed for samplers that never end.
    device : {"auto", "cpu", "cuda", "cuda:0", ...}, torch.device or None, default None
        None and "auto" take the GPU where there is one.
    n_threads : int or None, default None
        CPU threads of torch during the run; None keeps torch's setting. Sums are split among the threads, so the
        bits of a result depend on their number; with 1 they are the same however many cores there are.
    precision : {"32-true", "bf16-mixed", "16-mixed", "64-true", "bf16-true", "16-true"}, default "32-true"
        "32-true" leaves every type as it is. The mixed ones keep weights and batches as they are and compute what
        allows it in 16 bits. The other true ones convert module and batches to that type, the module for good.
    gradient_clip_norm : float or None, default None
        Gradients with a larger Euclidean norm, over all parameters, are scaled down to this norm.
    ema_decay : float or None, default None
        Decay per step, in [0, 1), of an exponential moving average of the weights (see `averaging`).
    scheduler_interval : {"epoch", "step"}, default "epoch"
        When the learning-rate scheduler advances.
    early_stopping : EarlyStopping or None, default None
        When to stop before the epochs are done.
    progress : bool or None, default None
        Whether to show a progress bar; None shows it on a terminal, for runs longer than a second.

    Raises
    ------
    ValueError, TypeError
        If an option lies outside its range; the message names it.
    """

    max_epochs: int = 100
    max_steps: int | None = None
    batch_size: int = 256
    shuffle: bool = True
    drop_last: bool = False
    steps_per_epoch: int | None = None
    device: "str | torch.device | None" = None
    n_threads: int | None = None
    precision: str = "32-true"
    gradient_clip_norm: float | None = None
    ema_decay: float | None = None
    scheduler_interval: str = "epoch"
    early_stopping: EarlyStopping | None = None
    progress: bool | None = None

    def __post_init__(self) -> None:
        check_int(self.max_epochs, "max_epochs", minimum=1)
        check_int(self.batch_size, "batch_size", minimum=1)
        _check_optional_int(self.max_steps, "max_steps")
        _check_optional_int(self.steps_per_epoch, "steps_per_epoch")
        _check_optional_int(self.n_threads, "n_threads")
        check_option(self.precision, "precision", PRECISIONS)
        check_option(self.scheduler_interval, "scheduler_interval", INTERVALS)
        if self.gradient_clip_norm is not None:
            check_float(self.gradient_clip_norm, "gradient_clip_norm", minimum=math.ulp(0.0))
        if self.ema_decay is not None:
            check_float(self.ema_decay, "ema_decay", minimum=0, maximum=math.nextafter(1, 0))
            if self.precision in ("bf16-true", "16-true"):
                raise ValueError(
                    f"ema_decay cannot be used with precision={self.precision!r}: an average kept in 16 bits loses its "
                    f"small updates. Use precision={self.precision.replace('true', 'mixed')!r}."
                )


def _check_optional_int(value: object, name: str) -> None:
    if value is not None:
        check_int(value, name, minimum=1)
