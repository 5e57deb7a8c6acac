"""How many threads a computation may use, for numba, BLAS and OpenMP at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


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
        with threadpool_limits(count):
            yield count
    finally:
        numba.set_num_threads(before)
