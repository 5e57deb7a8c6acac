"""How verbs of geometry are timed inside one process, alike for every library: medians of many calls."""

import os
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

REPEATS = 9


def milliseconds(call: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Return the median time of a call, after two that are not counted."""
    call(), call()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return 1e3 * median(seconds)


def forward(verb: Callable[..., Any], inputs: Sequence[Any], repeats: int = REPEATS) -> float:
    """Return the time of a verb of torch tensors, without gradients."""
    import torch

    with torch.no_grad():
        return milliseconds(lambda: verb(*inputs), repeats)


def with_gradients(verb: Callable[..., Any], inputs: Sequence[Any], repeats: int = REPEATS) -> float:
    """Return the time of a verb and of the gradients of its sum by all inputs."""
    import torch

    variables = [one.clone().requires_grad_() for one in inputs]
    return milliseconds(lambda: torch.autograd.grad(verb(*variables).sum(), variables), repeats)


def columns(*names: str) -> Callable[[Any], dict[str, float]]:
    """Return a judge that names the numbers a contender returns."""
    return lambda numbers: dict(zip(names, map(float, numbers), strict=True))


def use_geomstats(backend: str) -> None:
    """Make geomstats importable: it asks NumPy for a function by a name that NumPy has dropped."""
    import numpy as np

    os.environ["GEOMSTATS_BACKEND"] = backend
    vars(np).setdefault("trapz", np.trapezoid)
