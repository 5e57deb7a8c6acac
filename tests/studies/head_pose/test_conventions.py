"""Published angles and poses: by hand, round trips, and mirrors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from holonomy.datasets import make_rendered_poses
from holonomy.studies.head_pose import angles_from_pose, flip_poses, pose_from_angles

ANGLE = st.floats(-89, 89)


def _elementary(axis, degrees):
    return Rotation.from_euler(axis, degrees, degrees=True).as_matrix()


@given(ANGLE, st.floats(-179, 179), st.floats(-179, 179))
@settings(max_examples=50, deadline=None)
def test_the_pose_is_the_transpose_of_the_published_matrix(yaw, pitch, roll):
    published = _elementary("z", roll) @ _elementary("y", yaw) @ _elementary("x", pitch)
    R = pose_from_angles([yaw, pitch, roll])
    np.testing.assert_allclose(R, published.T, atol=1e-12)
    np.testing.assert_allclose(angles_from_pose(R), [yaw, pitch, roll], atol=1e-7)
    np.testing.assert_allclose(angles_from_pose(R, degrees=False), np.radians([yaw, pitch, roll]), atol=1e-9)


def test_the_axes_of_the_pose_are_those_that_the_published_program_draws():
    yaw, pitch, roll = np.radians([35.0, -20.0, 15.0])
    R = pose_from_angles([yaw, pitch, roll], degrees=False)
    # The program's formulas give ends with y down, for axes x, y down and z.
    drawn = np.array(
        [
            [np.cos(yaw) * np.cos(roll), np.cos(pitch) * np.sin(roll) - np.cos(roll) * np.sin(pitch) * np.sin(yaw)],
            [-np.cos(yaw) * np.sin(roll), np.cos(pitch) * np.cos(roll) + np.sin(pitch) * np.sin(yaw) * np.sin(roll)],
            [-np.sin(yaw), -np.cos(yaw) * np.sin(pitch)],
        ]
    )
    ours = np.stack([R[0], -R[1]], -1) * np.array([[1.0], [-1.0], [1.0]])
    np.testing.assert_allclose(ours, drawn, atol=1e-12)


def test_mirrored_images_have_mirrored_poses():
    plate = np.array([[-1.0, -0.3, 0.2], [1.0, -0.3, 0.0], [0.3, 1.0, 0.0], [-0.3, 1.0, 0.3]])
    symmetric = np.concatenate([plate, plate * [-1, 1, 1]]), np.array([[0, 1, 2], [0, 2, 3], [4, 6, 5], [4, 7, 6]])
    data = make_rendered_poses([symmetric], 5, background="black", light="fixed", random_state=0)
    images, R = flip_poses(data.images, data.R)
    np.testing.assert_array_equal(images, data.images[:, :, ::-1])
    angles, mirrored = angles_from_pose(data.R), angles_from_pose(R)
    np.testing.assert_allclose(mirrored, angles * [-1, 1, -1], atol=1e-9)
    # Drawn anew in the mirrored pose, the silhouette of a symmetric object is the mirrored one.
    from holonomy.datasets import render_mesh, unit_mesh

    again = render_mesh(unit_mesh(symmetric[0]), symmetric[1], R, camera=data.camera)
    agreement = (again.any(-1) == images.any(-1)).mean()
    assert agreement > 0.99


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="angles must be finite"):
        pose_from_angles([1.0, 2.0])
    with pytest.raises(ValueError, match="angles must be finite"):
        pose_from_angles([1.0, 2.0, np.nan])
    with pytest.raises(ValueError, match=r"R\[1\] is none"):
        angles_from_pose(np.stack([np.eye(3), -np.eye(3)]))
    with pytest.raises(ValueError, match="images and R must have shapes"):
        flip_poses(np.zeros((2, 4, 4)), np.eye(3)[None])
