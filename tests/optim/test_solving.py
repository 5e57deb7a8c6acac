import numpy as np
import pytest
import torch
from scipy import optimize
from scipy.spatial.transform import Rotation

from holonomy.manifolds import (
    SPD,
    Euclidean,
    FixedRank,
    Flag,
    Grassmann,
    Hyperboloid,
    Power,
    Product,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
)
from holonomy.optim import LBFGS, TrustRegion, minimize

METHODS = ("conjugate_gradient", "gradient_descent", "lbfgs", "trust_region")
FAST = ("conjugate_gradient", "lbfgs", "trust_region")


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(0)


def symmetric(rng, n, dtype=torch.float64):
    A = torch.randn(n, n, generator=rng, dtype=dtype)
    return A + A.mT


@pytest.mark.parametrize("method", METHODS)
def test_the_rayleigh_quotient_leads_to_the_leading_eigenvector(method, rng):
    A, space = symmetric(rng, 12), Sphere(11)
    values, vectors = torch.linalg.eigh(A)
    found = minimize(lambda x: -x @ A @ x, space, space.random_uniform(random_state=rng, dtype=A.dtype), method)
    assert found.success
    assert found.grad_norm <= found.gtol
    assert found.fun == pytest.approx(-float(values[-1]), abs=1e-10)
    assert abs(float(found.x @ vectors[:, -1])) == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize("method", FAST)
@pytest.mark.parametrize("metric", ["canonical", "euclidean"])
def test_brocketts_function_orders_the_eigenvectors(method, metric, rng):
    A, space = symmetric(rng, 10), Stiefel(10, 3, metric)
    values, vectors = torch.linalg.eigh(A)
    weights = torch.tensor([3.0, 2.0, 1.0], dtype=A.dtype)
    x0 = space.random_uniform(random_state=rng, dtype=A.dtype)
    found = minimize(lambda x: -((x.mT @ A @ x).diagonal() * weights).sum(), space, x0, method)
    assert found.success
    best = -(values[-3:].flip(0) * weights).sum()
    assert found.fun == pytest.approx(float(best), abs=1e-9)
    assert torch.allclose((found.x.mT @ vectors[:, -3:].flip(1)).abs(), torch.eye(3, dtype=A.dtype), atol=1e-5)


@pytest.mark.parametrize("method", FAST)
@pytest.mark.parametrize("space", [Grassmann(12, 3), Flag(12, (1, 3))], ids=str)
def test_the_trace_leads_to_the_dominant_subspaces(method, space, rng):
    A = symmetric(rng, 12)
    vectors = torch.linalg.eigh(A).eigenvectors[:, -3:]
    weights = torch.tensor([2.0, 1.0, 1.0] if isinstance(space, Flag) else [1.0, 1.0, 1.0], dtype=A.dtype)
    x0 = space.random_uniform(random_state=rng, dtype=A.dtype)
    found = minimize(lambda x: -((x.mT @ A @ x).diagonal() * weights).sum(), space, x0, method)
    assert found.success
    assert float(torch.linalg.matrix_norm(found.x @ found.x.mT - vectors @ vectors.mT)) < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_the_frechet_mean_of_covariances_solves_its_equation(method, rng):
    space = SPD(3)
    points = space.random_normal(6, std=0.5, random_state=rng, dtype=torch.float64)
    found = minimize(lambda x: 0.5 * space.squared_dist(x, points).mean(), space, points[0], method)
    assert found.success
    logs = space.log(found.x, points).mean(0)
    assert float(space.norm(found.x, logs)) <= 2 * found.gtol


@pytest.mark.parametrize("method", FAST)
def test_procrustes_finds_the_rotation_of_scipy(method, rng):
    points = torch.randn(20, 3, generator=rng, dtype=torch.float64)
    turn = torch.from_numpy(Rotation.from_rotvec([0.5, -1.0, 0.8]).as_matrix())
    noise = 0.1 * torch.randn(20, 3, generator=rng, dtype=torch.float64)
    targets = points @ turn.mT + noise
    x0 = torch.eye(3, dtype=torch.float64)
    found = minimize(lambda R: (points @ R.mT - targets).square().sum(), SpecialOrthogonal(3), x0, method)
    oracle, _ = Rotation.align_vectors(targets.numpy(), points.numpy())
    assert found.success
    np.testing.assert_allclose(found.x.numpy(), oracle.as_matrix(), atol=1e-7)


@pytest.mark.parametrize("method", FAST)
def test_a_matrix_of_low_rank_is_completed(method, rng):
    left, right = (torch.randn(n, 3, generator=rng, dtype=torch.float64) for n in (30, 25))
    truth = left @ right.mT
    seen = torch.rand(30, 25, generator=rng) < 0.6
    space = FixedRank(30, 25, 3)
    found = minimize(lambda x: 0.5 * (x - truth)[seen].square().sum(), space, space.project(truth * seen), method)
    assert found.success
    assert float((found.x - truth).norm() / truth.norm()) < 1e-6
    assert bool(space.belongs(found.x))


