"""Landmarks: their walk by its definition, what it keeps of the points' own, and determinism."""

import numpy as np
import pytest

from holonomy._core.parallel import threads
from holonomy.graphs import DiffusionOperator, alpha_decay, gaussian, landmarks, neighbors
from holonomy.graphs._clusters import spread_centres


@pytest.fixture
def operator(cloud):
    return DiffusionOperator(gaussian(neighbors(cloud, 12), 2.0), "random_walk")


@pytest.mark.parametrize("method", ["clusters", "random"])
def test_walk_of_landmarks_is_from_landmarks_to_points_to_landmarks(operator, method):
    found = landmarks(operator, 40, method=method)
    m = found.operator.n_points
    assert 30 <= m <= 40
    assert set(found.labels) == set(range(m))
    member = np.eye(m)[found.labels]
    W = operator.weights.toarray()
    forth = W @ member / W.sum(axis=1, keepdims=True)
    back = (W @ member).T / (W @ member).sum(axis=0)[:, None]
    np.testing.assert_allclose(found.interpolation.toarray(), forth, atol=1e-14)
    np.testing.assert_allclose(found.operator.walk_kernel(1), back @ forth, atol=1e-13)
    assert np.linalg.eigvals(back @ forth).real.min() > -1e-12


def test_one_landmark_a_point_walks_two_steps(cloud):
    operator = DiffusionOperator(gaussian(neighbors(cloud, 12), 2.0))
    found = landmarks(operator, len(cloud), method="random")
    assert found.operator.n_points == len(cloud)
    order = np.argsort(found.labels)
    np.testing.assert_allclose(found.operator.walk_kernel(1), operator.walk_kernel(2)[np.ix_(order, order)], atol=1e-12)


def test_slow_functions_survive_the_compression(cloud):
    angle = np.sort(np.random.default_rng(0).uniform(0, 2 * np.pi, 1500))
    X = np.column_stack([np.cos(angle), np.sin(angle)])
    operator = DiffusionOperator(alpha_decay(neighbors(X, 15)))
    found = landmarks(operator, 200)
    whole = 1 - operator.spectrum(4, tol=1e-6).eigenvalues
    np.testing.assert_allclose(1 - found.operator.spectrum(4).eigenvalues, whole**2, atol=2e-3)
    np.testing.assert_allclose(found.interpolate(np.ones(found.operator.n_points)), 1.0, atol=1e-12)


def test_clusters_keep_to_pieces_of_the_graph():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(1000, 2)), rng.normal(50.0, 5.0, size=(50, 2))])
    found = landmarks(DiffusionOperator(alpha_decay(neighbors(X, 15))), 100)
    assert not set(found.labels[:1000]) & set(found.labels[1000:])


def test_clusters_keep_to_groups_that_few_steps_leave():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(40), 50)
    X = (20.0 * rng.normal(size=(40, 3)))[group] + rng.normal(size=(2000, 3))
    found = landmarks(DiffusionOperator(gaussian(neighbors(X, 15))), 160)
    assert all(len(set(group[found.labels == label])) == 1 for label in range(found.labels.max() + 1))


def test_spread_centres_reach_the_sparse_parts():
    """Of ten far points among thousands, each has odds of its own."""
    codes = np.zeros((5010, 2), dtype=np.float32)
    codes[:5000] = np.random.default_rng(0).integers(-5, 6, size=(5000, 2))
    codes[5000:] = 100 * np.arange(10, 20)[:, None]
    chosen = spread_centres(codes, 30, np.random.default_rng(0))
    assert (chosen[:, 0] >= 1000).sum() >= 10
    assert len(np.unique(chosen, axis=0)) == 30


def test_fewer_places_than_centres_are_all_taken():
    codes = np.array([[0, 0], [0, 0], [3, 0], [0, 4]], dtype=np.float32)
    chosen = spread_centres(codes, 4, np.random.default_rng(0))
    np.testing.assert_array_equal(np.unique(chosen, axis=0), np.unique(codes, axis=0))


def test_same_bits_for_any_number_of_threads(cloud, operator):
    with threads(1):
        alone = landmarks(operator, 30, random_state=3)
    with threads(2):
        shared = landmarks(operator, 30, random_state=3)
    np.testing.assert_array_equal(alone.labels, shared.labels)
    np.testing.assert_array_equal(alone.operator.weights.toarray(), shared.operator.weights.toarray())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_landmarks": 0}, ValueError, "n_landmarks must be"),
        ({"n_landmarks": 301}, ValueError, "n_landmarks must be"),
        ({"n_landmarks": 5, "method": "grid"}, ValueError, "method must be one of"),
    ],
)
def test_bad_requests_are_named(operator, options, error, message):
    with pytest.raises(error, match=message):
        landmarks(operator, **options)


def test_only_a_diffusion_is_compressed(operator):
    with pytest.raises(TypeError, match="DiffusionOperator"):
        landmarks(operator.weights, 5)
