"""What other libraries get wrong, each as a test; the numbers in the comments are theirs."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from holonomy.manifolds import Hyperboloid, PoincareBall, Sphere, Stereographic, convert, gyro_add


@pytest.mark.parametrize(("dtype", "radius"), [(torch.float32, 10.0), (torch.float64, 20.0), (torch.float64, 40.0)])
def test_a_far_point_is_at_distance_zero_from_itself(dtype, radius):
    """geoopt 0.5.1: -17.27."""
    space = Hyperboloid(3)
    x = space.exp(space.origin(dtype=dtype), radius * torch.tensor([0.0, 0.6, 0.0, 0.8], dtype=dtype))
    assert space.dist(x, x) == 0
    assert abs(float(space.dist(space.origin(dtype=dtype), x)) - radius) <= 1e-5 * radius


def test_near_points_far_out_are_near():
    """geoopt 0.5.1: points 0.1 apart at radius 8 measure 0.69 in single precision."""
    angle = 2.0 * math.asinh(math.sinh(0.05) / math.sinh(8.0))
    directions = torch.tensor([[math.cos(a), math.sin(a)] for a in (0.3, 0.3 + angle)])
    rest = math.sinh(8.0) * directions
    points = Hyperboloid(2).project(torch.cat([torch.zeros(2, 1), rest], dim=-1))
    exact = Hyperboloid(2).dist(*points.double())
    assert abs(float(Hyperboloid(2).dist(*points)) - float(exact)) < 1e-6
    assert abs(float(exact) - 0.1) < 2e-3


def test_distances_far_out_are_numbers_in_double_precision():
    """geomstats: NaN from radius 19."""
    space = Hyperboloid(2)
    for radius in (19.0, 25.0, 40.0):
        vectors = radius * torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
        x, y = space.exp(space.origin(dtype=torch.float64), vectors)
        expected = 2.0 * radius - math.log(2.0)
        assert abs(float(space.dist(x, y)) - expected) < 1e-12 * expected


@pytest.mark.parametrize(("dtype", "radius"), [(torch.float32, 14.0), (torch.float64, 34.0)])
def test_the_ball_reaches_as_far_as_its_numbers(dtype, radius):
    """geoopt 0.5.1: stops at 6.2 in single, 12.2 in double precision."""
    ball = PoincareBall(2)
    x = ball.exp(ball.origin(dtype=dtype), torch.tensor([0.5 * radius, 0.0], dtype=dtype))
    assert abs(float(ball.dist(ball.origin(dtype=dtype), x)) - radius) < 0.05
    assert ball.belongs(x)
    beyond = ball.exp(x, torch.tensor([1.0, 0.0], dtype=dtype))
    assert ball.belongs(beyond)
    assert torch.isfinite(ball.dist(-beyond, beyond))


def test_the_gradient_of_the_ball_goes_on_to_its_edge():
    x = torch.tensor([math.tanh(5.0), 0.0], requires_grad=True)
    (gradient,) = torch.autograd.grad(PoincareBall(2).dist(torch.zeros(2), x), x)
    assert torch.isclose(gradient[0], 2.0 / (1.0 - x.detach()[0].double() ** 2).float(), rtol=1e-5)


def test_coincident_points_of_the_sphere_are_at_distance_zero_with_gradients_around():
    """geoopt 0.5.1: d(x, x) = 0.0141 in single precision, with gradient zero below it."""
    space = Sphere(2)
    x = space.project(torch.tensor([1.0, 2.0, 3.0]))
    assert space.dist(x, x) == 0
    tangent = space.project_tangent(x, torch.tensor([1.0, 0.0, 0.0]))
    for length in (1e-2, 1e-3, 1e-5):
        y = space.exp(x, length * tangent / tangent.norm()).requires_grad_()
        d = space.dist(x, y)
        (gradient,) = torch.autograd.grad(d, y)
        assert abs(float(d) - length) < 2e-7
        assert abs(float(gradient.norm()) - 1.0) < 1e-5


def test_transport_on_the_sphere_is_parallel_not_a_projection():
    """geoopt 0.5.1 SphereExact projects, and so shortens vectors."""
    space = Sphere(2)
    x, y, z = torch.eye(3, dtype=torch.float64)
    near = space.exp(x, 1.2 * y)
    assert torch.allclose(space.norm(near, space.transport(x, near, y)), torch.ones((), dtype=torch.float64))
    assert torch.allclose(space.transport(x, near, z), z)


def test_retractions_of_the_ball_move_forwards():
    """geomstats: the retraction of the ball moves backwards."""
    ball = PoincareBall(2)
    x, v = torch.tensor([0.5, 0.0]), torch.tensor([0.1, 0.0])
    assert ball.retract(x, v)[0] > x[0]


@pytest.mark.parametrize("curvature", [-0.25, -4.0, -9.0])
def test_the_stereographic_map_is_an_isometry_at_every_curvature(curvature):
    """Manify: no isometry unless the curvature is -1 or 1."""
    source, target = Hyperboloid(2, curvature), PoincareBall(2, curvature)
    x, y = source.random_normal(2, 10, std=0.3, random_state=0, dtype=torch.float64)
    moved = target.dist(convert(x, source, target), convert(y, source, target))
    assert torch.allclose(moved, source.dist(x, y))


def test_the_curvature_learns_through_zero():
    """Derivatives of a distance by the curvature: smooth at zero, and right there."""
    x, y = torch.tensor([[0.3, 0.1], [-0.2, 0.5]], dtype=torch.float64)
    slopes = []
    for k in (-1e-7, 0.0, 1e-7):
        space = Stereographic(2, k, learnable=True)
        (slope,) = torch.autograd.grad(space.dist(x, y), space.signed_curvature)
        slopes.append(float(slope))
    step = 1e-4
    difference = float(Stereographic(2, step).dist(x, y) - Stereographic(2, -step).dist(x, y)) / (2 * step)
    assert slopes == pytest.approx([difference] * 3, rel=1e-6)


def test_opposite_points_of_the_sphere():
    space = Sphere(3)
    x = space.random_uniform(20, random_state=0, dtype=torch.float64)
    v = space.log(x, -x)
    assert torch.allclose(space.norm(x, v), torch.full((20,), math.pi, dtype=torch.float64))
    assert torch.allclose(space.exp(x, v), -x)
    variable = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(space.dist(variable, -x).sum(), variable)
    assert torch.isfinite(gradient).all()


def test_fused_passes_agree_with_plain_torch_forward_and_backward_twice():
    """Large batches take the fused passes, small ones plain torch."""
    for space in (PoincareBall(8), Hyperboloid(8), Sphere(8), Stereographic(8, 0.5)):
        x, y = space.random_normal(2, 700, std=0.3, random_state=0, dtype=torch.float64)
        v = 0.3 * space.random_tangent(x, 1)
        for verb, inputs in ((space.exp, (x, v)), (space.log, (x, y)), (space.dist, (x, y)),
                             (space.transport, (x, y, v))):  # fmt: skip
            large = [t.clone().requires_grad_() for t in inputs]
            small = [t[:9].clone().requires_grad_() for t in inputs]
            found, expected = verb(*large), verb(*small)
            assert torch.allclose(found[:9], expected, rtol=1e-12, atol=1e-14)
            first = torch.autograd.grad(found.sin().sum(), large, create_graph=True)
            other = torch.autograd.grad(expected.sin().sum(), small, create_graph=True)
            for a, b in zip(first, other, strict=True):
                assert torch.allclose(a[:9], b, rtol=1e-10, atol=1e-12)
            second = torch.autograd.grad(sum((g**2).sum() for g in first), large)
            again = torch.autograd.grad(sum((g**2).sum() for g in other), small)
            for a, b in zip(second, again, strict=True):
                assert torch.allclose(a[:9], b, rtol=1e-8, atol=1e-10)


def test_rows_do_not_depend_on_their_batch_or_the_number_of_threads():
    ball = PoincareBall(16)
    x, y = ball.random_normal(2, 30_000, std=0.3, random_state=0)
    whole = ball.log(x, y)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert torch.equal(ball.log(x, y), whole)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(ball.log(x[5000:15_000], y[5000:15_000]), whole[5000:15_000])


SCALES = st.sampled_from([0.0, 1e-30, 1e-12, 1e-7, 1e-3, 0.5, 1.0, 3.0])
UNITS = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=2, max_size=2)
DTYPES = st.sampled_from([torch.float32, torch.float64])


def finite(verb, *inputs):
    variables = [t.clone().requires_grad_() for t in inputs]
    output = verb(*variables)
    assert torch.isfinite(output).all()
    for gradient in torch.autograd.grad(output.sum(), variables, allow_unused=True):
        assert gradient is None or torch.isfinite(gradient).all()


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(DTYPES, st.sampled_from([-10.0, -1.0, -1e-4, 1e-4, 1.0, 10.0]), SCALES, UNITS, SCALES, UNITS)
def test_there_is_no_nan_forward_or_backward(dtype, curvature, a, u, b, w):
    unit = abs(curvature) ** -0.5
    spaces = [Stereographic(2, curvature), Stereographic(2, curvature, learnable=True)]
    spaces.append(Hyperboloid(2, curvature) if curvature < 0 else Sphere(2, curvature))
    for space in spaces:
        zeros = [0.0] * (space.shape[0] - 2)
        origin = space.origin(dtype=dtype)
        first, second = (unit * s * torch.tensor([*zeros, *d], dtype=dtype) for s, d in ((a, u), (b, w)))
        x, y = space.exp(origin, first), space.exp(origin, second)
        assert space.belongs(x)
        v = space.transport(origin, x, second)
        for verb, inputs in ((space.dist, (x, y)), (space.squared_dist, (x, y)), (space.log, (x, y)),
                             (space.exp, (x, v)), (space.transport, (x, y, v)), (space.norm, (x, v))):  # fmt: skip
            finite(verb, *inputs)
        finite(lambda p, q, s=space: gyro_add(s, p, q), x, y)
