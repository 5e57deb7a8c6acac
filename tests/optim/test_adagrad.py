import copy

import pytest
import torch
from torch import nn

from holonomy.manifolds import PoincareBall
from holonomy.optim import RiemannianAdagrad
from tests.optim.problems import SPACES, points
from tests.optim.test_adam import compare


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.05},
        {"lr": 0.05, "lr_decay": 0.01, "initial_accumulator_value": 0.1, "eps": 1e-6},
        {"lr": 0.05, "weight_decay": 0.1},
    ],
)
def test_flat_parameters_move_as_by_torch_to_the_last_bit(options, dtype):
    for foreach, allowed in ((False, 0.0), (True, 1e-7)):
        difference = compare(
            lambda params, foreach=None: RiemannianAdagrad(params, **options, foreach=foreach),
            lambda params: torch.optim.Adagrad(params, **options, foreach=False),
            dtype,
            foreach,
        )
        assert difference <= allowed


def test_sparse_gradients_move_as_by_torch():
    tables = [nn.Embedding(50, 4, sparse=True, dtype=torch.float64)]
    tables.append(copy.deepcopy(tables[0]))
    kinds = (RiemannianAdagrad, torch.optim.Adagrad)
    optimizers = [kind(table.parameters(), lr=0.1) for kind, table in zip(kinds, tables, strict=True)]
    generator = torch.Generator().manual_seed(0)
    for _ in range(100):
        rows = torch.randint(50, (6,), generator=generator)
        for table, optimizer in zip(tables, optimizers, strict=True):
            optimizer.zero_grad()
            (table(rows) - 1.0).square().sum().backward()
            optimizer.step()
    assert float((tables[0].weight - tables[1].weight).detach().abs().max()) < 1e-7


@pytest.mark.parametrize("name", SPACES)
def test_steps_are_divided_by_the_root_of_summed_squared_lengths(name):
    space = SPACES[name]
    x = points(space, 3)
    moved = x.clone().requires_grad_()
    optimizer = RiemannianAdagrad([moved], lr=0.1, manifold=space, granularity="point")
    total = torch.zeros(3, dtype=torch.float64)
    for s in range(3):
        moved.grad = torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(s))
        g = space.egrad_to_rgrad(x, moved.grad)
        optimizer.step()
        total += space.norm(x, g) ** 2
        x = space.exp(x, -0.1 * g / (total.sqrt() + 1e-10).reshape(3, *[1] * len(space.shape)))
        torch.testing.assert_close(moved.detach(), x, rtol=1e-7, atol=1e-9)


def test_the_first_step_has_length_lr_whatever_the_gradient():
    ball = PoincareBall(2)
    x = torch.tensor([0.9, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = RiemannianAdagrad([x], lr=0.3, manifold=ball)
    x.grad = torch.tensor([1e-3, 5e-3], dtype=torch.float64)
    optimizer.step()
    assert float(ball.dist(x.detach(), torch.tensor([0.9, 0.0]).double())) == pytest.approx(0.3, rel=1e-5)


@pytest.mark.parametrize("name", ["lr_decay", "initial_accumulator_value", "eps"])
def test_numbers_out_of_range_are_refused(name):
    with pytest.raises(ValueError, match=name):
        RiemannianAdagrad([torch.zeros(2, requires_grad=True)], **{name: -1.0})
