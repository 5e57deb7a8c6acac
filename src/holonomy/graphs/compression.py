"""A large graph compressed to landmarks: clusters of points between which the diffusion is the same walk, two steps."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.parallel import native_threads
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import check_int, check_option
from holonomy.graphs._blocks import run_blocks
from holonomy.graphs._clusters import assign, k_means, rounded, spread_centres
from holonomy.graphs.diffusion import DiffusionOperator

N_AXES = 64
"""Leading axes of the walk that serve as coordinates of the points."""

N_ROUNDS = 4
ROUND_STEPS = 4
"""Steps of the walk before its axes are made orthonormal again, lest all turn towards the first.

Sixteen steps in all are those of the seven iterations of a randomised decomposition. More would bring the axes nearer
to the leading eigenvectors, of which many tell but a few points apart from all others.
"""

COLLAPSED = 1e-6
"""Least share of the largest squared length among combinations of axes that stands for more than rounding."""

LLOYD_STEPS = 1
"""Steps of k-means from spread centres; further ones only even out the numbers of points."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """A graph of n points compressed to m landmarks, each a cluster of points.

    A step between landmarks is a step from a landmark to the points and one from the points to the landmarks they
    lie in; this walk is reversible and its eigenvalues are not negative.

    Attributes
    ----------
    operator : DiffusionOperator
        The diffusion of the m landmarks.
    interpolation : csr_array, shape (n, m)
        Where one step of the walk leads from each point; rows sum to 1.
    labels : ndarray of int32, shape (n,)
        The landmark of each point.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import DiffusionOperator, gaussian, landmarks, neighbors
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> found = landmarks(DiffusionOperator(gaussian(neighbors(X, 10))), 20)
    >>> found.operator.n_points, found.interpolate(np.ones(20)).shape
    (20, (200,))
    """

    operator: DiffusionOperator
    interpolation: sparse.csr_array
    labels: np.ndarray

    def interpolate(self, values: ArrayLike) -> np.ndarray:
        """Return functions on the points, shape (n,) or (n, p), from functions on the landmarks."""
        return self.interpolation @ np.asarray(values, dtype=np.float64)


@references("moon2019visualizing")
def landmarks(
    operator: DiffusionOperator, n_landmarks: int = 2000, *, method: str = "clusters", random_state: RandomState = 0
) -> Landmarks:
    """Compress a diffusion to landmarks.

    Parameters
    ----------
    operator : DiffusionOperator
        The diffusion of n points.
    n_landmarks : int, default 2000
        Number of landmarks wanted, in [1, n]. Clusters that stay empty are left out, so there may be fewer.
    method : {"clusters", "random"}, default "clusters"
        ``"clusters"``: spectral clusters, by k-means from spread centres on the leading axes of the walk.
        ``"random"``: as many random points, each with the points nearest to it on these axes.
    random_state : int, Generator, RandomState or None, default 0
        Seed. The same seed gives the same bits for any number of threads.

    Returns
    -------
    Landmarks
        The diffusion of the landmarks, and how it reaches the points.

    Raises
    ------
    TypeError, ValueError
        If ``operator`` is not a DiffusionOperator or a parameter is out of range.

    References
    ----------
    Moon et al. (2019). Visualizing structure and transitions in high-dimensional biological data. Nature
    Biotechnology 37, 1482-1492.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import DiffusionOperator, gaussian, landmarks, neighbors
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> found = landmarks(DiffusionOperator(gaussian(neighbors(X, 10))), 20)
    >>> bool(np.allclose(found.interpolation.sum(axis=1), 1.0))
    True
    """
    if not isinstance(operator, DiffusionOperator):
        raise TypeError(f"operator must be a DiffusionOperator, got {type(operator).__name__}.")
    n = operator.n_points
    m = check_int(n_landmarks, "n_landmarks", minimum=1, maximum=n)
    check_option(method, "method", ("clusters", "random"))
    rng = generator(check_seed(random_state), "landmarks")
    codes = rounded(_walk_coordinates(operator, rng))
    if method == "clusters":
        centres = k_means(codes, spread_centres(codes, m, rng), rng, n_steps=LLOYD_STEPS)
    else:
        centres = codes[np.sort(rng.choice(n, m, replace=False))]
    _, labels = np.unique(assign(codes, centres), return_inverse=True)
    return _compressed(operator, labels.astype(np.int32))


def _walk_coordinates(operator: DiffusionOperator, rng: np.random.Generator) -> np.ndarray:
    """Return where a step of the walk leads from each point on the walk's leading axes, shape (n, 64).

    The axes are orthonormal for the walk's stationary distribution, and found by subspace iteration.
    """
    walk = operator.walk_matrix
    parts = (walk.indptr, walk.indices, walk.data.astype(np.float32))
    mass = (operator.degrees / operator.degrees.mean()).astype(np.float32)
    axes = rng.standard_normal((operator.n_points, N_AXES)).astype(np.float32)
    axes /= np.sqrt(mass)[:, None]
    for _ in range(N_ROUNDS):
        axes = _orthonormal(_averaged(parts, axes, ROUND_STEPS), mass)
    return _averaged(parts, axes, 1)


def _orthonormal(axes: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Return combinations of functions, one a column, without mean and orthonormal under a mass of the points.

    The mean is what all points share, and all that long walks leave. Combinations that are mere rounding stay short.
    """
    with native_threads(1):
        axes = axes - (mass @ axes) / mass.sum()
        products = (axes.T @ (mass[:, None] * axes)).astype(np.float64)
        squares, turn = np.linalg.eigh(products)
        lengths = np.sqrt(np.maximum(squares, COLLAPSED * squares[-1]))
        return axes @ (turn / lengths).astype(np.float32)


def _averaged(parts: tuple[np.ndarray, ...], values: np.ndarray, n_steps: int) -> np.ndarray:
    """Return values after some steps of the walk given by its rows, columns and weights."""
    indptr, indices, data = parts
    for _ in range(n_steps):
        before, values = values, np.empty_like(values)

        def step(start: int, stop: int, before: np.ndarray = before, after: np.ndarray = values) -> None:
            _average_rows(indptr, indices, data, before, after, start, stop)

        run_blocks(step, len(values))
    return values


@njit(cache=True, nogil=True)
def _average_rows(
    indptr: np.ndarray,
    indices: np.ndarray,
    data: np.ndarray,
    values: np.ndarray,
    averages: np.ndarray,
    start: int,
    stop: int,
) -> None:
    """Write rows [start, stop) of a sparse matrix times a block of values."""
    for row in range(start, stop):
        averages[row, :] = np.float32(0.0)
        for entry in range(indptr[row], indptr[row + 1]):
            column, weight = indices[entry], data[entry]
            for axis in range(values.shape[1]):
                averages[row, axis] += weight * values[column, axis]


def _compressed(operator: DiffusionOperator, labels: np.ndarray) -> Landmarks:
    n, m = operator.n_points, int(labels.max()) + 1
    membership = sparse.csr_array((np.ones(n), labels, np.arange(n + 1)), shape=(n, m))
    reach = (operator.weights @ membership).tocsr()
    interpolation = (sparse.diags_array(1.0 / operator.degrees) @ reach).tocsr()
    affinity = (reach.T @ interpolation).tocsr()
    # The two factors are rounded differently on either side of the diagonal.
    affinity = ((affinity + affinity.T) * 0.5).tocsr()
    return Landmarks(DiffusionOperator(affinity, operator.normalization), interpolation, labels)
