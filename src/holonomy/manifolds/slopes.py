"""Checks of a space, or of a function on it: a wrong formula shows in how fast an error falls with the step."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from holonomy.manifolds._random import TorchRandomState, torch_generator
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.methods import Retraction, Transport
from holonomy.manifolds.numerics import tolerances

_SHORTEST, _COUNT, _WINDOW = -6.0, 37, 7


@dataclass(frozen=True)
class SlopeCheck:
    """How an error falls with the step.

    Attributes
    ----------
    steps : ndarray of shape (37,)
        Lengths of the steps.
    errors : ndarray of shape (37,)
        Errors of the approximation at these steps.
    slope : float
        Order at which the error falls, where it falls most regularly; infinite if the error is only rounding.
    expected : float
        Order at which it must fall at least.

    Examples
    --------
    >>> from holonomy.manifolds import Sphere, check_retraction
    >>> found = check_retraction(Sphere(2), random_state=0)
    >>> found.holds, found.expected
    (True, 2.0)
    """

    steps: np.ndarray
    errors: np.ndarray
    slope: float
    expected: float

    @property
    def holds(self) -> bool:
        """Whether the error falls as fast as it must, up to 0.1."""
        return self.slope >= self.expected - 0.1

    def __str__(self) -> str:
        return f"error falls with order {self.slope:.2f}, and must with {self.expected:g}"


def check_gradient(
    manifold: Manifold,
    function: Callable[[Tensor], Tensor],
    x: Tensor | None = None,
    *,
    gradient: Tensor | None = None,
    longest: float | None = None,
    random_state: TorchRandomState = 0,
) -> SlopeCheck:
    """Check that f(retract(x, t v)) = f(x) + t <grad f, v> up to order 2.

    Parameters
    ----------
    manifold : Manifold
        The space.
    function : callable
        From points (..., *shape) to real numbers (...).
    x : Tensor of shape ``manifold.shape``, optional
        Where to check, in double precision; a random point by default.
    gradient : Tensor of shape ``manifold.shape``, optional
        The Riemannian gradient at x; by default it is found by automatic differentiation and ``egrad_to_rgrad``.
    longest : float, optional
        Longest step; by default 1, or 0.3 injectivity radii where that is less.
    random_state : int, torch Generator or as everywhere, default 0
        Seed of the point and the direction.

    Returns
    -------
    SlopeCheck
        With ``expected`` 2.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere, check_gradient
    >>> check_gradient(Sphere(2), lambda x: x[..., 0] ** 3).holds
    True
    """
    x, v = _place(manifold, x, random_state)
    rgrad = _gradient(manifold, function, x) if gradient is None else gradient
    steps = _steps(manifold, longest)
    moved = manifold.retract(x, manifold._scale(steps, x) * v)
    errors = (function(moved) - function(x) - steps * manifold.inner(x, rgrad, v)).abs()
    return _slope(steps, errors, float(function(x).abs()) + float(manifold.norm(x, rgrad)), 2.0)


def check_hessian(
    manifold: Manifold,
    function: Callable[[Tensor], Tensor],
    hessian: Callable[[Tensor, Tensor], Tensor],
    x: Tensor | None = None,
    *,
    longest: float | None = None,
    random_state: TorchRandomState = 0,
) -> SlopeCheck:
    """Check that f(exp(x, t v)) = f(x) + t <grad f, v> + t^2/2 <Hess f v, v> up to order 3.

    Parameters
    ----------
    manifold : Manifold
        The space.
    function : callable
        From points (..., *shape) to real numbers (...).
    hessian : callable
        From a point and a tangent vector to the Riemannian Hessian applied to the vector.
    x : Tensor of shape ``manifold.shape``, optional
        Where to check, in double precision; a random point by default.
    longest : float, optional
        Longest step; by default 1, or 0.3 injectivity radii where that is less.
    random_state : int, torch Generator or as everywhere, default 0
        Seed of the point and the direction.

    Returns
    -------
    SlopeCheck
        With ``expected`` 3.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Euclidean, check_hessian
    >>> check_hessian(Euclidean(3), lambda x: (x**3).sum(-1), lambda x, v: 6 * x * v).holds
    True
    """
    x, v = _place(manifold, x, random_state)
    rgrad = _gradient(manifold, function, x)
    bend = manifold.inner(x, hessian(x, v), v)
    steps = _steps(manifold, longest)
    moved = manifold.exp(x, manifold._scale(steps, x) * v)
    model = function(x) + steps * manifold.inner(x, rgrad, v) + 0.5 * steps.square() * bend
    scale = float(function(x).abs()) + float(manifold.norm(x, rgrad)) + float(bend.abs())
    return _slope(steps, (function(moved) - model).abs(), scale, 3.0)


def check_retraction(
    manifold: Manifold,
    method: Retraction | None = None,
    x: Tensor | None = None,
    *,
    order: int = 1,
    longest: float | None = None,
    noise: float = 0.0,
    random_state: TorchRandomState = 0,
) -> SlopeCheck:
    """Check that a retraction agrees with ``exp`` to the given order.

    Parameters
    ----------
    manifold : Manifold
        The space.
    method : Retraction, optional
        The retraction; the space's own by default.
    x : Tensor of shape ``manifold.shape``, optional
        Where to check, in double precision; a random point by default.
    order : int, default 1
        1 for any retraction, 2 for one that also agrees in acceleration.
    longest : float, optional
        Longest step; by default 1, or 0.3 injectivity radii where that is less.
    noise : float, default 0.0
        Error, relative to the vectors, of verbs that are approximations: no slope is read below it.
    random_state : int, torch Generator or as everywhere, default 0
        Seed of the point and the direction.

    Returns
    -------
    SlopeCheck
        With ``expected`` one more than ``order``.

    Examples
    --------
    >>> from holonomy.manifolds import Projection, Sphere, check_retraction
    >>> check_retraction(Sphere(3), Projection(), order=2).holds
    True
    """
    x, v = _place(manifold, x, random_state)
    steps = _steps(manifold, longest)
    vectors = manifold._scale(steps, x) * v
    errors = manifold.dist(manifold.exp(x, vectors), manifold.retract(x, vectors, method=method))
    return _slope(steps, errors, 1.0, order + 1.0, noise)


def check_transport(
    manifold: Manifold,
    method: Transport | None = None,
    x: Tensor | None = None,
    *,
    longest: float | None = None,
    noise: float = 0.0,
    random_state: TorchRandomState = 0,
) -> SlopeCheck:
    """Check that a transport agrees with many rungs of a pole ladder to first order.

    Parameters
    ----------
    manifold : Manifold
        The space.
    method : Transport, optional
        The transport; the space's own by default.
    x : Tensor of shape ``manifold.shape``, optional
        Where to check, in double precision; a random point by default.
    longest : float, optional
        Longest step; by default 1, or 0.3 injectivity radii where that is less.
    noise : float, default 0.0
        Error, relative to the vectors, of verbs that are approximations: no slope is read below it.
    random_state : int, torch Generator or as everywhere, default 0
        Seed of the point, the direction and the vector.

    Returns
    -------
    SlopeCheck
        With ``expected`` 2: parallel to first order, with an error of order 2.

    Examples
    --------
    >>> from holonomy.manifolds import Projection, Sphere, check_transport
    >>> check_transport(Sphere(3), Projection()).holds
    True
    """
    from holonomy.manifolds.methods import Ladder

    generator = torch_generator(random_state)
    x, v = _place(manifold, x, generator)
    w = manifold.random_tangent(x, generator)
    steps = _steps(manifold, longest)
    y = manifold.exp(x, manifold._scale(steps, x) * v)
    exact = Ladder(rungs=8)(manifold, x, y, w)
    errors = manifold.norm(y, manifold.transport(x, y, w, method=method) - exact)
    return _slope(steps, errors, 10.0 * float(manifold.norm(x, w)), 2.0, noise)


def _place(manifold: Manifold, x: Tensor | None, random_state: TorchRandomState) -> tuple[Tensor, Tensor]:
    """Return the point, in double precision, and a random direction of unit length there."""
    generator = torch_generator(random_state)
    if x is None:
        x = manifold.random_normal(random_state=generator, std=0.5, dtype=torch.float64)
    elif x.dtype != torch.float64:
        raise TypeError(f"x must be in double precision for a slope to show, got {x.dtype}.")
    v = manifold.random_tangent(x, generator)
    return x, v / manifold._scale(manifold.norm(x, v), x)


def _gradient(manifold: Manifold, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    variable = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        (partial,) = torch.autograd.grad(function(variable), variable)
    return manifold.egrad_to_rgrad(x, partial)


def _steps(manifold: Manifold, longest: float | None) -> Tensor:
    """Return steps of which even the longest stays well within the injectivity radius."""
    if longest is None:
        known = "injectivity_radius" not in manifold.derived
        longest = min(1.0, 0.3 * manifold.injectivity_radius) if known else 1.0
    return longest * torch.logspace(_SHORTEST, 0.0, _COUNT, dtype=torch.float64)


def _slope(steps: Tensor, errors: Tensor, scale: float, expected: float, noise: float = 0.0) -> SlopeCheck:
    """Return the slope of the window of steps over which log error is closest to a line, above rounding."""
    t, e = steps.numpy(), errors.detach().numpy()
    log_t, log_e = np.log10(t), np.log10(np.maximum(e, tolerances(torch.float64).tiny))
    floor = max(1e2 * tolerances(torch.float64).eps, noise) * max(scale, 1e-3)
    best, slope = np.inf, np.inf
    for start in range(len(t) - _WINDOW + 1):
        window = slice(start, start + _WINDOW)
        if e[window].min() <= floor:
            continue
        line = np.polyfit(log_t[window], log_e[window], 1)
        roughness = float(np.square(np.polyval(line, log_t[window]) - log_e[window]).sum())
        if roughness < best:
            best, slope = roughness, float(line[0])
    return SlopeCheck(t, e, slope, expected)
