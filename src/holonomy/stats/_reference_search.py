"""Search for reference points among the data: exhaustive where that is short, else exchanges from several starts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, perm

import numpy as np
import torch
from torch import Tensor

from holonomy.stats._span_costs import SpanCosts

_IMPROVEMENT = 1e-12
_MOST_SWEEPS = 100
_DEAR_STARTS = 2
"""Results of a search with cheap costs that one with dear costs goes on from."""
_SCREENED = 3
"""Candidates for a place that dear costs are worked out for."""


@dataclass(frozen=True)
class Found:
    """Reference points, in the order of the flag they make, and what the search came to.

    Attributes
    ----------
    indices : tuple of int
        Numbers of the points, the best first.
    objectives : tuple of float
        What each start came to, the best of them being that of ``indices``.
    others : tuple of tuple of int
        The distinct results of all starts, the best first.
    search : str
        "exhaustive", "exchange" or "greedy".
    """

    indices: tuple[int, ...]
    objectives: tuple[float, ...]
    others: tuple[tuple[int, ...], ...]
    search: str


class ReferenceSearch:
    """Searches for m data points whose spans cost least.

    Parameters
    ----------
    costs : SpanCosts
        Costs of spans.
    m : int
        Number of reference points.
    nested : bool
        Whether the objective is the sum over the flag of all prefixes instead of the cost of the whole span.
    screen : ReferenceSearch, optional
        The same search with cheap costs, which sorts out all but a few candidates for a place.
    """

    def __init__(self, costs: SpanCosts, m: int, nested: bool, screen: "ReferenceSearch | None" = None) -> None:
        self.costs, self.m, self.nested, self.screen = costs, m, nested, screen
        self.everything = torch.arange(costs.n)

    def levels(self, indices: Sequence[int]) -> list[float]:
        """Return the costs of the spans of all prefixes."""
        return [self._one(indices[:i], indices[i]) for i in range(len(indices))]

    def objective(self, indices: Sequence[int]) -> float:
        """Return what the search minimises."""
        return sum(self.levels(indices)) if self.nested else self.plain(indices)

    def plain(self, indices: Sequence[int]) -> float:
        """Return the cost of the span of points."""
        return self._one(indices[:-1], indices[-1])

    def _one(self, chosen: Sequence[int], last: int) -> float:
        return float(self.costs.extended(chosen, torch.tensor([last]))[0])

    def count(self) -> int:
        """Return how many choices an exhaustive search compares."""
        return perm(self.costs.n, self.m) if self.nested else comb(self.costs.n, self.m)

    def greedy(self) -> tuple[int, ...]:
        """Return points added one by one, each where the enlarged span costs least."""
        chosen: list[int] = []
        for _ in range(self.m):
            chosen.append(self.best_addition(chosen))
        return tuple(chosen)

    def best_addition(self, chosen: Sequence[int]) -> int:
        """Return the point whose addition to chosen ones gives the cheapest span."""
        candidates = self._candidates(chosen)
        if self.screen is not None and chosen:
            candidates = _cheapest(candidates, self.screen.costs.extended(chosen, candidates))
        return int(candidates[self.costs.extended(chosen, candidates).argmin()])

    def exhaustive(self) -> Found:
        """Compare all choices; parts of a flag that already cost more than the best are left out."""
        best, value = self.greedy(), torch.inf
        value = self.objective(best)
        if self.nested:
            best, value = self._deepen((), 0.0, best, value)
        else:
            for chosen in combinations(range(self.costs.n), self.m - 1):
                candidates = self.everything[chosen[-1] + 1 if chosen else 0 :]
                if len(candidates):
                    best, value = self._last(chosen, 0.0, candidates, best, value)
        return Found(best, (value,), (best,), "exhaustive")

    def _last(
        self, chosen: tuple[int, ...], spent: float, candidates: Tensor, best: tuple[int, ...], value: float
    ) -> tuple[tuple[int, ...], float]:
        totals = spent + self.costs.extended(chosen, candidates)
        i = int(totals.argmin())
        if float(totals[i]) < value:
            return (*chosen, int(candidates[i])), float(totals[i])
        return best, value

    def _deepen(
        self, chosen: tuple[int, ...], spent: float, best: tuple[int, ...], value: float
    ) -> tuple[tuple[int, ...], float]:
        candidates = self._candidates(chosen)
        if len(chosen) == self.m - 1:
            return self._last(chosen, spent, candidates, best, value)
        totals = spent + self.costs.extended(chosen, candidates)
        for i in totals.argsort().tolist():
            if float(totals[i]) >= value:
                break
            best, value = self._deepen((*chosen, int(candidates[i])), float(totals[i]), best, value)
        return best, value

    def exchange(self, n_restarts: int, rng: np.random.Generator) -> Found:
        """Improve the greedy choice, and random ones, one point at a time until no exchange helps.

        A flag also starts from the best whole span, ordered backwards.
        With a screen the starts are improved by its cheap costs, and the best results go on by the dear ones.

        Parameters
        ----------
        n_restarts : int
            Number of starts, the greedy one among them.
        rng : Generator
            Draws starts.
        """
        if self.screen is not None:
            starts = list(self.screen.exchange(n_restarts, rng).others[:_DEAR_STARTS])
        else:
            starts = [self._random(rng) if restart else self.greedy() for restart in range(n_restarts)]
            if self.nested:
                whole = ReferenceSearch(self.costs, self.m, False)
                starts.append(nested_order(whole.exchange(n_restarts, rng).indices, whole.plain))
        results: dict[tuple[int, ...], float] = {}
        objectives = []
        for start in starts:
            indices, value = self._improve(start)
            results[indices] = value
            objectives.append(value)
        ranked = sorted(results, key=lambda one: (results[one], one))
        return Found(ranked[0], tuple(objectives), tuple(ranked), "exchange")

    def _random(self, rng: np.random.Generator) -> tuple[int, ...]:
        return tuple(int(i) for i in rng.choice(self.costs.n, self.m, replace=False))

    def _improve(self, start: tuple[int, ...]) -> tuple[tuple[int, ...], float]:
        indices, value = list(start), self.objective(start)
        for _ in range(_MOST_SWEEPS):
            before = value
            for place in range(self.m):
                candidates = self._candidates(indices)
                if self.screen is not None:
                    candidates = _cheapest(candidates, self.screen._exchanged(indices, place, candidates))
                totals = self._exchanged(indices, place, candidates)
                i = int(totals.argmin())
                if float(totals[i]) < value - _IMPROVEMENT * abs(value):
                    indices[place], value = int(candidates[i]), float(totals[i])
            indices, value = self._reorder(indices, value)
            if not value < before - _IMPROVEMENT * abs(before):
                break
        return tuple(indices), value

    def _exchanged(self, indices: list[int], place: int, candidates: Tensor) -> Tensor:
        """Return the objective with each candidate in the place of one point."""
        others = [*indices[:place], *indices[place + 1 :]]
        if not self.nested:
            return self.costs.extended(others, candidates)
        total = torch.zeros(len(candidates), dtype=torch.float64)
        for level in range(self.m):
            if level < place:
                total = total + self._one(indices[:level], indices[level])
            else:
                total = total + self.costs.extended(others[:level], candidates)
        return total

    def _reorder(self, indices: list[int], value: float) -> tuple[list[int], float]:
        """Swap places where the flag gets cheaper."""
        if self.nested:
            for i, j in combinations(range(self.m), 2):
                swapped = list(indices)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                if (new := self.objective(swapped)) < value - _IMPROVEMENT * abs(value):
                    indices, value = swapped, new
        return indices, value

    def _candidates(self, chosen: Sequence[int]) -> Tensor:
        return torch.from_numpy(np.setdiff1d(np.arange(self.costs.n), np.asarray(chosen, dtype=int)))


def _cheapest(candidates: Tensor, costs: Tensor) -> Tensor:
    return candidates[costs.argsort(stable=True)[:_SCREENED]]


def nested_order(references: Sequence[int], cost: Callable[[Sequence[int]], float]) -> tuple[int, ...]:
    """Return points in the order of the flag found backwards: the one whose removal costs least goes last."""
    left, removed = list(references), []
    while len(left) > 1:
        losses = [cost([*left[:i], *left[i + 1 :]]) for i in range(len(left))]
        removed.append(left.pop(int(np.argmin(losses))))
    return (*left, *reversed(removed))
