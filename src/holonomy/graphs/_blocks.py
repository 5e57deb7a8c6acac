"""Row-wise work in threads: fixed blocks of rows, so that results never depend on how many threads there are."""

from collections.abc import Callable

from holonomy._core.parallel import in_threads, thread_count


def run_blocks(function: Callable[[int, int], None], n_rows: int, *, block: int = 4096) -> None:
    """Call ``function(start, stop)`` for consecutive blocks of rows, as many at once as there may be threads.

    ``function`` writes rows [start, stop) of its output and nothing else, and releases the interpreter lock
    where it works. After an exception, which is passed on, no further block is begun.
    """
    bounds = [(start, min(start + block, n_rows)) for start in range(0, n_rows, block)]
    in_threads(lambda bound: function(*bound), bounds, thread_count())
