"""Is the data like a tree? Gromov's delta: how far quadruples of points are from lying on one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import Points, check_float, check_int
from holonomy.graphs import NeighborGraph, geodesics
from holonomy.graphs._sparse import check_graph
from holonomy.measure._inputs import check_measured
from holonomy.measure._pairs import Distances, between
from holonomy.measure._ranks import Metric
from holonomy.measure._render import html_table, rich_table
from holonomy.measure.estimate import Estimate

ENDLESS = 10**15
"""Quadruples are drawn from more than an interval could exhaust."""


@dataclass(frozen=True)
class Hyperbolicity:
    """Gromov's four-point delta of a metric space: 0 for trees.

    Of the three sums of opposite distances of four points, delta is half the difference of the two largest.

    Attributes
    ----------
    delta : float
        The largest over all quadruples where ``is_exact``, else over those of the samples: a lower bound.
    diameter : float
        Largest distance, over the same points.
    relative : Estimate
        2 delta / diameter, in [0, 1]: 0 for a tree, 1 for a circle. Of samples their mean, with an interval for
        samples of this size; it grows a little with their size.
    mean_relative : Estimate
        Mean delta of random quadruples over the mean distance, with its interval.
    is_exact : bool
        Whether all quadruples were measured.
    n_used : int
        Points in each sample, or all.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import delta_hyperbolicity
    >>> star = np.full((6, 6), 2.0) - 2 * np.eye(6)
    >>> found = delta_hyperbolicity(star, metric="precomputed")
    >>> found.delta, found.is_exact
    (0.0, True)
    """

    delta: float
    diameter: float
    relative: Estimate
    mean_relative: Estimate
    is_exact: bool
    n_used: int

    def __float__(self) -> float:
        return self.delta

    def _facts(self) -> dict[str, str]:
        return {
            "delta" if self.is_exact else "delta, at least": f"{self.delta:.4g}",
            "diameter": f"{self.diameter:.4g}",
            "2 delta / diameter": str(self.relative),
            "mean delta / mean distance": str(self.mean_relative),
            "points": f"{self.n_used:,}" + ("" if self.is_exact else " in each sample"),
        }

    def _repr_html_(self) -> str:
        return html_table("Gromov hyperbolicity", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Gromov hyperbolicity", self._facts())


@references("gromov1987hyperbolic", "fournier2015computing", "khrulkov2020hyperbolic")
def delta_hyperbolicity(
    X: Points | NeighborGraph,
    *,
    metric: Metric = "euclidean",
    exact_up_to: int = 250,
    sample_size: int = 100,
    n_samples: int = 10,
    n_quadruples: int = 20_000,
    level: float = 0.95,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> Hyperbolicity:
    """Measure how far a metric space is from a tree, by Gromov's delta.

    All quadruples of a few points are measured through max-min products of Gromov products: for every base point w,
    delta is the largest of max_k min((i|k), (k|j)) - (i|j), over points after w alone, for each quadruple is seen from
    its first. Pairs that cannot exceed what was found are passed over. Of more points random samples are measured.

    Parameters
    ----------
    X : array-like of shape (n, d), or NeighborGraph
        Points, or (n, n) distances with ``metric="precomputed"``. Of a graph the geodesic distances are measured,
        which is what tells a branching tree that lies in a plane; from its largest part.
    metric : str or callable, default "euclidean"
        Metric of points.
    exact_up_to : int, default 250
        Most points of which all quadruples are measured.
    sample_size, n_samples : int, default 100 and 10
        Size and number of samples of more points; at least 4 and 2.
    n_quadruples : int, default 20,000
        Random quadruples behind ``mean_relative``, among the points of the samples.
    level : float, default 0.95
        Confidence of the intervals.
    random_state : int, Generator, RandomState or None, default 0
        Seed of samples and quadruples.
    n_jobs : int, optional
        Threads. The result does not depend on it.

    Returns
    -------
    Hyperbolicity

    Raises
    ------
    ValueError
        On NaN, fewer than 4 points, points that are all equal, or distances that are not symmetric.

    References
    ----------
    Gromov (1987), Hyperbolic groups.
    Fournier, Ismail, Vigneron (2015), Computing the Gromov hyperbolicity of a discrete metric space.
    Khrulkov, Mirvakhabova, Ustinova, Oseledets, Lempitsky (2020), Hyperbolic image embeddings.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import delta_hyperbolicity
    >>> square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> round(delta_hyperbolicity(square).delta, 4)
    0.4142
    """
    confidence = check_float(level, "level", minimum=0.0, maximum=1.0)
    most = check_int(exact_up_to, "exact_up_to", minimum=4)
    size = check_int(sample_size, "sample_size", minimum=4)
    repeats = check_int(n_samples, "n_samples", minimum=2)
    count = check_int(n_quadruples, "n_quadruples", minimum=2)
    seed = check_seed(random_state)
    rows, measure = _space(X, metric)
    if len(rows) < 4:
        raise ValueError(f"X must have at least 4 points (in one connected part) for quadruples, got {len(rows)}.")
    with threads(n_jobs):
        if len(rows) <= most:
            samples = [rows]
        else:
            draws = generator(seed, "measure", "hyperbolicity")
            samples = [np.sort(draws.choice(rows, size, replace=False)) for _ in range(repeats)]
        matrices = [_square(measure, sample) for sample in samples]
        deltas = np.array([largest_delta(distances) for distances in matrices])
    diameters = np.array([distances.max() for distances in matrices])
    if diameters.min() == 0:
        raise ValueError("the points of X are all equal (or those of a sample are), so that they have no shape.")
    found = 2 * deltas / diameters
    is_exact = len(samples) == 1
    return Hyperbolicity(
        delta=float(deltas.max()),
        diameter=float(diameters.max()),
        relative=Estimate.from_influence(
            float(found.mean()), found, 1 if is_exact else ENDLESS, level=confidence, bounds=(0.0, 1.0)
        ),
        mean_relative=_mean_delta(matrices, count, confidence, seed),
        is_exact=is_exact,
        n_used=len(samples[0]),
    )


def _space(X: Points | NeighborGraph, metric: Metric) -> tuple[np.ndarray, Distances]:
    if not isinstance(X, NeighborGraph):
        points = check_measured(X, metric)
        return np.arange(points.shape[0]), between(points, metric)
    from holonomy.graphs import connected_components

    graph = check_graph(X)
    _, labels = connected_components(graph)

    def along(rows: np.ndarray, columns: np.ndarray | None) -> np.ndarray:
        found = geodesics(graph, rows, connect="inf")
        return found if columns is None else found[:, columns]

    return np.flatnonzero(labels == 0), along


def _square(measure: Distances, rows: np.ndarray) -> np.ndarray:
    distances = measure(rows, rows)
    if not np.allclose(distances, distances.T, rtol=1e-6, atol=0):
        raise ValueError("the distances of X must be symmetric: d(a, b) = d(b, a).")
    distances = (distances + distances.T) / 2
    np.fill_diagonal(distances, 0.0)
    return distances


def largest_delta(distances: np.ndarray) -> float:
    """Return Gromov's four-point delta of a whole matrix of distances, O(n^4 / 8) at worst."""
    best = 0.0
    for base in range(len(distances) - 3):
        after = distances[base, base + 1 :]
        products = (after[:, None] + after[None, :] - distances[base + 1 :, base + 1 :]) / 2
        best = _max_min_excess(np.ascontiguousarray(products), best)
    return best


