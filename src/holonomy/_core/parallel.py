"""How many threads a computation may use, for compiled loops, BLAS and OpenMP at once."""

import ctypes
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
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
    """Limit compiled loops, BLAS and OpenMP to ``n_jobs`` threads inside the block; yields the count.

    ``None`` leaves everything at its own setting.
    """
    if n_jobs is None:
        yield thread_count()
        return
    count = min(resolve_jobs(n_jobs), _most_threads())
    token = _limit.set(count)
    try:
        with native_threads(count):
            yield count
    finally:
        _limit.reset(token)


_limit: ContextVar[int | None] = ContextVar("limit", default=None)


def thread_count() -> int:
    """Return how many threads compiled loops may use here: all that numba is allowed, or what `threads` says.

    numba is not asked: it would start threads of its own, which sets those of OpenMP, and of torch, to their number.
    """
    limit = _limit.get()
    return _most_threads() if limit is None else limit


def _most_threads() -> int:
    from numba import config

    return int(config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


def native_threads(count: int, user_api: str | None = None) -> AbstractContextManager[Any]:
    """Limit BLAS and OpenMP, or one of both, to ``count`` threads inside a with block, and compiled loops not."""
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
    error is raised when all threads are done with the pieces they have begun. The threads are those of torch where it
    has some: they watch out for work for milliseconds after an operation, and any others would share their cores.
    """
    waiting, errors = iter(pieces), []

    def take(*_: Any) -> None:
        try:
            for piece in waiting:
                work(piece)
        except BaseException as error:
            errors.append(error)
            for _ in waiting:  # nothing is begun after an error
                continue

    team = min(n_threads, len(pieces))
    fork = _fork_of_torch() if team > 1 else None
    if team <= 1:
        take()
    elif fork is not None:
        fork(_TASK(take), None, team, 0)
    else:
        pending = [_pool(team - 1).submit(take) for _ in range(team - 1)]
        take()
        for one in pending:
            # A helper that has not started is not waited for: its thread may be busy elsewhere.
            if not one.cancel():
                one.result()
    if errors:
        raise errors[0]


_TASK = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_forks: dict[str, Any] = {}


def _fork_of_torch() -> Any:
    """Return the function of GNU's OpenMP that runs one in the threads of torch; None where torch has no such threads.

    Threads do not exist in a forked process.
    """
    torch = sys.modules.get("torch")
    n_threads = getattr(torch, "get_num_threads", None)  # not there while torch is being imported
    if torch is None or n_threads is None or n_threads() == 1:
        return None
    if "torch" not in _forks:
        _forks["torch"] = None
        folder = os.path.dirname(torch.__file__ or "")
        for one in _controller().info():
            if one["prefix"] == "libgomp" and one["filepath"].startswith(folder):
                fork = ctypes.CDLL(one["filepath"]).GOMP_parallel
                fork.argtypes, fork.restype = [_TASK, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint], None
                _forks["torch"] = fork
    return _forks["torch"]


_pools: dict[int, ThreadPoolExecutor] = {}


def _pool(size: int) -> ThreadPoolExecutor:
    if size not in _pools:
        _pools[size] = ThreadPoolExecutor(size, thread_name_prefix="holonomy")
    return _pools[size]


def _forget_threads() -> None:
    _pools.clear()
    _forks["torch"] = None


if hasattr(os, "register_at_fork"):
    # Threads do not exist in a forked process, and those of OpenMP cannot be started in it.
    os.register_at_fork(after_in_child=_forget_threads)
