import pytest
import torch

from holonomy.manifolds import Euclidean, PoincareBall, Product, Sphere, check_manifold
from holonomy.manifolds.laws import LAWS


class LongSphere(Sphere):
    def _dist(self, x, y):
        return 1.1 * super()._dist(x, y)


class StiffSphere(Sphere):
    def _transport(self, x, y, v):
        return self._project_tangent(y, v)


class WritingBall(PoincareBall):
    def _log(self, x, y):
        found = super()._log(x, y)
        x += 0.0625
        return found


@pytest.mark.parametrize(
    "space", [Sphere(2, 0.01), Sphere(3, check=True), PoincareBall(2, -3.0), Euclidean(3)], ids=str
)
def test_good_spaces_pass(space):
    check_manifold(space)


def test_products_of_spaces_whose_curvature_is_learned_pass():
    check_manifold(Product(PoincareBall(2, -2.0, learnable=True), Sphere(2, 0.5, learnable=True)))


def test_the_closed_form_of_the_curvature_is_compared():
    check_manifold(Sphere(2, 4.0), sectional=lambda space, x, u, v: torch.full(x.shape[:-1], 4.0, dtype=x.dtype))
    with pytest.raises(AssertionError, match="breaks the law 'sectional curvature'"):
        check_manifold(Sphere(2, 4.0), sectional=lambda space, x, u, v: torch.ones(x.shape[:-1], dtype=x.dtype))


@pytest.mark.parametrize(
    ("space", "law"),
    [(LongSphere(2), "dist"), (StiffSphere(2), "transport"), (WritingBall(2), "log")],
)
def test_the_broken_law_is_named(space, law):
    with pytest.raises(AssertionError, match=f"breaks the law .*{law}.*largest error"):
        check_manifold(space)


def test_anything_else_is_refused():
    with pytest.raises(TypeError, match="manifold must be a Manifold, got str"):
        check_manifold("sphere")


def test_every_law_has_a_name_of_its_own():
    assert len(set(LAWS)) == len(LAWS) > 25
