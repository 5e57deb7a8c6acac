"""Sets that are manifolds except at one point: spheres that touch, and a pinch."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from holonomy._core.random import RandomState
from holonomy._core.validation import check_int
from holonomy.datasets._ground_truth import Density, Observation, check_positive, check_shares, draw_pieces
from holonomy.datasets._spaces import great_circle, random_directions, sphere_angles, uniform_angles


def make_wedge_of_spheres(
    n_samples: int = 1000,
    *,
    dims: Sequence[int] = (1, 2),
    radius: float = 1.0,
    weights: ArrayLike | None = None,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Spheres of given dimensions that share one point and nothing else.

    Two spheres lie on opposite sides of their common tangent space; with more than two, each further pair has
    coordinates of its own.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    dims : sequence of int, default=(1, 2)
        Dimension of each sphere, at least 1; two spheres or more.
    radius : float, default=1.0
        Radius of all spheres.
    weights : array-like of shape (n_spheres,), optional
        Relative numbers of points on the spheres; by default equal.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from the common point to the points opposite, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`, and ``distance_to_singularity`` (n,), straight to the common
        point. ``latent`` holds each sphere's angles, the first of them from the common point; ``labels`` number the
        spheres. ``geodesic_distances`` between spheres pass the common point.

    Examples
    --------
    >>> from holonomy.datasets import make_wedge_of_spheres
    >>> wedge = make_wedge_of_spheres(500, dims=(1, 2), random_state=0)
    >>> wedge.X.shape, wedge.intrinsic_dim, sorted(set(wedge.local_dim.tolist()))
    ((500, 3), 2, [1, 2])
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    sizes = _check_dims(dims)
    radius, shares = check_positive(radius, "radius"), check_shares(weights, len(sizes))
    largest = max(sizes)

    def propose(rng: np.random.Generator, m: int) -> tuple[np.ndarray, ...]:
        labels = draw_pieces(rng, shares, m)
        latent, directions = np.zeros((m, largest)), np.zeros((m, largest + 1))
        for piece, dim in enumerate(sizes):
            rows = np.flatnonzero(labels == piece)
            directions[rows, : dim + 1] = random_directions(rng, len(rows), dim)
            latent[rows, :dim] = sphere_angles(directions[rows, : dim + 1])
        return latent, directions, labels

    latent, directions, labels = observation.sample(propose, height=lambda _, u, __: 0.5 * (1.0 - u[:, 0]))
    points = _wedge_points(directions, labels, sizes, radius)
    return observation.bunch(
        f"Wedge of spheres of dimensions {', '.join(map(str, sizes))}.",
        points,
        latent,
        intrinsic_dim=largest,
        distance=partial(_wedge_distance, radius=radius),
        coordinates=np.column_stack([labels, directions]),
        labels=labels,
        local_dim=np.array(sizes)[labels],
        distance_to_singularity=np.linalg.norm(points, axis=1),
    )


def _check_dims(dims: Sequence[int]) -> list[int]:
    if isinstance(dims, str) or not isinstance(dims, Sequence | np.ndarray):
        raise TypeError(f"dims must be a sequence of integers, got {dims!r}.")
    if len(dims) < 2:
        raise ValueError(f"dims must name at least two spheres, got {dims!r}.")
    return [check_int(dim, "dims", minimum=1) for dim in dims]


def _wedge_points(directions: np.ndarray, labels: np.ndarray, sizes: list[int], radius: float) -> np.ndarray:
    """Place sphere k, given by unit vectors whose pole is the common point, at the origin: even k left, odd k right."""
    blocks = []
    for first in range(0, len(sizes), 2):
        block = np.zeros((len(labels), max(sizes[first : first + 2]) + 1))
        for piece in range(first, min(first + 2, len(sizes))):
            rows = labels == piece
            block[rows] = radius * directions[rows, : block.shape[1]]
            block[rows, 0] = (block[rows, 0] - radius) * (1.0 if piece % 2 == 0 else -1.0)
        blocks.append(block)
    return np.concatenate(blocks, axis=1)


def _wedge_distance(p: np.ndarray, q: np.ndarray, *, radius: float) -> np.ndarray:
    """Return distances between (sphere, unit vector) pairs."""
    u, v = p[..., 1:], q[..., 1:]
    pole = np.zeros(u.shape[-1])
    pole[0] = 1.0
    through_pole = great_circle(u, pole, radius) + great_circle(v, pole, radius)
    return np.where(p[..., 0] == q[..., 0], great_circle(u, v, radius), through_pole)


def make_pinched_torus(
    n_samples: int = 1000,
    *,
    major_radius: float = 2.0,
    minor_radius: float = 1.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Torus in R^3 with one circle shrunk to a point, uniform with respect to its area.

    At angle a round the axis, the tube has the radius ``minor_radius |sin(a / 2)|``.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    major_radius, minor_radius : float, default=2.0 and 1.0
        Distance of the tube's centre from the axis, and largest radius of the tube, which must be smaller.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio by which the density falls from the pinch to the thickest part, or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`, and ``distance_to_singularity`` (n,), straight to the pinch.
        ``latent`` (n, 2) holds the angle round the axis (0 is the pinch) and the angle round the tube, in [0, 2 pi).
        ``geodesic_distances`` is None: no closed form.

    Examples
    --------
    >>> from holonomy.datasets import make_pinched_torus
    >>> make_pinched_torus(500, random_state=0).X.shape
    (500, 3)
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    major, minor = check_positive(major_radius, "major_radius"), check_positive(minor_radius, "minor_radius")
    if minor >= major:
        raise ValueError(f"minor_radius must be smaller than major_radius = {major:g}, got {minor:g}.")

    def area(a: np.ndarray) -> np.ndarray:
        tube = minor * np.sin(0.5 * a[:, 0])
        along = np.hypot(major + tube * np.cos(a[:, 1]), 0.5 * minor * np.cos(0.5 * a[:, 0]))
        return tube * along / (minor * np.hypot(major + minor, 0.5 * minor))

    (latent,) = observation.sample(
        partial(uniform_angles, dim=2), height=lambda a: 0.5 * (1.0 - np.cos(a[:, 0])), weight=area
    )
    around, angle = latent.T
    tube = minor * np.sin(0.5 * around)
    from_axis = major + tube * np.cos(angle)
    points = np.column_stack([from_axis * np.cos(around), from_axis * np.sin(around), tube * np.sin(angle)])
    return observation.bunch(
        f"Pinched torus with radii {major:g} and {minor:g}.",
        points,
        latent,
        intrinsic_dim=2,
        distance_to_singularity=np.linalg.norm(points - [major, 0.0, 0.0], axis=1),
    )
