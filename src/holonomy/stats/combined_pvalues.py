"""One p-value from many dependent ones."""

import itertools
import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import quad

from holonomy._core.citations import references

EULER_GAMMA = 0.5772156649015329
TIED = 1e-9
"""How near to 1 a p-value counts as 1."""
SADDLE_BELOW = -1.0
"""Where the contour of the Landau law is moved to its saddle point."""


@references("liu2020cauchy")
def cauchy_combination(pvalues: ArrayLike) -> float:
    """Combine p-values by the mean of their Cauchy quantiles.

    ``1/2 - atan(mean tan((1/2 - p) pi)) / pi``: close to exact for small p-values whatever their dependence. Of several
    p-values, those of 1 (which come from ties) count as 1 - 1/m.

    Parameters
    ----------
    pvalues : array-like of shape (m,)
        In [0, 1], at least one.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If there is no p-value or one lies outside [0, 1].

    References
    ----------
    Liu, Xie (2020). Cauchy combination test. Journal of the American Statistical Association 115, 393-402.

    Examples
    --------
    >>> from holonomy.stats import cauchy_combination
    >>> round(cauchy_combination([0.01, 0.5, 0.6]), 4)
    0.0302
    """
    p = _checked(pvalues)
    if (p == 0.0).any():
        return 0.0
    # A p-value of 1 would outweigh all others by -infinity. Data with ties give such; 1 - 1/m stands for them.
    if len(p) > 1:
        p = np.where(p >= 1.0 - TIED, 1.0 - 1.0 / len(p), p)
    scores = np.where(p < 1e-8, 1.0 / (math.pi * p), np.tan((0.5 - p) * math.pi))
    mean = float(scores.mean())
    return math.atan2(1.0, mean) / math.pi if mean > 0 else 0.5 - math.atan(mean) / math.pi


@references("wilson2019harmonic")
def harmonic_mean_pvalue(pvalues: ArrayLike) -> float:
    """Combine p-values by their harmonic mean, corrected by the Landau law that its inverse follows for many.

    Parameters
    ----------
    pvalues : array-like of shape (m,)
        In [0, 1], at least one.

    Returns
    -------
    float
        In [0, 1]. Reliable where it is small: values above 0.1 are not exact.

    Raises
    ------
    ValueError
        If there is no p-value or one lies outside [0, 1].

    References
    ----------
    Wilson (2019). The harmonic mean p-value for combining dependent tests. PNAS 116, 1195-1200.

    Examples
    --------
    >>> from holonomy.stats import harmonic_mean_pvalue
    >>> round(harmonic_mean_pvalue([0.01, 0.5, 0.6]), 4)
    0.0332
    """
    p = _checked(pvalues)
    if (p == 0.0).any():
        return 0.0
    return landau_survival(float((1.0 / p).mean()) - math.log(len(p)) - (1.0 - EULER_GAMMA))


def landau_survival(y: float) -> float:
    """Return the probability that the standard Landau law exceeds y."""
    if y >= SADDLE_BELOW:
        if y > 1e10:
            return 1.0 / y  # the next term is smaller by log(y) / y

        def tail(t: float) -> float:
            return math.exp(-t * math.log(t) - y * t) * math.sin(math.pi * t) / t if t > 0.0 else math.pi

        stops = np.arange(0.0, 12.0)
        scale = min(1.0, 1.0 / max(y, 1.0))
        pieces = [
            quad(tail, scale * a, scale * b, epsabs=1e-12 * scale, epsrel=1e-11)[0]
            for a, b in itertools.pairwise(stops)
        ]
        rest = quad(tail, 11.0 * scale, 40.0 * max(scale, 1.0 / max(y, 1.0)), epsabs=1e-14, limit=200)[0]
        return min(max((sum(pieces) + rest) / math.pi, 0.0), 1.0)
    saddle = math.exp(-1.0 - y)
    if saddle > 700.0:
        return 1.0

    def along(v: float) -> float:
        s = complex(saddle, v)
        return (np.exp(s * np.log(s) + y * s) / s).real

    below = quad(along, 0.0, 12.0 * math.sqrt(saddle) + 12.0, epsabs=1e-14, limit=400)[0] / math.pi
    return min(max(1.0 - below, 0.0), 1.0)


def _checked(pvalues: ArrayLike) -> np.ndarray:
    p = np.asarray(pvalues, dtype=np.float64).ravel()
    if not p.size or not ((p >= 0.0) & (p <= 1.0)).all():
        raise ValueError(f"pvalues must be at least one number in [0, 1], got {p.size} of them.")
    return p
