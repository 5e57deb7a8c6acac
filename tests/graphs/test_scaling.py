import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from holonomy.graphs import doubly_stochastic, gaussian, sinkhorn


def test_rows_and_columns_sum_to_one(knn, cloud):
    affinity = gaussian(knn(cloud, 12))
    result = doubly_stochastic(affinity)
    np.testing.assert_allclose(result.sum(axis=1), 1.0, atol=1e-8)
    np.testing.assert_allclose(result.sum(axis=0), 1.0, atol=1e-8)
    assert (result != result.T).nnz == 0
    np.testing.assert_array_equal(result.indices, affinity.indices)


def test_result_is_a_diagonal_scaling(knn, cloud):
    affinity = gaussian(knn(cloud, 12))
    ratio = doubly_stochastic(affinity).toarray() / np.where(affinity.toarray() > 0, affinity.toarray(), np.inf)
    i, j, k = 0, *affinity[[0]].indices[:2]
    if ratio[j, k] == 0:
        k = next(m for m in affinity[[j]].indices if ratio[i, m] > 0)
    scale = np.sqrt(ratio[i, j] * ratio[i, k] / ratio[j, k])
    others = affinity[[i]].indices
    scales = ratio[i, others] / scale
    edges = [(a, b) for a in range(len(others)) for b in range(len(others)) if ratio[others[a], others[b]] > 0]
    assert len(edges) > 5
    for a, b in edges:
        assert ratio[others[a], others[b]] == pytest.approx(scales[a] * scales[b], rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 30), power=st.integers(-100, 100))
def test_a_positive_diagonal_always_has_a_solution(seed, n, power):
    rng = np.random.default_rng(seed)
    weights = rng.random((n, n)) * (rng.random((n, n)) < 0.2)
    weights = (weights + weights.T + np.eye(n)) * 10.0**power
    np.testing.assert_allclose(doubly_stochastic(weights).sum(axis=1), 1.0, atol=1e-8)


def test_solution_does_not_depend_on_a_scaling_of_the_input(knn, cloud):
    affinity = gaussian(knn(cloud, 12))
    factors = np.exp(np.random.default_rng(0).normal(size=300))
    scaled = sparse.diags_array(factors) @ affinity @ sparse.diags_array(factors)
    np.testing.assert_allclose(doubly_stochastic(scaled).toarray(), doubly_stochastic(affinity).toarray(), atol=1e-7)


def test_already_doubly_stochastic_stays_as_it_is():
    cycle = (np.roll(np.eye(7), 1, axis=1) + np.roll(np.eye(7), -1, axis=1)) / 2
    np.testing.assert_allclose(doubly_stochastic(cycle).toarray(), cycle, rtol=1e-14)


def test_star_has_no_solution():
    star = np.zeros((5, 5))
    star[0, 1:] = star[1:, 0] = 1
    with pytest.raises(ValueError, match=r"compete for the same few neighbours .* add weights on the diagonal"):
        doubly_stochastic(star)


def test_edge_that_would_have_to_vanish_has_no_solution():
    # Points 0 and 1 need each other, and so do 2 and 3: the edge between 1 and 2 is in the way.
    path = sparse.diags_array([np.ones(3)] * 2, offsets=[-1, 1])
    with pytest.raises(ValueError, match=r"2 of its entries, e.g. \(1, 2\), would have to be 0"):
        doubly_stochastic(path)


def test_stopping_early_is_reported(knn, cloud):
    with pytest.warns(RuntimeWarning, match="stopped after 3 iterations with row sums off by"):
        result = doubly_stochastic(gaussian(knn(cloud, 40)), max_iter=3)
    assert np.isfinite(result.data).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"affinity": np.diag([1.0, 0.0, 1.0])}, "no edges at 1 points, e.g. point 1"),
        ({"affinity": np.array([[0, 1], [2, 0]])}, "must be symmetric"),
        ({"tol": 0.0}, "tol must be positive"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        doubly_stochastic(**{"affinity": np.ones((3, 3)), **change})


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 20), m=st.integers(1, 20), spread=st.floats(0, 3))
def test_rectangular_weights_get_the_sums_asked_for(seed, n, m, spread):
    rng = np.random.default_rng(seed)
    weights = np.exp(spread * rng.normal(size=(n, m)))
    rows, columns = rng.uniform(0.1, 2, n), rng.uniform(0.1, 2, m)
    columns *= rows.sum() / columns.sum()
    found = sinkhorn(weights, rows, columns)
    assert found.converged
    np.testing.assert_allclose(found.matrix.sum(axis=1), rows, rtol=1e-7)
    np.testing.assert_allclose(found.matrix.sum(axis=0), columns, rtol=1e-7)
    np.testing.assert_allclose(found.matrix.toarray(), found.left[:, None] * weights * found.right, rtol=1e-12)


