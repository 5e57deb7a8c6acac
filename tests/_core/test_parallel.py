import numba
import pytest
from threadpoolctl import threadpool_info

from holonomy._core import parallel
from holonomy._core.parallel import available_cores, resolve_jobs, threads


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


def test_threads_limits_numba_and_blas_inside_the_block_only():
    import scipy.linalg  # noqa: F401  (loads a BLAS for threadpoolctl to see)

    before, blas_before = numba.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]
    with threads(1) as count:
        assert count == numba.get_num_threads() == 1
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    assert numba.get_num_threads() == before
    assert [pool["num_threads"] for pool in threadpool_info()] == blas_before


def test_threads_come_back_after_an_error():
    before = numba.get_num_threads()
    with pytest.raises(KeyError), threads(1):
        raise KeyError
    assert numba.get_num_threads() == before


def test_none_leaves_everything_as_it_is():
    before = numba.get_num_threads()
    with threads(None) as count:
        assert count == numba.get_num_threads() == before


def test_more_jobs_than_numba_has_threads_are_capped():
    with threads(10_000) as count:
        assert count == numba.config.NUMBA_NUM_THREADS
