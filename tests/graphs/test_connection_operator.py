import numpy as np
import pytest
from scipy import sparse

from holonomy.graphs import (
    Connection,
    TangentSpaces,
    connection_laplacian,
    gaussian,
    laplacian,
    leading_fields,
    leading_spectrum,
    tangent_connection,
    tangent_spaces,
)


def spiral_sphere(n):
    """Points spread evenly over the unit sphere along a golden spiral."""
    i = np.arange(n) + 0.5
    polar, azimuth = np.arccos(1 - 2 * i / n), np.pi * (1 + 5**0.5) * i
    return np.column_stack([np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)])


def connect(knn, X, k, dim=2):
    graph = knn(X, k)
    return tangent_connection(tangent_spaces(X, graph, dim=dim), gaussian(graph))


def test_sphere_has_the_spectrum_of_the_rough_laplacian(knn):
    """Its eigenvalues are l (l + 1) - 1 with multiplicity 2 (2 l + 1): 1, 5, 11 for 6, 10, 14 fields."""
    X = spiral_sphere(1500)
    graph = knn(X, 40)
    connection = tangent_connection(tangent_spaces(X, graph.truncated(16), dim=2), gaussian(graph))
    found = leading_fields(connection, 30, alpha=1.0)
    assert found.converged
    ratios = found.eigenvalues / found.eigenvalues[:6].mean()
    np.testing.assert_allclose(ratios[:6], 1.0, rtol=0.02)
    np.testing.assert_allclose(ratios[6:16], 5.0, rtol=0.05)
    np.testing.assert_allclose(ratios[16:], 11.0, rtol=0.1)


def test_sphere_smoothest_fields_are_gradients_and_rotations(knn):
    """The first six fields span the projections of constants and their quarter turns."""
    X = spiral_sphere(1000)
    connection = connect(knn, X, 30)
    constant = X[:, :, None] * -X[:, None, :] + np.eye(3)
    turned = np.cross(X[:, None, :], constant.transpose(0, 2, 1)).transpose(0, 2, 1)
    expected = connection.from_ambient(np.concatenate([constant, turned], axis=2)).reshape(-1, 6)
    found = leading_fields(connection, 6).fields.reshape(-1, 6)
    cosines = np.linalg.svd(np.linalg.qr(expected)[0].T @ np.linalg.qr(found)[0])[1]
    assert cosines.min() > 0.995


def test_parallel_fields_of_a_plane_are_its_kernel(knn):
    X = (
        np.random.default_rng(0).normal(size=(150, 2))
        @ np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0][:2]
    )
    connection = connect(knn, X, 10)
    found = leading_fields(connection, 3)
    np.testing.assert_allclose(found.eigenvalues[:2], 0.0, atol=1e-12)
    assert found.eigenvalues[2] > 1e-3
    ambient = connection.to_ambient(found.fields[:, :, :2])
    np.testing.assert_allclose(ambient, np.broadcast_to(ambient[:1], ambient.shape), atol=1e-8)


def test_flat_torus_has_two_nearly_parallel_fields_and_the_sphere_none(knn):
    u, v = (part.ravel() for part in np.meshgrid(*[2 * np.pi * np.arange(30) / 30] * 2))
    torus = connect(knn, np.column_stack([np.cos(u), np.sin(u), np.cos(v), np.sin(v)]), 8)
    found = leading_fields(torus, 10).eigenvalues
    # Fields are those of functions, twice: 0, then the four first waves in each of two directions.
    functions = leading_spectrum(torus.weights, 4).eigenvalues
    np.testing.assert_allclose(found[:2], 0, atol=1e-9)
    np.testing.assert_allclose(found[2:], np.repeat(functions, 2), rtol=0.02)
    sphere = leading_fields(connect(knn, spiral_sphere(900), 8), 1).eigenvalues
    assert sphere[0] > 0.3 * functions[0]


def test_change_of_frames_changes_nothing_but_coordinates(knn):
    X = spiral_sphere(150)
    graph = knn(X, 8)
    spaces = tangent_spaces(X, graph, dim=2)
    rng = np.random.default_rng(0)
    gauge = np.linalg.qr(rng.normal(size=(150, 2, 2)))[0]
    turned = TangentSpaces(spaces.bases @ gauge, spaces.variances, spaces.dims)
    first, second = (tangent_connection(frames, gaussian(graph)) for frames in (spaces, turned))
    block = sparse.block_diag(list(gauge))
    for normalization in ("symmetric", "random_walk", "combinatorial"):
        expected = (block.T @ connection_laplacian(first, normalization) @ block).toarray()
        np.testing.assert_allclose(connection_laplacian(second, normalization).toarray(), expected, atol=1e-10)
    one, two = (leading_fields(connection, 6) for connection in (first, second))
    np.testing.assert_allclose(two.eigenvalues, one.eigenvalues, atol=1e-10)
    projector = one.fields.reshape(300, 6) @ one.fields.reshape(300, 6).T
    again = block @ two.fields.reshape(300, 6)
    np.testing.assert_allclose(again @ again.T, projector, atol=1e-7)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("normalization", ["symmetric", "random_walk", "combinatorial"])
