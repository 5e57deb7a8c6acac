"""How the command line fails: one clear message on standard error and an exit code, never a traceback."""

import functools
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

FAILED = 1
"""Exit code where the command could not do its work: no network, no memory, a missing package, a defect."""

REFUSED = 2
"""Exit code where the data or an option cannot be used."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells expect it."""

OPTIONS = {
    "n_neighbors": "--neighbors",
    "random_state": "--seed",
    "image_shape": "--image-shape",
    "columns": "--color",
    "format": "--format",
    "method": "--method",
    "methods": "--methods",
    "params": "--params",
    "checks": "--checks",
}
"""What the command line calls the arguments that messages begin with."""

Command = TypeVar("Command", bound=Callable[..., None])


def complain(message: str) -> None:
    """Print a message on standard error."""
    typer.echo(f"holonomy: {message}", err=True)


def guarded(command: Command) -> Command:
    """Turn what a command raises into a message and an exit code; ``HOLONOMY_DEBUG=1`` shows the traceback instead."""

    @functools.wraps(command)
    def run_command(*args: Any, **kwargs: Any) -> None:
        try:
            with _plain_warnings():
                command(*args, **kwargs)
        except KeyboardInterrupt:
            complain("stopped; nothing was left half-written.")
            raise typer.Exit(INTERRUPTED) from None
        except (typer.Exit, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get("HOLONOMY_DEBUG"):
                raise
            code, message = explain(error)
            complain(_in_options(message, kwargs.get("params")))
            raise typer.Exit(code) from None

    return run_command  # type: ignore[return-value]


def explain(error: Exception) -> tuple[int, str]:
    """Return the exit code and the message for an exception."""
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError | PermissionError):
        return REFUSED, f"{error.strerror}: {error.filename}" if error.filename else text
    if isinstance(error, ImportError | ConnectionError | OSError):
        return FAILED, text
    if isinstance(error, MemoryError):
        return FAILED, f"there is not enough memory. {text}"
    if isinstance(error, ValueError | TypeError):
        return REFUSED, text
    return FAILED, f"this is a defect of holonomy ({type(error).__name__}: {text}). HOLONOMY_DEBUG=1 shows where."


def _in_options(message: str, params: Sequence[str] | None) -> str:
    """Call the argument that a message begins with as the command line does, unless it was a parameter."""
    name = re.match(r"\w*", message)[0]  # type: ignore[index]
    if any(word.partition("=")[0].strip() == name for word in params or ()):
        return f"--params: {message}"
    return OPTIONS.get(name, name) + message[len(name) :]


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show warnings that are meant for users once each, in one line; leave the others out."""
    shown: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        text = " ".join(str(message).split())
        if issubclass(category, UserWarning | RuntimeWarning) and text not in shown:
            shown.add(text)
            complain(f"note: {text}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def run_app(app: Callable[[], Any]) -> None:
    """Run the whole command line, catching Ctrl-C also where no command has begun."""
    try:
        app()
    except KeyboardInterrupt:
        complain("stopped.")
        sys.exit(INTERRUPTED)
