"""Lay out a fuzzy graph: stochastic gradient descent on the cross-entropy, parallel and reproducible at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from threading import Barrier, BrokenBarrierError

import numpy as np
from scipy import sparse

from holonomy._core.parallel import resolve_jobs
from holonomy._core.progress import track
from holonomy._core.random import RandomState, check_seed, derive_seed
from holonomy._core.validation import check_points
from holonomy.embed._layout_kernels import attract, repel

ROUNDS = 3
"""Rounds of pulls in an epoch: in a single one hubs overshoot and neighbours are kept less well, more change nothing.

Odd, so that an epoch, with its pushes, ends in the array that it began in."""

Edges = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Rows of edges as indptr and indices, and how often each is sampled, in units of 2**-32 of the epochs."""

Steps = tuple[Callable[..., None], Callable[..., None]]
"""A pair of compiled steps with the arguments of `attract` and `repel`."""

EUCLIDEAN: Steps = (attract, repel)

Extra = Callable[[int, float, slice, Callable[[], object], np.ndarray, np.ndarray], None]
"""A further force: called in every epoch, by each thread for its own rows, with (epoch, step, rows, wait, positions,
moved). It adds to ``moved[rows]`` what follows from the positions of all points; ``wait`` returns once all threads
have called it."""


@dataclass(frozen=True)
class LayoutOptions:
    """How a layout is optimised.

    Attributes
    ----------
    a, b : float
        Curve 1 / (1 + a d^(2b)) from distance on the map to membership.
    n_epochs : int
        Passes; the strongest edges are sampled in every one.
    learning_rate : float, default 1.0
        Step of the first epoch; it falls linearly to 0.
    repulsion_strength : float, default 1.0
        Weight of negative samples.
    negative_sample_rate : int, default 5
        Negative samples drawn for each sampled edge.
    n_jobs : int, optional
        Threads; None and -1 use what is available. The result does not depend on it.

    Examples
    --------
    >>> from holonomy.embed import LayoutOptions
    >>> LayoutOptions(a=1.58, b=0.9, n_epochs=200).learning_rate
    1.0
    """

    a: float
    b: float
    n_epochs: int
    learning_rate: float = 1.0
    repulsion_strength: float = 1.0
    negative_sample_rate: int = 5
    n_jobs: int | None = None


def optimize_layout(
    graph: sparse.csr_array,
    start: np.ndarray,
    options: LayoutOptions,
    *,
    random_state: RandomState = None,
    steps: Steps = EUCLIDEAN,
    extra: Extra | None = None,
) -> np.ndarray:
    """Move points so that their memberships on the map agree with those of a symmetric fuzzy graph.

    An epoch is a few rounds of pulls and one of pushes. In each round every point sums its own forces, of its edges or
    of its negative samples, seen from the positions after the previous round; random numbers are a function of (seed,
    epoch, point, draw). Threads therefore cannot race.

    Parameters
    ----------
    graph : csr_array of shape (n, n)
        Symmetric memberships in [0, 1].
    start : array-like of shape (n, dim)
        Initial coordinates; not written to.
    options : LayoutOptions
        The curve, the number of epochs and the weights.
    random_state : int, Generator, RandomState or None
        Seed of the negative samples.
    steps : pair of compiled functions, default Euclidean
        Attraction and repulsion in another space; see `OutputGeometry`.
    extra : callable, optional
        A further force; see `DensityForce`.

    Returns
    -------
    ndarray of float32, shape (n, dim)

    Raises
    ------
    ValueError
        If the shapes do not fit or the start is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import LayoutOptions, optimize_layout
    >>> from holonomy.graphs import fuzzy_simplicial_set, neighbors
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> graph = fuzzy_simplicial_set(neighbors(X, 5))
    >>> optimize_layout(graph, X[:, :2], LayoutOptions(1.58, 0.9, n_epochs=50), random_state=0).shape
    (50, 2)

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.
    """
    points, rounds, keys = prepared(graph, start, options, random_state)
    return _descend(points, None, rounds, keys, options, steps, extra)


def prepared(
    graph: sparse.csr_array, start: np.ndarray, options: LayoutOptions, random_state: RandomState
) -> tuple[np.ndarray, list[Edges], np.ndarray]:
    """Check what a layout starts from; return the start, its edges by round, and the seed of each point's draws."""
    points = check_points(start, name="start")
    if graph.shape != (len(points), len(points)):
        raise ValueError(f"graph must have shape {(len(points),) * 2} to fit start, got {graph.shape}.")
    strongest = float(graph.data.max(initial=0.0))
    edges = prune(graph, strongest / options.n_epochs)
    seed = derive_seed(check_seed(random_state), "layout") % 2**32
    keys = _scrambled(np.arange(len(points), dtype=np.uint32), seed)
    return points, _rounds(edges, strongest, ROUNDS), keys


def place_points(
    memberships: sparse.csr_array,
    start: np.ndarray,
    reference: np.ndarray,
    options: LayoutOptions,
    keys: np.ndarray,
    steps: Steps = EUCLIDEAN,
) -> np.ndarray:
    """Place new points among fixed reference points; each row depends on nothing but itself.

    ``memberships`` (m, n) are in [0, 1], ``start`` is (m, dim), ``reference`` is (n, dim), and ``keys`` (m,) of uint32
    seed each row's own negative samples. Returns float32 coordinates of shape (m, dim).
    """
    return _descend(start, reference, placement_rounds(memberships, options), keys, options, steps)


def placement_rounds(memberships: sparse.csr_array, options: LayoutOptions) -> list[Edges]:
    """Return the edges of new points, in one round: their other ends do not move."""
    return _rounds(prune(memberships, 1.0 / options.n_epochs), 1.0, 1)


