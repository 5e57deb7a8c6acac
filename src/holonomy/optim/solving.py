"""Minimisation of smooth functions on manifolds."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from holonomy._core.citations import references
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.manifolds import Manifold, Power
from holonomy.manifolds.methods import Retraction, Transport
from holonomy.manifolds.numerics import tolerances
from holonomy.optim._problem import Evaluation, Problem
from holonomy.optim.descent import ConjugateGradient, GradientDescent
from holonomy.optim.quasi_newton import LBFGS
from holonomy.optim.result import MinimizeResult
from holonomy.optim.trust_region import TrustRegion


class Method(Protocol):
    """A way to minimise: from a problem and a start to the points that its steps reach."""

    def steps(self, problem: Problem, start: Evaluation) -> Iterator[Evaluation]:
        """Yield the function after every step, and end when no step makes it fall."""
        ...


METHODS: dict[str, Callable[[], Method]] = {
    "conjugate_gradient": ConjugateGradient,
    "gradient_descent": GradientDescent,
    "lbfgs": LBFGS,
    "trust_region": TrustRegion,
}
"""Names of the methods with their defaults."""


@references("boumal2023introduction")
def minimize(
    fun: Callable[..., Any],
    manifold: Manifold,
    x0: Any,
    method: str | Method = "lbfgs",
    *,
    jac: Callable[..., Any] | bool | None = None,
    hessp: Callable[..., Any] | None = None,
    gtol: float | None = None,
    max_iter: int = 1000,
    retraction: Retraction | None = None,
    transport: Transport | None = None,
    callback: Callable[[MinimizeResult], Any] | None = None,
) -> MinimizeResult:
    """Minimise a smooth function on a manifold.

    Parameters
    ----------
    fun : callable
        From a point, a tensor of the shape of ``x0``, to a number. It is differentiated by torch unless ``jac`` is
        given.
    manifold : Manifold
        The space of the points. With leading axes in ``x0`` the unknowns are that many points at once.
    x0 : array-like of shape (..., *manifold.shape)
        Start, on the manifold, of floating-point numbers; float64 is recommended, as float32 stops earlier. The answer
        is an array or a tensor as this is.
    method : {"lbfgs", "conjugate_gradient", "trust_region", "gradient_descent"} or method object, default "lbfgs"
        How to minimise; objects such as ``LBFGS(memory=20)`` carry the options.
    jac : callable or True, optional
        From a point to the partial derivatives by its coordinates (the Euclidean gradient), a tensor or an array. With
        True ``fun`` returns the value and these.
    hessp : callable, optional
        From a point and a vector to the derivative of the partial derivatives along the vector, for trust regions.
        Without it the function is differentiated twice, or, where that is impossible or ``jac`` is given, gradients a
        short step apart are compared; ``hessian_used`` says which. The first product is compared with the other way.
    gtol : float, optional
        Length of the gradient at which the search has converged; by default 5e-7 in float64 and 2e-3 in float32.
    max_iter : int, default 1000
        Most steps.
    retraction, transport : method objects, optional
        How points and vectors move (:mod:`holonomy.manifolds.methods`). By default exact where that is cheap, and by
        projection for spaces in coordinates of a surrounding one, such as spheres, frames and subspaces.
    callback : callable, optional
        Called with the state, a :class:`MinimizeResult`, after every step; it may raise ``StopIteration``.

    Returns
    -------
    MinimizeResult
        With ``x``, ``fun``, ``grad_norm``, ``success``, ``message`` and more.

    Raises
    ------
    TypeError
        If ``x0`` is not of floating-point numbers, or an argument is of a wrong type.
    ValueError
        If ``x0`` lies off the manifold, the function or its gradient is not finite there, the function does not
        return one number that depends on its argument, or an option is unknown or out of range.

    References
    ----------
    Boumal (2023), "An Introduction to Optimization on Smooth Manifolds".

    Examples
    --------
    The leading eigenvector of a matrix:

    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.optim import minimize
    >>> A = torch.diag(torch.tensor([1.0, 5.0, 2.0], dtype=torch.float64))
    >>> found = minimize(lambda x: -x @ A @ x, Sphere(2), torch.tensor([0.6, 0.48, 0.64], dtype=torch.float64))
    >>> found.success, round(found.fun, 9)
    (True, -5.0)
    """
    if not callable(fun):
        raise TypeError(f"fun must be callable, got {type(fun).__name__}.")
    if not isinstance(manifold, Manifold):
        raise TypeError(f"manifold must be a Manifold, got {type(manifold).__name__}.")
    solver = _method(method)
    limit = check_int(max_iter, "max_iter", minimum=0)
    x, as_array = _start(x0)
    manifold.check_point(x, "x0")
    goal = tolerances(x.dtype).gradient if gtol is None else check_float(gtol, "gtol", minimum=0.0)
    for _ in range(x.ndim - len(manifold.shape)):
        manifold = Power(manifold, x.shape[x.ndim - len(manifold.shape) - 1])
    problem = Problem(fun, manifold, _jac(jac), hessp, retraction, transport)
    with torch.no_grad():
        return _run(solver, problem, x, goal, limit, callback, as_array)


def _run(
    method: Method,
    problem: Problem,
    x: Tensor,
    gtol: float,
    max_iter: int,
    callback: Callable[[MinimizeResult], Any] | None,
    as_array: bool,
) -> MinimizeResult:
    at = problem.evaluate(x)
    if not at.finite:
        raise ValueError(f"fun and its gradient must be finite at x0, got {at.fun} and a gradient of length {at.norm}.")
    values, norms = [at.fun], [at.norm]

    def state(status: str) -> MinimizeResult:
        point = at.x.detach()
        return MinimizeResult(
            x=point.cpu().numpy() if as_array else point,
            fun=at.fun,
            grad_norm=at.norm,
            status=status,
            gtol=gtol,
            nit=len(values) - 1,
            nfev=problem.nfev,
            njev=problem.njev,
            nhev=problem.nhev,
            hessian_used=problem.hessian_used,
            method=method,
            fun_history=np.array(values),
            grad_norm_history=np.array(norms),
        )

    if at.norm <= gtol:
        return state("converged")
    if max_iter == 0:
        return state("max_iter")
    for step in method.steps(problem, at):
        at = step
        values.append(at.fun)
        norms.append(at.norm)
        try:
            if callback is not None:
                callback(state("running"))
        except StopIteration:
            return state("stopped")
        if at.norm <= gtol:
            return state("converged")
        if len(values) > max_iter:
            return state("max_iter")
    return state("stalled")


def _method(method: str | Method) -> Method:
    if isinstance(method, str):
        return METHODS[check_option(method, "method", METHODS)]()
    if not callable(getattr(method, "steps", None)):
        raise TypeError(f"method must be a name or a method object such as LBFGS(), got {type(method).__name__}.")
    return method


def _jac(jac: Any) -> Any:
    if jac is None or jac is False:
        return None
    if jac is not True and not callable(jac):
        raise TypeError(f"jac must be callable or True, got {type(jac).__name__}.")
    return jac


def _start(x0: Any) -> tuple[Tensor, bool]:
    """Return the start as a tensor that nothing else shares, and whether the answer is an array."""
    if isinstance(x0, Tensor):
        return x0.detach().clone(), False
    array = np.asarray(x0)
    if array.dtype not in (np.float64, np.float32):
        raise TypeError(f"x0 must hold numbers of type float64 or float32, got {array.dtype}.")
    return torch.from_numpy(array.copy()), True
