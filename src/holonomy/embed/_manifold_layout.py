"""The layout on a manifold: edges, draws and forces of flat space, along geodesics.

The cross-entropy is that of distances d on the manifold, whose gradient points along the logarithm: an edge pulls by
``2ab d^(2b-1) / (1 + a d^(2b))`` towards its other end, a drawn point pushes by ``2b / d / (1 + a d^(2b))`` away. Every
point gathers its own forces in its tangent space from the previous state of all others, and follows their sum along a
geodesic. All runs in one thread: the operations are many and short, and the result depends on no number of threads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from holonomy._core.progress import track
from holonomy._core.random import RandomState
from holonomy._core.training.randomness import torch_threads
from holonomy.embed._layout_kernels import GROUP
from holonomy.embed._torch_layout import GOLDEN, LOW, Group, edge_groups, scrambled
from holonomy.embed.layout import Edges, LayoutOptions, placement_rounds, prepared

if TYPE_CHECKING:
    from holonomy.manifolds import Manifold

ROWS = 4096
"""Rows that are computed together, which bounds memory."""

STRONGEST = 4.0
"""Largest length of a force."""

LONGEST_STEP = 2.0
"""Longest move at once; and never beyond half of where geodesics cease to be the shortest."""

FULL = 64
"""Points and pairs are filled up to a multiple of this before a verb sees them: compiled loops treat a rest that does
not fill their vectors otherwise, and a row's bits would depend on its company."""

NEAR = 1e-12
"""Smallest squared distance that forces are divided by."""


@dataclass(frozen=True)
class Block:
    """Rows of a layout that are computed together: their edges by round and group, and the seeds of their draws."""

    rows: slice
    rounds: list[list[Group]]
    keys: Tensor


def manifold_layout(
    manifold: "Manifold",
    graph: sparse.csr_array,
    start: Tensor,
    options: LayoutOptions,
    *,
    random_state: RandomState = None,
    kept: Sequence[int] = (),
) -> tuple[Tensor, dict[int, Tensor]]:
    """Move points (n, *shape) of a manifold so that their memberships agree with those of a symmetric fuzzy graph.

    ``graph``, ``options`` and ``random_state`` as in `optimize_layout`; ``kept`` says after how many epochs the map is
    kept. Returns the points, and those on the way by number of epochs.
    """
    _, rounds, keys = prepared(graph, start.flatten(1).numpy(), options, random_state)
    return _descend(manifold, start, None, rounds, keys, options, kept)


def manifold_placement(
    manifold: "Manifold",
    memberships: sparse.csr_array,
    start: Tensor,
    reference: Tensor,
    options: LayoutOptions,
    keys: np.ndarray,
) -> Tensor:
    """Place new points (m, *shape) among fixed ones (n, *shape), each by itself; see `place_points`."""
    rounds = placement_rounds(memberships, options)
    return _descend(manifold, start, reference, rounds, keys, options)[0]


def longest_step(manifold: "Manifold") -> float:
    """Return how far a point moves at most at once."""
    return min(LONGEST_STEP, injectivity(manifold) / 2)


def injectivity(manifold: "Manifold") -> float:
    """Return the injectivity radius; infinity where a manifold does not know it."""
    try:
        return manifold.injectivity_radius
    except NotImplementedError:
        return float("inf")


def _descend(
    manifold: "Manifold",
    start: Tensor,
    reference: Tensor | None,
    rounds: list[Edges],
    seeds: np.ndarray,
    options: LayoutOptions,
    kept: Sequence[int] = (),
) -> tuple[Tensor, dict[int, Tensor]]:
    """Run all epochs among a fixed reference, or among the points themselves where it is None."""
    now, then = start.clone(), torch.empty_like(start)
    blocks = _blocks(rounds, torch.from_numpy(seeds.astype(np.int64)))
    sampled = torch.zeros(len(now), dtype=torch.int64)
    mover = _Mover(manifold, options, longest_step(manifold), is_moving=reference is None)
    maps: dict[int, Tensor] = {}
    with torch.no_grad(), torch_threads(1):
        for epoch in track(range(options.n_epochs), "Laying out"):
            step = options.learning_rate * (1 - epoch / options.n_epochs)
            sampled.zero_()
            for part in range(len(rounds)):
                targets = now if reference is None else reference
                # Every edge between moving points is stored, and therefore sampled, from either end.
                pull = 2 * step if reference is None else step
                for block in blocks:
                    own = (now[block.rows], sampled[block.rows])
                    then[block.rows] = mover.pulled(*own, block.rounds[part], targets, epoch, pull)
                now, then = then, now
            targets = now if reference is None else reference
            for block in blocks:
                own = (now[block.rows], sampled[block.rows])
                then[block.rows] = manifold.project(mover.pushed(*own, block, targets, epoch, step))
            now, then = then, now
            if epoch + 1 in kept:
                maps[epoch + 1] = now.clone()
    return now, maps


