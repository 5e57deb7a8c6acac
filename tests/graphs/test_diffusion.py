"""Diffusion against dense matrix functions, its invariants, and its reach to new points."""

import numpy as np
import pytest
from scipy import linalg, sparse

from holonomy._core.parallel import threads
from holonomy.graphs import DiffusionOperator, NeighborGraph, alpha_decay, gaussian, laplacian, neighbors

LAPLACIANS = ("symmetric", "random_walk", "combinatorial")


@pytest.fixture
def affinity(knn, cloud):
    return gaussian(knn(cloud[::3], 8), 2.0)


@pytest.fixture
def block():
    return np.random.default_rng(1).normal(size=(100, 3))


def dense_walk(affinity, alpha=0.0):
    W = affinity.toarray().astype(float)
    q = W.sum(axis=1) ** -alpha
    W = q[:, None] * W * q
    return W / W.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("method", ["auto", "products", "series", "exact"])
@pytest.mark.parametrize("t", [0, 1, 2, 7, 60, 301])
def test_walk_is_the_matrix_power(affinity, block, t, method, alpha):
    expected = np.linalg.matrix_power(dense_walk(affinity, alpha), t) @ block
    operator = DiffusionOperator(affinity, alpha=alpha)
    np.testing.assert_allclose(operator.walk(block, t, method=method), expected, atol=1e-10)
    np.testing.assert_allclose(operator.walk(block[:, 0], t, method=method), expected[:, 0], atol=1e-10)


@pytest.mark.parametrize("normalization", LAPLACIANS)
@pytest.mark.parametrize("method", ["chebyshev", "exact"])
@pytest.mark.parametrize("t", [0.0, 0.05, 1.0, 50.0, 400.0])
def test_heat_is_the_matrix_exponential(affinity, block, t, method, normalization):
    L = laplacian(affinity, normalization).toarray()
    heat = DiffusionOperator(affinity, normalization).heat(block, t, method=method)
    np.testing.assert_allclose(heat, linalg.expm(-t * L) @ block, atol=1e-9)


@pytest.mark.parametrize("normalization", LAPLACIANS)
def test_order_32_is_within_a_millionth_at_moderate_times(affinity, block, normalization):
    operator = DiffusionOperator(affinity, normalization)
    t = 20.0 / operator.largest_eigenvalue
    exact = operator.heat(block, t, method="exact")
    assert np.abs(operator.heat(block, t, order=32) - exact).max() < 1e-6


def test_several_times_share_their_products(affinity, block):
    operator = DiffusionOperator(affinity)
    for method in ("chebyshev", "exact", "euler"):
        together = operator.heat(block, [0.1, 3.0], method=method)
        assert together.shape == (2, *block.shape)
        np.testing.assert_allclose(together[1], operator.heat(block, 3.0, method=method), atol=1e-11)


@pytest.mark.parametrize("normalization", LAPLACIANS)
def test_euler_solves_its_own_equation_and_converges_with_order_one(affinity, block, normalization):
    operator = DiffusionOperator(affinity, normalization)
    L = laplacian(affinity, normalization).toarray()
    step = np.linalg.inv(np.eye(len(L)) + 0.5 / 4 * L)
    expected = np.linalg.matrix_power(step, 4) @ block
    np.testing.assert_allclose(operator.heat(block, 0.5, method="euler", order=4), expected, atol=1e-9)
    exact = operator.heat(block, 0.5, method="exact")
    errors = [np.abs(operator.heat(block, 0.5, method="euler", order=order) - exact).max() for order in (64, 128)]
    assert 1.8 < errors[0] / errors[1] < 2.2


def test_euler_kernel_is_positive_where_the_graph_is_connected():
    path = sparse.diags_array([np.ones(29)] * 2, offsets=[-1, 1])
    kernel = DiffusionOperator(path).heat_kernel(0.05, method="euler", order=8)
    assert (kernel > 0).all()
    step = np.linalg.inv(np.eye(30) + 0.05 / 8 * laplacian(path).toarray())
    np.testing.assert_allclose(kernel, np.linalg.matrix_power(step, 8), rtol=1e-9)


def test_euler_without_factors_is_the_same(affinity, block, monkeypatch):
    factored = DiffusionOperator(affinity).heat(block, 2.0, method="euler")
    monkeypatch.setattr("holonomy.graphs._implicit.FACTORED_UP_TO", 10)
    np.testing.assert_allclose(DiffusionOperator(affinity).heat(block, 2.0, method="euler"), factored, atol=1e-10)


@pytest.mark.parametrize("normalization", ["symmetric", "combinatorial"])
def test_heat_kernel_is_symmetric_and_positive_semidefinite(affinity, normalization):
    kernel = DiffusionOperator(affinity, normalization).heat_kernel(1.0)
    np.testing.assert_allclose(kernel, kernel.T, atol=1e-11)
    assert np.linalg.eigvalsh(kernel).min() > -1e-10


