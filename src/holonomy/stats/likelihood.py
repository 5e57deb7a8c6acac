"""Distributions on manifolds fitted to points by maximum likelihood."""

import math

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import ive
from torch import Tensor

from holonomy._core.citations import references
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.constant import ConstantCurvature
from holonomy.manifolds.distributions import RiemannianNormal, VonMisesFisher, WrappedNormal
from holonomy.manifolds.euclidean import Euclidean
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.spd import SPD
from holonomy.manifolds.sphere import Sphere
from holonomy.optim.solving import minimize
from holonomy.stats._inputs import ArrayLike, take_points
from holonomy.stats.centers import frechet_mean


@references("said2017riemannian")
def fit_riemannian_normal(X: ArrayLike, manifold: ConstantCurvature | SPD, *, check: bool = True) -> RiemannianNormal:
    """Return the Riemannian normal distribution under which points are most likely.

    Its mean is the Frechet mean, and its scale the one whose expected squared distance is the Frechet variance.
    Few points give too small a scale, because they are closer to their Frechet mean than to the true one.

    Parameters
    ----------
    X : array-like or tensor of shape (n, *shape)
        Points, at least two different ones.
    manifold : Sphere, Hyperboloid, PoincareBall, Stereographic or SPD
        A space of constant curvature, or covariance matrices with the affine-invariant metric of any weights.
    check : bool, default True
        Whether to check that the points lie on the manifold.

    Returns
    -------
    RiemannianNormal
        In double precision. On a sphere over which points spread more than evenly, with a scale that is as good as
        infinite.

    Raises
    ------
    TypeError
        If the space is none of these.
    ValueError
        If the points are off the manifold, or all equal.

    Examples
    --------
    >>> from holonomy.manifolds import SPD, RiemannianNormal
    >>> from holonomy.stats import fit_riemannian_normal
    >>> space = SPD(2)
    >>> round(fit_riemannian_normal(RiemannianNormal(space, std=0.5).sample(4000, random_state=0), space).std, 1)
    0.5
    """
    RiemannianNormal(manifold)  # Refuses spaces without one before the points are looked at.
    x = _sample(X, manifold, check)
    center = frechet_mean(x, manifold, check=False)
    square = float(center.spread) ** 2

    def excess(log_std: float) -> float:
        return RiemannianNormal(manifold, std=math.exp(log_std)).expected_square / square - 1.0

    # In flat space the scale would be this; curvature moves it by a factor that grows with the spread.
    guess = 0.5 * math.log(square / manifold.dim)
    low, high = guess - 4.0, guess + 4.0
    log_std = float(brentq(excess, low, high, xtol=1e-12)) if excess(high) > 0.0 else high
    return RiemannianNormal(manifold, mean=center.point, std=math.exp(log_std))


