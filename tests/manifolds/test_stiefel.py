"""Frames and flags: the suite, closed forms, and each other."""

import math

import pytest
import torch

from holonomy.manifolds.flag import Flag
from holonomy.manifolds.grassmann import Grassmann
from holonomy.manifolds.sphere import Sphere
from holonomy.manifolds.stiefel import Stiefel, StiefelMetric
from tests.manifolds.suite import ManifoldSuite


class _FrameSuite(ManifoldSuite):
    def test_transport_agrees_with_the_ladder(self, space, rng):
        """The ladder is of first order here; the derivative of exp is parallel to order 2."""
        x = self.points(space, rng)
        v, w = space.random_tangent(x, rng), space.random_tangent(x, rng)
        v = v / space.norm(x, v)
        errors = []
        for t in (0.04, 0.02, 0.01):
            y = space.exp(x, t * v)
            apart = (space.exp(x, t * v + 1e-5 * w) - space.exp(x, t * v - 1e-5 * w)) / 2e-5
            errors.append(float(space.norm(y, space.project_tangent(y, apart) - space.transport(x, y, w))))
        assert errors[-1] < 1e-3
        assert errors[0] < 1e-6 or errors[-2] / errors[-1] > 3.0


class TestStiefel(_FrameSuite):
    spaces = (Stiefel(3, 1), Stiefel(4, 2), Stiefel(4, 2, "euclidean"), Stiefel(4, 3, StiefelMetric(0.8)))


class TestFlag(_FrameSuite):
    spaces = (Flag(4, (1, 3)), Flag(3, (1, 2)), Flag(4, (2,)))


@pytest.mark.parametrize("metric", ["canonical", "euclidean", StiefelMetric(0.8)])
def test_frames_of_one_vector_are_a_sphere(metric):
    frames, sphere = Stiefel(4, 1, metric), Sphere(3)
    x, y = sphere.random_uniform(2, 20, random_state=0, dtype=torch.float64)
    near = sphere.dist(x, y) < 2.8
    x, y = x[near], y[near]
    torch.testing.assert_close(frames.dist(x[..., None], y[..., None]), sphere.dist(x, y))
    v = sphere.random_tangent(x, 0)
    moved = frames.transport(x[..., None], y[..., None], v[..., None])
    torch.testing.assert_close(moved[..., 0], sphere.transport(x, y, v))


def test_flags_of_one_subspace_are_a_grassmannian():
    flags, subspaces = Flag(5, (2,)), Grassmann(5, 2)
    x, y = subspaces.random_normal(2, 10, std=0.2, random_state=0, dtype=torch.float64)
    torch.testing.assert_close(flags.dist(x, y), subspaces.dist(x, y))
    v = subspaces.random_tangent(x, 1)
    torch.testing.assert_close(flags.transport(x, y, v), subspaces.transport(x, y, v), rtol=1e-9, atol=1e-9)
    assert flags.log_volume() == pytest.approx(subspaces.log_volume())


def test_chordal_distance_of_flags_by_its_definition():
    space = Flag(5, (1, 3))
    x, y = space.random_uniform(2, 10, random_state=0, dtype=torch.float64)
    total = 0.0
    for columns in (slice(0, 1), slice(1, 3)):
        a, b = x[..., columns], y[..., columns]
        total = total + 0.5 * (a @ a.mT - b @ b.mT).square().sum((-2, -1))
    torch.testing.assert_close(space.chordal_dist(x, y), total.sqrt())
    flipped = x * torch.tensor([-1.0, 1.0, -1.0], dtype=torch.float64)
    assert float(space.dist(x, flipped).max()) < 1e-12
    assert float(space.chordal_dist(x, flipped).max()) < 1e-14


def test_canonical_geodesics_are_turns_of_the_whole_space():
    space = Stiefel(5, 2)
    x = space.random_uniform(random_state=0, dtype=torch.float64)
    v = space.random_tangent(x, 1)
    full = torch.linalg.qr(torch.cat([x, torch.eye(5, 3, dtype=torch.float64)], dim=-1)).Q
    full = torch.cat([x, full[:, 2:]], dim=-1)
    inside = full.mT @ v
    turn = torch.zeros(5, 5, dtype=torch.float64)
    turn[:, :2] = inside
    turn[:2, 2:] = -inside[2:].mT
    torch.testing.assert_close(space.exp(x, v), (full @ torch.linalg.matrix_exp(turn))[:, :2])


def test_agrees_with_pymanopt_in_the_euclidean_metric():
    manifolds = pytest.importorskip("pymanopt.manifolds")
    peer, space = manifolds.Stiefel(5, 2), Stiefel(5, 2, "euclidean")
    x = space.random_uniform(random_state=0, dtype=torch.float64)
    v = space.random_tangent(x, 1)
    torch.testing.assert_close(space.exp(x, v), torch.from_numpy(peer.exp(x.numpy(), v.numpy())))


def test_volume_of_frames():
    # Pairs of orthonormal vectors of space are rotations, whose volume is 8 pi^2.
    assert math.exp(Stiefel(3, 2).log_volume()) == pytest.approx(8 * math.pi**2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Stiefel(3, 3), "k must be"),
        (lambda: Stiefel(3, 2, "riemannian"), "metric must be"),
        (lambda: StiefelMetric(0.0), "beta must be positive"),
        (lambda: Flag(4, ()), "increasing"),
        (lambda: Flag(4, (2, 2)), "increasing"),
        (lambda: Flag(4, (1, 4)), "dims must be"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
