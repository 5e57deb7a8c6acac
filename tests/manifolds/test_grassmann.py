"""Subspaces: the suite in both forms, which must agree, and closed forms."""

import math

import pytest
import torch

from holonomy.manifolds.grassmann import Grassmann, GrassmannProjector
from holonomy.manifolds.gyrovectors import gyration, gyro_add, gyro_inverse
from tests.manifolds.suite import ManifoldSuite


class TestGrassmann(ManifoldSuite):
    spaces = (Grassmann(2, 1), Grassmann(5, 2), Grassmann(4, 3))


class TestGrassmannProjector(ManifoldSuite):
    spaces = (GrassmannProjector(2, 1), GrassmannProjector(5, 2), GrassmannProjector(4, 3))


def test_the_two_forms_are_isometric():
    bases, projectors = Grassmann(5, 2), GrassmannProjector(5, 2)
    x, y = bases.random_uniform(2, 20, random_state=0, dtype=torch.float64)
    P, Q = bases.projector(x), bases.projector(y)
    torch.testing.assert_close(projectors.dist(P, Q), bases.dist(x, y))
    v = bases.log(x, y)
    torch.testing.assert_close(projectors.log(P, Q), v @ x.mT + x @ v.mT)
    torch.testing.assert_close(projectors.exp(P, v @ x.mT + x @ v.mT), Q)
    torch.testing.assert_close(bases.projector(projectors.basis(P)), P)


@pytest.mark.parametrize("angles", [(0.0, 0.0), (0.3, 0.3), (1e-9, 1.2), (0.5, math.pi / 2 - 1e-6)])
def test_known_principal_angles(angles):
    space = Grassmann(5, 2)
    x = torch.eye(5, 2, dtype=torch.float64)
    y = torch.zeros(5, 2, dtype=torch.float64)
    for i, angle in enumerate(angles):
        y[i, i], y[2 + i, i] = math.cos(angle), math.sin(angle)
    turn, _ = torch.linalg.qr(torch.randn(2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    y = y @ turn
    expected = torch.tensor(sorted(angles), dtype=torch.float64)
    torch.testing.assert_close(space.principal_angles(x, y), expected, rtol=1e-9, atol=1e-15)
    torch.testing.assert_close(space.dist(x, y), expected.norm(), rtol=1e-12, atol=1e-15)


def test_bases_of_one_subspace_are_one_point():
    space = Grassmann(5, 2)
    x, y = space.random_uniform(2, random_state=0, dtype=torch.float64)
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    torch.testing.assert_close(space.dist(x @ turn, y), space.dist(x, y))
    torch.testing.assert_close(space.dist(x, x @ turn), torch.tensor(0.0, dtype=torch.float64), atol=1e-15, rtol=0)


def test_volumes():
    assert math.exp(Grassmann(3, 1).log_volume()) == pytest.approx(2 * math.pi)
    assert Grassmann(7, 2).log_volume() == pytest.approx(Grassmann(7, 5).log_volume())


def test_gyrogroup_of_subspaces():
    space = Grassmann(5, 2)
    x, y, z = space.random_normal(3, std=0.2, random_state=0, dtype=torch.float64)
    left = gyro_add(space, x, gyro_add(space, y, z))
    right = gyro_add(space, gyro_add(space, x, y), gyration(space, x, y, z))
    assert float(space.dist(left, right)) < 1e-9
    assert float(space.dist(gyro_add(space, gyro_inverse(space, x), x), space.origin(dtype=torch.float64))) < 1e-12
    moved = gyro_add(space, x, y), gyro_add(space, x, z)
    torch.testing.assert_close(space.dist(*moved), space.dist(y, z))


def test_agrees_with_pymanopt():
    manifolds = pytest.importorskip("pymanopt.manifolds")
    peer, space = manifolds.Grassmann(6, 3), Grassmann(6, 3)
    x, y = space.random_normal(2, std=0.2, random_state=0, dtype=torch.float64)
    assert float(space.dist(x, y)) == pytest.approx(peer.dist(x.numpy(), y.numpy()), rel=1e-7)
    torch.testing.assert_close(space.log(x, y), torch.from_numpy(peer.log(x.numpy(), y.numpy())), atol=1e-9, rtol=0)


@pytest.mark.parametrize("sizes", [(1, 1), (3, 0), (3, 3)])
def test_bad_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="must be"):
        Grassmann(*sizes)
    with pytest.raises(ValueError, match="must be"):
        GrassmannProjector(*sizes)