@pytest.mark.parametrize("method", FAST)
def test_rosenbrock_agrees_with_scipy(method):
    def rosenbrock(x):
        return (100.0 * (x[1:] - x[:-1].square()).square() + (1.0 - x[:-1]).square()).sum()

    x0 = np.array([-1.2, 1.0, 0.5, 2.0])
    found = minimize(rosenbrock, Euclidean(4), x0, method, gtol=1e-8)
    oracle = optimize.minimize(optimize.rosen, x0, jac=optimize.rosen_der, method="BFGS", options={"gtol": 1e-8})
    assert found.success
    np.testing.assert_allclose(found.x, oracle.x, atol=1e-6)


def test_several_points_at_once_are_points_of_a_power(rng):
    A = torch.stack([symmetric(rng, 5) for _ in range(6)]).reshape(2, 3, 5, 5)
    space = Sphere(4)
    x0 = space.random_uniform(2, 3, random_state=rng, dtype=torch.float64)
    found = minimize(lambda x: -torch.einsum("abi,abij,abj->", x, A, x), space, x0, "trust_region")
    assert found.success
    assert found.x.shape == (2, 3, 5)
    assert found.fun == pytest.approx(-float(torch.linalg.eigvalsh(A)[..., -1].sum()), abs=1e-9)


@pytest.mark.parametrize("method", FAST)
def test_the_factors_of_a_product_move_each_in_its_own_way(method, rng):
    A = symmetric(rng, 6)
    space = Product(Stiefel(6, 2), Euclidean(2), SPD(2), Power(Sphere(2), 2), weights=[1.0, 2.0, 0.5, 1.0])
    goal = torch.tensor([[2.0, 0.3], [0.3, 1.0]], dtype=torch.float64)

    def fun(z):
        frame, shift, matrix, units = space.split(z)
        trace = (frame.mT @ A @ frame).diagonal() @ torch.tensor([2.0, 1.0], dtype=A.dtype)
        return -trace + (shift - 3.0).square().sum() + SPD(2).squared_dist(matrix, goal) - units[:, 0].sum()

    x0 = space.join(*(f.random_normal(std=0.3, random_state=rng, dtype=torch.float64) for f in space.factors))
    found = minimize(fun, space, x0, method)
    values = torch.linalg.eigvalsh(A)
    assert found.success
    assert found.fun == pytest.approx(-float(2 * values[-1] + values[-2]) - 2.0, abs=1e-8)
    assert bool(space.belongs(found.x))


def test_numpy_comes_back_as_numpy_and_tensors_as_tensors():
    x0 = np.array([0.6, 0.8])
    found = minimize(lambda x: x[0], Sphere(1), x0)
    assert isinstance(found.x, np.ndarray)
    assert found.x.dtype == np.float64
    assert np.array_equal(x0, [0.6, 0.8])
    np.testing.assert_allclose(found.x, [-1.0, 0.0], atol=1e-6)
    start = torch.tensor([0.6, 0.8], requires_grad=True)
    single = minimize(lambda x: x[0], Sphere(1), start)
    assert isinstance(single.x, torch.Tensor)
    assert single.x.dtype == torch.float32
    assert not single.x.requires_grad
    assert single.success


