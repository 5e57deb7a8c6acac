"""Metrics on positive definite matrices against mpmath, the peers, and their own definitions."""

import mpmath as mp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from holonomy.manifolds import _relative_compiled
from holonomy.manifolds.affine_invariant import AffineInvariant
from holonomy.manifolds.bures_wasserstein import BuresWasserstein
from holonomy.manifolds.gyrovectors import gyration, gyro_add, gyro_inverse, gyro_scale
from holonomy.manifolds.log_euclidean import LogEuclidean
from holonomy.manifolds.right_invariant import CholeskyRightInvariant
from holonomy.manifolds.spd import SPD
from holonomy.manifolds.spd_charts import GeneralizedBuresWasserstein, PowerDeformed
from holonomy.manifolds.symmetric import sym_log, sym_sqrt

NAMES = ("affine_invariant", "log_euclidean", "log_cholesky", "bures_wasserstein")


@pytest.fixture(params=[(8, 48), (0, 48), (0, 0)], ids=["rotations", "together", "lapack"])
def passes(request, monkeypatch):
    """Judge small matrices by the compiled rotations, several at once as larger ones are, and by LAPACK."""
    monkeypatch.setattr(_relative_compiled, "SMALL_SIZE", request.param[0])
    monkeypatch.setattr(_relative_compiled, "LANE_SIZE", request.param[1])


def _pair(n=3, condition=10.0, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    result = []
    for _ in range(2):
        Q, _ = torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=torch.float64))
        A = (Q * torch.logspace(0, -float(np.log10(condition)), n, dtype=torch.float64)) @ Q.T
        result.append((0.5 * (A + A.T)).to(dtype))
    return result


def _mp(A):
    return mp.matrix(A.double().tolist())


def _mp_apply(A, f):
    values, Q = mp.eigsy(A)
    return Q * mp.diag([f(v) for v in values]) * Q.T


def _exact_dist(name, A, B):
    with mp.workdps(60):
        A, B = _mp(A), _mp(B)
        n = A.rows
        if name == "affine_invariant":
            W = mp.cholesky(A) ** -1
            return mp.sqrt(mp.fsum(mp.log(v) ** 2 for v in mp.eigsy(W * B * W.T, eigvals_only=True)))
        if name == "log_euclidean":
            return mp.mnorm(_mp_apply(A, mp.log) - _mp_apply(B, mp.log), "f")
        if name == "log_cholesky":
            L, M = mp.cholesky(A), mp.cholesky(B)
            low = mp.fsum((L[i, j] - M[i, j]) ** 2 for i in range(n) for j in range(i))
            return mp.sqrt(low + mp.fsum(mp.log(L[i, i] / M[i, i]) ** 2 for i in range(n)))
        root = _mp_apply(A, mp.sqrt)
        cross = mp.eigsy(root * B * root, eigvals_only=True)
        trace = mp.fsum(A[i, i] + B[i, i] for i in range(n))
        return mp.sqrt(trace - 2 * mp.fsum(mp.sqrt(v) for v in cross))


@pytest.mark.usefixtures("passes")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("condition", [1.5, 1e3, 1e6, 1e9, 1e12])
def test_dist_equals_mpmath(name, condition):
    A, B = _pair(4, condition)
    exact = float(_exact_dist(name, A, B))
    # What the last digits of the inputs leave of their small eigenvalues.
    limit = 1e-13 if name == "bures_wasserstein" else 1e-14 + 2e-16 * condition
    if name == "bures_wasserstein":
        limit += 2e-16 * condition**0.5
    assert float(SPD(4, name).dist(A, B)) == pytest.approx(exact, rel=4 * limit)


@pytest.mark.usefixtures("passes")
@pytest.mark.parametrize("gap", [1e-3, 1e-7, 1e-11, 1e-14])
def test_affine_invariant_dist_is_relatively_precise_between_near_points(gap):
    A, V = _pair(4)
    B = A + gap * V
    assert float(SPD(4).dist(A, B)) == pytest.approx(float(_exact_dist("affine_invariant", A, B)), rel=1e-12)
    assert float(SPD(4).dist(A, A)) == 0.0


