import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holonomy._core.random import check_seed, derive_seed, generator

SEEDS = st.integers(0, 2**63 - 1)


@given(SEEDS)
def test_an_integer_is_its_own_seed(seed):
    assert check_seed(seed) == seed
    assert check_seed(np.uint64(seed)) == seed


def test_none_draws_a_fresh_seed_each_time():
    seeds = {check_seed(None) for _ in range(20)}
    assert len(seeds) == 20
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_a_generator_is_advanced_and_repeatable(make):
    random_state = make(5)
    first, second = check_seed(random_state), check_seed(random_state)
    assert first != second
    assert check_seed(make(5)) == first
    assert 0 <= first < 2**63


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_outside_its_range_is_refused(seed):
    with pytest.raises(ValueError, match=r"random_state must lie in \[0, 2\*\*63\)"):
        check_seed(seed)


@pytest.mark.parametrize("seed", [True, 1.0, "1", [1]])
def test_a_seed_of_another_kind_is_refused(seed):
    with pytest.raises(TypeError, match="random_state must be None, an integer"):
        check_seed(seed)


@given(SEEDS, st.text(max_size=5), st.integers())
def test_streams_are_repeatable_and_in_range(seed, name, index):
    assert derive_seed(seed, name, index) == derive_seed(seed, name, index)
    assert 0 <= derive_seed(seed, name, index) < 2**63


def test_streams_of_different_names_or_seeds_differ():
    streams = [(0,), (1,), (0, "a"), (0, "b"), (0, "a", "b"), (0, "ab"), (0, 1), (0, "1"), (0, 1, 2), (0, 12)]
    assert len({derive_seed(*stream) for stream in streams}) == len(streams)


def test_seeds_mean_the_same_on_every_machine():
    assert derive_seed(0, "order", 3) == 8244215730568551301
    assert generator(7, "sampling").integers(2**32, size=3).tolist() == [253242943, 557888585, 305765034]


def test_numpy_integers_name_the_same_stream_as_pythons():
    assert derive_seed(np.int64(0), "order", np.int32(3)) == derive_seed(0, "order", 3)


def test_generators_repeat_and_leave_the_global_state_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert np.array_equal(generator(1, "x").random(5), generator(1, "x").random(5))
    assert not np.array_equal(generator(1, "x").random(5), generator(1, "y").random(5))
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_neighbouring_seeds_are_not_correlated():
    draws = np.array([generator(seed, "x").random(1000) for seed in range(30)])
    correlations = np.corrcoef(draws)[np.triu_indices(30, k=1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(1000)
