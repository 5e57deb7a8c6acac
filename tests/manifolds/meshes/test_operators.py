import itertools
import math

import numpy as np
import pytest
from scipy import linalg

from holonomy.manifolds import Mesh
from holonomy.manifolds.meshes.delaunay import delaunay
from holonomy.manifolds.meshes.operators import stiffness_matrix
from tests.manifolds.meshes.shapes import cube, grid, icosphere, saddle


@pytest.fixture(scope="module")
def bent():
    points, faces = saddle(8)
    rng = np.random.default_rng(0)
    return Mesh(points + 0.03 * rng.normal(size=points.shape), faces)


def test_cotangent_weights_match_finite_elements_by_quadrature(bent):
    """Integrals of products of gradients, triangle by triangle, from the plane through three values."""
    n = bent.n_vertices
    expected, masses = np.zeros((n, n)), np.zeros((n, n))
    for face, area in zip(bent.surface.faces, bent.face_areas, strict=True):
        a, b, c = bent.surface.vertices[face]
        sides = np.stack([b - a, c - a])
        gram = np.linalg.inv(sides @ sides.T)
        slopes = np.array([[-1.0, -1.0], [1.0, 0.0], [0.0, 1.0]])
        expected[np.ix_(face, face)] += area * slopes @ gram @ slopes.T
        masses[np.ix_(face, face)] += area / 12.0 * (np.ones((3, 3)) + np.eye(3))
    stiffness, mass = bent.laplacian(lumped=False)
    assert np.allclose(stiffness.toarray(), expected)
    assert np.allclose(mass.toarray(), masses)
    assert np.allclose(bent.laplacian().mass.diagonal(), masses.sum(axis=1))
    assert np.abs(stiffness.sum(axis=1)).max() < 1e-12
    assert linalg.eigvalsh(stiffness.toarray())[0] > -1e-12


def test_gradients_are_exact_for_linear_functions_and_divergence_is_their_adjoint(bent):
    slope = np.array([1.0, -2.0, 0.5])
    values = bent.surface.vertices @ slope
    normals = bent.face_normals
    assert np.allclose(bent.gradient(values), slope - (normals @ slope)[:, None] * normals)
    rng = np.random.default_rng(1)
    u, field = rng.normal(size=bent.n_vertices), rng.normal(size=(bent.n_faces, 3))
    inner = (bent.face_areas[:, None] * bent.gradient(u) * field).sum()
    assert math.isclose(inner, -(bent.vertex_areas * u) @ bent.divergence(field), rel_tol=1e-10)
    assert np.allclose(bent.divergence(bent.gradient(u)), -(bent.laplacian().stiffness @ u) / bent.vertex_areas)
    assert bent.gradient(np.stack([u, u], axis=1)).shape == (bent.n_faces, 3, 2)


def test_normals_areas_and_curvature_of_the_sphere():
    sphere = Mesh(*icosphere(4))
    assert abs(sphere.area / (4.0 * math.pi) - 1.0) < 0.002
    assert np.einsum("ni,ni->n", sphere.vertex_normals, sphere.surface.vertices).min() > 0.9999
    assert np.isclose(sphere.angle_defects.sum(), 4.0 * math.pi)
    density = sphere.angle_defects / sphere.vertex_areas
    assert abs(density - 1.0).max() < 0.15
    assert math.isclose(sphere.vertex_areas.sum(), sphere.area)
    assert np.isclose(Mesh(*grid(4)).angle_defects.sum(), 2.0 * math.pi)


def test_the_spectrum_of_the_sphere_converges_to_l_times_l_plus_one():
    exact = np.repeat(np.arange(5.0) * (np.arange(5.0) + 1.0), 2 * np.arange(5) + 1)
    errors = []
    for divisions in (2, 3, 4):
        values, vectors = Mesh(*icosphere(divisions)).eigenpairs(25)
        errors.append(np.abs(values[1:] / exact[1:] - 1.0).max())
    assert errors[-1] < 0.01
    for coarse, fine in itertools.pairwise(errors):
        assert 3.3 < coarse / fine < 4.7  # second order in the length of edges
    sphere = Mesh(*icosphere(4))
    assert np.allclose(vectors.T @ sphere.laplacian().mass @ vectors, np.eye(25), atol=1e-9)
    # The first three are the coordinates, up to a rotation.
    coordinates = sphere.surface.vertices * math.sqrt(3.0 / (4.0 * math.pi))
    overlap = vectors[:, 1:4].T @ (sphere.vertex_areas[:, None] * coordinates)
    assert np.allclose(np.linalg.svd(overlap)[1], 1.0, atol=2e-3)


