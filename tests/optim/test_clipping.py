import copy

import pytest
import torch
from torch import nn

from holonomy.manifolds import Euclidean, Hyperboloid, PoincareBall
from holonomy.optim import RiemannianSGD, clip_riemannian_norm_, register_manifold
from tests.optim.problems import SPACES, points


def with_gradient(space, *size, seed=0):
    x = points(space, *size, seed=seed).requires_grad_()
    x.grad = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(seed))
    return x


def length(space, x):
    g = space.egrad_to_rgrad(x.detach(), x.grad)
    return space.norm(x.detach(), g)


@pytest.mark.parametrize("limit", [0.3, 100.0])
@pytest.mark.parametrize("name", SPACES)
def test_all_together_are_as_long_as_allowed_and_keep_their_direction(name, limit):
    space = SPACES[name]
    x = with_gradient(space, 4)
    before, old = float(length(space, x).square().sum().sqrt()), x.grad.clone()
    total = clip_riemannian_norm_(RiemannianSGD([x], manifold=space), limit)
    assert float(total) == pytest.approx(before)
    factor = min(1.0, limit / before)
    torch.testing.assert_close(x.grad, old * factor)
    assert float(length(space, x).square().sum().sqrt()) == pytest.approx(min(before, limit))


@pytest.mark.parametrize("name", SPACES)
def test_each_point_can_be_clipped_by_itself(name):
    space = SPACES[name]
    x = with_gradient(space, 4)
    before = length(space, x)
    limit = float(before.median())
    clip_riemannian_norm_(RiemannianSGD([x], manifold=space), limit, per_point=True)
    torch.testing.assert_close(length(space, x), before.clamp_max(limit))


def test_flat_modules_are_clipped_as_by_torch():
    models = [nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))]
    models.append(copy.deepcopy(models[0]))
    for model in models:
        model(torch.ones(2, 3)).square().sum().mul(50).backward()
    ours = clip_riemannian_norm_(models[0], 1.0)
    theirs = nn.utils.clip_grad_norm_(models[1].parameters(), 1.0)
    torch.testing.assert_close(ours, theirs)
    for p, q in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-5, atol=1e-8)


def test_modules_say_where_their_parameters_live():
    module, ball = nn.Module(), PoincareBall(2)
    register_manifold(module, "words", ball, points(ball, 3))
    module.words.grad = torch.ones_like(module.words)
    clip_riemannian_norm_(module, 0.5)
    assert float(length(ball, module.words).square().sum().sqrt()) == pytest.approx(0.5)


@pytest.mark.parametrize("per_point", [False, True])
def test_sparse_gradients_are_clipped_by_their_rows(per_point):
    space = Hyperboloid(2)
    table = nn.Embedding.from_pretrained(points(space, 6), freeze=False, sparse=True)
    (10 * table(torch.tensor([1, 4, 1]))).sum().backward()
    optimizer = RiemannianSGD(table, manifold=space)
    clip_riemannian_norm_(optimizer, 0.1, per_point=per_point)
    rows = table.weight.grad.coalesce()
    assert rows.indices().tolist() == [[1, 4]]
    at = table.weight.detach()[[1, 4]]
    lengths = space.norm(at, space.egrad_to_rgrad(at, rows.values()))
    expected = [0.1, 0.1] if per_point else None
    if per_point:
        assert lengths.tolist() == pytest.approx(expected)
    else:
        assert float(lengths.square().sum().sqrt()) == pytest.approx(0.1)


def test_no_gradients_and_zero_gradients_have_length_zero():
    x = torch.zeros(3, requires_grad=True)
    optimizer = RiemannianSGD([x], manifold=Euclidean(3))
    assert float(clip_riemannian_norm_(optimizer, 1.0)) == 0.0
    x.grad = torch.zeros(3)
    assert float(clip_riemannian_norm_(optimizer, 0.0)) == 0.0
    assert torch.equal(x.grad, torch.zeros(3))


def test_bad_arguments_are_refused():
    with pytest.raises(TypeError, match="target must be a RiemannianOptimizer or a module, got list"):
        clip_riemannian_norm_([torch.zeros(2)], 1.0)
    with pytest.raises(ValueError, match="max_norm must be at least 0"):
        clip_riemannian_norm_(nn.Linear(2, 2), -1.0)