def _exact_verb_at(verb, A, other):
    """Return affine-invariant exp or log of mpmath's matrices by the textbook formula, through a Cholesky factor."""
    L = mp.cholesky(A)
    W = L**-1
    return L * _mp_apply(W * other * W.T, getattr(mp, verb)) * L.T


def _exact_verb(verb, A, B, V):
    """Return an affine-invariant verb in double precision."""
    with mp.workdps(60):
        A, B, V = _mp(A), _mp(B), _mp(V)
        if verb != "transport":
            result = _exact_verb_at(verb, A, V if verb == "exp" else B)
        else:
            L = mp.cholesky(A)
            W = L**-1
            move = L * _mp_apply(W * B * W.T, mp.sqrt) * W
            result = move * V * move.T
        return torch.tensor([[float(result[i, j]) for j in range(4)] for i in range(4)], dtype=torch.float64)


@pytest.mark.parametrize("verb", ["exp", "log", "transport"])
@pytest.mark.parametrize(
    ("dtype", "condition"),
    [*((torch.float64, c) for c in (1.5, 1e3, 1e6, 1e9, 1e12)), *((torch.float32, c) for c in (1.5, 1e2, 1e4))],
)
def test_verbs_equal_mpmath(verb, dtype, condition):
    """Meet the target, or what the last digits of the inputs leave of the small eigenvalues."""
    A, B = _pair(4, condition, dtype=dtype)
    root = torch.linalg.cholesky(A.double())
    G = torch.randn(4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    V = (root @ (0.5 * (G + G.T)) @ root.T).to(dtype)
    V = 0.5 * (V + V.T)
    space = SPD(4)
    inputs = {"exp": (A, V), "log": (A, B), "transport": (A, B, V)}[verb]
    expected = _exact_verb(verb, A, B, V)
    error = float((getattr(space, verb)(*inputs).double() - expected).norm() / expected.norm())
    target = 1e-5 if dtype is torch.float32 else 1e-12
    assert error <= target + 4.0 * condition * torch.finfo(dtype).eps


def _exact_dist_at(A, B):
    W = mp.cholesky(A) ** -1
    return mp.sqrt(mp.fsum(mp.log(v) ** 2 for v in mp.eigsy(W * B * W.T, eigvals_only=True)))


@pytest.mark.usefixtures("passes")
@pytest.mark.parametrize("condition", [1.5, 1e3, 1e6, 1e12])
def test_gradients_of_distances_equal_mpmath(condition):
    """Along directions that change every eigenvalue by about as much as itself."""
    A, B = _pair(4, condition)
    root = torch.linalg.cholesky(A)
    for scales in ([1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 0.5, 0.0]):
        V = root @ torch.diag(torch.tensor(scales, dtype=torch.float64)) @ root.T
        V = 0.5 * (V + V.T)
        variable = A.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(SPD(4).dist(variable, B), variable)
        with mp.workdps(60):
            step = mp.mpf(10) ** -20
            up, down = (_exact_dist_at(_mp(A) + sign * step * _mp(V), _mp(B)) for sign in (1, -1))
            expected = float((up - down) / (2 * step))
        assert abs(float((gradient * V).sum()) - expected) <= 1e-12 + 64.0 * condition * torch.finfo(torch.float64).eps


@pytest.mark.usefixtures("passes")
@pytest.mark.parametrize("verb", ["exp", "log"])
@pytest.mark.parametrize(
    ("dtype", "condition"), [(torch.float64, 1.5), (torch.float64, 1e3), (torch.float64, 1e6), (torch.float32, 1.5)]
)
def test_gradients_of_exp_and_log_equal_mpmath(verb, dtype, condition):
    """By both inputs along directions that change every eigenvalue by about as much as itself."""
    A, B = _pair(4, condition, dtype=dtype)
    root = torch.linalg.cholesky(A.double())
    generator = torch.Generator().manual_seed(2)
    G, H, weights = (torch.randn(4, 4, generator=generator, dtype=torch.float64) for _ in range(3))
    V, move = ((root @ (0.5 * (z + z.T)) @ root.T).to(dtype) for z in (G, H))
    V, move, weights = (0.5 * (z + z.T) for z in (V, move, torch.linalg.inv(root).T @ weights @ torch.linalg.inv(root)))
    inputs = [A, V if verb == "exp" else B]
    for index in (0, 1):
        variables = [z.clone().requires_grad_() for z in inputs]
        output = getattr(SPD(4), verb)(*variables).double()
        (gradient,) = torch.autograd.grad((output * weights).sum(), variables[index])
        with mp.workdps(60):
            step = mp.mpf(10) ** -20
            ends = []
            for sign in (1, -1):
                moved = [_mp(z) for z in inputs]
                moved[index] = moved[index] + sign * step * _mp(move)
                ends.append(_exact_verb_at(verb, *moved))
            slope = (ends[0] - ends[1]) / (2 * step)
            expected = float(mp.fsum(slope[i, j] * float(weights[i, j]) for i in range(4) for j in range(4)))
            size = float(mp.fsum(abs(slope[i, j] * float(weights[i, j])) for i in range(4) for j in range(4)))
        error = abs(float((gradient.double() * move.double()).sum()) - expected)
        assert error <= size * ((1e-5 if dtype is torch.float32 else 1e-12) + 64.0 * condition * torch.finfo(dtype).eps)


@pytest.mark.usefixtures("passes")
@pytest.mark.parametrize("scale", [1e-150, 1e-9, 1e9, 1e150])
def test_affine_invariant_dist_between_far_points(scale):
    A, B = _pair(3)
    assert float(SPD(3).dist(A, scale * B)) == pytest.approx(
        float(_exact_dist("affine_invariant", A, scale * B)), rel=1e-13
    )


@pytest.mark.usefixtures("passes")
@pytest.mark.parametrize("metric", [*NAMES, AffineInvariant(2.0, 0.4), LogEuclidean(2.0, 0.4)])
def test_gradients_at_repeated_eigenvalues(metric):
    space = SPD(3, metric)
    eye = torch.eye(3, dtype=torch.float64)

    def symmetric(verb):
        return lambda a, b: verb(0.5 * (a + a.mT), 0.5 * (b + b.mT))

    x, y = (2.0 * eye).requires_grad_(), torch.diag(torch.tensor([1.0, 1.0, 3.0], dtype=torch.float64)).requires_grad_()
    for verb in (space.squared_dist, space.log, space.exp):
        assert torch.autograd.gradcheck(symmetric(verb), (x, y))
    assert torch.autograd.gradgradcheck(symmetric(space.squared_dist), (x, y), atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(NAMES),
    st.lists(st.floats(-6.0, 6.0), min_size=3, max_size=3),
    st.lists(st.sampled_from([0.0, 1e-16, 1e-9, 1.0, 5.0]), min_size=3, max_size=3),
    st.integers(0, 3),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_nothing_is_nan(name, logs, gaps, seed, dtype):
    space = SPD(3, name)
    Q, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))
    shrink = 0.5 if dtype == torch.float32 else 1.0
    first = torch.tensor(logs, dtype=torch.float64) * shrink
    second = first + torch.tensor(gaps, dtype=torch.float64) * shrink
    matrices = [((Q * torch.pow(10.0, 0.5 * one)) @ Q.T).to(dtype) for one in (first, second)]
    x, y = ((0.5 * (one + one.T)).requires_grad_() for one in matrices)
    if not space.belongs(x.detach()) or not space.belongs(y.detach()):
        return
    for verb in (space.dist, space.squared_dist, space.log, lambda p, q: space.geodesic(p, q, 0.3)):
        result = verb(x, y)
        assert torch.isfinite(result).all()
        for gradient in torch.autograd.grad(result.sum(), [x, y]):
            assert torch.isfinite(gradient).all()


