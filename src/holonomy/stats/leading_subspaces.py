"""Tests of leading principal subspaces in high dimension, where no matrix of the size of the covariance is formed."""

from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, svds
from scipy.stats import chi2

from holonomy._core.citations import references
from holonomy._core.validation import as_numpy, check_int, check_option, check_points
from holonomy.stats._flag_coordinates import KINDS, FlagChart
from holonomy.stats._subspace_type import ORTHONORMAL
from holonomy.stats.hypothesis_tests import TestResult


@references("anderson1963asymptotic", "tyler1981asymptotic")
def leading_subspace_test(
    X: Any, Q0: Any, sizes: int | tuple[int, ...], *, assume: str = "gaussian", coordinates: str = "log"
) -> TestResult:
    """Test the leading principal subspaces of many variables, whose remaining variances are taken for equal.

    The same statistic as that of :class:`PCASubspaceInference` with the type ``(*sizes, rest)``. Only the leading
    singular vectors are computed, by Lanczos' method, and the remainder of the space enters through its dimension and
    its mean variance: memory is that of the data.

    Parameters
    ----------
    X : array-like of shape (n, p)
        Data. The limit asks for n large next to p, or for leading variances large next to the others.
    Q0 : array-like of shape (p, k)
        Orthonormal columns: bases of the subspaces side by side.
    sizes : int or tuple of int
        Dimensions of the leading subspaces, with sum k below p and n.
    assume : {"gaussian", "elliptical"}, default "gaussian"
        What is known of the data; the kurtosis of elliptical ones is that of the leading scores.
    coordinates : {"log", "projector", "frame"}, default "log"
        As in :class:`PCASubspaceInference`.

    Returns
    -------
    TestResult
        Chi-square in the limit.

    Raises
    ------
    ValueError
        If a size is out of range, Q0 has another shape or is not orthonormal, or an option is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import leading_subspace_test
    >>> X = np.random.default_rng(0).standard_normal((500, 20))
    >>> X[:, 0] *= 5.0
    >>> leading_subspace_test(X, np.eye(20)[:, :1], 1).df
    19
    """
    check_option(assume, "assume", ("gaussian", "elliptical"))
    check_option(coordinates, "coordinates", KINDS)
    data = check_points(X, dtype=np.float64, min_samples=3)
    n, p = data.shape
    given = (sizes,) if isinstance(sizes, int | np.integer) else tuple(sizes)
    groups = tuple(check_int(size, "sizes", minimum=1) for size in given)
    k = sum(groups)
    if not groups or k >= min(n - 1, p):
        raise ValueError(f"sizes must have a sum from 1 to {min(n - 1, p) - 1}, got {given}.")
    Q = np.asarray(as_numpy(Q0), dtype=np.float64)
    if Q.shape != (p, k) or not np.abs(Q.T @ Q - np.eye(k)).max() <= ORTHONORMAL:
        raise ValueError(f"Q0 must have shape ({p}, {k}) and orthonormal columns, got {Q.shape}.")
    values, V, rest, scores = _leading(data, k)
    # All that Q0 has outside the leading vectors fits into k more directions of the remainder.
    outside = Q - V @ (V.T @ Q)
    U = np.linalg.qr(outside)[0][:, : min(k, p - k)]
    U = U - V @ (V.T @ U)
    small = np.vstack([V.T @ Q, U.T @ Q])
    chart = FlagChart((*groups, U.shape[1]), tuple(range(len(groups))))
    placed = np.zeros((k + U.shape[1], k + U.shape[1]))
    placed[:, :k] = small
    b = chart.coordinates(np.eye(len(placed)), placed, coordinates)
    ends = np.concatenate([[0], np.cumsum(groups)[:-1]])
    means = np.repeat(np.add.reduceat(values, ends) / np.array(groups), groups)
    columns = np.concatenate([means, np.full(U.shape[1], rest)])
    own, other = columns[chart.row], columns[chart.towards]
    scale = 1.0
    if assume == "elliptical":
        lengths = (scores**2 / values).sum(1)
        scale = max((lengths**2).mean() / (k * (k + 2.0)), 1.0 / n)
    statistic = float(n * (b**2 * (own - other) ** 2 / (own * other)).sum() / scale)
    df = (p * p - sum(size * size for size in groups) - (p - k) ** 2) // 2
    return TestResult(statistic, df, float(chi2.sf(statistic, df)), "chi2")


def _leading(data: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Return the k largest eigenvalues, their vectors (p, k), the mean of the others, and the scores (n, k)."""
    n, p = data.shape
    mean = data.mean(0)

    def forward(v: np.ndarray) -> np.ndarray:
        return data @ v - (mean @ v)

    def back(u: np.ndarray) -> np.ndarray:
        return data.T @ u - mean.reshape(-1, *[1] * (u.ndim - 1)) * u.sum(0)

    centred = LinearOperator(data.shape, matvec=forward, rmatvec=back, matmat=forward, rmatmat=back, dtype=np.float64)
    _, singular, rows = svds(centred, k=k, v0=np.ones(min(n, p)), tol=0.0)
    order = np.argsort(singular)[::-1]
    values, V = singular[order] ** 2 / (n - 1), rows[order].T
    total = sum(float(((block - mean) ** 2).sum()) for block in np.array_split(data, max(1, n // _ROWS))) / (n - 1)
    rest = (total - float(values.sum())) / (p - k)
    return values, V, rest, forward(V) * np.sqrt(n / (n - 1.0))


_ROWS = 256
"""Rows centred at once."""
