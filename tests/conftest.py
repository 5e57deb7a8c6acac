"""What makes the whole suite fast: slow files start first, and only lines of holonomy are traced for coverage.

Tracing doubles the time of everything written in Python, of the compiler and of peers too, which have no line to count.
"""

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
