"""Spheres and balls of any dimension."""

from functools import partial

import numpy as np
from sklearn.utils import Bunch

from holonomy._core.random import RandomState
from holonomy._core.validation import check_int
from holonomy.datasets._ground_truth import Density, Observation, check_positive
from holonomy.datasets._spaces import euclidean, great_circle, random_directions, sphere_angles


def make_sphere(
    n_samples: int = 1000,
    *,
    dim: int = 2,
    radius: float = 1.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Sphere of any dimension; ``dim=1`` is a circle.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    dim : int, default=2
        Dimension d of the sphere, at least 1; its own coordinates are those of R^(d + 1).
    radius : float, default=1.0
        Radius.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from the pole ``(radius, 0, ..., 0)`` to the opposite one, or
        ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, d) holds angles: d - 1 polar angles in
        [0, pi], the first from the pole, then one in [0, 2 pi). ``geodesic_distances`` are great-circle distances.

    Examples
    --------
    >>> from holonomy.datasets import make_sphere
    >>> sphere = make_sphere(500, dim=3, random_state=0)
    >>> sphere.X.shape, sphere.intrinsic_dim
    ((500, 4), 3)

    Points on a hemisphere; their distances stay those of the sphere:

    >>> hemisphere = make_sphere(500, density=lambda latent: latent[:, 0] < 1.5708, random_state=0)
    >>> bool((hemisphere.X[:, 0] >= -1e-4).all())
    True
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    dim, radius = check_int(dim, "dim", minimum=1), check_positive(radius, "radius")

    def propose(rng: np.random.Generator, m: int) -> tuple[np.ndarray, ...]:
        directions = random_directions(rng, m, dim)
        return sphere_angles(directions), directions

    latent, directions = observation.sample(propose, height=lambda _, u: 0.5 * (1.0 - u[:, 0]))
    return observation.bunch(
        f"Sphere of dimension {dim} and radius {radius:g}.",
        radius * directions,
        latent,
        intrinsic_dim=dim,
        distance=partial(great_circle, radius=radius),
        coordinates=directions,
    )


def make_ball(
    n_samples: int = 1000,
    *,
    dim: int = 3,
    radius: float = 1.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Solid Euclidean ball of any dimension.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    dim : int, default=3
        Dimension d of the ball, at least 1.
    radius : float, default=1.0
        Radius.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from ``x0 = radius`` to ``x0 = -radius``, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, d) holds the ball's own coordinates, and
        ``geodesic_distances`` are Euclidean.

    Examples
    --------
    >>> from holonomy.datasets import make_ball
    >>> ball = make_ball(500, dim=5, ambient_dim=20, random_state=0)
    >>> ball.X.shape, ball.latent.shape
    ((500, 20), (500, 5))
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    dim, radius = check_int(dim, "dim", minimum=1), check_positive(radius, "radius")

    def propose(rng: np.random.Generator, m: int) -> tuple[np.ndarray, ...]:
        return (radius * random_directions(rng, m, dim - 1) * rng.random((m, 1)) ** (1.0 / dim),)

    (latent,) = observation.sample(propose, height=lambda z: 0.5 * (1.0 - z[:, 0] / radius))
    return observation.bunch(
        f"Ball of dimension {dim} and radius {radius:g}.",
        latent.copy(),
        latent,
        intrinsic_dim=dim,
        distance=euclidean,
    )
