from itertools import combinations, permutations

import numpy as np
import pytest
import torch

from holonomy.manifolds import SPD, AffineInvariant, Euclidean, Hyperboloid, Sphere
from holonomy.stats import span_distance
from holonomy.stats._linear_spans import linear_spans
from holonomy.stats._reference_search import ReferenceSearch, nested_order
from holonomy.stats._span_costs import LinearCosts, SolvedCosts

F64 = torch.float64


def costs(space, spread, n, p, seed=0):
    x = space.random_normal(n, std=spread, random_state=seed, dtype=F64)
    spans = linear_spans(space)
    return x, LinearCosts(spans, spans.vectors(x), p)


@pytest.mark.parametrize("space", [Sphere(4), Hyperboloid(3), Euclidean(4)], ids=str)
@pytest.mark.parametrize("p", [1.0, 2.0])
def test_costs_are_sums_of_powers_of_distances(space, p):
    x, cost = costs(space, 0.7, 12, p)
    for chosen in ([], [3], [3, 7]):
        candidates = torch.tensor([i for i in range(12) if i not in chosen])
        found = cost.extended(chosen, candidates)
        expected = [float(span_distance(x, x[[*chosen, int(c)]], space).pow(p).sum()) for c in candidates]
        assert found.numpy() == pytest.approx(expected, rel=1e-7)


def test_a_candidate_in_the_span_adds_nothing():
    _, cost = costs(Sphere(4), 0.7, 12, 2.0)
    alone = cost.extended([1, 2], torch.tensor([2]))
    assert float(alone) == pytest.approx(float(cost.extended([1], torch.tensor([2]))), rel=1e-9)


def test_solved_costs_agree_with_closed_ones():
    space = Sphere(3)
    x, cost = costs(space, 0.4, 8, 2.0)
    candidates = torch.tensor([0, 5])
    found = SolvedCosts(space, x, 2.0).extended([2], candidates)
    assert found.numpy() == pytest.approx(cost.extended([2], candidates).numpy(), rel=1e-5)
    with_more = SolvedCosts(space, x, 2.0).beside(x[:1])
    assert float(with_more.extended([2], torch.tensor([8]))) == pytest.approx(float(found[0]), rel=1e-9)


@pytest.mark.parametrize("nested", [True, False])
def test_exhaustive_search_finds_the_best_of_all(nested):
    _, cost = costs(Sphere(4), 0.8, 9, 2.0)
    search = ReferenceSearch(cost, 3, nested)
    choices = permutations(range(9), 3) if nested else combinations(range(9), 3)
    found = search.exhaustive()
    assert search.objective(found.indices) == pytest.approx(min(map(search.objective, choices)), rel=1e-12)
    assert found.objectives == pytest.approx([search.objective(found.indices)])
    assert search.count() == (504 if nested else 84)


@pytest.mark.parametrize("nested", [True, False])
def test_exchanges_end_where_none_helps_and_mostly_at_the_best(nested):
    _, cost = costs(Hyperboloid(4), 1.0, 14, 2.0)
    search = ReferenceSearch(cost, 3, nested)
    best = search.objective(search.exhaustive().indices)
    found = search.exchange(10, np.random.default_rng(0))
    value = search.objective(found.indices)
    assert value == pytest.approx(min(found.objectives))
    assert value <= 1.001 * best
    for place in range(3):
        for other in set(range(14)) - set(found.indices):
            changed = [*found.indices]
            changed[place] = other
            assert search.objective(changed) >= value - 1e-9


def test_a_screen_leaves_the_choice_to_the_dear_costs():
    space = SPD(2, metric=AffineInvariant())
    x = space.random_normal(5, std=0.3, random_state=0, dtype=F64)
    flat = space.log(x[0], x).flatten(1)
    spans = linear_spans(Euclidean(4))
    screen = ReferenceSearch(LinearCosts(spans, flat, 2.0), 2, False)
    search = ReferenceSearch(SolvedCosts(space, x, 2.0), 2, False, screen)
    found = search.exchange(3, np.random.default_rng(0))
    assert len(found.objectives) <= 2
    assert search.objective(found.indices) <= 1.2 * search.objective(search.exhaustive().indices)


def test_the_backward_order_drops_what_costs_least():
    _, cost = costs(Euclidean(4), 1.0, 10, 2.0)
    search = ReferenceSearch(cost, 3, False)
    order = nested_order([1, 4, 6], search.plain)
    pairs = {pair: search.plain(pair) for pair in combinations([1, 4, 6], 2)}
    assert set(order[:2]) == set(min(pairs, key=pairs.get))
    singles = {i: search.plain([i]) for i in order[:2]}
    assert order[0] == min(singles, key=singles.get)
