"""What a run says when a loss or a gradient is no longer a number."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Int64, Shaped
from torch import Tensor


class NonFiniteError(FloatingPointError):
    """A loss or a gradient became NaN or infinite.

    Raised before the optimiser uses it, so the module still holds its last finite weights.

    Attributes
    ----------
    quantity : str
        "loss", "gradient norm" or "validation loss".
    value : float
        What it became.
    step, epoch, batch : int
        Where it happened, all counted from 0; ``batch`` counts within the epoch.
    rows : list of int or None
        The rows of the data that the batch holds; None when the data are batches already.
    bad_rows : list of int
        Those among them whose data are not finite themselves.
    last_finite_loss : float or None
        The last training loss that was finite.
    """

    def __init__(
        self,
        quantity: str,
        value: float,
        step: int,
        epoch: int,
        batch: int,
        rows: Sequence[int] | None,
        bad_rows: Sequence[int],
        last_finite_loss: float | None,
    ) -> None:
        # All arguments are handed on, so that the exception survives pickling between processes.
        super().__init__(quantity, value, step, epoch, batch, rows, bad_rows, last_finite_loss)
        self.quantity = quantity
        self.value = value
        self.step = step
        self.epoch = epoch
        self.batch = batch
        self.rows = rows
        self.bad_rows = bad_rows
        self.last_finite_loss = last_finite_loss

    def __str__(self) -> str:
        rows = "" if self.rows is None else f", rows {_shortened(self.rows)}"
        last = (
            "there was no finite loss before"
            if self.last_finite_loss is None
            else (f"the last finite loss was {self.last_finite_loss:.6g}")
        )
        if self.bad_rows:
            advice = f"The data are not finite in rows {_shortened(self.bad_rows)}: clean or impute them."
        else:
            advice = (
                "Look for a division by zero, a logarithm or a square root of 0 in the loss on these rows; otherwise "
                "lower the learning rate, set gradient_clip_norm, or use a wider precision."
            )
        return (
            f"The {self.quantity} became {self.value} at step {self.step} (epoch {self.epoch}, batch {self.batch}"
            f"{rows}); {last}. {advice}"
        )


def _shortened(rows: Sequence[int], limit: int = 20) -> str:
    shown = ", ".join(map(str, rows[:limit]))
    return f"[{shown}]" if len(rows) <= limit else f"[{shown}, ... {len(rows)} in all]"


def rows_not_finite(batch: object, rows: Int64[Tensor, " b"]) -> list[int]:
    """Return those of ``rows`` whose data, in any tensor of ``batch``, hold NaN or infinity."""
    is_bad = torch.zeros(len(rows), dtype=torch.bool)
    for tensor in _tensors(batch):
        if tensor.ndim and len(tensor) == len(rows):
            is_bad |= ~_finite_rows(tensor).cpu()
    return rows[is_bad].tolist()


def _finite_rows(tensor: Shaped[Tensor, "n ..."]) -> Bool[Tensor, " n"]:
    return torch.isfinite(tensor).reshape(len(tensor), -1).all(dim=1)


def _tensors(batch: object) -> list[Tensor]:
    if isinstance(batch, Tensor):
        return [batch]
    parts = list(batch.values()) if isinstance(batch, dict) else batch
    return [tensor for part in parts for tensor in _tensors(part)] if isinstance(parts, tuple | list) else []
