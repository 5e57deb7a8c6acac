"""Populations between two seen ones: points paired by optimal transport and moved along straight lines."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from holonomy._core.citations import references
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import check_int, check_points
from holonomy.graphs._dense import squared_distances

LARGEST = 2_000
"""Most pairs by default: pairing takes time that grows with the cube."""


@references("mccann1997convexity", "huguet2023heat")
def displacement_interpolation(
    start: Any, stop: Any, times: ArrayLike, *, n_paths: int | None = None, random_state: RandomState = 0
) -> np.ndarray:
    """Move one population into another along the straight lines of an optimal pairing.

    On a map whose distances are geodesic, straight lines stay near the data, where straight lines between the rows
    themselves cut across; `HeatGeodesic.inverse_transform` finds the rows of the places on the way.

    Parameters
    ----------
    start, stop : array-like of shape (n, m) and (p, m)
        The populations, in the same coordinates.
    times : array-like of shape (k,)
        Shares of the way in [0, 1].
    n_paths : int, optional
        Number of pairs, at most the smaller population; by default that, or 2,000. Points of a larger population are
        drawn at random, each once.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the draw.

    Returns
    -------
    ndarray, shape (k, n_paths, m)
        The population at each time.

    Raises
    ------
    TypeError, ValueError
        If the populations differ in their number of columns, or a parameter is out of range.

    References
    ----------
    McCann (1997). A convexity principle for interacting gases. Advances in Mathematics 128, 153-179.

    Examples
    --------
    >>> from holonomy.embed import displacement_interpolation
    >>> displacement_interpolation([[0.0], [2.0]], [[3.0], [1.0]], [0.5]).ravel().tolist()
    [0.5, 2.5]
    """
    first, last = check_points(start, name="start"), check_points(stop, name="stop")
    if first.shape[1] != last.shape[1]:
        raise ValueError(f"start and stop must have as many columns, got {first.shape[1]} and {last.shape[1]}.")
    shares = np.atleast_1d(np.asarray(times, dtype=np.float64))
    if shares.ndim != 1 or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"times must lie in [0, 1], got {times!r}.")
    smaller = min(len(first), len(last))
    count = min(smaller, LARGEST) if n_paths is None else check_int(n_paths, "n_paths", minimum=1, maximum=smaller)
    rng = generator(check_seed(random_state), "paths")
    first, last = (rows[np.sort(rng.choice(len(rows), count, replace=False))] for rows in (first, last))
    begin, end = linear_sum_assignment(squared_distances(first, last))
    way = last[end] - first[begin]
    return first[begin] + shares[:, None, None] * way
