"""Axes on images: where they end, which is in front, and sheets."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from holonomy.studies.head_pose import draw_axes, pose_from_angles, pose_sheet
from holonomy.studies.head_pose.drawing import COLORS

BLACK = np.zeros((101, 121, 3), np.uint8)


def _is(image, color):
    return (image == np.array(color, np.uint8)).all(-1)


def test_axes_end_where_the_columns_point():
    R = pose_from_angles([35.0, -20.0, 15.0])
    image = draw_axes(BLACK, R, length=40, width=1)
    assert (BLACK == 0).all()
    for axis in range(3):
        end = np.array([60 + 40 * R[0, axis], 50 - 40 * R[1, axis]])
        rows, columns = np.nonzero(_is(image, COLORS[axis]))
        nearest = np.hypot(columns - end[0], rows - end[1]).min()
        assert nearest < 1.5


def test_the_axis_towards_the_viewer_is_drawn_last():
    ahead = Rotation.from_euler("X", 20, degrees=True).as_matrix()
    image = draw_axes(BLACK, ahead, width=3)
    assert _is(image, COLORS[2])[50, 60]


def test_place_and_colors():
    image = draw_axes(BLACK, np.eye(3), center=(10, 90), length=20, width=1, colors=((1, 2, 3), (4, 5, 6), (7, 8, 9)))
    assert tuple(image[90, 25]) == (1, 2, 3)
    assert tuple(image[75, 10]) == (4, 5, 6)


def test_sheets_put_images_side_by_side_with_all_poses():
    images = np.full((5, 30, 40, 3), 9, np.uint8)
    true, predicted = Rotation.random(5, rng=0).as_matrix(), Rotation.random(5, rng=1).as_matrix()
    sheet = pose_sheet(images, true, predicted, columns=3, scale=2)
    assert sheet.shape == (120, 240, 3)
    assert (sheet[60:, 160:] == 255).all()
    np.testing.assert_array_equal(pose_sheet(images, columns=5), np.concatenate(images, axis=1))
    one = pose_sheet(images[:1], true[:1], columns=1, scale=3)
    np.testing.assert_array_equal(one, draw_axes(images[0].repeat(3, 0).repeat(3, 1), true[0]))


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="image must be uint8"):
        draw_axes(np.zeros((5, 5, 3)), np.eye(3))
    with pytest.raises(ValueError, match="one rotation"):
        draw_axes(BLACK, np.eye(3)[None])
    with pytest.raises(ValueError, match="rotations"):
        draw_axes(BLACK, np.ones((3, 3)))
    with pytest.raises(ValueError, match="width"):
        draw_axes(BLACK, np.eye(3), width=0)
    with pytest.raises(ValueError, match="images must be uint8"):
        pose_sheet(BLACK)
    with pytest.raises(ValueError, match=r"poses\[0\] must have shape"):
        pose_sheet(BLACK[None], np.stack([np.eye(3)] * 2))
    with pytest.raises(ValueError, match="columns"):
        pose_sheet(BLACK[None], columns=0)
