"""Curves in space."""

import numpy as np
from sklearn.utils import Bunch

from holonomy._core.random import RandomState
from holonomy.datasets._ground_truth import Density, Observation, check_positive
from holonomy.datasets._spaces import euclidean


def make_helix(
    n_samples: int = 1000,
    *,
    n_turns: float = 3.0,
    radius: float = 1.0,
    pitch: float = 1.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Helix in R^3, uniform along its length.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    n_turns : float, default=3.0
        Number of turns, not necessarily whole.
    radius : float, default=1.0
        Radius of the cylinder that the helix winds round.
    pitch : float, default=1.0
        Rise per turn.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from the lower to the upper end, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, 1) holds the length of the curve up to the
        point.

    Examples
    --------
    >>> from holonomy.datasets import make_helix
    >>> helix = make_helix(300, n_turns=5, random_state=0)
    >>> helix.X.shape, helix.latent.shape
    ((300, 3), (300, 1))
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    turns, radius, pitch = (
        check_positive(n_turns, "n_turns"),
        check_positive(radius, "radius"),
        check_positive(pitch, "pitch"),
    )
    per_radian = np.hypot(radius, pitch / (2.0 * np.pi))
    length = 2.0 * np.pi * turns * per_radian
    (latent,) = observation.sample(
        lambda rng, m: (rng.uniform(0.0, length, (m, 1)),), height=lambda s: s[:, 0] / length
    )
    angle = latent[:, 0] / per_radian
    points = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), pitch * angle / (2.0 * np.pi)])
    return observation.bunch(f"Helix of {turns:g} turns.", points, latent, intrinsic_dim=1, distance=euclidean)
