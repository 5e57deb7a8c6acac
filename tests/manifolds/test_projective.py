import math

import pytest
import torch

from holonomy.manifolds import FisherRaoSimplex, Oblique, RealProjective, Sphere
from tests.manifolds.suite import ManifoldSuite


class TestRealProjective(ManifoldSuite):
    spaces = (RealProjective(1), RealProjective(3), RealProjective(2, curvature=4.0))

    @staticmethod
    def sectional(space, x, u, v):
        return torch.full(x.shape[:-1], space.curvature, dtype=x.dtype)


def test_both_representatives_are_one_point():
    space = RealProjective(3)
    x, y = space.random_uniform(2, 30, random_state=0, dtype=torch.float64)
    v = space.random_tangent(x, 1)
    assert torch.equal(space.dist(x, y), space.dist(x, -y))
    assert torch.equal(space.log(x, y), space.log(x, -y))
    assert torch.allclose(space.transport(x, -y, v), -space.transport(x, y, v))
    assert space.dist(x, -x).max() == 0
    assert space.dist(x, y).max() <= math.pi / 2


class TestOblique(ManifoldSuite):
    spaces = (Oblique(3, 2), Oblique(2, 4))


def test_oblique_distances_are_those_of_the_columns():
    space = Oblique(4, 3)
    x, y = space.random_uniform(2, random_state=0, dtype=torch.float64)
    assert torch.allclose(space.dist(x, y), Sphere(3).dist(x.T, y.T).norm())
    with pytest.raises(ValueError, match="n must be"):
        Oblique(1, 2)


class TestFisherRaoSimplex(ManifoldSuite):
    spaces = (FisherRaoSimplex(1), FisherRaoSimplex(2), FisherRaoSimplex(4))
    std = 0.1

    def tangents(self, space, x, rng):
        return 0.1 * space.random_tangent(x, rng)

    @staticmethod
    def sectional(space, x, u, v):
        return torch.full(x.shape[:-1], 0.25, dtype=x.dtype)


def test_the_simplex_measures_what_fisher_information_does():
    space = FisherRaoSimplex(3)
    x, y = space.random_uniform(2, 40, random_state=0, dtype=torch.float64)
    bhattacharyya = (x * y).sqrt().sum(-1)
    assert torch.allclose(space.dist(x, y), 2.0 * torch.acos(bhattacharyya.clamp(max=1.0)), atol=1e-7)
    v = space.random_tangent(x, 1)
    assert torch.allclose(space.inner(x, v, v), (v * v / x).sum(-1))


@pytest.mark.parametrize("std", [0.1, 0.6, 2.0])
def test_the_normal_on_the_simplex_has_mass_one(std):
    space = FisherRaoSimplex(1)
    angle = torch.linspace(0.0, math.pi / 2, 4002, dtype=torch.float64)
    angle = 0.5 * (angle[1:] + angle[:-1])
    x = torch.stack([angle.cos() ** 2, angle.sin() ** 2], dim=-1)
    density = space.normal_log_prob(x, torch.tensor([0.8, 0.2], dtype=torch.float64), std).exp()
    assert math.isclose(float(density.mean()) * math.pi, 1.0, rel_tol=1e-6)
    assert math.isclose(math.exp(space.log_volume()), math.pi)
