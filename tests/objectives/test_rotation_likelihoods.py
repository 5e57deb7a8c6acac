"""Likelihoods of rotations: their least value is at the truth, and gradients agree with differences."""

import math

import pytest
import torch

from holonomy.manifolds import SpecialOrthogonal, matrix_to_quaternion
from holonomy.objectives import bingham_loss, matrix_fisher_loss

UNIFORM = math.log(8.0 * math.pi**2)


def _rotations(count, seed=0):
    return SpecialOrthogonal(3).random_uniform(count, random_state=seed, dtype=torch.float64)


def test_a_sure_and_right_guess_is_better_than_none_and_a_sure_and_wrong_one_is_worse():
    R, other = _rotations(20), _rotations(20, seed=1)
    assert (matrix_fisher_loss(20.0 * R, R, "none") < UNIFORM - 3.0).all()
    assert float(matrix_fisher_loss(20.0 * other, R)) > UNIFORM
    q = matrix_to_quaternion(R)
    A = -80.0 * q[:, :, None] * q[:, None, :]
    torch.testing.assert_close(bingham_loss(A, R, "none"), matrix_fisher_loss(20.0 * R, R, "none"))
    assert float(bingham_loss(A, other)) > UNIFORM


def test_gradients_are_those_of_differences():
    R = _rotations(3)
    F = torch.randn(3, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda F: matrix_fisher_loss(F, R), F)
    B = torch.randn(3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(lambda B: bingham_loss(B + B.mT, R), B)


def test_a_maximum_likelihood_fit_finds_the_parameters():
    from holonomy.manifolds import MatrixFisher

    true = torch.diag(torch.tensor([8.0, 5.0, 2.0], dtype=torch.float64)) @ _rotations(1, seed=3)[0]
    x = MatrixFisher(true).sample(4000, random_state=0)
    F = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([F], max_iter=50, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = matrix_fisher_loss(F, x)
        loss.backward()
        return loss

    optimizer.step(closure)
    torch.testing.assert_close(F.detach(), true, rtol=0.1, atol=0.5)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="F must hold"):
        matrix_fisher_loss(torch.zeros(9), torch.eye(3))
    with pytest.raises(ValueError, match="A must hold"):
        bingham_loss(torch.zeros(3, 3), torch.eye(3))
    with pytest.raises(ValueError, match="reduction"):
        matrix_fisher_loss(torch.zeros(3, 3), torch.eye(3), "median")
