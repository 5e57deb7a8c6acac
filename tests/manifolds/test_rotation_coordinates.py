"""Six, nine and ten numbers of rotations: orthonormal, equivariant, continuous, and with gradients that stay finite."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from holonomy.manifolds import MatrixFisher, SpecialOrthogonal, axis_angle_to_matrix, quaternion_to_matrix
from holonomy.manifolds.rotation_coordinates import (
    matrix_to_sixd,
    nined_to_matrix,
    outer_to_matrix,
    sixd_degenerate,
    sixd_to_matrix,
    tend_to_matrix,
    tend_to_symmetric,
)

MAPS = {6: sixd_to_matrix, 9: nined_to_matrix, 10: tend_to_matrix}


def _numbers(count, width, seed=0, dtype=torch.float64):
    return torch.randn(count, width, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _rotations(count, seed=0):
    return SpecialOrthogonal(3).random_uniform(count, random_state=seed, dtype=torch.float64)


@pytest.mark.parametrize("width", MAPS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-13)])
def test_any_numbers_give_rotations(width, dtype, tolerance):
    R = MAPS[width](_numbers(20_000, width, dtype=dtype))
    assert R.dtype == dtype
    wide = R.double()
    assert (wide.mT @ wide - torch.eye(3, dtype=torch.float64)).abs().max() <= tolerance
    assert (torch.linalg.det(wide) - 1.0).abs().max() <= tolerance


def test_six_numbers_round_trip_with_columns_and_rows():
    half_turns = axis_angle_to_matrix(math.pi * torch.eye(3, dtype=torch.float64))
    R = torch.cat([_rotations(200), half_turns])
    torch.testing.assert_close(sixd_to_matrix(5.0 * matrix_to_sixd(R)), R)
    torch.testing.assert_close(sixd_to_matrix(0.2 * matrix_to_sixd(R, rows=True), rows=True), R)
    torch.testing.assert_close(sixd_to_matrix(matrix_to_sixd(R, rows=True)), R.mT)
    torch.testing.assert_close(nined_to_matrix(3.0 * R.flatten(-2)), R)


def test_the_form_by_cross_products_is_gram_schmidt():
    six = _numbers(1000, 6)
    a, b = six[:, :3], six[:, 3:]
    first = a / a.norm(dim=-1, keepdim=True)
    third = torch.linalg.cross(first, b)
    third = third / third.norm(dim=-1, keepdim=True)
    other = torch.stack([first, torch.linalg.cross(third, first), third], dim=-1)
    torch.testing.assert_close(sixd_to_matrix(six), other)


@given(st.integers(0, 2**31), st.floats(-30, 30))
@settings(max_examples=50, deadline=None)
def test_turning_the_two_vectors_turns_the_rotation_and_lengths_do_not_matter(seed, exponent):
    six, Q = _numbers(1, 6, seed)[0], _rotations(1, seed)[0]
    R = sixd_to_matrix(six)
    turned = torch.cat([Q @ six[:3], Q @ six[3:]])
    torch.testing.assert_close(sixd_to_matrix(turned), Q @ R, rtol=0, atol=1e-10)
    torch.testing.assert_close(sixd_to_matrix(10.0**exponent * six), R, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_degenerate_six_numbers_give_rotations_with_finite_gradients_and_are_told(dtype):
    six = torch.tensor(
        [
            [0.0, 0, 0, 0, 0, 0],
            [0.0, 0, 0, 1, 2, 3],
            [1.0, 2, 3, 0, 0, 0],
            [1.0, 2, 3, -2, -4, -6],
            [0.0, 0, 0, 1, 0, 0],
            [1e-25, 0, 0, 0, 1, 0],
            [1.0, 0, 0, 0, 1, 0],
        ],
        dtype=dtype,
        requires_grad=True,
    )
    R = sixd_to_matrix(six)
    wide = R.detach().double()
    torch.testing.assert_close(wide.mT @ wide, torch.eye(3, dtype=torch.float64).expand(7, 3, 3), rtol=0, atol=1e-6)
    assert (torch.linalg.det(wide) > 0).all()
    R.pow(3).sum().backward()
    assert torch.isfinite(six.grad).all()
    assert (six.grad[0] == 0).all()
    expected = [True, True, True, True, True, dtype == torch.float32, False]
    assert sixd_degenerate(six).tolist() == expected


def test_six_numbers_are_continuous_where_the_quaternion_jumps():
    angles = torch.linspace(0.0, 4.0 * math.pi, 2001, dtype=torch.float64)
    path = axis_angle_to_matrix(angles[:, None] * torch.tensor([0.6, 0.0, 0.8], dtype=torch.float64))
    step = float(angles[1] - angles[0])
    six = matrix_to_sixd(path)
    assert (six.diff(dim=0).norm(dim=-1) <= math.sqrt(2.0) * step).all()
    quaternions = torch.from_numpy(Rotation.from_matrix(path.numpy()).as_quat(canonical=True))
    assert float(quaternions.diff(dim=0).norm(dim=-1).max()) > 1.9
    # Back: the section is Lipschitz, with a constant of the order of one over the length of the vectors.
    noisy = six + 1e-3 * _numbers(2001, 6)
    moved = SpecialOrthogonal(3).dist(sixd_to_matrix(noisy), path)
    assert (moved <= 2.0 * (noisy - six).norm(dim=-1)).all()


@pytest.mark.parametrize("width", MAPS)
def test_gradients_are_those_of_differences(width):
    assert torch.autograd.gradcheck(MAPS[width], _numbers(5, width, seed=3).requires_grad_())


def test_repeated_singular_values_and_eigenvalues_do_no_harm():
    nine = torch.eye(3, dtype=torch.float64).flatten().requires_grad_()
    assert torch.autograd.gradcheck(nined_to_matrix, nine)
    A = torch.diag(torch.tensor([0.0, 1.0, 1.0, 1.0], dtype=torch.float64))
    i, j = torch.triu_indices(4, 4)
    assert torch.autograd.gradcheck(tend_to_matrix, A[i, j].clone().requires_grad_())
    for width in (9, 10):
        zero = torch.zeros(width, dtype=torch.float64, requires_grad=True)
        MAPS[width](zero).sum().backward()
        assert torch.isfinite(zero.grad).all()


def test_nine_numbers_give_the_most_likely_rotation_of_the_matrix_fisher_distribution():
    nine = _numbers(50, 9)
    F = nine.unflatten(-1, (3, 3))
    torch.testing.assert_close(nined_to_matrix(nine), MatrixFisher(F).mode())
    scores = torch.einsum("bij,kij->bk", F, _rotations(5000, seed=1))
    best = (F * nined_to_matrix(nine)).sum((-2, -1))
    assert (scores <= best[:, None]).all()


def test_ten_numbers_give_the_lowest_eigenvector():
    ten = _numbers(50, 10)
    A = tend_to_symmetric(ten)
    assert torch.equal(A, A.mT)
    for matrix, R in zip(A.numpy(), tend_to_matrix(ten).numpy(), strict=True):
        q = np.linalg.eigh(matrix)[1][:, 0]
        np.testing.assert_allclose(R, Rotation.from_quat(q, scalar_first=True).as_matrix(), atol=1e-12)
    q = torch.nn.functional.normalize(_numbers(20, 4), dim=-1)
    torch.testing.assert_close(outer_to_matrix(q[:, :, None] * q[:, None, :]), quaternion_to_matrix(q))


@pytest.mark.parametrize(
    ("function", "name"), [(sixd_to_matrix, "six"), (nined_to_matrix, "nine"), (tend_to_matrix, "ten")]
)
def test_bad_input_is_named(function, name):
    with pytest.raises(ValueError, match=f"{name} must have shape"):
        function(torch.zeros(5))
