import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph

from holonomy._core.parallel import threads
from holonomy.graphs import connected_components, fuzzy_simplicial_set, leading_spectrum


def cycle(n):
    ring = sparse.eye_array(n, format="csr")[np.roll(np.arange(n), 1)]
    return (ring + ring.T).tocsr()


def dense_eigenvalues(affinity):
    """Oracle: SciPy's normalised Laplacian, diagonalised whole."""
    return np.linalg.eigvalsh(csgraph.laplacian(affinity.toarray().astype(float), normed=True))


@pytest.mark.parametrize("n", [30, 700])
def test_cycle_has_its_closed_form(n):
    spectrum = leading_spectrum(cycle(n), 6, tol=1e-6)
    frequencies = np.array([1, 1, 2, 2, 3, 3])
    np.testing.assert_allclose(spectrum.eigenvalues, 1 - np.cos(2 * np.pi * frequencies / n), rtol=1e-9)
    assert spectrum.solver_used == ("dense" if n == 30 else "chebyshev")
    assert spectrum.converged
    angles = 2 * np.pi * np.arange(n) / n
    for pair in (0, 2, 4):
        plane = np.column_stack([np.cos(frequencies[pair] * angles), np.sin(frequencies[pair] * angles)])
        found = spectrum.eigenvectors[:, pair : pair + 2]
        plane /= np.linalg.norm(plane, axis=0)
        np.testing.assert_allclose(np.linalg.norm(plane.T @ found, 2), 1.0, rtol=1e-9)


def test_path_has_its_closed_form():
    n = 900
    path = sparse.diags_array([np.ones(n - 1)] * 2, offsets=[-1, 1])
    spectrum = leading_spectrum(path, 4, tol=1e-3)
    np.testing.assert_allclose(spectrum.eigenvalues, 1 - np.cos(np.pi * np.arange(1, 5) / (n - 1)), rtol=1e-5)


@pytest.mark.parametrize("normalization", ["symmetric", "random_walk"])
def test_equals_the_dense_spectrum(knn, normalization):
    affinity = fuzzy_simplicial_set(knn(np.random.default_rng(0).normal(size=(800, 3)), 10))
    spectrum = leading_spectrum(affinity, 5, normalization=normalization, tol=1e-5)
    assert spectrum.solver_used == "chebyshev"
    np.testing.assert_allclose(spectrum.eigenvalues, dense_eigenvalues(affinity)[1:6], rtol=1e-7)
    degrees = affinity.astype(float).sum(axis=1)
    laplacian = sparse.eye_array(800) - (affinity / degrees[:, None])
    metric = degrees / degrees.sum()
    if normalization == "symmetric":
        root = np.sqrt(degrees)
        laplacian = sparse.eye_array(800) - affinity / np.outer(root, root)
        metric = np.ones(800)
    vectors = spectrum.eigenvectors
    np.testing.assert_allclose(laplacian @ vectors, vectors * spectrum.eigenvalues, atol=1e-4)
    np.testing.assert_allclose(vectors.T @ (metric[:, None] * vectors), np.eye(5), atol=1e-6)
    largest = np.abs(vectors).argmax(axis=0)
    assert (vectors[largest, np.arange(5)] > 0).all()


def test_residuals_are_what_they_say(knn, cloud):
    affinity = fuzzy_simplicial_set(knn(cloud, 40)).astype(float)
    spectrum = leading_spectrum(affinity, 4)
    laplacian = csgraph.laplacian(affinity, normed=True)
    difference = laplacian @ spectrum.eigenvectors - spectrum.eigenvectors * spectrum.eigenvalues
    np.testing.assert_allclose(np.linalg.norm(difference, axis=0), spectrum.residuals, atol=1e-14)


@pytest.mark.parametrize("size", [40, 600])
def test_disconnected_graph_gives_exact_zeros_then_the_components_own(size):
    affinity = sparse.block_diag([cycle(size), cycle(20), sparse.csr_array((1, 1)), cycle(30)], format="csr")
    spectrum = leading_spectrum(affinity, 7, tol=1e-8)
    assert spectrum.n_graph_components == 4
    np.testing.assert_array_equal(spectrum.eigenvalues[:3], 0.0)
    own = np.sort(np.concatenate([1 - np.cos(2 * np.pi * np.array([1, 1, 2, 2]) / n) for n in (size, 20, 30)]))
    np.testing.assert_allclose(spectrum.eigenvalues[3:], own[:4], rtol=1e-8)
    vectors = spectrum.eigenvectors
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(7), atol=1e-10)
    _, labels = connected_components(affinity)
    for j in range(3):
        scaled = vectors[:, j] / np.sqrt(np.maximum(affinity.sum(axis=1), 1))
        assert all(np.ptp(scaled[labels == label]) < 1e-12 for label in range(4))
        assert np.abs(scaled[labels > j + 1]).max(initial=0) == 0
    assert ((np.abs(vectors[:, 3:]) > 1e-12).sum(axis=0) <= size).all()


