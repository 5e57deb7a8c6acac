"""Matrices of fixed rank: the suite, and what is known."""

import pytest
import torch

from holonomy.manifolds.fixed_rank import FixedRank, range_bases, truncated_inverse
from tests.manifolds.test_matrix_spaces import _NoRadius


class TestFixedRank(_NoRadius):
    spaces = (FixedRank(3, 2, 1), FixedRank(3, 4, 2))
    spread = 0.05


def test_the_truncated_inverse_and_its_derivative():
    A = torch.randn(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = (A @ A[:3].mT).requires_grad_()
    torch.testing.assert_close(truncated_inverse(x, 2), torch.linalg.pinv(x.detach()))
    space = FixedRank(4, 3, 2)
    tangent = space.random_tangent(x.detach(), torch.Generator().manual_seed(1))
    _, slope = torch.autograd.functional.jvp(lambda y: truncated_inverse(y, 2), x.detach(), tangent)
    step = 1e-6
    near = space.project(x.detach() + step * torch.stack([tangent, -tangent]))
    inverse = torch.linalg.pinv(near, rtol=1e-9)
    torch.testing.assert_close(slope, (inverse[0] - inverse[1]) / (2 * step), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("noise", [0.0, 1e-6])
def test_bases_of_the_range(noise):
    generator = torch.Generator().manual_seed(0)
    A, B = (torch.randn(3, n, 2, dtype=torch.float64, generator=generator) for n in (9, 8))
    x = A @ B.mT
    x[1] += noise * torch.randn(9, 8, dtype=torch.float64, generator=generator)
    U, _, Vh = torch.linalg.svd(x, full_matrices=False)
    for found, vectors in zip(range_bases(x, 2), (U[..., :2], Vh[..., :2, :].mT), strict=True):
        torch.testing.assert_close(found @ found.mT, vectors @ vectors.mT, rtol=0.0, atol=1e-13)
        torch.testing.assert_close(found.mT @ found, torch.eye(2).double().expand(3, 2, 2), rtol=0.0, atol=1e-14)


def test_full_rank_matrices_are_flat():
    space = FixedRank(2, 2, 2)
    x = torch.eye(2, dtype=torch.float64)
    y = x + 0.1 * torch.ones(2, 2, dtype=torch.float64)
    torch.testing.assert_close(space.dist(x, y), (y - x).norm())
    torch.testing.assert_close(space.log(x, y), y - x)


def test_vectors_of_rank_one_in_one_row_are_flat_too():
    space = FixedRank(1, 3, 1)
    x, y = torch.tensor([[[3.0, 0.0, 0.0]], [[3.0, 1.0, 0.5]]], dtype=torch.float64)
    torch.testing.assert_close(space.dist(x, y), (y - x).norm())


def test_project_is_the_nearest_matrix_of_that_rank():
    x = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    nearest = FixedRank(5, 4, 2).project(x)
    values = torch.linalg.svdvals(x)
    torch.testing.assert_close((x - nearest).norm(), values[2:].norm())


@pytest.mark.parametrize("sizes", [(0, 2, 1), (2, 3, 3), (2, 3, 0)])
def test_bad_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="must be"):
        FixedRank(*sizes)
