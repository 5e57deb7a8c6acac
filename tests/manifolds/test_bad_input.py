"""What every space says of input that is none of its points or vectors."""

import pytest
import torch

from holonomy import manifolds as m

N = 3
SPACES = [
    m.Birkhoff(N),
    m.Correlation(N),
    m.Correlation(N, metric=m.OffLog()),
    m.Euclidean(N),
    m.FisherRaoSimplex(N),
    m.FixedRank(4, 3, 2),
    m.FixedRankPSD(4, 2),
    m.Flag(4, (1, 2)),
    m.Grassmann(4, 2),
    m.GrassmannProjector(4, 2),
    m.Hyperboloid(N),
    m.Oblique(N, 4),
    m.PoincareBall(N),
    m.Power(m.Sphere(2), 3),
    m.Product(m.Sphere(2), m.Hyperboloid(2)),
    m.RealProjective(N),
    m.SE(3),
    m.SPD(N, metric=m.AffineInvariant()),
    m.SPD(N, metric=m.BuresWasserstein()),
    m.SPD(N, metric=m.LogCholesky()),
    m.SPD(N, metric=m.LogEuclidean()),
    m.SiegelUpperHalfSpace(2),
    m.SpecialOrthogonal(3),
    m.Sphere(N),
    m.Stereographic(N, -0.5),
    m.Stereographic(N, 0.5),
    m.Stiefel(4, 2),
    m.Torus(2),
]

WHOLE = (m.Euclidean, m.FixedRankPSD, m.Stereographic, m.Torus)
"""Spaces whose points are all arrays of their shape, or almost all, if the curvature is positive."""
OPEN = (m.Euclidean, m.PoincareBall, m.Stereographic, m.Torus)
"""Spaces whose tangent vectors are all arrays of their shape."""


@pytest.fixture(params=SPACES, ids=str)
def space(request):
    request.param.check = True
    yield request.param
    request.param.check = False


def point(space):
    return space.random_normal(2, std=0.2, random_state=0, dtype=torch.float64)


def test_integers_lists_and_complex_numbers_are_no_points(space):
    x = point(space)
    for wrong in (torch.zeros(space.shape, dtype=torch.long), x.tolist(), x.numpy(), x.to(torch.complex128)):
        with pytest.raises(TypeError, match="floating-point tensor"):
            space.log(x, wrong)


def test_a_wrong_trailing_shape_is_named(space):
    x = point(space)
    wrong = torch.cat([x, x], dim=-1)
    for call in (lambda: space.dist(x, wrong), lambda: space.log(wrong, x), lambda: space.exp(x, wrong)):
        with pytest.raises(ValueError, match="must have shape"):
            call()
    with pytest.raises(ValueError, match="must have shape"):
        space.dist(x, torch.zeros((), dtype=x.dtype))
    assert not bool(space.belongs(wrong).any())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_named(space, value):
    x = point(space)
    wrong = x.clone(memory_format=torch.contiguous_format)
    wrong.view(-1)[0] = value
    with pytest.raises(ValueError, match="y holds NaN or infinity"):
        space.dist(x, wrong)
    with pytest.raises(ValueError, match="v holds NaN or infinity"):
        space.exp(x, torch.full_like(x, value))
    assert space.belongs(wrong).tolist() == [False, True]
    assert not bool(space.belongs(wrong[0]))


def test_points_off_the_space_are_counted_and_the_remedy_named(space):
    x = point(space)
    wrong = x.clone()
    wrong[1] = -7.0 * x[1] - 5.0
    if isinstance(space, WHOLE) and getattr(space, "curvature", 0.0) >= 0:
        assert bool(space.belongs(wrong).all())
        return
    with pytest.raises(ValueError, match=r"1 of 2 lie off it .*use project\(y\)"):
        space.dist(x, wrong)
    assert space.belongs(wrong).tolist() == [True, False]


def test_vectors_that_are_not_tangent_are_named(space):
    x = point(space)
    wrong = x + torch.arange(x[0].numel(), dtype=x.dtype).reshape(space.shape)
    if isinstance(space, OPEN):
        assert bool(space.is_tangent(x, wrong).all())
        return
    with pytest.raises(ValueError, match=r"not tangent; use project_tangent\(x, v\)"):
        space.exp(x, wrong)
    space.exp(x, space.project_tangent(x, wrong) * 0.01)


