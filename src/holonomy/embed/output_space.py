"""The space a map lives in: its distances, its coordinates, and the steps of a layout in it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from holonomy._core.validation import check_int, check_option, check_points
from holonomy.embed import _output_kernels as kernels
from holonomy.embed._metric_gradients import ALIASES, CODES, gradient_metric

GAUSSIANS = {"spherical_gaussian_energy": 3, "diagonal_gaussian_energy": 4, "gaussian_energy": 5}
"""Numbers of coordinates of a Gaussian: mean, one or two variances, angle."""

CURVED = {"haversine": kernels.SPHERE, "hyperboloid": kernels.HYPERBOLOID}
RADII = {"haversine": 0.9 * np.pi, "hyperboloid": 3.0}
"""How far from the centre the start of a layout reaches."""

BLOCK = 256
"""Rows whose distances to all others are held at a time."""


@dataclass(frozen=True)
class OutputGeometry:
    """A space for maps, as `output_geometry` returns it.

    A layout moves points in internal coordinates, which `enter` and `leave` convert from and to those a user sees:
    latitude and longitude in radians (``"haversine"``, unit vectors inside); the space-like coordinates of points of
    the hyperboloid, whose time-like one is sqrt(1 + |x|^2); mean, variances and angle of a Gaussian (logarithms of the
    variances inside); and for all others the coordinates themselves.

    Attributes
    ----------
    metric : str
        Name of the distance.
    code : int
        Its number in the compiled steps.
    exponent : float
        p of minkowski.
    weights : ndarray
        Weights of seuclidean or mahalanobis.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import output_geometry
    >>> sphere = output_geometry("haversine", None, 2)
    >>> sphere.distances(np.array([[0.0, 0.0]]), np.array([[0.0, np.pi / 2]])).round(4)
    array([[1.5708]])
    """

    metric: str
    code: int
    exponent: float
    weights: np.ndarray

    @property
    def steps(self) -> tuple[Callable[..., None], Callable[..., None]]:
        """The compiled steps of a layout: attraction and repulsion."""
        fixed = (self.code, self.exponent, self.weights)
        return partial(kernels.attract, *fixed), partial(kernels.repel, *fixed)

    def enter(self, coordinates: np.ndarray) -> np.ndarray:
        """Convert coordinates of a map to internal ones."""
        if self.metric == "haversine":
            latitude, longitude = coordinates.T
            around = np.cos(latitude)
            return np.column_stack([around * np.cos(longitude), around * np.sin(longitude), np.sin(latitude)])
        if self.metric in GAUSSIANS:
            inside = np.array(coordinates, dtype=np.float64)
            inside[:, 2:4] = np.log(inside[:, 2:4])
            return inside
        return coordinates

    def leave(self, inside: np.ndarray) -> np.ndarray:
        """Convert internal coordinates to those of the map."""
        if self.metric == "haversine":
            x, y, z = inside.T
            return np.column_stack([np.arctan2(z, np.hypot(x, y)), np.arctan2(y, x)])
        if self.metric in GAUSSIANS:
            coordinates = np.array(inside)
            coordinates[:, 2:4] = np.exp(coordinates[:, 2:4])
            if coordinates.shape[1] == 5:
                coordinates[:, 4] = np.remainder(coordinates[:, 4] + np.pi / 2, np.pi) - np.pi / 2
            return coordinates
        return inside

    def start(self, flat: np.ndarray) -> np.ndarray:
        """Bring a flat start into the space, in internal coordinates.

        On sphere and hyperboloid it is wrapped around a point, distances from which stay in proportion. Gaussians
        start round, with variance 1.
        """
        centred = flat - flat.mean(axis=0)
        if self.metric in GAUSSIANS:
            inside = np.zeros_like(centred)
            inside[:, :2] = centred[:, :2]
            return inside
        if self.metric not in CURVED:
            return centred
        radius = np.linalg.norm(centred, axis=1)
        largest = radius.max(initial=0.0)
        length = radius * (RADII[self.metric] / largest if largest > 0 else 1.0)
        unit = centred / np.where(radius > 0, radius, 1.0)[:, None]
        if self.metric == "hyperboloid":
            return unit * np.sinh(length)[:, None]
        return np.column_stack([unit * np.sin(length)[:, None], np.cos(length)])

    def mean(self, weights: Any, inside: np.ndarray) -> np.ndarray:
        """Weighted means of points in internal coordinates, ``weights`` (m, n) summing to 1 in each row."""
        means = weights @ inside
        if self.metric != "haversine":
            return means
        norms = np.linalg.norm(means, axis=1, keepdims=True)
        return np.where(norms > 1e-9, means / np.where(norms > 0, norms, 1.0), [0.0, 0.0, 1.0])

    def distances(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Distances (m, n) between places on the map, in its own coordinates."""
        one, two = (np.ascontiguousarray(self.enter(part), dtype=np.float64) for part in (rows, others))
        result = np.empty((len(one), len(two)))
        kernels.distances_between(self.code, self.exponent, self.weights, one, two, result)
        return result

    def nearest(self, rows: np.ndarray, others: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Find indices and distances, each (m, k), of the places nearest to each of ``rows``; ties by index."""
        indices, distances = np.empty((len(rows), k), dtype=np.int32), np.empty((len(rows), k), dtype=np.float32)
        for first in range(0, len(rows), BLOCK):
            block = slice(first, first + BLOCK)
            between = np.maximum(self.distances(rows[block], others), 0.0)
            indices[block] = np.argsort(between, axis=1, kind="stable")[:, :k]
            distances[block] = np.take_along_axis(between, indices[block], axis=1)
        return indices, distances


def output_geometry(metric: Any, parameters: dict[str, Any] | None, n_components: int) -> OutputGeometry | None:
    """Return the space of a map, or None for the Euclidean one, which has faster steps of its own.

    Parameters
    ----------
    metric : str
        ``"euclidean"``; ``"haversine"``, the sphere, 2 coordinates; ``"hyperboloid"``, hyperbolic space;
        ``"gaussian_energy"`` (5 coordinates), ``"diagonal_gaussian_energy"`` (4) and ``"spherical_gaussian_energy"``
        (3), where points are Gaussians in the plane and their distance is -log of their overlap; or manhattan,
        chebyshev, minkowski, seuclidean, mahalanobis, cosine, correlation, canberra, braycurtis.
    parameters : dict or None
        ``p``, ``V`` or ``VI`` of minkowski, seuclidean and mahalanobis.
    n_components : int
        Coordinates of the map.

    Returns
    -------
    OutputGeometry or None

    Raises
    ------
    ValueError
        If the metric is unknown, lacks a parameter, or has another number of coordinates.

    Examples
    --------
    >>> from holonomy.embed import output_geometry
    >>> output_geometry("euclidean", None, 2) is None
    True
    >>> output_geometry("hyperboloid", None, 3).metric
    'hyperboloid'
    """
    name = ALIASES.get(metric, metric) if isinstance(metric, str) else metric
    check_option(name, "output_metric", (*CODES, *CURVED, *GAUSSIANS))
    if name == "euclidean":
        return None
    dim = check_int(n_components, "n_components", minimum=1)
    needed = GAUSSIANS.get(name, 2 if name == "haversine" else dim)
    if dim != needed:
        raise ValueError(f"output_metric={name!r} has {needed} coordinates, got n_components={dim}.")
    if name in CURVED or name in GAUSSIANS:
        return OutputGeometry(name, CURVED.get(name, kernels.GAUSSIAN), 2.0, np.ones((1, 1)))
    return OutputGeometry(name, *gradient_metric(name, parameters, "output_metric"))


def given_start(geometry: OutputGeometry, init: Any, n: int, n_components: int) -> np.ndarray:
    """Check a start given in the coordinates of a map and return it in internal ones.

    Raises
    ------
    ValueError
        If it has another shape, or a variance that is not positive.
    """
    given = check_points(init, name="init", dtype=np.float64)
    if given.shape != (n, n_components):
        raise ValueError(f"init must have shape {(n, n_components)}, got {given.shape}.")
    if geometry.metric in GAUSSIANS and (given[:, 2:4] <= 0).any():
        raise ValueError("init must have positive variances in the coordinates after the mean.")
    return geometry.enter(given)
