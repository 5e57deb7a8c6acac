"""Losses on parameters: zero at the truth, what they punish that they should not, and bins."""

import math

import pytest
import torch

from holonomy.manifolds import (
    SpecialOrthogonal,
    euler_to_matrix,
    matrix_to_axis_angle,
    matrix_to_euler,
    matrix_to_quaternion,
    matrix_to_sixd,
)
from holonomy.objectives import binned_angle_loss, rotation_parameter_loss
from holonomy.objectives.rotation_parameters import WIDTHS, bin_centers

R = SpecialOrthogonal(3).random_uniform(50, random_state=0, dtype=torch.float64)
TRUE = {
    "6d": matrix_to_sixd(R),
    "9d_svd": R.flatten(-2),
    "quaternion": -3.0 * matrix_to_quaternion(R),
    "euler": matrix_to_euler(R),
    "axis_angle": matrix_to_axis_angle(R),
}


@pytest.mark.parametrize("representation", WIDTHS)
def test_it_is_zero_at_the_truth_and_positive_elsewhere(representation):
    true = TRUE[representation].clone().requires_grad_()
    loss = rotation_parameter_loss(true, R, representation)
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-20)
    loss.backward()
    assert torch.isfinite(true.grad).all()
    other = TRUE[representation].roll(1, 0)
    each = rotation_parameter_loss(other, R, representation, "none")
    assert each.shape == (50,)
    assert (each > 0).all()
    torch.testing.assert_close(rotation_parameter_loss(other, R, representation, "sum"), each.sum())


def test_euler_angles_punish_a_full_turn_and_quaternions_do_not_punish_their_sign():
    angles = torch.tensor([[math.pi - 0.01, 0.0, 0.0]])
    near = euler_to_matrix(torch.tensor([[-math.pi + 0.01, 0.0, 0.0]]))
    assert float(rotation_parameter_loss(angles, near, "euler")) > 39.0
    q = matrix_to_quaternion(euler_to_matrix(angles))
    for sign in (1.0, -1.0):
        assert float(rotation_parameter_loss(sign * q, near, "quaternion")) < 1e-3


def test_bins_by_hand():
    centers = bin_centers(66)
    assert centers.rad2deg()[0] == pytest.approx(-97.5, abs=1e-4)
    assert bin_centers(120)[-1].rad2deg() == pytest.approx(178.5, abs=1e-4)
    angles = torch.deg2rad(torch.tensor([[0.0, 40.0, -150.0]]))
    logits = torch.full((1, 3, 66), -1e4)
    for axis, index in enumerate((33, 46, 0)):
        logits[0, axis, index] = 0.0
    expected = 1.5**2 + 0.5**2 + 52.5**2
    assert float(binned_angle_loss(logits, angles)) == pytest.approx(expected, rel=1e-4)
    assert float(binned_angle_loss(logits, angles, weight=0.0)) == pytest.approx(0.0, abs=1e-5)
    flat = binned_angle_loss(torch.zeros(1, 3, 66), angles, weight=0.0)
    assert float(flat) == pytest.approx(3.0 * math.log(66.0), rel=1e-6)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="representation must be one of"):
        rotation_parameter_loss(torch.zeros(10), torch.eye(3), "10d")
    with pytest.raises(ValueError, match="numbers must have shape"):
        rotation_parameter_loss(torch.zeros(5), torch.eye(3), "6d")
    with pytest.raises(ValueError, match="R must have shape"):
        rotation_parameter_loss(torch.zeros(6), torch.eye(4), "6d")
    with pytest.raises(ValueError, match="reduction"):
        rotation_parameter_loss(torch.zeros(6), torch.eye(3), "6d", "max")
    with pytest.raises(ValueError, match="logits must have the shape"):
        binned_angle_loss(torch.zeros(2, 3, 66), torch.zeros(3))
    with pytest.raises(ValueError, match="logits must have the shape"):
        binned_angle_loss(torch.zeros(66), torch.zeros(66))
    with pytest.raises(ValueError, match="weight"):
        binned_angle_loss(torch.zeros(1, 66), torch.zeros(1), weight=-1.0)
    with pytest.raises(ValueError, match="at most 360"):
        bin_centers(200)
    with pytest.raises(ValueError, match="n_bins"):
        bin_centers(1)
    with pytest.raises(ValueError, match="bin_degrees"):
        bin_centers(10, 0.0)
