"""How many straight directions the data extends in: spectrum, effective rank, participation ratio."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from holonomy._core.citations import references
from holonomy._core.parallel import native_threads
from holonomy._core.random import RandomState, generator
from holonomy._core.validation import Points, check_float, check_points
from holonomy.measure._render import html_table, rich_table

LARGEST_EIGENPROBLEM = 2048
"""Side of the largest matrix whose eigenvalues are computed: a sample of rows stands in for larger data."""

SMALLEST_REACH = 1e-140


@dataclass(frozen=True, eq=False)
class LinearSpan:
    """The variances of data along its principal directions, and numbers that summarise them.

    Attributes
    ----------
    effective_rank : float
        Roy and Vetterli's: the exponential of the entropy of the normalised singular values of the centred data.
        Between 1 (a line) and d (the same extent in all directions); 0 where all rows are equal.
    participation_ratio : float
        (sum of variances)^2 / sum of squared variances; less sensitive to many small directions.
    spectrum : ndarray of shape (min(n, d),)
        Variances (with divisor n - 1) along the principal directions, descending; rounding errors are set to 0.
    n_used : int
        Number of rows measured.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import effective_rank
    >>> span = effective_rank(np.random.default_rng(0).normal(size=(100, 5)) * [3, 2, 1, 0, 0])
    >>> span.rank, span.directions_for(0.8)
    (3, 2)
    """

    effective_rank: float
    participation_ratio: float
    spectrum: np.ndarray
    n_used: int

    @property
    def rank(self) -> int:
        """Number of directions with a variance."""
        return int(np.count_nonzero(self.spectrum))

    def directions_for(self, share: float) -> int:
        """Return the least number of directions that hold this share, in [0, 1], of the variance."""
        wanted = check_float(share, "share", minimum=0.0, maximum=1.0) * self.spectrum.sum()
        return min(int(np.sum(np.cumsum(self.spectrum) < wanted)) + 1, self.rank)

    def __float__(self) -> float:
        return self.effective_rank

    def _facts(self) -> dict[str, str]:
        return {
            "effective rank": f"{self.effective_rank:.2f}",
            "participation ratio": f"{self.participation_ratio:.2f}",
            "directions with 95 % of the variance": f"{self.directions_for(0.95)} of {len(self.spectrum)}",
            "rows used": f"{self.n_used:,}",
        }

    def _repr_html_(self) -> str:
        return html_table("Linear span", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Linear span", self._facts())


@references("roy2007effective")
def effective_rank(X: Points, *, random_state: RandomState = 0) -> LinearSpan:
    """Measure how many linear directions the data extends in, counting directions by how far they extend.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Points.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the sample of 2,048 rows that is used where both n and d are larger than that.

    Returns
    -------
    LinearSpan
        Holds ``effective_rank``, ``participation_ratio`` and the ``spectrum``; ``float()`` gives the effective rank.

    Raises
    ------
    ValueError
        On NaN, fewer than 2 rows, or numbers so large or small that their squares are out of range.

    References
    ----------
    Roy, Vetterli (2007), The effective rank: a measure of effective dimensionality.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import effective_rank
    >>> square = np.array([[0, 0, 7], [0, 1, 7], [1, 0, 7], [1, 1, 7]])
    >>> round(float(effective_rank(square)), 6)
    2.0
    """
    points = check_points(X, min_samples=2)
    if min(points.shape) > LARGEST_EIGENPROBLEM:
        chosen = generator(random_state, "measure", "effective_rank").choice(
            len(points), LARGEST_EIGENPROBLEM, replace=False
        )
        points = points[np.sort(chosen)]
    # Sums in several threads would depend on their number in the last bits.
    with native_threads(1, user_api="blas"):
        spectrum = _variances(points)
    total = spectrum.sum()
    if total == 0:
        return LinearSpan(0.0, 0.0, spectrum, len(points))
    extents = np.sqrt(spectrum[spectrum > 0])
    extents /= extents.sum()
    entropy = -float(extents @ np.log(extents))
    return LinearSpan(
        effective_rank=float(np.exp(entropy)),
        participation_ratio=float(1 / np.square(spectrum / total).sum()),
        spectrum=spectrum,
        n_used=len(points),
    )


def leading_coordinates(points: np.ndarray, n_directions: int) -> np.ndarray:
    """Return the coordinates of points along their leading principal directions, shape (n, n_directions).

    The directions are those of at most 2,048 rows, evenly picked.
    """
    mean = points.mean(axis=0, dtype=np.float64)
    picked = points[:: -(-len(points) // LARGEST_EIGENPROBLEM)] - mean
    with native_threads(1, user_api="blas"):
        if len(picked) > picked.shape[1]:
            directions = np.linalg.eigh(picked.T @ picked)[1][:, ::-1][:, :n_directions]
        else:
            directions = picked.T @ np.linalg.eigh(picked @ picked.T)[1][:, ::-1][:, :n_directions]
            directions /= np.linalg.norm(directions, axis=0)
        blocks = [(points[start : start + 4096] - mean) @ directions for start in range(0, len(points), 4096)]
    return np.concatenate(blocks)


def _variances(points: np.ndarray) -> np.ndarray:
    n, d = points.shape
    mean = points.mean(axis=0, dtype=np.float64)
    reach = float(max(np.max(points.max(axis=0) - mean), np.max(mean - points.min(axis=0))))
    if reach > 0 and not SMALLEST_REACH < reach < 1 / SMALLEST_REACH:
        raise ValueError(f"X spreads over about {reach:.0e}, whose square is no ordinary number; rescale X.")
    if n <= d:
        centred = points - mean
        products = centred @ centred.T
    else:
        products = np.zeros((d, d))
        for start in range(0, n, 4096):
            block = points[start : start + 4096] - mean
            products += block.T @ block
    if not products.any():
        return np.zeros(len(products))
    values = np.linalg.eigvalsh(products)[::-1] / (n - 1)
    # Below this, an eigenvalue is rounding error of the largest.
    values[values < values[0] * len(values) * np.finfo(np.float64).eps * 4] = 0.0
    return values
