"""Principal directions as a flag: an average, robust if asked for, of those of many small samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holonomy._core.citations import references
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.render import html_table, rich_table
from holonomy._core.validation import Points, check_int, check_points
from holonomy.manifolds import Euclidean
from holonomy.stats.centers import frechet_median
from holonomy.stats.flag_centers import FlagCenter, flag_mean, flag_median


@dataclass(frozen=True)
class FlagComponents:
    """Nested principal subspaces of rows.

    Attributes
    ----------
    components : ndarray of shape (d, k)
        Orthonormal directions as columns: the first ``dims[0]`` span the first subspace, and so on. Within a block
        they are ordered by spread.
    dims : tuple of int
        Dimensions of the subspaces.
    center : ndarray of shape (d,)
        Where directions are measured from: the mean, or the geometric median.
    spread : ndarray of shape (k,)
        Median absolute value of the rows along each direction if robust, else their standard deviation.
    average : FlagCenter
        The mean or median of the flags of the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import flag_pca
    >>> X = np.random.default_rng(0).standard_normal((200, 4)) * [9.0, 3.0, 1.0, 1.0]
    >>> abs(flag_pca(X, (1, 2)).components[0, 0]).round(1)
    np.float64(1.0)
    """

    components: np.ndarray
    dims: tuple[int, ...]
    center: np.ndarray
    spread: np.ndarray
    average: FlagCenter

    def transform(self, X: Points) -> np.ndarray:
        """Return the coordinates (n, k) of rows along the directions."""
        return (check_points(X, dtype=np.float64) - self.center) @ self.components

    def _facts(self) -> dict[str, Any]:
        return {
            "subspaces": ", ".join(map(str, self.dims)),
            "spread": ", ".join(f"{value:.3g}" for value in self.spread),
            "samples averaged": (len(self.average.history) and "by a median") or "by a mean",
            "objective": f"{self.average.objective:.4g}",
        }

    def __rich__(self) -> Any:
        return rich_table("Principal flag", self._facts())

    def _repr_html_(self) -> str:
        return html_table("Principal flag", self._facts())


@references("mankovich2023chordal")
def flag_pca(
    X: Points,
    dims: Sequence[int],
    *,
    robust: bool = True,
    block_size: int | None = None,
    n_blocks: int = 200,
    random_state: RandomState = 0,
) -> FlagComponents:
    """Return nested principal subspaces of rows, as the chordal average of those of many small random samples.

    The robust flag rests on two things. Rows are measured from their geometric median and count by their directions
    only, as points of a sphere: an outlier, however far, weighs no more than any other row. And the flags of the
    samples are averaged by their median, which ignores samples with many outliers.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Rows, without NaN; d > k.
    dims : sequence of int
        Dimensions of the subspaces, increasing; the last is k.
    robust : bool, default True
        Whether to measure directions from the geometric median, and to average by ``flag_median``; else rows from
        their mean, by ``flag_mean``.
    block_size : int, optional
        Rows in each sample, from k to n; by default 10 k, at most n.
    n_blocks : int, default 200
        Samples.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the samples.

    Returns
    -------
    FlagComponents

    Raises
    ------
    ValueError
        On NaN, or if ``dims``, ``block_size`` or ``n_blocks`` are out of range.

    References
    ----------
    Mankovich & Birdal (2023), "Chordal Averaging on Flag Manifolds and Its Applications".

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import flag_pca
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((300, 5)) * [8.0, 4.0, 0.1, 0.1, 0.1]
    >>> X[:30] = 50.0 * rng.standard_normal((30, 5))
    >>> bool(abs(flag_pca(X, (1, 2)).components[:2]).max() > 0.95)
    True
    """
    rows = check_points(X, dtype=np.float64)
    n, d = rows.shape
    sizes = tuple(check_int(m, "dims", minimum=1, maximum=d - 1) for m in dims)
    if not sizes:
        raise ValueError("dims must name one or more dimensions, got none.")
    k = sizes[-1]
    size = check_int(min(10 * k, n) if block_size is None else block_size, "block_size", minimum=k, maximum=n)
    count = check_int(n_blocks, "n_blocks", minimum=1)
    seed = check_seed(random_state)
    center = frechet_median(rows, Euclidean(d), tolerance=1e-6).point if robust else rows.mean(axis=0)
    centred = rows - center
    counted = _signs(centred) if robust else centred
    flags = np.stack([_directions(counted, size, k, seed, block) for block in range(count)])
    average = (flag_median if robust else flag_mean)(flags, sizes, random_state=seed)
    return _ordered(centred, average, sizes, center, robust)


def _signs(centred: np.ndarray) -> np.ndarray:
    """Return rows of length one; rows at the centre stay there."""
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)


def _directions(centred: np.ndarray, size: int, k: int, seed: int, block: int) -> np.ndarray:
    """Return the leading directions of a random sample of rows."""
    chosen = generator(seed, "flag blocks", block).choice(len(centred), size, replace=False)
    directions = np.linalg.svd(centred[np.sort(chosen)], full_matrices=False)[2][:k].T
    if directions.shape[1] == k:
        return directions
    raise ValueError(f"block_size must be at least {k}, the largest of dims, got {size}.")


def _ordered(
    centred: np.ndarray, average: FlagCenter, dims: tuple[int, ...], center: np.ndarray, robust: bool
) -> FlagComponents:
    """Turn the directions of each block to the axes of its rows, by their size."""
    frame, columns = np.asarray(average.point), []
    for start, end in zip((0, *dims[:-1]), dims, strict=True):
        block = frame[:, start:end]
        along = centred @ block
        turn = np.linalg.svd(_signs(along) if robust else along, full_matrices=False)[2].T
        columns.append(block @ turn)
    components = np.concatenate(columns, axis=1)
    scores = centred @ components
    spread = np.median(np.abs(scores), axis=0) if robust else scores.std(axis=0)
    return FlagComponents(components, dims, center, spread, average)