@njit(cache=True, nogil=True)
def _max_min_excess(products: np.ndarray, best: float) -> float:
    """Return the largest of best and max_k min(A_ik, A_kj) - A_ij over i < j."""
    n = len(products)
    tops = np.empty(n)
    for i in range(n):
        top = -np.inf
        for k in range(n):
            if k != i:
                top = max(top, products[i, k])
        tops[i] = top
    for i in range(n):
        for j in range(i + 1, n):
            own = products[i, j]
            if min(tops[i], tops[j]) - own <= best:
                continue
            most = -np.inf
            for k in range(n):
                if k != i and k != j:
                    most = max(most, min(products[i, k], products[j, k]))
            best = max(best, most - own)
    return best


def _mean_delta(matrices: list[np.ndarray], count: int, level: float, seed: int) -> Estimate:
    """Estimate the mean delta of random quadruples in units of the mean distance between points.

    Quadruples of one sample of points vary together: the interval comes from the samples where there are several, and
    from the quadruples where all points are at hand.
    """
    draws = generator(seed, "measure", "quadruples")
    means, values, n = [], np.empty(0), len(matrices[0])
    for distances in matrices:
        chosen = draws.random((count // len(matrices) + 1, n)).argpartition(3, axis=1)[:, :4]
        a, b, c, d = chosen.T
        sums = np.sort(
            [distances[a, b] + distances[c, d], distances[a, c] + distances[b, d], distances[a, d] + distances[b, c]],
            axis=0,
        )
        scale = distances[np.triu_indices(n, 1)].mean()
        values = (sums[2] - sums[1]) / (2 * scale)
        means.append(float(values.mean()))
    spread = np.array(means) if len(means) > 1 else values
    return Estimate.from_influence(float(np.mean(means)), spread, ENDLESS, level=level, bounds=(0.0, np.inf))
