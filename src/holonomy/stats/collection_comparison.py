"""Do groups of distributions differ: tests of equal mean embeddings, by resampling or coordinate by coordinate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from holonomy._core.citations import references
from holonomy._core.random import RandomState, generator
from holonomy._core.render import html_table, rich_table
from holonomy._core.validation import check_int, check_option
from holonomy.stats._collections import take_distributions
from holonomy.stats._push_forward import split_statistics
from holonomy.stats.combined_pvalues import cauchy_combination, harmonic_mean_pvalue
from holonomy.stats.intrinsic_slices import IntrinsicSlices

COMBINATIONS: dict[str, Callable[[np.ndarray], float]] = {
    "cauchy": cauchy_combination,
    "harmonic": harmonic_mean_pvalue,
}
REFERENCE_CLIP = 1e-5
"""Published scripts keep p-values this far from 0 and 1 before they are combined."""
FLAT = 1e-10
"""Standard deviation, relative to the largest value of the slice, up to which a coordinate counts as constant."""
ROUNDING = 1e-12
"""Relative difference of two statistics that rounding may make; such a tie counts against the null hypothesis."""


@dataclass(frozen=True, eq=False)
class CollectionTest:
    """Whether groups of distributions differ.

    Attributes
    ----------
    statistic : float
        "permutation": how far apart the means of the embeddings are, in squared distance, scaled by the sizes of the
        groups; "combine": the largest absolute t.
    pvalue : float
    per_slice_pvalues : ndarray, shape (L,)
        The same test of one slice alone, not corrected for their number; NaN where all its coordinates are constant.
    effect : float
        Distance of the mean embeddings in units of the root mean squared distance within groups.
    method : str
        How the p-value was found.
    n_resamples : int
        Permutations, or 0.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import IntrinsicSlices, collection_test
    >>> rng = np.random.default_rng(0)
    >>> early, late = ([rng.vonmises(m, 2.0, 50) for _ in range(20)] for m in (0.0, 0.5))
    >>> collection_test(early, late, IntrinsicSlices("circle"), random_state=0).pvalue
    0.001
    """

    statistic: float
    pvalue: float
    per_slice_pvalues: np.ndarray
    effect: float
    method: str
    n_resamples: int

    def _facts(self) -> dict[str, Any]:
        found = np.flatnonzero(~np.isnan(self.per_slice_pvalues))
        best = int(found[np.argmin(self.per_slice_pvalues[found])]) if found.size else None
        return {
            "p-value": f"{self.pvalue:.3g} ({self.method})",
            "statistic": f"{self.statistic:.4g}",
            "effect": f"{self.effect:.3g} times the spread within groups",
            "clearest slice": "none" if best is None else f"{best} (p = {self.per_slice_pvalues[best]:.3g})",
        }

    def __rich__(self) -> Any:
        return rich_table("Collections compared", self._facts())

    def _repr_html_(self) -> str:
        return html_table("Collections compared", self._facts())


@references("rustamov2023intrinsic")
def collection_test(
    A: Any,
    B: Any,
    slices: IntrinsicSlices,
    method: str = "permutation",
    n_resamples: int = 999,
    combine: str = "cauchy",
    *,
    paired: bool = False,
    embedded: bool = False,
    random_state: RandomState = None,
) -> CollectionTest:
    """Test whether two groups of distributions have the same mean embedding.

    Parameters
    ----------
    A, B : collections of distributions
        As in :meth:`IntrinsicSlices.transform`; of any sizes, and any numbers of points in each distribution.
    slices : IntrinsicSlices
        Of order 2.
    method : {"permutation", "combine"}, default "permutation"
        Permute the labels of the distributions (flip signs, where ``paired``); or test every coordinate by Welch's t,
        and combine. The second needs no resampling, at least two distributions a group, and says which slice differs.
    n_resamples : int, default 999
        Permutations B; the p-value is (1 + those at least as extreme) / (B + 1).
    combine : {"cauchy", "harmonic"}, default "cauchy"
        How p-values of coordinates are combined.
    paired : bool, default False
        Whether row i of A and row i of B belong together.
    embedded : bool, default False
        Whether A and B are embeddings by ``slices.transform`` already.
    random_state : int, Generator, RandomState or None, default None
        Seeds the permutations.

    Returns
    -------
    CollectionTest

    Raises
    ------
    TypeError, ValueError
        If a distribution is malformed, pairs do not match, a group is too small, or a parameter is out of range.

    References
    ----------
    Rustamov, Majumdar (2023). Intrinsic sliced Wasserstein distances for comparing collections of probability
    distributions on manifolds and graphs. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import IntrinsicSlices, collection_test
    >>> rng = np.random.default_rng(0)
    >>> A, B = ([rng.uniform(0, 1, 40) ** power for _ in range(15)] for power in (1.0, 1.0))
    >>> collection_test(A, B, IntrinsicSlices("interval"), method="combine").pvalue > 0.05
    True
    """
    check_option(method, "method", ("permutation", "combine"))
    check_option(combine, "combine", tuple(COMBINATIONS))
    count = check_int(n_resamples, "n_resamples", minimum=1)
    first, second = (_embedding(group, slices, embedded, name) for group, name in ((A, "A"), (B, "B")))
    if paired and len(first) != len(second):
        raise ValueError(f"A and B must hold as many distributions where paired, got {len(first)} and {len(second)}.")
    fewest = 2 if method == "combine" or paired else 1
    if min(len(first), len(second)) < fewest or len(first) + len(second) < 3:
        raise ValueError(
            f"A and B must hold at least {fewest} distributions each, and three together, got {len(first)} and "
            f"{len(second)}; distribution_test compares two single distributions."
        )
    effect = _effect([first, second], paired)
    if method == "combine":
        return _by_coordinates(first, second, slices, combine, paired, effect)
    rng = generator(random_state, "collection_test")
    if paired:
        rows, signs = first - second, _signs(count, len(first), rng) / len(first)
        scale = float(len(first))
    else:
        rows = np.concatenate([first, second])
        signs = _contrasts(count, len(first), len(second), rng)
        scale = len(first) * len(second) / len(rows)
    totals = scale * _squares(rows - rows.mean(axis=0) if not paired else rows, signs, slices)
    return CollectionTest(
        statistic=float(totals[0].sum()),
        pvalue=float(_pvalues(totals.sum(axis=1))),
        per_slice_pvalues=_pvalues(totals),
        effect=effect,
        method="sign flips" if paired else "permutation",
        n_resamples=count,
    )


@references("rustamov2023intrinsic")
def several_collections_test(
    groups: Sequence[Any],
    slices: IntrinsicSlices,
    n_resamples: int = 999,
    *,
    embedded: bool = False,
    random_state: RandomState = None,
) -> CollectionTest:
    """Test whether several groups of distributions have the same mean embedding, by permutation.

    The statistic is the trace between groups over that within, times their degrees of freedom (an F ratio); with two
    groups it orders permutations as :func:`collection_test` does.

    Parameters
    ----------
    groups : sequence of collections of distributions
        At least two, each as in :meth:`IntrinsicSlices.transform`.
    slices : IntrinsicSlices
        Of order 2.
    n_resamples : int, default 999
    embedded : bool, default False
        Whether the groups are embeddings already.
    random_state : int, Generator, RandomState or None, default None

    Returns
    -------
    CollectionTest
        ``effect`` is the root of the share of the variance that lies between groups.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two groups, all have one member, or a distribution is malformed.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import IntrinsicSlices, several_collections_test
    >>> rng = np.random.default_rng(0)
    >>> groups = [[rng.vonmises(mean, 2.0, 30) for _ in range(10)] for mean in (0.0, 0.0, 1.0)]
    >>> several_collections_test(groups, IntrinsicSlices("circle"), random_state=0).pvalue
    0.001
    """
    count = check_int(n_resamples, "n_resamples", minimum=1)
    if len(groups) < 2:
        raise ValueError(f"groups must hold at least two collections, got {len(groups)}.")
    parts = [_embedding(group, slices, embedded, f"groups[{i}]") for i, group in enumerate(groups)]
    rows, sizes = np.concatenate(parts), np.array([len(part) for part in parts])
    if len(rows) <= len(parts):
        raise ValueError("groups must hold more distributions than there are groups, got one each.")
    rng = generator(random_state, "several_collections_test")
    centered = rows - rows.mean(axis=0)
    labels = np.repeat(np.arange(len(parts)), sizes)
    orders = np.concatenate([labels[None], rng.permuted(np.tile(labels, (count, 1)), axis=1)])
    total = _by_slice(centered**2, slices).sum(axis=0)
    between = np.zeros((count + 1, len(slices.eigenvalues)))
    for group, size in enumerate(sizes):
        between += size * _squares(centered, (orders == group) / size, slices)
    within = np.maximum(total - between, 0.0)
    ratio = (len(rows) - len(parts)) / (len(parts) - 1.0)
    overall = between.sum(axis=1)
    return CollectionTest(
        statistic=float(ratio * overall[0] / max(within[0].sum(), np.finfo(np.float64).tiny)),
        pvalue=float(_pvalues(overall)),
        per_slice_pvalues=_pvalues(between),
        effect=float(np.sqrt(overall[0] / max(total.sum(), np.finfo(np.float64).tiny))),
        method="permutation",
        n_resamples=count,
    )


@references("rustamov2023intrinsic")
def distribution_test(
    P: Any, Q: Any, slices: IntrinsicSlices, n_resamples: int = 999, *, random_state: RandomState = None
) -> CollectionTest:
    """Test whether two samples of points come from one distribution, by permuting the pooled points.

    Parameters
    ----------
    P, Q : array-like of points of the domain, without weights
        At least two each. The points must be independent; for groups of samples see :func:`collection_test`.
    slices : IntrinsicSlices
        Of order 2; its basis averages are left out.
    n_resamples : int, default 999
    random_state : int, Generator, RandomState or None, default None

    Returns
    -------
    CollectionTest
        ``statistic`` is the squared distance, and ``effect`` the distance.

    Raises
    ------
    TypeError, ValueError
        If a sample is malformed, weighted or has fewer than two points.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import IntrinsicSlices, distribution_test
    >>> rng = np.random.default_rng(0)
    >>> P, Q = rng.vonmises(0.0, 2.0, 100), rng.vonmises(1.0, 2.0, 80)
    >>> distribution_test(P, Q, IntrinsicSlices("circle"), random_state=0).pvalue
    0.001
    """
    count = check_int(n_resamples, "n_resamples", minimum=1)
    _check_slices(slices)
    samples = []
    for given, name in ((P, "P"), (Q, "Q")):
        if isinstance(given, tuple):
            raise ValueError(f"{name} must be a sample without weights: weighted points cannot be permuted.")
        (_, points, mass, _), *_ = take_distributions([given], None, slices._harmonics).chunks()
        if len(points) < 2 or np.ptp(mass) > 0:
            raise ValueError(f"{name} must hold at least two points without weights, got {len(points)}.")
        samples.append(points)
    values = slices._harmonics.values(np.concatenate(samples))
    labels = np.arange(len(values)) < len(samples[0])
    rng = generator(random_state, "distribution_test")
    orders = np.concatenate([labels[None], rng.permuted(np.tile(labels, (count, 1)), axis=1)])
    one = np.ones(1)
    each = [split_statistics(column[:, None], slices.levels, orders, one) for column in values.T]
    totals = np.stack(each, axis=1) * slices.weights
    statistic = float(totals[0].sum())
    return CollectionTest(
        statistic, float(_pvalues(totals.sum(axis=1))), _pvalues(totals), statistic**0.5, "permutation", count
    )


def _check_slices(slices: IntrinsicSlices) -> None:
    if not isinstance(slices, IntrinsicSlices):
        raise TypeError(f"slices must be IntrinsicSlices, got {type(slices).__name__}.")
    if slices.order != 2:
        raise ValueError("slices must be of order 2 for a test of means: only then is the distance Euclidean.")


def _embedding(group: Any, slices: IntrinsicSlices, embedded: bool, name: str) -> np.ndarray:
    _check_slices(slices)
    if not embedded:
        return slices.transform(group)
    rows = np.asarray(group, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != slices.n_features or not np.isfinite(rows).all():
        raise ValueError(f"{name} must be finite embeddings of shape (N, {slices.n_features}), got {rows.shape}.")
    return rows


def _by_slice(rows: np.ndarray, slices: IntrinsicSlices) -> np.ndarray:
    """Sum columns that belong to one slice, (N, L)."""
    return rows.reshape(len(rows), -1, len(slices.eigenvalues), len(slices.levels)).sum(axis=(1, 3))


def _squares(rows: np.ndarray, signs: np.ndarray, slices: IntrinsicSlices) -> np.ndarray:
    """Return squared lengths (B, L) of the combinations ``signs @ rows``, slice by slice."""
    result = np.empty((len(signs), len(slices.eigenvalues)))
    shaped = rows.reshape(len(rows), -1, len(slices.eigenvalues), len(slices.levels))
    for number in range(result.shape[1]):
        part = np.ascontiguousarray(shaped[:, :, number]).reshape(len(rows), -1)
        # Products of the rows among each other are fewer numbers than the combinations, where there are many levels.
        if part.shape[1] > len(rows):
            result[:, number] = np.einsum("bi,bi->b", signs @ (part @ part.T), signs)
        else:
            result[:, number] = np.square(signs @ part).sum(axis=1)
    return np.maximum(result, 0.0)


def _contrasts(count: int, n: int, m: int, rng: np.random.Generator) -> np.ndarray:
    """Return coefficients (count + 1, n + m) of the difference of means: as given, then with labels permuted."""
    given = np.concatenate([np.full(n, 1.0 / n), np.full(m, -1.0 / m)])
    return np.concatenate([given[None], rng.permuted(np.tile(given, (count, 1)), axis=1)])


def _signs(count: int, n: int, rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([np.ones((1, n)), rng.choice([-1.0, 1.0], size=(count, n))])


def _pvalues(totals: np.ndarray) -> np.ndarray:
    """Return the share of statistics (B + 1, ...) that are at least the first."""
    return (totals >= totals[0] * (1.0 - ROUNDING)).mean(axis=0)


def _effect(groups: list[np.ndarray], paired: bool) -> float:
    if paired:
        rows = groups[0] - groups[1]
        shift, within = np.linalg.norm(rows.mean(axis=0)), np.square(rows - rows.mean(axis=0)).sum(axis=1)
    else:
        shift = np.linalg.norm(groups[0].mean(axis=0) - groups[1].mean(axis=0))
        within = np.concatenate([np.square(g - g.mean(axis=0)).sum(axis=1) for g in groups])
    spread = float(np.sqrt(within.mean()))
    return float(shift) / spread if spread > 0 else float(np.inf if shift > 0 else 0.0)


def _slice_sizes(rows: np.ndarray, slices: IntrinsicSlices) -> np.ndarray:
    """Return the largest absolute value in the slice of each coordinate: where a function is 0, rounding is no data."""
    shaped = np.abs(rows).max(axis=0).reshape(-1, len(slices.eigenvalues), len(slices.levels))
    return np.broadcast_to(shaped.max(axis=(0, 2))[None, :, None], shaped.shape).ravel()


def _welch_t(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Welch's t and p of each column; one group may be constant."""
    moments = [part for group in (a, b) for part in (group.mean(axis=0), group.std(axis=0, ddof=1), len(group))]
    found = stats.ttest_ind_from_stats(*moments, equal_var=False)
    return found.statistic, found.pvalue


