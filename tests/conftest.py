"""What makes the whole suite fast: slow files first, one thread for torch, and only lines of holonomy traced.

Tracing doubles the time of everything written in Python, of the compiler and of peers too, which have no line to count.
"""

import os
import sys
from typing import Any

import pytest
from numba.core.dispatcher import Dispatcher

compile_traced = Dispatcher.compile


def compile_untraced(self: Dispatcher, sig: Any) -> Any:
    trace = sys.gettrace()
    sys.settrace(None)
    try:
        return compile_traced(self, sig)
    finally:
        sys.settrace(trace)


Dispatcher.compile = compile_untraced


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave slow tests out of the measure of coverage, and put their files first, so that no worker ends up alone."""
    slow = [item for item in items if item.get_closest_marker("slow")]
    for item in slow:
        item.add_marker(pytest.mark.no_cover)
    first = {item.path for item in slow}
    items.sort(key=lambda item: item.path not in first)


def pytest_runtest_setup() -> None:
    """Give torch the threads that the run was given: loops of peers that numba spreads over threads set them to all.

    On cores that two workers share, threads that wait for each other take twenty times as long.
    """
    torch, given = sys.modules.get("torch"), os.environ.get("OMP_NUM_THREADS", "")
    if torch is not None and given.isdigit() and torch.get_num_threads() != int(given):
        torch.set_num_threads(int(given))
