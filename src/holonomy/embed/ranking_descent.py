"""Embed pairs of nodes: stochastic Riemannian descent that is parallel and reproducible at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from threading import Barrier, BrokenBarrierError
from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.parallel import resolve_jobs
from holonomy._core.progress import track
from holonomy._core.random import derive_seed, generator
from holonomy.embed import _ranking_kernels as kernels
from holonomy.embed import _ranking_terms as terms
from holonomy.embed.edge_probability import fit_fermi_dirac

PARALLEL_FROM = 256
"""Pairs in a batch from which it is worth sharing one out."""

LARGEST_BATCH = 4096
"""Largest batch that is chosen by itself."""

AUTO_SHARE = 1 / 8
"""Batch that is chosen by itself, in units of the number of nodes."""

CURVE_PAIRS = 2000
"""Pairs, with their negatives, that a curve is fitted to."""

MOST_FULL = 4
"""Most pairs of a batch whose forces on one node add up; more of them are averaged, or hubs would overshoot."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of nodes to embed.

    Attributes
    ----------
    n_nodes : int
    heads, tails : ndarray of int64, shape (m,)
        Ends of each pair; negative samples are seen from the head.
    weights : ndarray of float64, shape (m,)
        How often each is visited, in units of their mean.
    joined : csr_array of shape (n, n)
        Which nodes are no negatives of which, sorted.
    """

    n_nodes: int
    heads: np.ndarray
    tails: np.ndarray
    weights: np.ndarray
    joined: sparse.csr_array


@dataclass(frozen=True)
class DescentOptions:
    """How pairs are embedded.

    Attributes
    ----------
    space, objective : int
        Codes of the compiled steps.
    scale : float
        Curvature radius.
    n_negatives : int
        Negative samples of each pair.
    lr : float
        Step for each pair.
    epochs, burn_in : int
        Passes over the pairs, and how many of them come before the others with a smaller step.
    burn_in_factor : float
        That step, in units of ``lr``.
    dampening : float
        Exponent of the degree by which negatives are drawn in the burn-in; uniformly afterwards.
    batch_size : int
        Pairs that see the same positions.
    edge : float
        Distance of the outermost place in the ball from its boundary.
    is_retraction : bool
        Whether steps are straight lines instead of geodesics.
    n_jobs : int, optional
        Threads; the result does not depend on them.
    """

    space: int
    objective: int
    scale: float
    n_negatives: int
    lr: float
    epochs: int
    burn_in: int
    burn_in_factor: float
    dampening: float
    batch_size: int
    edge: float
    is_retraction: bool = False
    n_jobs: int | None = None


Curve = tuple[float, float]
"""Radius and temperature of the Fermi-Dirac objective."""


def auto_batch(n_nodes: int) -> int:
    """Return how many pairs can be taken at once without slowing down the descent."""
    return int(np.clip(AUTO_SHARE * n_nodes, 10, LARGEST_BATCH))


def descend(
    start: np.ndarray,
    pairs: Pairs,
    options: DescentOptions,
    seed: int,
    curve: Callable[[int, np.ndarray], Curve] | None = None,
) -> np.ndarray:
    """Move nodes until each is nearer to those that it is paired with than to others.

    Parameters
    ----------
    start : ndarray of shape (n, dim)
        First places, in the coordinates of the compiled steps; not written to.
    pairs : Pairs
    options : DescentOptions
    seed : int
        Seed of the order of the pairs and of the negative samples.
    curve : callable, optional
        Radius and temperature of the Fermi-Dirac objective, from the number of the epoch and the places before it.

    Returns
    -------
    ndarray of shape (n, dim)
    """
    work, schedule = _Workspace(start, pairs, options), Schedule(pairs, options, seed)
    n_threads = min(resolve_jobs(options.n_jobs), work.n_shards)
    with ThreadPoolExecutor(n_threads) as pool:
        for number in track(range(options.epochs), "Embedding"):
            epoch = schedule.epoch(number)
            loss = (options.objective, *(curve(number, work.places) if curve is not None else (0.0, 1.0)))
            motion = (epoch.step, options.edge, float(MOST_FULL), options.is_retraction)
            parts = (work, schedule.sampling(epoch), loss, motion, epoch.bounds)
            if n_threads == 1 or options.batch_size < PARALLEL_FROM:
                _alone(*parts)
            else:
                _in_step(*parts, pool, n_threads)
    return work.places.astype(start.dtype, copy=False)


def _alone(work: "_Workspace", sampling: tuple, loss: tuple, motion: tuple, bounds: np.ndarray) -> None:
    """Run the batches of an epoch in this thread."""
    kernels.run_batches(work.state, sampling, loss, motion, work.forces, work.gathered, work.spare(), bounds)


def _in_step(
    work: "_Workspace",
    sampling: tuple,
    loss: tuple,
    motion: tuple,
    bounds: np.ndarray,
    pool: ThreadPoolExecutor,
    n_threads: int,
) -> None:
    """Run the batches of an epoch in threads, which wait for each other after weighing and after moving."""
    barrier = Barrier(n_threads)
    shards = np.linspace(0, work.n_shards, n_threads + 1).astype(np.int64)

    def run(thread: int) -> None:
        spare = work.spare()
        try:
            for first, last in pairwise(bounds):
                n_blocks = -(-(last - first) // kernels.BLOCK)
                share = (n_blocks * thread // n_threads, n_blocks * (thread + 1) // n_threads)
                kernels.weigh_blocks(work.state, sampling, loss, work.forces, spare, first, last, *share)
                barrier.wait()
                share = (shards[thread], shards[thread + 1])
                kernels.move_shards(work.state, sampling, motion, work.forces, work.gathered, first, last, *share)
                barrier.wait()
        except BaseException:
            barrier.abort()
            raise

    others = [pool.submit(run, thread) for thread in range(1, n_threads)]
    # A broken barrier only says that another thread failed; its own result says why.
    with suppress(BrokenBarrierError):
        run(0)
    for other in others:
        other.result()


@dataclass(frozen=True)
class Epoch:
    """What is drawn for one pass: pairs in their order, and where negatives come from.

    Attributes
    ----------
    heads, tails : ndarray of int64, shape (m,)
    bounds : ndarray of int64
        Where each batch begins, and the end of the last.
    table : tuple of ndarray
        Chances and aliases of the negatives.
    key : uint32
        Key of the negatives.
    step : float
        Step for each pair.
    """

    heads: np.ndarray
    tails: np.ndarray
    bounds: np.ndarray
    table: tuple[np.ndarray, np.ndarray]
    key: np.uint32
    step: float


class Schedule:
    """The passes over the pairs: a function of the seed and of the number of the epoch alone."""

    def __init__(self, pairs: Pairs, options: DescentOptions, seed: int) -> None:
        self.pairs, self.options, self.seed = pairs, options, seed
        joined = pairs.joined
        signatures = np.zeros(pairs.n_nodes, dtype=np.uint64)
        self.rows = (joined.indptr.astype(np.int64), joined.indices.astype(np.int32), signatures)
        kernels.sign_rows(*self.rows)
        self.dampened = NO_TABLE
        if options.burn_in and options.dampening:
            degrees = np.bincount(np.concatenate([pairs.heads, pairs.tails]), minlength=pairs.n_nodes)
            self.dampened = alias_table(degrees.astype(np.float64) ** options.dampening)

    def epoch(self, number: int) -> Epoch:
        """Return what is drawn for an epoch."""
        options, is_burn_in = self.options, number < self.options.burn_in
        visits = visited(self.pairs.weights, generator(self.seed, "order", number))
        return Epoch(
            self.pairs.heads[visits],
            self.pairs.tails[visits],
            np.append(np.arange(0, len(visits), options.batch_size), len(visits)),
            self.dampened if is_burn_in else NO_TABLE,
            np.uint32(derive_seed(self.seed, "negatives", number) % 2**32),
            options.lr * (options.burn_in_factor if is_burn_in else 1.0),
        )

    def sampling(self, epoch: Epoch) -> tuple:
        """Return an epoch as the compiled steps take it."""
        return (epoch.heads, epoch.tails, self.options.n_negatives, *epoch.table, *self.rows, epoch.key)


class LearnedCurve:
    """Radius and temperature of the Fermi-Dirac objective, fitted anew before every epoch to a sample of pairs.

    ``distances`` takes places, heads (k,), targets (k, 1 + negatives) and how many of these count in each row.
    """

    def __init__(self, schedule: Schedule, start: Curve, distances: Callable[..., np.ndarray]) -> None:
        self.schedule, self.curve, self.distances = schedule, start, distances

    def __call__(self, number: int, places: Any) -> Curve:
        """Return the curve for an epoch, from the places before it; as it started until the burn-in is over."""
        if number >= max(1, self.schedule.options.burn_in):
            epoch = self.schedule.epoch(number)
            size = min(CURVE_PAIRS, len(epoch.heads))
            targets = np.zeros((size, self.schedule.options.n_negatives + 1), dtype=np.int64)
            counts = np.zeros(size, dtype=np.int64)
            kernels.draw_batch(self.schedule.sampling(epoch), self.schedule.pairs.n_nodes, 0, size, targets, counts)
            found = self.distances(places, epoch.heads[:size], targets, counts)
            is_there = np.arange(targets.shape[1]) < counts[:, None]
            is_edge = np.zeros_like(is_there)
            is_edge[:, 0] = True
            self.curve = fit_fermi_dirac(found[is_there], is_edge[is_there])
        return self.curve


def kernel_distances(space: int, scale: float) -> Callable[..., np.ndarray]:
    """Return the distances that a `LearnedCurve` asks for, in a space that has compiled steps."""

    def distances(places: np.ndarray, heads: np.ndarray, targets: np.ndarray, counts: np.ndarray) -> np.ndarray:
        wide = places.astype(np.float64)
        aux = np.zeros((terms.N_AUX[space], len(wide)))
        terms.refresh(space, wide, aux, 0, len(wide))
        result = np.zeros(targets.shape)
        spare = spare_arrays(targets.shape[1], wide.shape[1], wide.dtype)
        kernels.pair_distances(space, scale, wide, aux, heads, targets.astype(np.uint32), counts, spare, result)
        return result

    return distances


def row_order(space: int, places: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from row numbers to numbers (m, n) in the order of their distances to all nodes."""
    aux = np.zeros((terms.N_AUX[space], len(places)), dtype=places.dtype)
    terms.refresh(space, places, aux, 0, len(places))
    columns = np.ascontiguousarray(places.T)

    def order(rows: np.ndarray) -> np.ndarray:
        result = np.empty((len(rows), len(places)), dtype=places.dtype)
        kernels.order_rows(space, columns, aux, rows, result)
        return result

    return order