def _blocks(rounds: list[Edges], keys: Tensor) -> list[Block]:
    blocks = []
    for start in range(0, len(keys), ROWS):
        stop = min(start + ROWS, len(keys))
        parts = []
        for indptr, indices, rates in rounds:
            first, last = indptr[start], indptr[stop]
            own = (indptr[start : stop + 1] - first, indices[first:last], rates[first:last])
            parts.append(edge_groups(own, torch.device("cpu")))
        blocks.append(Block(slice(start, stop), parts, keys[start:stop]))
    return blocks


@dataclass(frozen=True)
class _Mover:
    """The steps of a layout: from places of some rows to those after a round, seen from the state before it."""

    manifold: "Manifold"
    options: LayoutOptions
    longest: float
    is_moving: bool

    def pulled(
        self, there: Tensor, sampled: Tensor, groups: list[Group], targets: Tensor, epoch: int, step: float
    ) -> Tensor:
        """Move points towards the other ends of their sampled edges; add the number of these to ``sampled``."""
        a, b = self.options.a, self.options.b

        def force(squared: Tensor) -> Tensor:
            absent = a * squared**b
            return 2 * b * absent / ((1 + absent) * squared)

        for group in groups:
            is_sampled = (group.rates * (epoch + 1)) & LOW < group.rates
            heads, tails = group.heads[is_sampled], group.tails[is_sampled]
            counts = torch.bincount(heads, minlength=len(there))
            sampled += counts
            there = self._followed(there, heads, counts, targets, tails, force, step)
        return there

    def pushed(self, there: Tensor, sampled: Tensor, block: Block, targets: Tensor, epoch: int, step: float) -> Tensor:
        """Move points away from random others, as many for each of their sampled edges as the options say."""
        counts = sampled * self.options.negative_sample_rate
        mixed = scrambled((block.keys + GOLDEN * epoch) & LOW)
        a, b, weight = self.options.a, self.options.b, self.options.repulsion_strength

        def force(squared: Tensor) -> Tensor:
            return -2 * weight * b / ((0.001 + squared) * (1 + a * squared**b))

        for first in range(0, int(counts.max()), GROUP):
            drawn = (counts - first).clamp(0, GROUP)
            heads = torch.repeat_interleave(torch.arange(len(there)), drawn)
            numbers = torch.arange(len(heads)) - (drawn.cumsum(0) - drawn)[heads] + first
            hashed = scrambled((mixed[heads] + numbers * GOLDEN) & LOW)
            others = (hashed * (len(targets) - self.is_moving)) >> 32
            if self.is_moving:
                others += others >= heads + block.rows.start
            there = self._followed(there, heads, drawn, targets, others, force, step)
        return there

    def _followed(
        self,
        there: Tensor,
        heads: Tensor,
        counts: Tensor,
        targets: Tensor,
        tails: Tensor,
        force: Callable[[Tensor], Tensor],
        step: float,
    ) -> Tensor:
        """Return points after they have followed the sum of their forces: from ``heads``, sorted, along ``tails``."""
        if not len(heads):
            return there
        origins = there.index_select(0, filled_up(heads))
        towards = self.manifold.log(origins, targets.index_select(0, filled_up(tails)))
        squared = self.manifold.inner(origins, towards, towards).clamp(min=NEAR)
        size = force(squared)
        size = size.sign() * torch.minimum(size.abs(), STRONGEST / squared.sqrt())
        moves = size[:, None] * towards.flatten(1)
        rows = torch.nonzero(counts)[:, 0]
        total = step * torch.segment_reduce(moves[: len(heads)], "sum", lengths=counts[rows], unsafe=True)
        velocity = total[filled_up(torch.arange(len(rows)))].unflatten(1, there.shape[1:])
        places = there[filled_up(rows)]
        length = self.manifold.norm(places, velocity)
        velocity = velocity * (self.longest / length.clamp(min=self.longest)).reshape(-1, *[1] * (there.ndim - 1))
        moved = there.clone()
        moved[rows] = self.manifold.exp(places, velocity)[: len(rows)]
        return moved


def filled_up(indices: Tensor) -> Tensor:
    """Return indices with the last repeated up to a multiple of `FULL`."""
    missing = -len(indices) % FULL if len(indices) else 0
    return torch.cat([indices, indices[-1:].expand(missing)]) if missing else indices
