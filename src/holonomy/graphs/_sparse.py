"""From weights on the neighbour lists to a symmetric sparse affinity, and the checks of one given from outside."""

from typing import Any

import numpy as np
from numba import njit
from scipy import sparse

from holonomy.graphs._blocks import run_blocks
from holonomy.graphs.neighbor_graph import NeighborGraph


def check_graph(graph: Any, name: str = "graph") -> NeighborGraph:
    """Return ``graph`` if it is a NeighborGraph of at least one point and one neighbour.

    Raises
    ------
    TypeError
        If it is anything else.
    ValueError
        If it is empty.
    """
    if not isinstance(graph, NeighborGraph):
        raise TypeError(f"{name} must be a NeighborGraph, as neighbors(X) returns, got {type(graph).__name__}.")
    if graph.n_points < 1 or graph.n_neighbors < 1:
        raise ValueError(f"{name} must hold at least one point and one neighbour, got shape {graph.indices.shape}.")
    return graph


def directed_csr(graph: NeighborGraph, weights: np.ndarray) -> sparse.csr_array:
    """Return the (n, n) matrix of one weight for each listed neighbour, sorted, without those at infinite distance.

    Raises
    ------
    ValueError
        If a row lists the same neighbour twice.
    """
    n, k = graph.indices.shape
    finite = np.isfinite(graph.distances)
    if finite.all():
        data, columns, indptr = weights.ravel(), graph.indices.ravel(), np.arange(0, n * k + 1, k)
    else:
        data, columns = weights[finite], graph.indices[finite]
        indptr = np.concatenate([[0], np.cumsum(finite.sum(axis=1))])
    indptr = indptr.astype(np.int32 if n * k < 2**31 else np.int64, copy=False)
    # Transposing is a counting sort by column: twice, and every row is in order.
    directed = sparse.csr_array((data, columns, indptr), shape=(n, n)).tocsc().tocsr()
    same = np.flatnonzero(directed.indices[1:] == directed.indices[:-1])
    rows = np.searchsorted(directed.indptr, same, side="right")
    twice = directed.indptr[rows] > same + 1
    if twice.any():
        row = rows[twice][0] - 1
        raise ValueError(
            f"graph lists neighbour {directed.indices[same[twice][0]]} of point {row} more than once; "
            "list each neighbour once, and give missing ones an infinite distance."
        )
    return directed


@njit(cache=True, nogil=True)
def _merge_rows(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    t_indptr: np.ndarray,
    t_indices: np.ndarray,
    t_data: np.ndarray,
    sum_weight: float,
    product_weight: float,
    largest: bool,
    fill: bool,
    ends: np.ndarray,
    columns: np.ndarray,
    values: np.ndarray,
    start: int,
    stop: int,
) -> None:
    """Merge rows [start, stop) of a matrix and its transpose: count their entries, or write them if ``fill``."""
    for row in range(start, stop):
        i, i_end = indptr[row], indptr[row + 1]
        j, j_end = t_indptr[row], t_indptr[row + 1]
        position = ends[row] if fill else 0
        while i < i_end or j < j_end:
            column = indices[i] if i < i_end else t_indices[j]
            if j < j_end and t_indices[j] < column:
                column = t_indices[j]
            a = 0.0
            b = 0.0
            if i < i_end and indices[i] == column:
                a = np.float64(data[i])
                i += 1
            if j < j_end and t_indices[j] == column:
                b = np.float64(t_data[j])
                j += 1
            value = data.dtype.type(max(a, b) if largest else sum_weight * (a + b) + product_weight * (a * b))
            if value != 0 and column != row:
                if fill:
                    columns[position] = column
                    values[position] = value
                position += 1
        if not fill:
            ends[row + 1] = position


