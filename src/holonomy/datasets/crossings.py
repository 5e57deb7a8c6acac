"""Lines and planes that cross."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from holonomy._core.random import RandomState
from holonomy._core.validation import check_float, check_int
from holonomy.datasets._ground_truth import Density, Observation, check_positive, check_shares, draw_pieces


def make_crossing_lines(
    n_samples: int = 1000,
    *,
    n_lines: int = 2,
    angle: float | None = None,
    half_length: float = 1.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Segments in the plane that cross at their middles.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    n_lines : int, default=2
        Number of segments, at least 2.
    angle : float, optional
        Angle between each segment and the next, in radians, less than ``pi / (n_lines - 1)``; by default
        ``pi / n_lines``.
    half_length : float, default=1.0
        Half the length of each segment.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from the crossing to the ends, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`, and ``distance_to_singularity`` (n,), to the crossing.
        ``latent`` (n, 1) is the signed distance from the crossing; ``labels`` number the segments.

    Examples
    --------
    >>> from holonomy.datasets import make_crossing_lines
    >>> lines = make_crossing_lines(400, n_lines=3, random_state=0)
    >>> lines.X.shape, sorted(set(lines.labels.tolist()))
    ((400, 2), [0, 1, 2])
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    return _crossing(observation, "line", n_lines, angle, half_length)


def make_crossing_planes(
    n_samples: int = 1000,
    *,
    n_planes: int = 2,
    angle: float | None = None,
    half_length: float = 1.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Squares in R^3 that cross in a common middle line.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    n_planes : int, default=2
        Number of squares, at least 2.
    angle : float, optional
        Angle between each square and the next, in radians, less than ``pi / (n_planes - 1)``; by default
        ``pi / n_planes``.
    half_length : float, default=1.0
        Half the side of each square.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from the crossing to the sides parallel to it, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`, and ``distance_to_singularity`` (n,), to the crossing.
        ``latent`` (n, 2) holds the signed distance from the crossing and the position along it; ``labels`` number the
        squares. ``geodesic_distances`` between squares unfold them to a plane.

    Examples
    --------
    >>> from holonomy.datasets import make_crossing_planes
    >>> planes = make_crossing_planes(400, random_state=0)
    >>> planes.X.shape, planes.intrinsic_dim
    ((400, 3), 2)
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    return _crossing(observation, "plane", n_planes, angle, half_length)


def _crossing(observation: Observation, kind: str, n_pieces: int, angle: float | None, half_length: float) -> Bunch:
    """Return cubes of dimension 1 (lines) or 2 (planes) that are turned about their common middle."""
    dim = 1 if kind == "line" else 2
    n_pieces = check_int(n_pieces, f"n_{kind}s", minimum=2)
    half = check_positive(half_length, "half_length")
    turn = np.pi / n_pieces if angle is None else check_positive(angle, "angle")
    if turn >= np.pi / (n_pieces - 1):
        raise ValueError(
            f"angle must be less than pi / (n_{kind}s - 1) = {np.pi / (n_pieces - 1):g}, or the first and the last "
            f"{kind} meet, got {turn:g}."
        )

    def propose(rng: np.random.Generator, m: int) -> tuple[np.ndarray, ...]:
        return rng.uniform(-half, half, (m, dim)), rng.integers(n_pieces, size=m)

    latent, labels = observation.sample(propose, height=lambda z, _: np.abs(z[:, 0]) / half)
    across = latent[:, 0]
    return observation.bunch(
        f"{n_pieces} crossing {kind}s at an angle of {turn:g}.",
        np.column_stack([across * np.cos(turn * labels), across * np.sin(turn * labels), latent[:, 1:]]),
        latent,
        intrinsic_dim=dim,
        distance=_unfolded_distance,
        coordinates=np.column_stack([labels, latent]),
        labels=labels,
        distance_to_singularity=np.abs(across),
    )


def _unfolded_distance(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return distances between (piece, distance from the crossing, position along it ...) rows.

    The half of another piece unfolds to the far side of the crossing.
    """
    u, v = p[..., 1], q[..., 1]
    across = np.where(p[..., 0] == q[..., 0], np.abs(u - v), np.abs(u) + np.abs(v))
    return np.hypot(across, np.linalg.norm(p[..., 2:] - q[..., 2:], axis=-1))


def make_crossing_line_and_plane(
    n_samples: int = 1000,
    *,
    angle: float = 0.5 * np.pi,
    half_length: float = 1.0,
    weights: ArrayLike | None = None,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Segment that crosses a square in R^3 at the middles of both: dimension 1 and 2.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    angle : float, default=pi / 2
        Angle between segment and square, in (0, pi / 2].
    half_length : float, default=1.0
        Half the length of the segment and half the side of the square.
    weights : array-like of shape (2,), optional
        Relative numbers of points on segment and square; by default equal.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from the crossing to the corners of the square, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`, and ``distance_to_singularity`` (n,), to the crossing.
        ``latent`` (n, 2) holds the position on the segment and 0, or the position on the square; ``labels`` are 0 on
        the segment and 1 on the square. ``geodesic_distances`` between the two pass the crossing.

    Examples
    --------
    >>> from holonomy.datasets import make_crossing_line_and_plane
    >>> crossing = make_crossing_line_and_plane(400, random_state=0)
    >>> crossing.X.shape, sorted(set(crossing.local_dim.tolist()))
    ((400, 3), [1, 2])
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    half, shares = check_positive(half_length, "half_length"), check_shares(weights, 2)
    tilt = check_float(angle, "angle", maximum=0.5 * np.pi)
    if tilt <= 0.0:
        raise ValueError(f"angle must lie in (0, pi / 2], got {angle}.")

    def propose(rng: np.random.Generator, m: int) -> tuple[np.ndarray, ...]:
        labels = draw_pieces(rng, shares, m)
        latent = rng.uniform(-half, half, (m, 2))
        latent[labels == 0, 1] = 0.0
        return latent, labels

    latent, labels = observation.sample(
        propose, height=lambda z, _: np.minimum(1.0, np.hypot(z[:, 0], z[:, 1]) / (np.sqrt(2.0) * half))
    )
    on_line = labels == 0
    points = np.column_stack([latent, np.where(on_line, latent[:, 0] * np.sin(tilt), 0.0)])
    points[on_line, 0] *= np.cos(tilt)
    return observation.bunch(
        f"Line that crosses a plane at an angle of {tilt:g}.",
        points,
        latent,
        intrinsic_dim=2,
        distance=_through_crossing_distance,
        coordinates=np.column_stack([labels, latent]),
        labels=labels,
        local_dim=labels + 1,
        distance_to_singularity=np.linalg.norm(latent, axis=1),
    )


def _through_crossing_distance(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return distances between (piece, position) rows of pieces that meet in the origin."""
    straight = np.linalg.norm(p[..., 1:] - q[..., 1:], axis=-1)
    bent = np.linalg.norm(p[..., 1:], axis=-1) + np.linalg.norm(q[..., 1:], axis=-1)
    return np.where(p[..., 0] == q[..., 0], straight, bent)
