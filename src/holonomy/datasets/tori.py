"""Tori: flat ones of any dimension, and the ring in space."""

from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from holonomy._core.random import RandomState
from holonomy._core.validation import check_int
from holonomy.datasets._ground_truth import Density, Observation, check_positive
from holonomy.datasets._spaces import flat_torus, torus_points, uniform_angles


def make_flat_torus(
    n_samples: int = 1000,
    *,
    dim: int = 2,
    radii: ArrayLike = 1.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Product of circles, a torus without curvature (Clifford torus).

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    dim : int, default=2
        Dimension d of the torus, at least 1; its own coordinates are those of R^(2 d).
    radii : float or array-like of shape (d,), default=1.0
        Radius of each circle.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from angle 0 to angle pi of the first circle, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, d) holds the angles in [0, 2 pi); ``X`` holds
        cosine and sine of the first angle, then of the second, and so on, times the radii.

    Examples
    --------
    >>> from holonomy.datasets import make_flat_torus
    >>> torus = make_flat_torus(500, dim=3, random_state=0)
    >>> torus.X.shape, torus.intrinsic_dim
    ((500, 6), 3)
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    dim = check_int(dim, "dim", minimum=1)
    sizes = _check_radii(radii, dim)
    (latent,) = observation.sample(partial(uniform_angles, dim=dim), height=lambda a: 0.5 * (1.0 - np.cos(a[:, 0])))
    return observation.bunch(
        f"Flat torus of dimension {dim}.",
        torus_points(latent, sizes),
        latent,
        intrinsic_dim=dim,
        distance=partial(flat_torus, radii=sizes),
    )


def _check_radii(radii: ArrayLike, dim: int) -> np.ndarray:
    sizes = np.asarray(radii, dtype=np.float64)
    if sizes.shape not in ((), (dim,)):
        raise ValueError(f"radii must be one number or {dim} numbers, got shape {sizes.shape}.")
    if not np.isfinite(sizes).all() or (sizes <= 0.0).any():
        raise ValueError(f"radii must be positive and finite, got {sizes}.")
    return np.broadcast_to(sizes, (dim,)).copy()


def make_torus(
    n_samples: int = 1000,
    *,
    major_radius: float = 2.0,
    minor_radius: float = 1.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Ring torus in R^3, uniform with respect to its area.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    major_radius, minor_radius : float, default=2.0 and 1.0
        Distance of the tube's centre from the axis, and radius of the tube, which must be smaller.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls round the axis from angle 0 to angle pi, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, 2) holds the angle round the axis and the
        angle round the tube (0 is outermost), in [0, 2 pi). ``geodesic_distances`` is None: no closed form.

    References
    ----------
    Diaconis, Holmes, Shahshahani. Sampling from a manifold. Advances in Modern Statistical Theory and Applications,
    2013: why uniform angles are not a uniform sample.

    Examples
    --------
    >>> from holonomy.datasets import make_torus
    >>> torus = make_torus(500, noise=0.01, random_state=0)
    >>> torus.X.shape
    (500, 3)
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    major, minor = check_positive(major_radius, "major_radius"), check_positive(minor_radius, "minor_radius")
    if minor >= major:
        raise ValueError(f"minor_radius must be smaller than major_radius = {major:g}, got {minor:g}.")
    (latent,) = observation.sample(
        partial(uniform_angles, dim=2),
        height=lambda a: 0.5 * (1.0 - np.cos(a[:, 0])),
        weight=lambda a: (major + minor * np.cos(a[:, 1])) / (major + minor),
    )
    around, tube = latent.T
    from_axis = major + minor * np.cos(tube)
    points = np.column_stack([from_axis * np.cos(around), from_axis * np.sin(around), minor * np.sin(tube)])
    return observation.bunch(f"Torus in space with radii {major:g} and {minor:g}.", points, latent, intrinsic_dim=2)