def _paired_t(gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return t and p of the mean of each column."""
    t = gaps.mean(axis=0) / (gaps.std(axis=0, ddof=1) / np.sqrt(len(gaps)))
    return t, 2.0 * stats.t.sf(np.abs(t), len(gaps) - 1)


def _by_coordinates(
    first: np.ndarray, second: np.ndarray, slices: IntrinsicSlices, combine: str, paired: bool, effect: float
) -> CollectionTest:
    """Test each coordinate, leave out those that are constant, and combine."""
    spread = np.maximum(first.std(axis=0), second.std(axis=0))
    largest = _slice_sizes(np.concatenate([first, second]), slices)
    if paired:
        spread = (first - second).std(axis=0)
    varies = spread > FLAT * largest
    statistics, pvalues = np.full(first.shape[1], np.nan), np.full(first.shape[1], np.nan)
    if varies.any():
        a, b = first[:, varies], second[:, varies]
        statistics[varies], pvalues[varies] = _paired_t(a - b) if paired else _welch_t(a, b)
    if slices.quantiles == "reference":
        pvalues = np.clip(pvalues, REFERENCE_CLIP, 1.0 - REFERENCE_CLIP)
    joined = COMBINATIONS[combine]
    shaped = np.moveaxis(pvalues.reshape(-1, len(slices.eigenvalues), len(slices.levels)), 1, 0)
    per_slice = [joined(p[~np.isnan(p)]) if (~np.isnan(p)).any() else np.nan for p in shaped]
    if np.isnan(pvalues).all():
        raise ValueError("A and B must differ within groups, and every coordinate of their embeddings is constant.")
    return CollectionTest(
        statistic=float(np.nanmax(np.abs(statistics))),
        pvalue=joined(pvalues[~np.isnan(pvalues)]),
        per_slice_pvalues=np.array(per_slice),
        effect=effect,
        method=f"{'paired' if paired else 'Welch'} t, {combine}",
        n_resamples=0,
    )