def test_trivial_connection_is_the_graph_laplacian(knn, cloud, normalization, alpha):
    affinity = gaussian(knn(cloud, 9))
    trivial = Connection(affinity, np.ones((affinity.nnz, 1, 1)))
    expected = laplacian(affinity, normalization, alpha=alpha).toarray()
    np.testing.assert_allclose(
        connection_laplacian(trivial, normalization, alpha=alpha).toarray(), expected, atol=1e-14
    )


def test_quadratic_form_measures_how_far_a_field_is_from_parallel(knn):
    connection = connect(knn, spiral_sphere(200), 8)
    v = np.random.default_rng(0).normal(size=(200, 2))
    rows = np.repeat(np.arange(200), np.diff(connection.weights.indptr))
    moved = np.einsum("eab,eb->ea", connection.alignments, v[connection.weights.indices])
    expected = 0.5 * (connection.weights.data * ((v[rows] - moved) ** 2).sum(axis=1)).sum()
    operator = connection_laplacian(connection, "combinatorial")
    assert v.ravel() @ (operator @ v.ravel()) == pytest.approx(expected)


def test_filtered_and_dense_solutions_agree(knn, monkeypatch):
    connection = connect(knn, spiral_sphere(400), 10)
    filtered = leading_fields(connection, 8, tol=1e-6)
    assert filtered.solver_used == "chebyshev"
    monkeypatch.setattr("holonomy.graphs.connection_operator.DENSE_UP_TO", 10_000)
    dense = leading_fields(connection, 8)
    assert dense.solver_used == "dense"
    np.testing.assert_allclose(filtered.eigenvalues, dense.eigenvalues, rtol=1e-6)
    degrees = connection.weights.sum(axis=1)
    norms = (degrees[:, None, None] * filtered.fields**2).sum(axis=(0, 1)) / degrees.sum()
    np.testing.assert_allclose(norms, 1.0)


def test_moebius_band_has_no_parallel_normal_sign(knn):
    """Of the signs alone, a triangle that turns over has the spectrum of an odd function on the double cover."""
    ring = np.roll(np.eye(12), 1, axis=1) + np.roll(np.eye(12), -1, axis=1)
    weights = sparse.csr_array(ring)
    signs = np.ones((24, 1, 1))
    rows = np.repeat(np.arange(12), 2)
    signs[(np.abs(rows - weights.indices) == 11)] = -1
    found = leading_fields(Connection(weights, signs), 2).eigenvalues
    np.testing.assert_allclose(found, 1 - np.cos(np.pi / 12), rtol=1e-9)


def test_points_without_edges_have_empty_rows():
    weights = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])
    connection = Connection(weights, np.stack([np.eye(2)] * 2))
    for normalization in ("symmetric", "random_walk", "combinatorial"):
        operator = connection_laplacian(connection, normalization).toarray()
        assert (operator[4:] == 0).all()
        assert np.isfinite(operator).all()
    with pytest.raises(ValueError, match=r"no edges at 1 points, e\.g\. point 2"):
        leading_fields(connection, 1)


def test_stopping_early_is_reported(knn):
    with pytest.warns(RuntimeWarning, match="leading_fields stopped after 5 products"):
        assert not leading_fields(connect(knn, spiral_sphere(600), 10), 10, max_iter=5, tol=1e-9).converged


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c: connection_laplacian(c.weights), TypeError, "must be a Connection"),
        (lambda c: connection_laplacian(c, "left"), ValueError, "normalization must be one of"),
        (lambda c: connection_laplacian(c, alpha=2.0), ValueError, "alpha must be in"),
        (lambda c: leading_fields(c, 0), ValueError, "n_fields must be in"),
        (lambda c: leading_fields(c, 2, tol=-1.0), ValueError, "tol must be at least 0"),
        (lambda c: leading_fields(c, 2, max_iter=0), ValueError, "max_iter must be at least 1"),
    ],
)
def test_bad_input(call, error, message):
    ring = np.roll(np.eye(5), 1, axis=1) + np.roll(np.eye(5), -1, axis=1)
    with pytest.raises(error, match=message):
        call(Connection(ring, np.ones((10, 1, 1))))
