"""Classical scaling: points recovered from their distances, against dense algebra, and new points."""

import numpy as np
import pytest
from scipy.spatial import procrustes
from scipy.spatial.distance import cdist

from holonomy._core.parallel import threads
from holonomy.embed import classical_mds


@pytest.mark.parametrize("n", [40, 500])
def test_points_are_recovered_up_to_a_motion(n):
    X = np.random.default_rng(0).normal(size=(n, 3)) * [3, 2, 1]
    found = classical_mds(cdist(X, X), 3)
    np.testing.assert_allclose(cdist(found.embedding, found.embedding), cdist(X, X), atol=1e-6)
    np.testing.assert_allclose((found.embedding**2).sum(axis=0), found.eigenvalues, rtol=1e-9)
    assert found.smallest_eigenvalue > -1e-6


def test_equals_the_dense_eigenvectors_of_distances_that_no_space_has():
    D = np.random.default_rng(0).uniform(1, 2, size=(400, 400))
    D = np.triu(D, 1) + np.triu(D, 1).T
    J = np.eye(400) - 1 / 400
    values, vectors = np.linalg.eigh(-0.5 * J @ D**2 @ J)
    found = classical_mds(D, 3)
    np.testing.assert_allclose(found.eigenvalues, values[::-1][:3], rtol=1e-9)
    expected = vectors[:, ::-1][:, :3] * np.sqrt(values[::-1][:3])
    np.testing.assert_allclose(np.abs(found.embedding), np.abs(expected), atol=1e-5)
    assert values[0] <= found.smallest_eigenvalue < 0.8 * values[0]


def test_repeated_eigenvalues_are_all_found():
    angle = 2 * np.pi * np.arange(600) / 600
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    assert procrustes(circle, classical_mds(cdist(circle, circle), 2).embedding)[2] < 1e-10


def test_new_points_of_the_same_space_find_their_place():
    rng = np.random.default_rng(0)
    X, new = rng.normal(size=(300, 2)), rng.normal(size=(20, 2))
    found = classical_mds(cdist(X, X), 2)
    placed = found.place(cdist(new, X))
    np.testing.assert_allclose(cdist(placed, found.embedding), cdist(new, X), atol=1e-6)
    for row in range(3):
        np.testing.assert_array_equal(found.place(cdist(new[[row]], X)), placed[[row]])


def test_axes_that_do_not_exist_are_zero():
    line = np.arange(5.0)[:, None]
    found = classical_mds(cdist(line, line), 7)
    assert found.embedding.shape == (5, 7)
    np.testing.assert_allclose(found.embedding[:, 1:], 0, atol=1e-6)
    assert np.isfinite(found.place(cdist(line, line))).all()


def test_same_bits_for_any_number_of_threads():
    X = np.random.default_rng(0).normal(size=(900, 4))
    with threads(1):
        alone = classical_mds(cdist(X, X), 2)
    with threads(2):
        shared = classical_mds(cdist(X, X), 2)
    np.testing.assert_array_equal(alone.embedding, shared.embedding)


@pytest.mark.parametrize(
    ("distances", "message"),
    [
        (np.ones((2, 3)), "square"),
        ([[0, 1], [2, 0]], "symmetric"),
        ([[0, -1], [-1, 0]], "at least 0"),
        ([[1, 1], [1, 1]], "0 on the diagonal"),
        ([[0, np.inf], [np.inf, 0]], "finite"),
    ],
)
def test_bad_distances_are_named(distances, message):
    with pytest.raises(ValueError, match=message):
        classical_mds(distances)


@pytest.mark.parametrize(("rows", "message"), [(np.ones((1, 3)), "shape"), ([[-1.0, 1]], "at least 0")])
def test_bad_new_distances_are_named(rows, message):
    with pytest.raises(ValueError, match=message):
        classical_mds([[0, 1], [1, 0]]).place(rows)
