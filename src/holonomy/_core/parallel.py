"""How many threads a computation may use, for numba, BLAS and OpenMP at once."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController


def available_cores() -> int:
    """Return the number of cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def resolve_jobs(n_jobs: int | None) -> int:
    """Turn scikit-learn's ``n_jobs`` (None and -1 mean all cores, -2 all but one) into a thread count.

    Raises
    ------
    ValueError
        If ``n_jobs`` is 0.
    """
    if n_jobs == 0:
        raise ValueError("n_jobs must not be 0; use None or -1 for all cores.")
    cores = available_cores()
    if n_jobs is None:
        return cores
    return max(1, cores + 1 + n_jobs) if n_jobs < 0 else n_jobs


@contextmanager
def threads(n_jobs: int | None) -> Iterator[int]:
    """Limit numba, BLAS and OpenMP to ``n_jobs`` threads inside the block; yields the count.

    ``None`` leaves every library at its own setting.
    """
    import numba

    before = numba.get_num_threads()
    if n_jobs is None:
        yield before
        return
    count = min(resolve_jobs(n_jobs), numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    numba.set_num_threads(count)
    try:
        with native_threads(count):
            yield count
    finally:
        numba.set_num_threads(before)


def native_threads(count: int, user_api: str | None = None) -> AbstractContextManager[Any]:
    """Limit BLAS and OpenMP, or one of both, to ``count`` threads inside a with block, and numba not at all."""
    return _controller().limit(limits=count, user_api=user_api)


_found: tuple[int, ThreadpoolController] | None = None


def _controller() -> ThreadpoolController:
    """Return what controls the loaded libraries; they are looked up again only after something was imported."""
    global _found
    loaded = len(sys.modules)
    if _found is None or _found[0] != loaded:
        _found = loaded, ThreadpoolController()
    return _found[1]


def in_threads(work: Callable[[Any], None], pieces: Sequence[Any], n_threads: int) -> None:
    """Call ``work`` once for each piece, in this thread and up to ``n_threads - 1`` others that are kept for the next.

    Worth it where the work releases the interpreter's lock; which thread takes which piece is left open. The first
    error is raised when all threads are done with the pieces they have begun.
    """
    waiting = iter(pieces)

    def take() -> None:
        try:
            for piece in waiting:
                work(piece)
        except BaseException:
            for _ in waiting:  # nothing is begun after an error
                continue
            raise

    helpers = min(n_threads, len(pieces)) - 1
    if helpers < 1:
        take()
        return
    pending = [_pool(helpers).submit(take) for _ in range(helpers)]
    try:
        take()
    finally:
        # A helper that has not started is not waited for: its thread may be busy elsewhere.
        errors = [None if one.cancel() else one.exception() for one in pending]
    for error in errors:
        if error is not None:
            raise error


_pools: dict[int, ThreadPoolExecutor] = {}


def _pool(size: int) -> ThreadPoolExecutor:
    if size not in _pools:
        _pools[size] = ThreadPoolExecutor(size, thread_name_prefix="holonomy")
    return _pools[size]


if hasattr(os, "register_at_fork"):
    # The threads of a pool do not exist in a forked process.
    os.register_at_fork(after_in_child=_pools.clear)
