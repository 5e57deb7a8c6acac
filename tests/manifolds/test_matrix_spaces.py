"""Siegel upper half-space, semidefinite matrices of fixed rank, doubly stochastic matrices."""

import mpmath as mp
import pytest
import torch

from holonomy.manifolds import _shooting
from holonomy.manifolds.birkhoff import Birkhoff
from holonomy.manifolds.fixed_rank_psd import FixedRankPSD
from holonomy.manifolds.siegel import SiegelUpperHalfSpace
from holonomy.manifolds.spd import SPD
from tests.manifolds.suite import ManifoldSuite


class TestSiegel(ManifoldSuite):
    spaces = (SiegelUpperHalfSpace(1), SiegelUpperHalfSpace(3))


class _NoRadius(ManifoldSuite):
    """Spaces without a positive injectivity radius: points near the origin, and short steps."""

    spread = 0.2
    exact_ladder = False

    def points(self, space, rng, *size, dtype=torch.float64):
        return space.random_normal(*size, std=self.spread, random_state=rng, dtype=dtype)

    def tangents(self, space, x, rng):
        return 0.5 * self.spread * space.random_tangent(x, rng)

    def place(self, space, rng):
        return {"x": self.points(space, rng), "longest": 0.1, "random_state": rng}

    def test_transport_agrees_with_the_ladder(self, space, rng):
        """The derivative of exp is parallel to order 2."""
        x = self.points(space, rng)
        v, w = space.random_tangent(x, rng), space.random_tangent(x, rng)
        v = v / space.norm(x, v)
        errors = []
        for t in (0.04, 0.02, 0.01):
            y = space.exp(x, t * v)
            apart = (space.exp(x, t * v + 1e-5 * w) - space.exp(x, t * v - 1e-5 * w)) / 2e-5
            moved = space.transport(x, y, w)
            errors.append(float(space.norm(y, space.project_tangent(y, apart) - moved)))
        assert errors[-1] < 1e-3
        assert errors[0] < 1e-6 or errors[-2] / errors[-1] > 3.0


class TestFixedRankPSD(_NoRadius):
    spaces = (FixedRankPSD(3, 1), FixedRankPSD(4, 2), FixedRankPSD(3, 3))


class TestBirkhoff(_NoRadius):
    spaces = (Birkhoff(2), Birkhoff(3))
    spread = 0.08


def test_the_siegel_plane_is_the_hyperbolic_plane():
    space = SiegelUpperHalfSpace(1)
    x, y = space.random_normal(2, 50, std=2.0, random_state=0, dtype=torch.float64).squeeze(-1).squeeze(-1)
    gap = (x - y).square().sum(-1) / (4.0 * x[:, 1] * y[:, 1])
    expected = 2.0 * torch.asinh(gap.sqrt())
    ours = space.dist(x[..., None, None], y[..., None, None])
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


def test_siegel_dist_is_that_of_the_cross_ratio():
    space = SiegelUpperHalfSpace(3)
    x, y = space.random_normal(2, std=0.7, random_state=0, dtype=torch.float64)
    Z, W = torch.complex(x[0], x[1]), torch.complex(y[0], y[1])
    ratio = (Z - W) @ torch.linalg.inv(Z - W.conj()) @ (Z - W).conj() @ torch.linalg.inv(Z.conj() - W)
    roots = torch.linalg.eigvals(ratio).real.sqrt()
    torch.testing.assert_close(space.dist(x, y), torch.log((1 + roots) / (1 - roots)).square().sum().sqrt())


def test_full_rank_factors_are_at_bures_wasserstein_distance():
    a, b = torch.randn(2, 5, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = SPD(3, "bures_wasserstein").dist(a @ a.mT, b @ b.mT)
    torch.testing.assert_close(FixedRankPSD(3, 3).dist(a, b), expected)


def test_two_by_two_doubly_stochastic_matrices_are_an_interval():
    p, q = torch.tensor([0.3, 0.6], dtype=torch.float64)
    x, y = (torch.stack([torch.stack([t, 1 - t]), torch.stack([1 - t, t])]) for t in (p, q))
    # sum(u^2 / x) = 2 dp^2 / (p (1 - p))
    expected = 2**0.5 * abs(mp.quad(lambda t: 1 / mp.sqrt(t * (1 - t)), [0.3, 0.6]))
    assert float(Birkhoff(2).dist(x, y)) == pytest.approx(float(expected), rel=1e-12)


def test_logarithms_of_rounded_matrices_take_no_more_steps(monkeypatch):
    space = Birkhoff(3)
    x, y = space.random_normal(2, 8, std=0.08, random_state=4, dtype=torch.float64)
    monkeypatch.setattr(_shooting, "STEPS", 16)
    exact, rounded = space.log(x, y), space.log(x.float(), y.float())
    torch.testing.assert_close(space.exp(x, exact), y, rtol=0, atol=1e-14)
    torch.testing.assert_close(rounded, exact.float(), rtol=0, atol=5e-7)
    a, b = (z.clone().requires_grad_() for z in (x, y))
    (slope,) = torch.autograd.grad(0.5 * space.squared_dist(a, b).sum(), a)
    torch.testing.assert_close(space.egrad_to_rgrad(x, slope), -exact, rtol=0, atol=1e-8)


@pytest.mark.parametrize("make", [lambda: SiegelUpperHalfSpace(0), lambda: FixedRankPSD(2, 3), lambda: Birkhoff(1)])
def test_bad_sizes_are_refused(make):
    with pytest.raises(ValueError, match="must be"):
        make()
