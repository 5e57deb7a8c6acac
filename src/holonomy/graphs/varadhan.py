"""Distances from heat: how long it takes from one point to another says how far apart they are (Varadhan)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from holonomy._core.citations import references
from holonomy._core.validation import check_float

NOISE = 1e-14
"""Entries of a heat kernel below this, relative to the largest, are taken for rounding."""


@dataclass(frozen=True, eq=False)
class HeatDistances:
    """Distances between points, estimated from heat that flowed between them.

    Attributes
    ----------
    distances : ndarray, shape (n, n)
        Symmetric, at least 0, with 0 on the diagonal.
    far_share : float
        Share of the pairs that no heat reached; they have the largest distance of all others (or, where there are no
        others, that which ``noise`` stands for).

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import heat_distances
    >>> heat_distances(np.eye(2), 1.0).far_share
    1.0
    """

    distances: np.ndarray
    far_share: float


@references("varadhan1967behavior", "huguet2023heat")
def heat_distances(
    kernel: ArrayLike, t: float, *, harnack: float = 1.0, scale: float = 1.0, noise: float = NOISE
) -> HeatDistances:
    """Estimate geodesic distances from a heat kernel.

    ``d^2 = -4 t log H_ij + harnack 4 t log((H_ii + H_jj) / 2)``, at least 0. As t goes to 0 the first term alone tends
    to the squared geodesic distance; the second takes off what depends on the volume around the points and on t, which
    lets t be large enough to smooth noise.

    Parameters
    ----------
    kernel : array-like of shape (n, n)
        Heat kernel H at time t. Entries below 0 are errors of its approximation and count as 0.
    t : float
        Time > 0.
    harnack : float, default 1.0
        Strength of the correction, in [0, 1.5].
    scale : float, default 1.0
        p > 0 of the power ``d^p`` that is returned.
    noise : float, default 1e-14
        Entries below this, relative to the largest, tell nothing: no heat has reached these pairs.

    Returns
    -------
    HeatDistances
        The distances, and the share of pairs that are too far for this time.

    Raises
    ------
    TypeError, ValueError
        If the kernel is not square and finite, its diagonal is not positive, or a parameter is out of range.

    References
    ----------
    Varadhan (1967). On the behavior of the fundamental solution of the heat equation with variable coefficients.
    Communications on Pure and Applied Mathematics 20, 431-455.
    Huguet et al. (2023). A heat diffusion perspective on geodesic preserving dimensionality reduction. NeurIPS 36.

    Examples
    --------
    The line has the kernel ``exp(-d^2 / 4t) / sqrt(4 pi t)``, from which the distances come back exactly:

    >>> import numpy as np
    >>> from holonomy.graphs import heat_distances
    >>> line = np.array([[0.0], [1], [3]])
    >>> heat_distances(np.exp(-((line - line.T) ** 2) / 8) / np.sqrt(8 * np.pi), 2.0).distances.round(6)
    array([[0., 1., 3.],
           [1., 0., 2.],
           [3., 2., 0.]])
    """
    heat = np.asarray(kernel, dtype=np.float64)
    time = check_float(t, "t", minimum=0.0)
    strength = check_float(harnack, "harnack", minimum=0.0, maximum=1.5)
    power = check_float(scale, "scale", minimum=0.0)
    if heat.ndim != 2 or heat.shape[0] != heat.shape[1] or not np.isfinite(heat).all():
        raise ValueError(f"kernel must be a square matrix of finite numbers, got shape {heat.shape}.")
    own = np.diagonal(heat)
    if (own <= 0).any():
        raise ValueError("kernel must be positive on the diagonal; a heat kernel is.")
    if time == 0.0 or power == 0.0:
        raise ValueError(f"t and scale must be positive, got {time} and {power}.")
    heat = 0.5 * (heat + heat.T)
    is_far = heat <= check_float(noise, "noise", minimum=0.0) * own.max()
    np.fill_diagonal(is_far, False)
    with np.errstate(divide="ignore"):
        squared = -np.log(np.maximum(heat, 0.0), where=~is_far, out=np.zeros_like(heat))
    if strength:
        squared += strength * np.log(0.5 * (own[:, None] + own))
    squared *= 4.0 * time
    np.maximum(squared, 0.0, out=squared)
    np.fill_diagonal(squared, 0.0)
    if is_far.any():
        reach = float(squared[~is_far].max())
        # Where no heat reached any other point, all that is known is how little can have.
        squared[is_far] = reach if reach > 0 else -4.0 * time * np.log(max(noise, np.finfo(np.float64).tiny))
    distances = np.sqrt(squared) if power == 1.0 else squared ** (power / 2.0)
    n_pairs = max(heat.size - len(heat), 1)
    return HeatDistances(distances, float(np.count_nonzero(is_far)) / n_pairs)
