"""Principal geodesics: submanifolds spanned by geodesics through the mean that lie closest to the points."""

from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds._field_descent import Field, descend
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.euclidean import Euclidean
from holonomy.manifolds.numerics import tolerances, widen
from holonomy.manifolds.sphere import Sphere
from holonomy.optim.solving import minimize
from holonomy.stats._inputs import ArrayLike, as_tensor, restorer, take_points
from holonomy.stats.tangent_pca import TangentPCA


class PrincipalGeodesicAnalysis(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Exact principal geodesic analysis: directions at the mean whose geodesics come closest to the points.

    One direction after the other, orthogonal to those before, minimises the sum of squared distances of the points from
    the submanifold ``exp(mean, span)``; each point is projected by minimising its distance over the coefficients.
    Starts from :class:`TangentPCA`, which measures those distances in the tangent space instead.

    Parameters
    ----------
    manifold : Manifold
        The space.
    n_components : int, default 1
        Number of directions, at most the dimension.
    max_iter : int, default 100
        Most steps for each direction.
    check : bool, default True
        Whether points are checked to lie on the manifold.

    Attributes
    ----------
    mean_ : array or tensor of shape ``manifold.shape``
        Frechet mean.
    components_ : array or tensor of shape (k, *shape)
        Orthonormal tangent vectors at the mean.
    residual_variance_ : ndarray of shape (k,)
        Mean squared distance of the points from the submanifold of the first 1, ..., k directions.
    explained_variance_ratio_ : ndarray of shape (k,)
        By what part of the Frechet variance each direction lowers it.

    References
    ----------
    Sommer, Lauze & Nielsen (2014), "Optimization over geodesics for exact principal geodesic analysis".

    Notes
    -----
    Rows are points of a manifold, not vectors of features, so that scikit-learn's ``check_estimator`` does not apply.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import PrincipalGeodesicAnalysis
    >>> angles = np.linspace(-1.0, 1.0, 21)
    >>> X = np.column_stack([np.cos(angles), np.sin(angles), 0.0 * angles])
    >>> PrincipalGeodesicAnalysis(Sphere(2)).fit(X).explained_variance_ratio_.round(6)
    array([1.])
    """

    _references = ("sommer2014optimization",)

    def __init__(self, manifold: Manifold, n_components: int = 1, *, max_iter: int = 100, check: bool = True) -> None:
        self.manifold = manifold
        self.n_components = n_components
        self.max_iter = max_iter
        self.check = check

    def fit(self, X: ArrayLike, y: Any = None) -> "PrincipalGeodesicAnalysis":
        """Find the mean and the directions of points (n, *shape).

        Raises
        ------
        TypeError
            If ``manifold`` is none.
        ValueError
            If the points are off the manifold or too few, or a parameter is out of range.
        """
        x = take_points(self.manifold, X, check=self.check, min_samples=2).detach()
        k = check_int(self.n_components, "n_components", minimum=1, maximum=min(self.manifold.dim, len(x) - 1))
        steps = check_int(self.max_iter, "max_iter", minimum=1)
        linear = TangentPCA(self.manifold, check=False).fit(x)
        m, frame = linear.mean_, self.manifold._frame(linear.mean_)
        rank = len(self.manifold.shape)
        starts = self.manifold._inner(m, linear.components_.unsqueeze(-rank - 1), frame)
        found, residuals = torch.zeros(0, self.manifold.dim, dtype=x.dtype), []
        for j in range(k):
            start = starts[j] if j < len(starts) else torch.ones_like(starts[0])
            direction = self._next(m, frame, x, found, start, steps)
            found = torch.cat([found, direction.unsqueeze(0)])
            z = self._project(m, self._vectors(frame, found), x)
            residuals.append(float(self._squares(m, self._vectors(frame, found), x, z).mean()))
        restore = restorer(X)
        self.mean_, self.components_ = restore(m), restore(self._vectors(frame, found))
        total = float(widen(self.manifold._squared_dist(m, x)).mean())
        self.residual_variance_ = np.array(residuals)
        drops = -np.diff([total, *residuals])
        self.explained_variance_ratio_ = drops / total if total > 0 else np.zeros(k)
        self._n_features_out = k
        return self

    def transform(self, X: ArrayLike) -> Any:
        """Return the coefficients (n, k) of the nearest points on the submanifold."""
        check_is_fitted(self, "components_")
        x = take_points(self.manifold, X, check=self.check).detach()
        m = as_tensor(self.mean_, "mean_").to(x)
        return restorer(X)(self._project(m, as_tensor(self.components_, "components_").to(x), x))

    def inverse_transform(self, Z: ArrayLike) -> Any:
        """Return the points (n, *shape) of coefficients (n, k)."""
        check_is_fitted(self, "components_")
        z = as_tensor(Z, "Z")
        directions = as_tensor(self.components_, "components_").to(z)
        if z.ndim < 1 or z.shape[-1] != len(directions):
            raise ValueError(f"Z must have shape (n, {len(directions)}), got {tuple(z.shape)}.")
        return restorer(Z)(self._point(as_tensor(self.mean_, "mean_").to(z), directions, z))

    def _vectors(self, frame: Tensor, coefficients: Tensor) -> Tensor:
        return (coefficients @ frame.flatten(-len(self.manifold.shape))).unflatten(-1, self.manifold.shape)

    def _point(self, m: Tensor, directions: Tensor, z: Tensor) -> Tensor:
        v = (z @ directions.flatten(-len(self.manifold.shape))).unflatten(-1, self.manifold.shape)
        return self.manifold._exp(m, v)

    def _squares(self, m: Tensor, directions: Tensor, x: Tensor, z: Tensor) -> Tensor:
        return self.manifold._squared_dist(self._point(m, directions, z), x)

    def _project(self, m: Tensor, directions: Tensor, x: Tensor) -> Tensor:
        """Return the coefficients (n, k) of the nearest points, from those of the logarithms on."""
        rank = len(self.manifold.shape)
        start = self.manifold._inner(m, self.manifold._log(m, x).unsqueeze(-rank - 1), directions)
        limit = tolerances(x.dtype).mean * (1.0 + float(widen(start).square().sum(-1).mean().sqrt()))

        def field(z: Tensor) -> Field:
            with torch.enable_grad():
                at = z.detach().requires_grad_()
                value = 0.5 * self._squares(m, directions, x, at)
                (gradient,) = torch.autograd.grad(value.sum(), at)
            value = value.detach()
            return Field(-gradient, value, torch.full_like(value, limit), torch.ones_like(value))

        return descend(Euclidean(len(directions)), start.detach(), field, 200)[0]

    def _next(self, m: Tensor, frame: Tensor, x: Tensor, found: Tensor, start: Tensor, steps: int) -> Tensor:
        """Return the unit coefficients (dim,) of the next direction, orthogonal to those found."""
        dim = self.manifold.dim
        complement = torch.linalg.qr(torch.cat([found, torch.eye(dim, dtype=x.dtype)]).mT).Q[:, len(found) : dim]
        c0 = complement.mT @ start
        c0 = c0 / torch.linalg.vector_norm(c0)
        if len(c0) == 1:
            return complement @ c0

        def objective(c: Tensor) -> Tensor:
            directions = self._vectors(frame, torch.cat([found, (complement @ c).unsqueeze(0)]))
            # At the nearest points the coefficients may be held fixed: the distance does not change with them.
            z = self._project(m, directions.detach(), x)
            return self._squares(m, directions, x, z).mean()

        best = complement @ minimize(objective, Sphere(len(c0) - 1), c0, max_iter=steps).x.detach()
        return best * torch.sign(best[best.abs().argmax()])