def test_equals_plain_alternating_scaling():
    weights = np.random.default_rng(0).random((6, 9)) + 0.01
    x, y = np.ones(6), np.ones(9)
    for _ in range(3000):
        x = 1 / (weights @ y)
        y = (6 / 9) / (weights.T @ x)
    np.testing.assert_allclose(sinkhorn(weights, tol=1e-12).matrix.toarray(), x[:, None] * weights * y, rtol=1e-9)


def test_symmetric_scaling_to_other_sums(knn, cloud):
    affinity = gaussian(knn(cloud, 12)) + sparse.eye_array(300)
    sums = np.random.default_rng(0).uniform(0.5, 2, 300)
    found = sinkhorn(affinity, sums, symmetric=True)
    np.testing.assert_allclose(found.matrix.sum(axis=1), sums, rtol=1e-7)
    assert found.left is found.right
    np.testing.assert_array_equal(
        sinkhorn(affinity, symmetric=True).matrix.toarray(), doubly_stochastic(affinity).toarray()
    )


def test_ill_conditioned_weights_take_few_products():
    """Weak couplings between strong pairs: balanced steps alone would need millions."""
    n = 60
    strong = np.kron(np.eye(n // 2), [[0, 1], [1, 0]])
    rng = np.random.default_rng(0)
    weak = rng.random((n, n)) * 1e-6
    weights = strong + weak + weak.T
    found = sinkhorn(weights, symmetric=True, tol=1e-10)
    assert found.converged
    assert found.n_products < 300
    np.testing.assert_allclose(found.matrix.sum(axis=1), 1.0, atol=1e-10)


def test_new_rows_are_scaled_like_the_points_themselves(knn, cloud):
    affinity = gaussian(knn(cloud, 12))
    found = sinkhorn(affinity, symmetric=True, tol=1e-12)
    np.testing.assert_allclose(found.extend(affinity).toarray(), found.matrix.toarray(), atol=1e-11)
    rows = np.random.default_rng(0).random((5, 300))
    together = found.extend(rows)
    np.testing.assert_allclose(together.sum(axis=1), 1.0)
    np.testing.assert_array_equal(found.extend(rows[2:3]).toarray(), together[[2]].toarray())
    np.testing.assert_allclose(found.extend(3 * rows, row_sum=2.0).toarray(), 2 * together.toarray())


def test_report_of_a_hopeless_problem():
    with pytest.warns(RuntimeWarning, match="sinkhorn stopped after"):
        found = sinkhorn(np.array([[1.0, 1, 1], [0, 0, 1], [0, 0, 1]]), max_iter=50)
    assert not found.converged
    assert found.deviation > 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": np.ones(3)}, "must be a matrix of weights"),
        ({"weights": -np.ones((2, 3))}, "finite weights of at least 0"),
        ({"weights": np.array([[1.0, 0], [1, 0]])}, "1 columns without a positive weight, e.g. column 1"),
        ({"weights": np.array([[1.0, 1], [0, 0]])}, "1 rows without a positive weight, e.g. row 1"),
        ({"row_sums": [1.0, 1.0]}, r"row_sums must have shape \(3,\)"),
        ({"row_sums": [1.0, -1.0, 1.0]}, "row_sums must be positive"),
        ({"column_sums": [1.0, 1.0, 2.0]}, "must have one total, got 3 and 4"),
        ({"column_sums": np.ones(3), "symmetric": True}, "column_sums cannot be given"),
        ({"tol": 0.0}, "tol must be positive"),
    ],
)
def test_bad_problems(arguments, message):
    with pytest.raises(ValueError, match=message):
        sinkhorn(**{"weights": np.ones((3, 3)), **arguments})


def test_bad_extensions():
    found = sinkhorn(np.ones((3, 3)))
    with pytest.raises(ValueError, match="weights must have 3 columns"):
        found.extend(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"1 rows without a positive weight, e\.g\. row 1"):
        found.extend(np.array([[1.0, 1, 1], [0, 0, 0]]))
    with pytest.raises(ValueError, match="row_sum must be positive"):
        found.extend(np.ones((2, 3)), row_sum=0.0)
