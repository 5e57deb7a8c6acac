"""The derivative of a mean by that of the equation which defines it: the weighted mean of logarithms vanishes."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from holonomy.manifolds.numerics import tolerances, widen

if TYPE_CHECKING:
    from holonomy.manifolds.base import Manifold


def follow_gradient(manifold: "Manifold", m: Tensor, x: Tensor, weights: Tensor) -> Tensor:
    """Return m (..., *shape), a mean of x (..., n, *shape) by weights (..., n), with its derivative in both."""
    return _Mean.apply(manifold, m, x, weights)


class _Mean(torch.autograd.Function):
    """``m(x, w)`` with ``F(m, x, w) = sum_i w_i log_m x_i = 0``."""

    @staticmethod
    def forward(ctx: Any, manifold: "Manifold", m: Tensor, x: Tensor, weights: Tensor) -> Tensor:
        ctx.manifold = manifold
        ctx.save_for_backward(m, x, weights)
        return m.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        manifold = ctx.manifold
        m, x, weights = (one.detach() for one in ctx.saved_tensors)
        with torch.enable_grad():
            m.requires_grad_()
            x.requires_grad_(ctx.needs_input_grad[2])
            weights.requires_grad_(ctx.needs_input_grad[3])
            axis = -len(manifold.shape) - 1
            field = (
                weights.reshape(*weights.shape, *[1] * len(manifold.shape)) * manifold._log(m.unsqueeze(axis), x)
            ).sum(axis)
        aim = manifold._egrad_to_rgrad(m.detach(), grad)
        direction = solve_hessian(manifold, m, field, aim)
        wanted = [one for one in (x, weights) if one.requires_grad]
        found = iter(torch.autograd.grad(field, wanted, _lower(manifold, m.detach(), direction), allow_unused=True))
        return None, None, *(next(found) if one.requires_grad else None for one in (x, weights))


def solve_hessian(manifold: "Manifold", m: Tensor, field: Tensor, aim: Tensor) -> Tensor:
    """Return the tangent vectors u (..., *shape) with ``H u = aim``, H minus the derivative of the field at m.

    The field vanishes at m, so H is self-adjoint for the metric, and one reverse pass applies it. Solved by conjugate
    gradients, all means of the batch at once.
    """
    u = torch.zeros_like(aim)
    rest, along = aim, aim
    size = widen(manifold._inner(m, rest, rest))
    enough = (tolerances(aim.dtype).iterate ** 2) * size
    for _ in range(min(manifold.dim + 5, _MOST)):
        active = size > enough
        if not bool(active.any()):
            break
        bent = apply_hessian(manifold, m, field, along)
        curvature = widen(manifold._inner(m, along, bent))
        length = torch.where(active & (curvature > 0), size / torch.where(curvature > 0, curvature, 1.0), 0.0)
        factor = manifold._scale(length.to(aim.dtype), aim)
        u, rest = u + factor * along, rest - factor * bent
        fresh = widen(manifold._inner(m, rest, rest))
        turn = torch.where(active, fresh / torch.where(size > 0, size, 1.0), 0.0)
        along = rest + manifold._scale(turn.to(aim.dtype), aim) * along
        size = fresh
    return u.detach()


def apply_hessian(manifold: "Manifold", m: Tensor, field: Tensor, u: Tensor) -> Tensor:
    """Return H u for tangent vectors u at m, where the field is a function of m that vanishes there."""
    at = m.detach()
    (pulled,) = torch.autograd.grad(field, m, _lower(manifold, at, u), retain_graph=True)
    return -manifold._egrad_to_rgrad(at, pulled)


def _lower(manifold: "Manifold", m: Tensor, u: Tensor) -> Tensor:
    """Return partial derivatives g with ``g . v = inner(m, u, v)`` for every tangent vector v."""
    with torch.enable_grad():
        v = torch.zeros_like(u).requires_grad_()
        (lowered,) = torch.autograd.grad(manifold._inner(m, u.detach(), v).sum(), v)
    return lowered


_MOST = 60
"""Most conjugate gradient steps; the Hessian of a mean is close to the identity, which takes a few."""
