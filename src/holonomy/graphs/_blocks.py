"""Row-wise work in threads: fixed blocks of rows, so that results never depend on how many threads there are."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba


def run_blocks(function: Callable[[int, int], None], n_rows: int, *, block: int = 4096) -> None:
    """Call ``function(start, stop)`` for consecutive blocks of rows, as many at once as numba may use threads.

    ``function`` writes rows [start, stop) of its output and nothing else, and releases the interpreter lock
    where it works. Exceptions are passed on, the one of the earliest block first.
    """
    bounds = [(start, min(start + block, n_rows)) for start in range(0, n_rows, block)]
    n_threads = min(numba.get_num_threads(), len(bounds))
    if n_threads <= 1:
        for start, stop in bounds:
            function(start, stop)
        return
    with ThreadPoolExecutor(n_threads) as pool:
        for finished in [pool.submit(function, start, stop) for start, stop in bounds]:
            finished.result()