def _descend(
    start: np.ndarray,
    reference: np.ndarray | None,
    rounds: list[Edges],
    keys: np.ndarray,
    options: LayoutOptions,
    steps: Steps,
    extra: Extra | None = None,
) -> np.ndarray:
    """Run all epochs from a start (m, dim) among a fixed reference (n, dim), or among themselves where it is None."""
    positions = np.array(start, dtype=np.float32, order="C")
    spare = np.empty_like(positions)
    sampled = np.zeros(len(positions), dtype=np.int64)
    is_moving = reference is None
    fixed = None if is_moving else np.ascontiguousarray(reference, dtype=np.float32)
    curve = (np.float32(options.a), np.float32(options.b))
    repulsion = (np.float32(options.repulsion_strength), options.negative_sample_rate)
    attract, repel = steps

    def advance(epoch: int, block: slice, wait: Callable) -> None:
        span = (block.start, block.stop)
        step = np.float32(options.learning_rate * (1 - epoch / options.n_epochs))
        # Every edge between moving points is stored, and therefore sampled, from either end.
        pull = np.float32(2) * step if is_moving else step
        now, then = positions, spare
        sampled[block] = 0
        for edges in rounds:
            attract(now, now if is_moving else fixed, then, sampled, *edges, epoch, pull, *curve, *span)
            wait()
            now, then = then, now
        repel(now, now if is_moving else fixed, then, sampled, keys, epoch, step, *curve, *repulsion, is_moving, *span)
        if extra is not None:
            extra(epoch, float(step), block, wait, now, then)
        wait()

    _in_step(advance, options.n_epochs, _shares(rounds, resolve_jobs(options.n_jobs)))
    return positions


def _in_step(advance: Callable, n_epochs: int, blocks: list[slice]) -> None:
    """Run all epochs on all blocks of points, one thread a block; no thread is more than one round ahead."""
    barrier = Barrier(len(blocks))

    def run(block: slice, epochs: Iterable[int]) -> None:
        try:
            for epoch in epochs:
                advance(epoch, block, barrier.wait)
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(len(blocks)) as pool:
        others = [pool.submit(run, block, range(n_epochs)) for block in blocks[1:]]
        # A broken barrier only says that another thread failed; its own result says why.
        with suppress(BrokenBarrierError):
            run(blocks[0], track(range(n_epochs), "Laying out"))
        for other in others:
            other.result()


def _shares(rounds: list[Edges], n_shares: int) -> list[slice]:
    """Cut the points into consecutive slices of similar work, which the sampled edges make."""
    work = np.zeros(len(rounds[0][0]))
    for indptr, _, rates in rounds:
        work += np.concatenate([[0], np.cumsum(rates, dtype=np.float64)])[indptr]
    work += np.arange(len(work)) * max(work[-1], 1.0) / (10 * max(1, len(work) - 1))
    cuts = np.searchsorted(work, np.linspace(0, work[-1], n_shares + 1)[1:-1])
    bounds = np.unique([0, *cuts, len(work) - 1])
    return [slice(int(start), int(stop)) for start, stop in pairwise(bounds)] or [slice(0, 0)]


def _rounds(edges: sparse.csr_array, strongest: float, n_rounds: int) -> list[Edges]:
    """Deal edges out at random, both directions of one to the same round; indptr, indices and rates of each."""
    rates = edge_rates(edges, strongest)
    if n_rounds == 1:
        return [(edges.indptr, edges.indices, rates)]
    rows = np.repeat(np.arange(edges.shape[0], dtype=np.uint32), np.diff(edges.indptr))
    columns = edges.indices.astype(np.uint32)
    number = _scrambled(_scrambled(np.minimum(rows, columns), 0) ^ np.maximum(rows, columns), 1) % np.uint32(n_rounds)
    dealt: list[Edges] = []
    for part in range(n_rounds):
        chosen = number == part
        indptr = np.zeros_like(edges.indptr)
        np.cumsum(np.bincount(rows[chosen], minlength=edges.shape[0]), out=indptr[1:])
        dealt.append((indptr, edges.indices[chosen], rates[chosen]))
    return dealt


def prune(graph: sparse.csr_array, weakest: float) -> sparse.csr_array:
    """Drop edges too weak to be sampled even once, and sort the rest."""
    kept = sparse.csr_array(graph, copy=True)
    kept.data[kept.data < weakest] = 0
    kept.eliminate_zeros()
    kept.sort_indices()
    return kept


def edge_rates(edges: sparse.csr_array, strongest: float) -> np.ndarray:
    """Share of epochs in which each edge is sampled, in units of 2**-32."""
    if strongest <= 0:
        return np.zeros(edges.nnz, dtype=np.uint32)
    return np.minimum(edges.data.astype(np.float64) / strongest * 2**32, 2**32 - 1).astype(np.uint32)


def _scrambled(numbers: np.ndarray, seed: int) -> np.ndarray:
    """Spread 32-bit numbers and a seed over 32 bits, elementwise."""
    h = (numbers ^ np.uint32(seed)) * np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def row_keys(indices: np.ndarray, distances: np.ndarray, seed: int) -> np.ndarray:
    """One key a row from its neighbours (m, k) and their distances alone, shape (m,)."""
    keys = np.full(len(indices), derive_seed(seed, "rows") % 2**32, dtype=np.uint32)
    bits = np.ascontiguousarray(distances, dtype=np.float32).view(np.uint32)
    for column in range(indices.shape[1]):
        for words in (indices[:, column].astype(np.uint32), bits[:, column]):
            keys = _scrambled(keys * np.uint32(31) + words, column)
    return keys
