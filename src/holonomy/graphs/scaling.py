"""Doubly stochastic affinities: every point has the same total weight."""

import warnings
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from holonomy._core.citations import references
from holonomy._core.validation import check_float, check_int
from holonomy.graphs._sparse import check_affinity


@references("knight2014symmetry")
def doubly_stochastic(affinity: Any, *, tol: float = 1e-8, max_iter: int = 1000) -> sparse.csr_array:
    """Scale a symmetric affinity to ``diag(x) W diag(x)`` so that all rows and columns sum to 1.

    Parameters
    ----------
    affinity : sparse or array-like of shape (n, n)
        Symmetric non-negative weights W. With a positive diagonal a solution always exists.
    tol : float, default 1e-8
        Largest deviation of a row sum from 1, > 0.
    max_iter : int, default 1000
        Most iterations, of one product with W each.

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
        If ``max_iter`` iterations do not reach ``tol`` though a solution exists.

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
    tolerance = check_float(tol, "tol", minimum=0.0)
    if tolerance == 0.0:
        raise ValueError("tol must be positive, got 0.")
    limit = check_int(max_iter, "max_iter", minimum=1)
    weights = check_affinity(affinity).astype(np.float64, copy=False)
    lonely = np.flatnonzero(np.diff(weights.indptr) == 0)
    if len(lonely):
        raise ValueError(
            f"affinity has no edges at {len(lonely)} points, e.g. point {lonely[0]}, so their rows cannot sum to 1; "
            "drop these points or add weights on the diagonal."
        )
    scales, deviation = _scales(weights, tolerance, limit)
    if not deviation <= tolerance:
        _refuse_unsupported(weights)
        warnings.warn(
            f"doubly_stochastic stopped after {limit} iterations with row sums off by {deviation:.2g} (tol={tol:g}); "
            "raise max_iter or tol.",
            RuntimeWarning,
            stacklevel=2,
        )
    factors = np.repeat(scales, np.diff(weights.indptr)) * scales[weights.indices]
    return sparse.csr_array((weights.data * factors, weights.indices.copy(), weights.indptr.copy()), weights.shape)


def _scales(weights: sparse.csr_array, tol: float, max_iter: int) -> tuple[np.ndarray, float]:
    """Iterate ``x <- sqrt(x / W x)``; return x and the largest deviation of a row sum of ``diag(x) W diag(x)``."""
    scales = 1.0 / np.sqrt(weights.sum(axis=1))
    deviation = np.inf
    for _ in range(max_iter):
        products = weights @ scales
        deviation = float(np.abs(scales * products - 1.0).max())
        if deviation <= tol:
            break
        scales = np.sqrt(scales / products)
    return scales, deviation


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
