"""Pictures of meshes: shades, depths and silhouettes that closed forms give, and poses that turn what is seen."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from holonomy.datasets import PinholeCamera, render_mesh

SQUARE = np.array([[-0.4, -0.4, 0.0], [0.4, -0.4, 0.0], [0.4, 0.4, 0.0], [-0.4, 0.4, 0.0]])
TWO = np.array([[0, 1, 2], [0, 2, 3]])
CAMERA = PinholeCamera(size=64)


def sphere(rows=40):
    """Return a sphere of radius 1."""
    up, around = np.linspace(0.0, np.pi, rows), np.linspace(0.0, 2 * np.pi, 2 * rows, endpoint=False)
    u, v = np.meshgrid(up, around, indexing="ij")
    points = np.stack([np.sin(u) * np.cos(v), np.sin(u) * np.sin(v), np.cos(u)], -1).reshape(-1, 3)
    index = np.arange(rows * 2 * rows).reshape(rows, 2 * rows)
    a, b, c, d = index[:-1], index[1:], np.roll(index, -1, 1)[:-1], np.roll(index, -1, 1)[1:]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    return points, faces


def test_a_square_covers_the_pixels_that_it_projects_to_at_its_depth():
    image, depth = render_mesh(SQUARE, TWO, np.eye(3), camera=CAMERA, light=(0, 0, 1), supersample=1, return_depth=True)
    reach = 0.4 * CAMERA.focal / 4.0
    middle = np.abs(np.arange(64) + 0.5 - 32.0)
    covered = (middle[:, None] < reach) & (middle < reach)
    np.testing.assert_array_equal(np.isfinite(depth), covered)
    np.testing.assert_allclose(depth[covered], 4.0, rtol=1e-6)
    np.testing.assert_allclose(image[covered], 0.8, rtol=1e-6)
    assert (image[~covered] == 0).all()


def test_shade_is_lamberts_and_light_falls_on_the_side_that_is_seen():
    light = np.array([0.0, 0.6, 0.8])
    for faces in (TWO, TWO[:, ::-1]):
        image = render_mesh(SQUARE, faces, np.eye(3), light=light, ambient=0.2, colors=(1.0, 0.5, 0.0))
        np.testing.assert_allclose(image[32, 32], (0.2 + 0.8 * 0.8) * np.array([1.0, 0.5, 0.0]), rtol=1e-6)
    away = render_mesh(SQUARE, TWO, np.eye(3), light=-light, ambient=0.2)
    np.testing.assert_allclose(away[32, 32], 0.2 * 0.8, rtol=1e-6)


def test_depth_and_colors_of_a_slanted_square_are_interpolated_with_perspective():
    R = Rotation.from_euler("Y", 60, degrees=True).as_matrix()
    colors = (SQUARE[:, :1] + 0.4) / 0.8 * np.ones(3)
    image, depth = render_mesh(
        SQUARE, TWO, R, camera=CAMERA, ambient=1.0, colors=colors, supersample=1, return_depth=True
    )
    row = 32
    for column in np.flatnonzero(np.isfinite(depth[row])):
        # The ray through the middle of the pixel, and where it meets the plane.
        slope = (column + 0.5 - 32.0) / CAMERA.focal
        along = 4.0 * slope / (np.cos(np.pi / 3) - slope * np.sin(np.pi / 3))
        assert depth[row, column] == pytest.approx(4.0 + along * np.sin(np.pi / 3), rel=1e-5)
        assert image[row, column, 0] == pytest.approx((along + 0.4) / 0.8, abs=1e-5)


def test_the_nearer_of_two_squares_is_seen_in_either_order():
    vertices = np.vstack([SQUARE, 0.5 * SQUARE + np.array([0, 0, 0.3])])
    colors = np.repeat([[1.0, 0, 0], [0, 1.0, 0]], 4, axis=0)
    for faces in (np.vstack([TWO, TWO + 4]), np.vstack([TWO + 4, TWO])):
        image = render_mesh(vertices, faces, np.eye(3), light=(0, 0, 1), colors=colors)
        np.testing.assert_allclose(image[32, 32], [0, 1, 0], atol=1e-6)
        assert image[32, 32 - 9, 0] > 0.5
        behind = render_mesh(vertices, faces, Rotation.from_euler("Y", 180, degrees=True).as_matrix(), colors=colors)
        assert behind[32, 32, 0] > 0.5
        assert behind[32, 32, 1] == 0


def test_a_sphere_has_the_silhouette_depth_and_shade_of_a_sphere():
    image, depth = render_mesh(*sphere(), np.eye(3), camera=CAMERA, light=(0, 0, 1), ambient=0.0, return_depth=True)
    # The silhouette is a circle of angular radius asin(1 / distance).
    radius = CAMERA.focal * np.tan(np.arcsin(0.25))
    assert np.isfinite(depth).sum() == pytest.approx(np.pi * radius**2, rel=0.05)
    assert depth[32, 32] == pytest.approx(3.0, abs=0.01)
    offset = (40.5 - 32) / CAMERA.focal
    t = (4 - np.sqrt(16 - 15 * (1 + offset**2))) / (1 + offset**2)
    assert image[32, 40, 0] == pytest.approx(0.8 * (4 - t), abs=0.02)


def test_turning_the_mesh_is_turning_its_pose_and_pictures_do_not_depend_on_company():
    R = Rotation.random(5, rng=0).as_matrix()
    points, faces = SQUARE + np.array([0.1, 0.2, 0.3]), TWO
    together = render_mesh(points, faces, R)
    assert together.shape == (5, 64, 64, 3)
    assert together.dtype == np.float32
    for pose, image in zip(R, together, strict=True):
        np.testing.assert_array_equal(render_mesh(points, faces, pose), image)
        np.testing.assert_allclose(render_mesh(points @ pose.T, faces, np.eye(3)), image, atol=1e-4)


def test_lights_colors_and_backgrounds_of_every_picture():
    R = np.stack([np.eye(3)] * 2)
    colors = np.array([[[1.0, 0, 0]], [[0, 0, 1.0]]])
    background = np.zeros((2, 64, 64, 3))
    background[1] = 0.5
    light = [[0, 0, 1], [1, 0, 0]]
    image = render_mesh(SQUARE, TWO, R, light=light, ambient=0.5, colors=colors, background=background)
    np.testing.assert_allclose(image[:, 32, 32], [[1, 0, 0], [0, 0, 0.5]], atol=1e-6)
    np.testing.assert_allclose(image[:, 0, 0], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert (background[0] == 0).all()


def test_supersampling_smooths_edges():
    R = Rotation.from_euler("Z", 20, degrees=True).as_matrix()
    for finer, most in ((1, 2), (4, 17)):
        image = render_mesh(SQUARE, TWO, R, light=(0, 0, 1), supersample=finer)
        levels = len(np.unique(image[..., 0].round(5)))
        assert levels <= most
        assert levels == 2 if finer == 1 else levels > 5


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="use unit_mesh, or a camera farther away"):
        render_mesh(10 * SQUARE, TWO, np.eye(3))
    with pytest.raises(ValueError, match=r"R\[1\] is none"):
        render_mesh(SQUARE, TWO, np.stack([np.eye(3), 2 * np.eye(3)]))
    with pytest.raises(ValueError, match="R must have shape"):
        render_mesh(SQUARE, TWO, np.ones(3))
    with pytest.raises(ValueError, match="light must be a direction"):
        render_mesh(SQUARE, TWO, np.eye(3), light=(0, 0, 0))
    with pytest.raises(ValueError, match="light must broadcast"):
        render_mesh(SQUARE, TWO, np.eye(3), light=np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"colors must be finite and in \[0, 1\]"):
        render_mesh(SQUARE, TWO, np.eye(3), colors=255)
    with pytest.raises(ValueError, match="background must broadcast"):
        render_mesh(SQUARE, TWO, np.eye(3), background=np.zeros((8, 8, 3)))
    with pytest.raises(ValueError, match="ambient"):
        render_mesh(SQUARE, TWO, np.eye(3), ambient=2.0)
    with pytest.raises(ValueError, match="supersample"):
        render_mesh(SQUARE, TWO, np.eye(3), supersample=0)
    with pytest.raises(ValueError, match="faces"):
        render_mesh(SQUARE, TWO + 4, np.eye(3))
