"""Principal components of points on a manifold, in the tangent space at their mean."""

from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.numerics import widen
from holonomy.stats._inputs import ArrayLike, as_tensor, restorer, take_points
from holonomy.stats.centers import frechet_mean


class TangentPCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Principal component analysis of the logarithms of points at their Frechet mean.

    Exact in flat space; elsewhere the geodesics through the mean along the components are the principal geodesics to
    first order (:class:`PrincipalGeodesicAnalysis` minimises the true distances). Signs are fixed: the largest
    coefficient of each component is positive.

    Parameters
    ----------
    manifold : Manifold
        The space.
    n_components : int, optional
        How many; by default as many as the points allow.
    check : bool, default True
        Whether points are checked to lie on the manifold.

    Attributes
    ----------
    mean_ : array or tensor of shape ``manifold.shape``
        Frechet mean.
    components_ : array or tensor of shape (k, *shape)
        Orthonormal tangent vectors at the mean.
    explained_variance_ : ndarray of shape (k,)
        Variances along them, with divisor n - 1.
    explained_variance_ratio_ : ndarray of shape (k,)
        Parts of the total variance.
    residual_ : float
        Norm of the mean of the logarithms at the mean.

    References
    ----------
    Fletcher, Lu, Pizer & Joshi (2004), "Principal geodesic analysis for the study of nonlinear statistics of shape".

    Notes
    -----
    Rows are points of a manifold, not vectors of features, so that scikit-learn's ``check_estimator`` does not apply.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import TangentPCA
    >>> angles = np.linspace(-1.0, 1.0, 21)
    >>> X = np.column_stack([np.cos(angles), np.sin(angles), 0.0 * angles])
    >>> TangentPCA(Sphere(2), n_components=1).fit(X).explained_variance_ratio_.round(6)
    array([1.])
    """

    _references = ("fletcher2004principal",)

    def __init__(self, manifold: Manifold, n_components: int | None = None, *, check: bool = True) -> None:
        self.manifold = manifold
        self.n_components = n_components
        self.check = check

    def fit(self, X: ArrayLike, y: Any = None) -> "TangentPCA":
        """Find the mean and the components of points (n, *shape).

        Raises
        ------
        TypeError
            If ``manifold`` is none.
        ValueError
            If the points are off the manifold or too few, or ``n_components`` is out of range.
        """
        x = take_points(self.manifold, X, check=self.check, min_samples=2).detach()
        most = min(self.manifold.dim, len(x) - 1)
        k = most if self.n_components is None else check_int(self.n_components, "n_components", minimum=1)
        if k > most:
            raise ValueError(f"n_components must be at most {most} for these points, got {k}.")
        center = frechet_mean(x, self.manifold, check=False)
        m = center.point
        self.residual_ = float(center.residual)
        frame = self.manifold._frame(m)
        coefficients = self._in_frame(m, frame, x)
        _, singular, right = np.linalg.svd(coefficients - coefficients.mean(0), full_matrices=False)
        signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(1)])
        right = right * signs[:, None]
        rank = len(self.manifold.shape)
        directions = torch.from_numpy(right[:k].copy()).to(frame) @ frame.flatten(-rank)
        restore = restorer(X)
        self.mean_ = restore(m)
        self.components_ = restore(directions.unflatten(-1, self.manifold.shape))
        variances = singular**2 / (len(x) - 1)
        self.explained_variance_ = variances[:k]
        total = float(variances.sum())
        self.explained_variance_ratio_ = variances[:k] / total if total > 0 else np.zeros(k)
        self._n_features_out = k
        return self

    def transform(self, X: ArrayLike) -> Any:
        """Return the coefficients (n, k) of the logarithms of points along the components."""
        check_is_fitted(self, "components_")
        x = take_points(self.manifold, X, check=self.check)
        m, directions = self._fitted(x)
        logs = self.manifold._log(m, x)
        rank = len(self.manifold.shape)
        return restorer(X)(self.manifold._inner(m, logs.unsqueeze(-rank - 1), directions))

    def inverse_transform(self, Z: ArrayLike) -> Any:
        """Return the points (n, *shape) that coefficients (n, k) stand for: ``exp`` of the combination."""
        check_is_fitted(self, "components_")
        z = as_tensor(Z, "Z")
        m, directions = self._fitted(z)
        if z.ndim < 1 or z.shape[-1] != len(directions):
            raise ValueError(f"Z must have shape (n, {len(directions)}), got {tuple(z.shape)}.")
        rank = len(self.manifold.shape)
        v = (z @ directions.flatten(-rank)).unflatten(-1, self.manifold.shape)
        return restorer(Z)(self.manifold._exp(m, v))

    def _fitted(self, like: Tensor) -> tuple[Tensor, Tensor]:
        return as_tensor(self.mean_, "mean_").to(like), as_tensor(self.components_, "components_").to(like)

    def _in_frame(self, m: Tensor, frame: Tensor, x: Tensor) -> np.ndarray:
        rank = len(self.manifold.shape)
        logs = self.manifold._log(m, x)
        return widen(self.manifold._inner(m, logs.unsqueeze(-rank - 1), frame)).cpu().numpy()
