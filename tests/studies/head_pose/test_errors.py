"""Errors of poses: by hand, folded, and where angles mislead."""

import numpy as np
import pytest
from rich.console import Console
from scipy.spatial.transform import Rotation

from holonomy.studies.head_pose import evaluate_poses, pose_from_angles


def test_errors_by_hand():
    true = pose_from_angles([[0.0, 0, 0], [0.0, 0, 0]])
    predicted = pose_from_angles([[6.0, 0, 0], [0.0, 0, -3.0]])
    errors = evaluate_poses(predicted, true)
    assert errors.n == 2
    assert (errors.yaw, errors.pitch, errors.roll) == pytest.approx((3.0, 0.0, 1.5), abs=1e-9)
    assert errors.mae == pytest.approx(1.5)
    assert errors.geodesic == pytest.approx(4.5)
    assert (errors.right, errors.up, errors.front) == pytest.approx((4.5, 1.5, 3.0))
    assert errors.maev == pytest.approx(3.0)
    assert errors.n_locked == 0


def test_axes_are_the_columns_and_tiny_errors_are_precise():
    true = Rotation.random(50, rng=0).as_matrix()
    turn = Rotation.from_rotvec([0, 0, 1e-9]).as_matrix()
    errors = evaluate_poses(true @ turn, true)
    assert errors.front == pytest.approx(0.0, abs=1e-12)
    assert errors.right == pytest.approx(np.degrees(1e-9), rel=1e-5)
    predicted = Rotation.random(50, rng=1).as_matrix()
    cosines = (predicted * true).sum(1)
    expected = np.degrees(np.arccos(cosines)).mean(0)
    errors = evaluate_poses(predicted, true)
    np.testing.assert_allclose([errors.right, errors.up, errors.front], expected)


def test_angles_wrap_and_folding_hides_half_a_turn():
    true, predicted = pose_from_angles([[0.0, 179.0, 0.0]]), pose_from_angles([[0.0, -179.0, 0.0]])
    assert evaluate_poses(predicted, true).pitch == pytest.approx(2.0)
    wrong = pose_from_angles([[0.0, 0.0, 180.0]])
    assert evaluate_poses(wrong, np.eye(3)[None]).roll == pytest.approx(180.0)
    assert evaluate_poses(wrong, np.eye(3)[None], folded=True).roll == pytest.approx(0.0, abs=1e-6)


def test_near_the_lock_angles_are_far_apart_and_rotations_are_not():
    true, predicted = pose_from_angles([[89.9, 0.0, 0.0]]), pose_from_angles([[89.9, 40.0, 40.0]])
    errors = evaluate_poses(predicted, true)
    assert errors.mae > 25
    assert errors.geodesic < 0.1
    assert errors.maev < 0.1
    assert errors.n_locked == 1


def test_labels_with_a_yaw_beyond_90_degrees():
    label = np.array([[120.0, 0.0, 0.0]])
    errors = evaluate_poses(pose_from_angles(label), pose_from_angles(label), angles=label)
    assert errors.geodesic == pytest.approx(0.0, abs=1e-6)
    # The matrix says yaw 60, pitch 180, roll 180.
    assert (errors.yaw, errors.pitch, errors.roll) == pytest.approx((60.0, 180.0, 180.0))


def test_it_is_shown_as_a_table():
    errors = evaluate_poses(pose_from_angles([[30.0, 0, 0]]), pose_from_angles([[33.0, 0, 0]]))
    console = Console(record=True, width=120)
    console.print(errors)
    assert "3.00 / 0.00 / 0.00, mean 1.00" in console.export_text()
    assert "<table" in errors._repr_html_()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="same shape"):
        evaluate_poses(np.eye(3)[None], np.stack([np.eye(3)] * 2))
    with pytest.raises(ValueError, match="same shape"):
        evaluate_poses(np.eye(3), np.eye(3))
    with pytest.raises(ValueError, match=r"predicted\[0\] is none"):
        evaluate_poses(np.zeros((1, 3, 3)), np.eye(3)[None])
    with pytest.raises(ValueError, match="angles must have shape"):
        evaluate_poses(np.eye(3)[None], np.eye(3)[None], angles=np.zeros(3))
