"""Maps on the way: what a layout looked like after some of its epochs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from holonomy._core.validation import check_int
from holonomy.embed.layout import Extra


class Snapshots:
    """Keeps the positions after some epochs; passed to `optimize_layout` as its further force, around another one.

    Parameters
    ----------
    epochs : sequence of int
        After how many epochs; 0 is none of them.
    shape : tuple of int
        Shape of the positions.
    force : callable, optional
        The further force there is.

    Attributes
    ----------
    positions : dict of int to ndarray of float32
        By number of epochs.
    """

    def __init__(self, epochs: Sequence[int], shape: tuple[int, ...], force: Extra | None = None) -> None:
        self.force = force
        self.positions = {epoch: np.empty(shape, dtype=np.float32) for epoch in epochs}

    def __call__(
        self,
        epoch: int,
        step: float,
        block: slice,
        wait: Callable[[], object],
        now: np.ndarray,
        then: np.ndarray,
    ) -> None:
        """Let the other force act on a block of positions, then keep it if the epoch is one of those asked for."""
        if self.force is not None:
            self.force(epoch, step, block, wait, now, then)
        if epoch + 1 in self.positions:
            self.positions[epoch + 1][block] = then[block]


def check_epochs(n_epochs: Any) -> tuple[int, tuple[int, ...]]:
    """Return the number of epochs, and after which of them the map is kept."""
    if not isinstance(n_epochs, list | tuple | np.ndarray):
        return check_int(n_epochs, "n_epochs", minimum=1), ()
    kept = tuple(sorted({check_int(number, "n_epochs", minimum=1) for number in n_epochs}))
    if not kept:
        raise ValueError("n_epochs must be a number or a list of numbers, got an empty list.")
    return kept[-1], kept
