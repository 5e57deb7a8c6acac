"""What a run hands out: to the loss at every step, to the hook at every epoch, to the caller at its end."""

from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor, nn

History = list[dict[str, float | int]]
"""One row an epoch: ``epoch`` (counted from 0), ``step`` (steps taken by its end), the means of ``loss``, of its
further scalars and of ``gradient_norm`` (before clipping, over the steps that a gradient scaler did not skip),
``learning_rate``, and with validation data ``validation_loss`` and the further scalars under the same prefix."""


@dataclass(frozen=True)
class Step:
    """Where a loss is being computed, and what it may draw random numbers from.

    Attributes
    ----------
    generator : torch.Generator
        On the device of the batch, seeded for this step alone; pass it to ``torch.randn(..., generator=...)``. In
        validation it is seeded for the batch, so that the losses of different epochs can be compared.
    index : int
        Optimiser steps taken before this one, for schedules such as an annealed weight.
    epoch : int
        The epoch, counted from 0.
    rows : Tensor of shape (b,) or None
        Rows of the data that the batch holds, on the CPU; None when the data are batches already.
    """

    generator: torch.Generator
    index: int
    epoch: int
    rows: Int64[Tensor, " b"] | None = None


@dataclass(frozen=True)
class EpochEnd:
    """What the hook ``on_epoch_end`` sees.

    Attributes
    ----------
    epoch, step : int
        The epoch that ended, counted from 0, and the steps taken by its end.
    metrics : dict
        The newest row of the history.
    module, ema_module : nn.Module
        The module and its averaged copy (None without one), both in evaluation mode.
    """

    epoch: int
    step: int
    metrics: dict[str, float | int]
    module: nn.Module
    ema_module: nn.Module | None


@dataclass(frozen=True)
class FitResult:
    """A trained module and how it came about.

    Attributes
    ----------
    module : nn.Module
        The module that was passed in, trained, on the device of the run and in evaluation mode.
    ema_module : nn.Module or None
        A copy with the averaged weights, where ``ema_decay`` asked for one.
    history : list of dict
        One row an epoch; ``pandas.DataFrame(result.history)`` makes a table of it. An epoch that ``max_steps`` cut
        short has a row for the part that was done.
    n_steps, n_epochs : int
        Steps taken and whole epochs completed, those before a resumption included.
    stopped_reason : {"max_epochs", "max_steps", "early_stopping", "on_epoch_end"}
        Why the run ended.
    best_loss : float
        Lowest loss of an epoch: on the validation data where there are any, on the training data elsewhere.
    seconds : float
        Time spent, that before a resumption included.
    """

    module: nn.Module
    ema_module: nn.Module | None
    history: History
    n_steps: int
    n_epochs: int
    stopped_reason: str
    best_loss: float
    seconds: float
