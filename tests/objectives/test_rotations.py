"""Angles and chords between rotations: values, invariance, range, and gradients at the ends."""

import math

import mpmath as mp
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from holonomy.manifolds import SpecialOrthogonal, axis_angle_to_matrix, sixd_to_matrix
from holonomy.objectives import chordal_loss, geodesic_loss

ANGLES = [0.0, 1e-12, 1e-7, 1e-3, 1.0, math.pi / 2, 2.0, 3.0, math.pi - 1e-3, math.pi - 1e-7, math.pi]


def _rotations(count, seed=0, dtype=torch.float64):
    return SpecialOrthogonal(3).random_uniform(count, random_state=seed, dtype=dtype)


def _turn(angle, dtype=torch.float64):
    return axis_angle_to_matrix(angle * torch.tensor([2.0, -1.0, 2.0], dtype=dtype) / 3.0)


@pytest.mark.parametrize("angle", ANGLES)
def test_the_angle_is_that_of_the_turn(angle):
    R = _rotations(1)[0]
    ours = float(geodesic_loss(R, R @ _turn(angle)))
    assert ours == pytest.approx(angle, rel=1e-12, abs=2e-15 if angle == 0 else 1e-15 / max(angle, 1e-15))
    assert float(geodesic_loss(R.float(), (R @ _turn(angle)).float())) == pytest.approx(angle, rel=1e-6, abs=3e-7)


def test_it_equals_the_inverse_cosine_of_many_digits_and_the_distance_of_the_manifold():
    a, b = _rotations(20), _rotations(20, seed=1)
    ours = geodesic_loss(a, b, "none")
    with mp.workdps(40):
        for x, y, angle in zip(a, b, ours, strict=True):
            trace = sum(mp.mpf(float(p)) * mp.mpf(float(q)) for p, q in zip(x.flatten(), y.flatten(), strict=True))
            assert float(angle) == pytest.approx(float(mp.acos((trace - 1) / 2)), abs=1e-12)
    torch.testing.assert_close(ours, SpecialOrthogonal(3).dist(a, b))
    square = (a - b).square().sum((-2, -1))
    torch.testing.assert_close(ours, 2.0 * torch.atan2(square.sqrt(), (8.0 - square).sqrt()))
    torch.testing.assert_close(chordal_loss(a, b, "none"), 8.0 * torch.sin(0.5 * ours).square())


@given(st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_it_is_bi_invariant_symmetric_and_at_most_pi(seed):
    a, b, Q = _rotations(3, seed)
    angle = geodesic_loss(a, b)
    assert 0.0 <= float(angle) <= math.pi
    for other in (geodesic_loss(Q @ a, Q @ b), geodesic_loss(a @ Q, b @ Q), geodesic_loss(b, a)):
        torch.testing.assert_close(other, angle)


@given(st.sampled_from(ANGLES), st.integers(0, 2**31), st.sampled_from([torch.float32, torch.float64]))
@settings(max_examples=60, deadline=None)
def test_gradients_are_finite_from_0_to_pi(angle, seed, dtype):
    R = _rotations(1, seed)[0]
    predicted = (R @ _turn(angle)).to(dtype).requires_grad_()
    for loss in (geodesic_loss, chordal_loss, lambda a, b: chordal_loss(a, b, squared=False)):
        (gradient,) = torch.autograd.grad(loss(predicted, R.to(dtype)), predicted)
        assert torch.isfinite(gradient).all()
        assert float(gradient.norm()) <= 6.0


@pytest.mark.parametrize("angle", [1e-3, 1.0, math.pi / 2 - 1e-6, math.pi / 2 + 1e-6, 3.0, math.pi - 1e-3])
def test_the_gradient_along_rotations_has_length_one(angle):
    R = _rotations(1)[0]
    predicted = (R @ _turn(angle)).requires_grad_()
    (gradient,) = torch.autograd.grad(geodesic_loss(predicted, R), predicted)
    space = SpecialOrthogonal(3)
    at = predicted.detach()
    assert float(space.norm(at, space.egrad_to_rgrad(at, gradient))) == pytest.approx(1.0, abs=1e-6)


def test_coincident_and_opposite_rotations_have_gradient_zero():
    R = torch.stack([torch.eye(3), torch.diag(torch.tensor([1.0, -1.0, -1.0]))]).requires_grad_()
    geodesic_loss(R, torch.eye(3)).backward()
    assert float(R.grad.abs().max()) == 0.0


def test_it_descends_through_six_numbers_from_the_opposite_side():
    six = torch.tensor([-1.0, 1e-3, 0.0, 0.0, -1.0, 1e-3], requires_grad=True)
    optimizer = torch.optim.Adam([six], lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        loss = geodesic_loss(sixd_to_matrix(six), torch.eye(3))
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.1


def test_reductions():
    a, b = _rotations(5), _rotations(5, seed=1)
    for loss in (geodesic_loss, chordal_loss):
        each = loss(a, b, "none")
        assert each.shape == (5,)
        torch.testing.assert_close(loss(a, b), each.mean())
        torch.testing.assert_close(loss(a, b, "sum"), each.sum())
    assert geodesic_loss(a[:, None], b, "none").shape == (5, 5)
    torch.testing.assert_close(chordal_loss(a, b, "none", squared=False) ** 2, chordal_loss(a, b, "none"))


@pytest.mark.parametrize("loss", [geodesic_loss, chordal_loss])
def test_bad_input_is_named(loss):
    with pytest.raises(ValueError, match="R1 must have shape"):
        loss(torch.zeros(6), torch.eye(3))
    with pytest.raises(ValueError, match="R2 must have shape"):
        loss(torch.eye(3), torch.eye(4))
    with pytest.raises(ValueError, match="reduction must be one of"):
        loss(torch.eye(3), torch.eye(3), "average")
