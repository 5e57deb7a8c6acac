"""How sure a mean, a median or a variance is: central limit theorems on manifolds, and the bootstrap."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import f as fisher
from scipy.stats import norm
from torch import Tensor

from holonomy._core.citations import references
from holonomy._core.random import RandomState, generator
from holonomy._core.render import html_table, rich_table
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.manifolds._implicit_mean import apply_hessian
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.means import weighted_mean
from holonomy.manifolds.numerics import safe_divide, tolerances, widen
from holonomy.measure.estimate import Estimate
from holonomy.stats._inputs import ArrayLike, as_tensor, restorer, take_points
from holonomy.stats._weiszfeld import geometric_median

METHODS = ("asymptotic", "bootstrap")
KINDS = ("mean", "median")


@dataclass(frozen=True)
class CenterConfidence:
    """A centre and its confidence region: an ellipsoid in the tangent space there.

    Attributes
    ----------
    center : array or tensor of shape ``manifold.shape``
        The mean or median of the sample.
    frame : array or tensor of shape (dim, *shape)
        Orthonormal basis of the tangent space at the centre.
    covariance : ndarray of shape (dim, dim)
        Covariance of sqrt(n) times the logarithm of the true centre, in the frame: ``H^-1 S H^-1``, S the covariance of
        the gradients and H the mean Hessian.
    n : int
        Points in the sample.
    level : float
        Confidence.
    critical : float
        Largest statistic inside the region.
    calibration : str
        "F" or "bootstrap": where the critical value comes from.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Euclidean
    >>> from holonomy.stats import center_confidence
    >>> X = np.random.default_rng(0).standard_normal((100, 2))
    >>> center_confidence(X, Euclidean(2)).contains(np.zeros(2))
    True
    """

    manifold: Manifold
    center: Any
    frame: Any
    covariance: np.ndarray
    n: int
    level: float
    critical: float
    calibration: str

    def statistic(self, point: ArrayLike) -> float:
        """Return n times the squared length of the logarithm of a point, relative to the covariance."""
        center, frame = as_tensor(self.center, "center"), as_tensor(self.frame, "frame")
        x = take_points(self.manifold, as_tensor(point, "point").unsqueeze(0), name="point")[0].to(center)
        with torch.no_grad():
            c = self.manifold._inner(center, frame, self.manifold._log(center, x)).double().cpu().numpy()
        return float(self.n * c @ np.linalg.solve(self.covariance, c))

    def contains(self, point: ArrayLike) -> bool:
        """Say whether the region holds a point."""
        return self.statistic(point) <= self.critical

    @property
    def radii(self) -> tuple[float, float]:
        """Radii of the largest geodesic ball inside the region, and of the smallest around it."""
        values = np.linalg.eigvalsh(self.covariance)
        low, high = np.sqrt(self.critical / self.n * values[[0, -1]])
        return float(low), float(high)

    def _facts(self) -> dict[str, Any]:
        low, high = self.radii
        return {
            "points": f"{self.n:,}",
            "region": f"{self.level * 100:g} % ({self.calibration})",
            "radius": f"{low:.3g} to {high:.3g}",
        }

    def __rich__(self) -> Any:
        return rich_table("Confidence of the centre", self._facts())

    def _repr_html_(self) -> str:
        return html_table("Confidence of the centre", self._facts())


@references("bhattacharya2005large")
def center_confidence(
    X: ArrayLike,
    manifold: Manifold,
    *,
    kind: str = "mean",
    level: float = 0.95,
    method: str = "asymptotic",
    n_resamples: int = 499,
    random_state: RandomState = None,
    check: bool = True,
) -> CenterConfidence:
    """Return the confidence region of a Frechet mean or median.

    By the central limit theorem on manifolds the logarithm of the sample's centre is asymptotically normal; curvature
    enters through the Hessian of the squared distance (for a median, of the distance). The critical value is that of
    Hotelling's test, which is exact for the mean of normal points in flat space, or it is found by resampling.

    Parameters
    ----------
    X : array-like or tensor of shape (n, *shape)
        Points, more than the manifold has dimensions.
    manifold : Manifold
        The space.
    kind : {"mean", "median"}, default "mean"
        Which centre.
    level : float, default 0.95
        Confidence, in (0, 1).
    method : {"asymptotic", "bootstrap"}, default "asymptotic"
        Where the critical value comes from.
    n_resamples : int, default 499
        Resamples of the bootstrap.
    random_state : int, Generator, RandomState or None, default None
        Seed of the bootstrap.
    check : bool, default True
        Whether to check that the points lie on the manifold.

    Returns
    -------
    CenterConfidence
        The centre and its region.

    Raises
    ------
    ValueError
        If there are too few points, the covariance is singular, a median is asked for in one dimension (where distances
        have no Hessian), or a parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.stats import center_confidence
    >>> X = np.random.default_rng(0).standard_normal((200, 3)) * 0.3 + [1.0, 0.0, 0.0]
    >>> X /= np.linalg.norm(X, axis=1, keepdims=True)
    >>> center_confidence(X, Sphere(2)).contains(np.array([1.0, 0.0, 0.0]))
    True
    """
    check_option(kind, "kind", KINDS)
    check_option(method, "method", METHODS)
    level = _level(level)
    resamples = check_int(n_resamples, "n_resamples", minimum=19)
    x = take_points(manifold, X, check=check, min_samples=manifold.dim + 2).detach()
    if x.ndim != len(manifold.shape) + 1:
        raise ValueError(f"X must be one sample of shape (n, *{manifold.shape}), got {tuple(x.shape)}.")
    n, dim = len(x), manifold.dim
    if kind == "median" and dim == 1:
        raise ValueError('kind must be "mean" in one dimension: distances on a line have no Hessian.')
    m = _center(manifold, x, torch.ones(n, dtype=x.dtype), kind)
    frame = manifold._frame(m)
    V = _sandwich(manifold, m, x, frame, kind)
    if method == "asymptotic":
        critical, calibration = float(fisher.ppf(level, dim, n - dim)) * dim * (n - 1) / (n - dim), "F"
    else:
        drawn = _resampled(manifold, m, x, frame, V, kind, resamples, random_state)
        critical, calibration = float(np.quantile(drawn, level, method="higher")), "bootstrap"
    restore = restorer(X)
    return CenterConfidence(manifold, restore(m), restore(frame), V, n, level, critical, calibration)


@references("dubey2019frechet")
def variance_confidence(
    X: ArrayLike,
    manifold: Manifold,
    *,
    level: float = 0.95,
    method: str = "asymptotic",
    n_resamples: int = 499,
    random_state: RandomState = None,
    check: bool = True,
) -> Estimate:
    """Return the Frechet variance with its confidence interval.

    sqrt(n) times the error is asymptotically normal, with the variance of the squared distances from the mean.

    Parameters
    ----------
    X : array-like or tensor of shape (n, *shape)
        Points, at least 3.
    manifold : Manifold
        The space.
    level : float, default 0.95
        Confidence, in (0, 1).
    method : {"asymptotic", "bootstrap"}, default "asymptotic"
        Normal interval on the logarithm of the variance, or quantiles of resampled variances.
    n_resamples : int, default 499
        Resamples of the bootstrap.
    random_state : int, Generator, RandomState or None, default None
        Seed of the bootstrap.
    check : bool, default True
        Whether to check that the points lie on the manifold.

    Returns
    -------
    Estimate
        The variance (with divisor n) and the interval.

    Raises
    ------
    ValueError
        If there are too few points or a parameter is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Euclidean
    >>> from holonomy.stats import variance_confidence
    >>> estimate = variance_confidence(np.random.default_rng(0).standard_normal((500, 1)), Euclidean(1))
    >>> estimate.low < 1.0 < estimate.high
    True
    """
    check_option(method, "method", METHODS)
    level = _level(level)
    resamples = check_int(n_resamples, "n_resamples", minimum=19)
    x = take_points(manifold, X, check=check, min_samples=3).detach()
    if x.ndim != len(manifold.shape) + 1:
        raise ValueError(f"X must be one sample of shape (n, *{manifold.shape}), got {tuple(x.shape)}.")
    n = len(x)
    m = _center(manifold, x, torch.ones(n, dtype=x.dtype), "mean")
    squares = widen(manifold._squared_dist(m.unsqueeze(0), x)).cpu().numpy()
    value = float(squares.mean())
    if method == "asymptotic":
        reach = float(norm.ppf(0.5 + 0.5 * level)) * float(squares.std(ddof=1)) / np.sqrt(n)
        # Variances are positive and skewed: the interval is even on the scale of logarithms.
        ratio = float(np.exp(reach / value)) if value > 0 else 1.0
        return Estimate(value, value / ratio, value * ratio, n, level)
    drawn = []
    for weights in _weights(n, resamples, random_state, x):
        centers = _center(manifold, x.unsqueeze(0), weights, "mean")
        distances = widen(manifold._squared_dist(centers.unsqueeze(1), x.unsqueeze(0)))
        drawn.append(((weights * distances).sum(-1) / n).cpu().numpy())
    low, high = np.quantile(np.concatenate(drawn), [0.5 - 0.5 * level, 0.5 + 0.5 * level])
    return Estimate(value, float(min(low, value)), float(max(high, value)), n, level)


def _level(level: float) -> float:
    checked = check_float(level, "level", minimum=0.0, maximum=1.0)
    if checked in (0.0, 1.0):
        raise ValueError(f"level must lie inside (0, 1), got {level}.")
    return checked


def _center(manifold: Manifold, x: Tensor, weights: Tensor, kind: str, tolerance: float | None = None) -> Tensor:
    if kind == "mean":
        return weighted_mean(manifold, x, weights, tolerance=tolerance).point
    return geometric_median(manifold, x, weights, tolerance, 500).point


def _scores(manifold: Manifold, m: Tensor, x: Tensor, kind: str) -> Tensor:
    """Return what each point pulls at m: its logarithm, for a median of length 1."""
    logs = manifold._log(m.unsqueeze(0), x)
    if kind == "mean":
        return logs
    distances = manifold._norm(m.unsqueeze(0), logs)
    # A point that the median lies on pulls nowhere; in two dimensions and more one point does not matter in the limit.
    distances = torch.where(distances > tolerances(x.dtype).rank, distances, 0.0)
    return manifold._scale(safe_divide(torch.ones_like(distances), distances), x) * logs


def _sandwich(manifold: Manifold, m: Tensor, x: Tensor, frame: Tensor, kind: str) -> np.ndarray:
    """Return the covariance (dim, dim) of sqrt(n) times the logarithm of the centre, in the frame."""
    with torch.enable_grad():
        at = m.detach().requires_grad_()
        scores = _scores(manifold, at, x, kind)
        field = scores.mean(0)
    found = scores.detach()
    coefficients = widen(manifold._inner(m, frame.unsqueeze(0), found.unsqueeze(1))).cpu().numpy()
    S = np.cov(coefficients.T, ddof=1).reshape(manifold.dim, manifold.dim)
    bent = torch.stack([apply_hessian(manifold, at, field, direction) for direction in frame])
    H = widen(manifold._inner(m, frame.unsqueeze(0), bent.unsqueeze(1))).detach().cpu().numpy()
    inverse = np.linalg.inv(0.5 * (H + H.T))
    V = inverse @ S @ inverse
    if np.linalg.eigvalsh(V)[0] <= tolerances(torch.float64).rank * np.trace(V):
        raise ValueError("X does not vary in some direction of the manifold, so that the covariance is singular.")
    return V


def _resampled(
    manifold: Manifold,
    m: Tensor,
    x: Tensor,
    frame: Tensor,
    V: np.ndarray,
    kind: str,
    resamples: int,
    random_state: RandomState,
) -> np.ndarray:
    """Return the statistics of the centres of resampled points."""
    found = []
    for weights in _weights(len(x), resamples, random_state, x):
        centers = _center(manifold, x.unsqueeze(0), weights, kind, _RESAMPLED)
        logs = manifold._log(m.unsqueeze(0), centers)
        c = widen(manifold._inner(m, frame.unsqueeze(0), logs.unsqueeze(1))).cpu().numpy()
        found.append(len(x) * np.einsum("bi,bi->b", c, np.linalg.solve(V, c.T).T))
    return np.concatenate(found)


def _weights(n: int, resamples: int, random_state: RandomState, like: Tensor) -> list[Tensor]:
    """Return how often each point is drawn, resample by resample, in blocks."""
    rng = generator(random_state, "center confidence")
    counts = rng.multinomial(n, np.full(n, 1.0 / n), size=resamples)
    return list(torch.from_numpy(counts).to(like).split(max(1, _BLOCK // like.numel())))


_RESAMPLED = 1e-6
"""Relative residual of the centres of resamples."""

_BLOCK = 2_000_000
"""Coordinates held at once by resamples."""