def test_large_batches_are_done_in_blocks_that_do_not_depend_on_the_number_of_threads():
    space = SPD(9)
    x, y = space.random_normal(2, 1000, std=0.3, random_state=0, dtype=torch.float64)
    found = []
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        try:
            a, b = x.clone().requires_grad_(), y.clone().requires_grad_()
            distances, logs = space.dist(a, b), space.log(a, b)
            gradients = torch.autograd.grad(distances.sum() + logs.sin().sum(), [a, b])
            found.append([distances.detach(), logs.detach(), *gradients])
        finally:
            torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))
    torch.testing.assert_close(found[0][0][700:703], space.dist(x[700:703], y[700:703]))


def test_matrices_that_are_not_definite_are_refused():
    for n in (2, 9):
        with pytest.raises(RuntimeError, match="positive-definite"):
            SPD(n).dist(torch.eye(n), -torch.eye(n))


@pytest.mark.usefixtures("passes")
def test_affine_invariance_and_inversion():
    x, y = _pair(4)
    G = torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(SPD(4).dist(G @ x @ G.T, G @ y @ G.T), SPD(4).dist(x, y))
    torch.testing.assert_close(SPD(4).dist(torch.linalg.inv(x), torch.linalg.inv(y)), SPD(4).dist(x, y))


