"""What a solver is given: values, Riemannian gradients and Hessians of a function at points, counted."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from holonomy.manifolds import Manifold, MetricManifold
from holonomy.manifolds.methods import Retraction, Transport
from holonomy.manifolds.numerics import tolerances
from holonomy.optim._curves import Curve, curve_of
from holonomy.optim._moves import default_retraction, default_transport

Product = Callable[[Tensor], Tensor]
"""From a tangent vector to the Hessian applied to it."""


@dataclass(frozen=True)
class Evaluation:
    """A function at a point: its value, partial derivatives, Riemannian gradient and the length of that."""

    x: Tensor
    fun: float
    egrad: Tensor
    grad: Tensor
    norm: float

    @property
    def finite(self) -> bool:
        """Whether the value and the gradient are."""
        return math.isfinite(self.fun) and math.isfinite(self.norm)


class Problem:
    """A function on a manifold, as solvers see it.

    Parameters
    ----------
    fun : callable
        From a point, a tensor, to a number.
    manifold : Manifold
        The space, whose shape is that of a point.
    jac : callable, True or None
        From a point to the partial derivatives; with True ``fun`` returns both; None is automatic differentiation.
    hessp : callable or None
        From a point and a vector to the derivative of ``jac`` along the vector.
    retraction, transport : method objects or None
        How to move; by default as suits the space.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        manifold: Manifold,
        jac: Any = None,
        hessp: Callable[..., Any] | None = None,
        retraction: Retraction | None = None,
        transport: Transport | None = None,
    ) -> None:
        self.fun, self.manifold, self.jac, self.hessp = fun, manifold, jac, hessp
        self._retraction = default_retraction(manifold) if retraction is None else retraction
        self._transport = default_transport(manifold) if transport is None else transport
        self.nfev = self.njev = self.nhev = 0
        self.hessian_used = "none"
        self._trusted = False
        self._curve: tuple[Tensor, Tensor, Curve] | None = None
        self._plain_norm = "norm" in (manifold.metric if isinstance(manifold, MetricManifold) else manifold).derived

    def retract(self, x: Tensor, v: Tensor) -> Tensor:
        """Return the point reached from x along v."""
        return self._retraction(self.manifold, x, v)

    def transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        """Return vectors at x, of any leading axes, moved to y."""
        return self._transport(self.manifold, x, y, v)

    def inner(self, x: Tensor, u: Tensor, v: Tensor) -> float:
        """Return the inner product of two tangent vectors."""
        return float(self.manifold.inner(x, u, v))

    def norm(self, x: Tensor, v: Tensor) -> float:
        """Return the length of a tangent vector."""
        if self._plain_norm:
            square = float(self.manifold.inner(x, v, v))
            return math.sqrt(square) if not square < 0.0 else 0.0
        return float(self.manifold.norm(x, v))

    def value(self, x: Tensor) -> float:
        """Return the function's value."""
        self.nfev += 1
        result = self.fun(x)
        return float(_scalar(result[0] if self.jac is True else result))

    def evaluate(self, x: Tensor) -> Evaluation:
        """Return value and gradient."""
        self.nfev += 1
        self.njev += 1
        value, egrad = self._derivatives(x)
        grad = self.manifold.egrad_to_rgrad(x, egrad)
        return Evaluation(x, float(value), egrad, grad, self.norm(x, grad))

    def along(self, x: Tensor, t: float, direction: Tensor) -> tuple[Evaluation, float]:
        """Return the function where the curve that retracts multiples of a direction is at t, and its derivative there.

        The derivative is infinite where the function is not finite.
        """
        if self._curve is None or self._curve[0] is not x or self._curve[1] is not direction:
            self._curve = x, direction, curve_of(self.manifold, self._retraction, x, direction)
        moved, slope = self._curve[2].at(t)
        there = self.evaluate(moved)
        return there, slope(there.egrad) if there.finite else math.inf

    def hessian(self, at: Evaluation) -> Product:
        """Return the Hessian at a point, of the function pulled back by the retraction, as a map of tangent vectors.

        It is the Riemannian Hessian where the retraction is of second order, and at critical points.
        """
        product = None if self._needs_differences() else self._exact_hessian(at)
        if product is not None and not self._trusted:
            self._trusted = self._agree(at, product, self._difference_hessian(at))
        if product is None or not self._trusted:
            self.hessian_used = "finite differences"
            product = self._difference_hessian(at)

        def counted(v: Tensor) -> Tensor:
            self.nhev += 1
            return product(v)

        return counted

    def _needs_differences(self) -> bool:
        return self.hessian_used == "finite differences" or (self.hessp is None and self.jac is not None)

    def _agree(self, at: Evaluation, product: Product, rough: Product) -> bool:
        """Say whether a Hessian agrees with differences along the gradient.

        Operations whose derivatives are numbers without a past make second derivatives wrong, without an error.
        """
        if at.norm == 0.0:
            return True
        v = at.grad / at.norm
        one, other = product(v), rough(v)
        size = self.norm(at.x, one) + self.norm(at.x, other) + at.norm
        noise = 1e3 * tolerances(at.x.dtype).eps ** 0.5 * size
        return self.norm(at.x, one - other) <= max(0.05 * (size - at.norm), noise)

    def _exact_hessian(self, at: Evaluation) -> Product | None:
        """Differentiate twice; None where something on the way has no second derivative."""
        steps = torch.zeros_like(at.x).requires_grad_()
        try:
            with torch.enable_grad():
                moved = self.retract(at.x, steps)
                height = self.fun(moved) if self.hessp is None else (at.egrad * moved).sum()
                (slope,) = torch.autograd.grad(height, steps, create_graph=True)
            bend = self._bend(slope, steps, at.grad)
        except (RuntimeError, NotImplementedError):
            return None
        if not bool(torch.isfinite(bend).all()):
            return None
        self.hessian_used = "automatic differentiation" if self.hessp is None else "hessp"

        def product(v: Tensor) -> Tensor:
            covector = self._bend(slope, steps, v)
            if self.hessp is not None:
                covector = covector + _like(self.hessp(at.x, v), at.x, "hessp")
            return self.manifold.egrad_to_rgrad(at.x, covector)

        return product

    @staticmethod
    def _bend(slope: Tensor, steps: Tensor, v: Tensor) -> Tensor:
        """Return the derivative of the slope along v; nothing where the slope is constant."""
        if not slope.requires_grad:
            return torch.zeros_like(steps)
        (bend,) = torch.autograd.grad(slope, steps, grad_outputs=v, retain_graph=True, allow_unused=True)
        return torch.zeros_like(steps) if bend is None else bend

    def _difference_hessian(self, at: Evaluation) -> Product:
        """Compare the derivatives, by steps at the point, of the function there and after a short step."""
        reach = tolerances(at.x.dtype).eps ** 0.5 * (1.0 + float(at.x.norm()))
        here = self._pull_back(at.x, torch.zeros_like(at.x), at.egrad)

        def product(v: Tensor) -> Tensor:
            length = self.norm(at.x, v)
            if length == 0.0:
                return torch.zeros_like(v)
            step = (reach / length) * v
            there = self._pull_back(at.x, step, self.evaluate(self.retract(at.x, step)).egrad)
            return self.manifold.egrad_to_rgrad(at.x, (there - here) * (length / reach))

        return product

    def _pull_back(self, x: Tensor, v: Tensor, egrad: Tensor) -> Tensor:
        """Return partial derivatives at the end of a step as derivatives by the coordinates of the step."""
        step = v.clone().requires_grad_()
        with torch.enable_grad():
            (derivatives,) = torch.autograd.grad(self.retract(x, step), step, grad_outputs=egrad)
        return derivatives

    def _derivatives(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the value and the partial derivatives."""
        if self.jac is None:
            return self._differentiate(x)
        if self.jac is True:
            value, egrad = self.fun(x)
            return _scalar(value), _like(egrad, x, "jac")
        return _scalar(self.fun(x)), _like(self.jac(x), x, "jac")

    def _differentiate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        variable = x.detach().clone().requires_grad_()
        with torch.enable_grad():
            value = _scalar(self.fun(variable))
            if not value.requires_grad:
                raise ValueError(
                    "fun must compute its value from its argument by differentiable operations of torch, and the value "
                    "does not depend on it; otherwise pass the derivatives as jac."
                )
            (egrad,) = torch.autograd.grad(value, variable)
        return value.detach(), egrad


def _scalar(value: Any) -> Tensor:
    # Python's numbers have double precision, which as_tensor alone would not keep.
    number = value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=torch.float64)
    if number.numel() != 1:
        raise ValueError(f"fun must return one number, got a result of shape {tuple(number.shape)}.")
    return number.reshape(())


def _like(value: Any, x: Tensor, name: str) -> Tensor:
    result = torch.as_tensor(value, device=x.device).detach().to(x.dtype)
    if result.shape != x.shape:
        raise ValueError(f"{name} must return an array of the shape {tuple(x.shape)} of x, got {tuple(result.shape)}.")
    return result
