"""One thread for operations on small matrices, which take longer in several: what they do is less than the start."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

SMALL = 1 << 15
"""Entries of a point up to which the steps of a solver are taken in one thread."""

_lock = threading.Lock()
_solvers, _before = 0, 1


@contextmanager
def one_thread(x: Tensor) -> Iterator[None]:
    """Let torch use one thread inside the block, if the point is small and on a CPU.

    The number of threads belongs to the process, so the last of several solvers side by side brings it back.
    """
    global _solvers, _before
    if x.numel() > SMALL or x.device.type != "cpu":
        yield
        return
    with _lock:
        if _solvers == 0:
            _before = torch.get_num_threads()
        _solvers += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _solvers -= 1
            if _solvers == 0:
                torch.set_num_threads(_before)


@contextmanager
def all_threads() -> Iterator[None]:
    """Let what is not the solver's own, inside of :func:`one_thread`, use as many threads as before."""
    if _solvers == 0:
        yield
        return
    torch.set_num_threads(_before)
    try:
        yield
    finally:
        with _lock:
            if _solvers > 0:
                torch.set_num_threads(1)