@pytest.mark.parametrize("normalization", ["random_walk", "combinatorial"])
def test_constants_do_not_flow(affinity, normalization):
    operator = DiffusionOperator(affinity, normalization)
    np.testing.assert_allclose(operator.heat(np.ones(operator.n_points), 5.0), 1.0, atol=1e-11)
    np.testing.assert_allclose(operator.walk(np.ones(operator.n_points), 50), 1.0, atol=1e-11)


def test_walk_keeps_the_stationary_distribution_and_reaches_it(knn):
    operator = DiffusionOperator(gaussian(knn(np.random.default_rng(0).normal(size=(60, 2)), 10)))
    kernel = operator.walk_kernel(1)
    np.testing.assert_allclose(operator.stationary @ kernel, operator.stationary, atol=1e-14)
    np.testing.assert_allclose(operator.walk_kernel(20_000), np.tile(operator.stationary, (60, 1)), atol=1e-8)


def test_flows_compose(affinity, block):
    operator = DiffusionOperator(affinity, "combinatorial")
    np.testing.assert_allclose(operator.heat(operator.heat(block, 0.7), 0.6), operator.heat(block, 1.3), atol=1e-10)


def test_permuted_points_diffuse_alike(affinity, block):
    order = np.random.default_rng(0).permutation(len(block))
    permuted = DiffusionOperator(affinity[order][:, order]).heat(block[order], 2.0)
    np.testing.assert_allclose(permuted, DiffusionOperator(affinity).heat(block, 2.0)[order], atol=1e-11)


def test_cycle_has_the_closed_form_of_the_heat_kernel():
    n, t = 40, 3.0
    cycle = np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1)
    frequencies = 2 * np.pi * np.arange(n) / n
    expected = np.real(np.fft.ifft(np.exp(-t * (2 - 2 * np.cos(frequencies)))))
    found = DiffusionOperator(cycle, "combinatorial").heat(np.eye(n)[0], t)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("normalization", LAPLACIANS)
def test_bound_of_the_spectrum_is_above_it_and_close(affinity, normalization):
    largest = np.linalg.eigvals(laplacian(affinity, normalization).toarray()).real.max()
    assert largest <= DiffusionOperator(affinity, normalization).largest_eigenvalue <= 1.5 * largest


