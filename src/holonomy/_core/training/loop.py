"""The loop: one object that holds the whole state of a run, can write it down and go on from it."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Float64
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from holonomy._core.progress import ProgressBar, progress
from holonomy._core.random import derive_seed
from holonomy._core.training.averaging import exponential_average
from holonomy._core.training.batches import BatchSource, LoadedBatch
from holonomy._core.training.checkpoints import checkpoint_path, keep_newest, save_checkpoint
from holonomy._core.training.errors import NonFiniteError, rows_not_finite
from holonomy._core.training.loss_module import LossModule, Work, evaluate
from holonomy._core.training.options import Checkpoints, TrainingOptions
from holonomy._core.training.position import OPTIONS_OF_A_RUN, Position, accumulate, means
from holonomy._core.training.randomness import forked_generators, seed_default_generators, torch_threads
from holonomy._core.training.results import EpochEnd, FitResult, Step

EpochHook = Callable[[EpochEnd], bool | None]


@dataclass(frozen=True)
class Sources:
    """Where the batches come from."""

    training: BatchSource
    validation: BatchSource | None


class Loop:
    """Trains ``loss_module`` with ``optimizer``, both already set up by ``fabric``."""

    def __init__(
        self,
        fabric: Fabric,
        loss_module: LossModule,
        optimizer: Optimizer,
        scheduler: LRScheduler | ReduceLROnPlateau | None,
        sources: Sources,
        options: TrainingOptions,
        seed: int,
        checkpoints: Checkpoints | None,
        on_epoch_end: EpochHook | None,
    ) -> None:
        self._fabric = fabric
        self._loss_module = loss_module
        self._optimizer = optimizer
        self._scheduler = scheduler
        self._sources = sources
        self._options = options
        self._seed = seed
        self._checkpoints = checkpoints
        self._on_epoch_end = on_epoch_end
        self._precision = fabric.strategy.precision
        self._scaler: torch.amp.GradScaler | None = getattr(self._precision, "scaler", None)
        self._generator = torch.Generator(device=fabric.device)
        self._forward, self._fabric_optimizer = fabric.setup(loss_module, optimizer)
        decay = options.ema_decay
        self._average = None if decay is None else exponential_average(loss_module.module, decay)
        self._position = Position()
        self._best_weights: dict[str, Any] | None = None
        self._saved_at: tuple[int, int] | None = None
        self._hook_asked_to_stop = False
        self._started = 0.0

    # --- the run -----------------------------------------------------------------------------------------------

    def run(self) -> FitResult:
        """Train until something says stop; the module ends in evaluation mode, with the best weights if asked."""
        self._started = time.monotonic() - self._position.seconds
        threads = torch_threads(self._options.n_threads)
        with threads, forked_generators(self._fabric.device), self._progress() as bar:
            bar.advance(self._position.step)
            while (reason := self._reason_to_stop()) is None:
                if self._train_epoch(bar):
                    self._end_epoch()
            self._save()
            if self._position.batch:
                # Not in the checkpoint: a resumed run completes the epoch.
                self._record_epoch()
        self._optimizer.zero_grad()
        self._restore_best()
        return self._result(reason)

    def _reason_to_stop(self) -> str | None:
        stopping, position = self._options.early_stopping, self._position
        if stopping is not None and position.epochs_without_improvement >= stopping.patience:
            return "early_stopping"
        if self._hook_asked_to_stop:
            return "on_epoch_end"
        if position.epoch >= self._options.max_epochs:
            return "max_epochs"
        return "max_steps" if self._steps_are_used_up() else None

    def _steps_are_used_up(self) -> bool:
        return self._options.max_steps is not None and self._position.step >= self._options.max_steps

    def _train_epoch(self, bar: ProgressBar) -> bool:
        """Train on the batches of the epoch that are left; return whether there is none left."""
        position = self._position
        self._loss_module.train()
        for batch in self._sources.training.batches(self._seed, position.epoch, position.batch):
            if self._steps_are_used_up():
                return False
            self._train_step(batch)
            bar.advance()
            bar.set(f"Epoch {position.epoch + 1}/{self._options.max_epochs}, loss {position.last_finite_loss:.4g}")
            if self._checkpoints and _is_due(position.step, self._checkpoints.every_steps):
                self._save()
        if position.batch == 0:
            raise ValueError(f"data yields no batch in epoch {position.epoch}: there is nothing to train on.")
        return True

    def _train_step(self, batch: LoadedBatch) -> None:
        position = self._position
        self._seed_generators("step", position.step, self._fabric.global_rank)
        work = self._work(batch)
        self._optimizer.zero_grad()
        loss = self._forward(work)
        self._fabric.backward(loss * batch.share if self._fabric.world_size > 1 else loss)
        norm = self._gradient_norm()
        values = self._reduced({**self._loss_module.scalars, "gradient_norm": norm.double()}, batch.share)
        self._check_finite(values, batch, "", position.batch)
        self._fabric_optimizer.step()
        if math.isfinite(values["gradient_norm"]):
            self._follow_step()
        else:
            del values["gradient_norm"]
        accumulate(position.sums, values, batch.weight)
        position.last_finite_loss = values["loss"]
        position.batch += 1
        position.step += 1

    def _follow_step(self) -> None:
        """Advance what follows the weights; not called where a gradient scaler skipped the step."""
        if self._scheduler is not None and self._options.scheduler_interval == "step":
            self._scheduler.step()
        if self._average is not None:
            self._average.update_parameters(self._loss_module.module)

    def _seed_generators(self, *stream: str | int) -> None:
        """Seed what layers (the default generators) and the loss (its own) draw from, by two different streams."""
        seed_default_generators(self._fabric.device, self._seed, "layers", *stream)
        self._generator.manual_seed(derive_seed(self._seed, "loss", *stream))

    def _work(self, batch: LoadedBatch) -> Work:
        data = self._fabric.to_device(batch.data)
        # Under mixed precision Fabric would round the batch itself to 16 bits, targets included.
        if self._precision.precision.endswith("-true"):
            data = self._precision.convert_input(data)
        return Work(data, Step(self._generator, self._position.step, self._position.epoch, batch.rows))

    def _gradient_norm(self) -> Float[Tensor, ""]:
        """Return the norm over all parameters, clipping the gradients to the limit where there is one."""
        gradients = [p.grad for group in self._optimizer.param_groups for p in group["params"] if p.grad is not None]
        is_sparse = any(gradient.is_sparse for gradient in gradients)
        limit = self._options.gradient_clip_norm
        if limit is None:
            if is_sparse:
                gradients = [gradient.coalesce().values() if gradient.is_sparse else gradient for gradient in gradients]
            return torch.nn.utils.get_total_norm(gradients) / (self._scaler.get_scale() if self._scaler else 1.0)
        if is_sparse:
            raise ValueError("gradient_clip_norm needs dense gradients; make the embedding with sparse=False.")
        return torch.as_tensor(
            self._fabric.clip_gradients(self._forward, self._fabric_optimizer, max_norm=limit, error_if_nonfinite=False)
        )

    def _reduced(self, scalars: dict[str, Float64[Tensor, ""]], share: float) -> dict[str, float]:
        """Bring all scalars to Python in one transfer, as means over the processes."""
        stacked = torch.stack(list(scalars.values()))
        if self._fabric.world_size > 1:
            stacked = torch.as_tensor(self._fabric.all_reduce(stacked * share, reduce_op="mean"))
        return dict(zip(scalars, stacked.tolist(), strict=True))

    def _check_finite(self, values: dict[str, float], batch: LoadedBatch, prefix: str, index: int) -> None:
        for name in ("loss", "gradient_norm"):
            value = values.get(name, 0.0)
            if math.isfinite(value) or (name == "gradient_norm" and self._scaler_will_skip()):
                continue
            raise NonFiniteError(
                prefix + name.replace("_", " "),
                value,
                self._position.step,
                self._position.epoch,
                index,
                None if batch.all_rows is None else batch.all_rows.tolist(),
                [] if batch.rows is None else rows_not_finite(batch.data, batch.rows),
                self._position.last_finite_loss,
            )

    def _scaler_will_skip(self) -> bool:
        """Whether a gradient that overflowed is a gradient scaler's search for its scale, not the loss's fault."""
        return self._scaler is not None and self._scaler.get_scale() >= 1

    # --- the end of an epoch -----------------------------------------------------------------------------------

    def _end_epoch(self) -> None:
        position = self._position
        improved = self._record_epoch()
        if isinstance(self._scheduler, ReduceLROnPlateau):
            self._scheduler.step(self._watched_loss())
        elif self._scheduler is not None and self._options.scheduler_interval == "epoch":
            self._scheduler.step()
        position.epochs_without_improvement = 0 if improved else position.epochs_without_improvement + 1
        self._call_hook()
        position.epoch += 1
        position.batch = 0
        position.sums = {}
        if self._checkpoints and _is_due(position.epoch, self._checkpoints.every_epochs):
            self._save()

    def _record_epoch(self) -> bool:
        """Validate and append a row to the history; return whether the watched loss has improved."""
        position, stopping = self._position, self._options.early_stopping
        row: dict[str, float | int] = {"epoch": position.epoch, "step": position.step} | means(position.sums)
        if "lr" in self._optimizer.param_groups[0]:
            row["learning_rate"] = float(self._optimizer.param_groups[0]["lr"])
        if self._sources.validation is not None:
            row |= self._validate(self._sources.validation)
        position.history.append(row)
        improved = self._watched_loss() < position.best_loss - (stopping.min_delta if stopping else 0.0)
        if improved:
            position.best_loss = self._watched_loss()
            if stopping is not None and stopping.restore_best:
                self._best_weights = copy.deepcopy(self._weights())
        return improved

    def _watched_loss(self) -> float:
        row = self._position.history[-1]
        return row.get("validation_loss", row["loss"])

    @torch.no_grad()
    def _validate(self, source: BatchSource) -> dict[str, float]:
        """Return the mean of every scalar over the validation data, for the averaged weights where there are."""
        module = self._loss_module.module if self._average is None else self._average.module
        sums: dict[str, list[float]] = {}
        with _evaluation_mode(self._loss_module):
            for index, batch in enumerate(source.batches(self._seed, 0, 0)):
                self._seed_generators("validation", index, self._fabric.global_rank)
                work = self._work(batch)
                with self._fabric.autocast():
                    _, scalars = evaluate(self._loss_module.loss, module, work)
                values = self._reduced(scalars, batch.share)
                self._check_finite(values, batch, "validation ", index)
                accumulate(sums, values, batch.weight)
        if not sums:
            raise ValueError("validation yields no batch: there is nothing to validate on.")
        return {f"validation_{name}": mean for name, mean in means(sums).items()}

    def _call_hook(self) -> None:
        if self._on_epoch_end is None:
            return
        position, average = self._position, None if self._average is None else self._average.module
        self._seed_generators("hook", position.epoch)
        with _evaluation_mode(self._loss_module):
            seen = EpochEnd(
                position.epoch, position.step, dict(position.history[-1]), self._loss_module.module, average
            )
            asked = bool(self._on_epoch_end(seen))
        self._hook_asked_to_stop = self._fabric.broadcast(asked)

    # --- state -------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Return all that decides how the run goes on, as tensors and plain values."""
        return {
            "asked": self.asked(),
            "position": copy.deepcopy(vars(self._position)),
            "weights": self._weights(),
            "best_weights": self._best_weights,
            "optimizer": self._optimizer.state_dict(),
            "scheduler": None if self._scheduler is None else self._scheduler.state_dict(),
            "precision": self._precision.state_dict(),
        }

    def asked(self) -> dict[str, Any]:
        """Return what a resumed run must have in common with the run it continues, apart from module and loss."""
        stopping = self._options.early_stopping
        return {name: getattr(self._options, name) for name in OPTIONS_OF_A_RUN} | {
            "early_stopping.min_delta": None if stopping is None else stopping.min_delta,
            "early_stopping.restore_best": None if stopping is None else stopping.restore_best,
            "precision": self._precision.precision,
            "random_state": self._seed,
            "number of rows": self._sources.training.n_rows,
            "number of processes": self._fabric.world_size,
            "optimizer": type(self._optimizer).__name__,
            "scheduler": None if self._scheduler is None else type(self._scheduler).__name__,
        }

    def load_state_dict(self, state: dict[str, Any], origin: str) -> None:
        """Go back to where ``state`` was taken; ``origin`` names it in messages.

        Raises
        ------
        ValueError
            If the state belongs to another run: other options, module, loss, optimiser or scheduler.
        """
        for name, value in self.asked().items():
            if state["asked"].get(name) != value:
                raise ValueError(
                    f"resume_from={origin!r} was trained with {name}={state['asked'].get(name)!r}, now {value!r} is "
                    "asked for; a run can only be continued unchanged (or start a new run from the trained module)."
                )
        try:
            self._load_weights(state["weights"])
            self._optimizer.load_state_dict(state["optimizer"])
            if self._scheduler is not None:
                self._scheduler.load_state_dict(state["scheduler"])
            self._precision.load_state_dict(state["precision"])
            self._position = Position(**state["position"])
            self._best_weights = state["best_weights"]
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"resume_from={origin!r} does not fit this module or optimizer: {error}") from error

    def _weights(self) -> dict[str, Any]:
        average = None if self._average is None else self._average.state_dict()
        return {"module": self._loss_module.state_dict(), "average": average}

    def _load_weights(self, weights: dict[str, Any]) -> None:
        self._loss_module.load_state_dict(weights["module"])
        if self._average is not None:
            self._average.load_state_dict(weights["average"])

    def _save(self) -> None:
        position, checkpoints = self._position, self._checkpoints
        if checkpoints is None or self._saved_at == (position.step, position.epoch):
            return
        self._position.seconds = time.monotonic() - self._started
        if self._fabric.is_global_zero:
            save_checkpoint(checkpoint_path(checkpoints.path, position.step), self.state_dict())
            keep_newest(checkpoints.path, checkpoints.keep)
        self._fabric.barrier()
        self._saved_at = (position.step, position.epoch)

    def _restore_best(self) -> None:
        stopping = self._options.early_stopping
        if stopping is not None and stopping.restore_best and self._best_weights is not None:
            self._load_weights(self._best_weights)

    def _result(self, reason: str) -> FitResult:
        average = None if self._average is None else self._average.module
        self._loss_module.eval()
        position = self._position
        return FitResult(
            module=self._loss_module.module,
            ema_module=average,
            history=position.history,
            n_steps=position.step,
            n_epochs=position.epoch,
            stopped_reason=reason,
            best_loss=position.best_loss,
            seconds=time.monotonic() - self._started,
        )

    @contextmanager
    def _progress(self) -> Iterator[ProgressBar]:
        n_batches, options = self._sources.training.n_batches, self._options
        total = options.max_steps if n_batches is None else options.max_epochs * n_batches
        if total is not None and options.max_steps is not None:
            total = min(total, options.max_steps)
        with progress("Training", total, options.progress if self._fabric.is_global_zero else False) as bar:
            yield bar


def _is_due(count: int, every: int | None) -> bool:
    return every is not None and count % every == 0


@contextmanager
def _evaluation_mode(module: nn.Module) -> Iterator[None]:
    module.eval()
    try:
        yield
    finally:
        module.train()
