import pytest
import torch

from holonomy.manifolds import Sphere
from holonomy.optim._motion import motion_of
from holonomy.optim._rows import Source, gather
from tests.optim.problems import points


def member(x, gradient=None, manifold=None, step=0.0):
    parameter = x.clone().requires_grad_()
    parameter.grad = torch.ones_like(x) if gradient is None else gradient
    state = {"step": torch.tensor(step), "exp_avg": torch.zeros_like(x)}
    return Source(parameter, "x", manifold, state), motion_of(manifold, "auto", "exp", "parallel"), False


def test_small_parameters_of_one_manifold_and_step_are_joined():
    sphere, other = Sphere(2), Sphere(2)
    x = points(sphere, 4)
    members = [member(x, manifold=sphere), member(x[:2], manifold=sphere), member(x, manifold=other)]
    members += [member(x, manifold=sphere, step=3.0), member(torch.zeros(5)), member(torch.zeros(2, 2))]
    with torch.no_grad():
        heaps = list(gather(members, None))
        assert [len(rows.sources) for rows in heaps] == [2, 1, 1, 2]
    assert [len(r.sources) for r in gather([member(x), member(x)], False)] == [1, 1]


def test_what_is_written_to_joined_rows_arrives():
    sphere = Sphere(2)
    members = [member(points(sphere, n), manifold=sphere) for n in (2, 3)]
    with torch.no_grad():
        (rows,) = gather(members, True)
        assert tuple(rows.points.shape) == (5, 3)
        assert rows.step == 1.0
        rows.points.copy_(torch.arange(15).reshape(5, 3))
        rows.state["exp_avg"].fill_(7.0)
        rows.store()
    assert members[1][0].parameter[0].tolist() == [6.0, 7.0, 8.0]
    assert bool((members[0][0].state["exp_avg"] == 7.0).all())


def test_touched_rows_are_copied_once_each_and_count_their_steps():
    x = torch.zeros(5, 2)
    gradient = torch.sparse_coo_tensor([[3, 1, 3]], torch.ones(3, 2), (5, 2), check_invariants=True)
    source, motion, fresh = member(x, gradient)
    with torch.no_grad():
        for count in (1, 2):
            (rows,) = gather([(source, motion, fresh)], None)
            assert rows.step.tolist() == [count, count]
            assert rows.derivatives.tolist() == [[1.0, 1.0], [2.0, 2.0]]
            rows.points.fill_(count)
            rows.store()
    assert source.state["step"].tolist() == [0, 2, 0, 2, 0]
    assert source.parameter[:, 0].tolist() == [0, 2, 0, 2, 0]


@pytest.mark.parametrize("weight", [0.5, torch.tensor([0.5, 0.25, 0.5])])
def test_squares_are_added_with_one_weight_or_one_a_row(weight):
    x = torch.zeros(3, 2)
    (rows,) = gather([member(x)], False)
    moment, g = torch.ones(3, 2), torch.full((3, 2), 2.0)
    rows.accumulate_(moment, g, 1 - weight, weight)
    expected = torch.as_tensor(weight).reshape(-1, 1) * 4.0 + (1 - torch.as_tensor(weight).reshape(-1, 1))
    torch.testing.assert_close(moment, expected.expand(3, 2))
