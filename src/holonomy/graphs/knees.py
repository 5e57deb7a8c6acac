"""Where a curve bends most: the point after which more of the one brings little of the other."""

import numpy as np
from numpy.typing import ArrayLike

from holonomy._core.citations import references
from holonomy._core.validation import check_option


@references("satopaa2011finding", "salvador2004determining")
def knee_point(x: ArrayLike, y: ArrayLike, method: str = "chord") -> int:
    """Find the knee of a curve.

    Parameters
    ----------
    x, y : array-like of shape (n,)
        The curve, n >= 3, with x strictly ascending.
    method : {"chord", "lines"}, default "chord"
        ``"chord"``: the point farthest from the straight line between the ends [1]_. ``"lines"``: the point at which
        two least-squares lines, one up to it and one from it on, leave the least sum of absolute deviations [2]_.

    Returns
    -------
    int
        Index of the knee; the first of equally good ones.

    Raises
    ------
    ValueError
        If the curve has fewer than three points, is not finite, or x does not ascend.

    References
    ----------
    .. [1] Satopaa, Albrecht, Irwin, Raghavan (2011). Finding a "kneedle" in a haystack. ICDCS Workshops, 166-171.
    .. [2] Salvador, Chan (2004). Determining the number of clusters/segments in hierarchical clustering/segmentation
       algorithms. ICTAI, 576-584.

    Examples
    --------
    >>> from holonomy.graphs import knee_point
    >>> knee_point([0, 1, 2, 3, 4], [9.0, 5.0, 1.0, 0.9, 0.8])
    2
    """
    abscissa, ordinate = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if abscissa.ndim != 1 or abscissa.shape != ordinate.shape or len(abscissa) < 3:
        raise ValueError(
            f"x and y must be two sequences of one length >= 3, got shapes {abscissa.shape} and {ordinate.shape}."
        )
    if not (np.isfinite(abscissa).all() and np.isfinite(ordinate).all()) or (np.diff(abscissa) <= 0).any():
        raise ValueError("x and y must be finite, and x strictly ascending.")
    if check_option(method, "method", ("chord", "lines")) == "chord":
        return _farthest_from_chord(abscissa, ordinate)
    inner = range(1, len(abscissa) - 1)
    before = [_deviation(abscissa[: j + 1], ordinate[: j + 1]) for j in inner]
    after = [_deviation(abscissa[j:], ordinate[j:]) for j in inner]
    return int(np.argmin(np.add(before, after))) + 1


def _farthest_from_chord(x: np.ndarray, y: np.ndarray) -> int:
    line = y[0] + (y[-1] - y[0]) * (x - x[0]) / (x[-1] - x[0])
    return int(np.argmax(np.abs(y - line)))


def _deviation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the sum of absolute residuals of the least-squares line."""
    u, v = x - x.mean(), y - y.mean()
    return float(np.abs(v - (u @ v) / (u @ u) * u).sum())
