"""A large graph compressed to landmarks: clusters of points between which the diffusion is the same walk, two steps."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy import sparse

from holonomy._core.citations import references
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import check_int, check_option
from holonomy.graphs._blocks import run_blocks
from holonomy.graphs._clusters import assign, k_means, rounded
from holonomy.graphs.diffusion import DiffusionOperator

N_PROBES = 64
"""Random functions whose values after some steps of the walk serve as coordinates of the points."""

LLOYD_STEPS = 3
STEPS = 50
"""Steps of the walk after which points are compared; after few, random projections cannot tell near from far."""


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
        ``"clusters"``: k-means of the points by where the walk leads in 50 steps, measured by random projections.
        ``"random"``: as many random points, each with the points whose walks are most like its own.
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
    centres = (
        k_means(codes, m, rng, n_steps=LLOYD_STEPS)
        if method == "clusters"
        else codes[np.sort(rng.choice(n, m, replace=False))]
    )
    _, labels = np.unique(assign(codes, centres), return_inverse=True)
    return _compressed(operator, labels.astype(np.int32))


def _walk_coordinates(operator: DiffusionOperator, rng: np.random.Generator) -> np.ndarray:
    """Return unit vectors (n, 64) whose inner products estimate the cosines between the points' walk distributions.

    A distribution is measured by its difference from the stationary one, and relative to it, as in diffusion distances.
    """
    n = operator.n_points
    probes = rng.standard_normal((n, N_PROBES)) / np.sqrt(operator.degrees)[:, None]
    coordinates, moved = probes.astype(np.float32), np.empty((n, N_PROBES), dtype=np.float32)
    walk = operator.walk_matrix
    parts = (walk.indptr, walk.indices, walk.data.astype(np.float32))
    for _ in range(STEPS):
        here, there = coordinates, moved
        run_blocks(lambda start, stop: _average_rows(*parts, here, there, start, stop), n)  # noqa: B023 - runs at once
        coordinates, moved = moved, coordinates
    # What all points share, which is all that is left of a small graph, tells none of them apart.
    coordinates -= np.einsum("i,ij->j", operator.stationary, coordinates)
    norms = np.linalg.norm(coordinates, axis=1, keepdims=True)
    return coordinates / np.where(norms > 0, norms, 1.0)


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