def spare_arrays(n_targets: int, dim: int, dtype: np.dtype) -> tuple:
    """Return arrays for one thread to write to."""
    n_entries = kernels.BLOCK * n_targets
    return (
        np.zeros(n_targets, dtype=np.uint32),
        np.zeros((dim, n_targets), dtype=dtype),
        *(np.zeros(n_targets, dtype=dtype) for _ in range(6)),
        np.ones(n_targets, dtype=dtype),
        np.zeros(n_entries, dtype=np.uint32),
        *(np.zeros(n_entries, dtype=dtype) for _ in range(2)),
        np.zeros(kernels.BLOCK, dtype=np.int64),
    )


class _Workspace:
    """The arrays of a descent, grouped as the compiled steps take them."""

    def __init__(self, start: np.ndarray, pairs: Pairs, options: DescentOptions) -> None:
        n, dim = start.shape
        # Flat distances have exponentials that underflow, and those on the sheet digits that cancel.
        self.dtype = start.dtype if options.space == terms.BALL else np.dtype(np.float64)
        self.places = np.array(start, dtype=self.dtype, order="C")
        shift = max(0, int(np.ceil(np.log2(max(n, 1) / kernels.SHARDS))))
        self.n_shards = -(-n // 2**shift)
        aux = np.zeros((terms.N_AUX[options.space], n), dtype=self.dtype)
        terms.refresh(options.space, self.places, aux, 0, n)
        self.state = (options.space, options.scale, shift, self.places, aux)
        self.n_targets = options.n_negatives + 1
        batch = min(options.batch_size, len(pairs.heads))
        self.n_entries = kernels.BLOCK * self.n_targets
        n_blocks = -(-batch // kernels.BLOCK)
        whole = (n_blocks, self.n_entries)
        self.forces = (
            np.zeros((n_blocks, self.n_shards + 1), dtype=np.int64),
            *(np.zeros(whole, dtype=np.uint32) for _ in range(2)),
            *(np.zeros(whole, dtype=self.dtype) for _ in range(2)),
            *(np.zeros((batch, dim), dtype=self.dtype) for _ in range(2)),
            np.zeros(batch, dtype=self.dtype),
        )
        self.gathered = (
            np.zeros((n, dim), dtype=self.dtype),
            np.zeros(n, dtype=self.dtype),
            np.zeros(n, dtype=np.int32),
            np.zeros(n, dtype=np.bool_),
            np.zeros(n, dtype=np.int32),
        )

    def spare(self) -> tuple:
        """Return arrays for one thread to write to."""
        return spare_arrays(self.n_targets, self.places.shape[1], self.dtype)


NO_TABLE = (np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.int32))


def visited(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the numbers of the pairs that an epoch visits, in random order.

    As many as there are pairs, and each as often as its weight, in units of their mean, says: rounded up or down at
    random so that the mean is right.
    """
    if np.ptp(weights) == 0:
        return rng.permutation(len(weights))
    marks = np.cumsum(weights) * (len(weights) / weights.sum()) + rng.random()
    counts = np.diff(np.floor(marks).astype(np.int64), prepend=0)
    return rng.permutation(np.repeat(np.arange(len(weights)), counts))


def alias_table(chances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Walker's table: below which 32-bit number a node stays itself, and which other it is else."""
    n = len(chances)
    share = chances * (n / chances.sum())
    aliases = np.arange(n, dtype=np.int32)
    small, large = list(np.flatnonzero(share < 1)), list(np.flatnonzero(share >= 1))
    while small and large:
        low, high = small.pop(), large[-1]
        aliases[low] = high
        share[high] -= 1.0 - share[low]
        if share[high] < 1:
            small.append(large.pop())
    for rest in (*small, *large):
        share[rest] = 1.0
    return np.minimum(share * 2**32, 2**32 - 1).astype(np.uint32), aliases
