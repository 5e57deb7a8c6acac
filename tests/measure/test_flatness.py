"""Flat or curved: the comparison with flat clouds."""

import numpy as np
import pytest
from sklearn.datasets import make_s_curve, make_swiss_roll

from holonomy.measure import effective_rank
from holonomy.measure._flatness import compare_with_flat

RNG = np.random.default_rng(0)


def compare(X, seed=1):
    return compare_with_flat(X, effective_rank(X), seed)


def sphere(n, d):
    X = RNG.normal(size=(n, d + 1))
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def circle(n):
    t = RNG.uniform(0, 2 * np.pi, n)
    return np.c_[np.cos(t), np.sin(t)]


CURVED = {
    "swiss roll": make_swiss_roll(1000, random_state=0)[0],
    "swiss roll with noise": make_swiss_roll(1000, noise=0.5, random_state=0)[0],
    "s-curve": make_s_curve(300, random_state=0)[0],
    "circle": circle(200),
    "circle with noise": circle(1500) + 0.02 * RNG.normal(size=(1500, 2)),
    "sphere": sphere(1000, 2),
    "sphere with noise in 20 dimensions": sphere(1500, 2) @ np.eye(3, 20) + 0.02 * RNG.normal(size=(1500, 20)),
    "sphere of 4 dimensions": sphere(1500, 4),
    "cross": np.r_[np.c_[RNG.uniform(-1, 1, 300), np.zeros(300)], np.c_[np.zeros(300), RNG.uniform(-1, 1, 300)]],
}
FLAT = {
    "line": np.outer(RNG.random(300), [1.0, 2, 3]),
    "square": RNG.random((600, 2)),
    "disc": circle(600) * np.sqrt(RNG.random((600, 1))),
    "triangle": RNG.dirichlet(np.ones(3), 600),
    "cube": RNG.random((600, 5)),
    "Gaussian": RNG.normal(size=(600, 10)),
    "heavy tails": RNG.standard_t(3, size=(600, 4)),
    "skewed": RNG.exponential(size=(600, 3)),
    "thin": RNG.normal(size=(600, 3)) * [5, 2, 1],
    "subspace with noise": RNG.normal(size=(600, 5)) @ np.eye(5, 50) + 0.1 * RNG.normal(size=(600, 50)),
}


@pytest.mark.parametrize("name", CURVED)
def test_curved(name):
    assert compare(CURVED[name]).verdict == "curved"


@pytest.mark.parametrize("name", FLAT)
def test_flat(name):
    assert compare(FLAT[name]).verdict == "flat"


def test_far_clumps():
    X = RNG.normal(size=(600, 5))
    X[:, 0] += np.repeat([0, 300, 900], 200)
    assert compare(X).verdict == "clumped"


def test_more_directions_than_points_are_unclear():
    assert compare(RNG.normal(size=(80, 300))).verdict == "unclear"


def test_what_is_lower_but_not_surely_is_unclear():
    verdicts = {compare(sphere(60, 3), seed).verdict for seed in range(6)}
    assert "unclear" in verdicts


def test_too_few_points_or_places():
    assert compare(RNG.normal(size=(50, 3))) is None
    assert compare(np.ones((100, 2))) is None
    assert compare(np.repeat([[0.0, 0], [1, 0], [0, 1]], 40, axis=0)) is None


def test_the_same_seed_gives_the_same_comparison():
    X = FLAT["disc"]
    assert compare(X, 3) == compare(X, 3)
    assert compare(X, 3) != compare(X, 4)


def test_the_view_from_afar_looks_past_noise():
    found = compare(CURVED["circle with noise"])
    assert found.coarse == pytest.approx(1.3, abs=0.2)
    assert found.measured > found.coarse
