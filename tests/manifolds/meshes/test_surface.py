import numpy as np
import pytest
import torch

from holonomy.manifolds import Mesh
from holonomy.manifolds.meshes.surface import build_surface, oriented
from tests.manifolds.meshes.shapes import cube, grid, icosphere


@pytest.mark.parametrize(("shape", "euler"), [(icosphere(2), 2), (cube(3), 2), (grid(5), 1)])
def test_half_edges_fans_and_curvature_agree_with_the_shape(shape, euler):
    surface = build_surface(*shape, False)
    inner = np.flatnonzero(surface.twins >= 0)
    assert np.array_equal(surface.twins[surface.twins[inner]], inner)
    n_edges = len(inner) // 2 + np.count_nonzero(surface.twins < 0)
    assert len(surface.vertices) - n_edges + len(surface.faces) == euler
    defects = np.where(surface.on_boundary, np.pi, 2.0 * np.pi) - surface.totals
    assert np.isclose(defects.sum(), 2.0 * np.pi * euler)
    for v in range(len(surface.vertices)):
        fan = surface.fan[surface.fan_starts[v] : surface.fan_starts[v + 1]]
        assert (surface.faces.ravel()[fan] == v).all()
        assert surface.fan_angles[fan[0]] == 0.0
        assert np.allclose(np.diff(surface.fan_angles[fan]), surface.corners[fan][:-1])


def test_frames_are_right_handed_and_apexes_are_where_the_corners_are():
    surface = build_surface(*icosphere(1), False)
    assert np.allclose(surface.frames @ np.swapaxes(surface.frames, 1, 2), np.eye(3))
    assert np.allclose(np.linalg.det(surface.frames), 1.0)
    middles = surface.vertices[surface.faces].mean(axis=1)
    assert (np.einsum("fi,fi->f", middles, surface.frames[:, 2]) > 0).all()
    for h in range(0, len(surface.twins), 7):
        f, i = divmod(h, 3)
        start, end, apex = surface.vertices[surface.faces[f, [i, (i + 1) % 3, (i + 2) % 3]]]
        angle = surface.turns[h]
        axis = np.cos(angle) * surface.frames[f, 0] + np.sin(angle) * surface.frames[f, 1]
        assert np.allclose(axis, (end - start) / surface.lengths[h])
        normal = np.cross(surface.frames[f, 2], axis)
        assert np.allclose(start + surface.apexes[h] @ [axis, normal], apex)


def test_flaws_are_refused_and_mended_on_request():
    points, faces = grid(3)
    flipped = faces.copy()
    flipped[2] = flipped[2][::-1]
    with pytest.raises(ValueError, match="oriented alike"):
        Mesh(points, flipped)
    assert np.allclose(Mesh(points, flipped, clean=True).face_normals, Mesh(points, faces).face_normals)
    with pytest.raises(ValueError, match="1 are not"):
        Mesh(np.vstack([[9.0, 9, 9], points]), faces + 1)
    mended = Mesh(np.vstack([[9.0, 9, 9], points]), faces + 1, clean=True)
    assert np.array_equal(mended.kept_vertices, np.arange(1, 10))
    assert np.array_equal(mended.faces, faces)
    with pytest.raises(ValueError, match="must have an area, and 2 do not"):
        Mesh(points, np.vstack([faces, [[0, 1, 1], [0, 1, 2]]]))
    assert Mesh(points, np.vstack([faces, [[0, 1, 1], [0, 1, 2]]]), clean=True).n_faces == len(faces)
    with pytest.raises(ValueError, match="an area, and none has one"):
        Mesh(points, [[0, 1, 2]], clean=True)


def test_fans_that_touch_in_a_point_get_a_vertex_each():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]])
    faces = [[0, 1, 2], [0, 3, 4]]
    with pytest.raises(ValueError, match="vertex 0 they form several"):
        Mesh(points, faces)
    mended = Mesh(points, faces, clean=True)
    assert np.array_equal(mended.kept_vertices, [0, 1, 2, 3, 4, 0])
    assert mended.n_pieces == 2
    assert np.array_equal(mended.vertices, points[mended.kept_vertices])


def test_edges_with_three_triangles_and_surfaces_with_one_side_are_refused():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, -1, 0]])
    with pytest.raises(ValueError, match="3 meet at the edge of vertices 0 and 1"):
        Mesh(points, [[0, 1, 2], [1, 0, 3], [0, 1, 4]], clean=True)
    strip = [[i, (i + 1) % 6, (i + 2) % 6] for i in range(6)]  # closed with a half turn
    angle = np.linspace(0.0, 2.0 * np.pi, 7)[:-1]
    points = np.stack([np.cos(angle), np.sin(angle), np.arange(6) % 2], axis=1)
    five = [[i % 5, (i + 1) % 5, (i + 2) % 5] for i in range(5)]
    with pytest.raises(ValueError, match="single side"):
        oriented(np.array(five))
    assert len(oriented(np.array(strip))) == 6


def test_arrays_that_are_malformed_are_refused():
    points, faces = grid(3)
    for bad, message in [
        ((points[:, :2], faces), "vertices must have shape"),
        ((points, faces[:, :2]), "faces must have shape"),
        ((points, faces[:0]), "faces must have shape"),
        ((points, faces + 1), "must name vertices 0 to 8, and go from 1 to 9"),
        ((points, faces - 1), "must name vertices"),
        ((np.full_like(points, np.nan), faces), "NaN"),
    ]:
        with pytest.raises(ValueError, match=message):
            Mesh(*bad)
    with pytest.raises(TypeError, match="faces must hold integers"):
        Mesh(points, faces.astype(float))


def test_inputs_are_copied_and_tensors_and_lists_accepted():
    points, faces = grid(3)
    space = Mesh(torch.from_numpy(points), torch.from_numpy(faces))
    points[:] = 0.0
    assert space.area == 4.0
    assert Mesh(space.vertices.tolist(), space.faces.tolist()).area == 4.0
