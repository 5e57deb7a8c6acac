import pytest
import torch

from holonomy.manifolds import (
    SE,
    SPD,
    BuresWasserstein,
    Correlation,
    Euclidean,
    FixedRank,
    FixedRankPSD,
    Flag,
    Grassmann,
    Hyperboloid,
    Oblique,
    PoincareBall,
    Power,
    Product,
    RealProjective,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
)
from holonomy.manifolds.slopes import _slope, _steps
from holonomy.optim._problem import Problem

SPACES = (
    Euclidean(3),
    Sphere(3, 2.0),
    Hyperboloid(3),
    PoincareBall(3),
    Stiefel(5, 2),
    Stiefel(5, 2, "euclidean"),
    Grassmann(5, 2),
    Flag(5, (1, 3)),
    FixedRank(5, 4, 2),
    FixedRankPSD(5, 2),
    SPD(3),
    SPD(3, metric=BuresWasserstein()),
    SpecialOrthogonal(4),
    SE(3),
    Oblique(3, 2),
    RealProjective(3),
    Correlation(3),
    Product(Sphere(2), Stiefel(4, 2), weights=[2.0, 0.5]),
    Power(SPD(2), 3),
)


def function_on(space, rng):
    """Return a function on the space that is the same for all coordinates of a point."""
    size = space.shape
    C = torch.randn(size, generator=rng, dtype=torch.float64)
    A = torch.diag(torch.arange(float(size[0]), dtype=torch.float64))
    if isinstance(space, Flag):
        return lambda x: (x.mT @ A @ x).square().sum() + (x[:, :1].mT @ A @ x[:, :1]).sum()
    if isinstance(space, Grassmann | FixedRankPSD):
        return lambda x: (x.mT @ A @ x).square().sum()
    if isinstance(space, RealProjective):
        return lambda x: (C * x).sum().square()
    return lambda x: (C * x).sum().sin() + (C * x * x).sum()


@pytest.mark.parametrize("given", ["automatic differentiation", "hessp", "finite differences"])
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_the_model_of_gradient_and_hessian_errs_with_order_three(space, given):
    rng = torch.Generator().manual_seed(0)
    x = space.random_normal(std=0.3, random_state=rng, dtype=torch.float64)
    fun = function_on(space, rng)

    def jac(y):
        return torch.func.grad(fun)(y)

    def hessp(y, v):
        return torch.func.jvp(jac, (y,), (v,))[1]

    options = {
        "automatic differentiation": {},
        "hessp": {"jac": jac, "hessp": hessp},
        "finite differences": {"jac": jac},
    }
    problem = Problem(fun, space, **options[given])
    at = problem.evaluate(x)
    hessian = problem.hessian(at)
    assert problem.hessian_used == given
    v, w = (space.random_tangent(x, rng) for _ in range(2))
    v = v / space._scale(space.norm(x, v), x)
    image = hessian(v)
    assert bool(space.is_tangent(x, image))
    rough = 1e-5 if given == "finite differences" else 1e-12
    size = 1.0 + problem.norm(x, image)
    assert abs(problem.inner(x, image, w) - problem.inner(x, v, hessian(w))) < rough * size

    steps = _steps(space, 0.3 if space.injectivity_radius == 0 else None)
    slope, bend = problem.inner(x, at.grad, v), problem.inner(x, image, v)
    moved = (problem.value(problem.retract(x, t * v)) for t in steps.tolist())
    errors = torch.tensor(
        [y - at.fun - t * slope - 0.5 * t * t * bend for t, y in zip(steps.tolist(), moved, strict=True)]
    )
    assert _slope(steps, errors.double().abs(), abs(at.fun) + at.norm + problem.norm(x, image), 3.0).holds


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_slopes_along_a_curve_are_derivatives(space):
    rng = torch.Generator().manual_seed(1)
    x = space.random_normal(std=0.3, random_state=rng, dtype=torch.float64)
    problem = Problem(function_on(space, rng), space)
    v = 0.1 * space.random_tangent(x, rng)
    values = [problem.value(problem.retract(x, t * v)) for t in (0.7 - 1e-5, 0.7 + 1e-5)]
    there, slope = problem.along(x, 0.7, v)
    assert there.fun == pytest.approx(problem.value(problem.retract(x, 0.7 * v)), rel=1e-13, abs=1e-14)
    assert slope == pytest.approx((values[1] - values[0]) / 2e-5, rel=1e-6, abs=1e-8)


def test_what_cannot_be_differentiated_twice_is_differenced():
    class Once(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return (x**4).sum()

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 4.0 * x**3

    problem = Problem(Once.apply, Euclidean(2))
    at = problem.evaluate(torch.tensor([1.0, 2.0], dtype=torch.float64))
    image = problem.hessian(at)(torch.tensor([1.0, 1.0], dtype=torch.float64))
    assert problem.hessian_used == "finite differences"
    assert torch.allclose(image, torch.tensor([12.0, 48.0], dtype=torch.float64), rtol=1e-6)


def test_a_flat_function_has_no_hessian():
    problem = Problem(lambda x: x.sum(), Euclidean(2))
    at = problem.evaluate(torch.zeros(2, dtype=torch.float64))
    assert torch.equal(problem.hessian(at)(torch.ones(2, dtype=torch.float64)), torch.zeros(2, dtype=torch.float64))


def test_evaluations_are_counted():
    problem = Problem(lambda x: (x**2).sum(), Euclidean(2))
    at = problem.evaluate(torch.ones(2, dtype=torch.float64))
    problem.value(at.x)
    product = problem.hessian(at)
    product(at.grad)
    product(at.grad)
    # The first Hessian is compared with one difference of gradients.
    assert (problem.nfev, problem.njev, problem.nhev) == (3, 2, 2)


def test_derivatives_without_a_past_are_noticed():
    class Frozen(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**4

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 4.0 * x.detach() ** 3

    problem = Problem(lambda x: Frozen.apply(x).sum() + x.square().sum(), Euclidean(2))
    at = problem.evaluate(torch.tensor([1.0, 2.0], dtype=torch.float64))
    image = problem.hessian(at)(torch.tensor([1.0, 1.0], dtype=torch.float64))
    assert problem.hessian_used == "finite differences"
    assert torch.allclose(image, torch.tensor([14.0, 50.0], dtype=torch.float64), rtol=1e-6)


def test_numbers_of_python_keep_their_precision():
    value = 1.0 + 1e-12
    assert Problem(lambda x: value, Euclidean(1)).value(torch.zeros(1)) == value
