import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph

from holonomy.graphs import adaptive, laplacian


@pytest.fixture
def affinity(knn, cloud):
    return adaptive(knn(cloud[::3], 12))


def test_equals_scipy(affinity):
    dense = affinity.toarray()
    np.testing.assert_allclose(laplacian(affinity, "combinatorial").toarray(), csgraph.laplacian(dense), atol=1e-13)
    np.testing.assert_allclose(laplacian(affinity).toarray(), csgraph.laplacian(dense, normed=True), atol=1e-13)


def test_random_walk_is_the_identity_minus_a_stochastic_matrix(affinity):
    walk = np.eye(100) - laplacian(affinity, "random_walk").toarray()
    np.testing.assert_allclose(walk.sum(axis=1), 1.0)
    np.testing.assert_allclose(walk, affinity.toarray() / affinity.sum(axis=1)[:, None], atol=1e-14)


def test_cycle_has_its_closed_form():
    cycle = np.roll(np.eye(12), 1, axis=1) + np.roll(np.eye(12), -1, axis=1)
    expected = np.sort(2 - 2 * np.cos(2 * np.pi * np.arange(12) / 12))
    np.testing.assert_allclose(np.linalg.eigvalsh(laplacian(cycle, "combinatorial").toarray()), expected, atol=1e-14)


@pytest.mark.parametrize("normalization", ["combinatorial", "random_walk", "symmetric"])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_form_of_the_result(affinity, normalization, alpha):
    result = laplacian(affinity, normalization, alpha=alpha)
    if normalization != "random_walk":
        assert (result != result.T).nnz == 0
        assert np.linalg.eigvalsh(result.toarray()).min() > -1e-12
    if normalization != "symmetric":
        np.testing.assert_allclose(result.sum(axis=1), 0.0, atol=1e-12)
    assert result.has_sorted_indices
    assert (result.data != 0).all()


def test_anisotropy_divides_the_density_out(affinity):
    degrees = affinity.sum(axis=1)
    reduced = affinity.toarray() / np.outer(degrees, degrees) ** 0.7
    np.testing.assert_allclose(
        laplacian(affinity, "combinatorial", alpha=0.7).toarray(), csgraph.laplacian(reduced), atol=1e-14
    )


def test_full_anisotropy_recovers_the_circle_whatever_the_density():
    uniform = 2 * np.pi * np.arange(400) / 400
    angles = uniform + 0.6 * np.sin(uniform)
    kernel = np.exp(-((2 * np.sin((angles[:, None] - angles) / 2)) ** 2) / 0.02)
    ratios = {}
    for alpha in (0.0, 1.0):
        values = np.linalg.eigvalsh(laplacian((kernel + kernel.T) / 2, alpha=alpha).toarray())
        ratios[alpha] = values[2:5] / values[1]
    # The frequencies of the circle are 1, 1, 2, 2, and eigenvalues are their squares.
    np.testing.assert_allclose(ratios[1.0], [1, 4, 4], rtol=0.02)
    assert ratios[0.0][0] > 1.5


def test_weights_on_the_diagonal_count_once():
    weights = np.array([[2.0, 1.0], [1.0, 0.0]])
    np.testing.assert_allclose(laplacian(weights, "random_walk").toarray(), [[1 / 3, -1 / 3], [-1, 1]])
    np.testing.assert_allclose(laplacian(weights, "combinatorial").toarray(), [[1, -1], [-1, 1]])


@pytest.mark.parametrize("normalization", ["combinatorial", "random_walk", "symmetric"])
def test_isolated_points_have_empty_rows(normalization):
    weights = sparse.block_diag([np.ones((3, 3)) - np.eye(3), np.zeros((1, 1))])
    result = laplacian(weights, normalization, alpha=1.0)
    assert result[[3]].nnz == 0
    assert np.isfinite(result.data).all()


def test_bad_input(affinity):
    with pytest.raises(ValueError, match="normalization must be one of"):
        laplacian(affinity, "normed")
    with pytest.raises(ValueError, match=r"alpha must be in \[0.0, 1.0\]"):
        laplacian(affinity, alpha=2.0)
    with pytest.raises(ValueError, match="symmetric"):
        laplacian(np.triu(np.ones((3, 3))))
