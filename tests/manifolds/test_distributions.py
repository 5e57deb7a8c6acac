import math

import pytest
import torch

from holonomy.manifolds import (
    BrownianMotion,
    Euclidean,
    Hyperboloid,
    PoincareBall,
    RiemannianNormal,
    Sphere,
    Stereographic,
    Uniform,
    VonMisesFisher,
    WrappedNormal,
)
from holonomy.manifolds.heat import hyperbolic_heat, spherical_heat


def mass(log_density, space, farthest, count=20001):
    """Integrate a density that depends on the distance from the origin only, over shells around it."""
    k = float(space.curvature)
    r = torch.linspace(0.0, farthest, count, dtype=torch.float64)
    r = 0.5 * (r[1:] + r[:-1])
    origin = space.origin(dtype=torch.float64)
    direction = space.frame(origin)[0]
    root = abs(k) ** 0.5
    circle = torch.sin(root * r) / root if k > 0 else torch.sinh(root * r) / root if k < 0 else r
    area = 2.0 * math.pi ** (0.5 * space.dim) / math.gamma(0.5 * space.dim)
    density = log_density(space.exp(origin, r.unsqueeze(-1) * direction)).exp()
    return float((density * area * circle ** (space.dim - 1)).sum() * farthest / (count - 1))


SPACES = (Sphere(2), Sphere(3, 4.0), Hyperboloid(2), Hyperboloid(3, -0.5), Stereographic(2, 0.0), PoincareBall(2, -2.0))


def far(space, spread):
    """A radius beyond which nothing is left, or the whole sphere."""
    k = float(space.curvature)
    return math.pi / k**0.5 if k > 0 else 9.0 * spread + 2.0 * spread**2 * (-k) ** 0.5


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("std", [0.1, 0.7])
def test_normals_have_mass_one(space, std):
    for distribution in (WrappedNormal(space, std=std), RiemannianNormal(space, std=std)):
        assert math.isclose(mass(distribution.log_prob, space, far(space, std)), 1.0, rel_tol=2e-5)


@pytest.mark.parametrize("kappa", [0.0, 1e-3, 1.0, 50.0, 1e5])
@pytest.mark.parametrize("sphere", [Sphere(1), Sphere(2), Sphere(4, 0.25)], ids=str)
def test_von_mises_fisher_has_mass_one(sphere, kappa):
    spread = math.pi if kappa < 100 else 12.0 / kappa**0.5
    farthest = spread / float(sphere.curvature) ** 0.5
    assert math.isclose(mass(VonMisesFisher(sphere, concentration=kappa).log_prob, sphere, farthest), 1.0, rel_tol=1e-6)


@pytest.mark.parametrize("space", [*SPACES, Hyperboloid(1), Sphere(1), Sphere(5)], ids=str)
@pytest.mark.parametrize("time", [0.05, 0.6])
def test_heat_kernels_have_mass_one(space, time):
    motion = BrownianMotion(space, time=time)
    assert math.isclose(mass(motion.log_prob, space, far(space, 1.2 * time**0.5)), 1.0, rel_tol=1e-5)


@pytest.mark.parametrize(("kernel", "sign", "dim"), [(spherical_heat, 1, 2), (spherical_heat, 1, 4),
                                                     (hyperbolic_heat, -1, 2), (hyperbolic_heat, -1, 3)])  # fmt: skip
def test_heat_kernels_solve_the_heat_equation(kernel, sign, dim):
    d = torch.tensor([0.3, 0.9, 1.7], dtype=torch.float64, requires_grad=True)
    s = torch.full((3,), 0.4, dtype=torch.float64, requires_grad=True)
    p = kernel(d, s, dim)
    by_d, by_s = torch.autograd.grad(p.sum(), (d, s), create_graph=True)
    (twice,) = torch.autograd.grad(by_d.sum(), d)
    cot = 1.0 / torch.tan(d) if sign > 0 else 1.0 / torch.tanh(d)
    assert torch.allclose(by_s, 0.5 * (twice + (dim - 1) * cot * by_d), rtol=1e-6)


def test_short_times_continue_the_series():
    d = torch.tensor([0.0, 0.02, 0.1], dtype=torch.float64)
    below, above = (spherical_heat(d, torch.full((3,), s, dtype=torch.float64), 2) for s in (1.9999e-3, 2.0001e-3))
    assert torch.allclose(below, above, rtol=3e-3)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_samples_follow_their_density(space):
    """The mean of the squared distance from the centre, by samples and by the density."""
    distributions = [WrappedNormal(space, std=0.4), RiemannianNormal(space, std=0.4)]
    if isinstance(space, Sphere):
        distributions += [VonMisesFisher(space, concentration=3.0), Uniform(space)]
    for distribution in distributions:
        x = distribution.sample(20_000, random_state=0)
        assert space.belongs(x).all()
        origin = space.origin(dtype=torch.float64)
        square = space.squared_dist(origin, x.double())

        def weighted(y, given=distribution):
            return given.log_prob(y) + space.squared_dist(space.origin(dtype=y.dtype), y).clamp_min(1e-300).log()

        expected = mass(weighted, space, far(space, 0.4))
        assert abs(float(square.mean()) - expected) < 5.0 * float(square.std()) / 20_000**0.5


def test_brownian_motion_spreads_like_the_heat_kernel():
    space = Sphere(2)
    ends = BrownianMotion(space, time=0.5, steps=40).sample(20_000, random_state=0)
    assert abs(float(ends[:, 0].mean()) - math.exp(-0.5)) < 0.012
    path = BrownianMotion(Euclidean(2), time=2.0, steps=5).path(3, random_state=0)
    assert path.shape == (6, 3, 2)


def test_the_mean_may_be_anywhere():
    space = Hyperboloid(2)
    mean = space.random_normal(random_state=4, dtype=torch.float64)
    for kind in (WrappedNormal, RiemannianNormal):
        x = kind(space, mean, 0.3).sample(4000, random_state=0)
        logs = space.log(mean, x).mean(0)
        assert space.norm(mean, space.project_tangent(mean, logs)) < 0.03


def test_bad_parameters_are_refused():
    with pytest.raises(NotImplementedError, match="infinite volume"):
        Uniform(Hyperboloid(2))
    with pytest.raises(ValueError, match="std must be positive"):
        WrappedNormal(Sphere(2), std=0.0)
    with pytest.raises(ValueError, match="mean"):
        WrappedNormal(Sphere(2), torch.ones(3))
    with pytest.raises(TypeError, match="constant curvature"):
        RiemannianNormal(Euclidean(2))
    with pytest.raises(TypeError, match="Sphere"):
        VonMisesFisher(Hyperboloid(2))
    with pytest.raises(ValueError, match="concentration"):
        VonMisesFisher(Sphere(2), concentration=-1.0)
