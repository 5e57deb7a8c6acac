"""Doubly stochastic affinities: every point has the same total weight."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse import csgraph

from holonomy._core.citations import references
from holonomy._core.validation import check_float, check_int
from holonomy.graphs._matrix_scaling import bipartite, scale_symmetric
from holonomy.graphs._sparse import check_affinity

LARGEST_IMBALANCE = 1e-9
"""Largest relative difference between the totals of row sums and column sums that counts as rounding."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """A matrix of weights scaled to given sums of its rows and columns, and how well that went.

    Attributes
    ----------
    matrix : csr_array of float64, shape (n, m)
        ``diag(left) W diag(right)``, with the entries of W.
    left : ndarray of float64, shape (n,)
        Factors of the rows, positive.
    right : ndarray of float64, shape (m,)
        Factors of the columns; equal to ``left`` for a symmetric scaling.
    row_sums : ndarray of float64, shape (n,)
        The sums of rows asked for.
    deviation : float
        Largest relative deviation of a row or column sum from what was asked for.
    n_products : int
        Products with W that it took, with its transpose counted along.
    converged : bool
        Whether the deviation is within the tolerance.

    Examples
    --------
    >>> from holonomy.graphs import sinkhorn
    >>> found = sinkhorn([[0, 1, 2], [1, 0, 4], [2, 4, 0]], symmetric=True)
    >>> found.converged, found.left.round(3).tolist()
    (True, [1.0, 0.5, 0.25])
    """

    matrix: sparse.csr_array
    left: np.ndarray
    right: np.ndarray
    row_sums: np.ndarray
    deviation: float
    n_products: int
    converged: bool

    def extend(self, weights: Any, row_sum: float = 1.0) -> sparse.csr_array:
        """Scale the weights of new rows to the same columns, each row by itself.

        Parameters
        ----------
        weights : sparse or array-like of shape (q, m)
            Non-negative weights between q new rows and the m columns.
        row_sum : float, default 1.0
            The sum each new row gets, > 0.

        Returns
        -------
        csr_array of float64, shape (q, m)
            ``W_new diag(right)`` with rows scaled to their sum. A row of W itself comes out as in ``matrix``, up to
            the tolerance.

        Raises
        ------
        ValueError
            If the shape does not fit, weights are negative or not finite, or a row is empty.
        """
        total = _positive(row_sum, "row_sum")
        fresh = _check_weights(weights, "weights")
        if fresh.shape[1] != len(self.right):
            raise ValueError(f"weights must have {len(self.right)} columns, got shape {fresh.shape}.")
        scaled = sparse.csr_array((fresh.data * self.right[fresh.indices], fresh.indices, fresh.indptr), fresh.shape)
        sums = scaled.sum(axis=1)
        empty = np.flatnonzero(sums == 0)
        if len(empty):
            raise ValueError(f"weights has {len(empty)} rows without a positive weight, e.g. row {empty[0]}.")
        scaled.data *= np.repeat(total / sums, np.diff(scaled.indptr))
        return scaled


@references("knight2014symmetry", "knight2013fast")
def sinkhorn(
    weights: Any,
    row_sums: ArrayLike | None = None,
    column_sums: ArrayLike | None = None,
    *,
    symmetric: bool = False,
    tol: float = 1e-8,
    max_iter: int = 1000,
) -> Scaling:
    """Scale non-negative weights to ``diag(left) W diag(right)`` with given sums of rows and columns.

    Parameters
    ----------
    weights : sparse or array-like of shape (n, m)
        Non-negative weights W; square and symmetric if ``symmetric``. Every row and column needs a positive entry.
    row_sums : array-like of shape (n,), optional
        Sums of the rows, > 0; 1 by default.
    column_sums : array-like of shape (m,), optional
        Sums of the columns, > 0, of the same total; all equal by default, which is 1 for a square matrix.
    symmetric : bool, default False
        Scale rows and columns by the same factors; ``column_sums`` are then the ``row_sums``.
    tol : float, default 1e-8
        Largest relative deviation of a sum, > 0.
    max_iter : int, default 1000
        Most products with W.

    Returns
    -------
    Scaling
        The scaled matrix, its factors, and a report of the convergence.

    Raises
    ------
    TypeError
        If ``weights`` is not a matrix of numbers.
    ValueError
        If weights are negative or not finite, a row or column is empty, or the sums do not fit.

    Warns
    -----
    RuntimeWarning
        If ``max_iter`` products do not reach ``tol``. Where only a limit of scalings has these sums, what would have to
        vanish becomes small instead.

    Notes
    -----
    Balanced steps ``x <- sqrt(x r / W x)`` [1]_ are taken while each at least halves the deviation every three steps;
    from there on, Newton steps by conjugate gradients on the convex function ``x' W x / 2 - r' log x`` [2]_, which stay
    quick on ill-conditioned weights. A rectangular problem is the symmetric one of the bipartite graph.

    References
    ----------
    .. [1] Knight, Ruiz, Ucar (2014). A symmetry preserving algorithm for matrix scaling. SIAM Journal on Matrix
       Analysis and Applications 35, 931-955.
    .. [2] Knight, Ruiz (2013). A fast algorithm for matrix balancing. IMA Journal of Numerical Analysis 33, 1029-1047.

    Examples
    --------
    >>> from holonomy.graphs import sinkhorn
    >>> sinkhorn([[1, 1, 2], [3, 1, 1]]).matrix.sum(axis=0).round(6).tolist()
    [0.666667, 0.666667, 0.666667]
    """
    tolerance = _positive(tol, "tol")
    limit = check_int(max_iter, "max_iter", minimum=1)
    if symmetric:
        if column_sums is not None:
            raise ValueError("column_sums cannot be given for a symmetric scaling; its columns have the row_sums.")
        matrix = check_affinity(weights, "weights").astype(np.float64, copy=False)
        rows = columns = _check_sums(row_sums, "row_sums", matrix.shape[0], 1.0)
    else:
        matrix = _check_weights(weights, "weights")
        rows = _check_sums(row_sums, "row_sums", matrix.shape[0], 1.0)
        columns = _check_sums(column_sums, "column_sums", matrix.shape[1], rows.sum() / matrix.shape[1])
        if abs(rows.sum() - columns.sum()) > LARGEST_IMBALANCE * rows.sum():
            raise ValueError(
                f"row_sums and column_sums must have one total, got {rows.sum():.6g} and {columns.sum():.6g}."
            )
    _refuse_empty(matrix, "weights")
    found = _scaling(matrix, rows, columns, symmetric, tolerance, limit)
    if not found.converged:
        _warn_unconverged("sinkhorn", found, tol, stacklevel=3)
    return found


@references("knight2014symmetry", "knight2013fast")
def doubly_stochastic(affinity: Any, *, tol: float = 1e-8, max_iter: int = 1000) -> sparse.csr_array:
    """Scale a symmetric affinity to ``diag(x) W diag(x)`` so that all rows and columns sum to 1.

    `sinkhorn` does the same for given sums and rectangular weights, returns the factors and a report, and extends
    the scaling to new rows.

    Parameters
    ----------
    affinity : sparse or array-like of shape (n, n)
        Symmetric non-negative weights W. With a positive diagonal a solution always exists.
    tol : float, default 1e-8
        Largest deviation of a row sum from 1, > 0.
    max_iter : int, default 1000
        Most products with W.

    Returns
    -------
    csr_array of float64, shape (n, n)
        Symmetric bit for bit, with the entries of W.

    Raises
    ------
    TypeError
        If ``affinity`` is not a matrix of weights.
    ValueError
        If a point has no edges, or the pattern of W allows no doubly stochastic matrix with all of its edges (it
        has no total support), as for a star, whose leaves all need the whole of the centre's weight.

    Warns
    -----
    RuntimeWarning
        If ``max_iter`` products do not reach ``tol`` though a solution exists.

    References
    ----------
    Knight, Ruiz, Ucar (2014). A symmetry preserving algorithm for matrix scaling. SIAM Journal on Matrix Analysis
    and Applications 35, 931-955.

    Examples
    --------
    >>> from holonomy.graphs import doubly_stochastic
    >>> doubly_stochastic([[0, 1, 2], [1, 0, 4], [2, 4, 0]]).toarray().round(3)
    array([[0. , 0.5, 0.5],
           [0.5, 0. , 0.5],
           [0.5, 0.5, 0. ]])
    """
    tolerance = _positive(tol, "tol")
    limit = check_int(max_iter, "max_iter", minimum=1)
    weights = check_affinity(affinity).astype(np.float64, copy=False)
    lonely = np.flatnonzero(np.diff(weights.indptr) == 0)
    if len(lonely):
        raise ValueError(
            f"affinity has no edges at {len(lonely)} points, e.g. point {lonely[0]}, so their rows cannot sum to 1; "
            "drop these points or add weights on the diagonal."
        )
    ones = np.ones(weights.shape[0])
    found = _scaling(weights, ones, ones, True, tolerance, limit, refuse=_refuse_unsupported)
    if not found.converged:
        _warn_unconverged("doubly_stochastic", found, tol, stacklevel=3)
    return found.matrix


def _scaling(
    weights: sparse.csr_array,
    row_sums: np.ndarray,
    column_sums: np.ndarray,
    symmetric: bool,
    tol: float,
    max_iter: int,
    refuse: Callable[[sparse.csr_array], None] | None = None,
) -> Scaling:
    """Solve and report; ``refuse`` is asked, once the solution turns out to be hard, whether there is one at all."""
    if symmetric:
        product, sums = weights.__matmul__, row_sums
    else:
        product, sums = bipartite(weights), np.concatenate([row_sums, column_sums])
    factors, deviation, used = scale_symmetric(product, sums, tol, max_iter, lambda: refuse and refuse(weights))
    left, right = (factors, factors) if symmetric else np.split(factors, [len(row_sums)])
    scales = np.repeat(left, np.diff(weights.indptr)) * right[weights.indices]
    scaled = sparse.csr_array((weights.data * scales, weights.indices.copy(), weights.indptr.copy()), weights.shape)
    return Scaling(scaled, left, right, row_sums, deviation, used, deviation <= tol)


def _warn_unconverged(name: str, found: Scaling, tol: float, stacklevel: int) -> None:
    warnings.warn(
        f"{name} stopped after {found.n_products} iterations with row sums off by {found.deviation:.2g} (tol={tol:g}); "
        "raise max_iter or tol.",
        RuntimeWarning,
        stacklevel=stacklevel,
    )


def _positive(value: float, name: str) -> float:
    checked = check_float(value, name, minimum=0.0)
    if checked == 0.0:
        raise ValueError(f"{name} must be positive, got 0.")
    return checked


def _check_sums(sums: ArrayLike | None, name: str, n: int, default: float) -> np.ndarray:
    if sums is None:
        return np.full(n, default)
    checked = np.asarray(sums, dtype=np.float64)
    if checked.shape != (n,):
        raise ValueError(f"{name} must have shape ({n},), got {checked.shape}.")
    if not ((checked > 0) & np.isfinite(checked)).all():
        raise ValueError(f"{name} must be positive and finite.")
    return checked


def _check_weights(weights: Any, name: str) -> sparse.csr_array:
    """Return a rectangular matrix of non-negative weights as canonical CSR of float64 without stored zeros."""
    given = weights if sparse.issparse(weights) else np.asarray(weights)
    if given.ndim != 2 or 0 in given.shape:
        raise ValueError(f"{name} must be a matrix of weights, got shape {given.shape}.")
    if given.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {given.dtype}.")
    matrix = sparse.csr_array(given, dtype=np.float64, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    if not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        raise ValueError(f"{name} must hold finite weights of at least 0; found negative, infinite or NaN entries.")
    return matrix


def _refuse_empty(matrix: sparse.csr_array, name: str) -> None:
    for axis, kind in ((1, "row"), (0, "column")):
        empty = np.flatnonzero(matrix.sum(axis=axis) == 0)
        if len(empty):
            raise ValueError(f"{name} has {len(empty)} {kind}s without a positive weight, e.g. {kind} {empty[0]}.")


def _refuse_unsupported(weights: sparse.csr_array) -> None:
    """Raise if some edge lies on no permutation of the points along edges: then no scaling exists."""
    match = csgraph.maximum_bipartite_matching(weights, perm_type="column")
    unmatched = np.flatnonzero(match < 0)
    remedy = "add weights on the diagonal, e.g. affinity + scipy.sparse.eye_array(n), or connect more neighbours."
    if len(unmatched):
        raise ValueError(
            "affinity cannot be made doubly stochastic: some points compete for the same few neighbours "
            f"({len(unmatched)} points stay unmatched, e.g. point {unmatched[0]}); {remedy}"
        )
    # With the matched columns on the diagonal, an edge is supported if it lies on a cycle.
    _, labels = csgraph.connected_components(weights[:, match], directed=True, connection="strong")
    position = np.empty_like(match)
    position[match] = np.arange(len(match))
    rows = np.repeat(np.arange(len(match)), np.diff(weights.indptr))
    unsupported = labels[rows] != labels[position[weights.indices]]
    if unsupported.any():
        edge = np.flatnonzero(unsupported)[0]
        raise ValueError(
            f"affinity cannot be made doubly stochastic: {np.count_nonzero(unsupported)} of its entries, e.g. "
            f"({rows[edge]}, {weights.indices[edge]}), would have to be 0; {remedy}"
        )
