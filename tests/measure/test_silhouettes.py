"""Silhouettes of labelled points."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples, silhouette_score

from holonomy.measure import Estimate, silhouette


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).normal(size=(200, 3)) + 2 * np.repeat(np.arange(4), 50)[:, None]


LABELS = np.repeat(["d", "a", "c", "b"], 50)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_equals_scikit_learn(points, metric):
    expected = silhouette_samples(points, LABELS, metric=metric)
    np.testing.assert_allclose(silhouette(points, LABELS, metric=metric, per_point=True), expected, atol=1e-9)
    assert silhouette(points, LABELS, metric=metric) == pytest.approx(expected.mean())


def test_single_points_and_precomputed_distances(points):
    labels = LABELS.copy()
    labels[7] = "z"
    expected = silhouette_score(points, labels)
    assert silhouette(points, labels) == pytest.approx(expected)
    assert silhouette(cdist(points, points), labels, metric="precomputed") == pytest.approx(expected)
    assert silhouette(points, labels, per_point=True)[7] == 0


def test_names_and_order_of_labels_change_nothing(points):
    order = np.random.default_rng(1).permutation(200)
    codes = np.unique(LABELS, return_inverse=True)[1]
    assert silhouette(points[order], 3 - codes[order]) == pytest.approx(silhouette(points, LABELS))


def test_equal_points_of_two_classes():
    assert silhouette(np.zeros((6, 2)), [0, 0, 0, 1, 1, 1]) == 0.0


def test_intervals_of_subsamples_hold_the_truth(points):
    truth = silhouette(points, LABELS)
    estimates = [silhouette(points, LABELS, subsample=60, random_state=seed) for seed in range(40)]
    assert all(isinstance(estimate, Estimate) for estimate in estimates)
    assert np.mean([e.low <= truth <= e.high for e in estimates]) >= 0.85


@pytest.mark.parametrize(
    ("labels", "arguments", "message"),
    [
        (np.zeros(200, int), {}, "at least two classes"),
        (LABELS[:-1], {}, "same points, got 200 and 199"),
        ([None] * 200, {}, "missing values"),
        (LABELS, {"per_point": True, "subsample": 50}, "either per_point or subsample"),
    ],
)
def test_bad_input(points, labels, arguments, message):
    with pytest.raises(ValueError, match=message):
        silhouette(points, labels, **arguments)
