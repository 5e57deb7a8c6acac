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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_on_the_sphere_do_not_depend_on_their_neighbours(dtype):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, ROWS, 5, dtype=dtype, generator=generator)
    y[::3] = 1.5 * x[::3] + 1e-7 * y[::3]  # rows that need care: directions much nearer than lengths
    y[::5] = -x[::5]
    rows = [(one.requires_grad_(), other.requires_grad_()) for one, other in zip(x.clone(), y.clone(), strict=True)]
    x.requires_grad_(), y.requires_grad_()
    together = torch.autograd.grad(Sphere(4).dist(x, y).sum(), (x, y))
    alone = zip(*(torch.autograd.grad(Sphere(4).dist(*pair), pair) for pair in rows), strict=True)
    assert all(torch.equal(all_rows, torch.stack(each)) for all_rows, each in zip(together, alone, strict=True))
    assert not together[0][::5].any()


def test_projections_on_the_sphere():
    space, generator = Sphere(9, 2.0), torch.Generator().manual_seed(0)
    x, v = torch.randn(2, 3, 10, dtype=torch.float64, generator=generator)
    torch.testing.assert_close(space.project(x), x / (2.0**0.5 * x.norm(dim=-1, keepdim=True)))
    x = space.project(x)
    torch.testing.assert_close(space.project_tangent(x, v), v - 2.0 * (x * v).sum(-1, keepdim=True) * x)
    inputs = (x.requires_grad_(), v.requires_grad_())
    for verb, given in ((space.project, inputs[1:]), (space.project_tangent, inputs)):
        assert torch.autograd.gradcheck(verb, given)
        assert torch.autograd.gradgradcheck(verb, given)
