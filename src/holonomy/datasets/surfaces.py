"""Surfaces that cannot be oriented: Klein bottles and Moebius bands, in their usual form and flat."""

from functools import partial

import numpy as np
from sklearn.utils import Bunch

from holonomy._core.random import RandomState
from holonomy.datasets._ground_truth import Density, Observation, check_positive
from holonomy.datasets._spaces import shortest_turn, uniform_angles

TURN = 2.0 * np.pi


def make_klein_bottle(
    n_samples: int = 1000,
    *,
    major_radius: float = 2.0,
    minor_radius: float = 1.0,
    immersed: bool = False,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Klein bottle in R^4, or immersed in R^3, uniform with respect to its area.

    A circle of the minor radius (or, immersed, a figure eight) runs round the axis at the major radius and makes half a
    turn on the way.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    major_radius, minor_radius : float, default=2.0 and 1.0
        Radius of the round trip, and of the circle, which must be smaller (immersed: 1.25 times it must be).
    immersed : bool, default=False
        Take the figure-eight form in R^3, which passes through itself along a circle, instead of the embedding in R^4.
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
        angle round the circle, in [0, 2 pi). ``geodesic_distances`` is None: no closed form
        (:func:`holonomy.datasets.make_flat_klein_bottle` has one).

    Examples
    --------
    >>> from holonomy.datasets import make_klein_bottle
    >>> make_klein_bottle(500, random_state=0).X.shape
    (500, 4)
    >>> make_klein_bottle(500, immersed=True, random_state=0).X.shape
    (500, 3)
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    major, minor = check_positive(major_radius, "major_radius"), check_positive(minor_radius, "minor_radius")
    if not isinstance(immersed, bool | np.bool_):
        raise TypeError(f"immersed must be True or False, got {immersed!r}.")
    reach = FIGURE_EIGHT_REACH * minor if immersed else minor
    if reach >= major:
        raise ValueError(f"minor_radius must be smaller than {major * minor / reach:g}, got {minor:g}.")
    element, embed = (_figure_eight_area, _figure_eight) if immersed else (_klein_area, _klein_points)
    (latent,) = observation.sample(
        partial(uniform_angles, dim=2), height=_round_trip, weight=partial(element, major=major, minor=minor)
    )
    points = embed(latent, major=major, minor=minor)
    return observation.bunch(
        f"Klein bottle in R^{points.shape[1]} with radii {major:g} and {minor:g}.", points, latent, intrinsic_dim=2
    )


def _round_trip(angles: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 - np.cos(angles[:, 0]))


def _klein_points(angles: np.ndarray, *, major: float, minor: float) -> np.ndarray:
    u, v = angles.T
    from_axis, lift = major + minor * np.cos(v), minor * np.sin(v)
    return np.column_stack(
        [from_axis * np.cos(u), from_axis * np.sin(u), lift * np.cos(0.5 * u), lift * np.sin(0.5 * u)]
    )


def _klein_area(angles: np.ndarray, *, major: float, minor: float) -> np.ndarray:
    """Return the area element divided by an upper bound; the coordinate lines are orthogonal."""
    v = angles[:, 1]
    along = np.hypot(major + minor * np.cos(v), 0.5 * minor * np.sin(v))
    return along / np.hypot(major + minor, 0.5 * minor)


FIGURE_EIGHT_REACH = 1.25
"""Largest distance of the figure eight (sin v, sin 2 v) from its centre: sin^2 + sin^2(2.) = 5 s - 4 s^2, s = 5/8."""


def _figure_eight(angles: np.ndarray, *, major: float, minor: float) -> np.ndarray:
    u, _ = angles.T
    out, up = minor * _turned_eight(angles)
    return np.column_stack([(major + out) * np.cos(u), (major + out) * np.sin(u), up])


def _turned_eight(angles: np.ndarray) -> np.ndarray:
    """Return the figure eight after half of the turn ``u``: distance outwards and upwards, shape (2, m)."""
    u, v = angles.T
    a, b = np.sin(v), np.sin(2.0 * v)
    c, s = np.cos(0.5 * u), np.sin(0.5 * u)
    return np.stack([c * a - s * b, s * a + c * b])


def _figure_eight_area(angles: np.ndarray, *, major: float, minor: float) -> np.ndarray:
    """Return the area element divided by an upper bound, from the first fundamental form."""
    v = angles[:, 1]
    a, b, da, db = np.sin(v), np.sin(2.0 * v), np.cos(v), 2.0 * np.cos(2.0 * v)
    out = minor * _turned_eight(angles)[0]
    along = (major + out) ** 2 + 0.25 * minor**2 * (a**2 + b**2)
    across = minor**2 * (da**2 + db**2)
    mixed = 0.5 * minor**2 * (a * db - b * da)
    reach = FIGURE_EIGHT_REACH * minor
    return np.sqrt((along * across - mixed**2) / (5.0 * minor**2 * ((major + reach) ** 2 + 0.25 * reach**2)))


def make_flat_klein_bottle(
    n_samples: int = 1000,
    *,
    radius: float = 1.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Klein bottle without curvature in R^5, with exact geodesic distances.

    A rectangle of sides ``4 pi radius`` and ``2 pi radius``, whose long sides are glued after a reflection and whose
    short sides are glued as they are, mapped isometrically: with ``s = x / (2 radius)`` and ``v = y / radius``, the
    point is ``radius (cos s cos v, cos s sin v, 2 sin s cos(v/2), 2 sin s sin(v/2), sqrt(3) cos s)``.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    radius : float, default=1.0
        Scale.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from v = 0 to v = pi, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, 2) holds x in [-2 pi radius, 2 pi radius) and
        y in [0, 2 pi radius); (x, 2 pi radius) is the same point as (-x, 0).

    Examples
    --------
    >>> from holonomy.datasets import make_flat_klein_bottle
    >>> bottle = make_flat_klein_bottle(500, random_state=0)
    >>> bottle.X.shape, bottle.latent.shape
    ((500, 5), (500, 2))
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    radius = check_positive(radius, "radius")
    width, length = 2.0 * TURN * radius, TURN * radius
    latent = _sample_twisted(observation, 0.5 * width, radius)
    return observation.bunch(
        f"Flat Klein bottle of area {width:g} x {length:g}.",
        _twisted_points(latent, radius),
        latent,
        intrinsic_dim=2,
        distance=partial(_twisted_distance, length=length, width=width),
    )


def make_flat_moebius_band(
    n_samples: int = 1000,
    *,
    radius: float = 1.0,
    half_width: float = 0.5,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Moebius band without curvature in R^5, with exact geodesic distances.

    A rectangle of sides ``2 pi radius`` and ``2 half_width`` whose short sides are glued after a reflection, mapped
    isometrically as in :func:`holonomy.datasets.make_flat_klein_bottle`.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    radius : float, default=1.0
        The middle line has the length ``2 pi radius``.
    half_width : float, default=0.5
        Half the width of the band, smaller than ``pi radius``.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from y = 0 to the point half-way round, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, 2) holds x in [-half_width, half_width) across
        and y in [0, 2 pi radius) along; (x, 2 pi radius) is the same point as (-x, 0).

    Examples
    --------
    >>> from holonomy.datasets import make_flat_moebius_band
    >>> band = make_flat_moebius_band(500, random_state=0)
    >>> band.X.shape, band.latent.shape
    ((500, 5), (500, 2))
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    radius, half = check_positive(radius, "radius"), check_positive(half_width, "half_width")
    if half >= np.pi * radius:
        raise ValueError(f"half_width must be smaller than pi * radius = {np.pi * radius:g}, got {half:g}.")
    latent = _sample_twisted(observation, half, radius)
    return observation.bunch(
        f"Flat Moebius band of length {TURN * radius:g} and width {2.0 * half:g}.",
        _twisted_points(latent, radius),
        latent,
        intrinsic_dim=2,
        distance=partial(_twisted_distance, length=TURN * radius),
    )


def _sample_twisted(observation: Observation, half_width: float, radius: float) -> np.ndarray:
    (latent,) = observation.sample(
        lambda rng, m: (rng.uniform([-half_width, 0.0], [half_width, TURN * radius], (m, 2)),),
        height=lambda z: 0.5 * (1.0 - np.cos(z[:, 1] / radius)),
    )
    return latent


def _twisted_points(latent: np.ndarray, radius: float) -> np.ndarray:
    s, v = latent[:, 0] / (2.0 * radius), latent[:, 1] / radius
    out, lift = np.cos(s), 2.0 * np.sin(s)
    columns = [out * np.cos(v), out * np.sin(v), lift * np.cos(0.5 * v), lift * np.sin(0.5 * v), np.sqrt(3.0) * out]
    return radius * np.column_stack(columns)


def _twisted_distance(p: np.ndarray, q: np.ndarray, *, length: float, width: float | None = None) -> np.ndarray:
    """Return distances in a strip that is glued to its reflection after ``length``, and to itself across ``width``.

    Points (x, y) have y in [0, length). Of all images of q, an even number of times round, the nearest is q itself; of
    those an odd number of times round, it is the one in the direction in which q is less than half-way ahead.
    """
    straight, mirrored = p[..., 0] - q[..., 0], p[..., 0] + q[..., 0]
    if width is not None:
        straight, mirrored = shortest_turn(straight, width), shortest_turn(mirrored, width)
    ahead = np.abs(p[..., 1] - q[..., 1])
    return np.minimum(np.hypot(straight, ahead), np.hypot(mirrored, length - ahead))


def make_moebius_band(
    n_samples: int = 1000,
    *,
    radius: float = 1.0,
    half_width: float = 0.5,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Moebius band in R^3, uniform with respect to its area.

    A straight segment runs round the axis and makes half a turn on the way.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    radius : float, default=1.0
        Radius of the middle circle.
    half_width : float, default=0.5
        Half the length of the segment, smaller than the radius.
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
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, 2) holds the angle round the axis in [0, 2 pi)
        and the position on the segment. ``geodesic_distances`` is None: the band is curved, and has no closed form
        (:func:`holonomy.datasets.make_flat_moebius_band` has one).

    Examples
    --------
    >>> from holonomy.datasets import make_moebius_band
    >>> make_moebius_band(500, random_state=0).X.shape
    (500, 3)
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    radius, half = check_positive(radius, "radius"), check_positive(half_width, "half_width")
    if half >= radius:
        raise ValueError(f"half_width must be smaller than radius = {radius:g}, got {half:g}.")

    def area(z: np.ndarray) -> np.ndarray:
        element = np.hypot(radius + z[:, 1] * np.cos(0.5 * z[:, 0]), 0.5 * z[:, 1])
        return element / np.hypot(radius + half, 0.5 * half)

    (latent,) = observation.sample(
        lambda rng, m: (rng.uniform([0.0, -half], [TURN, half], (m, 2)),), height=_round_trip, weight=area
    )
    u, t = latent.T
    from_axis = radius + t * np.cos(0.5 * u)
    points = np.column_stack([from_axis * np.cos(u), from_axis * np.sin(u), t * np.sin(0.5 * u)])
    return observation.bunch("Moebius band in R^3.", points, latent, intrinsic_dim=2)
