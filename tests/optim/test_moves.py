import pytest
import torch

from holonomy.manifolds import (
    SPD,
    Euclidean,
    Exponential,
    FixedRank,
    Flag,
    Grassmann,
    Hyperboloid,
    Power,
    Product,
    Projection,
    Sphere,
    Stiefel,
    check_retraction,
    check_transport,
)
from holonomy.optim._moves import default_retraction, default_transport
from holonomy.optim._orthographic import Orthographic

SPACES = (
    Euclidean(2),
    Sphere(3),
    Hyperboloid(2),
    SPD(2),
    Stiefel(5, 2),
    Grassmann(5, 2),
    Flag(5, (1, 3)),
    FixedRank(5, 4, 2),
    Product(Sphere(2), SPD(2), Stiefel(4, 2), weights=[1.0, 2.0, 0.5]),
    Power(Grassmann(4, 2), 3),
    Power(Product(Sphere(2), Euclidean(1)), 2),
)


def place(space):
    std = 0.3 if space.injectivity_radius == 0 else min(0.5, 0.1 * space.injectivity_radius)
    return space.random_normal(std=std, random_state=0, dtype=torch.float64)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_solvers_move_as_geodesics_to_first_order(space):
    longest = 0.1 if space.injectivity_radius == 0 else None
    assert check_retraction(space, default_retraction(space), place(space), longest=longest).holds


@pytest.mark.parametrize("space", [s for s in SPACES if not isinstance(s, FixedRank)], ids=str)
def test_solvers_carry_vectors_as_parallel_transport_to_first_order(space):
    x = place(space)
    y = default_retraction(space)(space, x, 1e-3 * space.random_tangent(x, 1))
    v = space.random_tangent(x, 2)
    moved = default_transport(space)(space, x, y, v)
    assert bool(space.is_tangent(y, moved))
    assert float(space.norm(y, moved - space.transport(x, y, v))) < 0.05 * float(space.norm(x, v))


@pytest.mark.parametrize("space", [Sphere(3), Grassmann(5, 2), SPD(2), Power(Sphere(2), 2)], ids=str)
def test_carried_vectors_err_with_order_two_on_symmetric_spaces(space):
    assert check_transport(space, default_transport(space), place(space)).holds


def test_many_vectors_are_carried_at_once():
    space = Product(Sphere(2), Power(SPD(2), 2))
    x, y = (space.random_normal(std=0.3, random_state=seed, dtype=torch.float64) for seed in (0, 1))
    vectors = torch.stack([space.random_tangent(x, seed) for seed in range(3)])
    carry = default_transport(space)
    together = carry(space, x, y, vectors)
    one_by_one = torch.stack([carry(space, x, y, v) for v in vectors])
    assert torch.allclose(together, one_by_one, atol=1e-12)


def test_the_orthographic_retraction_is_of_second_order_and_keeps_the_rank():
    space = FixedRank(6, 5, 2)
    x = space.random_normal(std=0.2, random_state=0, dtype=torch.float64)
    assert check_retraction(space, Orthographic(), x, order=2, longest=0.1).holds
    moved = space.retract(x, space.random_tangent(x, 1), method=Orthographic())
    assert bool(space.belongs(moved))
    v = 0.1 * space.random_tangent(x, 1)
    off = space.retract(x, v, method=Orthographic()) - x - v
    assert float(space.project_tangent(x, off).norm()) < 1e-12


def test_the_orthographic_retraction_is_for_matrices_of_fixed_rank_only():
    with pytest.raises(TypeError, match="FixedRank"):
        Orthographic()(Sphere(1), torch.ones(2), torch.ones(2))


def test_cheap_geodesics_are_kept():
    assert isinstance(default_retraction(SPD(2)), Exponential)
    assert isinstance(default_retraction(Stiefel(3, 1)), Projection)
