"""Columns that say nothing, and a column that says everything."""

from dataclasses import dataclass

import numpy as np

DOMINATING_SHARE = 0.5
DOMINATING_RATIO = 10.0


@dataclass(frozen=True)
class Columns:
    """What the columns are like.

    Attributes
    ----------
    n_columns : int
        Number of columns.
    constant : tuple of str
        Names of those that never change.
    dominating : str or None
        The one that, of three or more varying, holds more than half of the total variance and ten times the median.
    largest_share : float
        Largest share of one column in the total variance.
    """

    n_columns: int
    constant: tuple[str, ...]
    dominating: str | None
    largest_share: float


def examine_columns(X: np.ndarray, names: tuple[str, ...]) -> Columns:
    """Find constant columns, and the column that dominates all distances."""
    varying = X.min(axis=0) < X.max(axis=0)
    variances = np.where(varying, X.var(axis=0, dtype=np.float64), 0.0)
    total = float(variances.sum())
    largest = int(variances.argmax())
    share = float(variances[largest] / total) if total > 0 else 0.0
    usual = float(np.median(variances[varying])) if total > 0 else 0.0
    dominates = varying.sum() >= 3 and share > DOMINATING_SHARE and variances[largest] > DOMINATING_RATIO * usual
    return Columns(
        n_columns=X.shape[1],
        constant=tuple(name for name, varies in zip(names, varying, strict=True) if not varies),
        dominating=names[largest] if dominates else None,
        largest_share=share,
    )
