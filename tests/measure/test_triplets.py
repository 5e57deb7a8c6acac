"""Random-triplet accuracy."""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from holonomy.measure import triplet_accuracy
from holonomy.measure.triplets import _others


@pytest.fixture(scope="module")
def data():
    return np.random.default_rng(0).normal(size=(60, 4))


def accuracy(D, E):
    """The share of right answers over all triplets."""
    right = []
    for i, j, k in itertools.permutations(range(len(D)), 3):
        if j < k:
            right.append((1 + np.sign(D[i, j] - D[i, k]) * np.sign(E[i, j] - E[i, k])) / 2)
    return np.mean(right)


def test_tends_to_all_triplets(data):
    image = data[:, :2]
    truth = accuracy(cdist(data, data), cdist(image, image))
    found = triplet_accuracy(data, image, 500)
    assert found.low <= truth <= found.high
    assert float(found) == pytest.approx(truth, abs=0.01)
    assert triplet_accuracy(data, image, 400, per_point=True).mean() == pytest.approx(truth, abs=0.02)


def test_perfect_and_random_maps(data):
    assert float(triplet_accuracy(data, -3 * data)) == 1.0
    noise = np.random.default_rng(1).normal(size=(60, 2))
    assert float(triplet_accuracy(data, noise, 100)) == pytest.approx(0.5, abs=0.06)


def test_ties_are_half_an_answer(data):
    assert float(triplet_accuracy(data, np.zeros((60, 2)))) == 0.5
    assert float(triplet_accuracy(np.zeros((60, 2)), np.zeros((60, 2)))) == 1.0


@pytest.mark.parametrize("metric", ["cosine", "manhattan", "chebyshev", lambda a, b: float(np.abs(a - b).sum())])
def test_metrics(data, metric):
    distances = cdist(data, data, {"manhattan": "cityblock"}.get(metric, metric) if isinstance(metric, str) else metric)
    image = data[:, :2]
    expected = triplet_accuracy(distances, image, metric="precomputed")
    assert triplet_accuracy(data, image, metric=metric) == expected


def test_triplets_are_three_different_points():
    anchors = np.arange(4)
    first, second = _others(anchors, 4, 3000, 0)
    assert (first != anchors[:, None]).all()
    assert (second != anchors[:, None]).all()
    assert (first != second).all()
    _, counts = np.unique(4 * first[0] + second[0], return_counts=True)
    assert len(counts) == 6
    assert counts.min() > 400


def test_the_same_for_any_number_of_threads_and_a_subsample(data):
    assert triplet_accuracy(data, data[:, :2], n_jobs=1) == triplet_accuracy(data, data[:, :2], n_jobs=2)
    assert triplet_accuracy(data, data[:, :2], subsample=40).n == 40


@pytest.mark.parametrize(
    ("X", "Z", "arguments", "message"),
    [
        (np.full((5, 2), np.nan), np.ones((5, 2)), {}, "X contains NaN"),
        (np.eye(5), np.eye(5)[:4], {}, "same points, got 5 and 4"),
        (np.eye(2), np.eye(2), {}, "at least 3 points"),
        (np.eye(5), np.eye(5), {"n_triplets": 0}, "n_triplets must be at least 1"),
        (np.eye(50), np.eye(50), {"subsample": 40, "per_point": True}, "either per_point or subsample"),
    ],
)
def test_bad_input(X, Z, arguments, message):
    with pytest.raises(ValueError, match=message):
        triplet_accuracy(X, Z, **arguments)
