"""Tests of leading principal subspaces in high dimension, where no matrix of the size of the covariance is formed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, svds
from scipy.stats import chi2

from holonomy._core.citations import references
from holonomy._core.validation import as_numpy, check_float, check_int, check_option, check_points
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
    check_option(coordinates, "coordinates", KINDS)
    data, groups = _checked(X, sizes, assume)
    (n, p), k = data.shape, sum(groups)
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
    columns = np.concatenate([np.repeat(_means(values, groups), groups), np.full(U.shape[1], rest)])
    own, other = columns[chart.row], columns[chart.towards]
    scale = _scale(assume, values, scores)
    statistic = float(n * (b**2 * (own - other) ** 2 / (own * other)).sum() / scale)
    df = _dimension(p, groups)
    return TestResult(statistic, df, float(chi2.sf(statistic, df)), "chi2")


@dataclass(frozen=True)
class LeadingIntervals:
    """Intervals of leading principal subspaces, all at once at one level.

    Attributes
    ----------
    flag : ndarray of shape (p, k)
        Leading eigenvectors, by descending eigenvalue; the largest entry of each is positive.
    eigenvalues : ndarray of shape (k,)
        Theirs, with divisor n - 1.
    rest : float
        Mean of the other eigenvalues.
    angles : ndarray of shape (r, 2)
        Of the largest angle between each subspace and the truth, in radians.
    loadings : ndarray of shape (p, k, 2)
        Of entry (i, j) of variable i on axis j; NaN for axes in a group of several.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import LeadingIntervals, leading_subspace_intervals
    >>> X = np.random.default_rng(0).standard_normal((500, 20))
    >>> X[:, 0] *= 5.0
    >>> found = leading_subspace_intervals(X, 1)
    >>> isinstance(found, LeadingIntervals), found.angles.shape
    (True, (1, 2))
    """

    flag: np.ndarray
    eigenvalues: np.ndarray
    rest: float
    angles: np.ndarray
    loadings: np.ndarray


@references("anderson1963asymptotic", "tyler1981asymptotic")
def leading_subspace_intervals(
    X: Any, sizes: int | tuple[int, ...], *, level: float = 0.95, assume: str = "gaussian"
) -> LeadingIntervals:
    """Return simultaneous intervals for leading principal subspaces of many variables.

    What :meth:`PCASubspaceInference.angles_interval` and :meth:`PCASubspaceInference.loadings_interval` give for the
    type ``(*sizes, rest)``, in closed form: the remaining directions enter by what each loading lacks of length 1.

    Parameters
    ----------
    X : array-like of shape (n, p)
        Data. The limit asks for n large next to p, or for leading variances large next to the others.
    sizes : int or tuple of int
        Dimensions of the leading subspaces, with sum k below p and n.
    level : float, default 0.95
        Confidence, in (0, 1).
    assume : {"gaussian", "elliptical"}, default "gaussian"
        As in :func:`leading_subspace_test`.

    Returns
    -------
    LeadingIntervals
        Estimates and intervals.

    Raises
    ------
    ValueError
        If a size or the level is out of range, or the option is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import leading_subspace_intervals
    >>> X = np.random.default_rng(0).standard_normal((500, 20))
    >>> X[:, 0] *= 5.0
    >>> leading_subspace_intervals(X, 1).loadings.shape
    (20, 1, 2)
    """
    data, groups = _checked(X, sizes, assume)
    if not 0.0 < check_float(level, "level") < 1.0:
        raise ValueError(f"level must lie inside (0, 1), got {level}.")
    (n, p), k = data.shape, sum(groups)
    values, V, rest, scores = _leading(data, k)
    V = V * np.sign(V[np.abs(V).argmax(0), np.arange(k)])
    reach = _scale(assume, values, scores) * float(chi2.ppf(level, _dimension(p, groups))) / n
    means = np.append(_means(values, groups), rest)
    apart = means[:, None] - means
    np.fill_diagonal(apart, np.inf)
    # Variances of how far a column of one group turns towards one of another.
    spread = reach * np.outer(means, means) / apart**2
    upper = np.sqrt(spread[:-1].max(1))
    of = np.repeat(np.arange(len(groups)), groups)
    lacking = np.maximum(1.0 - (V**2).sum(1), 0.0)
    half = np.sqrt(V**2 @ spread[np.ix_(of, of)] + lacking[:, None] * spread[-1, of])
    loadings = np.clip(np.stack([V - half, V + half], axis=-1), -1.0, 1.0)
    loadings[:, np.repeat(np.array(groups) > 1, groups)] = np.nan
    angles = np.column_stack([np.zeros(len(groups)), np.minimum(upper, 0.5 * np.pi)])
    return LeadingIntervals(V, values, rest, angles, loadings)


def _checked(X: Any, sizes: int | tuple[int, ...], assume: str) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return data and dimensions that fit together."""
    check_option(assume, "assume", ("gaussian", "elliptical"))
    data = check_points(X, dtype=np.float64, min_samples=3)
    given = (sizes,) if isinstance(sizes, int | np.integer) else tuple(sizes)
    groups = tuple(check_int(size, "sizes", minimum=1) for size in given)
    most = min(data.shape[0] - 1, data.shape[1]) - 1
    if not groups or sum(groups) > most:
        raise ValueError(f"sizes must have a sum from 1 to {most}, got {given}.")
    return data, groups


def _dimension(p: int, groups: tuple[int, ...]) -> int:
    """Return the dimension of the flags of these subspaces and the rest."""
    return (p * p - sum(size * size for size in groups) - (p - sum(groups)) ** 2) // 2


def _means(values: np.ndarray, groups: tuple[int, ...]) -> np.ndarray:
    """Return the mean eigenvalue of each group."""
    starts = np.concatenate([[0], np.cumsum(groups)[:-1]])
    means: np.ndarray = np.add.reduceat(values, starts) / np.array(groups)
    return means


def _scale(assume: str, values: np.ndarray, scores: np.ndarray) -> float:
    """Return one plus the kurtosis that is assumed: that of the leading scores, or none."""
    if assume == "gaussian":
        return 1.0
    (n, k), lengths = scores.shape, (scores**2 / values).sum(1)
    return float(max((lengths**2).mean() / (k * (k + 2.0)), 1.0 / n))


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
