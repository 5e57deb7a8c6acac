"""Lay out several fuzzy graphs at once, with related rows held together."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse

from holonomy._core.parallel import resolve_jobs
from holonomy._core.progress import track
from holonomy._core.random import generator
from holonomy.embed._aligned_kernels import ROUNDS, pull, push
from holonomy.embed.layout import LayoutOptions

BLOCK = 2048
"""Points that one task moves; the result does not depend on it."""

HOLDS = 4
"""Parts of an epoch's hold, so that it reaches along a sequence of maps as far as springs that act all the time."""


@dataclass(frozen=True)
class Coupling:
    """What holds the rows of one map to their relatives on another.

    Attributes
    ----------
    other : int
        Number of the other map.
    related : ndarray of int64, shape (n,)
        The same row there, or -1.
    weights : ndarray of float64, shape (n,)
        Strength of the hold.
    """

    other: int
    related: np.ndarray
    weights: np.ndarray


class _Map:
    """One map on its way: its edges, its positions, and what it is held to."""

    def __init__(
        self,
        graph: sparse.csr_array,
        start: np.ndarray,
        options: LayoutOptions,
        couplings: list[Coupling],
        seed: int,
        number: int,
    ) -> None:
        strongest = float(graph.data.max(initial=0.0))
        kept = sparse.csr_array(graph, copy=True)
        kept.data[kept.data < strongest / options.n_epochs] = 0
        kept.eliminate_zeros()
        kept.sort_indices()
        shares = kept.data.astype(np.float64) / max(strongest, np.finfo(float).tiny)
        rates = np.minimum(shares * 2**32, 2**32 - 1).astype(np.uint32)
        self.sampling = (kept.indptr, kept.indices, rates)
        self.options = options
        self.holds = []
        for coupling in couplings:
            known = np.flatnonzero((coupling.related >= 0) & (coupling.weights > 0))
            self.holds.append((coupling.other, known, coupling.related[known], coupling.weights[known]))
        self.curve = (np.float32(options.a), np.float32(options.b))
        self.keys = generator(seed, "aligned", number).integers(2**32, size=len(start), dtype=np.uint32)
        self.positions = np.array(start, dtype=np.float32, order="C")
        self.moved = np.empty_like(self.positions)
        # Every sampled edge pulls both its ends, and brings its negative samples.
        expected = np.add.reduceat(np.append(shares, 0.0), kept.indptr[:-1]) * (np.diff(kept.indptr) > 0)
        self.moves = expected * (2 + options.negative_sample_rate)

    def blocks(self) -> list[tuple[int, int]]:
        n = len(self.positions)
        return [(first, min(first + BLOCK, n)) for first in range(0, n, BLOCK)]

    def step(self, epoch: int) -> np.float32:
        return np.float32(self.options.learning_rate * (1 - epoch / self.options.n_epochs))

    def pull(self, start: int, stop: int, *, epoch: int, part: int) -> None:
        # Every edge is stored, and therefore sampled, from either end.
        step = np.float32(2) * self.step(epoch)
        pull(self.positions, self.moved, *self.sampling, epoch, part, step, *self.curve, start, stop)

    def push(self, start: int, stop: int, *, epoch: int) -> None:
        indptr, _, rates = self.sampling
        forces = (*self.curve, np.float32(self.options.repulsion_strength), self.options.negative_sample_rate)
        push(self.positions, self.moved, indptr, rates, self.keys, epoch, self.step(epoch), *forces, start, stop)

    def turn(self) -> None:
        """Take what was moved for the positions."""
        self.positions, self.moved = self.moved, self.positions

    def held(self, epoch: int, places: list[np.ndarray], strength: float, *, mutual: bool) -> np.ndarray:
        """Return the positions after one part of an epoch's hold.

        A spring pulls at each of the ``moves`` of a point: together an exponential approach to the weighted mean of its
        relatives, or, where these come to meet it at the same pace, to the middle.
        """
        total = np.zeros(len(self.positions))
        target = np.zeros(self.positions.shape)
        for other, known, related, weights in self.holds:
            there = places[other][related]
            is_placed = np.isfinite(there[:, 0])
            total[known[is_placed]] += weights[is_placed]
            target[known[is_placed]] += weights[is_placed, None] * there[is_placed]
        is_held = total > 0
        exponent = strength * float(self.step(epoch)) / HOLDS * self.moves[is_held] * total[is_held]
        share = -0.5 * np.expm1(-2.0 * exponent) if mutual else -np.expm1(-exponent)
        moved = self.positions.copy()
        means = target[is_held] / total[is_held, None]
        moved[is_held] += share[:, None] * (means - moved[is_held])
        return moved


def optimize_aligned(
    graphs: list[sparse.csr_array],
    starts: list[np.ndarray],
    options: list[LayoutOptions],
    couplings: list[list[Coupling]],
    strength: float,
    seed: int,
    *,
    moving: list[int] | None = None,
) -> list[np.ndarray]:
    """Lay out all graphs together and return their maps, float32 of shape (n_i, dim) each.

    Every epoch moves all maps by their own pulls, then by their own pushes, then towards their relatives as these are
    after the pushes; each step reads what the one before has left, so that threads cannot race.

    Parameters
    ----------
    graphs, starts, options, couplings : lists
        For each map its symmetric memberships, initial coordinates, how it is laid out, and what it is held to. All
        have the same number of epochs.
    strength : float
        Hold of each related row, for each move of a point.
    seed : int
        Seed of the negative samples.
    moving : list of int, optional
        Maps that move, all by default; the others stay where they start.
    """
    numbers = list(range(len(graphs))) if moving is None else moving
    maps = {i: _Map(graphs[i], starts[i], options[i], couplings[i], seed, i) for i in numbers}
    fixed = [np.asarray(start, dtype=np.float32) for start in starts]
    tasks = [(one, *block) for one in maps.values() for block in one.blocks()]
    n_epochs = options[numbers[0]].n_epochs
    with ThreadPoolExecutor(resolve_jobs(options[numbers[0]].n_jobs)) as pool:

        def everywhere(move: Callable[[_Map, int, int], None]) -> None:
            for _ in pool.map(lambda task: move(*task), tasks):
                pass
            for one in maps.values():
                one.turn()

        for epoch in track(range(n_epochs), "Laying out together"):
            for part in range(ROUNDS):
                everywhere(partial(_Map.pull, epoch=epoch, part=part))
            everywhere(partial(_Map.push, epoch=epoch))
            for _ in range(HOLDS if strength > 0 else 0):
                places = [maps[i].positions if i in maps else fixed[i] for i in range(len(graphs))]
                held = [one.held(epoch, places, strength, mutual=moving is None) for one in maps.values()]
                for one, positions in zip(maps.values(), held, strict=True):
                    one.positions = positions
    return [maps[i].positions if i in maps else fixed[i] for i in range(len(graphs))]
