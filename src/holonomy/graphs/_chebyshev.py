"""Functions of a symmetric matrix times a block of vectors, as Chebyshev series: products only, nothing formed."""

from collections.abc import Callable

import numpy as np
from scipy.special import gammaln, ive

TOLERANCE = 1e-12
"""Largest sum of the coefficients that a series of automatic length leaves out."""


def heat_coefficients(scales: np.ndarray, order: int | None = None) -> np.ndarray:
    """Return the coefficients (len(scales), K + 1) of ``exp(-s (1 + x))`` on [-1, 1] for each scale s >= 0.

    They are ``2 (-1)^k exp(-s) I_k(s)`` (half of it for k = 0); the scaled Bessel functions cannot overflow. Without
    an order, K is the least that leaves out no more than ``TOLERANCE``.
    """
    largest = float(scales.max(initial=0.0))
    degrees = np.arange(int(40 + 10 * np.sqrt(largest)) if order is None else order + 1)
    coefficients = 2.0 * ive(degrees[None, :], scales[:, None]) * np.where(degrees % 2, -1.0, 1.0)
    coefficients[:, 0] *= 0.5
    return _shortened(coefficients) if order is None else coefficients


def power_coefficients(exponent: int) -> np.ndarray:
    """Return the coefficients (1, K + 1) of ``x ** exponent`` on [-1, 1], to ``TOLERANCE``.

    They are binomial probabilities, so about ``sqrt(exponent)`` terms matter, not ``exponent``.
    """
    degrees = np.arange(exponent % 2, exponent + 1, 2)
    halves = (exponent - degrees) / 2
    binomials = gammaln(exponent + 1) - gammaln(halves + 1) - gammaln(exponent - halves + 1)
    coefficients = np.zeros((1, exponent + 1))
    coefficients[0, degrees] = np.exp(binomials + (1 - exponent) * np.log(2.0))
    coefficients[0, 0] *= 0.5
    return _shortened(coefficients)


def _shortened(coefficients: np.ndarray) -> np.ndarray:
    """Drop the last columns as long as none of the series loses more than ``TOLERANCE``."""
    lost = np.cumsum(np.abs(coefficients[:, ::-1]), axis=1).max(axis=0)[::-1]
    return coefficients[:, : max(1, int(np.count_nonzero(lost > TOLERANCE)))]


def chebyshev_series(
    product: Callable[[np.ndarray], np.ndarray], block: np.ndarray, coefficients: np.ndarray
) -> np.ndarray:
    """Return ``sum_k c[s, k] T_k(M) block`` for every row s of the coefficients, shape (len(c), *block.shape).

    ``product`` multiplies by M, whose spectrum lies in [-1, 1].
    """
    results = coefficients[:, 0].reshape(-1, *[1] * block.ndim) * block
    before, current = block, block
    for k in range(1, coefficients.shape[1]):
        following = product(current)
        if k > 1:
            following *= 2.0
            following -= before
        before, current = current, following
        for result, coefficient in zip(results, coefficients[:, k], strict=True):
            if coefficient:
                result += coefficient * current
    return results
