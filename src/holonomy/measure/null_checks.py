"""Is what a map shows in the data's columns together, or in each alone? Comparison with permuted columns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from holonomy._core.citations import references
from holonomy._core.random import RandomState, check_seed, derive_seed, generator
from holonomy._core.validation import Points, check_int, check_points
from holonomy.measure._render import html_table, rich_table
from holonomy.measure.estimate import Estimate
from holonomy.measure.rank_curves import rank_curve

MOST_POINTS = 2000
"""Rows mapped: permuted data has no more to tell with more of them."""

CURVE_POINTS = 500
WORTH_SEEING = 0.05
"""Area under R_NX, beyond that of permuted data, below which a map shows nothing of how columns hang together."""


@dataclass(frozen=True, eq=False)
class NullCheck:
    """A map's quality beside that of maps of the same columns, each permuted by itself.

    Attributes
    ----------
    quality : Estimate
        Area under the R_NX curve of the map of the data.
    null : ndarray of shape (m,)
        The same of permuted data.
    excess : Estimate
        ``quality`` minus the mean of ``null``, with an interval.
    n_points : int
        Rows mapped.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from holonomy.measure import null_check
    >>> noise = np.random.default_rng(0).normal(size=(300, 8))
    >>> null_check(noise, PCA(2)).is_structure_missing
    True
    """

    quality: Estimate
    null: np.ndarray
    excess: Estimate
    n_points: int

    @property
    def is_structure_missing(self) -> bool:
        """Whether permuted data is mapped about as well."""
        return self.excess.value < WORTH_SEEING or self.excess.low <= 0

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        measured = f"the map keeps neighbourhoods by {self.quality.value:.2f} (area under R_NX), and those of"
        null = f"{measured} data whose columns were shuffled one by one by {np.mean(self.null):.2f}"
        if self.is_structure_missing:
            return (
                f"As much structure is seen where there is none: {null}. What the map shows lies in single columns, "
                "or is made by the method."
            )
        return f"What the map shows is in the data: {null}."

    def _facts(self) -> dict[str, str]:
        return {
            "area under R_NX": str(self.quality),
            "of permuted data": ", ".join(f"{value:.3f}" for value in self.null),
            "difference": str(self.excess),
            "rows mapped": f"{self.n_points:,}",
        }

    def _repr_html_(self) -> str:
        return html_table("Comparison with permuted data", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Comparison with permuted data", self._facts())


@references("buja1992remarks", "lee2015multiscale")
def null_check(
    X: Points,
    embedder: Any,
    n_permutations: int = 3,
    *,
    subsample: int | None = MOST_POINTS,
    level: float = 0.95,
    random_state: RandomState = 0,
) -> NullCheck:
    """Map data, and data whose columns were permuted one by one, and compare how well neighbourhoods are kept.

    Permuted columns keep every column's values and lose how columns hang together. A method draws a picture of them
    all the same; where it keeps as much as with the data, the picture of the data is no evidence.

    Parameters
    ----------
    X : array-like of shape (n, d)
        The data.
    embedder : estimator
        Anything with ``fit_transform`` and scikit-learn's parameters, cloned for each map.
    n_permutations : int, default 3
        Permuted data sets, at least 2.
    subsample : int, optional
        Rows mapped, of more; None maps all. 2,000 by default.
    level : float, default 0.95
        Confidence of the intervals.
    random_state : int, Generator, RandomState or None, default 0
        Seed of rows, permutations and maps.

    Returns
    -------
    NullCheck

    Raises
    ------
    ValueError
        On NaN, fewer than 4 rows, or fewer than 2 columns.

    References
    ----------
    Buja, Eyuboglu (1992), Remarks on parallel analysis.
    Lee, Peluffo-Ordóñez, Verleysen (2015), Multi-scale similarities in stochastic neighbour embedding.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from holonomy.measure import null_check
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 8))
    >>> null_check(X, PCA(2)).is_structure_missing
    False
    """
    points = check_points(X, min_samples=4)
    if points.shape[1] < 2:
        raise ValueError("X must have at least 2 columns: one column permuted is itself in another order.")
    repeats = check_int(n_permutations, "n_permutations", minimum=2)
    seed = check_seed(random_state)
    if subsample is not None and check_int(subsample, "subsample", minimum=4) < len(points):
        chosen = generator(seed, "measure", "null rows").choice(len(points), subsample, replace=False)
        points = points[np.sort(chosen)]
    quality = _quality(points, embedder, seed, level)
    permuted = [
        _quality(_permuted(points, derive_seed(seed, "null", run)), embedder, seed, level) for run in range(repeats)
    ]
    null = np.array([each.area.value for each in permuted])
    difference = quality.area.value - float(null.mean())
    # Points of each map vary, and maps of permuted data among each other.
    errors = [_error(quality.per_point), _error(null), *(_error(each.per_point) / repeats for each in permuted)]
    reach = 2.0 * float(np.sqrt(np.square(errors).sum()))
    excess = Estimate(difference, difference - reach, difference + reach, len(points), level)
    return NullCheck(quality.area, null, excess, len(points))


def _quality(points: np.ndarray, embedder: Any, seed: int, level: float) -> Any:
    fresh = clone(embedder)
    if "random_state" in fresh.get_params(deep=False):
        fresh.set_params(random_state=derive_seed(seed, "null map") % 2**31)
    image = np.asarray(fresh.fit_transform(points))
    subsample = CURVE_POINTS if len(points) > CURVE_POINTS else None
    return rank_curve(points, image, subsample=subsample, level=level, random_state=seed)


def _permuted(points: np.ndarray, seed: int) -> np.ndarray:
    return generator(seed, "measure", "permuted columns").permuted(points, axis=0)


def _error(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))
