import pytest
import torch

from holonomy.manifolds import (
    SPD,
    Correlation,
    Euclidean,
    EuclideanCholesky,
    Grassmann,
    Hyperboloid,
    LogCholesky,
    LogEuclidean,
    LogEuclideanCholesky,
    LogScaled,
    OffLog,
    PoincareBall,
    PolyHyperbolicCholesky,
    Sphere,
    Stereographic,
    gyration,
    gyro_add,
    gyro_inverse,
    gyro_scale,
)

SPACES = (
    Euclidean(3),
    Hyperboloid(3, -2.0),
    PoincareBall(3, -0.5),
    Stereographic(3, 0.7),
    Sphere(3),
    SPD(2),
    SPD(3, LogEuclidean()),
    SPD(3, LogCholesky()),
    Grassmann(5, 2),
    Correlation(3, EuclideanCholesky()),
    Correlation(3, LogEuclideanCholesky()),
    Correlation(3, PolyHyperbolicCholesky()),
    Correlation(3, OffLog()),
    Correlation(3, LogScaled()),
)


def same(space, x, y, atol):
    """Say whether points are the same; subspaces may have different bases."""
    if isinstance(space, Grassmann):
        x, y = x @ x.mT, y @ y.mT
    return torch.allclose(x, y, atol=atol)


@pytest.fixture
def triple(space):
    return space.random_normal(3, 5, std=0.2, random_state=3, dtype=torch.float64)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_the_origin_is_neutral_and_inverses_cancel(space, triple):
    x = triple[0]
    origin = space.origin(dtype=x.dtype)
    for unchanged in (gyro_add(space, origin, x), gyro_add(space, x, origin)):
        assert same(space, unchanged, x, atol=1e-12)
    for gone in (gyro_add(space, gyro_inverse(space, x), x), gyro_add(space, x, gyro_inverse(space, x))):
        assert same(space, gone, origin, atol=1e-10)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_left_cancellation_and_gyroassociativity(space, triple):
    x, y, z = triple
    assert same(space, gyro_add(space, gyro_inverse(space, x), gyro_add(space, x, y)), y, atol=1e-10)
    left = gyro_add(space, x, gyro_add(space, y, z))
    assert same(space, left, gyro_add(space, gyro_add(space, x, y), gyration(space, x, y, z)), atol=1e-10)
    commuted = gyration(space, x, y, gyro_add(space, y, x))
    assert same(space, gyro_add(space, x, y), commuted, atol=1e-10)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_gyrations_are_isometries_and_distance_is_that_of_the_difference(space, triple):
    x, y, z = triple
    origin = space.origin(dtype=x.dtype)
    assert torch.allclose(space.dist(origin, gyration(space, x, y, z)), space.dist(origin, z))
    assert torch.allclose(space.dist(origin, gyro_add(space, gyro_inverse(space, x), y)), space.dist(x, y))


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_scalars_distribute_over_multiples_of_a_point(space, triple):
    x = triple[0]
    both = gyro_add(space, gyro_scale(space, 0.3, x), gyro_scale(space, 0.5, x))
    assert same(space, both, gyro_scale(space, 0.8, x), atol=1e-12)
    assert same(space, gyro_scale(space, 0.5, gyro_scale(space, 0.4, x)), gyro_scale(space, 0.2, x), atol=1e-12)


def test_on_the_ball_it_is_mobius_addition():
    ball = PoincareBall(3)
    x, y = ball.random_normal(2, 20, std=0.7, random_state=1, dtype=torch.float64)
    xx, yy, xy = (x * x).sum(-1, True), (y * y).sum(-1, True), (x * y).sum(-1, True)
    expected = ((1 + 2 * xy + yy) * x + (1 - xx) * y) / (1 + 2 * xy + xx * yy)
    assert torch.allclose(gyro_add(ball, x, y), expected, atol=1e-13)


def test_on_positive_definite_matrices_it_is_the_congruence():
    space = SPD(3)
    x, y = space.random_normal(2, random_state=1, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(x)
    root = vectors @ torch.diag(values.sqrt()) @ vectors.T
    assert torch.allclose(gyro_add(space, x, y), root @ y @ root)