def test_right_invariance():
    x, y = _pair(4)
    space = SPD(4, CholeskyRightInvariant())
    L = torch.linalg.cholesky(_pair(4, seed=5)[0])
    moved = [torch.linalg.cholesky(one) @ L for one in (x, y)]
    torch.testing.assert_close(space.dist(moved[0] @ moved[0].T, moved[1] @ moved[1].T), space.dist(x, y))


def test_deformations_and_their_limits():
    x, y = _pair(3)
    for metric in (AffineInvariant(), BuresWasserstein()):
        scale = 1.0 if isinstance(metric, AffineInvariant) else 0.5
        flat = scale * SPD(3, "log_euclidean").dist(x, y)
        small = SPD(3, PowerDeformed(metric, 1e-4)).dist(x, y)
        torch.testing.assert_close(small, flat, rtol=1e-3, atol=0)
        torch.testing.assert_close(SPD(3, PowerDeformed(metric, 1.0)).dist(x, y), SPD(3, metric).dist(x, y))
    torch.testing.assert_close(
        SPD(3, PowerDeformed(LogEuclidean(), -3.0)).dist(x, y), SPD(3, "log_euclidean").dist(x, y)
    )
    eye = torch.eye(3, dtype=torch.float64)
    torch.testing.assert_close(
        SPD(3, GeneralizedBuresWasserstein(eye)).dist(x, y), SPD(3, "bures_wasserstein").dist(x, y)
    )


def test_generalized_bures_wasserstein_by_its_definition():
    x, y = _pair(3)
    M, _ = _pair(3, condition=5.0, seed=4)
    space = SPD(3, GeneralizedBuresWasserstein(M))
    W = torch.linalg.inv(sym_sqrt(M))
    expected = SPD(3, "bures_wasserstein").dist(W @ x @ W, W @ y @ W)
    torch.testing.assert_close(space.dist(x, y), expected)
    learned = torch.nn.Parameter(M.clone())
    space = SPD(3, GeneralizedBuresWasserstein(learned))
    assert [name for name, _ in space.named_parameters()]
    space.dist(x, y).backward()
    assert torch.isfinite(learned.grad).all()


def test_bures_wasserstein_of_singular_and_commuting_matrices():
    metric = BuresWasserstein()
    a, b = torch.diag(torch.tensor([4.0, 0.0])).double(), torch.diag(torch.tensor([0.0, 9.0])).double()
    assert float(metric.semidefinite_dist(a, b)) == pytest.approx(13**0.5, rel=1e-12)
    x, y = _pair(3)
    torch.testing.assert_close(metric.semidefinite_dist(x, y), SPD(3, metric).dist(x, y))


