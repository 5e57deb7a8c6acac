"""The lowest frequencies of a graph: leading eigenpairs of its normalised Laplacian, in bounded time."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.graphs._signs import orient
from holonomy.graphs._sparse import check_affinity
from holonomy.graphs.connectivity import connected_components

DENSE_UP_TO = 512
"""Components of at most this many points are solved as dense matrices."""

GUARD = 6
"""Vectors iterated beyond those asked for; they set the edge of what the filter damps."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Smallest eigenpairs of a graph's normalised Laplacian after the trivial one.

    Attributes
    ----------
    eigenvalues : ndarray, shape (m,)
        Laplacian eigenvalues in [0, 2], ascending. The operator ``D^-1 W`` has ``1 - eigenvalues``.
    eigenvectors : ndarray, shape (n, m)
        One eigenvector a column; its entry of largest magnitude is positive.
    residuals : ndarray, shape (m,)
        Norms ``|L u - lambda u|`` of the unit eigenvectors of the symmetric Laplacian.
    component_labels : ndarray of int32, shape (n,)
        Connected component of each point, the largest first.
    solver_used : str
        ``"dense"``, ``"chebyshev"``, or ``"exact"`` when connected components alone determine the answer.
    converged : bool
        Whether all residuals are within the tolerance.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import fuzzy_simplicial_set, leading_spectrum, neighbors
    >>> X = np.random.default_rng(0).normal(size=(50, 2))
    >>> found = leading_spectrum(fuzzy_simplicial_set(neighbors(X, 10)), 2)
    >>> found.eigenvectors.shape, found.n_graph_components, found.converged
    ((50, 2), 1, True)
    """

    eigenvalues: np.ndarray
    eigenvectors: np.ndarray
    residuals: np.ndarray
    component_labels: np.ndarray
    solver_used: str
    converged: bool

    @property
    def n_graph_components(self) -> int:
        """Number of connected components of the graph."""
        return int(self.component_labels.max()) + 1


@references("zhou2006self")
def leading_spectrum(
    affinity: Any,
    n_components: int,
    *,
    normalization: str = "symmetric",
    tol: float = 1e-4,
    max_iter: int = 2000,
    random_state: RandomState = 0,
) -> Spectrum:
    """Compute the ``n_components`` smoothest non-constant functions on a graph.

    These are the eigenvectors of smallest eigenvalue of ``L = I - D^-1/2 W D^-1/2`` after the trivial
    ``D^1/2 1``, which is known and left out. In a graph of c connected components, eigenvalue 0 has c - 1 further
    eigenvectors; these are given exactly, the j-th comparing component j with all larger ones, and the others,
    found component by component, each live on one component.

    Parameters
    ----------
    affinity : sparse or array-like of shape (n, n)
        Symmetric non-negative weights W. A point without edges counts as a component of degree 1.
    n_components : int
        Number of eigenpairs m, in [1, n - 1].
    normalization : {"symmetric", "random_walk"}, default "symmetric"
        Eigenvectors u of L with unit norm, or those of ``D^-1 W``, ``sqrt(sum(D)) D^-1/2 u``, whose mean square
        under the stationary distribution is 1 (the trivial one is then constant 1, as in diffusion maps).
    tol : float, default 1e-4
        Largest residual allowed, in units of the largest eigenvalue asked for. 0.1 is plenty to start a layout.
    max_iter : int, default 2000
        Most products of the matrix with a block of m + 6 vectors for each component. A product costs about as
        much as reading the matrix twice; what is reached then is returned with ``converged=False`` and a warning.
    random_state : int, Generator, RandomState or None, default 0
        Seeds the start vectors. The same seed gives the same bits for any number of threads.

    Returns
    -------
    Spectrum
        Eigenvalues, eigenvectors, residuals, and how they were found.

    Raises
    ------
    TypeError, ValueError
        If ``affinity`` is not symmetric, square, non-negative and finite, or a parameter is out of range.

    Warns
    -----
    RuntimeWarning
        If ``max_iter`` products do not reach the tolerance.

    Notes
    -----
    Components of at most 512 points are solved densely. Larger ones by subspace iteration with Chebyshev filters
    [1]_: a polynomial in the matrix damps all of its spectrum below the wanted part, as steeply as the gap found
    so far requires. Unlike restarted Lanczos it keeps its pace on graphs of low-dimensional data, whose wanted
    eigenvalues all crowd near 0, and its tolerance is relative to these, not to the largest.

    References
    ----------
    .. [1] Zhou, Saad, Tiago, Chelikowsky (2006). Self-consistent-field calculations using Chebyshev-filtered
       subspace iteration. Journal of Computational Physics 219, 172-184.

    Examples
    --------
    A cycle of six points; its eigenvalues are ``1 - cos(2 pi j / 6)``:

    >>> import numpy as np
    >>> from holonomy.graphs import leading_spectrum
    >>> cycle = np.roll(np.eye(6), 1, axis=1) + np.roll(np.eye(6), -1, axis=1)
    >>> leading_spectrum(cycle, 3).eigenvalues.round(3)
    array([0.5, 0.5, 1.5])
    """
    weights = check_affinity(affinity).astype(np.float64, copy=False)
    n = weights.shape[0]
    m = check_int(n_components, "n_components", minimum=1)
    if m > n - 1:
        raise ValueError(f"n_components must be at most n - 1 = {n - 1} for a graph of {n} points, got {m}.")
    check_option(normalization, "normalization", ("symmetric", "random_walk"))
    tolerance = check_float(tol, "tol", minimum=0.0)
    budget = check_int(max_iter, "max_iter", minimum=1)
    seed = check_seed(random_state)

    _, labels = connected_components(weights)
    degrees = weights.sum(axis=1)
    degrees[degrees == 0] = 1.0
    pairs = [_component_contrasts(labels, degrees, m)]
    missing = m - len(pairs[0].values)
    if missing:
        with threads(1):  # products of dense blocks sum in another order for another number of threads
            for label in np.flatnonzero(np.bincount(labels) > 1):
                rng = generator(seed, "leading_spectrum", int(label))
                pairs.append(_solve_component(weights, degrees, labels == label, missing, tolerance, budget, rng))
    return _assemble(pairs, m, labels, degrees, normalization, tolerance, budget)


@dataclass(frozen=True)
class _Pairs:
    """Eigenpairs of the symmetric Laplacian, ascending, with zeros outside their component."""

    values: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray
    solver: str


def _assemble(
    pairs: list[_Pairs], m: int, labels: np.ndarray, degrees: np.ndarray, normalization: str, tol: float, budget: int
) -> Spectrum:
    """Merge the components' eigenpairs, scale and orient them, and say how good they are."""
    order = np.argsort(np.concatenate([part.values for part in pairs]), kind="stable")[:m]
    values = np.concatenate([part.values for part in pairs])[order]
    vectors = np.concatenate([part.vectors for part in pairs], axis=1)[:, order]
    residuals = np.concatenate([part.residuals for part in pairs])[order]
    if normalization == "random_walk":
        vectors *= np.sqrt(degrees.sum() / degrees)[:, None]
    solvers = {part.solver for part in pairs}
    solver = "chebyshev" if "chebyshev" in solvers else "dense" if "dense" in solvers else "exact"
    converged = bool((residuals <= _allowed(values, tol)).all())
    if not converged:
        warnings.warn(
            f"leading_spectrum stopped after {budget} products with a residual of "
            f"{residuals.max() / values[-1]:.2g} of the largest eigenvalue (tol={tol:g}); the vectors are "
            "approximate. Raise max_iter or tol.",
            RuntimeWarning,
            stacklevel=3,
        )
    return Spectrum(values, orient(vectors, axis=0), residuals, labels, solver, converged)


