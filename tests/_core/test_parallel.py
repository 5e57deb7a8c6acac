import os
import subprocess
import sys
import threading

import numba
import pytest
from threadpoolctl import threadpool_info

from holonomy._core import parallel
from holonomy._core.parallel import available_cores, in_threads, native_threads, resolve_jobs, thread_count, threads


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(parallel, "available_cores", lambda: 8)


@pytest.mark.parametrize(
    ("n_jobs", "count"), [(None, 8), (-1, 8), (-2, 7), (-8, 1), (-20, 1), (1, 1), (3, 3), (16, 16)]
)
def test_n_jobs_means_what_it_means_in_scikit_learn(n_jobs, count, eight_cores):
    assert resolve_jobs(n_jobs) == count


def test_no_job_at_all_is_refused():
    with pytest.raises(ValueError, match="n_jobs must not be 0"):
        resolve_jobs(0)


def test_there_is_a_core_to_run_on():
    assert available_cores() >= 1


def test_threads_limits_loops_and_blas_inside_the_block_only():
    import scipy.linalg  # noqa: F401  (loads a BLAS for threadpoolctl to see)

    before, blas_before = thread_count(), [pool["num_threads"] for pool in threadpool_info()]
    with threads(1) as count:
        assert count == thread_count() == 1
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    assert thread_count() == before
    assert [pool["num_threads"] for pool in threadpool_info()] == blas_before


def test_counting_threads_leaves_those_of_torch_alone():
    """numba's own threads would set them to the number of cores."""
    code = """
import numpy as np, torch
from holonomy.graphs import neighbors
torch.set_num_threads(1)
neighbors(np.random.default_rng(0).normal(size=(300, 3)), 5)
assert torch.get_num_threads() == 1
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_threads_come_back_after_an_error():
    before = thread_count()
    with pytest.raises(KeyError), threads(1):
        raise KeyError
    assert thread_count() == before


def test_none_leaves_everything_as_it_is():
    before = thread_count()
    with threads(None) as count:
        assert count == thread_count() == before


def test_more_jobs_than_numba_has_threads_are_capped():
    with threads(10_000) as count:
        assert count == numba.config.NUMBA_NUM_THREADS


@pytest.mark.parametrize("n_threads", [1, 3])
def test_every_piece_is_done_once(n_threads):
    done, lock = [], threading.Lock()

    def work(piece):
        with lock:
            done.append(piece)

    in_threads(work, range(50), n_threads)
    assert sorted(done) == list(range(50))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_errors_of_the_work_are_raised(n_threads):
    def work(piece):
        if piece == 7:
            raise ValueError("seven")

    with pytest.raises(ValueError, match="seven"):
        in_threads(work, range(20), n_threads)
    in_threads(lambda piece: None, range(20), n_threads)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_threads_are_there_after_a_fork():
    in_threads(lambda piece: None, range(4), 2)
    child = os.fork()
    if child == 0:
        in_threads(lambda piece: None, range(4), 2)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_work_in_threads_may_use_threads_itself():
    done, lock = [], threading.Lock()

    def inner(piece):
        with lock:
            done.append(piece)

    in_threads(lambda piece: in_threads(inner, range(10 * piece, 10 * piece + 10), 3), range(6), 3)
    assert sorted(done) == list(range(60))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_nothing_is_begun_after_an_error(n_threads):
    begun = []

    def work(piece):
        begun.append(piece)
        raise KeyError(piece)

    with pytest.raises(KeyError):
        in_threads(work, range(100), n_threads)
    assert len(begun) <= n_threads


def test_libraries_loaded_later_are_limited_too():
    with native_threads(1):
        pass
    import scipy.linalg  # noqa: F401  (loads a BLAS of its own, if nothing has before)

    with native_threads(1, "blas"):
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} == {1}
