from fractions import Fraction

import pytest
import torch

from holonomy.manifolds import Chordal, PoincareBall, Sphere, check_retraction

KAPPAS = (-1e-3, -1e-2, -0.1, -1.0, -10.0, -100.0, -1e3)


@pytest.fixture
def pair():
    ball = PoincareBall(3, -0.7)
    x = ball.random_normal(6, std=1.0, random_state=0, dtype=torch.float64)
    return ball, x, ball.random_tangent(x, 1)


@pytest.mark.parametrize("curvature", KAPPAS)
def test_the_chordal_retraction_is_of_second_order(curvature):
    ball, radius = PoincareBall(4, curvature), abs(curvature) ** -0.5
    x = radius * torch.tensor([0.3, 0.2, -0.1, 0.4], dtype=torch.float64)
    found = check_retraction(ball, x=x, order=2, longest=min(1.0, radius))
    assert found.holds, str(found)
    assert found.slope < 3.5  # and is not exp


def test_it_follows_the_geodesic_as_far_as_the_chord_is_long(pair):
    ball, x, v = pair
    y, length, root = ball.retract(x, v), ball.norm(x, v), 0.7**0.5
    d = ball.dist(x, y)
    torch.testing.assert_close(2.0 / root * torch.sinh(0.5 * root * d), length)
    torch.testing.assert_close(y, ball.exp(x, v * (d / length)[:, None]))


def test_it_is_the_moebius_sum_of_a_rational_vector(pair):
    x, v = (one * 0.7**0.5 for one in pair[1:])
    xx = x.square().sum(-1, keepdim=True)
    u = v / (1.0 - xx)
    w = u / (1.0 + u.square().sum(-1, keepdim=True)).sqrt()
    ww, xw = w.square().sum(-1, keepdim=True), (x * w).sum(-1, keepdim=True)
    expected = ((1.0 + 2.0 * xw + ww) * x + (1.0 - xx) * w) / (1.0 + 2.0 * xw + xx * ww)
    torch.testing.assert_close(PoincareBall(3).retract(x, v), expected)


def test_a_learned_curvature_gives_the_same(pair):
    ball, x, v = pair
    learned = PoincareBall(3, -0.7, learnable=True)
    torch.testing.assert_close(learned.retract(x, v), ball.retract(x, v), rtol=1e-12, atol=1e-14)


def test_its_derivatives(pair):
    ball, x, v = pair
    inputs = (x[:2].requires_grad_(), v[:2].requires_grad_())
    assert torch.autograd.gradcheck(ball.retract, inputs)
    assert torch.autograd.gradgradcheck(ball.retract, inputs)


@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("verb", ["exp", "retract"])
def test_vectors_of_any_length_end_inside_the_ball(verb, dtype, learnable):
    ball, most = PoincareBall(2, learnable=learnable), torch.finfo(dtype).max
    for x in ([0.0, 0.0], [0.5, 0.1], [-2.0, 0.7]):
        place = ball.project(torch.tensor(x, dtype=dtype))
        for size in (1e-300, 1e3, 1e30, 1e101, 1e160, most):
            v = torch.tensor([size, -size / 3.0], dtype=dtype).clamp(-most, most)
            inputs = (place.clone().requires_grad_(), v.requires_grad_())
            y = getattr(ball, verb)(*inputs)
            assert sum(Fraction(c) ** 2 for c in y.tolist()) < 1
            assert all(bool(g.isfinite().all()) for g in torch.autograd.grad(y.sum(), inputs))


def test_other_spaces_are_refused():
    with pytest.raises(TypeError, match="chordal retraction is that of PoincareBall"):
        Sphere(2).retract(torch.eye(3)[0], torch.eye(3)[1], method=Chordal())
