import numpy as np
import pytest

from holonomy.datasets import sample_surface, unit_mesh
from holonomy.datasets.mesh_surfaces import check_mesh, vertex_normals

TETRAHEDRON = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
FACES = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])


def test_points_lie_on_the_surface_and_are_uniform_by_area():
    vertices = np.array([[0.0, 0, 0], [3, 0, 0], [0, 1, 0], [0, 0, 2]])
    faces = np.array([[0, 1, 2], [0, 1, 3]])
    points = sample_surface(vertices, faces, 40_000, random_state=0)
    flat = points[:, 2] == 0
    assert flat.mean() == pytest.approx(1 / 3, abs=5 * (2 / 9 / 40_000) ** 0.5)
    inside = points[flat]
    assert ((inside[:, 0] >= 0) & (inside[:, 1] >= 0) & (inside[:, 0] / 3 + inside[:, 1] <= 1 + 1e-12)).all()
    np.testing.assert_allclose(inside.mean(0), [1.0, 1 / 3, 0.0], atol=0.03)
    np.testing.assert_allclose(np.cov(inside[:, :2].T), np.array([[9, -1.5], [-1.5, 1]]) / 18, atol=0.02)


def test_sets_are_independent_and_a_seed_repeats():
    sets = sample_surface(TETRAHEDRON, FACES, 10, n_sets=3, random_state=1)
    assert sets.shape == (3, 10, 3)
    assert not np.array_equal(sets[0], sets[1])
    np.testing.assert_array_equal(sets, sample_surface(TETRAHEDRON, FACES, 10, n_sets=3, random_state=1))


def test_normals_of_a_tetrahedron_point_from_its_middle():
    normals = vertex_normals(TETRAHEDRON, FACES)
    np.testing.assert_allclose(normals, TETRAHEDRON / 3**0.5, atol=1e-12)
    alone = vertex_normals(np.vstack([TETRAHEDRON, [[9.0, 9, 9]]]), FACES)
    np.testing.assert_array_equal(alone[-1], 0.0)


def test_a_unit_mesh_has_its_box_in_the_middle_and_radius_one():
    moved = unit_mesh(5.0 * TETRAHEDRON + np.array([7.0, -3, 2]))
    np.testing.assert_allclose(moved, TETRAHEDRON / 3**0.5, atol=1e-12)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="vertices must have shape"):
        unit_mesh(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="coincide"):
        unit_mesh(np.ones((4, 3)))
    with pytest.raises(ValueError, match="vertices"):
        unit_mesh([[np.nan, 0, 0]])
    for faces in (np.zeros((0, 3), int), np.zeros((2, 4), int), np.zeros((2, 3))):
        with pytest.raises(ValueError, match="faces must be integers"):
            check_mesh(TETRAHEDRON, faces)
    with pytest.raises(ValueError, match="faces must name vertices 0 to 3, got 0 to 4"):
        check_mesh(TETRAHEDRON, [[0, 1, 4]])
    with pytest.raises(ValueError, match="some area"):
        sample_surface(np.ones((4, 3)), FACES, 5)
    with pytest.raises(ValueError, match="n_points"):
        sample_surface(TETRAHEDRON, FACES, 0)
    with pytest.raises(ValueError, match="n_sets"):
        sample_surface(TETRAHEDRON, FACES, 5, n_sets=0)
