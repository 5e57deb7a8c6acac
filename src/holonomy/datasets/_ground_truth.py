"""What all synthetic sets share: how a set is observed, and the ground truth that comes with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import Bunch

from holonomy._core.parallel import native_threads
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import check_float, check_int

Density: TypeAlias = float | Callable[[np.ndarray], ArrayLike]
Proposal: TypeAlias = Callable[[np.random.Generator, int], tuple[np.ndarray, ...]]
RowFunction: TypeAlias = Callable[..., np.ndarray]
Distance: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]

LOWEST_ACCEPTANCE = 1e-4
"""Rejection sampling gives up below this share of kept proposals."""
LARGEST_BATCH = 2**20
"""Most rows proposed at once."""
BLOCK = 2**16
"""Most distances computed at once, so that temporaries stay small."""


def check_positive(value: Any, name: str) -> float:
    """Return ``value`` as a positive finite float, or raise naming the argument.

    Raises
    ------
    TypeError
        If it is not a number.
    ValueError
        If it is not finite or not positive.
    """
    number = check_float(value, name)
    if number <= 0.0:
        raise ValueError(f"{name} must be positive, got {value}.")
    return number


def check_shares(weights: ArrayLike | None, n_pieces: int, name: str = "weights") -> np.ndarray:
    """Return the share of points of each piece, shape (n_pieces,), summing to one; None means equal shares.

    Raises
    ------
    ValueError
        If there is not one non-negative finite weight a piece, or all are zero.
    """
    shares = np.ones(n_pieces) if weights is None else np.asarray(weights, dtype=np.float64)
    if shares.shape != (n_pieces,):
        raise ValueError(f"{name} must hold one number for each of {n_pieces} pieces, got shape {shares.shape}.")
    if not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() == 0.0:
        raise ValueError(f"{name} must be finite, non-negative and not all zero, got {shares}.")
    return shares / shares.sum()


@dataclass(frozen=True, eq=False)
class GeodesicDistances:
    """Geodesic distances between the rows of a set, computed when asked for.

    Attributes
    ----------
    distance : callable
        Takes two arrays of coordinates, (..., k) or (...), and returns distances (...).
    coordinates : ndarray of shape (n, k) or (n,)
        What ``distance`` needs to know of each row.
    """

    distance: Distance
    coordinates: np.ndarray

    def __call__(self, i: ArrayLike, j: ArrayLike) -> np.ndarray:
        """Return the distances between rows ``i`` and rows ``j``, whose shapes broadcast.

        Raises
        ------
        TypeError
            If ``i`` or ``j`` does not hold integers.
        ValueError
            If a row number lies outside [0, n), or the shapes do not broadcast.
        """
        rows, others = np.broadcast_arrays(self._check_rows(i, "i"), self._check_rows(j, "j"))
        return self._between(rows, others)

    def _between(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        if rows.size <= BLOCK:
            return self.distance(self.coordinates[rows], self.coordinates[others])[()]
        result = np.empty(rows.shape)
        step = BLOCK * len(rows) // rows.size
        if step == 0:
            for k in range(len(rows)):
                result[k] = self._between(rows[k], others[k])
        else:
            for start in range(0, len(rows), step):
                block = slice(start, start + step)
                result[block] = self.distance(self.coordinates[rows[block]], self.coordinates[others[block]])
        return result

    def _check_rows(self, rows: ArrayLike, name: str) -> np.ndarray:
        numbers = np.asarray(rows)
        if not np.issubdtype(numbers.dtype, np.integer):
            raise TypeError(f"{name} must hold row numbers (integers), got {numbers.dtype}.")
        n = len(self.coordinates)
        if numbers.size and (numbers.min() < 0 or numbers.max() >= n):
            raise ValueError(f"{name} must lie in [0, {n}), got {numbers.min()} to {numbers.max()}.")
        return numbers


class Observation:
    """How a set is observed: how many points, how dense where, in which dimension, with how much noise.

    A maker checks its own parameters, draws with :meth:`sample` and returns :meth:`bunch`. The parameters are those
    that all makers share; the guide to them is the documentation of :mod:`holonomy.datasets`.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or lies outside its range.
    """

    def __init__(
        self, n_samples: int, noise: float, density: Density, ambient_dim: int | None, random_state: RandomState
    ) -> None:
        self.n_samples = check_int(n_samples, "n_samples", minimum=1)
        self.noise = check_float(noise, "noise", minimum=0.0)
        self.density = density if callable(density) else check_positive(density, "density")
        self.ambient_dim = None if ambient_dim is None else check_int(ambient_dim, "ambient_dim", minimum=1)
        self.seed = check_seed(random_state)

    def generator(self, *stream: str | int) -> np.random.Generator:
        """Return the generator of the independent stream of this name."""
        return generator(self.seed, *stream)

    def sample(
        self, propose: Proposal, *, height: RowFunction, weight: RowFunction | None = None
    ) -> tuple[np.ndarray, ...]:
        """Draw ``n_samples`` independent rows.

        Parameters
        ----------
        propose : callable
            ``(generator, m) -> arrays``, each with m independent rows; the first holds latent coordinates (m, d).
        height : callable
            Takes those arrays and returns what a numeric ``density`` falls along, in [0, 1].
        weight : callable, optional
            Takes those arrays and returns the volume element relative to its largest value, in [0, 1].

        Raises
        ------
        ValueError
            If a callable ``density`` does not return m numbers in [0, 1], or is positive almost nowhere.
        """
        points, coin = self.generator("points"), self.generator("coin")
        if weight is None and self.density == 1.0:
            return propose(points, self.n_samples)
        kept: list[tuple[np.ndarray, ...]] = []
        proposed, accepted = 0, 0
        while accepted < self.n_samples:
            rate = accepted / proposed if accepted else 0.5
            batch = propose(points, min(LARGEST_BATCH, int(1.1 * (self.n_samples - accepted) / rate) + 16))
            chance = self.relative_density(batch, height)
            if weight is not None:
                chance = chance * weight(*batch)
            keep = coin.random(len(chance)) < chance
            kept.append(tuple(rows[keep] for rows in batch))
            proposed, accepted = proposed + len(keep), accepted + int(keep.sum())
            if accepted < LOWEST_ACCEPTANCE * proposed and proposed > 10 / LOWEST_ACCEPTANCE:
                raise ValueError(
                    f"density is too low almost everywhere: it kept {accepted} of {proposed} proposed points. "
                    "Scale it so that its largest value is 1, or spread it out."
                )
        return tuple(np.concatenate(rows)[: self.n_samples] for rows in zip(*kept, strict=True))

    def relative_density(self, rows: tuple[np.ndarray, ...], height: RowFunction) -> np.ndarray:
        """Return the wanted density of each row relative to the default law, in [0, 1].

        Raises
        ------
        ValueError
            If a callable ``density`` returns anything but one number in [0, 1] a row.
        """
        if not callable(self.density):
            return self.density ** -height(*rows) * min(1.0, self.density)
        latent = rows[0]
        values = np.asarray(self.density(latent.copy()), dtype=np.float64)
        if values.shape != (len(latent),):
            raise ValueError(
                f"density must return one number for each of {len(latent)} latent points, got shape {values.shape}."
            )
        if not ((values >= 0.0) & (values <= 1.0)).all():
            raise ValueError(f"density must return numbers in [0, 1], got {np.min(values)} to {np.max(values)}.")
        return values

    def bunch(
        self,
        description: str,
        points: np.ndarray,
        latent: np.ndarray,
        *,
        intrinsic_dim: int,
        distance: Distance | None = None,
        coordinates: np.ndarray | None = None,
        labels: np.ndarray | None = None,
        local_dim: np.ndarray | None = None,
        **more: Any,
    ) -> Bunch:
        """Turn points into the ambient space, add noise, and collect the ground truth.

        Parameters
        ----------
        description : str
            One sentence on the set, for ``DESCR``.
        points : ndarray of shape (n, own dimension)
            Noise-free points in the set's own coordinates.
        latent : ndarray of shape (n, d)
            What made them.
        intrinsic_dim : int
            Dimension of the set, the highest where pieces differ.
        distance : callable, optional
            Geodesic distance between two arrays of ``coordinates``; must be picklable.
        coordinates : ndarray of shape (n, k), optional
            What ``distance`` takes, by default ``latent``.
        labels, local_dim : ndarray of int, shape (n,), optional
            By default zeros, and ``intrinsic_dim`` everywhere.
        **more
            Further entries.

        Raises
        ------
        ValueError
            If ``ambient_dim`` is smaller than the dimension of the set's own coordinates.
        """
        clean, frame = self._turn(points)
        noisy = (
            clean + self.noise * self.generator("noise").standard_normal(clean.shape) if self.noise else clean.copy()
        )
        n = len(points)
        return Bunch(
            X=noisy,
            X_clean=clean,
            latent=latent,
            intrinsic_dim=intrinsic_dim,
            local_dim=np.full(n, intrinsic_dim) if local_dim is None else local_dim,
            geodesic_distances=distance and GeodesicDistances(distance, latent if coordinates is None else coordinates),
            labels=np.zeros(n, dtype=np.int64) if labels is None else labels,
            frame=frame,
            DESCR=f"{description} {n} points in R^{clean.shape[1]}, intrinsic dimension {intrinsic_dim}, "
            f"noise {self.noise:g}.",
            **more,
        )

    def _turn(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the points in the ambient space, and the frame: orthonormal columns, Haar-distributed."""
        if self.ambient_dim is None:
            return points, None
        own_dim = points.shape[1]
        if self.ambient_dim < own_dim:
            raise ValueError(
                f"ambient_dim must be at least {own_dim}, the dimension of this set's own coordinates, "
                f"got {self.ambient_dim}."
            )
        normal = self.generator("frame").standard_normal((self.ambient_dim, own_dim))
        # On several threads, BLAS adds up in an order that depends on their number.
        with native_threads(1, user_api="blas"):
            columns, triangle = np.linalg.qr(normal)
            # The sign of the diagonal is a convention of the solver; fixing it makes the law uniform.
            frame = columns * np.where(np.diag(triangle) < 0, -1.0, 1.0)
            return points @ frame.T, frame


def draw_pieces(rng: np.random.Generator, shares: np.ndarray, m: int) -> np.ndarray:
    """Return the piece of each of ``m`` independent points, shape (m,)."""
    return rng.choice(len(shares), size=m, p=shares)
