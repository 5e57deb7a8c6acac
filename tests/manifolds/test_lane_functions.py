"""Distances whose roots, logarithms and arctangents are taken of several rows at once, against mpmath."""

import math

import mpmath as mp
import pytest
import torch

from holonomy.manifolds.hyperboloid import Hyperboloid
from holonomy.manifolds.sphere import Sphere
from holonomy.manifolds.stereographic import PoincareBall

ROWS = 131
"""Neither a number of vectors of lanes nor of the blocks that are filled before one."""


@pytest.mark.parametrize("space", [PoincareBall(3), Hyperboloid(3), Sphere(3)], ids=repr)
def test_a_distance_does_not_depend_on_its_neighbours(space):
    generator = torch.Generator().manual_seed(0)
    origin = space.origin(dtype=torch.float64).expand(ROWS, -1)
    x, y = (space.exp(origin, space.random_tangent(origin, random_state=generator)) for _ in range(2))
    together = space.dist(x, y)
    assert torch.equal(together, torch.stack([space.dist(*pair) for pair in zip(x, y, strict=True)]))


def test_the_arsinh_of_the_ball():
    radii = torch.cat([torch.logspace(-14, -0.01, ROWS, dtype=torch.float64), torch.tensor([0.0, 0.25])])
    y = torch.stack([radii, torch.zeros_like(radii)], dim=-1)
    found = PoincareBall(2).dist(torch.zeros_like(y), y)
    for radius, dist in zip(radii.tolist(), found.tolist(), strict=True):
        assert abs(mp.mpf(dist) - 2 * mp.atanh(mp.mpf(radius))) <= 1e-15 * dist / (1 - radius)


def test_the_arctangent_of_the_circle():
    angles = torch.cat([torch.logspace(-14, 0.49, ROWS, dtype=torch.float64), math.pi * torch.arange(3).double() / 2])
    y = torch.stack([torch.cos(angles), torch.sin(angles).abs()], dim=-1)
    found = Sphere(1).dist(torch.tensor([1.0, 0.0], dtype=torch.float64), y)
    for (cosine, sine), dist in zip(y.tolist(), found.tolist(), strict=True):
        assert abs(mp.mpf(dist) - mp.atan2(mp.mpf(sine), mp.mpf(cosine))) <= 1e-15 * dist
