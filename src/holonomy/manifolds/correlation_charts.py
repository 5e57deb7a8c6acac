"""Maps of full-rank correlation matrices onto vector spaces of matrices."""

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from holonomy.manifolds.numerics import tolerances, widen
from holonomy.manifolds.pulled_back import Chart
from holonomy.manifolds.symmetric import sym_exp, sym_log, symmetrize

NEWTON_STEPS = 100
"""Most steps of the scaling iterations."""


class _DifferentiatedChart(Chart):
    """A chart whose derivatives come from automatic differentiation of its two maps."""

    @abstractmethod
    def _forward(self, x: Tensor) -> Tensor:
        """Return the images, in double precision."""

    @abstractmethod
    def _inverse(self, y: Tensor) -> Tensor:
        """Return the correlation matrices, in double precision."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the images of correlation matrices."""
        return self._forward(widen(x)).to(x.dtype)

    def inverse(self, y: Tensor) -> Tensor:
        """Return the correlation matrices of images."""
        return self._inverse(widen(y)).to(y.dtype)

    def push(self, x: Tensor, u: Tensor) -> Tensor:
        """Return the derivative at x along u."""
        return _along(self._forward, widen(x), symmetrize(widen(u))).to(u.dtype)

    def pull(self, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
        """Return the derivative of the inverse at the image."""
        return _along(self._inverse, widen(y), widen(w)).to(w.dtype)

    def pull_adjoint(self, x: Tensor, y: Tensor, g: Tensor) -> Tensor:
        """Return the adjoint of the derivative of the inverse."""
        y, g = torch.broadcast_tensors(widen(y), symmetrize(widen(g)))
        return torch.func.vjp(self._inverse, y)[1](g)[0].to(x.dtype)


class EuclideanCholeskyChart(_DifferentiatedChart):
    """The strictly lower part of the Cholesky factor, its rows divided by their diagonal entries."""

    def _forward(self, x: Tensor) -> Tensor:
        L = torch.linalg.cholesky(symmetrize(x))
        return (L / L.diagonal(dim1=-2, dim2=-1)[..., None]).tril(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        rows = y.tril(-1) + torch.eye(y.shape[-1], dtype=y.dtype, device=y.device)
        rows = rows / rows.norm(dim=-1, keepdim=True)
        return _with_unit_diagonal(rows @ rows.mT)


class LogEuclideanCholeskyChart(EuclideanCholeskyChart):
    """The logarithm of the unit lower triangular factor: a finite sum."""

    def _forward(self, x: Tensor) -> Tensor:
        lower = super()._forward(x)
        total, power = lower, lower
        for k in range(2, x.shape[-1]):
            power = power @ lower
            total = total + (-1.0) ** (k + 1) / k * power
        return total

    def _inverse(self, y: Tensor) -> Tensor:
        lower = y.tril(-1)
        total, power = lower, lower
        for k in range(2, y.shape[-1]):
            power = power @ lower / k
            total = total + power
        return super()._inverse(total)


class OffLogChart(_DifferentiatedChart):
    """The logarithm without its diagonal; the diagonal that gives unit variances is unique."""

    def _forward(self, x: Tensor) -> Tensor:
        return _hollow(sym_log(x))

    def _inverse(self, y: Tensor) -> Tensor:
        y = _hollow(symmetrize(y))

        def diagonal(d: Tensor) -> Tensor:
            return sym_exp(y + torch.diag_embed(d)).diagonal(dim1=-2, dim2=-1)

        with torch.no_grad():
            d = torch.zeros_like(y.diagonal(dim1=-2, dim2=-1))
            for _ in range(NEWTON_STEPS):
                step = torch.log(diagonal(d))
                d = d - step
                if bool((step.abs() <= 4.0 * tolerances(y.dtype).eps).all()):
                    break
            inverse = torch.linalg.inv(_jacobian(diagonal, d))
        # One Newton step with a constant matrix has the derivative of the solution.
        d = d - ((diagonal(d) - 1.0)[..., None, :] @ inverse.mT)[..., 0, :]
        return _with_unit_diagonal(sym_exp(y + torch.diag_embed(d)))


class LogScaledChart(_DifferentiatedChart):
    """The logarithm of ``D x D``, with the positive diagonal D that makes every row sum to 1."""

    def _forward(self, x: Tensor) -> Tensor:
        x = symmetrize(x)
        with torch.no_grad():
            d = torch.ones_like(x[..., 0])
            for _ in range(NEWTON_STEPS):
                # Newton's method for the convex function d^T x d / 2 - sum log d, damped as for self-concordance.
                hessian = x + torch.diag_embed(d**-2.0)
                gradient = (x @ d[..., None])[..., 0] - 1.0 / d
                step = torch.linalg.solve(hessian, gradient)
                decrement = (step * gradient).sum(-1, keepdim=True).clamp_min(0.0).sqrt()
                d = d - step / torch.where(decrement > 0.25, 1.0 + decrement, 1.0)
                if bool((decrement <= 4.0 * tolerances(x.dtype).eps).all()):
                    break
            hessian = x + torch.diag_embed(d**-2.0)
        residual = (x @ d[..., None])[..., 0] - 1.0 / d
        d = d - torch.linalg.solve(hessian, residual)
        return sym_log(d[..., :, None] * x * d[..., None, :])

    def _inverse(self, y: Tensor) -> Tensor:
        whole = sym_exp(y)
        scale = whole.diagonal(dim1=-2, dim2=-1).rsqrt()
        return _with_unit_diagonal(scale[..., :, None] * whole * scale[..., None, :])


def _along(f: Callable[[Tensor], Tensor], x: Tensor, u: Tensor) -> Tensor:
    """Return the derivative of f at x along u, by the adjoint of its adjoint."""
    x, u = torch.broadcast_tensors(x, u)
    image, adjoint, *_ = torch.func.vjp(f, x)
    _, forward, *_ = torch.func.vjp(lambda g: adjoint(g)[0], torch.zeros_like(image))
    return forward(u)[0]


def _jacobian(f: Callable[[Tensor], Tensor], d: Tensor) -> Tensor:
    """Return the derivatives (..., n, n) of a map of vectors (..., n)."""
    n = d.shape[-1]
    _, adjoint, *_ = torch.func.vjp(f, d)
    rows = [adjoint(row.expand_as(d))[0] for row in torch.eye(n, dtype=d.dtype, device=d.device)]
    return torch.stack(rows, dim=-2)


def _hollow(x: Tensor) -> Tensor:
    return x - torch.diag_embed(x.diagonal(dim1=-2, dim2=-1))


def _with_unit_diagonal(x: Tensor) -> Tensor:
    """Return the matrix with its diagonal, 1 up to rounding, set to 1."""
    identity = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    return symmetrize(x) * (1.0 - identity) + identity
