"""Gromov's delta."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import shortest_path
from scipy.spatial.distance import cdist

from holonomy.graphs import neighbors
from holonomy.measure import delta_hyperbolicity
from holonomy.measure.hyperbolicity import largest_delta


def four_point(D):
    """Delta by its definition, over all quadruples."""
    best = 0.0
    for a, b, c, d in itertools.combinations(range(len(D)), 4):
        sums = sorted([D[a, b] + D[c, d], D[a, c] + D[b, d], D[a, d] + D[b, c]])
        best = max(best, (sums[2] - sums[1]) / 2)
    return best


def tree_distances(n, seed):
    rng = np.random.default_rng(seed)
    lengths = np.zeros((n, n))
    for child in range(1, n):
        lengths[child, rng.integers(child)] = 0.1 + rng.random()
    return shortest_path(lengths, directed=False)


@settings(max_examples=30, deadline=None)
@given(st.integers(4, 14), st.integers(1, 4), st.integers(0, 10**6))
def test_equals_brute_force(n, d, seed):
    D = cdist(*(2 * [np.random.default_rng(seed).normal(size=(n, d))]))
    assert largest_delta(D) == pytest.approx(four_point(D), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_trees_have_none(seed):
    found = delta_hyperbolicity(tree_distances(60, seed), metric="precomputed")
    assert found.delta == pytest.approx(0, abs=1e-12)
    assert found.is_exact
    assert float(found.mean_relative) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("n", [8, 40])
def test_cycles(n):
    """A cycle of 4 m points has delta m and diameter 2 m."""
    steps = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    found = delta_hyperbolicity(np.minimum(steps, n - steps).astype(float), metric="precomputed")
    assert (found.delta, found.diameter, float(found.relative)) == (n / 4, n / 2, 1.0)


def test_the_hyperbolic_plane_is_bounded():
    """Delta of the hyperbolic plane is log 2 by four points, however far the points are apart."""
    rng = np.random.default_rng(0)
    r, t = 8 * np.sqrt(rng.random(120)), rng.uniform(0, 2 * np.pi, 120)
    angle = t[:, None] - t[None, :]
    cosh = np.cosh(r[:, None]) * np.cosh(r) - np.sinh(r[:, None]) * np.sinh(r) * np.cos(angle)
    D = np.arccosh(np.maximum(cosh, 1))
    np.fill_diagonal(D, 0)
    assert 0.4 < largest_delta(D) <= np.log(2) + 1e-6


def test_geodesics_tell_a_tree_that_lies_in_a_plane():
    rng = np.random.default_rng(0)
    arms = np.repeat(np.arange(5), 80)
    along = rng.random(400)[:, None]
    X = along * np.c_[np.cos(2 * np.pi * arms / 5), np.sin(2 * np.pi * arms / 5)]
    straight, along_graph = delta_hyperbolicity(X), delta_hyperbolicity(neighbors(X, 10))
    assert float(along_graph.relative) < 0.08
    assert float(straight.relative) > 0.2
    assert not straight.is_exact
    assert straight.n_used == 100


def test_samples_stay_below_the_whole_and_close_to_it():
    X = np.random.default_rng(0).normal(size=(200, 2))
    whole = delta_hyperbolicity(X)
    part = delta_hyperbolicity(X, exact_up_to=100, sample_size=80)
    assert part.delta <= whole.delta
    assert part.relative.low <= part.relative.value <= part.relative.high
    assert float(part.relative) == pytest.approx(float(whole.relative), abs=0.08)
    assert float(part.mean_relative) == pytest.approx(float(whole.mean_relative), abs=0.02)


def test_only_the_largest_part_of_a_graph_counts():
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(size=(60, 2)), rng.normal(size=(30, 2)) + 1000]
    found = delta_hyperbolicity(neighbors(X, 8))
    assert found.n_used == 60
    assert np.isfinite(found.diameter)


def test_scale_and_order_change_nothing_but_units():
    X = np.random.default_rng(0).normal(size=(40, 3))
    one, other = delta_hyperbolicity(X), delta_hyperbolicity(10 * X[::-1])
    assert other.delta == pytest.approx(10 * one.delta)
    assert other.relative.value == pytest.approx(one.relative.value)


def test_it_shows_itself():
    found = delta_hyperbolicity(np.random.default_rng(0).normal(size=(30, 2)))
    assert "2 delta / diameter" in found._repr_html_()
    assert found.__rich__().row_count == 5
    assert float(found) == found.delta


@pytest.mark.parametrize(
    ("X", "arguments", "message"),
    [
        (np.full((5, 2), np.nan), {}, "X contains NaN"),
        (np.eye(3), {}, "at least 4 points"),
        (np.ones((10, 2)), {}, "all equal"),
        (np.arange(16.0).reshape(4, 4), {"metric": "precomputed"}, "symmetric"),
        (np.eye(10), {"sample_size": 3}, "sample_size must be at least 4"),
        (np.eye(10), {"exact_up_to": 2}, "exact_up_to must be at least 4"),
    ],
)
def test_bad_input(X, arguments, message):
    with pytest.raises(ValueError, match=message):
        delta_hyperbolicity(X, **arguments)