@pytest.mark.parametrize("method", METHODS)
def test_single_precision_converges(method, rng):
    A, space = symmetric(rng, 8, torch.float32), Sphere(7)
    found = minimize(lambda x: -x @ A @ x, space, space.random_uniform(random_state=rng), method)
    assert found.success
    assert found.fun == pytest.approx(-float(torch.linalg.eigvalsh(A)[-1]), rel=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_gradients_come_down_to_rounding(method, rng):
    A, space = symmetric(rng, 6), Sphere(5)
    x0 = space.random_uniform(random_state=rng, dtype=A.dtype)
    found = minimize(lambda x: -x @ A @ x, space, x0, method, gtol=1e-12)
    assert found.grad_norm < 1e-11


@pytest.mark.parametrize("method", METHODS)
def test_given_derivatives_lead_to_the_same_point(method, rng):
    A, space = symmetric(rng, 7), Sphere(6)
    x0 = space.random_uniform(random_state=rng, dtype=A.dtype)
    own = minimize(lambda x: -x @ A @ x, space, x0, method)
    by_arrays = minimize(
        lambda x: float(-x @ A @ x),
        space,
        x0,
        method,
        jac=lambda x: (-2.0 * A @ x).numpy(),
        hessp=lambda x, v: (-2.0 * A @ v).numpy(),
    )
    both = minimize(lambda x: (-x @ A @ x, -2.0 * A @ x), space, x0, method, jac=True)
    assert torch.allclose(own.x, by_arrays.x, atol=1e-6)
    assert torch.allclose(own.x, both.x, atol=1e-6)
    if method == "trust_region":
        assert own.hessian_used == "automatic differentiation"
        assert by_arrays.hessian_used == "hessp"
        assert both.hessian_used == "finite differences"


def test_a_start_at_the_minimum_takes_no_step():
    found = minimize(lambda x: x.square().sum(), Euclidean(3), np.zeros(3))
    assert (found.nit, found.nfev, found.success) == (0, 1, True)


def test_steps_are_bounded_and_recorded():
    found = minimize(lambda x: (x**4).sum(), Euclidean(2), np.ones(2), "gradient_descent", max_iter=3)
    assert found.status == "max_iter"
    assert not found.success
    assert "max_iter" in found.message
    assert len(found.fun_history) == len(found.grad_norm_history) == found.nit + 1 == 4
    assert np.all(np.diff(found.fun_history) < 0)
    assert minimize(lambda x: (x**4).sum(), Euclidean(2), np.ones(2), max_iter=0).nit == 0


def test_the_callback_sees_every_step_and_can_stop():
    seen = []

    def stop(state):
        seen.append((state.nit, state.fun, state.status))
        if state.nit == 2:
            raise StopIteration

    found = minimize(lambda x: (x**4).sum(), Euclidean(2), np.ones(2), "conjugate_gradient", callback=stop)
    assert [nit for nit, _, _ in seen] == [1, 2]
    assert {status for _, _, status in seen} == {"running"}
    assert (found.status, found.nit) == ("stopped", 2)


def test_the_search_avoids_where_the_function_is_not_finite():
    found = minimize(lambda x: x.sum() - torch.log(x).sum(), Euclidean(3), np.full(3, 30.0))
    assert found.success
    np.testing.assert_allclose(found.x, 1.0, atol=1e-5)


def test_wrong_derivatives_stall():
    found = minimize(lambda x: float(x @ x), Euclidean(2), np.ones(2), jac=lambda x: -2.0 * x)
    assert found.status == "stalled"
    assert "No step" in found.message


def test_retraction_and_transport_can_be_chosen(rng):
    from holonomy.manifolds import Exponential, Ladder

    space = Hyperboloid(3)
    points = space.random_normal(5, random_state=rng, dtype=torch.float64)
    found = minimize(
        lambda x: space.squared_dist(x, points).sum(),
        space,
        points[0],
        LBFGS(memory=3),
        retraction=Exponential(),
        transport=Ladder(),
    )
    assert found.success
    assert float(space.norm(found.x, space.log(found.x, points).sum(0))) < 1e-6


def test_the_same_start_gives_the_same_bits(rng):
    A, space = symmetric(rng, 9), Grassmann(9, 2)
    x0 = space.random_uniform(random_state=rng, dtype=A.dtype)
    one, two = (minimize(lambda x: -torch.trace(x.mT @ A @ x), space, x0, TrustRegion()) for _ in range(2))
    assert torch.equal(one.x, two.x)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"fun": 3}, TypeError, "fun must be callable"),
        ({"manifold": "sphere"}, TypeError, "manifold must be a Manifold"),
        ({"method": "newton"}, ValueError, "method must be one of 'conjugate_gradient'"),
        ({"method": 3}, TypeError, "method must be a name or a method object"),
        ({"x0": np.array([1, 0])}, TypeError, "x0 must hold numbers of type float64 or float32"),
        ({"x0": np.array([1.0, 1.0])}, ValueError, r"x0 must hold points .* use project\(x0\)"),
        ({"x0": np.array([1.0, 0.0, 0.0])}, ValueError, "x0 must have shape"),
        ({"x0": np.array([np.nan, 0.0])}, ValueError, "x0 holds NaN or infinity"),
        ({"fun": lambda x: x[0] / 0.0}, ValueError, "fun and its gradient must be finite at x0"),
        ({"fun": lambda x: x}, ValueError, "fun must return one number"),
        ({"fun": lambda x: 3.0}, ValueError, "fun must compute its value from its argument"),
        ({"jac": 3}, TypeError, "jac must be callable or True"),
        ({"jac": lambda x: np.zeros(3)}, ValueError, "jac must return an array of the shape"),
        ({"gtol": -1.0}, ValueError, "gtol must be at least 0"),
        ({"max_iter": -1}, ValueError, "max_iter must be at least 0"),
        ({"max_iter": 1.5}, TypeError, "max_iter must be an integer"),
    ],
)
def test_bad_arguments_are_named(change, error, words):
    arguments = {"fun": lambda x: x[0], "manifold": Sphere(1), "x0": np.array([0.6, 0.8])} | change
    with pytest.raises(error, match=words):
        minimize(**arguments)
