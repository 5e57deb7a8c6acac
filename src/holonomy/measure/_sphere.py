"""Do the points lie on a sphere? A fit, beside what spheres sampled as sparsely measure."""

from dataclasses import dataclass

import numpy as np

from holonomy._core.random import generator
from holonomy.measure.intrinsic_dimension import mle_dimension

FEWEST_POINTS = 60
SAMPLE = 600
NEIGHBORS = 10
REPEATS = 3

THINNEST_SHARE = 0.6
"""Deviation of the radius, over that of a ball of as many dimensions, below which points lie on its surface."""

THINNEST = 0.08
"""Deviation over radius below which they do in few dimensions."""

LOPSIDED = 0.6
"""Distance from the centre to the middle of the points, over the radius, above which they are a cap or a bowl."""

ASIDE = 1.5
"""Extent in any further direction, over the deviation of the radius, above which it is more than the same noise."""

LARGEST_RADIUS = 1.6
"""Radius over the root mean square distance to the middle, above which a fit is a flat patch in disguise."""

FILLED = 0.9
"""Measured dimension, over that of a full sphere sampled as sparsely, below which the sphere is not filled."""


@dataclass(frozen=True)
class SphereFit:
    """A sphere that the points lie on.

    Attributes
    ----------
    dimension : int
        Of the sphere: one less than the directions it is in.
    radius : float
        In units of the data.
    deviation : float
        Standard deviation of the distance to its centre.
    """

    dimension: int
    radius: float
    deviation: float


def fit_sphere(coordinates: np.ndarray, seed: int, aside: float = 0.0) -> SphereFit | None:
    """Fit a sphere of all directions but one, and tell whether the points lie on it and fill it.

    Parameters
    ----------
    coordinates : ndarray of shape (n, m)
        The points along the linear directions that they extend in.
    seed : int
        Seed of the samples.
    aside : float, default 0.0
        Largest standard deviation of the points along any further direction.

    Returns
    -------
    SphereFit or None
        None where the radius varies, the sphere is too large to be more than a patch, or the points lie on it in
        fewer dimensions (as a flat torus does).
    """
    n, m = coordinates.shape
    if n < max(FEWEST_POINTS, 4 * m) or m < 2:
        return None
    middle = coordinates.mean(axis=0)
    centred = coordinates - middle
    squares = np.square(centred).sum(axis=1)
    # |x|^2 = 2 c x + b is linear in the centre c.
    solution = np.linalg.lstsq(np.column_stack([2 * centred, np.ones(n)]), squares, rcond=None)[0]
    radii = np.linalg.norm(centred - solution[:m], axis=1)
    radius, deviation = float(radii.mean()), float(radii.std())
    is_thin = deviation <= min(THINNEST_SHARE / (m + 1), THINNEST) * radius and aside <= ASIDE * deviation
    is_whole = radius <= LARGEST_RADIUS * np.sqrt(squares.mean()) and np.linalg.norm(solution[:m]) <= LOPSIDED * radius
    if not (is_thin and is_whole):
        return None
    draws = generator(seed, "sphere")
    size = min(SAMPLE, n)
    measured = [centred[draws.choice(n, size, replace=False)] for _ in range(REPEATS)]
    spheres = [_sphere(draws, size, m) for _ in range(REPEATS)]
    own, full = (np.mean([1 / float(mle_dimension(X, NEIGHBORS)) for X in samples]) for samples in (measured, spheres))
    # Inverse dimensions: more of them is fewer dimensions.
    return SphereFit(m - 1, radius, deviation) if own <= full / FILLED else None


def _sphere(draws: np.random.Generator, n: int, m: int) -> np.ndarray:
    X = draws.normal(size=(n, m))
    return X / np.linalg.norm(X, axis=1, keepdims=True)
