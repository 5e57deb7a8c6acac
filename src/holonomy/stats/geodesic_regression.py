"""Regression of points of a manifold on numbers: geodesics that come closest to the points."""

from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from holonomy._core.random import RandomState, generator
from holonomy._core.validation import check_int, check_points
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.euclidean import Euclidean
from holonomy.manifolds.numerics import tolerances, widen
from holonomy.optim.solving import minimize
from holonomy.stats._inputs import ArrayLike, as_tensor, restorer, take_points
from holonomy.stats.centers import frechet_mean
from holonomy.stats.hypothesis_tests import TestResult


class GeodesicRegression(BaseEstimator):
    """Intrinsic least squares: points of a manifold as ``exp(intercept, sum_j x_j slope_j)``.

    Minimises the sum of squared distances over the intercept and the slopes. The unknowns are coefficients around a
    base point, which is moved to the new intercept, with the slopes transported, until the gradient vanishes; the start
    is linear regression in the tangent space at the Frechet mean. In flat space it is ordinary least squares.

    Parameters
    ----------
    manifold : Manifold
        The space of the answers.
    tolerance : float, optional
        Norm of the gradient, relative to the root mean square residual or at least rounding, at which to stop.
    max_iter : int, default 20
        Most moves of the base point.
    check : bool, default True
        Whether points are checked to lie on the manifold.

    Attributes
    ----------
    intercept_ : array or tensor of shape ``manifold.shape``
        Value at x = 0.
    coef_ : array or tensor of shape (q, *shape)
        Slopes: tangent vectors at the intercept.
    r2_ : float
        One minus the mean squared distance from the fit over the Frechet variance.
    residual_ : float
        Norm of the gradient of half the mean squared distance.
    converged_ : bool
        Whether it is as small as was asked for.
    n_iter_ : int
        Moves of the base point.

    References
    ----------
    Fletcher (2013), "Geodesic regression and the theory of least squares on Riemannian manifolds".

    Notes
    -----
    Answers are points of a manifold, not vectors, so that scikit-learn's ``check_estimator`` does not apply.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import GeodesicRegression
    >>> t = np.linspace(-1.0, 1.0, 11)
    >>> Y = np.column_stack([np.cos(t), np.sin(t), 0.0 * t])
    >>> round(GeodesicRegression(Sphere(2)).fit(t[:, None], Y).r2_, 6)
    1.0
    """

    _references = ("fletcher2013geodesic",)

    def __init__(
        self, manifold: Manifold, *, tolerance: float | None = None, max_iter: int = 20, check: bool = True
    ) -> None:
        self.manifold = manifold
        self.tolerance = tolerance
        self.max_iter = max_iter
        self.check = check

    def fit(self, X: Any, y: ArrayLike) -> "GeodesicRegression":
        """Fit numbers X (n, q) to points y (n, *shape).

        Raises
        ------
        TypeError
            If ``manifold`` is none.
        ValueError
            If the points are off the manifold, their number is wrong, or there are no more of them than slopes.
        """
        points = take_points(self.manifold, y, name="y", check=self.check, min_samples=3).detach()
        design = torch.from_numpy(np.array(check_points(X, dtype=np.float64))).to(points)
        if len(design) != len(points):
            raise ValueError(f"X and y must have the same length, got {len(design)} and {len(points)}.")
        if len(points) <= design.shape[1] + 1:
            raise ValueError(f"X must have more rows than {design.shape[1] + 1} unknown vectors, got {len(points)}.")
        moves = check_int(self.max_iter, "max_iter", minimum=1)
        mean = frechet_mean(points, self.manifold, check=False)
        p, slopes = self._linear(mean.point, design, points)
        goal = tolerances(points.dtype).mean if self.tolerance is None else self.tolerance
        self.converged_ = False
        for n_iter in range(1, moves + 1):
            p, slopes, size, spread = self._move(p, slopes, design, points, goal)
            self.n_iter_, self.residual_ = n_iter, size
            if size <= max(goal * spread, _FLOOR * tolerances(points.dtype).eps):
                self.converged_ = True
                break
        restore = restorer(y)
        self.intercept_, self.coef_, self._restore = restore(p), restore(slopes), restore
        error = float(widen(self.manifold._squared_dist(self._at(p, slopes, design), points)).mean())
        total = float(mean.spread) ** 2
        self.r2_ = 1.0 - error / total if total > 0 else 0.0
        self._design, self._answers = design, points
        return self

    def predict(self, X: Any) -> Any:
        """Return the fitted points (m, *shape) at numbers X (m, q)."""
        check_is_fitted(self, "coef_")
        slopes = as_tensor(self.coef_, "coef_")
        design = torch.from_numpy(np.array(check_points(X, dtype=np.float64))).to(slopes)
        if design.shape[1] != len(slopes):
            raise ValueError(f"X must have {len(slopes)} columns, got {design.shape[1]}.")
        return self._restore(self._at(as_tensor(self.intercept_, "intercept_"), slopes, design))

    def score(self, X: Any, y: ArrayLike) -> float:
        """Return one minus the mean squared distance of y from the fit over its Frechet variance."""
        points = take_points(self.manifold, y, name="y", check=self.check).detach()
        fitted = as_tensor(self.predict(X), "prediction").to(points)
        error = float(widen(self.manifold._squared_dist(fitted, points)).mean())
        return 1.0 - error / float(frechet_mean(points, self.manifold, check=False).spread) ** 2

    def test(self, n_permutations: int = 999, random_state: RandomState = None) -> TestResult:
        """Test that the answers do not depend on X, by permuting them.

        The statistic is the R^2 of the linear regression in the tangent space at the mean, which needs no iteration;
        the probability is exact for any statistic.
        """
        check_is_fitted(self, "coef_")
        count = check_int(n_permutations, "n_permutations", minimum=19)
        rng = generator(random_state, "geodesic regression")
        mean = frechet_mean(self._answers, self.manifold, check=False).point
        frame = self.manifold._frame(mean)
        z = self._coefficients(mean, frame, self.manifold._log(mean, self._answers)).cpu().numpy()
        q = np.linalg.qr(np.column_stack([np.ones(len(z)), self._design.double().cpu().numpy()]))[0][:, 1:]
        total = ((z - z.mean(0)) ** 2).sum()

        def explained(order: np.ndarray) -> float:
            return float(((q.T @ z[order]) ** 2).sum() / total)

        statistic = explained(np.arange(len(z)))
        drawn = np.array([explained(rng.permutation(len(z))) for _ in range(count)])
        pvalue = (1.0 + float((drawn >= statistic * (1.0 - 1e-12)).sum())) / (count + 1.0)
        return TestResult(statistic, self.manifold.dim * q.shape[1], pvalue, "permutation")

    def _at(self, p: Tensor, slopes: Tensor, design: Tensor) -> Tensor:
        v = (design @ slopes.flatten(1)).unflatten(-1, self.manifold.shape)
        return self.manifold._exp(p, v)

    def _coefficients(self, p: Tensor, frame: Tensor, v: Tensor) -> Tensor:
        return widen(self.manifold._inner(p, v.unsqueeze(-len(self.manifold.shape) - 1), frame))

    def _linear(self, m: Tensor, design: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return intercept and slopes of linear regression in the tangent space at the mean."""
        logs = self.manifold._log(m, points).flatten(1)
        full = torch.cat([torch.ones_like(design[:, :1]), design], dim=1)
        solved = torch.linalg.lstsq(widen(full), widen(logs), driver="gelsd").solution.to(points)
        vectors = self.manifold._project_tangent(m, solved.unflatten(-1, self.manifold.shape))
        p = self.manifold._exp(m, vectors[0])
        return p, self.manifold._transport(m, p, vectors[1:])

    def _move(
        self, base: Tensor, slopes: Tensor, design: Tensor, points: Tensor, goal: float
    ) -> tuple[Tensor, Tensor, float, float]:
        """Minimise over the coefficients of intercept and slopes around a base point."""
        frame = self.manifold._frame(base)
        flat, dim = frame.flatten(1), self.manifold.dim
        start = torch.cat([torch.zeros(dim).to(base), self._coefficients(base, frame, slopes).to(base).flatten()])

        def place(c: Tensor) -> tuple[Tensor, Tensor]:
            vectors = (c.reshape(-1, dim) @ flat).unflatten(-1, self.manifold.shape)
            p = self.manifold._exp(base, vectors[0])
            return p, self.manifold._transport(base, p, vectors[1:])

        def objective(c: Tensor) -> Tensor:
            return 0.5 * self.manifold._squared_dist(self._at(*place(c), design), points).mean()

        found = minimize(objective, Euclidean(len(start)), start, gtol=0.1 * goal, max_iter=200)
        best = found.x.detach()
        p, moved = place(best)
        return p.detach(), moved.detach(), float(found.grad_norm), float(np.sqrt(2.0 * max(found.fun, 0.0)))


_FLOOR = 1e4
"""Gradient, in units of rounding, below which nothing is left to gain."""
