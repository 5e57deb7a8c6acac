import math

import pytest
import torch

from holonomy.manifolds import MetricField, PoincareBall, PullbackManifold, Sphere, sectional_curvature
from tests.manifolds.suite import ManifoldSuite


def ball_metric(x):
    return 4.0 / (1.0 - (x**2).sum(-1)[..., None, None]) ** 2 * torch.eye(2, dtype=x.dtype)


def longitude_latitude(z):
    """The round sphere, from latitude and longitude."""
    a, b = z[..., 0], z[..., 1]
    return torch.stack([a.cos() * b.cos(), a.cos() * b.sin(), a.sin()], dim=-1)


def bowl(z):
    """A paraboloid, whose curvature falls outwards."""
    return torch.cat([z, (z**2).sum(-1, keepdim=True)], dim=-1)


@pytest.mark.slow
class TestMetricField(ManifoldSuite):
    spaces = (MetricField(ball_metric, 2, steps=4), PullbackManifold(bowl, 2, steps=4))
    # A few steps of Runge and Kutta over distances much shorter than the radius of curvature.
    std, tolerance, single_tolerance = 0.1, 1e-5, 1e-3

    def scale(self, space):
        return 0.3


@pytest.mark.slow
def test_verbs_agree_with_the_space_whose_metric_it_is():
    field, ball = MetricField(ball_metric, 2, steps=16), PoincareBall(2)
    x, y, v = 0.3 * torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64).clamp(-1, 1)
    close = {"atol": 1e-6}
    assert torch.allclose(field.exp(x, v), ball.exp(x, v), **close)
    assert torch.allclose(field.log(x, y), ball.log(x, y), **close)
    assert torch.allclose(field.dist(x, y), ball.dist(x, y), **close)
    assert torch.allclose(field.transport(x, y, v), ball.transport(x, y, v), **close)
    assert torch.allclose(field.log_volume_element(x, v), ball.log_volume_element(x, v), atol=1e-5)


def test_splines_find_geodesics():
    field, ball = MetricField(ball_metric, 2), PoincareBall(2)
    x = torch.tensor([[0.6, 0.0], [0.0, 0.0]], dtype=torch.float64)
    y = torch.tensor([[0.0, 0.6], [0.5, 0.5]], dtype=torch.float64)
    curve = field.spline(x, y)
    assert curve.points().shape == (2, 73, 2)
    assert torch.allclose(curve.length(), ball.dist(x, y), rtol=1e-3)
    assert torch.allclose(2.0 * curve.energy, ball.dist(x, y) ** 2, rtol=2e-3)
    assert torch.allclose(curve.velocity(), ball.log(x, y), rtol=0.05, atol=0.02)


@pytest.mark.slow
def test_a_pulled_back_sphere_is_the_sphere():
    space, sphere = PullbackManifold(longitude_latitude, 2, steps=16), Sphere(2)
    x, y = torch.tensor([[0.2, 0.1], [0.7, 1.0]], dtype=torch.float64)
    assert torch.allclose(space.dist(x, y), sphere.dist(longitude_latitude(x), longitude_latitude(y)), atol=1e-7)
    u, v = torch.eye(2, dtype=torch.float64)
    assert math.isclose(float(sectional_curvature(space, x, u, v)), 1.0, abs_tol=1e-5)
    assert torch.allclose(space.log_chart_volume(x).exp(), x[0].cos())


def test_decoders_onto_a_manifold_and_modules():
    through_ball = PullbackManifold(lambda z: z, 2, ambient=PoincareBall(2))
    x = torch.tensor([[0.3, 0.2]], dtype=torch.float64)
    assert torch.allclose(through_ball.metric_tensor(x), ball_metric(x))
    network = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 5)).double()
    space = PullbackManifold(network, 2, regularization=1e-3, steps=8)
    assert len(list(space.parameters())) == 4
    y = space.exp(x, 0.1 * torch.ones_like(x))
    assert torch.allclose(space.log(x, y), 0.1 * torch.ones_like(x), atol=1e-6)


def test_bad_arguments_are_refused():
    with pytest.raises(TypeError, match="metric must be callable"):
        MetricField(3.0, 2)
    with pytest.raises(ValueError, match="steps"):
        MetricField(ball_metric, 2, steps=0)
    with pytest.raises(TypeError, match="decoder must be callable"):
        PullbackManifold(None, 2)
    with pytest.raises(ValueError, match="regularization"):
        PullbackManifold(longitude_latitude, 2, regularization=-1.0)
