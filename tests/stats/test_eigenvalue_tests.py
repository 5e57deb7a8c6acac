import numpy as np
import pytest
from scipy.stats import chi2

from holonomy.stats import TestResult, equal_eigenvalues_test, propose_type


def test_the_statistic_has_the_chi_square_distribution_when_the_eigenvalues_are_equal():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 60, 5)) * np.sqrt([9.0, 4.0, 1.0, 1.0, 1.0])
    values = np.array([np.linalg.eigvalsh(np.cov(one.T))[::-1] for one in X])
    results = [equal_eigenvalues_test(row, 60, 2, 5) for row in values]
    assert results[0].df == 5
    statistics = np.array([one.statistic for one in results])
    assert statistics.mean() == pytest.approx(5.0, abs=0.25)
    assert (statistics > chi2.ppf(0.95, 5)).mean() == pytest.approx(0.05, abs=0.015)


def test_equal_eigenvalues_have_statistic_zero_and_unequal_ones_are_found():
    assert equal_eigenvalues_test([4.0, 1.0, 1.0], 100, 1, 3).statistic == pytest.approx(0.0, abs=1e-12)
    assert equal_eigenvalues_test([4.0, 2.0, 1.0], 500, 1, 3).rejects(0.001)
    assert propose_type([4.0, 2.0, 1.0], 500) == (1, 1, 1)
    assert propose_type([1.02, 1.0, 0.98], 100) == (3,)


def test_heavy_tails_divide_the_statistic():
    plain = equal_eigenvalues_test([4.0, 2.0, 1.0], 100, 1, 3)
    heavy = equal_eigenvalues_test([4.0, 2.0, 1.0], 100, 1, 3, kurtosis=1.0)
    assert heavy.statistic == pytest.approx(0.5 * plain.statistic)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], 10, 0, 2), "descending"),
        (([1.0, 0.0], 10, 0, 2), "positive"),
        (([2.0, 1.0], 2, 0, 2), "n_samples"),
        (([2.0, 1.0], 10, 1, 2), "start"),
        (([2.0, 1.0], 10, 0, 3), "stop"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        equal_eigenvalues_test(*arguments)


def test_bad_kurtosis_and_level_are_refused():
    with pytest.raises(ValueError, match="kurtosis"):
        equal_eigenvalues_test([2.0, 1.0], 10, 0, 2, kurtosis=-1.0)
    with pytest.raises(ValueError, match="alpha"):
        propose_type([2.0, 1.0], 10, alpha=1.5)


def test_results_show_themselves():
    result = TestResult(3.0, 2, 0.22, "chi2")
    assert "0.22 (chi2)" in result._repr_html_()
    assert result.__rich__().row_count == 3