def test_points_without_edges_stay():
    operator = DiffusionOperator([[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(operator.walk([1.0, 2.0, 7.0], 3), [2.0, 1.0, 7.0])
    np.testing.assert_allclose(operator.heat([1.0, 1.0, 7.0], 3.0), [1.0, 1.0, 7.0], atol=1e-12)


def shares_entropy(values):
    shares = values / values.sum()
    shares = shares[shares > 0]
    return -np.sum(shares * np.log(shares))


@pytest.mark.parametrize("of", ["walk", "heat"])
def test_entropy_is_that_of_all_eigenvalues(affinity, of):
    operator = DiffusionOperator(affinity)
    values = np.linalg.eigvals(dense_walk(affinity)).real
    times = [0, 1, 5, 30]
    expected = [shares_entropy(np.abs(values) ** t if of == "walk" else np.exp(-t * (1 - values))) for t in times]
    np.testing.assert_allclose(operator.entropy(times, of=of), expected, rtol=1e-8)
    assert expected[0] == pytest.approx(np.log(operator.n_points))


def test_sampled_entropy_is_near_the_exact_one(knn, monkeypatch):
    X = np.random.default_rng(0).normal(size=(1500, 3))
    operator = DiffusionOperator(alpha_decay(knn(X, 15), neighbor=5))
    times = np.array([1, 5, 20, 60])
    exact = operator.entropy(times)
    monkeypatch.setattr("holonomy.graphs.diffusion.ENTROPY_EXACT_UP_TO", 100)
    np.testing.assert_allclose(operator.entropy(times), exact, rtol=0.02)


def test_a_points_own_weights_give_its_own_row(affinity, block):
    operator = DiffusionOperator(affinity, alpha=1.0)
    np.testing.assert_allclose(operator.transition(affinity).toarray(), dense_walk(affinity, 1.0), atol=1e-14)
    np.testing.assert_allclose(operator.extend(affinity, block), operator.walk(block, 1), atol=1e-12)


def test_extended_eigenfunctions_keep_their_values_at_the_points(knn):
    W = gaussian(knn(np.random.default_rng(0).normal(size=(200, 3)), 15))
    operator = DiffusionOperator(W, alpha=1.0)
    found = operator.spectrum(4, tol=1e-10)
    extended = operator.extend(W, found.eigenvectors, 1 - found.eigenvalues)
    np.testing.assert_allclose(extended, found.eigenvectors, atol=1e-6)


def test_spectrum_is_that_of_the_walk(knn):
    W = gaussian(knn(np.random.default_rng(0).normal(size=(200, 3)), 15))
    expected = np.sort(np.linalg.eigvals(dense_walk(W, 0.5)).real)[::-1][1:5]
    np.testing.assert_allclose(1 - DiffusionOperator(W, alpha=0.5).spectrum(4).eigenvalues, expected, atol=1e-8)


def test_same_bits_for_any_number_of_threads():
    X = np.random.default_rng(0).normal(size=(3000, 3))
    W = gaussian(neighbors(X, 10))

    def everything():
        operator = DiffusionOperator(W, "combinatorial")
        return operator.largest_eigenvalue, operator.entropy([1, 9], n_probes=2), operator.heat(X, 0.3)

    with threads(1):
        alone = everything()
    with threads(2):
        shared = everything()
    for one, two in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(one, two)


def test_nothing_given_is_written_to(affinity, block):
    before = affinity.data.copy(), block.copy()
    operator = DiffusionOperator(affinity, alpha=1.0)
    operator.walk(block, 0)[:] = 0
    operator.heat(block, 0.0)[:] = 0
    operator.walk(block, 30)
    np.testing.assert_array_equal(affinity.data, before[0])
    np.testing.assert_array_equal(block, before[1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda op: op.walk(np.ones(3), -1), ValueError, "t must be at least 0"),
        (lambda op: op.walk(np.ones(3), 1.5), TypeError, "t must be an integer"),
        (lambda op: op.walk(np.ones(4), 1), ValueError, "values must have shape"),
        (lambda op: op.walk(np.ones(3), 1, method="fast"), ValueError, "method must be one of"),
        (lambda op: op.heat([1, np.nan, 1], 1.0), ValueError, "values must be finite"),
        (lambda op: op.heat(np.ones(3), -1.0), ValueError, "t must be at least 0"),
        (lambda op: op.heat(np.ones(3), 1.0, order=0), ValueError, "order must be at least 1"),
        (lambda op: op.entropy([1], of="both"), ValueError, "of must be one of"),
        (lambda op: op.transition(np.ones((2, 4))), ValueError, "weights must have shape"),
        (lambda op: op.transition([[0.0, 0, 0]]), ValueError, "all 0"),
        (lambda op: op.transition([[-1.0, 2, 0]]), ValueError, "at least 0"),
        (lambda op: op.extend([[1.0, 0, 0]], np.ones((3, 1)), [0.0]), ValueError, "other than 0"),
    ],
)
def test_bad_requests_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(DiffusionOperator([[0, 1, 0], [1, 0, 1], [0, 1, 0]]))


@pytest.mark.parametrize(
    ("affinity", "options", "error", "message"),
    [
        ([[0, 1], [2, 0]], {}, ValueError, "symmetric"),
        ([[0, -1], [-1, 0]], {}, ValueError, "at least 0"),
        (NeighborGraph(np.array([[1], [0]]), np.ones((2, 1))), {}, TypeError, "NeighborGraph"),
        (np.ones((2, 2)), {"normalization": "none"}, ValueError, "normalization must be one of"),
        (np.ones((2, 2)), {"alpha": 2.0}, ValueError, "alpha must be"),
    ],
)
def test_bad_graphs_are_named(affinity, options, error, message):
    with pytest.raises(error, match=message):
        DiffusionOperator(affinity, **options)


def test_large_matrices_are_refused_with_advice():
    path = sparse.diags_array([np.ones(5999)] * 2, offsets=[-1, 1])
    with pytest.raises(ValueError, match=r"0\.3 GB.*landmarks"):
        DiffusionOperator(path).heat_kernel(1.0)


def test_spread_is_the_entropy_of_the_kernel(affinity):
    operator = DiffusionOperator(affinity)
    kernel = operator.heat_kernel(3.0)
    expected = -np.sum(kernel * np.log(np.maximum(kernel, 1e-300))) / len(kernel)
    spread = operator.heat_spread([0.0, 3.0], method="exact")
    np.testing.assert_allclose(spread, [0.0, expected], atol=1e-9)
    assert operator.heat_spread([3.0], n_sources=50)[0] == pytest.approx(expected, rel=0.1)


def test_powers_of_long_walks_are_those_of_the_matrix():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(700, 3))
    operator = DiffusionOperator(gaussian(neighbors(points, 9)))
    expected = np.linalg.matrix_power(operator.walk_matrix.toarray(), 13)
    np.testing.assert_allclose(operator.walk_kernel(13), expected, rtol=1e-12, atol=1e-18)