@references("wood1994simulation")
def fit_von_mises_fisher(X: ArrayLike, sphere: Sphere, *, check: bool = True) -> VonMisesFisher:
    """Return the von Mises-Fisher distribution under which points are most likely.

    Its mean is the direction of the mean of the coordinates; the concentration is the one whose expected mean length is
    that of the sample, a ratio of Bessel functions, solved to rounding.

    Parameters
    ----------
    X : array-like or tensor of shape (n, d + 1)
        Points, at least two different ones.
    sphere : Sphere
        The space.
    check : bool, default True
        Whether to check that the points lie on the sphere.

    Returns
    -------
    VonMisesFisher
        In double precision; with concentration 0 where the coordinates cancel.

    Raises
    ------
    TypeError
        If ``sphere`` is none.
    ValueError
        If the points are off the sphere, or all equal.

    Examples
    --------
    >>> from holonomy.manifolds import Sphere, VonMisesFisher
    >>> from holonomy.stats import fit_von_mises_fisher
    >>> X = VonMisesFisher(Sphere(2), concentration=10.0).sample(4000, random_state=0)
    >>> 9.0 < fit_von_mises_fisher(X, Sphere(2)).concentration < 11.0
    True
    """
    if not isinstance(sphere, Sphere):
        raise TypeError(f"sphere must be a Sphere, got {type(sphere).__name__}.")
    x = _sample(X, sphere, check)
    mean = x.mean(0)
    radius = float(torch.linalg.vector_norm(x, dim=-1).mean())
    length = float(torch.linalg.vector_norm(mean)) / radius
    if length <= np.finfo(float).eps:
        return VonMisesFisher(sphere, mean=x[0], concentration=0.0)
    order = 0.5 * (sphere.dim + 1)

    def excess(log_kappa: float) -> float:
        kappa = math.exp(log_kappa)
        below = float(ive(order - 1.0, kappa))
        # Far from the range of Bessel functions the ratio is 1 - (d / 2) / kappa for large concentrations.
        ratio = float(ive(order, kappa)) / below if below > 0 else 1.0 - 0.5 * sphere.dim / kappa
        return ratio - length

    low, high = math.log(length * sphere.dim * 1e-2), math.log(4.0 * sphere.dim / (1.0 - length) + 4.0)
    kappa = math.exp(float(brentq(excess, low, high, xtol=1e-13)))
    return VonMisesFisher(sphere, mean=sphere.project(mean), concentration=kappa)


@references("nagano2019wrapped")
def fit_wrapped_normal(X: ArrayLike, manifold: Manifold, *, check: bool = True) -> WrappedNormal:
    """Return the isotropic wrapped normal distribution under which points are most likely.

    Maximises ``manifold.normal_log_prob`` over the mean, in coordinates around the Frechet mean, and the scale.

    Parameters
    ----------
    X : array-like or tensor of shape (n, *shape)
        Points, at least two different ones.
    manifold : Manifold
        A space that knows the density of its wrapped normal.
    check : bool, default True
        Whether to check that the points lie on the manifold.

    Returns
    -------
    WrappedNormal
        In double precision.

    Raises
    ------
    TypeError
        If ``manifold`` is none.
    ValueError
        If the points are off the manifold, or all equal.
    NotImplementedError
        If the space does not know the density.

    Examples
    --------
    >>> from holonomy.manifolds import Hyperboloid, WrappedNormal
    >>> from holonomy.stats import fit_wrapped_normal
    >>> space = Hyperboloid(2)
    >>> round(fit_wrapped_normal(WrappedNormal(space, std=0.5).sample(4000, random_state=0), space).std, 1)
    0.5
    """
    x = _sample(X, manifold, check)
    center = frechet_mean(x, manifold, check=False)
    m, frame = center.point, manifold._frame(center.point)
    flat, dim = frame.flatten(1), manifold.dim

    def place(c: Tensor) -> Tensor:
        return manifold._exp(m, (c[:dim] @ flat).unflatten(-1, manifold.shape))

    def loss(c: Tensor) -> Tensor:
        return -manifold._normal_log_prob(x, place(c), torch.exp(c[dim])).mean()

    start = torch.zeros(dim + 1, dtype=x.dtype)
    start[dim] = 0.5 * math.log(float(center.spread) ** 2 / dim)
    best = minimize(loss, Euclidean(dim + 1), start, max_iter=200).x.detach()
    return WrappedNormal(manifold, mean=manifold.project(place(best)), std=math.exp(float(best[dim])))


def _sample(X: ArrayLike, manifold: Manifold, check: bool) -> Tensor:
    x = take_points(manifold, X, check=check, min_samples=2).detach()
    if x.ndim != len(manifold.shape) + 1:
        raise ValueError(f"X must be one sample of shape (n, *{manifold.shape}), got {tuple(x.shape)}.")
    wide = x if x.dtype == torch.float64 else manifold.project(widen(x))
    if bool((wide == wide[:1]).all()):
        raise ValueError("X must hold at least two different points, and all are equal.")
    return wide
