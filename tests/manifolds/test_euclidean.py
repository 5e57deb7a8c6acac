import math

import pytest
import torch

from holonomy.manifolds import Euclidean
from tests.manifolds.suite import ManifoldSuite


class TestEuclidean(ManifoldSuite):
    spaces = (Euclidean(3), Euclidean(1), Euclidean(2, 3))

    @staticmethod
    def sectional(space, x, u, v):
        return torch.zeros(x.shape[: -len(space.shape)], dtype=x.dtype)


def test_the_heat_kernel_is_the_normal_density():
    x, y = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    expected = torch.distributions.Normal(0.0, math.sqrt(0.5)).log_prob(y).sum()
    assert torch.allclose(Euclidean(3).heat_kernel(x, y, 0.5).log(), expected)
    assert torch.allclose(Euclidean(3).normal_log_prob(y, x, math.sqrt(0.5)), expected)


def test_bad_shapes_are_refused():
    with pytest.raises(ValueError, match="shape"):
        Euclidean()
    with pytest.raises(ValueError, match="shape"):
        Euclidean(0)


def test_checks_name_what_is_wrong():
    space = Euclidean(3, check=True)
    with pytest.raises(ValueError, match=r"y must have shape \(\.\.\., 3\), got \(2,\)"):
        space.dist(torch.zeros(3), torch.zeros(2))
    with pytest.raises(TypeError, match="x must be a floating-point tensor, got list"):
        space.exp([0.0, 0.0, 0.0], torch.zeros(3))
    with pytest.raises(TypeError, match=r"torch\.int64"):
        space.norm(torch.zeros(3), torch.zeros(3, dtype=torch.int64))
