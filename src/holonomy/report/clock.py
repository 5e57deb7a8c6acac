"""How long each step of a report takes, shown while it runs."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from holonomy._core.progress import ProgressBar


class Clock:
    """Seconds that each step takes.

    Parameters
    ----------
    shares : mapping of str to float
        How far the progress bar moves with each step.
    """

    def __init__(self, shares: Mapping[str, float]) -> None:
        self._shares = shares
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, bar: ProgressBar) -> Iterator[None]:
        """Show the step in the bar, and keep the seconds it takes."""
        started = time.perf_counter()
        bar.set(description=name)
        yield
        self.seconds[name] = time.perf_counter() - started
        bar.advance(self._shares[name])
