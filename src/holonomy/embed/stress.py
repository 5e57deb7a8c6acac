"""Metric and non-metric multidimensional scaling by majorisation (SMACOF): every step lowers the stress."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg
from scipy.sparse.csgraph import connected_components
from sklearn.isotonic import isotonic_regression

from holonomy._core.citations import references
from holonomy._core.parallel import native_threads
from holonomy._core.progress import progress
from holonomy._core.random import RandomState, check_seed, derive_seed, generator
from holonomy._core.validation import check_float, check_int
from holonomy.embed._dissimilarities import check_distances, check_start, check_weights
from holonomy.embed._stress_kernels import guttman_rows
from holonomy.embed.classical_scaling import scaled_classically
from holonomy.graphs._blocks import run_blocks

ROWS_PER_BLOCK = 128
UNIFORM = np.empty((0, 0))


@dataclass(frozen=True, eq=False)
class Scaling:
    """Coordinates whose distances are near to given ones.

    Attributes
    ----------
    embedding : ndarray, shape (n, m)
        Coordinates, centred.
    stress : float
        ``sqrt(sum w (d - |x_i - x_j|)^2 / sum w d^2)``, with disparities for d where the method is non-metric; at most
        1 at the best scale, 0 where all distances are met.
    stresses : ndarray, shape (n_iter + 1,)
        The same at the start and after every step; where steps are stochastic, after the last one only.
    converged : bool
        Whether the steps stopped before their limit.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import metric_mds
    >>> line = np.arange(4.0)[:, None]
    >>> found = metric_mds(np.abs(line - line.T), 1)
    >>> found.stress < 1e-6, found.converged
    (True, True)
    """

    embedding: np.ndarray
    stress: float
    stresses: np.ndarray
    converged: bool


@references("borg2005modern", "deleeuw1977applications")
def metric_mds(
    distances: ArrayLike,
    n_components: int = 2,
    *,
    weights: ArrayLike | None = None,
    init: Any = "classical",
    max_iter: int = 300,
    tol: float = 1e-6,
    random_state: RandomState = 0,
) -> Scaling:
    """Find coordinates whose distances are near to given ones in the least-squares sense (SMACOF).

    Parameters
    ----------
    distances : array-like of shape (n, n)
        Symmetric distances d, finite, 0 on the diagonal.
    n_components : int, default 2
        Number of axes m.
    weights : array-like of shape (n, n), optional
        Symmetric weights w >= 0 of the pairs; they must connect all points. All 1 by default.
    init : {"classical", "random"} or array-like of shape (n, m), default "classical"
        Start.
    max_iter : int, default 300
        Most steps; one costs n^2 m operations.
    tol : float, default 1e-6
        Relative decrease of the squared stress below which a step is the last.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the start.

    Returns
    -------
    Scaling
        The coordinates and their stress, which no step raises.

    Raises
    ------
    TypeError, ValueError
        If an argument has a wrong shape or value, or the weights leave the points in unconnected parts.

    References
    ----------
    de Leeuw (1977). Applications of convex analysis to multidimensional scaling. Recent Developments in Statistics,
    133-145. Borg, Groenen (2005). Modern Multidimensional Scaling. Springer.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import metric_mds
    >>> square = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    >>> round(metric_mds(np.linalg.norm(square[:, None] - square, axis=2)).stress, 6)
    0.0
    """
    target = check_distances(distances)
    start = initial_coordinates(init, target, n_components, random_state)
    given = check_weights(weights, len(target))
    solve = _solver(given, len(target))
    return _majorise(start, lambda _: target, given, solve, check_int(max_iter, "max_iter", minimum=1), tol)


@references("kruskal1964multidimensional", "borg2005modern")
def nonmetric_mds(
    distances: ArrayLike,
    n_components: int = 2,
    *,
    init: Any = "classical",
    max_iter: int = 300,
    tol: float = 1e-6,
    random_state: RandomState = 0,
) -> Scaling:
    """Find coordinates whose distances are in the order of given dissimilarities.

    Steps alternate between disparities, the monotone function of the dissimilarities nearest to the distances at hand
    (dissimilarities that are equal may get different ones), and a step of SMACOF towards these.

    Parameters
    ----------
    distances : array-like of shape (n, n)
        Symmetric dissimilarities, of which only the order matters; 0 on the diagonal.
    n_components, init, max_iter, tol, random_state
        As in `metric_mds`.

    Returns
    -------
    Scaling
        The coordinates, at the scale of the root mean square dissimilarity, and Kruskal's stress.

    Raises
    ------
    TypeError, ValueError
        If an argument has a wrong shape or value.

    References
    ----------
    Kruskal (1964). Multidimensional scaling by optimizing goodness of fit to a nonmetric hypothesis. Psychometrika 29,
    1-27.

    Examples
    --------
    Squared distances have the order of distances:

    >>> import numpy as np
    >>> from holonomy.embed import nonmetric_mds
    >>> line = np.array([[0.0], [1], [3], [7]])
    >>> nonmetric_mds((line - line.T) ** 2, 1).stress < 0.01
    True
    """
    target = check_distances(distances)
    start = initial_coordinates(init, target, n_components, random_state)
    return _majorise(
        start,
        _Disparities(target),
        None,
        _solver(None, len(target)),
        check_int(max_iter, "max_iter", minimum=1),
        tol,
    )


def initial_coordinates(init: Any, distances: np.ndarray, n_components: int, random_state: RandomState) -> np.ndarray:
    """Return start coordinates (n, n_components) for checked distances.

    Raises
    ------
    ValueError
        If ``init`` is neither a name nor an array of the shape.
    """
    m = check_int(n_components, "n_components", minimum=1)
    n, seed = len(distances), check_seed(random_state)
    if not isinstance(init, str):
        return check_start(init, n, m)
    if init == "classical":
        return scaled_classically(distances, m, derive_seed(seed, "start")).embedding
    if init == "random":
        scale = float(np.sqrt((distances**2).mean() / (2 * m))) or 1.0
        return scale * generator(seed, "start").standard_normal((n, m))
    raise ValueError(f"init must be an array or one of 'classical', 'random', got {init!r}.")


def _majorise(
    start: np.ndarray,
    disparities: Callable[[np.ndarray], np.ndarray],
    weights: np.ndarray | None,
    solve: Callable[[np.ndarray], np.ndarray],
    max_iter: int,
    tol: float,
) -> Scaling:
    """Alternate between targets and Guttman transforms until the stress hardly falls."""
    tolerance = check_float(tol, "tol", minimum=0.0)
    uniform = UNIFORM if weights is None else weights
    positions, squares = start - start.mean(axis=0), []
    with progress("Scaling", total=max_iter) as bar:
        for step in range(max_iter + 1):
            target = disparities(positions)
            moved, rows = np.empty_like(positions), np.empty(len(positions))
            _guttman(positions, target, uniform, moved, rows)
            total = float(np.sum(target**2 if weights is None else weights * target**2))
            squares.append(float(rows.sum()) / total if total > 0 else 0.0)
            is_done = step > 0 and squares[-2] - squares[-1] <= tolerance * squares[-2]
            if is_done or step == max_iter or squares[-1] < 1e-24:
                break
            positions = solve(moved)
            bar.advance()
    stresses = np.sqrt(squares)
    return Scaling(positions, float(stresses[-1]), stresses, len(stresses) <= max_iter)


def _guttman(
    positions: np.ndarray, target: np.ndarray, weights: np.ndarray, moved: np.ndarray, rows: np.ndarray
) -> None:
    run_blocks(
        lambda first, last: guttman_rows(positions, target, weights, moved, rows, first, last),
        len(positions),
        block=ROWS_PER_BLOCK,
    )


def _solver(weights: np.ndarray | None, n: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the multiplication by the pseudo-inverse of the weights' Laplacian."""
    if weights is None:
        return lambda moved: moved / n
    if connected_components(weights > 0, directed=False)[0] > 1:
        raise ValueError("weights must connect all points; some parts have only weights of 0 to the others.")
    matrix = -weights
    np.fill_diagonal(matrix, 0.0)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    scale = float(np.diagonal(matrix).mean())
    with native_threads(1):
        factor = linalg.cho_factor(matrix + scale / n)

    def solve(moved: np.ndarray) -> np.ndarray:
        with native_threads(1):
            solution = linalg.cho_solve(factor, moved)
        return solution - solution.mean(axis=0)

    return solve


class _Disparities:
    """The monotone targets of non-metric scaling, at the scale of the dissimilarities."""

    def __init__(self, dissimilarities: np.ndarray) -> None:
        self._n = len(dissimilarities)
        self._pairs = np.triu_indices(self._n, 1)
        self._values = dissimilarities[self._pairs]
        self._order = np.argsort(self._values, kind="stable")
        in_order = self._values[self._order]
        self._has_ties = bool((in_order[1:] == in_order[:-1]).any())
        self._total = float(np.sum(self._values**2))

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        lengths = np.linalg.norm(positions[self._pairs[0]] - positions[self._pairs[1]], axis=1)
        order = np.lexsort((lengths, self._values)) if self._has_ties else self._order
        fitted = np.empty_like(lengths)
        fitted[order] = isotonic_regression(lengths[order])
        total = float(np.sum(fitted**2))
        if total > 0:
            fitted *= np.sqrt(self._total / total)
        target = np.zeros((self._n, self._n))
        target[self._pairs] = fitted
        target.T[self._pairs] = fitted
        return target
