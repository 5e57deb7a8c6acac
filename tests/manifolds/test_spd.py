import pytest
import torch

from holonomy.manifolds.affine_invariant import AffineInvariant
from holonomy.manifolds.bures_wasserstein import BuresWasserstein
from holonomy.manifolds.curvature import sectional_curvature
from holonomy.manifolds.log_cholesky import LogCholesky
from holonomy.manifolds.log_euclidean import LogEuclidean
from holonomy.manifolds.right_invariant import CholeskyRightInvariant
from holonomy.manifolds.spd import SPD
from holonomy.manifolds.spd_charts import GeneralizedBuresWasserstein, PowerDeformed
from holonomy.manifolds.symmetric import sym_inv_sqrt
from tests.manifolds.suite import ManifoldSuite


class TestAffineInvariant(ManifoldSuite):
    spaces = (SPD(1), SPD(3), SPD(2, metric=AffineInvariant(2.0, -0.3)), SPD(4, metric=AffineInvariant(0.5, 0.7)))


@pytest.mark.parametrize("metric", ["affine_invariant", AffineInvariant(2.0, -0.3), "log_euclidean"])
def test_sectional_curvature(metric):
    space = SPD(2, metric)
    x = space.random_normal(std=0.4, random_state=0, dtype=torch.float64)
    u, v = (space.random_tangent(x, seed) for seed in (1, 2))
    expected = 0.0
    if isinstance(space.metric, AffineInvariant):
        root = sym_inv_sqrt(x)
        a, b = root @ u @ root, root @ v @ root
        area = space.inner(x, u, u) * space.inner(x, v, v) - space.inner(x, u, v) ** 2
        expected = -0.25 * space.metric.alpha * (a @ b - b @ a).square().sum() / area
    assert float(sectional_curvature(space, x, u, v)) == pytest.approx(float(expected), abs=1e-9)


class TestLogEuclidean(ManifoldSuite):
    spaces = (SPD(1, "log_euclidean"), SPD(3, "log_euclidean"), SPD(2, metric=LogEuclidean(2.0, -0.3)))


class TestLogCholesky(ManifoldSuite):
    spaces = (SPD(1, "log_cholesky"), SPD(3, "log_cholesky"))

    @staticmethod
    def sectional(space, x, u, v):
        return torch.zeros(x.shape[:-2], dtype=x.dtype)


class TestCholeskyRightInvariant(ManifoldSuite):
    spaces = (SPD(2, CholeskyRightInvariant()), SPD(3, CholeskyRightInvariant(2.0, 0.1)))


class TestPowerDeformed(ManifoldSuite):
    spaces = (
        SPD(3, PowerDeformed(AffineInvariant(), 0.5)),
        SPD(2, PowerDeformed(LogCholesky(), -1.5)),
        SPD(2, PowerDeformed(LogEuclidean(), 2.0)),
    )


class TestBuresWasserstein(ManifoldSuite):
    spaces = (
        SPD(1, "bures_wasserstein"),
        SPD(3, "bures_wasserstein"),
        SPD(2, PowerDeformed(BuresWasserstein(), 0.5)),
        SPD(2, GeneralizedBuresWasserstein(torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64))),
        SPD(2, GeneralizedBuresWasserstein(torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64), 0.5)),
    )

    def points(self, space, rng, *size, dtype=torch.float64):
        return SPD(space.n).random_normal(*size, std=0.3, random_state=rng, dtype=dtype)

    def tangents(self, space, x, rng):
        return 0.1 * space.random_tangent(x, rng)

    def place(self, space, rng):
        return {"x": self.points(space, rng), "longest": 0.1, "random_state": rng}

    def test_transport_agrees_with_the_ladder(self, space, rng):
        """The ladder is of first order here; the derivative of exp is parallel to order 2."""
        x = self.points(space, rng)
        v, w = space.random_tangent(x, rng), space.random_tangent(x, rng)
        v = v / space.norm(x, v)
        errors = []
        for t in (0.08, 0.04, 0.02, 0.01):
            apart = space.exp(x, t * v + 1e-5 * w) - space.exp(x, t * v - 1e-5 * w)
            y = space.exp(x, t * v)
            errors.append(float(space.norm(y, space.transport(x, y, w) - apart / 2e-5)))
        assert errors[-1] < 1e-3
        assert errors[0] < 1e-6 or errors[-2] / errors[-1] > 3.0
