import pytest
import torch

from holonomy.manifolds import Hyperboloid, PoincareBall, Sphere
from holonomy.optim._fused import fused_gradient, fused_move
from tests.optim.problems import points

SPACES = [Sphere(4), Sphere(3, 0.25), Hyperboloid(4), Hyperboloid(3, -4.0), PoincareBall(4), PoincareBall(3, -0.5)]


def case(space, dtype, spread=0.7, n=300):
    x = points(space, n, dtype=dtype, spread=spread)
    x[0] = space.origin(dtype=dtype)
    vectors = [space.random_tangent(x, random_state=seed) for seed in (1, 2)]
    vectors[0][:2] = 0.0
    return x, *vectors


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_gradients_and_lengths_are_those_of_the_verbs(space, dtype):
    x, _, _ = case(space, dtype)
    e = torch.randn(x.shape, dtype=dtype, generator=torch.Generator().manual_seed(0))
    g, squares = fused_gradient(space, x, e)
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 1e-11, "atol": 1e-11}
    expected = space.egrad_to_rgrad(x, e)
    torch.testing.assert_close(g, expected, **tolerance)
    torch.testing.assert_close(squares, space.inner(x, expected, expected), **tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize(("scale", "step"), [(-0.3, "exp"), ("each", "exp"), ("each", "retract")])
def test_steps_are_those_of_the_verbs(space, dtype, scale, step):
    x, u, w = case(space, dtype)
    if scale == "each":
        scale = torch.linspace(-0.5, 0.5, 300, dtype=dtype)
    wide, velocity = x.double(), u.double() * (scale.double().unsqueeze(-1) if torch.is_tensor(scale) else scale)
    y = (space.exp if step == "exp" else space.retract)(wide, velocity)
    moved = space.transport(wide, y, w.double()).to(dtype)
    y = y.to(dtype)
    here, carried = x.clone(), w.clone()
    served = fused_move(space, here, u, scale, [carried], step)
    assert served == (step == "exp" or not isinstance(space, Sphere))
    if not served:  # the retraction of a sphere is the projection, of which there is no kernel
        return
    tolerance = {"rtol": 1e-4, "atol": 3e-5} if dtype == torch.float32 else {"rtol": 1e-9, "atol": 1e-10}
    torch.testing.assert_close(here, y, **tolerance)
    torch.testing.assert_close(carried, moved, **tolerance)
    assert bool(space.belongs(here).all())
    assert bool(space.is_tangent(here, carried).all())


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_vector_may_carry_itself(space):
    x, _, w = case(space, torch.float64)
    here, alone = x.clone(), w.clone()
    assert fused_move(space, here, alone, 0.5, [alone])
    there, carried = x.clone(), w.clone()
    assert fused_move(space, there, w.clone(), 0.5, [carried])
    torch.testing.assert_close(here, there, rtol=1e-13, atol=1e-14)
    torch.testing.assert_close(alone, carried, rtol=1e-13, atol=1e-13)
    before, after = space.norm(x, w), space.norm(here, alone)
    torch.testing.assert_close(after, before, rtol=1e-9, atol=1e-11)


def test_transport_follows_the_step_that_goes_beyond_the_far_side_of_a_sphere():
    sphere = Sphere(1)
    x = torch.tensor([[1.0, 0.0]], dtype=torch.float64).expand(200, 2).contiguous()
    w = torch.tensor([[0.0, 1.0]], dtype=torch.float64).expand(200, 2).contiguous()
    assert fused_move(sphere, x, w.clone(), 1.5 * torch.pi, [w])
    torch.testing.assert_close(x[0], torch.tensor([0.0, -1.0], dtype=torch.float64))
    torch.testing.assert_close(w[0], torch.tensor([1.0, 0.0], dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_points_of_the_ball_never_leave_it(dtype):
    ball = PoincareBall(4)
    x, u, w = case(ball, dtype, spread=3.0)
    for _ in range(5):
        assert fused_move(ball, x, u, 50.0, [w])
        assert bool(ball.belongs(x, tolerance=0.0).all())
        assert bool(torch.isfinite(w).all())


def test_momentum_keeps_its_length_while_points_are_held_at_the_edge_of_the_ball():
    ball = PoincareBall(4)
    x, u, _ = case(ball, torch.float32)
    u[:] = x + 0.1
    length = ball.norm(x, u)
    for _ in range(200):
        assert fused_move(ball, x, u, 30.0, [u])
    assert bool((ball.norm(x, u) < 2 * length).all())


def test_any_number_of_threads_gives_the_same_bits():
    ball, threads = PoincareBall(8), torch.get_num_threads()
    found = []
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            x, u, w = case(ball, torch.float32, n=30_000)
            fused_move(ball, x, u, 0.1, [w])
            found.append(torch.cat([x, w]))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*found)


def test_what_no_kernel_serves_is_left_alone():
    ball = PoincareBall(4)
    x, u, w = case(ball, torch.float64)
    before = x.clone()
    assert not fused_move(ball, x[:10], u[:10], 0.1, [w[:10]])
    assert not fused_move(ball, x.T.contiguous().T, u, 0.1, [w])
    assert not fused_move(PoincareBall(4, learnable=True), x, u, 0.1, [w])
    assert not fused_move(PoincareBall(4, check=True), x, u, 0.1, [w])
    assert not fused_move(ball, x.to(torch.bfloat16), u.to(torch.bfloat16), 0.1, [])
    assert fused_gradient(PoincareBall(4, learnable=True), x, u) is None
    assert torch.equal(x, before)


def test_autograd_notices_points_that_moved():
    ball = PoincareBall(4)
    x, u, w = case(ball, torch.float64)
    x.requires_grad_()
    loss = x.square().sum()
    with torch.no_grad():
        fused_move(ball, x, u, 0.1, [w])
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("step", ["exp", "retract"])
@pytest.mark.parametrize("size", [1e155, 1e300])
def test_steps_whose_squares_cannot_be_stored(step, size):
    space = PoincareBall(4)
    x, u, _ = case(space, torch.float64)
    u = torch.nn.functional.normalize(u + 0.1)
    y, z = x.clone(), x.clone()
    assert fused_move(space, y, size * u, -1.0, [], step)
    torch.testing.assert_close(y, (space.exp if step == "exp" else space.retract)(x, -1e50 * u), rtol=0.0, atol=1e-14)
    assert fused_move(space, z, size * u, -0.5 / size, [], step)
    torch.testing.assert_close(z, (space.exp if step == "exp" else space.retract)(x, -0.5 * u), rtol=0.0, atol=1e-14)
