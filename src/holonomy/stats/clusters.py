"""K-means on manifolds."""

from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.means import weighted_mean
from holonomy.manifolds.numerics import widen
from holonomy.stats._inputs import ArrayLike, as_tensor, restorer, take_points


class ManifoldKMeans(ClusterMixin, BaseEstimator):
    """K-means with geodesic distances and Frechet means.

    Lloyd's iteration from k-means++ seeds, which are drawn by squared distance; the best of several starts is kept. A
    cluster that loses all its points is given the point that is farthest from its own centre. It stops when no point
    changes its cluster.

    Parameters
    ----------
    manifold : Manifold
        The space.
    n_clusters : int, default 8
        Number of clusters.
    n_init : int, default 4
        Number of starts.
    max_iter : int, default 300
        Most rounds of each start.
    check : bool, default True
        Whether points are checked to lie on the manifold.
    random_state : int, Generator, RandomState or None, default None
        Seed.

    Attributes
    ----------
    cluster_centers_ : array or tensor of shape (k, *shape)
        Frechet means of the clusters.
    labels_ : ndarray of shape (n,)
        Cluster of each point.
    inertia_ : float
        Sum of squared distances from the centres.
    n_iter_ : int
        Rounds of the best start.

    References
    ----------
    Arthur & Vassilvitskii (2007), "k-means++: the advantages of careful seeding".

    Notes
    -----
    Rows are points of a manifold, not vectors of features, so that scikit-learn's ``check_estimator`` does not apply.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import ManifoldKMeans
    >>> X = np.array([[1.0, 0.0, 0.0], [1.0, 0.1, 0.0], [0.0, 0.0, 1.0]])
    >>> X /= np.linalg.norm(X, axis=1, keepdims=True)
    >>> labels = ManifoldKMeans(Sphere(2), n_clusters=2, random_state=0).fit(X).labels_
    >>> bool(labels[0] == labels[1] != labels[2])
    True
    """

    _references = ("arthur2007kmeans",)

    def __init__(
        self,
        manifold: Manifold,
        n_clusters: int = 8,
        *,
        n_init: int = 4,
        max_iter: int = 300,
        check: bool = True,
        random_state: RandomState = None,
    ) -> None:
        self.manifold = manifold
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.check = check
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> "ManifoldKMeans":
        """Find clusters of points (n, *shape).

        Raises
        ------
        TypeError
            If ``manifold`` is none.
        ValueError
            If the points are off the manifold or fewer than the clusters, or a parameter is out of range.
        """
        x = take_points(self.manifold, X, check=self.check).detach()
        k = check_int(self.n_clusters, "n_clusters", minimum=1, maximum=len(x))
        starts = check_int(self.n_init, "n_init", minimum=1)
        rounds = check_int(self.max_iter, "max_iter", minimum=1)
        seed = check_seed(self.random_state)
        runs = [self._run(x, k, rounds, generator(seed, "k-means", start)) for start in range(starts)]
        centers, labels, inertia, n_iter = min(runs, key=lambda run: run[2])
        self.cluster_centers_, self.labels_ = restorer(X)(centers), labels
        self.inertia_, self.n_iter_ = inertia, n_iter
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the nearest centre (m,) of each point."""
        return self._squares(X).argmin(1)

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the distances (m, k) from the centres."""
        return np.sqrt(self._squares(X))

    def _squares(self, X: ArrayLike) -> np.ndarray:
        check_is_fitted(self, "cluster_centers_")
        x = take_points(self.manifold, X, check=self.check).detach()
        return self._to_centers(x, as_tensor(self.cluster_centers_, "cluster_centers_").to(x))

    def _to_centers(self, x: Tensor, centers: Tensor) -> np.ndarray:
        return widen(self.manifold._squared_dist(x.unsqueeze(1), centers.unsqueeze(0))).cpu().numpy()

    def _run(self, x: Tensor, k: int, rounds: int, rng: np.random.Generator) -> tuple[Tensor, np.ndarray, float, int]:
        centers = self._seeds(x, k, rng)
        labels, n_iter = np.full(len(x), -1), 0
        while n_iter < rounds:
            n_iter += 1
            squares = self._to_centers(x, centers)
            fresh = squares.argmin(1)
            own = squares[np.arange(len(x)), fresh]
            for c in np.setdiff1d(np.arange(k), fresh):
                farthest = int(own.argmax())
                fresh[farthest], own[farthest] = c, -1.0
            if (fresh == labels).all():
                break
            labels = fresh
            members = [torch.from_numpy(np.flatnonzero(labels == c)) for c in range(k)]
            centers = torch.stack([weighted_mean(self.manifold, x[rows]).point for rows in members])
        squares = self._to_centers(x, centers)
        return centers, labels, float(squares[np.arange(len(x)), labels].sum()), n_iter

    def _seeds(self, x: Tensor, k: int, rng: np.random.Generator) -> Tensor:
        chosen = [int(rng.integers(len(x)))]
        nearest = self._to_centers(x, x[chosen])[:, 0]
        while len(chosen) < k:
            total = nearest.sum()
            if total > 0:
                chosen.append(int(rng.choice(len(x), p=nearest / total)))
            else:
                # All points coincide with a seed: any other will do.
                chosen.append(int(np.setdiff1d(np.arange(len(x)), chosen)[0]))
            nearest = np.minimum(nearest, self._to_centers(x, x[chosen[-1:]])[:, 0])
        return x[chosen]
