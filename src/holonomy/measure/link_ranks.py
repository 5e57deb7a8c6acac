"""Are linked nodes nearer than nodes that are not linked? Mean rank and mean average precision of links, exactly."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState
from holonomy._core.validation import check_int
from holonomy.graphs._blocks import run_blocks
from holonomy.measure._inputs import check_subsample
from holonomy.measure._render import html_table, rich_table
from holonomy.measure.estimate import Estimate

BLOCK_ENTRIES = 2**19
"""Distances held at once by each thread."""

RowDistances = Callable[[np.ndarray], np.ndarray]
"""From the numbers of m nodes to their distances to all n nodes, shape (m, n)."""


@dataclass(frozen=True, eq=False)
class LinkRanking:
    """How the links of nodes rank among what is not linked.

    Attributes
    ----------
    mean_rank : float
        Mean over links of the rank of the linked node among all that are not linked, by distance; 1 is perfect.
    mean_average_precision : float
        Mean over nodes of the average precision of their links; 1 is perfect.
    nodes : ndarray of int, shape (k,)
        The measured nodes: those that have links.
    average_precisions : ndarray of float64, shape (k,)
        Of each of them.
    indptr : ndarray of int, shape (k + 1,)
        Where the ranks of each node begin.
    ranks : ndarray of float64, shape (n_links,)
        Rank of each link, those of a node in the order of their distances; ties count half.
    n_population : int
        Nodes that have links, of which ``nodes`` may be a sample.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import link_ranking
    >>> ranking = link_ranking(np.abs(np.subtract.outer([0, 1, 5], [0, 1, 5])), np.array([[0, 1], [1, 0], [2, 0]]))
    >>> ranking.ranks.tolist(), round(ranking.mean_average_precision, 3), ranking.hits_at(1)
    ([1.0, 1.0, 2.0], 0.833, 0.6666666666666666)
    """

    mean_rank: float
    mean_average_precision: float
    nodes: np.ndarray
    average_precisions: np.ndarray
    indptr: np.ndarray
    ranks: np.ndarray
    n_population: int

    def hits_at(self, k: int) -> float:
        """Return the share of links whose rank is at most k."""
        return float(np.mean(self.ranks <= check_int(k, "k", minimum=1)))

    @property
    def mean_rank_estimate(self) -> Estimate:
        """The mean rank with its interval, where the nodes are a sample."""
        counts = np.diff(self.indptr)
        sums = np.add.reduceat(self.ranks, self.indptr[:-1])
        influence = (sums - self.mean_rank * counts) / counts.mean()
        return Estimate.from_influence(self.mean_rank, influence, self.n_population, bounds=(1.0, np.inf))

    @property
    def mean_average_precision_estimate(self) -> Estimate:
        """The mean average precision with its interval, where the nodes are a sample."""
        return Estimate.from_sample(self.average_precisions, self.n_population)

    def _facts(self) -> dict[str, str]:
        measured = f"{len(self.nodes):,}"
        if len(self.nodes) < self.n_population:
            measured += f" of {self.n_population:,}"
        return {
            "mean rank": f"{self.mean_rank:.2f}",
            "mean average precision": f"{self.mean_average_precision:.3f}",
            "nodes": measured,
            "links": f"{len(self.ranks):,}",
        }

    def _repr_html_(self) -> str:
        return html_table("Ranking of links", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Ranking of links", self._facts())


@references("nickel2017poincare")
def link_ranking(
    distances: ArrayLike | RowDistances,
    links: Any,
    *,
    known: Any = None,
    n_nodes: int | None = None,
    subsample: int | None = None,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> LinkRanking:
    """Rank the links of every node, by distance, among all nodes that it is not linked to.

    Exact, in blocks of rows: O(n) memory for each link list, and n distances for each node with links.

    Parameters
    ----------
    distances : array-like of shape (n, n), or callable
        Distances, of which only the order in each row matters; or a function that takes the numbers (m,) of some nodes
        and returns their distances (m, n) to all, from any thread. Similarities are negated first.
    links : array-like of int, shape (m, 2), or sparse matrix of shape (n, n)
        Pairs (from, to) to be ranked, or their nonzero entries.
    known : array-like of int, shape (l, 2), or sparse matrix of shape (n, n), optional
        Further links that are no negatives, such as those a model was trained on.
    n_nodes : int, optional
        n, where both distances are a function and links are pairs.
    subsample : int, optional
        Measure this many random nodes that have links, at least 30; `LinkRanking` then has intervals.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the subsample.
    n_jobs : int, optional
        Threads. The result does not depend on it.

    Returns
    -------
    LinkRanking

    Raises
    ------
    ValueError
        If there are no links, a link joins a node to itself or names one that does not exist, or distances have the
        wrong shape or are NaN.

    References
    ----------
    Nickel, Kiela (2017). Poincare embeddings for learning hierarchical representations. NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import link_ranking
    >>> line = np.arange(5.0)
    >>> link_ranking(np.abs(line[:, None] - line), [[0, 1], [4, 2]]).ranks.tolist()
    [1.0, 2.0]
    """
    measure, n = _row_distances(distances, links, n_nodes)
    wanted = _link_matrix(links, n, "links")
    if wanted.nnz == 0:
        raise ValueError("links must hold at least one link, got none.")
    excluded = wanted if known is None else sparse.csr_array(wanted + _link_matrix(known, n, "known"))
    excluded.sort_indices()
    population = np.flatnonzero(np.diff(wanted.indptr))
    chosen = check_subsample(subsample, len(population), False, random_state)
    nodes = population if chosen is None else population[chosen]
    counts = np.diff(wanted.indptr)[nodes]
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    ranks, precisions = np.empty(indptr[-1]), np.empty(len(nodes))
    lists = (wanted.indptr, wanted.indices, excluded.indptr, excluded.indices)

    def rank_block(start: int, stop: int) -> None:
        block = np.asarray(measure(nodes[start:stop]))
        if block.shape != (stop - start, n):
            raise ValueError(f"distances must return shape {(stop - start, n)}, got {block.shape}.")
        if np.isnan(block).any():
            raise ValueError("distances must not be NaN.")
        _rank_rows(block, nodes[start:stop], *lists, ranks, indptr[start : stop + 1], precisions[start:stop])

    with threads(n_jobs):
        run_blocks(rank_block, len(nodes), block=int(np.clip(BLOCK_ENTRIES // n, 1, 256)))
    mean_rank, precision = float(ranks.mean()), float(precisions.mean())
    return LinkRanking(mean_rank, precision, nodes, precisions, indptr, ranks, len(population))


def _row_distances(distances: Any, links: Any, n_nodes: int | None) -> tuple[RowDistances, int]:
    """Return how to get rows of distances, and the number of nodes."""
    if not callable(distances):
        matrix = np.asarray(distances)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.dtype.kind not in "fiu":
            raise ValueError(f"distances must be a square matrix of numbers, got {matrix.dtype} of {matrix.shape}.")
        if n_nodes is not None and n_nodes != len(matrix):
            raise ValueError(f"n_nodes must be the {len(matrix)} rows of distances, got {n_nodes}.")
        return lambda rows: matrix[rows], len(matrix)
    if sparse.issparse(links):
        return distances, links.shape[0]
    if n_nodes is None:
        raise ValueError("n_nodes must be given where distances are a function and links are pairs.")
    return distances, check_int(n_nodes, "n_nodes", minimum=2)


def _link_matrix(links: Any, n: int, name: str) -> sparse.csr_array:
    """Return links as a matrix of booleans, sorted, each link once."""
    if sparse.issparse(links):
        if links.shape != (n, n):
            raise ValueError(f"{name} must have shape {(n, n)}, got {links.shape}.")
        matrix = sparse.csr_array(links != 0)
    else:
        pairs = np.asarray(links)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
            raise ValueError(f"{name} must be pairs of node numbers (m, 2), got {pairs.dtype} of {pairs.shape}.")
        if len(pairs) and (pairs.min() < 0 or pairs.max() >= n):
            raise ValueError(f"{name} must name nodes in [0, {n}), got {pairs.min()} to {pairs.max()}.")
        matrix = sparse.csr_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
        matrix.sum_duplicates()
    if matrix.diagonal().any():
        raise ValueError(f"{name} must not join a node to itself, as node {int(np.argmax(matrix.diagonal()))} is.")
    matrix.sort_indices()
    return matrix


@njit(cache=True, nogil=True)
def _count(value: float, sign: int, sorted_values: np.ndarray, before: np.ndarray, level: np.ndarray) -> None:
    """Add to ``before`` from the first larger of the sorted values on, and to ``level`` where they are equal."""
    low, high = 0, len(sorted_values)
    while low < high:
        middle = (low + high) >> 1
        if sorted_values[middle] < value:
            low = middle + 1
        else:
            high = middle
    while low < len(sorted_values) and sorted_values[low] == value:
        level[low] += sign
        low += 1
    before[low] += sign


@njit(cache=True, nogil=True)
def _rank_rows(
    block: np.ndarray,
    nodes: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    excluded_indptr: np.ndarray,
    excluded: np.ndarray,
    ranks: np.ndarray,
    bounds: np.ndarray,
    precisions: np.ndarray,
) -> None:
    """Write ranks and average precisions of some nodes from their distances: all are counted, then the excluded not."""
    n = block.shape[1]
    for r in range(len(nodes)):
        node, row = nodes[r], block[r]
        own = np.sort(row[indices[indptr[node] : indptr[node + 1]]])
        count = len(own)
        farthest = own[count - 1]
        before, level = np.zeros(count + 1, dtype=np.int64), np.zeros(count, dtype=np.int64)
        for other in range(n):
            if row[other] <= farthest:
                _count(row[other], 1, own, before, level)
        if row[node] <= farthest:
            _count(row[node], -1, own, before, level)
        for e in range(excluded_indptr[node], excluded_indptr[node + 1]):
            if row[excluded[e]] <= farthest:
                _count(row[excluded[e]], -1, own, before, level)
        nearer, total = 0, 0.0
        for i in range(count):
            nearer += before[i]
            ahead = nearer + 0.5 * level[i]
            ranks[bounds[r] + i] = 1.0 + ahead
            total += (i + 1.0) / (i + 1.0 + ahead)
        precisions[r] = total / count
