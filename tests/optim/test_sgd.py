import copy

import pytest
import torch
from torch import nn

from holonomy.manifolds import PoincareBall, Sphere
from holonomy.optim import RiemannianSGD
from tests.optim.problems import SPACES, descend, points
from tests.optim.test_adam import compare

FLAT = [
    {"lr": 0.05},
    {"lr": 0.05, "momentum": 0.9},
    {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
    {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    {"lr": torch.tensor(1e-4), "maximize": True},
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("options", FLAT)
def test_flat_parameters_move_as_by_torch_to_the_last_bit(options, dtype):
    found = [
        compare(
            lambda params, foreach=None: RiemannianSGD(params, **options, foreach=foreach),
            lambda params: torch.optim.SGD(params, **options, foreach=False),
            dtype,
            foreach,
        )
        for foreach in (False, True)
    ]
    assert found[0] == 0.0
    assert found[1] < 1e-7


def test_sparse_gradients_move_as_by_torch():
    tables = [nn.Embedding(50, 4, sparse=True)]
    tables.append(copy.deepcopy(tables[0]))
    optimizers = [RiemannianSGD(tables[0].parameters(), lr=0.1), torch.optim.SGD(tables[1].parameters(), lr=0.1)]
    generator = torch.Generator().manual_seed(0)
    for _ in range(100):
        rows = torch.randint(50, (6,), generator=generator)
        for table, optimizer in zip(tables, optimizers, strict=True):
            optimizer.zero_grad()
            (table(rows) - 1.0).square().sum().backward()
            optimizer.step()
    assert float((tables[0].weight - tables[1].weight).detach().abs().max()) < 1e-7


def test_rows_keep_their_momentum_while_they_are_not_touched():
    sphere = Sphere(2)
    table = nn.Embedding.from_pretrained(points(sphere, 4), freeze=False, sparse=True)
    optimizer = RiemannianSGD(table.parameters(), lr=0.1, momentum=0.5, dampening=0.5, manifold=sphere)
    descend(optimizer, lambda: table(torch.tensor([0, 2]))[:, 0].sum(), 2)
    state = optimizer.state[table.weight]
    before = table.weight.detach().clone(), state["momentum_buffer"].clone()
    assert state["step"].tolist() == [2, 0, 2, 0]
    assert not before[1][[1, 3]].any()
    descend(optimizer, lambda: table(torch.tensor([1]))[:, 0].sum(), 1)
    rest = [0, 2, 3]
    assert torch.equal(table.weight.detach()[rest], before[0][rest])
    assert torch.equal(state["momentum_buffer"][rest], before[1][rest])
    # The first gradient of a row counts in full, though a later one is dampened.
    length = sphere.norm(table.weight.detach()[1], state["momentum_buffer"][1])
    start = before[0][1]
    gradient = sphere.project_tangent(start, torch.eye(3, dtype=torch.float64)[0])
    assert float(length) == pytest.approx(float(gradient.norm()))


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_transported_along_each_step(name, nesterov):
    space = SPACES[name]
    x = points(space, 3)
    moved = x.clone().requires_grad_()
    optimizer = RiemannianSGD([moved], lr=0.05, momentum=0.7, dampening=0.0, nesterov=nesterov, manifold=space)
    buffer = None
    for s in range(3):
        moved.grad = torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(s))
        g = space.egrad_to_rgrad(x, moved.grad)
        optimizer.step()
        buffer = g if buffer is None else 0.7 * buffer + g
        y = space.exp(x, -0.05 * (g + 0.7 * buffer if nesterov else buffer))
        buffer, x = space.transport(x, y, buffer), y
        torch.testing.assert_close(moved.detach(), x, rtol=1e-7, atol=1e-9)
        torch.testing.assert_close(optimizer.state[moved]["momentum_buffer"], buffer, rtol=1e-6, atol=1e-8)


def test_momentum_starts_as_the_riemannian_gradient():
    # A peer starts it from the derivatives by coordinates, 110 times too long at this radius.
    ball = PoincareBall(2)
    start = torch.tensor([0.9, 0.0], dtype=torch.float64)
    x = start.clone().requires_grad_()
    optimizer = RiemannianSGD([x], lr=1e-3, momentum=0.9, manifold=ball)
    x.grad = torch.tensor([1.0, 0.0], dtype=torch.float64)
    optimizer.step()
    # The gradient is ((1 - |x|^2) / 2)^2 times the derivative, and its length 2 / (1 - |x|^2) times that of numbers.
    assert float(ball.dist(x.detach(), start)) == pytest.approx(1e-3 * 0.19 / 2, rel=1e-9)


def test_momentum_that_is_switched_on_later_starts_with_the_gradient_of_then():
    x = torch.zeros(2, requires_grad=True)
    other = torch.zeros(2, requires_grad=True)
    optimizers = [RiemannianSGD([x], lr=0.1), torch.optim.SGD([other], lr=0.1)]
    for step in range(4):
        for parameter, optimizer in zip((x, other), optimizers, strict=True):
            optimizer.param_groups[0]["momentum"] = 0.9 if step > 1 else 0.0
            parameter.grad = torch.tensor([1.0, step + 1.0])
            optimizer.step()
        assert torch.equal(x, other)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1.0}, "lr must be at least 0"),
        ({"momentum": -0.1}, "momentum"),
        ({"dampening": float("nan")}, "dampening"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"nesterov": True}, "nesterov must come with momentum"),
        ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "nesterov must come with momentum"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RiemannianSGD([torch.zeros(2, requires_grad=True)], **options)
