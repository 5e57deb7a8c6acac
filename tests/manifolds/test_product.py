import math

import pytest
import torch

from holonomy.manifolds import SPD, Euclidean, Hyperboloid, PoincareBall, Power, Product, Sphere, TangentSpace, Torus
from tests.manifolds.suite import ManifoldSuite


class TestProduct(ManifoldSuite):
    spaces = (
        Product(Sphere(2), Euclidean(1)),
        Product(PoincareBall(2), SPD(2), weights=(2.0, 0.5)),
        Product(Torus(2), Product(Hyperboloid(2), Sphere(1))),
    )


class TestPower(ManifoldSuite):
    spaces = (Power(Sphere(2), 3), Power(SPD(2), 2), Power(Euclidean(2, 2), 2))


def test_weights_scale_lengths_and_curvature_falls_in_mixed_planes():
    space = Product(Sphere(2), Sphere(2), weights=(4.0, 1.0))
    x, y = space.random_uniform(2, random_state=0, dtype=torch.float64)
    first, second = (s.dist(p, q) for s, p, q in zip(space.factors, space.split(x), space.split(y), strict=True))
    assert torch.allclose(space.dist(x, y), torch.sqrt(4.0 * first**2 + second**2))
    from holonomy.manifolds import riemann_tensor

    tensor = riemann_tensor(space, x)
    sections = torch.tensor([[float(tensor[i, j, j, i]) for j in range(4)] for i in range(4)])
    expected = torch.zeros(4, 4)
    expected[0, 1] = expected[1, 0] = 0.25
    expected[2, 3] = expected[3, 2] = 1.0
    assert torch.allclose(sections, expected, atol=1e-8)


def test_densities_of_products_are_products():
    space = Product(Sphere(2), Euclidean(2), weights=(4.0, 0.25))
    x = space.random_normal(50, std=0.3, random_state=0, dtype=torch.float64)
    sphere, flat = space.split(x)
    expected = Sphere(2).normal_log_prob(sphere, std=0.15) - 0.5 * 2 * math.log(4.0)
    expected = expected + Euclidean(2).normal_log_prob(flat, std=0.6) - 0.5 * 2 * math.log(0.25)
    assert torch.allclose(space.normal_log_prob(x, std=0.3), expected)


def test_bad_factors_are_refused():
    with pytest.raises(ValueError, match="factors"):
        Product()
    with pytest.raises(TypeError, match="factors must be manifolds, got int"):
        Product(Sphere(2), 3)
    with pytest.raises(ValueError, match="weights must be 2 positive numbers"):
        Product(Sphere(2), Sphere(2), weights=(1.0, 0.0))
    with pytest.raises(TypeError, match="base"):
        Power(3, 3)
    with pytest.raises(ValueError, match="n must be"):
        Power(Sphere(2), 0)


BALL = PoincareBall(2)
SPHERE = Sphere(2)


class TestTangentSpace(ManifoldSuite):
    spaces = (
        TangentSpace(BALL, torch.tensor([0.5, 0.3], dtype=torch.float64)),
        # Not from the seed of the suite, whose linear functions would be along this very point, and 0 on the space.
        TangentSpace(SPHERE, SPHERE.random_uniform(random_state=1, dtype=torch.float64)),
    )


def test_tangent_spaces_are_those_of_one_point():
    with pytest.raises(ValueError, match="point must have shape"):
        TangentSpace(BALL, torch.zeros(3, 2))
    with pytest.raises(ValueError, match="off it"):
        TangentSpace(BALL, torch.ones(2))
