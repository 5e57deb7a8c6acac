"""Rows that repeat others, dense and sparse."""

import numpy as np
from scipy import sparse

from holonomy.embed._distinct_rows import distinct_rows


def test_first_rows_and_their_repetitions_dense_and_sparse():
    X = np.array([[3.0, 0.0], [1.0, 2.0], [3.0, 0.0], [0.0, 0.0], [1.0, 2.0]])
    for given in (X, sparse.csr_array(X), sparse.csr_array(X.astype(np.float32))):
        first, inverse = distinct_rows(given)
        assert first.tolist() == [0, 1, 3]
        assert inverse.tolist() == [0, 1, 0, 2, 1]


def test_stored_zeros_do_not_make_a_row_different():
    X = sparse.csr_array((np.array([1.0, 0.0, 1.0]), np.array([0, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    assert distinct_rows(X)[0].tolist() == [0]
