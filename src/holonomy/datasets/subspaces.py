"""Linear subspaces."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr
from sklearn.utils import Bunch

from holonomy._core.random import RandomState
from holonomy._core.validation import check_int
from holonomy.datasets._ground_truth import Density, Observation
from holonomy.datasets._spaces import euclidean


def make_subspace(
    n_samples: int = 1000,
    *,
    dim: int = 2,
    scales: ArrayLike = 1.0,
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = 10,
    random_state: RandomState = None,
) -> Bunch:
    """Gaussian cloud in a random linear subspace: the model of probabilistic principal component analysis.

    A subspace has no uniform law; its points are normal.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    dim : int, default=2
        Dimension d of the subspace, at least 1.
    scales : float or array-like of shape (d,), default=1.0
        Standard deviation along each of d orthogonal directions.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates.
    density : float or callable, default=1.0
        Ratio to the normal law, which falls along the distribution function of the first latent coordinate, or
        ``latent -> [0, 1]``.
    ambient_dim : int, default=10
        Dimension D of the space, at least d. None keeps the d own coordinates.
    random_state : int, Generator, RandomState or None
        Seed.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`. ``latent`` (n, d) holds the coordinates in the subspace,
        whose basis is in the columns of ``frame``; ``geodesic_distances`` are Euclidean.

    References
    ----------
    Tipping, Bishop. Probabilistic principal component analysis. Journal of the Royal Statistical Society B, 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.datasets import make_subspace
    >>> cloud = make_subspace(500, dim=3, ambient_dim=20, noise=0.01, random_state=0)
    >>> cloud.X.shape, int(np.linalg.matrix_rank(cloud.X_clean))
    ((500, 20), 3)
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    dim = check_int(dim, "dim", minimum=1, maximum=observation.ambient_dim)
    deviations = np.asarray(scales, dtype=np.float64)
    if deviations.shape not in ((), (dim,)) or not np.isfinite(deviations).all() or (deviations <= 0.0).any():
        raise ValueError(f"scales must be one or {dim} positive finite numbers, got {deviations}.")

    def propose(rng: np.random.Generator, m: int) -> tuple[np.ndarray, ...]:
        standard = rng.standard_normal((m, dim))
        return standard * deviations, standard

    latent, _ = observation.sample(propose, height=lambda _, standard: ndtr(standard[:, 0]))
    return observation.bunch(
        f"Subspace of dimension {dim}.", latent.copy(), latent, intrinsic_dim=dim, distance=euclidean
    )
