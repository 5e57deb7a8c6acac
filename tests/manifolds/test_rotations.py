"""Rotations and rigid motions: the suite, closed forms, SciPy, and heat kernels by quadrature."""

import math
import warnings

import mpmath as mp
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from holonomy.manifolds.rigid_motions import SE, LeftInvariant, Screw
from holonomy.manifolds.rotation_conversions import (
    AXES,
    ORDERS,
    axis_angle_to_matrix,
    check_rotations,
    euler_to_matrix,
    matrix_to_axis_angle,
    matrix_to_euler,
    matrix_to_quaternion,
    quaternion_to_matrix,
)
from holonomy.manifolds.rotation_kernels import _characters, _log_windings, so3_heat_kernel, so3_log_heat_kernel
from holonomy.manifolds.special_orthogonal import SpecialOrthogonal
from tests.manifolds.suite import ManifoldSuite


class TestSpecialOrthogonal(ManifoldSuite):
    spaces = (SpecialOrthogonal(2), SpecialOrthogonal(3), SpecialOrthogonal(4), SpecialOrthogonal(5))


class TestSE(ManifoldSuite):
    spaces = (SE(2), SE(3), SE(3, LeftInvariant(2.0, 0.3)))


class TestScrew(ManifoldSuite):
    """The group's verbs; those of the suite that need a Riemannian distance are replaced."""

    spaces = (SE(2, "screw"), SE(3, "screw"), SE(4, Screw(2.0, 0.5)))

    def test_transport_agrees_with_the_ladder(self, space, rng):
        x, y = self.points(space, rng, 2)
        v = self.tangents(space, x, rng)
        moved = space.transport(x, y, v)
        self.close(torch.linalg.solve(y, moved), torch.linalg.solve(x, v))

    def test_the_gradient_of_half_the_squared_distance_is_minus_log(self, space, rng):
        x, y, g = self.points(space, rng, 3)
        self.close(space.dist(g @ x, g @ y), space.dist(x, y))

    def test_dist_is_a_metric(self, space, rng):
        x, y = self.points(space, rng, 2, 5)
        self.close(space.dist(x, y), space.dist(y, x))


def _rotations(count, seed=0):
    return SpecialOrthogonal(3).random_uniform(count, random_state=seed, dtype=torch.float64)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("order", ORDERS)
def test_all_24_euler_angles_equal_scipy(order, axes):
    x = _rotations(200)
    angles = matrix_to_euler(x, order, axes=axes)
    scipy_order = order.upper() if axes == "moving" else order
    expected = Rotation.from_matrix(x.numpy()).as_euler(scipy_order)
    np.testing.assert_allclose(angles.numpy(), expected, atol=1e-12)
    torch.testing.assert_close(euler_to_matrix(angles, order, axes=axes), x)
    turned = matrix_to_euler(x, order, axes=axes, degrees=True)
    torch.testing.assert_close(torch.deg2rad(turned), angles)
    torch.testing.assert_close(euler_to_matrix(turned, order, axes=axes, degrees=True), x)


