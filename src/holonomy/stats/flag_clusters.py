"""Clusters of nested subspaces."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.manifolds import Flag
from holonomy.stats._flag_problem import take_flags
from holonomy.stats._inputs import ArrayLike
from holonomy.stats.flag_centers import flag_mean, flag_median


class FlagKMeans(ClusterMixin, BaseEstimator):
    """K-means of flags: each belongs to the nearest centre, and each centre is the chordal average of its flags.

    The first centres are data points, drawn far from each other with chances that grow with the squared distance. An
    empty cluster takes the flag that is farthest from its centre. Flags are arrays of three axes, so it takes no tables
    of features, which scikit-learn's own checks are made of.

    Parameters
    ----------
    n_clusters : int, default 8
        Clusters.
    dims : sequence of int, default (1,)
        Dimensions of the subspaces, increasing; the last is the number k of columns of the flags.
    center : {"mean", "median"}, default "mean"
        Kind of the centres.
    n_init : int, default 5
        Repetitions with other first centres; the best is kept.
    max_iter : int, default 100
        Most rounds of each.
    tol : float, default 1e-8
        Relative fall of the objective at which to stop.
    orthonormalise : bool, default False
        Whether to make columns orthonormal that are not.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the first centres.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, d, k)
        Centres, as frames.
    labels_ : ndarray of shape (n,)
        Cluster of each flag.
    inertia_ : float
        Sum of squared chordal distances to the centres, of distances for medians.
    n_iter_ : int
        Rounds of the best repetition.

    Raises
    ------
    ValueError
        If there are fewer flags than clusters, columns are not orthonormal, or an option is out of range.

    References
    ----------
    Mankovich & Birdal (2023), "Chordal Averaging on Flag Manifolds and Its Applications".

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import FlagKMeans
    >>> rng = np.random.default_rng(0)
    >>> flags = np.concatenate([np.eye(5)[None, :, :2].repeat(10, 0), np.eye(5)[None, :, 3:].repeat(10, 0)])
    >>> flags = np.linalg.qr(flags + 0.1 * rng.standard_normal(flags.shape))[0]
    >>> labels = FlagKMeans(2, (1, 2)).fit_predict(flags)
    >>> labels[0] != labels[-1], np.bincount(labels).tolist()
    (np.True_, [10, 10])
    """

    _references = ("mankovich2023chordal",)

    def __init__(
        self,
        n_clusters: int = 8,
        dims: Sequence[int] = (1,),
        *,
        center: str = "mean",
        n_init: int = 5,
        max_iter: int = 100,
        tol: float = 1e-8,
        orthonormalise: bool = False,
        random_state: RandomState = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.dims = dims
        self.center = center
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.orthonormalise = orthonormalise
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> "FlagKMeans":
        """Find the clusters of flags X (n, d, k)."""
        space, x = self._take(X)
        count = check_int(self.n_clusters, "n_clusters", minimum=1, maximum=len(x))
        check_option(self.center, "center", ("mean", "median"))
        repeats, rounds = check_int(self.n_init, "n_init", minimum=1), check_int(self.max_iter, "max_iter", minimum=1)
        tol, seed = check_float(self.tol, "tol", minimum=0.0), check_seed(self.random_state)
        runs = [self._run(space, x, count, rounds, tol, seed, i) for i in range(repeats)]
        centers, labels, self.inertia_, self.n_iter_, done = min(runs, key=lambda run: run[2])
        if not done:
            warnings.warn(
                f"The clusters still change after {rounds} rounds; raise max_iter or tol.",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.cluster_centers_, self.labels_ = centers.numpy(), labels.numpy()
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the chordal distances (n, n_clusters) of flags to the centres."""
        check_is_fitted(self)
        space, x = self._take(X)
        if x.shape[1] != self.cluster_centers_.shape[1]:
            raise ValueError(
                f"X must hold flags of R^{self.cluster_centers_.shape[1]}, as those of fit, got R^{x.shape[1]}."
            )
        return self._distances(space, x, torch.from_numpy(self.cluster_centers_)).numpy()

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the nearest centre (n,) of each flag."""
        return self.transform(X).argmin(axis=1)

    def _take(self, X: ArrayLike) -> tuple[Flag, Tensor]:
        space, x = take_flags(X if isinstance(X, Tensor) else np.asarray(X), tuple(self.dims), self.orthonormalise, "X")
        if x.ndim != 3:
            raise ValueError(f"X must have shape (n, d, {space.dims[-1]}), got {tuple(x.shape)}.")
        return space, x.detach()

    def _run(
        self, space: Flag, x: Tensor, count: int, rounds: int, tol: float, seed: int, repeat: int
    ) -> tuple[Tensor, Tensor, float, int, bool]:
        """Return centres, labels, objective, rounds and whether the clusters have settled."""
        power = 2.0 if self.center == "mean" else 1.0
        centers, before = self._first(space, x, count, seed, repeat), np.inf
        for step in range(1, rounds + 1):
            distances = self._distances(space, x, centers)
            labels = self._filled(distances, count)
            objective = float((distances.gather(1, labels[:, None]) ** power).sum())
            if before - objective <= tol * objective:
                return centers, labels, objective, step, True
            before = objective
            # A label that was given to fill a cluster counts as its only member.
            centers = torch.stack([self._average(x[labels == c], seed) for c in range(count)])
        distances = self._distances(space, x, centers)
        labels = distances.argmin(1)
        return centers, labels, float((distances.amin(1) ** power).sum()), rounds, False

    def _average(self, members: Tensor, seed: int) -> Tensor:
        if len(members) == 1:
            return members[0]
        find = flag_mean if self.center == "mean" else flag_median
        return find(members, tuple(self.dims), n_starts=1, random_state=seed).point

    @staticmethod
    def _distances(space: Flag, x: Tensor, centers: Tensor) -> Tensor:
        return torch.stack([space.chordal_dist(x, center) for center in centers], dim=1)

    def _first(self, space: Flag, x: Tensor, count: int, seed: int, repeat: int) -> Tensor:
        """Draw data points, each with a chance that grows with its squared distance from those drawn before."""
        rng = generator(seed, "flag clusters", repeat)
        chosen = [int(rng.integers(len(x)))]
        nearest = space.chordal_dist(x, x[chosen[0]]).square().numpy()
        for _ in range(count - 1):
            total = nearest.sum()
            odds = nearest / total if total > 0 else np.full(len(x), 1.0 / len(x))
            chosen.append(int(rng.choice(len(x), p=odds)))
            nearest = np.minimum(nearest, space.chordal_dist(x, x[chosen[-1]]).square().numpy())
        return x[chosen]

    @staticmethod
    def _filled(distances: Tensor, count: int) -> Tensor:
        """Return the nearest centres, and give each empty cluster the flag that is farthest from its own."""
        labels = distances.argmin(1)
        for empty in range(count):
            if not bool((labels == empty).any()):
                sizes = torch.bincount(labels, minlength=count)
                own = distances.gather(1, labels[:, None]).squeeze(1)
                labels[torch.where(sizes[labels] > 1, own, -1.0).argmax()] = empty
        return labels
