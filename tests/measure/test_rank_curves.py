"""The curve of neighbour recall over all sizes of neighbourhoods."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from holonomy.measure import neighbor_recall, rank_curve


@pytest.fixture(scope="module")
def data():
    return np.random.default_rng(0).normal(size=(150, 5))


@pytest.fixture(scope="module")
def image(data):
    return data[:, :2] + 0.3 * np.random.default_rng(1).normal(size=(150, 2))


def corank_curve(X, Z):
    """R_NX by the definition: the whole co-ranking matrix."""
    n = len(X)
    ranks = [np.argsort(np.argsort(cdist(P, P), axis=1), axis=1) for P in (X, Z)]
    matrix = np.zeros((n - 1, n - 1))
    for i in range(n):
        for j in range(n):
            if i != j:
                matrix[ranks[0][i, j] - 1, ranks[1][i, j] - 1] += 1
    k = np.arange(1, n - 1)
    q = np.array([matrix[:size, :size].sum() / (size * n) for size in k])
    return q, ((n - 1) * q - k) / (n - 1 - k)


def test_equals_the_coranking_matrix(data, image):
    recall, rescaled = corank_curve(data, image)
    curve = rank_curve(data, image)
    np.testing.assert_allclose(curve.recall, recall, atol=1e-12)
    np.testing.assert_allclose(curve.rescaled, rescaled, atol=1e-12)
    k = curve.n_neighbors
    assert float(curve) == pytest.approx((rescaled / k).sum() / (1 / k).sum(), abs=1e-12)
    assert curve.per_point.mean() == pytest.approx(float(curve), abs=1e-12)


@pytest.mark.parametrize("k", [1, 10, 80])
def test_is_neighbour_recall_at_each_size(data, image, k):
    assert rank_curve(data, image).recall[k - 1] == pytest.approx(neighbor_recall(data, image, k), abs=1e-12)


def test_a_similar_map_is_perfect_and_a_random_one_worthless(data):
    np.testing.assert_allclose(rank_curve(data, 2 - 3 * data).rescaled, 1.0)
    noise = np.random.default_rng(5).normal(size=(150, 2))
    assert abs(float(rank_curve(data, noise))) < 0.05


def test_turning_scaling_and_reordering_change_nothing(data, image):
    order = np.random.default_rng(0).permutation(150)
    turned = 7 * image @ np.array([[0.6, -0.8], [0.8, 0.6]]) + 3
    np.testing.assert_allclose(rank_curve(data[order], turned[order]).rescaled, rank_curve(data, image).rescaled)


def test_precomputed_distances_say_the_same(data, image):
    other = rank_curve(cdist(data, data), image, metric="precomputed")
    np.testing.assert_array_equal(other.recall, rank_curve(data, image).recall)


def test_a_subsample_gives_intervals_that_hold_the_truth(data, image):
    whole = rank_curve(data, image)
    held = []
    for seed in range(20):
        part = rank_curve(data, image, subsample=50, random_state=seed)
        assert part.per_point.shape == part.rows.shape == (50,)
        np.testing.assert_allclose(part.per_point, whole.per_point[part.rows])
        held.append(part.area.low <= float(whole) <= part.area.high)
        assert np.mean((part.low <= whole.rescaled) & (whole.rescaled <= part.high)) > 0.5
    assert np.mean(held) >= 0.85
    assert whole.area.low == whole.area.high


def test_the_same_for_any_number_of_threads(data, image, monkeypatch):
    monkeypatch.setattr("holonomy.measure.rank_curves.BLOCK_ENTRIES", 1000)
    one, two = (rank_curve(data, image, n_jobs=jobs) for jobs in (1, 2))
    np.testing.assert_array_equal(one.rescaled, two.rescaled)
    np.testing.assert_array_equal(one.per_point, two.per_point)


def test_the_best_kept_size_is_that_of_the_clusters():
    rng = np.random.default_rng(0)
    centers = 100 * rng.normal(size=(6, 2))
    labels = np.repeat(np.arange(6), 25)
    X = centers[labels] + rng.normal(size=(150, 2))
    Z = centers[labels] + rng.normal(size=(150, 2))
    assert rank_curve(X, Z).best_size == pytest.approx(24, abs=1)


def test_it_shows_itself(data, image):
    curve = rank_curve(data, image)
    assert "R_NX at 100 neighbours" in curve._repr_html_()
    assert curve.__rich__().row_count == 4


@pytest.mark.parametrize(
    ("X", "Z", "arguments", "message"),
    [
        (np.full((5, 2), np.nan), np.ones((5, 2)), {}, "X contains NaN"),
        (np.eye(5), np.eye(5)[:4], {}, "same points, got 5 and 4"),
        (np.eye(3), np.eye(3), {}, "at least 4 points"),
        (np.eye(5), np.eye(5), {"subsample": 4}, "subsample must be at least 30"),
        (np.ones((5, 2)), np.eye(5), {"metric": "precomputed"}, "square"),
    ],
)
def test_bad_input(X, Z, arguments, message):
    with pytest.raises(ValueError, match=message):
        rank_curve(X, Z, **arguments)
