import copy

import pytest
import torch
from torch import nn

from holonomy.manifolds import Hyperboloid, PoincareBall, Sphere
from holonomy.optim import RiemannianAdam, RiemannianAdamNc, RiemannianAdamW, RiemannianAMSGrad
from tests.optim.problems import SPACES, descend, points


def network(dtype):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.LayerNorm(8), nn.Linear(8, 1)).to(dtype)


def compare(ours, theirs, dtype, foreach):
    """Train two copies of a network on the same batches, and return the largest difference of parameters."""
    one, generator = network(dtype), torch.Generator().manual_seed(1)
    other = copy.deepcopy(one)
    optimizers = [ours(one.parameters(), foreach=foreach), theirs(other.parameters())]
    for _ in range(100):
        X = torch.randn(16, 6, dtype=dtype, generator=generator)
        for model, optimizer in zip((one, other), optimizers, strict=True):
            optimizer.zero_grad()
            (model(X).squeeze() - X[:, 0] * X[:, 1]).square().mean().backward()
            optimizer.step()
    return max(float((p - q).detach().abs().max()) for p, q in zip(one.parameters(), other.parameters(), strict=True))


NAMESAKES = [
    (RiemannianAdam, torch.optim.Adam, {"lr": 0.01}),
    (RiemannianAdam, torch.optim.Adam, {"lr": 0.01, "amsgrad": True, "betas": (0.8, 0.95)}),
    (RiemannianAdam, torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1}),
    (RiemannianAdam, torch.optim.Adam, {"lr": torch.tensor(0.01), "maximize": True, "eps": 1e-3}),
    (RiemannianAdamW, torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    (RiemannianAdamW, torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True}),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("ours", "theirs", "options"), NAMESAKES)
def test_flat_parameters_move_as_by_torch_to_the_last_bit(ours, theirs, options, dtype):
    def build(kind, **more):
        return lambda params, foreach=None: kind(params, **options, foreach=foreach, **more)

    assert compare(build(ours), lambda params: theirs(params, **options, foreach=False), dtype, foreach=False) == 0.0
    assert compare(build(ours), lambda params: theirs(params, **options, foreach=False), dtype, foreach=True) < 1e-7


