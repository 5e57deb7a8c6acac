"""Which rows of a table are the first of their kind, and which repeat an earlier one."""

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse


def distinct_rows(X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows that differ from all earlier ones.

    Parameters
    ----------
    X : array or csr matrix of shape (n, d)

    Returns
    -------
    first : ndarray of int, shape (m,)
        Rows that no earlier row equals, ascending.
    inverse : ndarray of int, shape (n,)
        For each row, the place in ``first`` of the row it equals.
    """
    if sparse.issparse(X):
        canonical = X.copy()
        canonical.sum_duplicates()
        canonical.eliminate_zeros()
        ends = canonical.indptr
        seen: dict[bytes, int] = {}
        numbers = np.empty(X.shape[0], dtype=np.intp)
        for row, (start, stop) in enumerate(pairwise(ends)):
            content = canonical.indices[start:stop].tobytes() + b"|" + canonical.data[start:stop].tobytes()
            numbers[row] = seen.setdefault(content, len(seen))
        return np.unique(numbers, return_index=True)[1], numbers
    _, first, inverse = np.unique(np.asarray(X), axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(first), dtype=np.intp)
    rank[order] = np.arange(len(first))
    return first[order], rank[inverse.ravel()]