def test_one_point_and_a_batch_broadcast(space):
    x = point(space)
    one, two = x[0], space.random_normal(4, 1, std=0.2, random_state=1, dtype=torch.float64)
    assert space.dist(one, x).shape == (2,)
    assert space.dist(two, x).shape == (4, 2)
    assert space.log(one, two).shape == (4, 1, *space.shape)
    assert space.exp(one, space.log(one, x)).shape == x.shape
    assert torch.allclose(space.dist(one, x)[1], space.dist(x[0], x[1]))
    with pytest.raises((RuntimeError, ValueError)):
        space.dist(x, torch.cat([x, x[:1]]))


def test_an_empty_batch_is_no_error(space):
    x = point(space)[:0]
    assert space.dist(x, x).shape == (0,)
    assert space.log(x, x).shape == (0, *space.shape)
    assert space.belongs(x).shape == (0,)


def test_checks_cost_nothing_unless_asked_for(space):
    x = point(space)
    y, v = x.flip(0).contiguous(), space.random_tangent(x, 0) * 0.1
    checked = space.dist(x, y), space.exp(x, v), space.log(x, y)
    called = []
    space.check = False
    original = space.check_point
    space.check_point = lambda *a: called.append(a) or original(*a)
    try:
        plain = space.dist(x, y), space.exp(x, v), space.log(x, y)
    finally:
        del space.check_point
    assert not called
    assert all(torch.equal(a, b) for a, b in zip(checked, plain, strict=True))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: m.Sphere(2, curvature=-1.0), "curvature of a sphere must be positive"),
        (lambda: m.Sphere(2, curvature=0.0), "curvature of a sphere must be positive"),
        (lambda: m.Hyperboloid(2, curvature=1.0), "curvature of a hyperboloid must be negative"),
        (lambda: m.PoincareBall(2, curvature=1.0), "curvature"),
        (lambda: m.Sphere(2, curvature=float("nan")), "curvature must be finite"),
        (lambda: m.Hyperboloid(2, curvature=float("-inf")), "curvature must be finite"),
        (lambda: m.Sphere(0), "n must be at least 1"),
        (lambda: m.Euclidean(), "at least one axis"),
        (lambda: m.Euclidean(0), "shape must be at least 1"),
        (lambda: m.SPD(0), "n must be at least 1"),
        (lambda: m.Stiefel(2, 3), "must be"),
        (lambda: m.Grassmann(2, 3), "must be"),
        (lambda: m.Flag(3, (2, 1)), "must"),
        (lambda: m.FixedRank(3, 3, 4), "must be"),
        (lambda: m.Power(m.Sphere(2), 0), "n must be at least 1"),
        (lambda: m.Product(), "factors must name"),
        (lambda: m.Product(m.Sphere(2), weights=[-1.0]), "weights must be 1 positive"),
    ],
)
def test_parameters_of_no_space_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    "make",
    [lambda: m.Sphere(2.5), lambda: m.Sphere(True), lambda: m.SPD("3"), lambda: m.Power(3, 2), lambda: m.Product(3)],
)
def test_parameters_of_a_wrong_type_are_type_errors(make):
    with pytest.raises(TypeError):
        make()


@pytest.mark.parametrize("space", [m.Sphere(3), m.Sphere(3, 0.25)], ids=str)
def test_the_logarithm_of_the_opposite_point_has_the_right_length_and_ends_there(space):
    x = space.random_uniform(5, random_state=0, dtype=torch.float64)
    v = space.log(x, -x)
    assert torch.allclose(space.norm(x, v), torch.full((5,), space.injectivity_radius, dtype=torch.float64))
    assert torch.allclose(space.exp(x, v), -x, atol=1e-12)
    assert torch.equal(v, space.log(x, -x))


def test_matrices_that_are_not_positive_definite_are_refused():
    space = m.SPD(2, check=True)
    good = torch.eye(2, dtype=torch.float64)
    for wrong in (
        -good,
        torch.diag(torch.tensor([1.0, -1e-3])).double(),
        good + torch.tensor([[0.0, 1.0], [0.0, 0.0]]),
    ):
        with pytest.raises(ValueError, match="lie off it"):
            space.dist(good, wrong)


def test_a_mix_of_precisions_is_no_silent_loss():
    space = m.Sphere(2)
    x = space.random_uniform(3, random_state=0, dtype=torch.float64)
    assert torch.allclose(space.dist(x, x.float()), torch.zeros(3, dtype=torch.float64), atol=1e-6)
