import pytest
import torch

from holonomy.manifolds import Euclidean, Sphere
from holonomy.optim._motion import batch_shape, motion_of
from tests.optim.problems import SPACES, points


@pytest.mark.parametrize("step", ["exp", "retract"])
@pytest.mark.parametrize("transport", ["parallel", "project"])
@pytest.mark.parametrize("name", SPACES)
def test_points_step_and_vectors_stay_tangent(name, step, transport):
    space = SPACES[name]
    x = points(space, 3)
    u, w = (space.random_tangent(x, random_state=seed) for seed in (1, 2))
    here, carried = x.clone(), w.clone()
    motion_of(space, "point", step, transport).move_(here, u, 0.01, torch.full((3,), 2.0).double(), [carried])
    assert bool(space.belongs(here).all())
    assert bool(space.is_tangent(here, carried).all())
    # Any step is the geodesic's to second order, and any transport keeps a vector to first order.
    assert float(space.dist(here, space.exp(x, -0.005 * u)).max()) < 1e-3
    assert torch.allclose(space.norm(here, carried), space.norm(x, w), rtol=0.05)


@pytest.mark.parametrize("name", SPACES)
def test_decay_is_the_gradient_of_half_the_squared_distance_from_the_origin(name):
    space = SPACES[name]
    x = points(space, 2, spread=0.3).requires_grad_()
    origin = space.origin(dtype=torch.float64)
    (0.35 * space.squared_dist(x, origin)).sum().backward()
    expected = space.egrad_to_rgrad(x.detach(), x.grad)
    motion = motion_of(space, "auto", "exp", "parallel")
    found = motion.add_decay(x.detach(), torch.zeros_like(x), 0.7)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", SPACES)
def test_decoupled_decay_carries_vectors_along(name):
    space = SPACES[name]
    x = points(space, 2, spread=0.3)
    w = space.random_tangent(x, random_state=1)
    here, carried = x.clone(), w.clone()
    motion_of(space, "auto", "exp", "parallel").decay_(here, [carried], 0.25)
    y = space.geodesic(x, space.origin(dtype=torch.float64), 0.25)
    torch.testing.assert_close(here, y)
    torch.testing.assert_close(carried, space.transport(x, y, w))


def test_flat_space_is_the_same_named_or_not():
    x, u = torch.randn(4, 3), torch.randn(4, 3)
    for space in (None, Euclidean(3)):
        here = x.clone()
        motion_of(space, "auto", "exp", "parallel").move_(here, u, 0.1, u.abs() + 1, [])
        torch.testing.assert_close(here, x - 0.1 * u / (u.abs() + 1))
    here = x.clone()
    motion_of(Euclidean(3), "point", "exp", "parallel").move_(here, u, 0.1, torch.full((4,), 2.0), [])
    torch.testing.assert_close(here, x - 0.05 * u)


def test_leading_axes():
    assert batch_shape(Sphere(2), torch.zeros(4, 5, 3)) == (4, 5)
    assert batch_shape(None, torch.zeros(4, 5)) == (4, 5)
