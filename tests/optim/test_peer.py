"""Beside geoopt, an independent implementation, which is installed with the extra "bench"."""

import pytest
import torch

from holonomy.manifolds import PoincareBall, Sphere
from holonomy.optim import RiemannianAdam, RiemannianSGD

geoopt = pytest.importorskip("geoopt", reason="geoopt is a peer of the extra 'bench', not needed to test the library")


@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam_on_the_sphere_moves_as_the_peer(amsgrad):
    sphere = Sphere(3)
    start = sphere.random_uniform(7, random_state=0, dtype=torch.float64)
    form = torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ours = start.clone().requires_grad_()
    theirs = geoopt.ManifoldParameter(start.clone(), manifold=geoopt.Sphere())
    mine = RiemannianAdam([ours], lr=0.03, amsgrad=amsgrad, step="retract", transport="project", manifold=sphere)
    peer = geoopt.optim.RiemannianAdam([theirs], lr=0.03, amsgrad=amsgrad)
    for _ in range(100):
        for x, optimizer in ((ours, mine), (theirs, peer)):
            optimizer.zero_grad()
            torch.einsum("ni,ij,nj->", x, form, x).backward()
            optimizer.step()
    torch.testing.assert_close(ours.detach(), theirs.detach(), rtol=0, atol=1e-10)


def test_descent_without_momentum_on_the_sphere_moves_as_the_peer():
    sphere = Sphere(3)
    start = sphere.random_uniform(7, random_state=0, dtype=torch.float64)
    ours = start.clone().requires_grad_()
    theirs = geoopt.ManifoldParameter(start.clone(), manifold=geoopt.Sphere())
    mine = RiemannianSGD([ours], lr=0.1, step="retract", manifold=sphere)
    peer = geoopt.optim.RiemannianSGD([theirs], lr=0.1)
    for _ in range(50):
        for x, optimizer in ((ours, mine), (theirs, peer)):
            optimizer.zero_grad()
            (x[:, 0] ** 3).sum().backward()
            optimizer.step()
    torch.testing.assert_close(ours.detach(), theirs.detach(), rtol=0, atol=1e-12)


def test_the_peers_momentum_starts_a_hundred_times_too_long_at_radius_nine_tenths_and_ours_does_not():
    ball = PoincareBall(2)
    start = torch.tensor([0.9, 0.0], dtype=torch.float64)
    ours = start.clone().requires_grad_()
    theirs = geoopt.ManifoldParameter(start.clone(), manifold=geoopt.PoincareBall())
    lengths = []
    for x, optimizer in (
        (ours, RiemannianSGD([ours], lr=1e-5, momentum=0.9, manifold=ball)),
        (theirs, geoopt.optim.RiemannianSGD([theirs], lr=1e-5, momentum=0.9)),
    ):
        x[0].backward()
        optimizer.step()
        lengths.append(float(ball.dist(x.detach(), start)) / (1e-5 * 0.19 / 2))
    assert lengths[0] == pytest.approx(1.0, rel=1e-6)
    assert lengths[1] > 90
