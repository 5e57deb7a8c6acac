"""Progress bars that appear only for a person who is waiting.

A bar costs one addition a step until it is shown, rich is imported only when it is shown, and all visible bars share
one live display, so that nested and concurrent runs do not overwrite each other.
"""

import math
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID

Item = TypeVar("Item")

DELAY = 1.0
"""Seconds a run lasts before its bar appears."""

REFRESH = 0.1
"""Seconds between two updates of a visible bar."""

_lock = threading.RLock()
_display: "Progress | None" = None
_n_visible = 0


class ProgressBar:
    """What `progress` yields: count steps with `advance`, rename with `set`."""

    __slots__ = ("_description", "_display", "_done", "_due", "_is_closed", "_reached", "_started", "_task", "_total")

    def __init__(self, description: str, total: float | None) -> None:
        self._description = description
        self._total = total
        self._done: float = 0
        self._due = 0.0
        self._is_closed = False
        self._started = self._reached = time.monotonic()
        self._display: Progress | None = None
        self._task: TaskID | None = None

    def advance(self, n: float = 1) -> None:
        """Count ``n`` more steps as done."""
        self._done += n
        self._reached = time.monotonic()
        if self._display is not None and self._reached >= self._due:
            self._push()

    def time_left(self) -> float | None:
        """Return the seconds still to go at the pace so far, or None where nothing tells them.

        Between two steps that are long, the time counts down from what the last of them foretold.
        """
        if not self._total or not self._done:
            return None
        foretold = (self._reached - self._started) * self._total / self._done
        left = foretold - (time.monotonic() - self._started)
        return left if left > 0 else None

    def set(self, description: str | None = None, total: float | None = None) -> None:
        """Change the text or the number of steps; None keeps what is there."""
        self._description = self._description if description is None else description
        self._total = self._total if total is None else total
        if self._display is not None:
            self._push()

    def _push(self) -> None:
        with _lock:
            if self._display is None or self._task is None:
                return
            self._due = time.monotonic() + REFRESH
            self._display.update(self._task, description=self._description, total=self._total, completed=self._done)

    def _show(self) -> None:
        with _lock:
            if not self._is_closed:
                display = _acquire_display()
                self._task = display.add_task(self._description, total=self._total, completed=int(self._done), bar=self)
                self._display = display

    def _close(self) -> None:
        with _lock:
            self._is_closed = True
            if self._display is not None and self._task is not None:
                self._due = 0.0
                self._push()
                self._display.refresh()
                self._display.remove_task(self._task)
                self._display = None
                _release_display()


def _acquire_display() -> "Progress":
    global _display, _n_visible
    if _display is None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn
        from rich.text import Text

        class TimeLeft(ProgressColumn):
            def render(self, task: "Task") -> Text:
                return Text(shown_time(task.fields["bar"].time_left()), style="progress.remaining")

        _display = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeLeft(),
            console=Console(stderr=True),
            transient=True,
            # Where stdout goes to a file or a pipe, what the run prints belongs there, not above the bar.
            redirect_stdout=_is_terminal(sys.stdout),
        )
        _display.start()
    _n_visible += 1
    return _display


def _release_display() -> None:
    global _display, _n_visible
    _n_visible -= 1
    if _n_visible == 0 and _display is not None:
        _display.stop()
        _display = None


def shown_time(seconds: float | None) -> str:
    """Return a time as hours, minutes and seconds; dashes where it is not known."""
    if seconds is None:
        return "-:--:--"
    minutes, second = divmod(math.ceil(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


@contextmanager
def progress(description: str, total: float | None = None, enabled: bool | None = None) -> Iterator[ProgressBar]:
    """Show how far a run is and how long it will still take, on standard error.

    Parameters
    ----------
    description : str
        What is being done, shown before the bar (plain text, no markup).
    total : float or None
        Number of steps; None shows that something is going on, without a percentage.
    enabled : bool or None, default None
        None shows the bar on a terminal only, and only once the run has lasted longer than a second; True shows it at
        once, in a notebook too; False never. Nothing is written where standard error is a file.

    Yields
    ------
    ProgressBar
        ``bar.advance(n=1)`` counts steps; ``bar.set(description=..., total=...)`` changes what is shown.

    Notes
    -----
    The bar is removed from the terminal when the run ends.

    Examples
    --------
    >>> from holonomy._core.progress import progress
    >>> with progress("Adding", total=3) as bar:
    ...     for _ in range(3):
    ...         bar.advance()
    """
    bar = ProgressBar(description, total)
    timer = None
    if enabled:
        bar._show()
    elif enabled is None and _is_terminal(sys.stderr):
        # A timer, not a test in `advance`, so that a run whose first step is long shows its bar as well.
        timer = threading.Timer(DELAY, bar._show)
        timer.daemon = True
        timer.start()
    try:
        yield bar
    finally:
        if timer is not None:
            timer.cancel()
        bar._close()


def track(
    iterable: Iterable[Item], description: str, total: float | None = None, enabled: bool | None = None
) -> Iterator[Item]:
    """Yield the items of ``iterable``, showing how many are done.

    Parameters
    ----------
    iterable : iterable
        What to go through.
    description : str
        What is being done, shown before the bar.
    total : float or None
        Number of items; None takes ``len(iterable)`` where it has one.
    enabled : bool or None, default None
        As in `progress`.

    Yields
    ------
    item
        The items, unchanged and in order.

    Examples
    --------
    >>> from holonomy._core.progress import track
    >>> sum(track([1, 2, 3], "Adding"))
    6
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with progress(description, total, enabled) as bar:
        for item in iterable:
            yield item
            bar.advance()
