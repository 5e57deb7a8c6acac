"""How far a run has come, and which options it cannot change on the way."""

import math
from dataclasses import dataclass, field

from holonomy._core.training.results import History

OPTIONS_OF_A_RUN = (
    "batch_size",
    "shuffle",
    "drop_last",
    "steps_per_epoch",
    "gradient_clip_norm",
    "ema_decay",
    "scheduler_interval",
)
"""Options that decide where a run goes, which therefore cannot change when it is resumed."""


Sums = dict[str, list[float]]
"""Weighted sum and sum of the weights of every scalar."""


@dataclass
class Position:
    """How far a run has come; plain values only, so that it can be written to a checkpoint as it is."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    sums: Sums = field(default_factory=dict)
    last_finite_loss: float | None = None
    best_loss: float = math.inf
    epochs_without_improvement: int = 0
    seconds: float = 0.0
    history: History = field(default_factory=list)


def accumulate(sums: Sums, values: dict[str, float], weight: float) -> None:
    """Add ``weight * value`` and ``weight`` to the pair of every name."""
    for name, value in values.items():
        total, weights = sums.get(name, (0.0, 0.0))
        sums[name] = [total + weight * value, weights + weight]


def means(sums: Sums) -> dict[str, float]:
    """Return the mean of every name."""
    return {name: total / weight for name, (total, weight) in sums.items()}
