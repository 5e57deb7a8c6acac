"""Rolled and bent sheets: isometric to pieces of the plane."""

from functools import partial

import numpy as np
from sklearn.utils import Bunch

from holonomy._core.random import RandomState
from holonomy.datasets._ground_truth import Density, Observation, check_positive
from holonomy.datasets._spaces import euclidean

FIRST_ANGLE, LAST_ANGLE = 1.5 * np.pi, 4.5 * np.pi
"""Where the Archimedean spiral ``radius = angle`` of the Swiss roll begins and ends, as in scikit-learn."""


def make_swiss_roll(
    n_samples: int = 1000,
    *,
    hole: bool = False,
    width: float = 21.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Swiss roll, uniform with respect to its area, with exact geodesic distances.

    The sheet is that of :func:`sklearn.datasets.make_swiss_roll`. There, the angle of the spiral is uniform, so that
    the outer turns are sampled up to three times more thinly; here, its length is.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    hole : bool, default=False
        Whether the middle third, in length and in width, is cut out.
    width : float, default=21.0
        Width of the sheet.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from the inner to the outer end, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, 2) is the unrolled sheet: length along the
        spiral from its inner end, and width. ``geodesic_distances`` go round the hole where it is in the way.

    Examples
    --------
    >>> from holonomy.datasets import make_swiss_roll
    >>> roll = make_swiss_roll(1000, noise=0.05, random_state=0)
    >>> roll.X.shape, roll.latent.shape
    ((1000, 3), (1000, 2))
    >>> bool(roll.geodesic_distances(0, 1) > 0)
    True
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    width = check_positive(width, "width")
    if not isinstance(hole, bool | np.bool_):
        raise TypeError(f"hole must be True or False, got {hole!r}.")
    start = _spiral_length(np.array(FIRST_ANGLE))
    sheet = np.array([_spiral_length(np.array(LAST_ANGLE)) - start, width])
    lower, upper = sheet / 3.0, sheet * (2.0 / 3.0)
    (latent,) = observation.sample(
        lambda rng, m: (rng.random((m, 2)) * sheet,),
        height=lambda z: z[:, 0] / sheet[0],
        weight=(lambda z: ~((z > lower) & (z < upper)).all(axis=1)) if hole else None,
    )
    angle = _spiral_angle(start + latent[:, 0])
    return observation.bunch(
        f"Swiss roll{' with a hole' if hole else ''}.",
        np.column_stack([angle * np.cos(angle), latent[:, 1], angle * np.sin(angle)]),
        latent,
        intrinsic_dim=2,
        distance=partial(_around_rectangle, lower=lower, upper=upper) if hole else euclidean,
    )


def _spiral_length(angle: np.ndarray) -> np.ndarray:
    """Return the length of the spiral ``radius = angle`` from the centre to an angle."""
    return 0.5 * (angle * np.sqrt(1.0 + angle**2) + np.arcsinh(angle))


def _spiral_angle(length: np.ndarray) -> np.ndarray:
    """Invert :func:`_spiral_length` by Newton's method, monotone from this start because the length is convex."""
    angle = np.sqrt(2.0 * length)
    for _ in range(6):
        angle = angle - (_spiral_length(angle) - length) / np.sqrt(1.0 + angle**2)
    return angle


def _around_rectangle(p: np.ndarray, q: np.ndarray, *, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Return the lengths of the shortest paths in the plane that avoid the open rectangle ``lower < z < upper``.

    A shortest path is straight, or bends at corners only: from p to a corner that p sees, along the sides, to q from a
    corner that q sees.
    """
    corners = np.array([[x, y] for x in (lower[0], upper[0]) for y in (lower[1], upper[1])])
    along_sides = np.abs(corners[:, None] - corners).sum(axis=-1)

    def leg(z: np.ndarray, corner: np.ndarray) -> np.ndarray:
        step = z - corner
        behind = (step * np.where(corner == lower, 1.0, -1.0) > 0.0).all(axis=-1)
        return np.where(behind, np.inf, np.linalg.norm(step, axis=-1))

    to_p, to_q = [leg(p, corner) for corner in corners], [leg(q, corner) for corner in corners]
    detours = [to_p[a] + to_q[b] + along_sides[a, b] for a in range(4) for b in range(4)]
    return np.where(_crosses(p, q, corners), np.minimum.reduce(detours), euclidean(p, q))


def _crosses(p: np.ndarray, q: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return whether segments from p to q meet the open rectangle: no side and no normal separates them."""
    lower, upper = corners.min(axis=0), corners.max(axis=0)
    overlap = (np.maximum(p, q) > lower) & (np.minimum(p, q) < upper)
    step = q - p
    sides = [step[..., 0] * (corner - p)[..., 1] - step[..., 1] * (corner - p)[..., 0] for corner in corners]
    return overlap.all(axis=-1) & (np.minimum.reduce(sides) < 0.0) & (np.maximum.reduce(sides) > 0.0)


def make_s_curve(
    n_samples: int = 1000,
    *,
    width: float = 2.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """S-shaped sheet of two three-quarter circles of radius 1, uniform with respect to its area.

    The sheet is that of :func:`sklearn.datasets.make_s_curve`.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    width : float, default=2.0
        Width of the sheet.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from one end of the S to the other, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, 2) is the flattened sheet: length along the S
        from its middle, in [-1.5 pi, 1.5 pi], and width.

    Examples
    --------
    >>> from holonomy.datasets import make_s_curve
    >>> curve = make_s_curve(500, density=10.0, random_state=0)
    >>> curve.X.shape
    (500, 3)
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    width, end = check_positive(width, "width"), 1.5 * np.pi
    (latent,) = observation.sample(
        lambda rng, m: (rng.uniform([-end, 0.0], [end, width], (m, 2)),), height=lambda z: 0.5 * (1.0 + z[:, 0] / end)
    )
    angle = latent[:, 0]
    points = np.column_stack([np.sin(angle), latent[:, 1], np.sign(angle) * (np.cos(angle) - 1.0)])
    return observation.bunch("S-curve.", points, latent, intrinsic_dim=2, distance=euclidean)