def symmetrize(
    directed: sparse.csr_array, *, sum_weight: float = 0.5, product_weight: float = 0.0, largest: bool = False
) -> sparse.csr_array:
    """Combine a non-negative matrix W with its transpose, entry by entry.

    Parameters
    ----------
    directed : csr_array, shape (n, n)
        W, its column indices sorted and unique in each row.
    sum_weight, product_weight : float
        The entries become ``sum_weight (w_ij + w_ji) + product_weight w_ij w_ji``: (0.5, 0) is the mean, (1, -1)
        the probabilistic union, (0, 1) the intersection.
    largest : bool
        Take ``max(w_ij, w_ji)`` instead.

    Returns
    -------
    csr_array, shape (n, n)
        Symmetric bit for bit, sorted, without diagonal and without stored zeros; dtype of ``directed``.
    """
    n = directed.shape[0]
    transposed = directed.tocsc()
    parts = (directed.indptr, directed.indices, directed.data, transposed.indptr, transposed.indices, transposed.data)
    rule = (float(sum_weight), float(product_weight), largest)
    ends = np.zeros(n + 1, dtype=np.int64)
    columns, values = np.empty(0, np.int32), np.empty(0, directed.dtype)
    run_blocks(lambda start, stop: _merge_rows(*parts, *rule, False, ends, columns, values, start, stop), n)
    np.cumsum(ends, out=ends)
    columns, values = np.empty(ends[-1], np.int32), np.empty(ends[-1], directed.dtype)
    run_blocks(lambda start, stop: _merge_rows(*parts, *rule, True, ends, columns, values, start, stop), n)
    indptr = ends.astype(np.int32) if ends[-1] < 2**31 else ends
    result = sparse.csr_array((values, columns, indptr), shape=(n, n))
    result.has_canonical_format = True
    return result


def check_affinity(affinity: Any, name: str = "affinity", *, symmetric: bool = True) -> sparse.csr_array:
    """Return ``affinity`` as a canonical CSR array of float64 or float32 without stored zeros, never writing to it.

    Parameters
    ----------
    affinity : sparse or array-like of shape (n, n)
        Non-negative finite weights.
    name : str
        How error messages call the argument.
    symmetric : bool
        Whether to refuse a matrix that differs from its transpose by more than 1e-6 of its largest entry.

    Raises
    ------
    TypeError
        If it is a NeighborGraph or holds no real numbers.
    ValueError
        If it is not square, holds a negative, infinite or NaN weight, or is not symmetric.
    """
    if isinstance(affinity, NeighborGraph):
        raise TypeError(
            f"{name} is a NeighborGraph; turn it into weights first, e.g. with fuzzy_simplicial_set(graph)."
        )
    given = affinity if sparse.issparse(affinity) else np.asarray(affinity)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or given.shape[0] == 0:
        raise ValueError(f"{name} must be a square matrix of weights, got shape {given.shape}.")
    if given.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {given.dtype}.")
    dtype = given.dtype if given.dtype in (np.float32, np.float64) else np.float64
    matrix = sparse.csr_array(given, dtype=dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        total = matrix.data.sum(dtype=np.float64)
    if not np.isfinite(total) or (matrix.data < 0).any():
        raise ValueError(
            f"{name} must hold finite weights of at least 0 with a finite sum; found negative, infinite or NaN entries."
        )
    if not matrix.has_canonical_format or (matrix.data == 0).any():
        matrix = matrix.copy()
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
    if symmetric:
        _refuse_asymmetric(matrix, name)
    return matrix


def _refuse_asymmetric(matrix: sparse.csr_array, name: str) -> None:
    transposed = matrix.tocsc()
    if np.array_equal(transposed.indptr, matrix.indptr) and np.array_equal(transposed.indices, matrix.indices):
        difference = np.abs(transposed.data - matrix.data).max(initial=0.0)
    else:
        difference = abs(matrix - matrix.T).max()
    if difference > 1e-6 * matrix.data.max(initial=0.0):
        raise ValueError(
            f"{name} must be symmetric, but entries differ from their transposes by up to {difference:.3g}; "
            "use (W + W.T) / 2 if that is what is meant."
        )
