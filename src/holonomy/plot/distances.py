"""Draw distances on a map against those in the data."""

from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import check_int, check_points
from holonomy.plot._axes import ACCENT, axes_for, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 70


def shepard(
    X: Any, Z: Any, *, n_pairs: int = 100_000, random_state: RandomState = 0, ax: "Axes | None" = None
) -> "Axes":
    """Draw a Shepard diagram: distances on the map against distances in the data, for random pairs of points.

    A map that keeps distances in proportion draws a straight line from the corner; one that keeps neighbours and gives
    up the rest is narrow at the left and wide at the right.

    Parameters
    ----------
    X : array-like of shape (n, d)
        The data.
    Z : array-like of shape (n, p)
        The map.
    n_pairs : int, default 100,000
        Pairs of points that are looked at.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the pairs.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the numbers of rows differ, or there are fewer than 3.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from holonomy.plot import shepard
    >>> X = np.random.default_rng(0).normal(size=(100, 4))
    >>> shepard(X, X[:, :2], n_pairs=1000).get_xlabel()
    'distance in the data'
    """
    data, image = check_points(X, min_samples=3), check_points(Z, name="Z", min_samples=3)
    if len(data) != len(image):
        raise ValueError(f"X and Z must have the same number of rows, got {len(data)} and {len(image)}.")
    pairs = check_int(n_pairs, "n_pairs", minimum=1)
    rng = generator(check_seed(random_state), "plot", "pairs")
    first = rng.integers(0, len(data), pairs)
    second = (first + rng.integers(1, len(data), pairs)) % len(data)
    x = np.linalg.norm(data[first] - data[second], axis=1)
    y = np.linalg.norm(image[first] - image[second], axis=1)
    ax = axes_for(ax, (4.6, 4.0))
    ax.hexbin(x, y, gridsize=BINS, cmap="Greys", bins="log", mincnt=1, linewidths=0)
    middles, medians = _medians(x, y)
    ax.plot(middles, medians, color=ACCENT, linewidth=2, label="median")
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("distance in the data")
    ax.set_ylabel("distance on the map")
    ax.legend(frameon=False, loc="upper left")
    plain(ax)
    return ax


def _medians(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median of y over slices of x that hold equally many pairs."""
    parts = np.array_split(np.argsort(x, kind="stable"), min(25, len(x)))
    return np.array([np.median(x[part]) for part in parts]), np.array([np.median(y[part]) for part in parts])
