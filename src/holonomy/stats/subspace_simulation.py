"""The statistics of principal subspaces for many samples at once."""

from collections.abc import Sequence

import numpy as np

from holonomy._core.citations import references
from holonomy._core.validation import check_option
from holonomy.stats._flag_coordinates import KINDS, FlagChart
from holonomy.stats._principal_flags import ASSUMPTIONS, COVARIANCES, PrincipalFlag, statistics
from holonomy.stats._subspace_type import as_sizes, as_which, hypothesis


@references("anderson1963asymptotic", "tyler1981asymptotic")
def subspace_statistics(
    samples: np.ndarray,
    Q0: np.ndarray,
    type: int | tuple[int, ...],
    *,
    which: int | Sequence[int] | None = None,
    assume: str = "none",
    coordinates: str = "log",
    covariance: str = "auto",
) -> tuple[np.ndarray, int]:
    """Return the statistics of :class:`PCASubspaceInference` for many samples at once: for simulations.

    Parameters
    ----------
    samples : ndarray of shape (s, n, p)
        Samples.
    Q0 : ndarray of shape (p, p) or (p, k)
        The subspaces asked about, as in :meth:`PCASubspaceInference.test`.
    type : int or tuple of int
        Dimensions of the subspaces.
    which, assume, coordinates, covariance
        As in :class:`PCASubspaceInference`.

    Returns
    -------
    statistics : ndarray of shape (s,)
        Chi-square in the limit, when Q0 is true.
    df : int
        Degrees of freedom.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import subspace_statistics
    >>> samples = np.random.default_rng(0).standard_normal((10, 200, 3)) * [3.0, 1.0, 1.0]
    >>> statistics, df = subspace_statistics(samples, np.eye(3), (1, 2))
    >>> statistics.shape, df
    ((10,), 2)
    """
    X = np.asarray(samples, dtype=np.float64)
    if X.ndim != 3 or not np.isfinite(X).all():
        raise ValueError(f"samples must be finite, of shape (s, n, p), got shape {X.shape}.")
    check_option(assume, "assume", ASSUMPTIONS)
    check_option(coordinates, "coordinates", KINDS)
    check_option(covariance, "covariance", COVARIANCES)
    sizes = as_sizes(type, X.shape[2])
    chart = FlagChart(sizes, as_which(which, len(sizes)))
    flags = [PrincipalFlag.of(one, sizes) for one in X]
    return statistics(flags, hypothesis(Q0, chart), chart, assume, covariance, coordinates), chart.dim
