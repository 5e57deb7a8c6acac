"""Scaling pair by pair: as good as majorisation, every pair once a sweep, the same for any threads."""

import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.distance import cdist, pdist
from sklearn.datasets import load_digits

from holonomy._core.parallel import threads
from holonomy.embed import metric_mds, stochastic_mds
from holonomy.embed.stochastic_scaling import _pairs_of


@pytest.fixture(scope="module")
def digits():
    return load_digits().data[:250]


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_rounds_are_matchings_and_meet_all_pairs_once(n):
    met = np.zeros((n, n), dtype=int)
    for shift in range(n):
        i, j = _pairs_of(shift, n)
        assert len(np.unique(np.concatenate([i, j]))) == 2 * len(i)
        assert (i < j).all()
        assert ((i + j) % n == shift).all()
        met[i, j] += 1
    np.testing.assert_array_equal(met, np.triu(np.ones((n, n)), 1))


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_stress_is_as_low_as_by_majorisation(digits, power):
    D = cdist(digits, digits)
    W = np.where(D > 0, np.maximum(D, 1e-3 * D.max()), np.inf) ** -power if power else None
    ours = stochastic_mds(D, weight_power=power)
    theirs = metric_mds(D, weights=W, max_iter=300, tol=1e-6)
    assert ours.stress <= theirs.stress * 1.005
    weights = np.ones_like(D) if W is None else W
    exact = np.sqrt(np.sum(weights * (D - cdist(ours.embedding, ours.embedding)) ** 2) / np.sum(weights * D**2))
    assert ours.stress == pytest.approx(exact, rel=0.01)


def test_given_weights_are_those_of_the_power(digits):
    D = cdist(digits, digits)
    W = np.where(D > 0, D, np.inf) ** -2.0
    weighted, powered = stochastic_mds(D, weights=W), stochastic_mds(D, weight_power=2.0)
    assert weighted.stress == pytest.approx(powered.stress, rel=0.02)


def test_vectors_are_as_their_distances():
    X = np.random.default_rng(0).normal(size=(300, 4)) * [5, 4, 1, 1]
    vectors = stochastic_mds(X, metric="euclidean")
    given = stochastic_mds(cdist(X, X))
    assert procrustes(vectors.embedding, given.embedding)[2] < 1e-3


@pytest.mark.parametrize("init", ["classical", "random"])
def test_points_of_the_plane_are_recovered(init):
    X = np.random.default_rng(0).normal(size=(300, 2))
    for found in (stochastic_mds(X, metric="euclidean", init=init), stochastic_mds(cdist(X, X), init=init)):
        assert procrustes(X, found.embedding)[2] < 1e-4


def test_best_of_several_starts_is_kept_and_lies_as_the_first():
    line = np.arange(30.0)[:, None]
    tangled = np.random.default_rng(0).permutation(line)
    first = stochastic_mds(cdist(line, line), 1, init=tangled)
    best = stochastic_mds(cdist(line, line), 1, init=tangled, n_init=8)
    assert best.stress < 0.8 * first.stress
    assert np.sum(best.embedding * first.embedding) > 0
    X = np.random.default_rng(0).normal(size=(300, 2))
    for found in (stochastic_mds(cdist(X, X), n_init=3), stochastic_mds(X, metric="euclidean", n_init=3)):
        lying = stochastic_mds(cdist(X, X)).embedding
        np.testing.assert_allclose(found.embedding, lying, atol=1e-2)


def test_few_rounds_of_many_points_suffice():
    X = np.random.default_rng(0).normal(size=(20_000, 5)) * [5, 4, 1, 1, 1]
    found = stochastic_mds(X, metric="euclidean", n_rounds=300, random_state=1)
    part = np.random.default_rng(0).choice(20_000, 500, replace=False)
    assert found.stress <= 1.01 * metric_mds(cdist(X[part], X[part])).stress


def test_same_bits_for_any_number_of_threads(digits):
    X = np.random.default_rng(0).normal(size=(40_000, 5))
    for call in (
        lambda: stochastic_mds(X, metric="euclidean", n_rounds=20, random_state=3).embedding,
        lambda: stochastic_mds(cdist(digits, digits), n_rounds=700).embedding,
    ):
        with threads(1):
            alone = call()
        with threads(2):
            shared = call()
        np.testing.assert_array_equal(alone, shared)


def test_coinciding_points_come_apart():
    D = np.ones((5, 5)) - np.eye(5)
    found = stochastic_mds(D, 4, init=np.zeros((5, 4)))
    assert pdist(found.embedding).min() > 0.5
    assert found.stress < 0.25


@pytest.mark.parametrize("X", [np.zeros((1, 1)), np.zeros((6, 6))])
def test_degenerate_distances_give_one_place(X):
    assert np.abs(stochastic_mds(X).embedding).max() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "cosine"}, "metric must be one of"),
        ({"weight_power": -1.0}, "weight_power must be"),
        ({"n_rounds": 0}, "n_rounds must be"),
        ({"n_init": 0}, "n_init must be"),
        ({"init": "best"}, "init must be"),
        ({"metric": "euclidean", "weights": np.ones((3, 3))}, "weights need a matrix"),
        ({"metric": "euclidean", "init": "best"}, "init must be"),
        ({"metric": "euclidean", "init": np.zeros((1, 2))}, "init must have shape"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        stochastic_mds(np.ones((3, 3)) - np.eye(3), **options)
