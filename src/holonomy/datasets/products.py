"""Products of sets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from holonomy._core.random import RandomState, derive_seed
from holonomy.datasets._ground_truth import LOWEST_ACCEPTANCE, Density, Observation

Factor: TypeAlias = Bunch | Callable[..., Bunch]

NEEDED = ("X", "X_clean", "latent", "intrinsic_dim", "local_dim", "geodesic_distances", "labels")
"""Entries that a product takes from its factors."""


def make_product(
    n_samples: int = 1000,
    *,
    factors: Sequence[Factor],
    noise: float = 0.0,
    density: Density = 1.0,
    ambient_dim: int | None = None,
    random_state: RandomState = None,
) -> Bunch:
    """Product of two or more sets: every point pairs one point of each.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of points.
    factors : sequence of makers or Bunches
        Makers of this room, with their own parameters through :func:`functools.partial`; or finished sets of
        ``n_samples`` points, paired row by row.
    noise : float, default=0.0
        Standard deviation of isotropic Gaussian noise in all D coordinates, on top of any that the factors have.
    density : float or callable, default=1.0
        Ratio by which the density falls along the mean height of the factors (it replaces a density of their own), or
        ``latent -> [0, 1]``. Needs makers, because finished sets cannot be drawn again.
    ambient_dim : int, optional
        Dimension D to turn the set into by a random frame.
    random_state : int, Generator, RandomState or None
        Seed; each maker gets one of its own.

    Returns
    -------
    Bunch
        The entries described in :mod:`holonomy.datasets`, and ``factor_labels`` (n, k). ``X`` and ``latent`` are those
        of the factors side by side, dimensions add up, ``labels`` number the combinations of the factors' labels, and
        ``geodesic_distances`` are the roots of sums of squares, None if a factor has none.

    Examples
    --------
    >>> from functools import partial
    >>> from holonomy.datasets import make_helix, make_product, make_sphere
    >>> product = make_product(400, factors=(partial(make_sphere, dim=2), make_helix), random_state=0)
    >>> product.X.shape, product.intrinsic_dim
    ((400, 6), 3)
    """
    observation = Observation(n_samples, noise, density, ambient_dim, random_state)
    parts, rows = _draw(observation, _check_factors(factors, observation))
    points = np.hstack([part.X_clean for part in parts])[rows]
    own_noise = np.hstack([part.X for part in parts])[rows] - points
    factor_labels = np.column_stack([part.labels for part in parts])[rows]
    exact = all(part.geodesic_distances is not None for part in parts)
    product = observation.bunch(
        f"Product of {len(parts)} sets ({' '.join(part.get('DESCR', '') for part in parts)}).",
        points,
        np.hstack([part.latent for part in parts])[rows],
        intrinsic_dim=sum(int(part.intrinsic_dim) for part in parts),
        distance=_ProductDistance(tuple(part.geodesic_distances for part in parts)) if exact else None,
        coordinates=rows,
        labels=_combine(factor_labels),
        local_dim=sum(part.local_dim for part in parts)[rows],
        factor_labels=factor_labels,
    )
    if own_noise.any():
        product.X += own_noise if product.frame is None else np.einsum("nk,dk->nd", own_noise, product.frame)
    return product


@dataclass(frozen=True, eq=False)
class _ProductDistance:
    """Distance between rows of the factors, by row number."""

    factors: tuple[Callable[[ArrayLike, ArrayLike], np.ndarray], ...]

    def __call__(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        return np.sqrt(sum(np.square(distances(i, j)) for distances in self.factors))


def _check_factors(factors: Sequence[Factor], observation: Observation) -> list[Factor]:
    if not isinstance(factors, Sequence) or len(factors) < 2:
        raise ValueError(f"factors must be a sequence of two makers or Bunches, or more, got {factors!r}.")
    redraws = callable(observation.density) or observation.density != 1.0
    for k, factor in enumerate(factors):
        if not isinstance(factor, Bunch):
            if not callable(factor):
                raise TypeError(f"factors[{k}] must be a maker or a Bunch, got {type(factor).__name__}.")
            continue
        if redraws:
            raise ValueError(f"density needs makers, and factors[{k}] is a finished set; pass its maker instead.")
        _check_part(factor, k, observation.n_samples)
    return list(factors)


def _check_part(part: Any, k: int, n_samples: int) -> Bunch:
    if not isinstance(part, Bunch):
        raise TypeError(
            f"factors[{k}] must be a maker, which returns a Bunch, but it returned a {type(part).__name__}."
        )
    missing = [entry for entry in NEEDED if entry not in part]
    if missing:
        raise ValueError(f"factors[{k}] lacks the ground truth {', '.join(missing)}; pass what a maker returns.")
    if len(part.X) != n_samples:
        raise ValueError(f"factors[{k}] has {len(part.X)} points, and n_samples is {n_samples}; they must be equal.")
    return part


def _draw(observation: Observation, factors: list[Factor]) -> tuple[list[Bunch], np.ndarray]:
    """Return the factors' points and the rows of them to keep.

    A numeric density is shared out among the makers, whose heights are independent. For a callable one, more and more
    points are drawn until enough are accepted, each time afresh, so that what was drawn in vain has no influence.
    """
    n, density = observation.n_samples, observation.density
    if not callable(density):
        options = {} if density == 1.0 else {"density": density ** (1.0 / len(factors))}
        return _make(observation, factors, n, options), np.arange(n)
    drawn = n
    while True:
        parts = _make(observation, factors, drawn, {})
        latent = np.hstack([part.latent for part in parts])
        chances = observation.relative_density((latent,), lambda z: np.zeros(len(z)))
        rows = np.flatnonzero(observation.generator("coin", drawn).random(drawn) < chances)
        if len(rows) >= n:
            return parts, rows[:n]
        if len(rows) < LOWEST_ACCEPTANCE * drawn and drawn > 10 / LOWEST_ACCEPTANCE:
            raise ValueError(f"density is too low almost everywhere: it kept {len(rows)} of {drawn} points.")
        drawn *= 4


def _make(observation: Observation, factors: list[Factor], n: int, options: dict[str, Any]) -> list[Bunch]:
    parts = []
    for k, factor in enumerate(factors):
        if not isinstance(factor, Bunch):
            seed = derive_seed(observation.seed, "factor", k, n)
            factor = _check_part(factor(n_samples=n, random_state=seed, **options), k, n)
        parts.append(factor)
    return parts


def _combine(factor_labels: np.ndarray) -> np.ndarray:
    """Return one number for each combination of labels; the last factor's runs fastest."""
    return np.ravel_multi_index(tuple(factor_labels.T), tuple(factor_labels.max(axis=0) + 1))