def test_radians_beyond_a_full_turn_warn_and_degrees_do_not():
    with pytest.warns(UserWarning, match="pass degrees=True if these are degrees"):
        euler_to_matrix(torch.tensor([90.0, 0.0, 0.0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        euler_to_matrix(torch.tensor([90.0, 0.0, 0.0]), degrees=True)
        euler_to_matrix(torch.tensor([6.28, -6.28, 0.0]))
        euler_to_matrix(torch.zeros(0, 3))


def test_a_matrix_that_is_no_rotation_is_named_by_its_index():
    R = _rotations(12).reshape(3, 4, 3, 3).clone()
    check_rotations(R)
    check_rotations(R.float())
    check_rotations(torch.zeros(0, 3, 3))
    R[1, 2] = -R[1, 2]
    with pytest.raises(ValueError, match=r"and labels\[1, 2\] is none: its determinant is -1"):
        check_rotations(R, "labels")
    R[1, 2] = math.nan
    with pytest.raises(ValueError, match=r"R\[1, 2\]"):
        check_rotations(R)
    with pytest.raises(ValueError, match="and R is none"):
        check_rotations(2.0 * torch.eye(3))


def test_conversions_are_differentiable():
    w = 0.9 * torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = axis_angle_to_matrix(w).requires_grad_()
    w.requires_grad_()
    assert torch.autograd.gradcheck(lambda w: matrix_to_quaternion(axis_angle_to_matrix(w)), w)
    assert torch.autograd.gradcheck(lambda w: quaternion_to_matrix(matrix_to_quaternion(axis_angle_to_matrix(w))), w)
    for axes in AXES:
        assert torch.autograd.gradcheck(lambda w, axes=axes: euler_to_matrix(w, "zxz", axes=axes), w)
        assert torch.autograd.gradcheck(lambda x, axes=axes: matrix_to_euler(x, "zxz", axes=axes), x)
    assert torch.autograd.gradcheck(matrix_to_axis_angle, x)


@pytest.mark.parametrize("order", ORDERS)
def test_locked_euler_angles_still_give_the_rotation(order):
    lock = 0.0 if order[0] == order[2] else math.pi / 2
    angles = torch.tensor([[0.3, lock, 0.4], [0.3, -lock, 0.4], [-2.0, lock, 0.0]], dtype=torch.float64)
    x = euler_to_matrix(angles, order)
    torch.testing.assert_close(euler_to_matrix(matrix_to_euler(x, order), order), x)


def test_quaternions_and_axis_angles_round_trip():
    x = torch.cat([_rotations(200), axis_angle_to_matrix(math.pi * torch.eye(3, dtype=torch.float64))])
    q = matrix_to_quaternion(x)
    expected = Rotation.from_matrix(x.numpy()).as_quat(canonical=True, scalar_first=True)
    torch.testing.assert_close(q[:200], torch.from_numpy(expected)[:200])
    torch.testing.assert_close(quaternion_to_matrix(3.0 * q), x)
    torch.testing.assert_close(axis_angle_to_matrix(matrix_to_axis_angle(x)), x)


@pytest.mark.parametrize("angle", [0.0, 1e-300, 1e-12, 1e-4, 0.009, 0.011, 1.0, 3.0, math.pi - 1e-7, math.pi])
def test_angles_keep_their_relative_precision(angle):
    w = angle * torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64)
    back = matrix_to_axis_angle(axis_angle_to_matrix(w))
    torch.testing.assert_close(back, w, rtol=4e-15, atol=0.0)
    variable = w.clone().requires_grad_()
    jacobian = torch.autograd.functional.jacobian(lambda w: matrix_to_axis_angle(axis_angle_to_matrix(w)), variable)
    if angle < math.pi - 1e-3:
        torch.testing.assert_close(jacobian, torch.eye(3, dtype=torch.float64), rtol=1e-9, atol=1e-9)
    assert torch.isfinite(jacobian).all()


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_log_of_known_angles(n):
    angles = torch.tensor([0.3, 0.3] if n > 3 else [2.9], dtype=torch.float64)
    turn = torch.zeros(n, n, dtype=torch.float64)
    for i, angle in enumerate(angles):
        turn[2 * i, 2 * i + 1], turn[2 * i + 1, 2 * i] = -angle, angle
    Q = SpecialOrthogonal(n).random_uniform(random_state=1, dtype=torch.float64)
    turn = Q @ turn @ Q.T
    space = SpecialOrthogonal(n)
    eye = torch.eye(n, dtype=torch.float64)
    torch.testing.assert_close(space.log(eye, torch.linalg.matrix_exp(turn)), turn, rtol=1e-12, atol=1e-13)
    assert float(space.dist(eye, torch.linalg.matrix_exp(turn))) == pytest.approx(float(angles.norm()), rel=1e-13)


def test_projection_is_the_nearest_rotation():
    M = torch.randn(20, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = SpecialOrthogonal(3).project(M)
    assert SpecialOrthogonal(3).belongs(x).all()
    torch.testing.assert_close(torch.linalg.det(x), torch.ones(20, dtype=torch.float64))
    others = _rotations(4000)
    nearest = (M[:, None] - others).square().sum((-2, -1)).amin(1)
    assert ((M - x).square().sum((-2, -1)) <= nearest).all()


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_gradient_of_the_projection_is_right_for_either_sign_of_the_determinant(n):
    M = torch.randn(6, n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    assert (torch.linalg.det(M) < 0).any()
    assert (torch.linalg.det(M) > 0).any()
    assert torch.autograd.gradcheck(SpecialOrthogonal(n).project, M.requires_grad_())
    assert torch.autograd.gradgradcheck(SpecialOrthogonal(n).project, M[:2])


def test_left_invariant_metric_is_left_invariant_and_not_right_invariant():
    space = SE(3)
    x, y, g = space.random_normal(3, std=0.5, random_state=0, dtype=torch.float64)
    torch.testing.assert_close(space.dist(g @ x, g @ y), space.dist(x, y))
    assert abs(float(space.dist(x @ g, y @ g) - space.dist(x, y))) > 1e-3


def test_screw_of_a_quarter_turn_about_a_distant_axis():
    twist = torch.zeros(4, 4, dtype=torch.float64)
    twist[0, 1], twist[1, 0], twist[1, 3] = -math.pi / 2, math.pi / 2, -math.pi / 2
    end = SE(3, "screw").exp(torch.eye(4, dtype=torch.float64), twist)
    moved = end @ torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(moved, torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64))


@pytest.mark.parametrize("s", [1e-3, 0.05, 0.7, 1.9, 2.1, 6.0])
def test_heat_kernel_integrates_to_one_and_equals_mpmath(s):
    angle = torch.linspace(0.0, math.pi, 40001, dtype=torch.float64)
    density = so3_heat_kernel(angle, torch.tensor(s, dtype=torch.float64))
    shells = 16.0 * math.pi * torch.sin(angle / 2).square()
    assert float(torch.trapezoid(density * shells, angle)) == pytest.approx(1.0, abs=1e-6)
    for a in (1e-9, 0.5, 3.1):
        with mp.workdps(150):
            terms = int(40 / math.sqrt(s)) + 40
            total = mp.mpf(0)
            for k in range(terms):
                character = mp.sin((k + mp.mpf("0.5")) * a) / mp.sin(mp.mpf(a) / 2)
                total += (2 * k + 1) * mp.exp(-mp.mpf(k * (k + 1)) * s / 2) * character
            total /= 8 * mp.pi**2
        ours = float(so3_heat_kernel(torch.tensor(a, dtype=torch.float64), torch.tensor(s, dtype=torch.float64)))
        assert ours == pytest.approx(float(total), rel=1e-10, abs=1e-130)


@pytest.mark.parametrize("std", [0.1, 0.7, 1.5])
def test_wrapped_normal_rotations_have_mass_one_and_follow_their_density(std):
    angle = torch.linspace(0.0, math.pi, 200_001, dtype=torch.float64)
    angle = 0.5 * (angle[1:] + angle[:-1])
    axis = torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64)
    density = SpecialOrthogonal(3).normal_log_prob(axis_angle_to_matrix(angle[:, None] * axis), std=std).exp()
    shells = 16.0 * math.pi * torch.sin(angle / 2).square() * math.pi / len(angle)
    assert float((density * shells).sum()) == pytest.approx(1.0, abs=1e-5)
    x = SpecialOrthogonal(3).random_normal(40_000, std=std, random_state=0, dtype=torch.float64)
    seen = SpecialOrthogonal(3).dist(torch.eye(3, dtype=torch.float64), x)
    assert abs(float(seen.mean() - (density * shells * angle).sum())) < 5.0 * float(seen.std()) / 200.0
    flat = SpecialOrthogonal(2)
    turns = angle[:, None, None] * torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    circle = flat.normal_log_prob(torch.linalg.matrix_exp(turns[50::100]), std=std).exp()
    assert float(2.0 * math.pi * circle.mean()) == pytest.approx(1.0, abs=1e-4)
    with pytest.raises(NotImplementedError, match="how many geodesics"):
        SpecialOrthogonal(4).normal_log_prob(torch.eye(4))


def test_heat_kernel_forms_agree():
    angle = torch.linspace(0.0, math.pi, 50, dtype=torch.float64)
    s = torch.tensor(2.0, dtype=torch.float64)
    torch.testing.assert_close(_log_windings(angle, s), torch.log(_characters(angle, s)), rtol=1e-10, atol=1e-10)
    far = so3_log_heat_kernel(angle, 1e-3 * s)
    assert torch.isfinite(far).all()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="n must be at least 2"):
        SpecialOrthogonal(1)
    with pytest.raises(ValueError, match="order"):
        euler_to_matrix(torch.zeros(3), "xxy")
    with pytest.raises(ValueError, match="order"):
        matrix_to_euler(torch.eye(3), "XYZ")
    with pytest.raises(ValueError, match="axes"):
        euler_to_matrix(torch.zeros(3), axes="intrinsic")
    with pytest.raises(ValueError, match="axes"):
        matrix_to_euler(torch.eye(3), axes="extrinsic")
    with pytest.raises(TypeError, match="R must be a floating-point tensor"):
        check_rotations([[1.0]])
    with pytest.raises(TypeError, match="int64"):
        check_rotations(torch.eye(3).long())
    with pytest.raises(ValueError, match=r"R must have shape \(..., 3, 3\), got \(4, 4\)"):
        check_rotations(torch.eye(4))
    with pytest.raises(ValueError, match="positive"):
        LeftInvariant(rotation=-1.0)
    with pytest.raises(ValueError, match="metric"):
        SE(3, "left")
