"""How far points lie off the surface that they are near to: the level of noise."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, generator
from holonomy._core.validation import Points, check_int, check_points
from holonomy.graphs import NeighborIndex
from holonomy.measure._render import html_table, rich_table

SAMPLE = 500
"""Points around which the noise is measured, of more."""

SEEN = 0.5
"""Deviation off the surface, over the extent of neighbourhoods along it, above which the two cannot be told apart."""


@dataclass(frozen=True, eq=False)
class NoiseLevel:
    """Standard deviation of points off the data's tangent spaces, in each direction.

    Attributes
    ----------
    deviation : float
        Standard deviation in each direction off the surface, in units of the data; 0 where the data has no further
        directions.
    low, high : float
        Range of the middle half of the neighbourhoods' own values.
    relative : float
        ``deviation`` over the root mean square extent of the data in each of its dimensions.
    dimension : int
        Dimension of the surface.
    n_neighbors : int
        Size of the neighbourhoods the surface was fitted to, the larger of the two.
    is_resolved : bool
        Whether neighbourhoods extend farther than the noise; where they do not, ``deviation`` is a lower bound.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import noise_level
    >>> rng = np.random.default_rng(0)
    >>> sheet = rng.random((2000, 2)) @ np.eye(2, 5) + rng.normal(scale=0.01, size=(2000, 5))
    >>> round(float(noise_level(sheet, 2)), 3)
    0.01
    """

    deviation: float
    low: float
    high: float
    relative: float
    dimension: int
    n_neighbors: int
    is_resolved: bool

    def __float__(self) -> float:
        return self.deviation

    def _facts(self) -> dict[str, str]:
        bound = "" if self.is_resolved else "at least "
        return {
            "standard deviation off the surface": f"{bound}{self.deviation:.3g}",
            "middle half of the places": f"{self.low:.3g} to {self.high:.3g}",
            "relative to the extent of the data": f"{100 * self.relative:.1f} %",
            "dimension of the surface": f"{self.dimension}",
            "neighbours looked at": f"{self.n_neighbors}",
        }

    def _repr_html_(self) -> str:
        return html_table("Noise", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Noise", self._facts())


@references("little2017multiscale")
def noise_level(
    X: Points,
    dimension: int,
    *,
    n_neighbors: int | None = None,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> NoiseLevel:
    """Measure how far points lie off the surface of known dimension that runs through their neighbourhoods.

    A tangent space is fitted to the neighbourhoods of up to 500 points. What is left over has a part from noise,
    which does not depend on the size of the neighbourhood, and one from curvature, which grows with its fourth power:
    two sizes tell them apart.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Points.
    dimension : int
        Dimension of the surface, in [1, d].
    n_neighbors : int, optional
        Size of the larger neighbourhoods; by default 100, at least 8 (dimension + 1), and twice as many
        again while the noise reaches as far as they do; at most a quarter of the points.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the choice of points.
    n_jobs : int, optional
        Threads. The result does not depend on it.

    Returns
    -------
    NoiseLevel
        ``float()`` gives the standard deviation in each direction.

    Raises
    ------
    ValueError
        On NaN, a dimension out of range, or too few points for it.

    References
    ----------
    Little, Maggioni, Rosasco (2017), Multiscale geometric methods for data sets I: multiscale SVD, noise and curvature.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import noise_level
    >>> ring = np.random.default_rng(0).uniform(0, 2 * np.pi, 1000)
    >>> float(noise_level(np.c_[np.cos(ring), np.sin(ring)], 1)) < 0.001
    True
    """
    points = check_points(X, min_samples=3)
    n, d = points.shape
    m = check_int(dimension, "dimension", minimum=1, maximum=d)
    wanted = max(100, 8 * (m + 1)) if n_neighbors is None else check_int(n_neighbors, "n_neighbors", minimum=2)
    large = min(wanted, n // 4) if n_neighbors is None else wanted
    small = large // 2
    if small < m + 2 or large > n - 1:
        raise ValueError(
            f"{n} points with {large} neighbours each are too few to fit surfaces of dimension {m}; at least "
            f"{8 * (m + 2)} points and {2 * (m + 2)} neighbours are needed."
        )
    extent = float(np.sqrt(points.var(axis=0, dtype=np.float64).sum() / m))
    rows = np.sort(generator(random_state, "measure", "noise").choice(n, min(SAMPLE, n), replace=False))
    with threads(n_jobs):
        near, near_size = _off_surface(points, rows, small, m)
        far, far_size = _off_surface(points, rows, large, m)
        while n_neighbors is None and not _is_seen(near, near_size) and 2 * large <= n // 4:
            small, large, near, near_size = large, 2 * large, far, far_size
            far, far_size = _off_surface(points, rows, large, m)
    # v = noise + c r^4 at both sizes, r^2 the variance along the surface.
    ratio = np.divide(far_size, near_size, out=np.full(len(rows), 2.0), where=near_size > 0) ** 2
    noise = np.clip(near - (far - near) / np.maximum(ratio - 1, 0.1), 0.0, near)
    low, middle, high = np.sqrt(np.quantile(noise, [0.25, 0.5, 0.75]))
    return NoiseLevel(
        deviation=float(middle),
        low=float(low),
        high=float(high),
        relative=float(middle / extent) if extent > 0 else 0.0,
        dimension=m,
        n_neighbors=large,
        is_resolved=_is_seen(near, near_size),
    )


def _is_seen(left: np.ndarray, along: np.ndarray) -> bool:
    return bool(np.median(left) <= SEEN**2 * np.median(along))


def _off_surface(points: np.ndarray, rows: np.ndarray, k: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, around each of rows, the variance in each direction off the tangent space, and in each along it."""
    d = points.shape[1]
    found, _ = NeighborIndex(points).query(points[rows], k + 1)
    clouds = points[found].astype(np.float64)
    clouds -= clouds.mean(axis=1, keepdims=True)
    left, along = np.empty(len(rows)), np.empty(len(rows))
    for i, cloud in enumerate(clouds):
        variances = np.square(np.linalg.svd(cloud, compute_uv=False)) / k
        along[i] = variances[:m].mean()
        # A fit of m directions and a mean takes freedom from k + 1 points.
        left[i] = variances[m:].sum() * k / (k - m) / (d - m) if d > m else 0.0
    return left, along
