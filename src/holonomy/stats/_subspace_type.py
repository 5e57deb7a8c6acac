"""Types of flags, and flags that are asked about: what is valid, and what the data say against it."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from holonomy._core.validation import as_numpy, check_int
from holonomy.stats._flag_coordinates import FlagChart
from holonomy.stats._principal_flags import PrincipalFlag
from holonomy.stats.eigenvalue_tests import equal_eigenvalues_test

ORTHONORMAL = 1e-6
"""Largest entry of ``Q^T Q - I`` of a basis taken as orthonormal."""


def as_sizes(type_: int | Sequence[int], p: int) -> tuple[int, ...]:
    """Return dimensions of subspaces with sum p.

    Raises
    ------
    ValueError
        If they are not positive or have another sum.
    """
    if isinstance(type_, int | np.integer):
        k = check_int(type_, "type", minimum=1, maximum=p - 1)
        return (k, p - k)
    sizes = tuple(check_int(size, "type", minimum=1) for size in type_)
    if sum(sizes) != p or len(sizes) < 2:
        raise ValueError(f"type must be two or more dimensions with sum {p}, got {sizes}.")
    return sizes


def as_which(which: int | Sequence[int] | None, r: int) -> tuple[int, ...]:
    """Return the numbers of subspaces that are looked at; of all of them, the last says nothing more.

    Raises
    ------
    ValueError
        If a number is out of range or comes twice, or there is none.
    """
    if which is None:
        return tuple(range(r - 1))
    numbers = (which,) if isinstance(which, int | np.integer) else tuple(which)
    chosen = tuple(sorted(check_int(a, "which", minimum=0, maximum=r - 1) for a in numbers))
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"which must name different subspaces, at least one, got {which}.")
    return chosen if len(chosen) < r else chosen[:-1]


def hypothesis(Q0: Any, chart: FlagChart) -> np.ndarray:
    """Return a basis (p, p) whose columns of the chart's subspaces are those of Q0.

    Raises
    ------
    ValueError
        If Q0 has another shape, or its columns are not orthonormal.
    """
    Q = np.asarray(as_numpy(Q0), dtype=np.float64)
    p, K = chart.p, sum(chart.widths)
    if Q.ndim == 1 and K == 1:
        Q = Q[:, None]
    if Q.shape not in ((p, p), (p, K)):
        raise ValueError(
            f"Q0 must have shape ({p}, {p}), or ({p}, {K}) with the columns of the tested subspaces of dimensions "
            f"{chart.widths}, got {Q.shape}."
        )
    worst = float(np.abs(Q.T @ Q - np.eye(Q.shape[1])).max())
    if not worst <= ORTHONORMAL:
        raise ValueError(f"Q0 must have orthonormal columns, and Q0^T Q0 differs from the identity by {worst:.3g}.")
    if Q.shape == (p, p):
        return Q
    placed = np.zeros((p, p))
    placed[:, chart.order[:K]] = Q
    return placed


def warn_of_ties(flag: PrincipalFlag, alpha: float, kurtosis: float) -> None:
    """Warn where the two eigenvalues next to a split may be equal."""
    values, n = flag.eigenvalues, flag.count
    if values[-1] <= 0:
        return
    groups, ends = flag.group_values, np.cumsum(flag.sizes)[:-1]
    for a, end in enumerate(ends):
        if equal_eigenvalues_test(values, n, end - 1, end + 1, kurtosis=max(kurtosis, 0.0)).pvalue >= alpha:
            pair = groups[a] ** 2 / flag.sizes[a] + groups[a + 1] ** 2 / flag.sizes[a + 1]
            error = float(np.sqrt(2.0 * (1.0 + max(kurtosis, 0.0)) * pair / n))
            warnings.warn(
                f"type {flag.sizes} splits eigenvalues {end} and {end + 1}, which may be equal: the gap of the groups "
                f"is {groups[a] - groups[a + 1]:.3g} with standard error {error:.3g}; join them, or get more data.",
                UserWarning,
                stacklevel=4,
            )
