"""Scaling by majorisation: recovery, monotone stress, weights, order, and its stationary points by calculus."""

import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.manifold import smacof

from holonomy._core.parallel import threads
from holonomy.embed import metric_mds, nonmetric_mds


@pytest.fixture(scope="module")
def distances():
    X = np.random.default_rng(0).normal(size=(60, 4))
    return cdist(X, X)


def raw_stress(Z, D, W=1.0):
    return np.sum(W * (D - cdist(Z, Z)) ** 2) / 2


@pytest.mark.parametrize("method", [metric_mds, nonmetric_mds])
@pytest.mark.parametrize("init", ["classical", "random"])
def test_points_of_the_plane_are_recovered(method, init):
    X = np.random.default_rng(0).normal(size=(50, 2))
    options = {"init": init, "tol": 1e-8, "max_iter": 1000, "random_state": 1}
    assert procrustes(X, method(cdist(X, X), **options).embedding)[2] < 1e-3


@pytest.mark.parametrize("weighted", [False, True])
def test_stress_never_rises_and_ends_where_its_gradient_is_zero(distances, weighted):
    W = np.where(distances > 0, np.maximum(distances, 0.1) ** -1.0, 0.0) if weighted else None
    found = metric_mds(distances, 2, weights=W, tol=1e-11, max_iter=2000)
    assert (np.diff(found.stresses) <= 1e-14).all()
    weights = np.ones_like(distances) if W is None else W
    expected = np.sqrt(raw_stress(found.embedding, distances, weights) / (np.sum(weights * distances**2) / 2))
    assert found.stress == pytest.approx(expected, rel=1e-9)
    gap = cdist(found.embedding, found.embedding) - distances
    length = cdist(found.embedding, found.embedding) + np.eye(60)
    difference = found.embedding[:, None] - found.embedding
    gradient = np.einsum("ij,ijk->ik", weights * gap / length, difference)
    assert np.abs(gradient).max() < 1e-3 * np.abs(weights * gap).sum(axis=1).max()


def test_is_as_good_as_scikit_learn_from_the_same_start(distances):
    start = np.random.default_rng(1).normal(size=(60, 2))
    ours = metric_mds(distances, 2, init=start, tol=0, max_iter=50)
    theirs, _ = smacof(distances, n_components=2, init=start, n_init=1, max_iter=50, eps=0, normalized_stress=False)
    np.testing.assert_allclose(ours.embedding, theirs - theirs.mean(axis=0), atol=1e-8)


def test_uniform_weights_change_nothing(distances):
    plain = metric_mds(distances, 2, tol=0, max_iter=20)
    weighted = metric_mds(distances, 2, weights=np.full_like(distances, 3.0), tol=0, max_iter=20)
    np.testing.assert_allclose(plain.embedding, weighted.embedding, atol=1e-9)
    assert not plain.converged


def test_only_the_order_counts_for_nonmetric_scaling(distances):
    line = nonmetric_mds(distances, 2, init="random", max_iter=100)
    warped = nonmetric_mds(np.expm1(distances), 2, init="random", max_iter=100)
    assert procrustes(line.embedding, warped.embedding)[2] < 1e-6
    order = spearmanr(distances.ravel(), cdist(line.embedding, line.embedding).ravel()).statistic
    assert order >= spearmanr(distances.ravel(), cdist(*[metric_mds(distances).embedding] * 2).ravel()).statistic - 0.01


def test_ties_may_be_broken():
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    ranks = np.where(cdist(square, square) > 1.2, 2.0, np.where(cdist(square, square) > 0, 1.0, 0.0))
    assert nonmetric_mds(ranks, 2, init="random", random_state=2, tol=1e-12).stress < 1e-3


@pytest.mark.parametrize("method", [metric_mds, nonmetric_mds])
def test_motions_and_order_of_points_change_nothing_but_the_order(distances, method):
    order = np.random.default_rng(0).permutation(60)
    plain, permuted = method(distances), method(distances[np.ix_(order, order)])
    np.testing.assert_allclose(
        cdist(plain.embedding, plain.embedding)[np.ix_(order, order)],
        cdist(permuted.embedding, permuted.embedding),
        atol=1e-3,
    )


def test_same_bits_for_any_number_of_threads():
    X = np.random.default_rng(0).normal(size=(400, 4))
    W = np.random.default_rng(1).uniform(0.5, 1, size=(400, 400))
    with threads(1):
        alone = metric_mds(cdist(X, X), weights=W + W.T, max_iter=10).embedding
    with threads(2):
        shared = metric_mds(cdist(X, X), weights=W + W.T, max_iter=10).embedding
    np.testing.assert_array_equal(alone, shared)


def test_equal_points_stay_together():
    assert np.abs(metric_mds(np.zeros((4, 4))).embedding).max() == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": np.eye(3)}, "others are 0"),
        ({"weights": -np.ones((3, 3))}, "at least 0"),
        ({"weights": np.ones((2, 2))}, "shape"),
        ({"init": np.zeros((2, 2))}, "init must have shape"),
        ({"init": "best"}, "init must be"),
        ({"max_iter": 0}, "max_iter must be"),
        ({"tol": -1.0}, "tol must be"),
        ({"n_components": 0}, "n_components must be"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        metric_mds(np.ones((3, 3)) - np.eye(3), **options)


def test_weights_in_parts_are_refused():
    weights = np.kron(np.eye(2), np.ones((2, 2)))
    with pytest.raises(ValueError, match="connect all points"):
        metric_mds(np.ones((4, 4)) - np.eye(4), weights=weights)
