import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from holonomy.stats import cauchy_combination, harmonic_mean_pvalue
from holonomy.stats.combined_pvalues import landau_survival

COMBINATIONS = (cauchy_combination, harmonic_mean_pvalue)


@pytest.mark.parametrize("y", [-6.0, -3.0, -1.001, -1.0, -0.3, 0.0, 2.0, 30.0, 1e4, 1e8])
def test_the_landau_law_agrees_with_that_of_scipy(y):
    """SciPy scales the law by pi / 2, which shifts it by the logarithm."""
    expected = stats.landau.sf((y - math.log(math.pi / 2.0)) * 2.0 / math.pi)
    assert math.isclose(landau_survival(y), expected, rel_tol=1e-8)


def test_the_landau_law_is_continuous_where_its_formula_changes():
    assert math.isclose(landau_survival(1e10 * (1 - 1e-9)), landau_survival(1e10 * (1 + 1e-9)), rel_tol=1e-7)
    assert landau_survival(-20.0) == 1.0


@pytest.mark.parametrize("combine", COMBINATIONS)
def test_small_combined_p_values_are_calibrated(combine):
    rng = np.random.default_rng(0)
    found = np.array([combine(row) for row in rng.uniform(size=(4000, 30))])
    for level in (0.01, 0.05):
        assert abs((found < level).mean() - level) < 4.0 * math.sqrt(level / 4000)


def test_dependent_p_values_stay_calibrated_with_the_cauchy_combination():
    rng = np.random.default_rng(1)
    shared = 0.9 * rng.standard_normal((4000, 1)) + math.sqrt(1.0 - 0.81) * rng.standard_normal((4000, 40))
    found = np.array([cauchy_combination(row) for row in 2.0 * stats.norm.sf(np.abs(shared))])
    assert (found < 0.05).mean() < 0.065


@given(st.lists(st.floats(1e-12, 0.999), min_size=1, max_size=30), st.randoms())
def test_combinations_are_symmetric_probabilities_that_grow_with_each_p(pvalues, random):
    for combine in COMBINATIONS:
        whole = combine(pvalues)
        assert 0.0 <= whole <= 1.0
        shuffled = list(pvalues)
        random.shuffle(shuffled)
        assert math.isclose(combine(shuffled), whole, rel_tol=1e-9, abs_tol=1e-12)
        assert combine([0.5 * pvalues[0], *pvalues[1:]]) <= whole + 1e-9


def test_ties_do_not_outweigh_what_is_found():
    assert cauchy_combination([1e-6, 1.0, 1.0, 1.0]) < 1e-5
    assert np.isclose(cauchy_combination([0.2, 1.0]), cauchy_combination([0.2, 0.5]))


def test_single_and_extreme_values():
    for p in (1e-300, 1e-9, 0.3, 1.0):
        assert math.isclose(cauchy_combination([p]), p, rel_tol=1e-9)
    for combine in COMBINATIONS:
        assert combine([0.0, 0.5]) == 0.0
        assert combine([1.0, 1.0, 1.0]) > 0.5
    assert math.isclose(cauchy_combination([1e-9, 0.5, 0.5]), 3e-9, rel_tol=1e-6)
    assert math.isclose(harmonic_mean_pvalue([1e-9, 0.5, 0.5]), 3e-9, rel_tol=1e-6)


@pytest.mark.parametrize("combine", COMBINATIONS)
@pytest.mark.parametrize("pvalues", [[], [0.5, 1.1], [-0.1], [float("nan")]])
def test_bad_p_values_are_refused(combine, pvalues):
    with pytest.raises(ValueError, match="pvalues must be"):
        combine(pvalues)
