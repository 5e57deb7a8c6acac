import numpy as np
import pytest
from scipy import sparse

from holonomy.graphs import NeighborGraph
from holonomy.graphs._sparse import check_affinity, directed_csr, symmetrize


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csr_matrix, sparse.coo_array, sparse.csc_array, np.asarray])
def test_any_matrix_of_weights_is_accepted(form):
    weights = np.array([[0, 2, 0], [2, 0, 1], [0, 1, 0]])
    checked = check_affinity(form(weights))
    assert isinstance(checked, sparse.csr_array)
    assert checked.dtype == np.float64
    np.testing.assert_array_equal(checked.toarray(), weights)


def test_duplicate_unsorted_and_zero_entries_are_cleaned_in_a_copy():
    data = np.array([1.0, 0.5, 0.5, 0.0, 1.0])
    given = sparse.csr_array((data, np.array([1, 0, 0, 2, 1]), np.array([0, 1, 4, 5])), shape=(3, 3))
    checked = check_affinity(given, symmetric=False)
    assert checked.has_canonical_format
    np.testing.assert_array_equal(checked.toarray(), [[0, 1, 0], [1, 0, 0], [0, 1, 0]])
    np.testing.assert_array_equal(given.data, [1, 0.5, 0.5, 0, 1])
    np.testing.assert_array_equal(given.indices, [1, 0, 0, 2, 1])


def test_single_precision_and_rounding_are_kept():
    weights = np.array([[0, 1], [1 + 1e-7, 0]], dtype=np.float32)
    assert check_affinity(weights).dtype == np.float32


@pytest.mark.parametrize("pattern", [[[0, 1], [0, 0]], [[0, 1], [1.1, 0]]])
def test_asymmetry_is_refused(pattern):
    with pytest.raises(ValueError, match=r"affinity must be symmetric, .* use \(W \+ W.T\) / 2"):
        check_affinity(np.array(pattern))


def test_weights_whose_sum_overflows_are_refused():
    with pytest.raises(ValueError, match="finite sum"):
        check_affinity(np.full((2, 2), 1e308))


def test_symmetrize_against_dense_arithmetic():
    rng = np.random.default_rng(0)
    dense = rng.random((30, 30)) * (rng.random((30, 30)) < 0.2)
    directed = sparse.csr_array(dense)
    np.fill_diagonal(dense, 0)
    pairs = [
        (symmetrize(directed), (dense + dense.T) / 2),
        (symmetrize(directed, sum_weight=1, product_weight=-1), dense + dense.T - dense * dense.T),
        (symmetrize(directed, sum_weight=0, product_weight=1), dense * dense.T),
        (symmetrize(directed, largest=True), np.maximum(dense, dense.T)),
    ]
    for result, expected in pairs:
        np.testing.assert_allclose(result.toarray(), expected, rtol=1e-15, atol=0)
        assert result.nnz == np.count_nonzero(expected)
        assert (np.diff(result.indices)[np.diff(np.repeat(np.arange(30), np.diff(result.indptr))) == 0] > 0).all()


def test_directed_weights_follow_the_lists():
    graph = NeighborGraph(np.array([[2, 1], [2, 0], [0, 0]]), np.array([[1, 2], [1, np.inf], [3, np.inf]]))
    weights = np.array([[5.0, 6.0], [7.0, 8.0], [9.0, 1.0]])
    np.testing.assert_array_equal(directed_csr(graph, weights).toarray(), [[0, 6, 5], [0, 0, 7], [9, 0, 0]])
