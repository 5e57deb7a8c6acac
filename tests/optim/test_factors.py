import pytest
import torch

from holonomy.manifolds import SPD, Euclidean, Hyperboloid, Power, Product, Sphere
from holonomy.optim._factors import factors_of
from tests.optim.problems import SPACES, points

NESTED = Product(Sphere(2), Power(Product(Euclidean(2), Hyperboloid(2)), 2), SPD(2), weights=(1.0, 2.0, 0.5))


@pytest.mark.parametrize("granularity", ["auto", "factor", "point"])
@pytest.mark.parametrize("space", [*SPACES.values(), NESTED], ids=str)
def test_squared_lengths_of_the_factors_add_up_to_that_of_the_vector(space, granularity):
    x = points(space, 3)
    g = space.random_tangent(x, random_state=1)
    factors = factors_of(space, granularity)
    found = factors.squared_lengths(x, g)
    assert tuple(found.shape) == (3, *factors.shape)
    torch.testing.assert_close(found.reshape(3, -1).sum(1), space.inner(x, g, g))


@pytest.mark.parametrize("granularity", ["auto", "factor", "point"])
@pytest.mark.parametrize("space", [*SPACES.values(), NESTED], ids=str)
def test_a_factor_is_scaled_by_its_own_number(space, granularity):
    x = points(space, 3)
    g = space.random_tangent(x, random_state=1)
    factors = factors_of(space, granularity)
    scales = torch.rand(3, *factors.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) + 0.5
    scaled = factors.squared_lengths(x, g * factors.spread(scales))
    torch.testing.assert_close(scaled, factors.squared_lengths(x, g) * scales**2)


@pytest.mark.parametrize(("granularity", "count"), [("auto", 8), ("factor", 6), ("point", 1)])
def test_the_number_of_factors_of_a_nested_product(granularity, count):
    assert torch.Size(factors_of(NESTED, granularity).shape).numel() == count


def test_numbers_are_their_own_factors():
    x = torch.randn(2, 3)
    factors = factors_of(None, "auto")
    assert torch.equal(factors.squared_lengths(x, x), x * x)
    assert factors.spread(x) is x
