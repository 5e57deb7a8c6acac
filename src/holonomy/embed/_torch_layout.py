"""The layout on a torch device: the compiled one in whole tensors, with the same edges, draws and forces.

Every point gathers its own forces from the previous state of all others, as in `_layout_kernels`: nothing is added to a
place that another thread writes, and sums run over fixed stretches in a fixed order. Random numbers are the same
function of (seed, epoch, point, draw), so that maps differ from those of the compiled code only by rounding, which the
many steps of a layout make visible.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from holonomy._core.progress import track
from holonomy._core.random import RandomState
from holonomy.embed._layout_kernels import GROUP
from holonomy.embed.layout import Edges, LayoutOptions, prepared

ENTRIES = 2**22
"""Numbers of a block of pushes: bounds memory, and is enough to keep a device busy."""

LOW = 0xFFFFFFFF
"""Bits of a 32-bit number, which tensors of 64-bit integers hold here."""

GOLDEN = 0x9E3779B9 - 2**32
MIXERS = (0x7FEB352D, 0x846CA68B - 2**32)
"""Factors of `scramble`, modulo 2**32, of a size with which products stay within 63 bits."""


@dataclass(frozen=True)
class Group:
    """Edges that pull their points at one position: at most ``GROUP`` of each of ``rows``, one point after another."""

    rows: Tensor
    heads: Tensor
    tails: Tensor
    rates: Tensor
    offsets: Tensor


def torch_layout(
    graph: sparse.csr_array,
    start: np.ndarray,
    options: LayoutOptions,
    *,
    device: torch.device,
    random_state: RandomState = None,
    kept: Sequence[int] = (),
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Move points on a torch device so that their memberships agree with those of a symmetric fuzzy graph.

    One seed gives the same bits on the same device, on the CPU with the same number of threads; not those of
    `optimize_layout`, nor of another kind of device, which round differently.

    Parameters
    ----------
    graph, start, options, random_state
        See `optimize_layout`.
    device : torch.device
        Where to compute.
    kept : sequence of int, optional
        After how many epochs the map is kept.

    Returns
    -------
    (ndarray, dict of int to ndarray)
        The map, float32 of shape (n, dim), and those on the way by number of epochs.

    Raises
    ------
    ValueError
        If the shapes do not fit or the start is not finite.
    """
    points, rounds, seeds = prepared(graph, start, options, random_state)
    with torch.inference_mode():
        groups = [edge_groups(edges, device) for edges in rounds]
        keys = torch.from_numpy(seeds.astype(np.int64)).to(device)
        now = torch.from_numpy(np.array(points, dtype=np.float32, order="C")).to(device)
        maps: dict[int, np.ndarray] = {}
        for epoch in track(range(options.n_epochs), "Laying out"):
            step = options.learning_rate * (1 - epoch / options.n_epochs)
            sampled = torch.zeros(len(now), dtype=torch.int64, device=device)
            for part in groups:
                # Every edge is stored, and therefore sampled, from either end.
                now = _pulled(now, part, sampled, epoch, 2 * step, options)
            now = _pushed(now, sampled * options.negative_sample_rate, keys, epoch, step, options)
            if epoch + 1 in kept:
                maps[epoch + 1] = now.cpu().numpy()
        return now.cpu().numpy(), maps


def edge_groups(edges: Edges, device: torch.device) -> list[Group]:
    """Cut the edges of every point into groups that pull one after another."""
    indptr, indices, rates = edges
    degrees = np.diff(indptr)
    groups = []
    for first in range(0, int(degrees.max(initial=0)), GROUP):
        rows = np.flatnonzero(degrees > first)
        counts = np.minimum(degrees[rows] - first, GROUP).astype(np.int64)
        offsets = np.concatenate([[0], np.cumsum(counts)])
        places = np.repeat(indptr[rows] + first - offsets[:-1], counts) + np.arange(offsets[-1])
        arrays: tuple[Any, ...] = (
            rows.astype(np.int64),
            np.repeat(rows, counts).astype(np.int32),
            indices[places].astype(np.int32),
            rates[places].astype(np.int64),
            offsets,
        )
        groups.append(Group(*(torch.from_numpy(array).to(device) for array in arrays)))
    return groups


def _pulled(
    now: Tensor, groups: list[Group], sampled: Tensor, epoch: int, step: float, options: LayoutOptions
) -> Tensor:
    """Return all points after a round of pulls; count the sampled edges of each."""
    there, a, b = now.clone(), options.a, options.b
    for group in groups:
        is_sampled = (group.rates * (epoch + 1)) & LOW < group.rates
        # The first group finds every point where it was, later ones where the groups before have moved it.
        difference = there.index_select(0, group.heads) - now.index_select(0, group.tails)
        squared = difference.square().sum(dim=1) + 1e-12
        power = squared**b
        force = torch.where(is_sampled, -2 * a * b * power / (squared * (a * power + 1)), 0.0)
        moves = (force[:, None] * difference).clamp_(-4, 4)
        there[group.rows] += step * torch.segment_reduce(moves, "sum", offsets=group.offsets, unsafe=True)
        before = torch.nn.functional.pad(is_sampled.cumsum(0), (1, 0))
        sampled[group.rows] += before[group.offsets].diff()
    return there


def _pushed(now: Tensor, counts: Tensor, keys: Tensor, epoch: int, step: float, options: LayoutOptions) -> Tensor:
    """Return all points after they were pushed off random others, as many as ``counts`` (n,) says of each."""
    there, most = now.clone(), int(counts.max())
    mixed = scrambled((keys + GOLDEN * epoch) & LOW)
    for first in range(0, most, GROUP):
        numbers = torch.arange(first, min(first + GROUP, most), device=now.device)
        for rows in torch.nonzero(counts > first)[:, 0].split(max(1, ENTRIES // (GROUP * now.shape[1]))):
            drawn = scrambled((mixed[rows, None] + numbers * GOLDEN) & LOW)
            others = (drawn * (len(now) - 1)) >> 32
            others += others >= rows[:, None]
            difference = there[rows, None] - now[others]
            squared = difference.square().sum(dim=2)
            curve = options.a * squared.clamp(min=1e-12) ** options.b + 1
            force = 2 * options.repulsion_strength * options.b / ((0.001 + squared) * curve)
            force = torch.where(numbers < counts[rows, None], force, 0.0)
            there[rows] += step * (force[..., None] * difference).clamp_(-4, 4).sum(dim=1)
    return there


def scrambled(numbers: Tensor) -> Tensor:
    """Mix the bits of 32-bit numbers, as `_layout_kernels.scramble`."""
    h = numbers ^ (numbers >> 16)
    h = (h * MIXERS[0]) & LOW
    h ^= h >> 15
    h = (h * MIXERS[1]) & LOW
    return h ^ (h >> 16)
