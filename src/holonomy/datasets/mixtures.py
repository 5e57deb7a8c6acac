"""Mixtures of normal clusters on curved spaces."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from holonomy._core.random import RandomState
from holonomy._core.validation import check_int, check_option, check_points
from holonomy.datasets._ground_truth import Density, Observation, check_shares, draw_pieces
from holonomy.datasets._spaces import (
    flat_torus,
    great_circle,
    hyperbolic,
    hyperboloid_points,
    normal_coordinates,
    random_directions,
    sphere_angles,
    sphere_points,
    torus_points,
    uniform_angles,
)


def make_gaussian_mixture(
    n_samples: int = 1000,
    *,
    space: str = "sphere",
    dim: int = 2,
    centers: int | ArrayLike = 4,
    scale: ArrayLike = 0.2,
    weights: ArrayLike | None = None,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Mixture of wrapped normal clusters on a sphere, a flat torus or a hyperboloid, of radius or curvature 1 or -1.

    A cluster is an isotropic normal law in the tangent space at its centre, carried to the space along geodesics.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    space : {"sphere", "torus", "hyperboloid"}, default="sphere"
        Where the clusters lie: unit sphere, product of unit circles, or hyperboloid ``x0^2 - x1^2 - ... = 1``.
    dim : int, default=2
        Dimension d of the space, at least 1.
    centers : int or array-like of shape (k, d), default=4
        Number of centres, drawn uniformly (on the hyperboloid from the wrapped standard normal law at its origin), or
        the centres in the coordinates of ``latent``.
    scale : float or array-like of shape (k,), default=0.2
        Standard deviation of the clusters along each tangent direction, as a geodesic distance.
    weights : array-like of shape (k,), optional
        Relative sizes of the clusters; by default equal.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio to the mixture, which falls along ``(1 - x0) / 2`` (sphere), ``(1 - cos(angle0)) / 2`` (torus) or the
        Poincare radius (hyperboloid); or ``latent -> [0, 1]``.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`, and ``centers`` (k, d), ``scale`` (k,) and ``weights`` (k,).
        ``latent`` (n, d) holds angles (as in :func:`holonomy.datasets.make_sphere` and
        :func:`holonomy.datasets.make_flat_torus`) or normal coordinates (as in
        :func:`holonomy.datasets.make_hyperbolic_ball`); ``labels`` number the clusters; ``geodesic_distances`` are
        those of the space.

    References
    ----------
    Nagano, Yamaguchi, Fujita, Koyama. A wrapped normal distribution on hyperbolic space for gradient-based learning.
    ICML 2019.

    Examples
    --------
    >>> from holonomy.datasets import make_gaussian_mixture
    >>> mixture = make_gaussian_mixture(300, space="hyperboloid", centers=3, random_state=0)
    >>> mixture.X.shape, sorted(set(mixture.labels.tolist()))
    ((300, 3), [0, 1, 2])
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    place = SPACES[check_option(space, "space", SPACES)]
    dim = check_int(dim, "dim", minimum=1)
    middles = _check_centers(centers, observation.generator("centers"), place, dim)
    deviations = np.asarray(scale, dtype=np.float64)
    if deviations.shape not in ((), (len(middles),)) or not np.isfinite(deviations).all() or (deviations <= 0.0).any():
        raise ValueError(f"scale must be one or {len(middles)} positive finite numbers, got {deviations}.")
    deviations = np.broadcast_to(deviations, len(middles)).copy()
    shares = check_shares(weights, len(middles))

    def propose(rng: np.random.Generator, m: int) -> tuple[np.ndarray, ...]:
        labels = draw_pieces(rng, shares, m)
        tangents = deviations[labels, None] * rng.standard_normal((m, dim))
        return place.spread(middles[labels], tangents), labels

    latent, labels = observation.sample(propose, height=lambda z, _: place.height(z))
    return observation.bunch(
        f"Mixture of {len(middles)} normal clusters, {space} of dimension {dim}.",
        place.embed(latent),
        latent,
        intrinsic_dim=dim,
        distance=place.distance,
        coordinates=sphere_points(latent) if space == "sphere" else latent,
        labels=labels,
        centers=middles,
        scale=deviations,
        weights=shares,
    )


@dataclass(frozen=True)
class _Space:
    """What a mixture needs of the space that it lives on; ``z`` are latent coordinates (m, d)."""

    draw_centers: Callable[[np.random.Generator, int, int], np.ndarray]
    spread: Callable[[np.ndarray, np.ndarray], np.ndarray]
    embed: Callable[[np.ndarray], np.ndarray]
    height: Callable[[np.ndarray], np.ndarray]
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray]


def _check_centers(centers: int | ArrayLike, rng: np.random.Generator, place: _Space, dim: int) -> np.ndarray:
    if np.ndim(centers) == 0:
        return place.draw_centers(rng, check_int(centers, "centers", minimum=1), dim)
    points = check_points(centers, name="centers", dtype=np.float64)
    if points.shape[1] != dim:
        raise ValueError(f"centers must have dim = {dim} coordinates each, got shape {points.shape}.")
    return points.copy()


def _spread_on_sphere(centers: np.ndarray, tangents: np.ndarray) -> np.ndarray:
    """Follow geodesics from the centres: from the pole first, then a reflection that takes the pole to the centre."""
    r = np.linalg.norm(tangents, axis=1, keepdims=True)
    points = np.concatenate([np.cos(r), np.sinc(r / np.pi) * tangents], axis=1)
    normal = -sphere_points(centers)
    normal[:, 0] += 1.0
    squared = np.square(normal).sum(axis=1, keepdims=True)
    turned = points - 2.0 * (points * normal).sum(axis=1, keepdims=True) * normal / np.where(squared == 0, 1.0, squared)
    return sphere_angles(turned)


def _spread_on_hyperboloid(centers: np.ndarray, tangents: np.ndarray) -> np.ndarray:
    """Follow geodesics from the centres: from the origin first, then the boost that takes the origin to the centre."""
    points, boost = hyperboloid_points(tangents), hyperboloid_points(centers)
    along = (points[:, 1:] * boost[:, 1:]).sum(axis=1, keepdims=True)
    time = boost[:, :1] * points[:, :1] + along
    space = points[:, 1:] + boost[:, 1:] * (points[:, :1] + along / (1.0 + boost[:, :1]))
    return normal_coordinates(np.concatenate([time, space], axis=1))


SPACES = {
    "sphere": _Space(
        draw_centers=lambda rng, k, dim: sphere_angles(random_directions(rng, k, dim)),
        spread=_spread_on_sphere,
        embed=sphere_points,
        height=lambda z: 0.5 * (1.0 - np.cos(z[:, 0])),
        distance=great_circle,
    ),
    "torus": _Space(
        draw_centers=lambda rng, k, dim: uniform_angles(rng, k, dim)[0],
        spread=lambda centers, tangents: np.mod(centers + tangents, 2.0 * np.pi),
        embed=torus_points,
        height=lambda z: 0.5 * (1.0 - np.cos(z[:, 0])),
        distance=flat_torus,
    ),
    "hyperboloid": _Space(
        draw_centers=lambda rng, k, dim: rng.standard_normal((k, dim)),
        spread=_spread_on_hyperboloid,
        embed=hyperboloid_points,
        height=lambda z: np.tanh(0.5 * np.linalg.norm(z, axis=1)),
        distance=hyperbolic,
    ),
}
