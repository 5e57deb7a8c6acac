"""The one training loop of the library, as a function."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment
from lightning_fabric.strategies import DDPStrategy, SingleDeviceStrategy
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from holonomy._core.device import resolve_device
from holonomy._core.random import RandomState, check_seed
from holonomy._core.training.batches import Data, Process, batch_source
from holonomy._core.training.checkpoints import as_plain, list_checkpoints, load_checkpoint
from holonomy._core.training.loop import EpochHook, Loop, Sources
from holonomy._core.training.loss_module import Loss, LossModule
from holonomy._core.training.options import Checkpoints, TrainingOptions
from holonomy._core.training.results import FitResult

OptimizerLike: TypeAlias = Optimizer | Callable[[Iterable[nn.Parameter]], Optimizer]
Scheduler: TypeAlias = LRScheduler | ReduceLROnPlateau
SchedulerLike: TypeAlias = Scheduler | Callable[[Optimizer], Scheduler]

default_optimizer = partial(torch.optim.Adam, lr=1e-3)


def fit_module(
    module: nn.Module,
    loss: Loss,
    data: Data,
    *,
    validation: Data | None = None,
    optimizer: OptimizerLike | None = None,
    scheduler: SchedulerLike | None = None,
    options: TrainingOptions | None = None,
    random_state: RandomState = None,
    checkpoints: Checkpoints | None = None,
    resume_from: str | os.PathLike[str] | None = None,
    on_epoch_end: EpochHook | None = None,
    fabric: Fabric | None = None,
) -> FitResult:
    """Train ``module`` to make ``loss`` small on ``data``.

    Parameters
    ----------
    module : nn.Module
        What to train, in place: it moves to the device of the run and its weights change. Every epoch starts with
        ``train()``; a layer that has to stay in evaluation mode overrides that method.
    loss : callable
        ``loss(module, batch, step)`` returns a scalar tensor, or a pair of it and a dict of further scalars that are
        averaged over the epoch. ``step`` is a `Step`: it offers ``generator`` for random numbers, ``index`` and
        ``epoch`` for schedules, and ``rows``. A loss that is an ``nn.Module`` is trained and saved along.
    data : Tensor, tuple or dict of Tensors, Dataset, or iterable of batches
        Tensors and map-style data sets are cut into batches of rows, in the same form as the data. Anything else is
        iterated anew every epoch and yields batches itself (a ``DataLoader``, a list of batches such as one whole
        graph, a sampler); if it has ``set_epoch``, that is called first, and torch's default generators are seeded
        before each of its batches.
    validation : same kinds as data, optional
        Evaluated without gradients after every epoch, in order; with ``ema_decay``, for the averaged weights.
    optimizer : callable or Optimizer, optional
        ``optimizer(parameters)``, or an optimiser of the parameters of ``module``; Adam with rate 0.001 if None. It
        must not need a closure, and its ``state_dict`` travels in checkpoints.
    scheduler : callable or LRScheduler, optional
        ``scheduler(optimizer)``, or a scheduler of ``optimizer``. It advances every ``options.scheduler_interval``;
        ``ReduceLROnPlateau`` advances every epoch, on the loss that early stopping watches.
    options : TrainingOptions, optional
        Epochs, batch size, device, precision, clipping, averaging, early stopping, progress.
    random_state : int, numpy Generator, numpy RandomState or None
        Decides the order of the rows and what layers and loss draw. None draws a fresh seed or, on resumption,
        takes that of the checkpoint.
    checkpoints : Checkpoints, optional
        Where and when to save the state of the run.
    resume_from : path, optional
        A checkpoint, or a folder whose newest one is taken. The run goes on as if it had never stopped, so module,
        loss, data, optimiser and options must be the same; only ``max_epochs``, ``max_steps``, the patience of early
        stopping, device, threads and what is shown may change.
    on_epoch_end : callable, optional
        ``on_epoch_end(EpochEnd)`` after every whole epoch; the run stops when it returns True.
    fabric : lightning_fabric.Fabric, optional
        A launched Fabric, for several devices: every process calls this function and gets the same result. Device and
        precision are then those of the Fabric; ``batch_size`` counts the rows of all processes together.

    Returns
    -------
    FitResult
        The module, its averaged copy, the history and why the run ended.

    Raises
    ------
    NonFiniteError
        If a loss or a gradient becomes NaN or infinite; it names step, epoch, rows and the last finite loss.
    ValueError, TypeError
        On bad arguments, and on a checkpoint that is damaged or belongs to another run.
    FileNotFoundError
        If there is no checkpoint to resume from.

    Notes
    -----
    The same seed gives the same bits with the same number of CPU threads (``options.n_threads``), and a resumed run
    equals an uninterrupted one bit for bit: the order of the rows depends on (seed, epoch) alone, and every step draws
    from generators seeded by (seed, step). On a GPU this holds as far as its kernels are deterministic
    (``torch.use_deterministic_algorithms``). torch's global generators are given back untouched; those of NumPy and
    Python are never used.

    Examples
    --------
    >>> import torch
    >>> from holonomy._core.training import TrainingOptions, fit_module
    >>> x = torch.linspace(-1, 1, 64)[:, None]
    >>> def squared_error(module, batch, step):
    ...     inputs, targets = batch
    ...     return (module(inputs) - targets).square().mean()
    >>> result = fit_module(
    ...     torch.nn.Linear(1, 1),
    ...     squared_error,
    ...     (x, 2 * x + 1),
    ...     optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.3),
    ...     options=TrainingOptions(max_epochs=60, batch_size=16, device="cpu"),
    ...     random_state=0,
    ... )
    >>> round(result.module.weight.item(), 3), result.stopped_reason
    (2.0, 'max_epochs')
    """
    options = TrainingOptions() if options is None else options
    _check_arguments(module, loss, options, fabric)
    path, state = (None, None) if resume_from is None else load_checkpoint(resume_from)
    _check_folder(checkpoints, None if state is None else state["position"]["step"])
    seed = check_seed(random_state) if state is None or random_state is not None else state["asked"]["random_state"]
    with _quiet():
        fabric = _single_device_fabric(options) if fabric is None else fabric
        seed = fabric.broadcast(seed)  # A fresh seed has to be the same in every process.
        process = Process(fabric.device, fabric.global_rank, fabric.world_size)
        sources = Sources(
            batch_source(data, "data", options, is_training=True, process=process),
            None
            if validation is None
            else batch_source(validation, "validation", options, is_training=False, process=process),
        )
        loss_module = LossModule(module, loss)
        optimizer = _build_optimizer(optimizer, loss_module)
        schedule = _build_scheduler(scheduler, optimizer, options)
        loop = Loop(fabric, loss_module, optimizer, schedule, sources, options, seed, checkpoints, on_epoch_end)
    if checkpoints is not None:
        as_plain(loop.state_dict(), "state")  # What cannot be saved should be known before hours of training.
    if state is not None:
        loop.load_state_dict(state, str(path))
    return loop.run()


def _check_arguments(module: object, loss: object, options: object, fabric: Fabric | None) -> None:
    if not isinstance(module, nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}.")
    if not callable(loss):
        raise TypeError(f"loss must be callable as loss(module, batch, step), got {type(loss).__name__}.")
    if not isinstance(options, TrainingOptions):
        raise TypeError(f"options must be TrainingOptions, got {type(options).__name__}.")
    if fabric is None:
        return
    if not isinstance(fabric.strategy, SingleDeviceStrategy | DDPStrategy):
        raise ValueError(
            f"fabric must use one device or DDP, got {type(fabric.strategy).__name__}: the state of a run has to be "
            "whole in every process."
        )
    if options.device is not None or options.precision not in ("32-true", fabric.strategy.precision.precision):
        raise ValueError("With fabric, device and precision are set on the Fabric, not in options.")


def _check_folder(checkpoints: Checkpoints | None, resumed_step: int | None) -> None:
    """Refuse to mix the checkpoints of two runs, where the newest would be ambiguous."""
    found = [] if checkpoints is None else list_checkpoints(checkpoints.path)
    if found and checkpoints is not None and (resumed_step is None or found[-1][0] > resumed_step):
        what = (
            "checkpoints of an earlier run" if resumed_step is None else f"checkpoints later than step {resumed_step}"
        )
        raise ValueError(
            f"The folder {str(checkpoints.folder)!r} holds {what}; go on with resume_from={str(checkpoints.folder)!r}, "
            "or use another folder."
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Fabric from announcing precision and devices."""
    logger = logging.getLogger("lightning_fabric")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _single_device_fabric(options: TrainingOptions) -> Fabric:
    device = resolve_device(options.device)
    if device.type == "cpu" and options.precision == "16-mixed":
        raise ValueError("precision='16-mixed' needs a GPU; use 'bf16-mixed' on the CPU.")
    return Fabric(
        accelerator=device.type,
        devices=1 if device.type == "cpu" else [device.index],
        precision=options.precision,  # type: ignore[arg-type]
        plugins=[LightningEnvironment()],  # Otherwise a job of a cluster is taken for one of many processes.
    )


