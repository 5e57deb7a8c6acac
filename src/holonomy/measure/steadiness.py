"""Would the map look the same another time? Stability over seeds and resamples."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from sklearn.base import clone

from holonomy._core.citations import references
from holonomy._core.random import RandomState, check_seed, derive_seed, generator
from holonomy._core.validation import Points, check_float, check_int, check_points
from holonomy.graphs import neighbors
from holonomy.measure._inputs import listed_in
from holonomy.measure._render import html_table, rich_table
from holonomy.measure.estimate import Estimate
from holonomy.measure.procrustes import align_all

ENDLESS = 10**15
"""Runs are drawn from as many as there are seeds."""

WANDERING = 0.25
"""Spread of a point over runs, in units of the map's extent, from which its place tells little."""

UNSTABLE_SHARE = 0.25
"""Share of wandering points from which a map is called unstable."""

SEEDS = 2**31
"""Seeds that any estimator accepts lie below."""


@dataclass(frozen=True, eq=False)
class MapStability:
    """How much maps of the same data differ from run to run.

    Attributes
    ----------
    spread : ndarray of shape (n,)
        Root mean square distance of each point to its mean place over the aligned maps, in units of the map's extent
        (root mean square distance to the middle): 0 where it never moves, about 1 where it may be anywhere. NaN for
        points in fewer than two maps.
    neighbors_kept : ndarray of shape (n,)
        Share of each point's neighbours on one map that are among those on another, over all pairs of maps and the
        points that both have; whatever is moved as a whole keeps its neighbours.
    kept : Estimate
        The mean of it, with an interval for other runs.
    consensus : ndarray of shape (n, p)
        Mean place of every point.
    maps : ndarray of shape (m, n, p)
        The aligned maps; NaN for points that one does not have.
    n_neighbors : int
        Size of the neighbourhoods compared.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import map_stability
    >>> Z = np.random.default_rng(0).normal(size=(100, 2))
    >>> found = map_stability([Z, -2 * Z, Z + 5])
    >>> float(found.kept), bool(found.spread.max() < 1e-6), found.is_unstable
    (1.0, True, False)
    """

    spread: np.ndarray
    neighbors_kept: np.ndarray
    kept: Estimate
    consensus: np.ndarray
    maps: np.ndarray
    n_neighbors: int

    @property
    def wandering(self) -> float:
        """Share of points whose place changes by more than a quarter of the map's extent, in [0, 1]."""
        told = np.isfinite(self.spread)
        return float(np.mean(self.spread[told] > WANDERING))

    @property
    def is_unstable(self) -> bool:
        """Whether more than a quarter of the points wander."""
        return self.wandering > UNSTABLE_SHARE

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in words."""
        runs, share = len(self.maps), f"{100 * self.wandering:.0f} %"
        low, high = f"{100 * self.kept.low:.0f}", f"{100 * self.kept.high:.0f}"
        kept = f"{100 * self.kept.value:.0f} % ({low} to {high} %)"
        if self.is_unstable:
            place = (
                f"Over {runs} runs, {share} of the points change their place by more than a quarter of the map's "
                "extent: where they lie relative to far points means nothing."
            )
        else:
            place = f"Over {runs} runs, the map keeps its arrangement ({share} of the points wander)."
        return place, f"On average {kept} of the {self.n_neighbors} nearest neighbours on one map are so on another."

    def _facts(self) -> dict[str, str]:
        return {
            "maps": f"{len(self.maps)}",
            "neighbours kept": str(self.kept),
            "median spread": f"{np.nanmedian(self.spread):.3f} of the extent",
            "wandering points": f"{100 * self.wandering:.1f} %",
        }

    def _repr_html_(self) -> str:
        return html_table("Stability of the map", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Stability of the map", self._facts())


@references("gower1975generalized")
def map_stability(maps: Sequence[Points], n_neighbors: int = 10, *, level: float = 0.95) -> MapStability:
    """Compare maps of the same data from several runs: after alignment, place by place and neighbour by neighbour.

    Parameters
    ----------
    maps : sequence of array-like, each of shape (n, p)
        At least two maps, as `rerun_map` makes them. Rows of NaN are points that a map does not have.
    n_neighbors : int, default 10
        Size of the neighbourhoods compared, less than the points that any two maps have in common.
    level : float, default 0.95
        Confidence of the interval.

    Returns
    -------
    MapStability

    Raises
    ------
    ValueError
        If there are fewer than two maps, their shapes differ, or two have too few points in common.

    References
    ----------
    Gower (1975), Generalized Procrustes analysis.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import map_stability
    >>> rng = np.random.default_rng(0)
    >>> found = map_stability([rng.normal(size=(100, 2)) for _ in range(3)])
    >>> found.is_unstable, found.kept.value < 0.2
    (True, True)
    """
    k = check_int(n_neighbors, "n_neighbors", minimum=1)
    aligned, consensus = align_all(maps)
    there = np.isfinite(aligned).all(axis=2)
    kept_sums, kept_counts = np.zeros(aligned.shape[1]), np.zeros(aligned.shape[1])
    per_pair = np.zeros((len(aligned), len(aligned)))
    for first, second in combinations(range(len(aligned)), 2):
        common = np.flatnonzero(there[first] & there[second])
        if len(common) <= k:
            raise ValueError(
                f"maps {first} and {second} have {len(common)} points in common, too few for {k} neighbours; resample "
                "a larger share, or compare fewer neighbours."
            )
        lists = [neighbors(aligned[run][common], k).indices for run in (first, second)]
        kept = listed_in(*lists).mean(axis=1)
        kept_sums[common] += kept
        kept_counts[common] += 1
        per_pair[first, second] = per_pair[second, first] = kept.mean()
    own = per_pair.sum(axis=1) / (len(aligned) - 1)
    value = float(own.mean())
    counts = there.sum(axis=0)
    squares = np.where(there, np.square(aligned - consensus).sum(axis=2), 0.0).sum(axis=0)
    extent = float(np.sqrt(np.nanvar(consensus, axis=0).sum()))
    usual = float(np.sqrt(np.mean([np.nanvar(Z, axis=0).sum() for Z in aligned])))
    # One place is lost to the mean. Maps that agree in nothing have a mean of no extent: theirs counts.
    spread = np.sqrt(np.divide(squares, counts - 1, out=np.full(len(counts), np.nan), where=counts > 1))
    reference = max(extent, usual)
    return MapStability(
        spread=spread / reference if reference > 0 else spread,
        neighbors_kept=np.divide(kept_sums, kept_counts, out=np.full(len(counts), np.nan), where=kept_counts > 0),
        kept=Estimate.from_influence(value, 2 * own, ENDLESS, level=level, bounds=(0.0, 1.0)),
        consensus=consensus,
        maps=aligned,
        n_neighbors=k,
    )


@references("efron1979bootstrap")
def rerun_map(
    embedder: Any,
    X: Points,
    n_runs: int = 5,
    *,
    resample: float | str | None = None,
    random_state: RandomState = 0,
) -> list[np.ndarray]:
    """Map the same data several times, with other seeds and, if asked for, other samples of its rows.

    Parameters
    ----------
    embedder : estimator
        Anything with ``fit_transform`` and scikit-learn's parameters; cloned for each run, its ``random_state``
        replaced where it has one.
    X : array-like of shape (n, d)
        The data.
    n_runs : int, default 5
        Number of maps, at least 2.
    resample : float, "bootstrap" or None, default None
        Share of the rows in each map, in (0, 1), drawn without replacement; the distinct rows of a bootstrap sample
        (63 % of all); or all rows.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the runs' seeds and rows.

    Returns
    -------
    list of ndarray, each of shape (n, p)
        The maps, NaN where a row was not drawn.

    Raises
    ------
    ValueError
        On NaN, or a share out of range.

    References
    ----------
    Efron (1979), Bootstrap methods: another look at the jackknife.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from holonomy.measure import map_stability, rerun_map
    >>> X = np.random.default_rng(0).normal(size=(200, 3)) * [5, 2, 1]
    >>> map_stability(rerun_map(PCA(2), X, 3, resample=0.8)).is_unstable
    False
    """
    points = check_points(X, accept_sparse=True, min_samples=2)
    runs = check_int(n_runs, "n_runs", minimum=2)
    if resample is not None and resample != "bootstrap":
        share = check_float(resample, "resample", minimum=0.0, maximum=1.0)
        if share in (0.0, 1.0):
            raise ValueError(f"resample must lie between 0 and 1 (or be None, for all rows), got {share}.")
    seed = check_seed(random_state)
    n = points.shape[0]
    maps = []
    for run in range(runs):
        rows = _rows(n, resample, generator(seed, "measure", "rerun", run))
        fresh = clone(embedder)
        if "random_state" in fresh.get_params(deep=False):
            fresh.set_params(random_state=derive_seed(seed, "measure", "rerun", "seed", run) % SEEDS)
        found = np.asarray(fresh.fit_transform(points[rows]), dtype=np.float64)
        placed = np.full((n, found.shape[1]), np.nan)
        placed[rows] = found
        maps.append(placed)
    return maps


def _rows(n: int, resample: float | str | None, draws: np.random.Generator) -> np.ndarray:
    if resample is None:
        return np.arange(n)
    if resample == "bootstrap":
        return np.unique(draws.integers(n, size=n))
    return np.sort(draws.choice(n, max(2, round(float(resample) * n)), replace=False))
