"""Does the data hang together? The connected parts of its neighbour graph."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from holonomy._core.validation import Points
from holonomy.graphs import NeighborGraph, connected_components
from holonomy.measure._inputs import graph_of
from holonomy.measure._ranks import Metric
from holonomy.measure._render import html_table, rich_table


@dataclass(frozen=True, eq=False)
class Connectedness:
    """The parts of a neighbour graph that no edge joins.

    Attributes
    ----------
    n_components : int
        Number of parts.
    sizes : ndarray of int, shape (n_components,)
        Points in each part, largest first.
    labels : ndarray of int, shape (n,)
        The part of every point; 0 is the largest, parts of equal size are in the order of their first points.
    n_neighbors : int
        Neighbours of each point in the graph.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import connectedness
    >>> parts = connectedness(np.array([[0.0], [1.0], [50.0], [51.0], [52.0]]), n_neighbors=1)
    >>> parts.is_connected, parts.labels.tolist()
    (False, [1, 1, 0, 0, 0])
    """

    n_components: int
    sizes: np.ndarray
    labels: np.ndarray
    n_neighbors: int

    @property
    def is_connected(self) -> bool:
        """Whether there is one part only."""
        return self.n_components == 1

    def _facts(self) -> dict[str, str]:
        shown = ", ".join(f"{size:,}" for size in self.sizes[:5])
        return {
            "parts": f"{self.n_components:,}",
            "sizes": shown + (", ..." if self.n_components > 5 else ""),
            "neighbours of each point": f"{self.n_neighbors}",
        }

    def _repr_html_(self) -> str:
        return html_table("Connectedness", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Connectedness", self._facts())


def connectedness(
    graph: NeighborGraph | Points, n_neighbors: int = 15, *, metric: Metric = "euclidean", n_jobs: int | None = None
) -> Connectedness:
    """Find the connected parts of a neighbour graph: points are joined if either lists the other.

    Parameters
    ----------
    graph : NeighborGraph, or array-like of shape (n, d)
        The graph, or points whose graph is searched first.
    n_neighbors : int, default 15
        Neighbours to search for each of given points; of a graph all neighbours count.
    metric : str or callable, default "euclidean"
        Metric of the search.
    n_jobs : int, optional
        Threads of the search.

    Returns
    -------
    Connectedness

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import connectedness
    >>> parts = connectedness(np.array([[0.0], [1.0], [50.0], [51.0], [52.0]]), n_neighbors=1)
    >>> parts.sizes.tolist()
    [3, 2]
    """
    graph = graph_of(graph, n_neighbors, metric=metric, n_jobs=n_jobs)
    n_components, labels = connected_components(graph)
    return Connectedness(n_components, np.bincount(labels), labels, graph.n_neighbors)
