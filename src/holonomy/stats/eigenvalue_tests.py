"""Tests for equal eigenvalues of a covariance matrix, and the grouping of subspaces that they propose."""

import numpy as np
from scipy.stats import chi2

from holonomy._core.citations import references
from holonomy._core.validation import check_float, check_int
from holonomy.stats.hypothesis_tests import TestResult


@references("anderson1963asymptotic", "lawley1956tests")
def equal_eigenvalues_test(
    eigenvalues: np.ndarray, n_samples: int, start: int, stop: int, *, kurtosis: float = 0.0
) -> TestResult:
    """Test whether consecutive eigenvalues of the covariance matrix of a population are equal.

    The likelihood ratio compares their geometric with their arithmetic mean. Its multiplier is Lawley's: Bartlett's
    correction, with what the other eigenvalues add.

    Parameters
    ----------
    eigenvalues : array-like of shape (p,)
        Eigenvalues of the sample's covariance matrix, positive and descending.
    n_samples : int
        Number of observations, at least 3.
    start, stop : int
        The eigenvalues start, ..., stop - 1, counted from 0, at least two.
    kurtosis : float, default 0.0
        Excess of elliptical data, above -1: 0 for Gaussian data. The statistic is divided by one plus this.

    Returns
    -------
    TestResult
        Approximately chi-square with (q + 2)(q - 1) / 2 degrees of freedom for q eigenvalues.

    Raises
    ------
    ValueError
        If a number is out of range or the eigenvalues are not positive and descending.

    Examples
    --------
    >>> from holonomy.stats import equal_eigenvalues_test
    >>> equal_eigenvalues_test([4.0, 1.02, 0.98], 500, 1, 3).rejects()
    False
    """
    values = np.asarray(eigenvalues, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or (values <= 0).any() or (np.diff(values) > 0).any():
        raise ValueError("eigenvalues must be one row of positive numbers in descending order.")
    n = check_int(n_samples, "n_samples", minimum=3)
    start = check_int(start, "start", minimum=0, maximum=len(values) - 2)
    stop = check_int(stop, "stop", minimum=start + 2, maximum=len(values))
    excess = check_float(kurtosis, "kurtosis")
    if excess <= -1.0:
        raise ValueError(f"kurtosis must be above -1, got {excess}.")
    group, others = values[start:stop], np.delete(values, np.arange(start, stop))
    q, mean = len(group), group.mean()
    # Other eigenvalues as close as these are to each other would blow the correction up; they say nothing then.
    apart = np.abs(others - mean) > mean * np.sqrt(2.0 / n)
    correction = len(others) + (2.0 * q + 1.0 + 2.0 / q) / 6.0 - (mean**2 / (others[apart] - mean) ** 2).sum()
    multiplier = max(n - 1.0 - correction, 1.0) / (1.0 + excess)
    statistic = multiplier * float(q * np.log(mean) - np.log(group).sum())
    df = (q + 2) * (q - 1) // 2
    return TestResult(statistic, df, float(chi2.sf(statistic, df)), "chi2")


def propose_type(
    eigenvalues: np.ndarray, n_samples: int, *, alpha: float = 0.05, kurtosis: float = 0.0
) -> tuple[int, ...]:
    """Return dimensions of subspaces: consecutive eigenvalues are grouped while tests take them for equal.

    Parameters
    ----------
    eigenvalues : array-like of shape (p,)
        Eigenvalues of the sample's covariance matrix, positive and descending.
    n_samples : int
        Number of observations, at least 3.
    alpha : float, default 0.05
        Level of each test, in (0, 1).
    kurtosis : float, default 0.0
        As in :func:`equal_eigenvalues_test`.

    Returns
    -------
    tuple of int
        Dimensions with sum p.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from holonomy.stats import propose_type
    >>> propose_type([9.0, 4.0, 1.02, 1.0, 0.98], 500)
    (1, 1, 3)
    """
    level = check_float(alpha, "alpha", minimum=0.0, maximum=1.0)
    values = np.asarray(eigenvalues, dtype=np.float64)
    starts = [0]
    for last in range(1, len(values)):
        if equal_eigenvalues_test(values, n_samples, starts[-1], last + 1, kurtosis=kurtosis).pvalue < level:
            starts.append(last)
    return tuple(int(size) for size in np.diff([*starts, len(values)]))
