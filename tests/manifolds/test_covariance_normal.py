import math

import pytest
import torch
from scipy.integrate import dblquad, quad

from holonomy.manifolds import SPD, AffineInvariant, LogEuclidean, RiemannianNormal

SQUARES = 4000
METRICS = [AffineInvariant(), AffineInvariant(2.5, -0.25), AffineInvariant(0.7, 1.3)]


def normal(n, std, metric="affine_invariant", mean=None):
    return RiemannianNormal(SPD(n, metric=metric), torch.eye(n, dtype=torch.float64) if mean is None else mean, std)


@pytest.mark.parametrize("metric", METRICS, ids=repr)
@pytest.mark.parametrize("std", [0.2, 1.0])
def test_density_has_mass_one(metric, std):
    """Integrate in the library's own polar coordinates around the mean: it decides what volume is."""
    given = normal(2, std, metric)
    space, origin = given.manifold, given.mean
    # The tangent space at the identity in isometric coordinates: a trace, and a radius of traceless matrices.
    units = torch.stack([torch.eye(2), torch.diag(torch.tensor([1.0, -1.0]))]).double()
    units = units / space.norm(origin, units)[:, None, None]
    far, count = 8.0 * std + 2.0 * std**2, 200
    t = torch.linspace(-far, far, 2 * count + 1, dtype=torch.float64)
    radius = torch.linspace(0.0, far, count + 1, dtype=torch.float64)
    v = t[:, None, None, None] * units[0] + radius[None, :, None, None] * units[1]
    x = space.exp(origin, v)
    log_density = given.log_prob(x) + space.log_volume_element(origin.expand_as(x), v)
    rings = (log_density.exp() * 2.0 * math.pi * radius).sum(0)
    step = far / count
    # Near zero the sum over radii has Euler and Maclaurin's correction, the slope there over twelve.
    correction = 2.0 * math.pi * float(log_density[:, 0].exp().sum()) * step**3 / 12.0
    assert float(rings.sum()) * step**2 + correction == pytest.approx(1.0, rel=1e-5)


def directly(n, std):
    """The logarithm of the integral over differences of logarithms of eigenvalues, with the constant of the paper."""
    volume = sum(math.log(2.0) + 0.5 * k * math.log(math.pi) - math.lgamma(0.5 * k) for k in range(1, n + 1))
    constant = volume - math.lgamma(n + 1) - n * math.log(2.0) + 0.25 * n * (n - 1) * math.log(8.0)
    trace = math.log(std * math.sqrt(2.0 * math.pi) / math.sqrt(n))
    far = 10.0 * std + 2.0 * std**2
    if n == 2:
        found = 2.0 * quad(lambda a: math.sinh(a / 2) * math.exp(-(a**2) / (4 * std**2)), 0.0, far, epsabs=0.0)[0]
    else:

        def density(b, a):
            square = (a**2 + b**2 + (a + b) ** 2) / 3
            return math.sinh(a / 2) * math.sinh(b / 2) * math.sinh((a + b) / 2) * math.exp(-square / (2 * std**2))

        found = 6.0 * dblquad(density, 0.0, far, 0.0, far, epsabs=0.0, epsrel=1e-8)[0]
    return constant + trace + math.log(found)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("std", [0.1, 1.0, 2.0])
def test_normalizer_is_the_integral(n, std):
    assert normal(n, std).log_normalizer == pytest.approx(directly(n, std), abs=1e-7)


@pytest.mark.parametrize("n", [1, 2, 6, 15])
def test_small_scales_are_flat(n):
    std = 1e-5
    flat = 0.25 * n * (n + 1) * math.log(2.0 * math.pi * std**2)
    assert normal(n, std).log_normalizer == pytest.approx(flat, rel=1e-9)
    assert normal(n, std).expected_square == pytest.approx(0.5 * n * (n + 1) * std**2, rel=1e-6)


@pytest.mark.parametrize("metric", METRICS, ids=repr)
@pytest.mark.parametrize("n", [1, 4, 9])
def test_expected_square_is_the_slope_of_the_normalizer(n, metric):
    up, down = (normal(n, 0.8 + h, metric).log_normalizer for h in (1e-4, -1e-4))
    assert normal(n, 0.8, metric).expected_square == pytest.approx(0.8**3 * (up - down) / 2e-4, rel=1e-6)


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("std", [0.1, 1.0, 2.0])
def test_samples_are_as_far_as_expected(n, std):
    given = normal(n, std)
    assert given.sampling != "chain"
    x = given.sample(SQUARES, random_state=0)
    assert given.manifold.belongs(x).all()
    square = given.manifold.squared_dist(given.mean, x)
    assert abs(float(square.mean()) - given.expected_square) < 4.0 * float(square.std()) / SQUARES**0.5


def test_chains_end_as_far_as_expected():
    given = normal(12, 1.1)
    assert given.sampling == "chain"
    square = given.manifold.squared_dist(given.mean, given.sample(500, random_state=0))
    assert abs(float(square.mean()) - given.expected_square) < 4.0 * float(square.std()) / 500**0.5


@pytest.mark.parametrize("metric", METRICS, ids=repr)
def test_trace_is_normal_with_its_own_weight(metric):
    given = normal(3, 0.6, metric)
    x = given.sample(SQUARES, random_state=1)
    along = torch.logdet(x) * math.sqrt((metric.alpha + 3 * metric.beta) / 3)
    assert float(along.std()) == pytest.approx(0.6, rel=4.0 / (2.0 * SQUARES) ** 0.5)
    square = given.manifold.squared_dist(given.mean, x)
    assert abs(float(square.mean()) - given.expected_square) < 4.0 * float(square.std()) / SQUARES**0.5


def test_congruences_move_everything():
    generator = torch.Generator().manual_seed(3)
    move = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    given, moved = normal(3, 0.7), normal(3, 0.7, mean=move @ move.mT)
    x = given.sample(50, random_state=2)
    assert torch.allclose(given.log_prob(x), moved.log_prob(move @ x @ move.mT), atol=1e-9)
    y = moved.sample(SQUARES, random_state=2)
    logs = moved.manifold.log(moved.mean, y)
    middle = moved.manifold.norm(moved.mean, logs.mean(0))
    assert float(middle) < 5.0 * (given.expected_square / SQUARES) ** 0.5


def test_sizes_of_samples_and_their_precision():
    single = RiemannianNormal(SPD(2), std=0.3)
    assert single.sample(random_state=0).shape == (2, 2)
    assert single.sample(0, 5, random_state=0).shape == (0, 5, 2, 2)
    assert single.sample(3, 4, random_state=0).dtype == torch.float32
    x = normal(2, 0.3).sample(3, 4, random_state=0)
    assert x.dtype == torch.float64
    assert torch.equal(x, normal(2, 0.3).sample(3, 4, random_state=0))
    assert torch.isfinite(single.log_prob(x)).all()


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="affine-invariant metric, got SPD"):
        RiemannianNormal(SPD(3, metric=LogEuclidean()))
    with pytest.raises(ValueError, match="beta must be above"):
        RiemannianNormal(SPD(3, metric=AffineInvariant(1.0, -0.5)))
    with pytest.raises(ValueError, match="std must be positive"):
        RiemannianNormal(SPD(3), std=0.0)
    with pytest.raises(ValueError, match="mean"):
        RiemannianNormal(SPD(2), -torch.eye(2))
    with pytest.raises(ValueError, match="mean must have shape"):
        RiemannianNormal(SPD(2), torch.eye(2).expand(3, 2, 2))
