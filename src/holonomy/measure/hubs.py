"""Points that are neighbours of very many others, and points that are nobody's: hubness."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import skew

from holonomy._core.citations import references
from holonomy._core.validation import Points, check_int
from holonomy.graphs import NeighborGraph
from holonomy.measure._inputs import graph_of
from holonomy.measure._ranks import Metric
from holonomy.measure._render import html_table, rich_table

HUB_FACTOR = 2.0
"""Occurrences, in units of the mean, from which a point is called a hub."""


@dataclass(frozen=True, eq=False)
class Hubness:
    """How unevenly points occur among the neighbours of others.

    Attributes
    ----------
    occurrences : ndarray of int, shape (n,)
        N_k: how many points list each point among their k neighbours. The mean is k.
    skewness : float
        Third standardised moment of the occurrences; about 0 in few dimensions, above 1.4 where hubs distort
        neighbourhoods.
    robin_hood : float
        Share of occurrences, in [0, 1], that hubs would have to give away for all to have k.
    hub_occurrence : float
        Share of all occurrences that fall on hubs (points with at least 2 k), in [0, 1].
    antihubs : float
        Share of points that are nobody's neighbour, in [0, 1].
    n_neighbors : int
        k.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import hubness
    >>> found = hubness(np.random.default_rng(0).normal(size=(500, 50)))
    >>> found.skewness > 1.4, int(found.occurrences.mean())
    (True, 10)
    """

    occurrences: np.ndarray
    skewness: float
    robin_hood: float
    hub_occurrence: float
    antihubs: float
    n_neighbors: int

    @property
    def hubs(self) -> np.ndarray:
        """Rows of the hubs, most frequent first."""
        ranked = np.argsort(-self.occurrences, kind="stable")
        return ranked[self.occurrences[ranked] >= HUB_FACTOR * self.n_neighbors]

    def _facts(self) -> dict[str, str]:
        return {
            "skewness of occurrences": f"{self.skewness:.2f}",
            "Robin Hood index": f"{100 * self.robin_hood:.0f} %",
            "hubs": f"{len(self.hubs):,} points, {100 * self.hub_occurrence:.0f} % of occurrences",
            "nobody's neighbour": f"{100 * self.antihubs:.1f} % of the points",
            "neighbours of each point": f"{self.n_neighbors}",
        }

    def _repr_html_(self) -> str:
        return html_table("Hubness", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Hubness", self._facts())


@references("radovanovic2010hubs", "feldbauer2019comprehensive")
def hubness(
    source: NeighborGraph | Points,
    n_neighbors: int | None = None,
    *,
    metric: Metric = "euclidean",
    n_jobs: int | None = None,
) -> Hubness:
    """Count how often each point occurs among the neighbours of others, and how unevenly.

    In many dimensions points near the centre of the data become neighbours of nearly all, and most points of nobody.
    Neighbour-based methods then see the hubs more than the data.

    Parameters
    ----------
    source : NeighborGraph, or array-like of shape (n, d)
        Neighbours, or points whose neighbours are searched.
    n_neighbors : int, optional
        k; 10 by default for points, all of a graph's.
    metric : str or callable, default "euclidean"
        Metric of the search.
    n_jobs : int, optional
        Threads of the search.

    Returns
    -------
    Hubness

    Raises
    ------
    ValueError
        On NaN, or more neighbours than there are.

    References
    ----------
    Radovanović, Nanopoulos, Ivanović (2010), Hubs in space: popular nearest neighbors in high-dimensional data.
    Feldbauer, Flexer (2019), A comprehensive empirical comparison of hubness reduction in high-dimensional spaces.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import hubness
    >>> ring = np.linspace(0, 2 * np.pi, 50, endpoint=False)
    >>> found = hubness(np.c_[np.cos(ring), np.sin(ring)], 2)
    >>> found.robin_hood, found.antihubs
    (0.0, 0.0)
    """
    k = None if n_neighbors is None else check_int(n_neighbors, "n_neighbors", minimum=1)
    graph = graph_of(source, k or 10, metric=metric, n_jobs=n_jobs)
    graph = graph if k is None else graph.truncated(k)
    listed = graph.indices[np.isfinite(graph.distances)]
    counts = np.bincount(listed, minlength=graph.n_points)
    mean = len(listed) / graph.n_points
    even = counts.min() == counts.max()
    return Hubness(
        occurrences=counts,
        skewness=0.0 if even else float(skew(counts)),
        robin_hood=float(np.abs(counts - mean).sum() / (2 * len(listed))) if len(listed) else 0.0,
        hub_occurrence=float(counts[counts >= HUB_FACTOR * graph.n_neighbors].sum() / max(1, len(listed))),
        antihubs=float(np.mean(counts == 0)),
        n_neighbors=graph.n_neighbors,
    )