def _build_optimizer(optimizer: Any, loss_module: LossModule) -> Optimizer:
    parameters = [parameter for parameter in loss_module.parameters() if parameter.requires_grad]
    if not parameters:
        raise ValueError("module has no parameter that requires a gradient: there is nothing to train.")
    built = optimizer if isinstance(optimizer, Optimizer) else (optimizer or default_optimizer)(parameters)
    if not isinstance(built, Optimizer):
        raise TypeError(
            "optimizer must be a torch Optimizer or a function of the parameters that returns one, "
            f"got {type(built).__name__}."
        )
    if isinstance(built, torch.optim.LBFGS):
        raise ValueError("optimizer must not need a closure, as LBFGS does; use another one.")
    own = {id(parameter) for parameter in loss_module.parameters()}
    if any(id(parameter) not in own for group in built.param_groups for parameter in group["params"]):
        raise ValueError("optimizer holds parameters that belong neither to module nor to loss.")
    return built


def _build_scheduler(scheduler: Any, optimizer: Optimizer, options: TrainingOptions) -> Scheduler | None:
    if scheduler is None:
        return None
    built = scheduler if isinstance(scheduler, LRScheduler | ReduceLROnPlateau) else scheduler(optimizer)
    if not isinstance(built, LRScheduler | ReduceLROnPlateau):
        raise TypeError(
            "scheduler must be a torch learning-rate scheduler or a function of the optimizer that returns one, "
            f"got {type(built).__name__}."
        )
    if built.optimizer is not optimizer:
        raise ValueError("scheduler belongs to another optimizer; pass a function of the optimizer instead.")
    if isinstance(built, ReduceLROnPlateau) and options.scheduler_interval != "epoch":
        raise ValueError("ReduceLROnPlateau follows the loss of an epoch; use scheduler_interval='epoch'.")
    return built
