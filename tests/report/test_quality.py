import numpy as np
import pytest
from sklearn import manifold
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from holonomy.graphs import neighbors
from holonomy.report.columns import make_column
from holonomy.report.quality import AGREEMENT, CONTINUITY, RECALL, TRUST, measure_map, score_neighbors

K = 5
rng = np.random.default_rng(0)
X = rng.normal(size=(80, 6))
Z, P = X[:, :2], rng.normal(size=(80, 2))
LABEL = make_column("side", np.where(X[:, 0] > 0, "right", "left"), 80)


@pytest.fixture(scope="module")
def measured():
    found, trust = measure_map(X, neighbors(X, 10), Z, P, K, LABEL)
    return {score.name: score for score in found}, trust


def test_trustworthiness_and_continuity_agree_with_scikit_learn(measured):
    scores, trust = measured
    assert scores[TRUST].map.value == pytest.approx(manifold.trustworthiness(X, Z, n_neighbors=K))
    assert scores[TRUST].baseline.value == pytest.approx(manifold.trustworthiness(X, P, n_neighbors=K))
    assert scores[CONTINUITY].map.value == pytest.approx(manifold.trustworthiness(Z, X, n_neighbors=K))
    assert trust.mean() == pytest.approx(scores[TRUST].map.value)


def test_recall_is_the_shared_part_of_the_neighbourhoods(measured):
    def lists(points):
        return NearestNeighbors(n_neighbors=K).fit(points).kneighbors(return_distance=False)

    shared = [len(set(a) & set(b)) / K for a, b in zip(lists(X), lists(Z), strict=True)]
    assert measured[0][RECALL].map.value == pytest.approx(np.mean(shared))


def test_label_agreement_is_leave_one_out_accuracy(measured):
    hits = [
        KNeighborsClassifier(K).fit(np.delete(Z, i, 0), np.delete(LABEL.values, i)).predict(Z[[i]])[0]
        == LABEL.values[i]
        for i in range(80)
    ]
    assert measured[0][AGREEMENT].map.value == pytest.approx(np.mean(hits))


def test_intervals_hold_the_values_and_have_a_width(measured):
    for score in measured[0].values():
        for estimate in (score.map, score.baseline):
            assert 0 <= estimate.low < estimate.value < estimate.high <= 1


def test_without_labels_there_is_no_agreement():
    found, _ = measure_map(X, neighbors(X, K), Z, P, K)
    assert [score.name for score in found] == [TRUST, CONTINUITY, RECALL]


def test_a_perfect_map_is_perfect():
    flat = X[:, :2] @ rng.normal(size=(2, 6))
    turned = flat @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    found, trust = measure_map(turned, neighbors(turned, K), flat, flat, K)
    assert all(score.map.value == 1 for score in found)
    assert trust.min() == 1


@pytest.mark.parametrize(("k", "n", "expected"), [(15, 100, 15), (15, 31, 15), (15, 30, 14), (2, 3, 1)])
def test_neighbourhoods_are_scored_below_half_the_points(k, n, expected):
    assert score_neighbors(k, n) == expected


def test_too_few_points_to_score():
    with pytest.raises(ValueError, match="at least 1"):
        score_neighbors(2, 2)