def test_the_spectrum_of_a_square_under_both_boundary_conditions():
    square = Mesh(*grid(25, 1.0 / 24.0))
    k = np.arange(6)
    for boundary, first in (("neumann", 0), ("dirichlet", 1)):
        exact = np.sort(math.pi**2 * np.add.outer(k[first:] ** 2, k[first:] ** 2).ravel())[:8]
        values, vectors = square.eigenpairs(8, boundary=boundary)
        assert np.allclose(values, exact, rtol=0.02, atol=1e-9)
        if boundary == "dirichlet":
            assert (vectors[square.on_boundary] == 0.0).all()
        exact_mass = square.eigenpairs(8, boundary=boundary, lumped=False)[0]
        assert (exact_mass >= exact - 1e-9).all()  # Galerkin values lie above


def test_sparse_and_dense_solvers_agree_and_runs_repeat():
    sphere = Mesh(*icosphere(3))
    stiffness, mass = sphere.laplacian()
    expected = linalg.eigh(stiffness.toarray(), mass.toarray(), eigvals_only=True)[:30]
    values, vectors = sphere.eigenpairs(30)
    assert np.allclose(values, expected, atol=1e-10)
    residual = stiffness @ vectors - (mass @ vectors) * values
    assert np.abs(residual).max() < 1e-9
    again = Mesh(*icosphere(3)).eigenpairs(30)
    assert np.array_equal(again.vectors, vectors)
    assert np.allclose(sphere.eigenpairs(10).values, values[:10])


def test_each_piece_has_an_eigenvalue_of_zero():
    points, faces = grid(4)
    two = Mesh(np.concatenate([points, points + 9.0]), np.concatenate([faces, faces + 16]))
    values, _ = two.eigenpairs(4)
    assert np.allclose(values[:2], 0.0, atol=1e-10)
    assert values[2] > 0.1


def test_the_intrinsic_triangulation_is_the_same_surface_with_no_negative_weight():
    rng = np.random.default_rng(0)
    points, faces = cube(4)
    squeezed = Mesh(points * [1.0, 0.3, 1.0], faces)
    # Slide the vertices of a flat grid: bad triangles, same square.
    points, faces = grid(9)
    inner = np.all((points[:, :2] > 0) & (points[:, :2] < 8), axis=1)
    points[inner, :2] += rng.uniform(-0.2, 0.2, size=(inner.sum(), 2))
    for mesh in (squeezed, Mesh(points * [3.0, 1.0, 1.0], faces)):
        assert stiffness_matrix(mesh.surface, mesh.n_vertices).toarray().max() > 0
        flat = delaunay(mesh.surface)
        assert math.isclose(flat.areas.sum(), mesh.area, rel_tol=1e-12)
        corners = np.arctan2(flat.apexes[:, 1], flat.apexes[:, 0])
        totals = np.bincount(flat.faces.ravel(), weights=corners)
        assert np.allclose(totals, mesh.surface.totals)
        weights = stiffness_matrix(flat, mesh.n_vertices).toarray()
        rims = np.ix_(mesh.on_boundary, mesh.on_boundary)  # edges of the boundary cannot be flipped
        inner_weights = weights.copy()
        inner_weights[rims] = 0.0
        assert (inner_weights - np.diag(np.diag(inner_weights))).max() < 1e-8
        linear = mesh.laplacian(intrinsic=True).stiffness
        assert np.allclose(linear.toarray(), weights)
    # On a flat square both triangulations have the linear functions, whose energy is that of their slope.
    x = points[:, 0] * 3.0
    assert math.isclose(x @ linear @ x, 3.0 * 64.0, rel_tol=1e-9)


def test_bad_arguments_are_refused():
    mesh = Mesh(*grid(3))
    with pytest.raises(ValueError, match="k must be"):
        mesh.eigenpairs(9)
    with pytest.raises(ValueError, match="k must be"):
        mesh.eigenpairs(0)
    with pytest.raises(ValueError, match="boundary must be one of"):
        mesh.eigenpairs(2, boundary="robin")
    with pytest.raises(ValueError, match="every vertex lies on the boundary"):
        Mesh(*grid(2)).eigenpairs(1, boundary="dirichlet")
    for values in (np.zeros(8), np.full(9, np.nan), np.zeros((9, 2, 2))):
        with pytest.raises(ValueError, match="values must be finite"):
            mesh.gradient(values)
    with pytest.raises(ValueError, match="fields must be finite"):
        mesh.divergence(np.zeros((8, 2)))