def _allowed(values: np.ndarray, tol: float) -> float:
    """Return the residual that counts as converged; rounding leaves some 1e-15 whatever the tolerance."""
    return max(tol * float(values[-1]), 1e-13)


def _component_contrasts(labels: np.ndarray, degrees: np.ndarray, m: int) -> _Pairs:
    """Return up to m eigenvectors of eigenvalue 0: each compares one component with all larger ones together."""
    volumes = np.bincount(labels, weights=degrees)
    count = min(len(volumes) - 1, m)
    vectors = np.zeros((len(labels), count))
    for j in range(count):
        before = volumes[: j + 1].sum()
        levels = np.where(labels <= j, 1.0 / before, np.where(labels == j + 1, -1.0 / volumes[j + 1], 0.0))
        vectors[:, j] = np.sqrt(degrees) * levels / np.sqrt(1.0 / before + 1.0 / volumes[j + 1])
    return _Pairs(np.zeros(count), vectors, np.zeros(count), "exact")


def _solve_component(
    weights: sparse.csr_array,
    degrees: np.ndarray,
    members: np.ndarray,
    m: int,
    tol: float,
    budget: int,
    rng: np.random.Generator,
) -> _Pairs:
    """Return the smallest non-trivial eigenpairs of one connected component, at most m."""
    whole = bool(members.all())
    block = weights if whole else weights[members][:, members]
    scale = 1.0 / np.sqrt(degrees[members])
    rows = np.repeat(np.arange(len(scale)), np.diff(block.indptr))
    data = block.data * scale[rows] * scale[block.indices]
    data[data < 1e-100] = 0.0  # far below rounding, and arithmetic with subnormal numbers is slow
    walk = sparse.csr_array((data, block.indices, block.indptr), shape=block.shape)
    trivial = np.sqrt(degrees[members])
    trivial /= np.linalg.norm(trivial)
    m = min(m, len(scale) - 1)
    if len(scale) <= DENSE_UP_TO:
        values, inside, solver = *_dense_pairs(walk, trivial, m), "dense"
    else:
        values, inside, solver = *filtered_pairs(walk, trivial, m, tol, budget, rng), "chebyshev"
    residuals = np.linalg.norm(walk @ inside - inside * (1.0 - values), axis=0)
    vectors = inside
    if not whole:
        vectors = np.zeros((len(members), m))
        vectors[members] = inside
    return _Pairs(values, vectors, residuals, solver)


