"""Hyperbolic space."""

from functools import partial

import numpy as np
from sklearn.utils import Bunch

from holonomy._core.random import RandomState
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.datasets._ground_truth import Density, Observation, check_positive
from holonomy.datasets._spaces import hyperbolic, hyperboloid_points, poincare_points, random_directions

LARGEST_RADIUS = 300.0
"""In units of the curvature radius: beyond, hyperboloid coordinates and their products overflow."""


def make_hyperbolic_ball(
    n_samples: int = 1000,
    *,
    dim: int = 2,
    radius: float = 2.0,
    curvature: float = -1.0,
    coordinates: str = "hyperboloid",
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Ball in hyperbolic space, uniform with respect to its volume.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    dim : int, default=2
        Dimension d of the space, at least 1.
    radius : float, default=2.0
        Hyperbolic radius of the ball, at most 300 / sqrt(-curvature).
    curvature : float, default=-1.0
        Sectional curvature, negative.
    coordinates : {"hyperboloid", "poincare"}, default="hyperboloid"
        Coordinates of ``X``: d + 1 of the hyperboloid ``x0^2 - x1^2 - ... = -1 / curvature``, x0 > 0, or d of the
        Poincare ball of radius ``1 / sqrt(-curvature)``.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates. Noise takes points off the hyperboloid.
    density : float or callable, default=1.0
        Ratio by which the density falls from the centre to the rim, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame, which keeps Euclidean, not hyperbolic, products.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, d) holds normal coordinates at the centre: the
        direction, times the distance. ``geodesic_distances`` are hyperbolic, accurate for near and far points.

    Examples
    --------
    >>> from holonomy.datasets import make_hyperbolic_ball
    >>> ball = make_hyperbolic_ball(500, dim=3, radius=4.0, random_state=0)
    >>> ball.X.shape, ball.latent.shape
    ((500, 4), (500, 3))
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    dim, radius = check_int(dim, "dim", minimum=1), check_positive(radius, "radius")
    embed = {"hyperboloid": hyperboloid_points, "poincare": poincare_points}[
        check_option(coordinates, "coordinates", ("hyperboloid", "poincare"))
    ]
    curvature = check_float(curvature, "curvature")
    if curvature >= 0.0:
        raise ValueError(f"curvature must be negative, got {curvature:g}.")
    scale = np.sqrt(-curvature)
    rim = radius * scale
    if rim > LARGEST_RADIUS:
        raise ValueError(f"radius must be at most {LARGEST_RADIUS / scale:g}, or coordinates overflow, got {radius:g}.")

    def propose(rng: np.random.Generator, m: int) -> tuple[np.ndarray, ...]:
        directions, share = random_directions(rng, m, dim - 1), rng.random(m)
        r = rim * share if dim == 1 else np.arcsinh(np.sinh(rim) * share ** (1.0 / (dim - 1)))
        return r[:, None] * directions / scale, r

    # The law of r has density sinh(r)^(d-1); the proposal's is sinh(r)^(d-2) cosh(r), as t = sinh(r) has t^(d-2).
    latent, _ = observation.sample(
        propose,
        height=lambda _, r: r / rim,
        weight=None if dim == 1 else lambda _, r: np.tanh(r) / np.tanh(rim),
    )
    return observation.bunch(
        f"Ball of radius {radius:g} in hyperbolic space of dimension {dim} and curvature {curvature:g}.",
        embed(latent, curvature),
        latent,
        intrinsic_dim=dim,
        distance=partial(hyperbolic, curvature=curvature),
    )
