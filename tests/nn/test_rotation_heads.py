"""Heads: every representation gives rotations, and says where its numbers left them open."""

import math

import pytest
import torch

from holonomy.manifolds import Bingham, MatrixFisher, euler_to_matrix, matrix_to_quaternion, quaternion_to_matrix
from holonomy.nn import RotationHead
from holonomy.nn._rotation_outputs import OUTPUTS
from holonomy.objectives import geodesic_loss


def _features(count=200, width=16, seed=0):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def _head(*args, seed=0, **options):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return RotationHead(16, *args, **options)


@pytest.mark.parametrize("representation", OUTPUTS)
def test_it_puts_out_rotations_and_learns(representation):
    head = _head(representation)
    R = head(_features(2000))
    assert R.shape == (2000, 3, 3)
    assert R.dtype == torch.float32
    wide = R.detach().double()
    assert (wide.mT @ wide - torch.eye(3, dtype=torch.float64)).abs().max() <= 1e-6
    assert (torch.linalg.det(wide) - 1.0).abs().max() <= 1e-6
    assert int(head.n_degenerate) == 0
    target = quaternion_to_matrix(torch.tensor([0.9, 0.3, -0.2, 0.1])).expand(20, 3, 3)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        loss = geodesic_loss(head(_features(20)), target)
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.15


def test_hidden_layers_leading_axes_and_double_precision():
    assert _head("6d", hidden=8)(_features().reshape(2, 100, 16)).shape == (2, 100, 3, 3)
    assert [layer.out_features for layer in _head("10d", (8, 4)).layers[::2]] == [8, 4, 10]
    assert _head("9d_svd").double()(_features().double()).dtype == torch.float64
    assert _head("6d").bfloat16()(_features().bfloat16()).dtype == torch.float32


def test_under_autocast_rotations_are_still_precise():
    head = _head("6d")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        R = head(_features())
    assert R.dtype == torch.float32
    assert (R.mT @ R - torch.eye(3)).abs().max() <= 1e-6


def test_bins_give_the_expected_angles():
    head = _head("euler", bins=120)
    scores = torch.full((1, 3, 120), -1e4)
    scores[0, 0, 60:62] = 0.0
    scores[0, 1, 70] = 0.0
    scores[0, 2, 50] = 0.0
    expected = euler_to_matrix(torch.tensor([[3.0, 31.5, -28.5]]), degrees=True)
    torch.testing.assert_close(head.rotations(scores), expected)
    assert head.numbers(_features()).shape == (200, 3, 120)
    assert head(_features()).shape == (200, 3, 3)


@pytest.mark.parametrize(
    ("representation", "numbers"),
    [
        ("6d", [1.0, 0, 0, 2, 0, 0]),
        ("9d_svd", [1.0, 0, 0, 0, 1, 0, 0, 0, -1]),
        ("10d", [1.0, 0, 0, 0, 1, 0, 0, 1, 0, 1]),
        ("quaternion", [0.0, 0, 0, 0]),
    ],
)
def test_rows_that_leave_the_rotation_open_are_counted(representation, numbers):
    head = _head(representation)
    given = torch.tensor([numbers, numbers], requires_grad=True)
    R = head.rotations(given)
    assert int(head.n_degenerate) == 2
    assert torch.isfinite(R).all()
    torch.testing.assert_close(R.mT @ R, torch.eye(3).expand(2, 3, 3))
    R.sum().backward()
    assert torch.isfinite(given.grad).all()


@pytest.mark.parametrize(("representation", "kind"), [("9d_svd", MatrixFisher), ("10d", Bingham)])
def test_the_mode_of_the_distribution_is_the_rotation(representation, kind):
    head = _head(representation)
    numbers = head.numbers(_features())
    distribution = head.distribution(numbers)
    assert isinstance(distribution, kind)
    torch.testing.assert_close(distribution.mode().float(), head.rotations(numbers), rtol=0, atol=1e-5)


def test_continuous_representations_have_a_continuous_section_and_the_quaternion_has_none():
    turns = torch.linspace(0.0, 2.0 * math.pi, 401)
    path = euler_to_matrix(torch.stack([turns, 0 * turns, 0 * turns], -1))
    q = matrix_to_quaternion(path)
    assert float(q.diff(dim=0).norm(dim=-1).max()) > 1.9
    assert [name for name, output in OUTPUTS.items() if output.is_continuous] == ["6d", "9d_svd", "10d"]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="representation must be one of"):
        RotationHead(8, "7d")
    with pytest.raises(ValueError, match="in_features"):
        RotationHead(0)
    with pytest.raises(ValueError, match="bins belong to representation='euler'"):
        RotationHead(8, bins=66)
    with pytest.raises(ValueError, match="at most 360"):
        RotationHead(8, "euler", bins=200)
    with pytest.raises(ValueError, match=r"hidden\[0\]"):
        RotationHead(8, hidden=[0])
    with pytest.raises(TypeError, match="hidden must be a sequence"):
        RotationHead(8, hidden=2.5)
    with pytest.raises(ValueError, match="do not say how sure"):
        RotationHead(8).distribution(torch.zeros(2, 6))