def _dense_pairs(walk: sparse.csr_array, trivial: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Diagonalise ``walk`` with its trivial eigenvector moved below the rest of the spectrum."""
    n = len(trivial)
    shifted = walk.toarray() - 3.0 * np.outer(trivial, trivial)
    values, vectors = linalg.eigh(shifted, subset_by_index=(n - m, n - 1))
    return np.maximum(1.0 - values[::-1], 0.0), vectors[:, ::-1]


def filtered_pairs(
    walk: sparse.csr_array, trivial: np.ndarray, m: int, tol: float, budget: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Iterate a block of vectors under Chebyshev filters until the m leading ones are within the tolerance.

    ``walk`` is symmetric with eigenvalues in [-1, 1], and ``trivial`` holds its known eigenvector (n,), or none (n, 0).
    Returns eigenvalues of ``I - walk``, ascending, and unit eigenvectors (n, m).
    """
    n = len(trivial)
    block = _orthonormal(trivial, rng.standard_normal((n, min(m + GUARD, n - 1))))
    edge, degree = 0.0, 12
    while True:
        degree = min(degree, budget)
        block = _orthonormal(trivial, _filter(walk, block, edge, degree))
        image = walk @ block
        budget -= degree + 1
        ritz, mixing = linalg.eigh(block.T @ image)
        ritz, mixing = ritz[::-1], mixing[:, ::-1]
        block = block @ mixing
        values = np.maximum(1.0 - ritz[:m], 0.0)
        residuals = np.linalg.norm(image @ mixing[:, :m] - block[:, :m] * ritz[:m], axis=0)
        if budget < 1 or (residuals <= _allowed(values, tol)).all():
            return values, block[:, :m]
        edge = max(float(ritz[-1]), -0.9)
        # The last wanted vector should gain a factor of e^6 on what is damped, the first at most e^25.
        gain = max(_growth(float(ritz[m - 1]), edge), 1e-6)
        degree = int(np.clip(6.0 / gain, 8, max(8, 25.0 / _growth(1.0, edge))))


def _growth(value: float, edge: float) -> float:
    """Return the logarithm by which each degree of the filter amplifies an eigenvalue above ``edge``."""
    return float(np.arccosh(1.0 + 2.0 * max(value - edge, 0.0) / (1.0 + edge)))


def _filter(walk: sparse.csr_array, block: np.ndarray, edge: float, degree: int) -> np.ndarray:
    """Apply the Chebyshev polynomial that stays in [-1, 1] on [-1, edge] and grows fastest beyond."""
    half = (1.0 + edge) / 2.0
    doubled = (walk * (2.0 / half)).tocsr()
    shift = (edge - 1.0) / half
    before = block
    current = 0.5 * (doubled @ block - shift * block)
    for _ in range(degree - 1):
        following = doubled @ current
        following -= shift * current
        following -= before
        before, current = current, following
    return current


def _orthonormal(trivial: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the block's columns, orthogonal to the trivial vector, if there is one."""
    columns = np.column_stack([trivial, block / np.linalg.norm(block, axis=0)])
    return linalg.qr(columns, mode="economic", check_finite=False)[0][:, columns.shape[1] - block.shape[1] :]