def test_rows_of_sparse_gradients_move_as_if_each_were_trained_alone_by_torch():
    start = torch.randn(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    table = nn.Embedding.from_pretrained(start.clone(), freeze=False, sparse=True)
    optimizer = RiemannianAdam(table.parameters(), lr=0.05, amsgrad=True)
    alone = [row.clone().requires_grad_() for row in start]
    each = [torch.optim.Adam([row], lr=0.05, amsgrad=True) for row in alone]
    generator = torch.Generator().manual_seed(1)
    for _ in range(100):
        chosen = torch.randint(7, (3,), generator=generator)
        optimizer.zero_grad()
        (table(chosen) - 1.0).pow(4).sum().backward()
        assert table.weight.grad.is_sparse
        optimizer.step()
        for row in set(chosen.tolist()):
            each[row].zero_grad()
            (int((chosen == row).sum()) * (alone[row] - 1.0).pow(4).sum()).backward()
            each[row].step()
    torch.testing.assert_close(table.weight.detach(), torch.stack(alone).detach(), rtol=0, atol=1e-12)
    assert int(optimizer.state[table.weight]["step"].sum()) > 100


def test_where_all_rows_are_touched_sparse_and_dense_steps_agree():
    ball = PoincareBall(3)
    start = points(ball, 5)
    tables = [nn.Embedding.from_pretrained(start.clone(), freeze=False, sparse=sparse) for sparse in (False, True)]
    for table in tables:
        optimizer = RiemannianAdam(table.parameters(), lr=0.05, manifold=ball)
        descend(optimizer, lambda table=table: ball.squared_dist(table(torch.arange(5)), ball.origin()).sum(), 20)
    torch.testing.assert_close(tables[0].weight, tables[1].weight, rtol=0, atol=1e-12)


def test_the_second_moment_is_one_number_a_point_and_the_square_of_a_riemannian_length():
    ball = PoincareBall(2)
    x = torch.tensor([[0.9, 0.0], [0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    optimizer = RiemannianAdam([x], betas=(0.9, 0.5), manifold=ball)
    x.grad = torch.ones_like(x)
    optimizer.step()
    scale = (1 - x.new_tensor([0.81, 0.0])) / 2
    torch.testing.assert_close(optimizer.state[x]["exp_avg_sq"], 0.5 * 2 * scale**2)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("optimizer", [RiemannianAdam, RiemannianAMSGrad])
def test_one_step_is_the_formula_of_the_paper(name, optimizer):
    space = SPACES[name]
    x = points(space, 4)
    g = [torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(s)) for s in range(2)]
    moved = x.clone().requires_grad_()
    method = optimizer([moved], lr=0.1, manifold=space, granularity="point")
    corrected = optimizer is RiemannianAdam
    tau, v = torch.zeros_like(x), torch.zeros(4, dtype=torch.float64)
    for t, derivatives in enumerate(g, start=1):
        moved.grad = derivatives.clone()
        method.step()
        r = space.egrad_to_rgrad(x, derivatives)
        m = 0.9 * tau + 0.1 * r
        v = torch.maximum(v, 0.999 * v + 0.001 * space.norm(x, r) ** 2) if not corrected else (
            0.999 * v + 0.001 * space.norm(x, r) ** 2
        )  # fmt: skip
        whole = (1 - 0.9**t, 1 - 0.999**t) if corrected else (1.0, 1.0)
        length = 0.1 / whole[0] / ((v / whole[1]).sqrt() + 1e-8)
        y = space.exp(x, -m * length.reshape(4, *[1] * len(space.shape)))
        x, tau = y, space.transport(x, y, m)
        torch.testing.assert_close(moved.detach(), x, rtol=1e-7, atol=1e-9)
        torch.testing.assert_close(method.state[moved]["exp_avg"], tau, rtol=1e-6, atol=1e-8)


def test_the_mean_of_squared_lengths_is_the_second_moment_of_adamnc():
    x = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer, squares = RiemannianAdamNc([x], lr=0.1), []
    for s in range(5):
        x.grad = torch.randn(3, dtype=torch.float64, generator=torch.Generator().manual_seed(s))
        squares.append(x.grad**2)
        optimizer.step()
    torch.testing.assert_close(optimizer.state[x]["exp_avg_sq"], torch.stack(squares).mean(0))


def test_the_first_beta_fades_and_the_correction_knows():
    x, fade, beta = torch.zeros(1, dtype=torch.float64, requires_grad=True), 0.5, 0.8
    optimizer = RiemannianAdam([x], lr=1.0, betas=(beta, 0.9), beta1_decay=fade)
    left, tau = 1.0, 0.0
    for t in range(1, 6):
        x.grad = torch.ones(1, dtype=torch.float64)
        optimizer.step()
        b = beta * fade ** (t - 1)
        left, tau = left * b, b * tau + (1 - b)
        assert float(optimizer.state[x]["exp_avg"]) == pytest.approx(tau)
        # A constant gradient is its own corrected momentum, and every step has length lr.
        assert tau / (1 - left) == pytest.approx(1.0)
        assert float(x) == pytest.approx(-t, rel=1e-7)


def test_amsgrad_never_divides_by_less_than_before():
    space = Sphere(2)
    x = points(space, 3).requires_grad_()
    optimizer, before = RiemannianAMSGrad([x], lr=0.01, betas=(0.9, 0.5), manifold=space), 0.0
    for s in range(20):
        x.grad = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(s)) / (s + 1)
        optimizer.step()
        largest = optimizer.state[x]["max_exp_avg_sq"]
        assert bool((largest >= before).all())
        before = largest.clone()


def test_decoupled_decay_goes_along_the_geodesic_to_the_origin():
    space = Hyperboloid(2)
    x = points(space, 4)
    moved = x.clone().requires_grad_()
    optimizer = RiemannianAdamW([moved], lr=0.5, weight_decay=0.4, manifold=space)
    moved.grad = torch.zeros_like(x)
    optimizer.step()
    torch.testing.assert_close(moved.detach(), space.geodesic(x, space.origin(dtype=torch.float64), 0.2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"betas": (1.0, 0.9)}, "betas"),
        ({"betas": (0.9,)}, "betas"),
        ({"betas": (0.9, -0.1)}, "betas"),
        ({"eps": -1.0}, "eps"),
        ({"beta1_decay": 0.0}, "beta1_decay"),
        ({"beta1_decay": 1.1}, "beta1_decay"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RiemannianAdam([torch.zeros(2, requires_grad=True)], **options)


def test_adamw_is_the_decoupled_kind():
    with pytest.raises(ValueError, match="decay must be 'decoupled'"):
        RiemannianAdamW([torch.zeros(2, requires_grad=True)], decay="coupled")
