import numpy as np
import pytest

from holonomy.datasets._mesh_files import read_obj

VERTICES = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nv 0.5 0.5 1e0 1.0\n"


def obj(tmp_path, text):
    path = tmp_path / "mesh.obj"
    path.write_text(text)
    return path


def test_corners_of_every_form(tmp_path):
    text = (
        "# mesh\r\nmtllib x.mtl\no thing\n"
        + VERTICES
        + "vt 0 0\nvn 0 0 1\ns off\nf 1 2 3\nf 1/1 2/1 5/1\nf 2//1 3//1 5//1\n"
    )
    vertices, faces = read_obj(obj(tmp_path, text + "f 3/1/1 4/1/1 5/1/1\nf -2 -5 -1\n"))
    assert vertices.shape == (5, 3)
    assert vertices.dtype == np.float64
    np.testing.assert_array_equal(vertices[4], [0.5, 0.5, 1.0])
    np.testing.assert_array_equal(faces, [[0, 1, 2], [0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    assert faces.dtype == np.int32


def test_polygons_are_cut_and_keep_their_area(tmp_path):
    vertices, faces = read_obj(obj(tmp_path, VERTICES + "f 1 2 \\\n3 4\n"))
    np.testing.assert_array_equal(faces, [[0, 1, 2], [0, 2, 3]])
    a, b, c = vertices[faces].transpose(1, 0, 2)
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2 == pytest.approx(1.0)


def test_cloud_without_faces(tmp_path):
    _, faces = read_obj(obj(tmp_path, VERTICES))
    assert faces.shape == (0, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no vertex"),
        ("f 1 2 3\n", r"vertex 3, but only|no vertex"),
        (VERTICES + "f 1 2 6\n", "a face with vertex 6, but only 5 vertices"),
        (VERTICES + "f 1 2\n", "line 6.*three corners"),
        (VERTICES + "f\n", "line 6"),
        (VERTICES + "f 0 1 2\n", "line 6.*no vertex 0"),
        (VERTICES + "f -6 1 2\n", "line 6.*no vertex -6"),
        (VERTICES + "f 1 two 3\n", "line 6.*'f 1 two 3' is malformed"),
        ("v 1 2\n", "line 1"),
        ("v 1 2 x\n", "line 1"),
        ("v 1 2 nan\n", "not finite"),
    ],
)
def test_damaged(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_obj(obj(tmp_path, text))