@pytest.mark.parametrize("name", ["affine_invariant", "log_euclidean", "log_cholesky"])
def test_gyrogroup_axioms(name):
    space = SPD(3, name)
    x, y, z = space.random_normal(3, std=0.7, random_state=0, dtype=torch.float64)
    eye = torch.eye(3, dtype=torch.float64)
    close = {"rtol": 1e-9, "atol": 1e-10}
    torch.testing.assert_close(gyro_add(space, eye, x), x, **close)
    torch.testing.assert_close(gyro_add(space, gyro_inverse(space, x), x), eye, **close)
    left = gyro_add(space, x, gyro_add(space, y, z))
    right = gyro_add(space, gyro_add(space, x, y), gyration(space, x, y, z))
    torch.testing.assert_close(left, right, **close)
    torch.testing.assert_close(gyration(space, gyro_add(space, x, y), y, z), gyration(space, x, y, z), **close)
    torch.testing.assert_close(
        gyro_add(space, gyro_scale(space, 0.3, x), gyro_scale(space, 0.5, x)), gyro_scale(space, 0.8, x), **close
    )
    moved = gyro_add(space, x, y), gyro_add(space, x, z)
    torch.testing.assert_close(space.dist(*moved), space.dist(y, z), **close)
    if name == "affine_invariant":
        root = sym_sqrt(x)
        torch.testing.assert_close(gyro_add(space, x, y), root @ y @ root, **close)
    else:
        torch.testing.assert_close(gyration(space, x, y, z), z, **close)
    if name == "log_euclidean":
        torch.testing.assert_close(sym_log(gyro_add(space, x, y)), sym_log(x) + sym_log(y), **close)


@pytest.mark.parametrize(
    ("name", "peer"),
    [("affine_invariant", "riemann"), ("log_euclidean", "logeuclid"), ("log_cholesky", "logchol"),
     ("bures_wasserstein", "wasserstein")],
)  # fmt: skip
def test_dist_equals_pyriemann(name, peer):
    distance = pytest.importorskip("pyriemann.utils.distance")
    x, y = SPD(5).random_normal(2, 10, std=0.6, random_state=0, dtype=torch.float64)
    expected = [distance.distance(a.numpy(), b.numpy(), metric=peer) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(SPD(5, name).dist(x, y).numpy(), expected, rtol=1e-10)


def test_verbs_equal_geomstats(monkeypatch):
    # geomstats asks NumPy for a function by a name that NumPy has dropped.
    monkeypatch.setattr(np, "trapz", np.trapezoid, raising=False)
    spd_matrices = pytest.importorskip("geomstats.geometry.spd_matrices", exc_type=ImportError)
    x, y = SPD(4).random_normal(2, std=0.3, random_state=0, dtype=torch.float64)
    peer = spd_matrices.SPDMatrices(4)
    np.testing.assert_allclose(SPD(4).log(x, y).numpy(), peer.metric.log(y.numpy(), x.numpy()), atol=1e-12)
    peer = spd_matrices.SPDMatrices(4, equip=False)
    peer.equip_with_metric(spd_matrices.SPDBuresWassersteinMetric)
    ours = SPD(4, "bures_wasserstein")
    np.testing.assert_allclose(ours.log(x, y).numpy(), peer.metric.log(y.numpy(), x.numpy()), atol=1e-10)
    v = ours.log(x, y)
    np.testing.assert_allclose(ours.exp(x, 0.5 * v).numpy(), peer.metric.exp(0.5 * v.numpy(), x.numpy()), atol=1e-10)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SPD(0), "n must be at least 1"),
        (lambda: SPD(2, "riemannian"), "metric must be one of"),
        (lambda: AffineInvariant(0.0), "alpha must be positive"),
        (lambda: AffineInvariant(1.0, -1.0), "beta"),
        (lambda: PowerDeformed(LogEuclidean(), 0.0), "power must not be 0"),
        (lambda: GeneralizedBuresWasserstein(-torch.eye(2)), "positive definite"),
        (lambda: GeneralizedBuresWasserstein(torch.ones(2, 3)), r"\(n, n\)"),
        (lambda: SPD(2, check=True).dist(torch.eye(2), -torch.eye(2)), "y must hold points"),
        (lambda: SPD(2, check=True).log(torch.eye(2), torch.tensor([[1.0, 0.5], [0.0, 1.0]])), "y must hold points"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
