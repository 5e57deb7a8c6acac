"""The connection Laplacian: how far vector fields on a cloud of points are from being parallel."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from holonomy._core.citations import references
from holonomy._core.random import RandomState, generator
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.graphs._signs import orient
from holonomy.graphs.connection import Connection, edge_rows
from holonomy.graphs.laplacians import NORMALIZATIONS
from holonomy.graphs.spectrum import DENSE_UP_TO, filtered_pairs


@references("singer2012vector")
def connection_laplacian(
    connection: Connection, normalization: str = "symmetric", *, alpha: float = 0.0
) -> sparse.bsr_array:
    """Build the connection Laplacian: the graph Laplacian whose edges also turn vectors.

    With S the blocks ``w_ij O_ij``, weights divided by the degrees to the power ``alpha`` at both ends, and D
    the degrees of these, this is ``I - D^-1/2 S D^-1/2`` (symmetric), ``I - D^-1 S`` (random walk) or ``D - S``
    (combinatorial). ``v.T @ (D - S) @ v`` is the sum of ``w_ij |v_i - O_ij v_j|^2`` over the edges.

    Parameters
    ----------
    connection : Connection
        From `tangent_connection`, or given.
    normalization : {"symmetric", "random_walk", "combinatorial"}, default "symmetric"
        Which of the three.
    alpha : float, default 0.0
        How much of the sampling density to divide out, in [0, 1]; with 1 the operator tends to the rough Laplacian of
        vector fields, up to a factor, whatever the density.

    Returns
    -------
    bsr_array of float64, shape (n m, n m)
        With blocks of shape (m, m); entry ``i m + a`` belongs to coefficient a of point i. The rows of a point without
        edges are zero.

    Raises
    ------
    TypeError, ValueError
        If ``connection`` is no Connection or a parameter is out of range.

    References
    ----------
    Singer, Wu (2012). Vector diffusion maps and the connection Laplacian. Communications on Pure and Applied
    Mathematics 65, 1067-1144.

    Examples
    --------
    On a plane, constant fields are parallel:

    >>> import numpy as np
    >>> from holonomy.graphs import connection_laplacian, gaussian, neighbors, tangent_connection, tangent_spaces
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> graph = neighbors(X, 8)
    >>> connection = tangent_connection(tangent_spaces(X, graph, dim=2), gaussian(graph))
    >>> constant = connection.from_ambient(np.tile([3.0, 4.0], (60, 1)))
    >>> L = connection_laplacian(connection, "random_walk")
    >>> float(np.abs(L @ constant.ravel()).max().round(9))
    0.0
    """
    check_option(normalization, "normalization", NORMALIZATIONS)
    weights, degrees = _normalized(connection, alpha)
    n, m = connection.n_points, connection.dim
    if normalization == "combinatorial":
        diagonal, factors = degrees, weights.data
    else:
        diagonal = (degrees > 0).astype(np.float64)
        factors = weights.data * _scales(weights, degrees, normalization)
    blocks = sparse.bsr_array(
        (factors[:, None, None] * connection.alignments, weights.indices, weights.indptr), shape=(n * m, n * m)
    )
    eye = diagonal[:, None, None] * np.eye(m)
    whole = sparse.bsr_array((eye, np.arange(n), np.arange(n + 1)), shape=(n * m, n * m))
    return sparse.bsr_array(whole - blocks)


@dataclass(frozen=True, eq=False)
class FieldSpectrum:
    """The vector fields nearest to parallel: smallest eigenpairs of a connection Laplacian.

    Attributes
    ----------
    eigenvalues : ndarray, shape (f,)
        Of the normalised Laplacian, in [0, 2], ascending; 0 for parallel fields.
    fields : ndarray, shape (n, m, f)
        Coefficients in the frames of the connection; the mean of their squared lengths under the degrees is 1.
    residuals : ndarray, shape (f,)
        Norms ``|L u - lambda u|`` of the unit eigenvectors of the symmetric Laplacian.
    solver_used : str
        ``"dense"`` or ``"chebyshev"``.
    converged : bool
        Whether all residuals are within the tolerance.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import Connection, leading_fields
    >>> square = np.array([[0.0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]])
    >>> found = leading_fields(Connection(square, np.ones((8, 1, 1))), 2)
    >>> found.eigenvalues.round(3).tolist(), found.fields.shape
    ([0.0, 1.0], (4, 1, 2))
    """

    eigenvalues: np.ndarray
    fields: np.ndarray
    residuals: np.ndarray
    solver_used: str
    converged: bool


@references("singer2012vector", "zhou2006self")
def leading_fields(
    connection: Connection,
    n_fields: int,
    *,
    alpha: float = 0.0,
    tol: float = 1e-4,
    max_iter: int = 2000,
    random_state: RandomState = 0,
) -> FieldSpectrum:
    """Compute the ``n_fields`` smoothest vector fields on a cloud of points.

    Parameters
    ----------
    connection : Connection
        From `tangent_connection`, or given; every point needs an edge.
    n_fields : int
        Number of eigenpairs, in [1, n m].
    alpha : float, default 0.0
        As in `connection_laplacian`.
    tol : float, default 1e-4
        Largest residual allowed, in units of the largest eigenvalue asked for.
    max_iter : int, default 2000
        Most products of the Laplacian with a block of ``n_fields + 6`` vectors.
    random_state : int, Generator, RandomState or None, default 0
        Seeds the start vectors.

    Returns
    -------
    FieldSpectrum
        Eigenvalues, fields, residuals and how they were found. Up to n m = 512 the matrix is solved densely, beyond
        by subspace iteration under Chebyshev filters, as in `leading_spectrum`.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or a point has no edges.

    Warns
    -----
    RuntimeWarning
        If ``max_iter`` products do not reach the tolerance.

    References
    ----------
    Singer, Wu (2012). Vector diffusion maps and the connection Laplacian. Communications on Pure and Applied
    Mathematics 65, 1067-1144.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import gaussian, leading_fields, neighbors, tangent_connection, tangent_spaces
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> graph = neighbors(X, 8)
    >>> connection = tangent_connection(tangent_spaces(X, graph, dim=2), gaussian(graph))
    >>> leading_fields(connection, 3).eigenvalues.round(3)[:2].tolist()
    [0.0, 0.0]
    """
    weights, degrees = _normalized(connection, alpha)
    size = connection.n_points * connection.dim
    count = check_int(n_fields, "n_fields", minimum=1, maximum=size)
    tolerance = check_float(tol, "tol", minimum=0.0)
    budget = check_int(max_iter, "max_iter", minimum=1)
    lonely = np.flatnonzero(degrees == 0)
    if len(lonely):
        raise ValueError(
            f"connection has no edges at {len(lonely)} points, e.g. point {lonely[0]}, where any vector is parallel; "
            "drop these points or connect more neighbours."
        )
    blocks = (weights.data * _scales(weights, degrees, "symmetric"))[:, None, None] * connection.alignments
    walk = sparse.bsr_array((blocks, weights.indices, weights.indptr), shape=(size, size))
    if size <= DENSE_UP_TO or count > size // 4:
        found, vectors = linalg.eigh(walk.toarray(), subset_by_index=(size - count, size - 1))
        values, vectors, solver = np.maximum(1.0 - found[::-1], 0.0), vectors[:, ::-1], "dense"
    else:
        rng = generator(random_state, "fields")
        values, vectors = filtered_pairs(walk.tocsr(), np.empty((size, 0)), count, tolerance, budget, rng)
        solver = "chebyshev"
    residuals = np.linalg.norm(walk @ vectors - vectors * (1.0 - values), axis=0)
    converged = bool((residuals <= max(tolerance * float(values[-1]), 1e-13)).all()) or solver == "dense"
    if not converged:
        warnings.warn(
            f"leading_fields stopped after {budget} products with a residual of {residuals.max():.2g} (tol={tol:g}); "
            "the fields are approximate. Raise max_iter or tol.",
            RuntimeWarning,
            stacklevel=2,
        )
    fields = orient(vectors, axis=0).reshape(connection.n_points, connection.dim, count)
    fields *= np.sqrt(degrees.sum() / degrees)[:, None, None]
    return FieldSpectrum(values, fields, residuals, solver, converged)


def _normalized(connection: Connection, alpha: float) -> tuple[sparse.csr_array, np.ndarray]:
    """Return the weights with the density divided out, and their degrees."""
    if not isinstance(connection, Connection):
        raise TypeError(
            f"connection must be a Connection, as tangent_connection returns, got {type(connection).__name__}."
        )
    exponent = check_float(alpha, "alpha", minimum=0.0, maximum=1.0)
    weights = connection.weights
    if exponent:
        degrees = weights.sum(axis=1)
        density = np.power(degrees, -exponent, where=degrees > 0, out=np.zeros_like(degrees))
        factors = density[edge_rows(weights)] * density[weights.indices]
        weights = sparse.csr_array((weights.data * factors, weights.indices, weights.indptr), shape=weights.shape)
    return weights, weights.sum(axis=1)


def _scales(weights: sparse.csr_array, degrees: np.ndarray, normalization: str) -> np.ndarray:
    """Return what normalises each stored weight."""
    rows = edge_rows(weights)
    if normalization == "random_walk":
        return 1.0 / degrees[rows]
    roots = np.sqrt(degrees)
    return 1.0 / (roots[rows] * roots[weights.indices])
