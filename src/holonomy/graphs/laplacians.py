"""Laplacians of weighted graphs, with the correction for the density that the points were drawn from."""

from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.validation import check_float, check_option
from holonomy.graphs._sparse import check_affinity

NORMALIZATIONS = ("combinatorial", "random_walk", "symmetric")


@references("coifman2006diffusion")
def laplacian(affinity: Any, normalization: str = "symmetric", *, alpha: float = 0.0) -> sparse.csr_array:
    """Build the Laplacian of a weighted graph.

    With ``W' = Q^-alpha W Q^-alpha`` (Q the degrees of W) and D the degrees of W', this is ``I - D^-1/2 W' D^-1/2``
    (symmetric), ``I - D^-1 W'`` (random walk) or ``D - W'`` (combinatorial).

    Parameters
    ----------
    affinity : sparse or array-like of shape (n, n)
        Symmetric non-negative weights W. Weights on the diagonal count in the degrees, once.
    normalization : {"symmetric", "random_walk", "combinatorial"}, default "symmetric"
        Which of the three.
    alpha : float, default 0.0
        How much of the sampling density to divide out, in [0, 1]: 0 keeps it, 1/2 gives the Fokker-Planck
        operator, and 1 the Laplace-Beltrami operator whatever the density [1]_.

    Returns
    -------
    csr_array of float64, shape (n, n)
        Sorted, without stored zeros. The row of a point without edges is empty.

    Raises
    ------
    TypeError, ValueError
        If ``affinity`` is not symmetric, square, non-negative and finite, or a parameter is out of range.

    References
    ----------
    .. [1] Coifman, Lafon (2006). Diffusion maps. Applied and Computational Harmonic Analysis 21, 5-30.

    Examples
    --------
    >>> from holonomy.graphs import laplacian
    >>> laplacian([[0, 1, 0], [1, 0, 1], [0, 1, 0]], "combinatorial").toarray()
    array([[ 1., -1.,  0.],
           [-1.,  2., -1.],
           [ 0., -1.,  1.]])
    """
    check_option(normalization, "normalization", NORMALIZATIONS)
    weights = check_affinity(affinity).astype(np.float64, copy=False)
    exponent = check_float(alpha, "alpha", minimum=0.0, maximum=1.0)
    if exponent:
        density = _powers(weights.sum(axis=1), -exponent)
        weights = _scaled(weights, density, density)
    degrees = weights.sum(axis=1)
    if normalization == "combinatorial":
        diagonal, walk = degrees, weights
    else:
        diagonal = (degrees > 0).astype(np.float64)
        exponents = (-0.5, -0.5) if normalization == "symmetric" else (-1.0, 0.0)
        walk = _scaled(weights, *(_powers(degrees, exponent) for exponent in exponents))
    result = (sparse.diags_array(diagonal, format="csr") - walk).tocsr()
    result.eliminate_zeros()
    return result


def _powers(degrees: np.ndarray, exponent: float) -> np.ndarray:
    """Return ``degrees ** exponent``, and 0 for points without edges."""
    return np.power(degrees, exponent, where=degrees > 0, out=np.zeros_like(degrees))


def _scaled(weights: sparse.csr_array, left: np.ndarray, right: np.ndarray) -> sparse.csr_array:
    """Return ``diag(left) W diag(right)``; with ``left is right`` it is symmetric bit for bit."""
    factors = np.repeat(left, np.diff(weights.indptr)) * right[weights.indices]
    return sparse.csr_array((weights.data * factors, weights.indices, weights.indptr), shape=weights.shape)
