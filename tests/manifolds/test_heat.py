"""Heat kernels: mass one by quadrature, the heat equation, mpmath, and how they fit together across spaces."""

import math

import mpmath as mp
import pytest
import torch
from scipy.integrate import simpson

from holonomy.manifolds import (
    SPD,
    AffineInvariant,
    Correlation,
    Euclidean,
    Hyperboloid,
    LogCholesky,
    LogEuclidean,
    OffLog,
    PoincareBall,
    PowerDeformed,
    Product,
    SpecialOrthogonal,
    Sphere,
    Torus,
)
from holonomy.manifolds.distributions import BrownianMotion
from holonomy.manifolds.heat import (
    hyperbolic_heat,
    hyperbolic_log_heat,
    short_time_heat,
    spherical_heat,
    spherical_log_heat,
)


def _tensor(*values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("dim", [1, 2, 3, 4, 5, 6, 7, 9, 10])
@pytest.mark.parametrize("s", [0.05, 0.5, 2.0])
def test_hyperbolic_heat_has_mass_one_in_any_dimension(dim, s):
    farthest = (dim - 1) * s / 2 + 10 * math.sqrt(s * (1 + 0.3 * dim)) + 1.0
    r = torch.linspace(0.0, farthest, 401, dtype=torch.float64)
    area = 2.0 * math.pi ** (dim / 2) / math.gamma(dim / 2)
    density = hyperbolic_heat(r, torch.full_like(r, s), dim)
    mass = simpson((density * torch.sinh(r) ** (dim - 1)).numpy(), x=r.numpy()) * area
    assert math.isclose(mass, 1.0, rel_tol=3e-6)


@pytest.mark.parametrize("dim", [4, 5, 7])
def test_hyperbolic_heat_equals_mpmath(dim):
    """Millson's recursion, with derivatives by mpmath, from the line or the plane."""
    s = mp.mpf("0.7")

    def plane(c):
        r = mp.acosh(c)
        front = mp.sqrt(2) * mp.exp(-s / 8) / (2 * mp.pi * s) ** mp.mpf("1.5")

        def value(w):
            u = mp.acosh(c + w * w)
            return 2 * u / mp.sinh(u) * mp.exp(-u * u / (2 * s))

        return front * mp.quad(value, [0, 1, 4, 40]) + 0 * r

    def line(c):
        return mp.exp(-(mp.acosh(c) ** 2) / (2 * s)) / mp.sqrt(2 * mp.pi * s)

    start, base = (line, 1) if dim % 2 else (plane, 2)
    times = (dim - base) // 2
    rate = sum(range(base, dim - 1, 2))
    with mp.workdps(40):
        for d in (0.4, 1.0, 2.5):
            c = mp.cosh(mp.mpf(d))
            exact = (-1) ** times * mp.diff(start, c, times) * mp.exp(-rate * s / 2) / (2 * mp.pi) ** times
            ours = float(hyperbolic_heat(_tensor(d), _tensor(float(s)), dim))
            assert ours == pytest.approx(float(exact), rel=1e-9)


def _exact_spherical_log_heat(d, s, dim):
    """The series of Gegenbauer polynomials, with digits enough for what cancels."""
    digits = 40 + int(d * d / s / 4)
    with mp.workdps(digits):
        d, s, rate = mp.mpf(d), mp.mpf(s), mp.mpf(dim - 1) / 2
        z, before, now, total = mp.cos(d), mp.mpf(0), mp.mpf(1), mp.mpf(0)
        for order in range(int(mp.sqrt(5 * digits / s))):
            total += (order / rate + 1) * mp.exp(-order * (order + dim - 1) * s / 2) * now
            after = (2 * (order + rate) * z * now - (order + 2 * rate - 1) * before) / (order + 1)
            before, now = now, after
        half = mp.mpf(dim + 1) / 2
        return float(mp.log(total * mp.gamma(half) / (2 * mp.pi**half)))


@pytest.mark.parametrize("dim", [2, 3, 6, 12])
def test_logs_of_spherical_heat_equal_mpmath_however_far_away(dim):
    cases = [(d, s) for s in (0.6, 0.05) for d in (0.0, 0.5, 1.0, 2.5, 3.14, math.pi)]
    cases += [(1.0, 1.9e-3), (0.0, 1.9e-3), (0.15, 1.9e-3)]
    d, s = (torch.tensor(column, dtype=torch.float64) for column in zip(*cases, strict=True))
    error = (spherical_log_heat(d, s, dim) - _tensor(*(_exact_spherical_log_heat(*case, dim) for case in cases))).abs()
    assert float(error[:-2].max()) < 2e-11
    # Early heat near its source leaves out what is of third order in the time.
    assert float(error[-2:].max()) < 1e-8


def test_logs_of_circular_heat_equal_those_of_one_winding():
    d, s = _tensor(0.5, 3.0), _tensor(1e-3, 1e-3)
    wound = -0.5 * d.square() / s - 0.5 * torch.log(2.0 * math.pi * s)
    torch.testing.assert_close(spherical_log_heat(d, s, 1), wound)


def test_slopes_of_spherical_log_heat_are_those_of_differences_in_every_form():
    d, s = _tensor(0.03, 0.4, 2.0, 3.1), _tensor(1e-3, 0.3, 0.05, 0.02)
    for dim in (2, 3, 6):
        at = d.clone().requires_grad_()
        (slope,) = torch.autograd.grad(spherical_log_heat(at, s, dim).sum(), at)
        step = 1e-5
        rise = (spherical_log_heat(d + step, s, dim) - spherical_log_heat(d - step, s, dim)) / (2 * step)
        torch.testing.assert_close(slope, rise, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("dim", [2, 3, 4])
def test_logs_of_hyperbolic_heat_go_on_where_the_kernel_underflows(dim):
    near = _tensor(0.5, 2.0)
    torch.testing.assert_close(
        hyperbolic_log_heat(near, _tensor(0.7), dim).exp(), hyperbolic_heat(near, _tensor(0.7), dim)
    )
    d, s = 60.0, 0.5
    with mp.workdps(40):
        if dim == 3:
            exact = -mp.mpf(s) / 2 - mp.mpf(d) ** 2 / (2 * s) + mp.log(d / mp.sinh(d)) - 1.5 * mp.log(2 * mp.pi * s)
            assert float(hyperbolic_log_heat(_tensor(d), _tensor(s), dim)) == pytest.approx(float(exact), rel=1e-14)
    assert hyperbolic_heat(_tensor(d), _tensor(s), dim) == 0.0
    assert torch.isfinite(hyperbolic_log_heat(_tensor(d), _tensor(s), dim)).all()


@pytest.mark.parametrize(
    "space",
    [Sphere(2), Hyperboloid(3), Euclidean(2), SpecialOrthogonal(3), Torus(2), SPD(2, LogEuclidean()),
     Product(Sphere(2), Euclidean(1))],
    ids=str,
)  # fmt: skip
def test_log_densities_of_brownian_motion_are_finite_far_away(space):
    x = space.random_normal(std=0.3, random_state=0, dtype=torch.float64)
    v = space.random_tangent(x, random_state=1)
    y = space.exp(x, 2.0 * v / space.norm(x, v))
    far = BrownianMotion(space, x, time=1e-3).log_prob(y)
    assert float(space.heat_kernel(x, y, 1e-3)) == 0.0
    assert float(far) == pytest.approx(-2000.0, rel=0.02)
    torch.testing.assert_close(space.log_heat_kernel(x, y, 0.5).exp(), space.heat_kernel(x, y, 0.5))


@pytest.mark.parametrize("dim", [2, 4, 5, 8])
def test_hyperbolic_heat_solves_the_heat_equation(dim):
    d = _tensor(0.05, 0.3, 0.9, 1.32, 3.0).requires_grad_()
    s = torch.full((5,), 0.4, dtype=torch.float64, requires_grad=True)
    p = hyperbolic_heat(d, s, dim)
    by_d, by_s = torch.autograd.grad(p.sum(), (d, s), create_graph=True)
    (twice,) = torch.autograd.grad(by_d.sum(), d)
    right = 0.5 * (twice + (dim - 1) / torch.tanh(d) * by_d)
    torch.testing.assert_close(by_s, right, rtol=1e-6, atol=0.0)


def test_series_and_recurrence_meet():
    edge = 2.0 * math.asinh(0.5)
    d = _tensor(edge * (1 - 1e-9), edge * (1 + 1e-9))
    for dim in (4, 5, 8, 11):
        values = hyperbolic_heat(d, torch.full_like(d, 0.3), dim)
        assert float(values[0] / values[1]) == pytest.approx(1.0, abs=1e-7)


def test_hyperbolic_spaces_of_four_dimensions_share_their_kernel():
    ball, sheet = PoincareBall(4, -2.0), Hyperboloid(4, -2.0)
    v = 0.3 * torch.ones(4, dtype=torch.float64)
    at = ball.origin(dtype=torch.float64)
    x = ball.exp(at, v / ball.norm(at, v) * 0.8)
    start = sheet.origin(dtype=torch.float64)
    u = sheet.frame(start)[0]
    y = sheet.exp(start, u * 0.8)
    torch.testing.assert_close(ball.heat_kernel(at, x, 0.5), sheet.heat_kernel(start, y, 0.5))


FLAT = [
    SPD(2, LogEuclidean()),
    SPD(2, LogCholesky()),
    SPD(2, PowerDeformed(LogEuclidean(), 0.5)),
    Correlation(3, OffLog()),
]


@pytest.mark.parametrize("space", FLAT, ids=str)
def test_heat_of_flat_metrics_is_gaussian_with_mass_one(space):
    """By quadrature over normal coordinates, in which these metrics have no volume element."""
    x = space.random_normal(std=0.3, random_state=0, dtype=torch.float64)
    frame = space.frame(x)
    s, count = 0.3, 25
    ticks = torch.linspace(-5.0, 5.0, count, dtype=torch.float64) * math.sqrt(s)
    grid = torch.cartesian_prod(*[ticks] * space.dim)
    v = torch.einsum("gd,dij->gij", grid, frame)
    torch.testing.assert_close(space.log_volume_element(x, v), torch.zeros(len(v), dtype=torch.float64))
    density = space.heat_kernel(x, space.exp(x, v), s)
    cell = float(ticks[1] - ticks[0]) ** space.dim
    assert float(density.sum()) * cell == pytest.approx(1.0, abs=1e-4)
    expected = torch.exp(-0.5 * grid.square().sum(-1) / s) / (2 * math.pi * s) ** (space.dim / 2)
    torch.testing.assert_close(density, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("s", [0.01, 0.3, 3.0])
def test_heat_of_the_torus_has_mass_one_and_is_periodic(s):
    torus = Torus(2)
    x = torus.origin(dtype=torch.float64)
    ticks = torch.arange(400, dtype=torch.float64) / 400.0
    period = torus.periods.double()
    grid = torch.cartesian_prod(ticks * period[0], ticks * period[1])
    density = torus.heat_kernel(x, torus.project(grid), s)
    assert float(density.mean() * period.prod()) == pytest.approx(1.0, rel=1e-9)


def test_heat_of_a_product_is_the_product():
    space = Product(Sphere(2), Hyperboloid(2), Euclidean(1))
    x, y = space.random_normal(2, std=0.4, random_state=0, dtype=torch.float64)
    parts = zip(space.factors, space.split(x), space.split(y), strict=True)
    expected = math.prod(float(factor.heat_kernel(p, q, 0.4)) for factor, p, q in parts)
    assert float(space.heat_kernel(x, y, 0.4)) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    "space",
    [Sphere(2), Sphere(3), Hyperboloid(2), Hyperboloid(5), SpecialOrthogonal(3), Torus(2), SPD(2, LogEuclidean())],
    ids=str,
)
def test_the_short_time_form_is_what_every_kernel_tends_to(space):
    x = space.random_normal(std=0.2, random_state=1, dtype=torch.float64)
    v = space.random_tangent(x, random_state=2)
    errors = []
    for s in (0.04, 0.02, 0.01):
        y = space.exp(x, math.sqrt(s) * v / space.norm(x, v))
        errors.append(abs(float(short_time_heat(space, x, y, s) / space.heat_kernel(x, y, s)) - 1.0))
    assert errors[2] < 0.06
    assert errors[0] < 1e-10 or errors[2] < 0.6 * errors[0]


def test_the_short_time_form_serves_spaces_without_a_closed_form():
    space = SPD(2, AffineInvariant())
    x, y = space.random_normal(2, std=0.05, random_state=0, dtype=torch.float64)
    with pytest.raises(NotImplementedError, match="heat kernel"):
        space.heat_kernel(x, y, 0.01)
    assert torch.isfinite(short_time_heat(space, x, y, 0.01))
    torch.testing.assert_close(short_time_heat(space, x, y, 0.01), short_time_heat(space, y, x, 0.01))


def test_the_sphere_approaches_the_short_time_form_across_the_switch():
    d = _tensor(0.0, 0.05)
    for dim in (2, 3, 6):
        below, above = (spherical_heat(d, torch.full_like(d, s), dim) for s in (1.9999e-3, 2.0001e-3))
        torch.testing.assert_close(below, above, rtol=5e-3, atol=0.0)