def test_components_alone_can_answer():
    spectrum = leading_spectrum(sparse.block_diag([cycle(5)] * 4, format="csr"), 2)
    assert spectrum.solver_used == "exact"
    assert spectrum.converged
    np.testing.assert_array_equal(spectrum.eigenvalues, 0)


def test_graph_without_edges():
    spectrum = leading_spectrum(sparse.csr_array((4, 4)), 3)
    np.testing.assert_array_equal(spectrum.eigenvalues, 0)
    np.testing.assert_allclose(spectrum.eigenvectors.T @ spectrum.eigenvectors, np.eye(3), atol=1e-15)


def test_all_eigenpairs_of_a_small_graph(knn, cloud):
    affinity = fuzzy_simplicial_set(knn(cloud[::10], 6))
    spectrum = leading_spectrum(affinity, 29)
    np.testing.assert_allclose(spectrum.eigenvalues, dense_eigenvalues(affinity)[1:], atol=1e-7)


def test_almost_disconnected_graph_is_solved():
    affinity = sparse.block_diag([cycle(600), cycle(600)], format="lil")
    affinity[0, 600] = affinity[600, 0] = 1e-9
    spectrum = leading_spectrum(affinity.tocsr(), 3)
    assert spectrum.converged
    assert 0 <= spectrum.eigenvalues[0] < 1e-11
    sides = spectrum.eigenvectors[:, 0]
    assert abs(np.sign(sides[:600]).sum()) == 600
    assert np.sign(sides[0]) == -np.sign(sides[600])


def test_bounded_work_is_reported_not_hidden():
    n = 3000
    path = sparse.diags_array([np.ones(n - 1)] * 2, offsets=[-1, 1])
    with pytest.warns(RuntimeWarning, match="stopped after 20 products"):
        spectrum = leading_spectrum(path, 2, max_iter=20)
    assert not spectrum.converged
    assert np.isfinite(spectrum.eigenvectors).all()
    assert (spectrum.residuals > 1e-4 * spectrum.eigenvalues[-1]).any()


def test_same_seed_same_bits_for_any_number_of_threads(knn):
    affinity = fuzzy_simplicial_set(knn(np.random.default_rng(0).normal(size=(2000, 3)), 10))
    results = []
    for count in (1, 2):
        with threads(count):
            results.append(leading_spectrum(affinity, 3, tol=0.1, random_state=5).eigenvectors.tobytes())
    assert results[0] == results[1]
    assert results[0] != leading_spectrum(affinity, 3, tol=0.1, random_state=6).eigenvectors.tobytes()


def test_permuting_the_points_permutes_the_vectors(knn, cloud):
    affinity = fuzzy_simplicial_set(knn(cloud, 40))
    order = np.random.default_rng(1).permutation(300)
    expected = leading_spectrum(affinity, 3)
    permuted = leading_spectrum(affinity[order][:, order], 3)
    np.testing.assert_allclose(permuted.eigenvalues, expected.eigenvalues, atol=1e-12)
    np.testing.assert_allclose(permuted.eigenvectors, expected.eigenvectors[order], atol=1e-8)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_components": 0}, ValueError, "n_components must be at least 1"),
        ({"n_components": 10}, ValueError, "at most n - 1 = 9"),
        ({"n_components": 2.0}, TypeError, "n_components must be an integer"),
        ({"normalization": "row"}, ValueError, "normalization must be one of"),
        ({"tol": -1.0}, ValueError, "tol must be at least 0"),
        ({"max_iter": 0}, ValueError, "max_iter must be at least 1"),
        ({"affinity": np.triu(np.ones((5, 5)))}, ValueError, "must be symmetric"),
        ({"affinity": np.ones(5)}, ValueError, "square matrix"),
        ({"affinity": np.full((5, 5), np.inf)}, ValueError, "finite weights"),
    ],
)
def test_bad_input(change, error, message):
    with pytest.raises(error, match=message):
        leading_spectrum(**{"affinity": cycle(10), "n_components": 2, **change})


def test_neighbour_graph_is_refused_with_the_remedy(knn, cloud):
    with pytest.raises(TypeError, match="fuzzy_simplicial_set"):
        leading_spectrum(knn(cloud, 5), 2)


def test_input_is_not_written_to(knn, cloud):
    affinity = fuzzy_simplicial_set(knn(cloud, 40))
    before = affinity.copy()
    leading_spectrum(affinity, 2)
    assert affinity.data.tobytes() == before.data.tobytes()
    assert affinity.indices.tobytes() == before.indices.tobytes()
