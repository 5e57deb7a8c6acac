import math

import pytest
import torch

from holonomy.manifolds import Torus
from tests.manifolds.suite import ManifoldSuite


class TestTorus(ManifoldSuite):
    spaces = (Torus(1), Torus(3), Torus([1.0, 24.0]))

    @staticmethod
    def sectional(space, x, u, v):
        return torch.zeros(x.shape[:-1], dtype=x.dtype)


def test_whole_periods_do_not_matter_and_small_steps_are_exact():
    space = Torus([1.0, 10.0])
    x = torch.tensor([0.25, 9.5], dtype=torch.float64)
    assert space.dist(x, x + torch.tensor([-3.0, 20.0])) == 0
    near = x + torch.tensor([2.0**-40, 0.0], dtype=torch.float64)
    assert space.dist(x, near) == 2.0**-40
    assert torch.equal(space.log(x, torch.tensor([0.75, 4.5], dtype=torch.float64)), torch.tensor([0.5, 5.0]).double())


@pytest.mark.parametrize("std", [0.05, 0.4, 0.5, 0.6, 3.0])
def test_the_wrapped_normal_and_the_heat_kernel_have_mass_one(std):
    space = Torus([1.3])
    x = torch.linspace(0.0, 1.3, 2001, dtype=torch.float64)[:-1, None]
    mean = torch.tensor([0.4], dtype=torch.float64)
    assert math.isclose(float(space.normal_log_prob(x, mean, std).exp().mean()) * 1.3, 1.0, rel_tol=1e-12)
    assert math.isclose(float(space.heat_kernel(mean, x, std**2).mean()) * 1.3, 1.0, rel_tol=1e-12)


def test_bad_periods_are_refused():
    for periods in ([], [1.0, -1.0], [0.0]):
        with pytest.raises(ValueError, match="periods"):
            Torus(periods)
