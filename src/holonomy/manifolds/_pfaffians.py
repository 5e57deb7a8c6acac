"""The probability that normal numbers drift apart in order: the Pfaffian in the normaliser of covariance matrices.

For independent ``r_j`` of variance ``s^2`` and means ``a_j s^2``, ``a_j = j - (n - 1) / 2``, de Bruijn's formula gives
the expected value of ``prod_{i<j} (1 - exp(-(r_j - r_i)))`` over ordered ``r`` as the Pfaffian of the skew matrix with
entries ``erf((k - j) s / 2)``, bordered by ones for odd n.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np

NUDGE = 2.0**-30
"""Relative step of the central difference for slopes; its error is a part in its square."""


@lru_cache(maxsize=1024)
def log_pfaffian(n: int, spread: float) -> float:
    """Return the logarithm of the Pfaffian, to rounding."""
    return _settle(lambda context: _log_pfaffian(context, n, context.mpf(spread)), n, spread)


@lru_cache(maxsize=1024)
def log_pfaffian_slope(n: int, spread: float) -> float:
    """Return the derivative of the logarithm of the Pfaffian by the logarithm of the spread, to rounding."""

    def evaluate(context: Any) -> Any:
        up, down = (_log_pfaffian(context, n, context.mpf(spread) * (1 + sign * NUDGE)) for sign in (1, -1))
        return (up - down) / (2.0 * NUDGE)

    return _settle(evaluate, n, spread)


def _settle(evaluate: Callable[[Any], Any], n: int, spread: float) -> float:
    """Return the value on which two precisions agree to rounding.

    The last pivot is near ``spread^(2 n)`` for small spreads, and the entries are known to the working precision.
    """
    digits = int(40 + n + 2 * n * max(0.0, -math.log10(spread)))
    found = math.nan
    while True:
        context = mpmath.MPContext()
        context.dps = digits
        before, found = found, float(evaluate(context))
        if abs(found - before) <= 1e-15 * max(1.0, abs(found)):
            return found
        digits += digits // 2


def _log_pfaffian(context: Any, n: int, spread: Any) -> Any:
    """Return the logarithm by elimination, or nan where the precision is too low for its positive pivots."""
    values = [context.erf(k * spread / 2) for k in range(n)]
    size = n + n % 2
    matrix = np.full((size, size), context.mpf(0), dtype=object)
    for i in range(size):
        for j in range(i + 1, size):
            matrix[i, j] = values[j - i] if j < n else context.mpf(1)
            matrix[j, i] = -matrix[i, j]
    total = context.mpf(1)
    while len(matrix):
        pivot = matrix[0, 1]
        if pivot <= 0:
            return context.nan
        total *= pivot
        first, second = matrix[0, 2:] / pivot, matrix[1, 2:]
        matrix = matrix[2:, 2:] + np.outer(second, first) - np.outer(first, second)
    return context.log(total)
