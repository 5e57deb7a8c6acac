"""Means and medians of nested subspaces, by the chordal distance between flags."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from holonomy._core.citations import references
from holonomy._core.random import RandomState, check_seed
from holonomy._core.render import html_table, rich_table
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.stats._flag_problem import SOLVERS, FlagProblem, Solved, best_of, take_flags
from holonomy.stats._inputs import ArrayLike, as_tensor, restorer, take_weights


@dataclass(frozen=True)
class FlagCenter:
    """A mean or a median of flags.

    Attributes
    ----------
    point : array or tensor of shape (d, k)
        The flag, as a frame; its columns may be turned within each block.
    objective : float
        Weighted mean of squared distances from a mean, of distances from a median.
    residual : float
        Length of the gradient of half the (weighted) mean of squares there.
    converged : bool
        Whether the search ended as was asked for.
    n_iter : int
        Steps of the best search; reweightings for a median; 0 for a closed form.
    start : str
        Where the best search began.
    objectives : dict of str to float
        What the search from each start ended with: where they differ, there are several local minima.
    history : ndarray
        For a median the objective, with distances below ``eps`` rounded off, before and after each reweighting.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import flag_mean
    >>> flag_mean(np.eye(3)[None, :, :2], (1, 2)).objective
    0.0
    """

    point: Any
    objective: float
    residual: float
    converged: bool
    n_iter: int
    start: str
    objectives: dict[str, float]
    history: np.ndarray

    def _facts(self) -> dict[str, Any]:
        return {
            "objective": f"{self.objective:.6g}",
            "residual": f"{self.residual:.3g}",
            "steps": self.n_iter,
            "best start": self.start,
            "converged": "yes" if self.converged else "no",
        }

    def __rich__(self) -> Any:
        return rich_table("Centre of flags", self._facts())

    def _repr_html_(self) -> str:
        return html_table("Centre of flags", self._facts())


@references("mankovich2023chordal")
def chordal_distance(X: ArrayLike, Y: ArrayLike, dims: Sequence[int], *, orthonormalise: bool = False) -> Any:
    """Return chordal distances between flags.

    Parameters
    ----------
    X, Y : array-like or tensor of shape (..., d, k)
        Flags as frames: the first ``dims[0]`` columns span the first subspace, the first ``dims[1]`` the second, and
        so on. Leading axes broadcast.
    dims : sequence of int
        Dimensions of the subspaces, increasing, from 1 to d - 1; the last is k.
    orthonormalise : bool, default False
        Whether to make columns orthonormal that are not.

    Returns
    -------
    array or tensor of shape (...)
        ``sqrt(sum_i |X_i X_i^T - Y_i Y_i^T|^2 / 2)`` over the blocks, between 0 and ``sqrt(k)``.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If ``dims`` are not increasing or do not suit the shapes, or columns are not orthonormal.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import chordal_distance
    >>> float(chordal_distance(np.eye(3)[:, :2], np.eye(3)[:, [1, 0]], (1, 2)))
    1.4142135623730951
    """
    space, x = take_flags(X, dims, orthonormalise, "X")
    _, y = take_flags(Y, dims, orthonormalise, "Y")
    if x.shape[-2] != y.shape[-2]:
        raise ValueError(
            f"X and Y must lie in the same space, got frames in {x.shape[-2]} and {y.shape[-2]} dimensions."
        )
    return restorer(X)(space.chordal_dist(x, y))


@references("mankovich2023chordal")
def flag_mean(
    flags: ArrayLike,
    dims: Sequence[int],
    weights: ArrayLike | None = None,
    *,
    solver: str = "trust_region",
    n_starts: int = 5,
    tol: float = 1e-9,
    max_iter: int = 500,
    orthonormalise: bool = False,
    random_state: RandomState = 0,
) -> FlagCenter:
    """Return the flag with the least weighted sum of squared chordal distances to others.

    One subspace has a closed form, the leading eigenvectors of the mean projector. Otherwise the quadratic function of
    the frame is minimised on the flag manifold from several starts. No d x d matrix is formed where the flags span
    less than d dimensions.

    Parameters
    ----------
    flags : array-like or tensor of shape (n, d, k), or list of (d, k)
        Flags as frames (see :func:`chordal_distance`).
    dims : sequence of int
        Dimensions of the subspaces, increasing, from 1 to d - 1; the last is k.
    weights : array-like or tensor of shape (n,), optional
        Not negative, not all 0; equal by default.
    solver : {"trust_region", "conjugate_gradient"}, default "trust_region"
        How to minimise.
    n_starts : int, default 5
        Starts: nested eigenvectors, the best data point, then random flags.
    tol : float, default 1e-9
        Length of the gradient at which to stop.
    max_iter : int, default 500
        Most steps from each start.
    orthonormalise : bool, default False
        Whether to make columns orthonormal that are not; the nested subspaces stay.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the random starts.

    Returns
    -------
    FlagCenter
        The mean, and what the searches from all starts ended with.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If ``dims``, shapes, weights or options are out of range, or columns are not orthonormal.

    Warns
    -----
    ConvergenceWarning
        If the gradient stays longer than ``tol``.

    References
    ----------
    Mankovich & Birdal (2023), "Chordal Averaging on Flag Manifolds and Its Applications".

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import flag_mean
    >>> rng = np.random.default_rng(0)
    >>> flags = np.linalg.qr(np.eye(5)[:, :3] + 0.1 * rng.standard_normal((20, 5, 3)))[0]
    >>> found = flag_mean(flags, (1, 3))
    >>> found.point.shape, found.converged
    ((5, 3), True)
    """
    problem, _ = _problem(flags, dims, weights, orthonormalise)
    options = _options(solver, tol, max_iter)
    count, seed = check_int(n_starts, "n_starts", minimum=1), check_seed(random_state)
    if len(problem.space.dims) == 1:
        best = problem.closed_form()
        solved = [best]
    else:
        best, solved = best_of(problem, problem.starts(count, seed), **options)
    squares = float((problem.weights * problem.distances(best.frame).square()).sum())
    objectives = {one.start: one.loss for one in solved}
    return _center(flags, problem, best, squares, best.residual <= options["tol"], best.n_iter, objectives, [])


@references("mankovich2023chordal")
def flag_median(
    flags: ArrayLike,
    dims: Sequence[int],
    weights: ArrayLike | None = None,
    *,
    solver: str = "trust_region",
    n_starts: int = 2,
    eps: float = 1e-8,
    tol: float = 1e-9,
    max_iter: int = 100,
    orthonormalise: bool = False,
    random_state: RandomState = 0,
) -> FlagCenter:
    """Return the flag with the least weighted sum of chordal distances to others: up to half may be anywhere.

    Means with weights divided by distances, again and again from where the last one ended; the sum falls every time.

    Parameters
    ----------
    flags : array-like or tensor of shape (n, d, k), or list of (d, k)
        Flags as frames (see :func:`chordal_distance`).
    dims : sequence of int
        Dimensions of the subspaces, increasing, from 1 to d - 1; the last is k.
    weights : array-like or tensor of shape (n,), optional
        Not negative, not all 0; equal by default.
    solver : {"trust_region", "conjugate_gradient"}, default "trust_region"
        How each mean is found.
    n_starts : int, default 2
        Starts: the mean, the data point with the least sum of distances, then random flags.
    eps : float, default 1e-8
        Distance below which a flag counts as met; no weight is divided by less.
    tol : float, default 1e-9
        Relative fall of the sum at which to stop.
    max_iter : int, default 100
        Most reweightings from each start.
    orthonormalise : bool, default False
        Whether to make columns orthonormal that are not; the nested subspaces stay.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the random starts.

    Returns
    -------
    FlagCenter
        The median; ``history`` has the sum before and after every reweighting.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If ``dims``, shapes, weights or options are out of range, or columns are not orthonormal.

    Warns
    -----
    ConvergenceWarning
        If the sum still falls by more than ``tol`` after ``max_iter`` reweightings.

    References
    ----------
    Mankovich & Birdal (2023), "Chordal Averaging on Flag Manifolds and Its Applications".

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import chordal_distance, flag_median
    >>> rng = np.random.default_rng(0)
    >>> flags = np.linalg.qr(np.eye(5)[:, :3] + 0.05 * rng.standard_normal((20, 5, 3)))[0]
    >>> flags[:6] = np.eye(5)[:, 2:]
    >>> bool(chordal_distance(flag_median(flags, (1, 3)).point, np.eye(5)[:, :3], (1, 3)) < 0.1)
    True
    """
    problem, given = _problem(flags, dims, weights, orthonormalise)
    smallest = check_float(eps, "eps", minimum=0.0)
    if smallest == 0.0:
        raise ValueError("eps must be positive, got 0; weights are divided by distances of at least eps.")
    options = _options(solver, tol, max_iter)
    count, seed = check_int(n_starts, "n_starts", minimum=1), check_seed(random_state)
    runs = []
    for name, y in _median_starts(problem, count, seed, solver):
        runs.append(_reweight(problem, given, y, smallest, options, name))
    best, history, done = min(runs, key=lambda run: run[1][-1])
    distances = float((given * problem.distances(best.frame)).sum())
    objectives = {one.start: values[-1] for one, values, _ in runs}
    return _center(flags, problem, best, distances, done, len(history) - 1, objectives, history)


def _median_starts(problem: FlagProblem, count: int, seed: int, solver: str) -> list[tuple[str, Tensor]]:
    if len(problem.space.dims) == 1:
        mean = problem.closed_form().frame
    else:
        mean = problem.solve(problem.nested_eigenvectors(), solver, 1e-6, 100, "mean").frame
    named = [("mean", mean)]
    if count > 1:
        named.append(("data point", problem.best_data_point(1.0)))
    return named + problem.starts(count, seed)[2:]


def _reweight(
    problem: FlagProblem, given: Tensor, y: Tensor, eps: float, options: dict[str, Any], start: str
) -> tuple[Solved, list[float], bool]:
    """Return where reweighted means from y lead to, the objective on the way, and whether it has converged."""
    closed = len(problem.space.dims) == 1
    distances = problem.distances(y)
    history, done, solved = [_smoothed(given, distances, eps)], False, Solved(y, 0.0, 0.0, 0, start)
    for _ in range(options["max_iter"]):
        problem.weigh(given / distances.clamp_min(eps))
        found = problem.closed_form() if closed else problem.solve(y, options["solver"], _INNER, 50, start)
        objective = _smoothed(given, problem.distances(found.frame), eps)
        if objective <= history[-1]:
            # Rounding aside, no mean is worse than where its search began.
            y, distances = found.frame, problem.distances(found.frame)
            solved = Solved(y, found.loss, found.residual, found.n_iter, start)
        history.append(min(objective, history[-1]))
        if history[-2] - history[-1] <= options["tol"] * history[-1]:
            done = True
            break
    problem.weigh(given)
    return solved, history, done


_INNER = 1e-8
"""Length of the gradient at which each reweighted mean is left."""


def _smoothed(weights: Tensor, distances: Tensor, eps: float) -> float:
    """Return the sum that reweighting brings down: distances, and below eps the parabola that touches them there."""
    parabola = 0.5 * (distances.square() / eps + eps)
    return float((weights * torch.where(distances < eps, parabola, distances)).sum())


def _problem(
    flags: ArrayLike, dims: Sequence[int], weights: ArrayLike | None, orthonormalise: bool
) -> tuple[FlagProblem, Tensor]:
    X = flags if isinstance(flags, Tensor) else np.asarray(flags)
    space, x = take_flags(X, dims, orthonormalise)
    if x.ndim != 3 or len(x) == 0:
        raise ValueError(f"flags must have shape (n, d, {space.dims[-1]}) with n >= 1, got {tuple(x.shape)}.")
    given = take_weights(weights, x, 2)
    if given.ndim != 1:
        raise ValueError(f"weights must have shape ({len(x)},), got {tuple(given.shape)}.")
    problem = FlagProblem(space, x)
    problem.weigh(given)
    return problem, given / given.sum()


def _options(solver: str, tol: float, max_iter: int) -> dict[str, Any]:
    return {
        "solver": check_option(solver, "solver", SOLVERS),
        "tol": check_float(tol, "tol", minimum=0.0),
        "max_iter": check_int(max_iter, "max_iter", minimum=1),
    }


def _center(
    flags: ArrayLike,
    problem: FlagProblem,
    best: Solved,
    objective: float,
    converged: bool,
    n_iter: int,
    objectives: dict[str, float],
    history: list[float],
) -> FlagCenter:
    if not converged:
        warnings.warn(
            f"The search for the centre of the flags ended after {n_iter} steps with a residual of "
            f"{best.residual:.3g}, more than was asked for; raise max_iter or tol.",
            ConvergenceWarning,
            stacklevel=3,
        )
    dtype = as_tensor(flags, "flags").dtype if isinstance(flags, Tensor) else torch.float64
    point = restorer(flags)(problem.restore(best.frame).to(dtype))
    return FlagCenter(point, objective, best.residual, converged, n_iter, best.start, objectives, np.array(history))
