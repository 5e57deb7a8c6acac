"""The orthogonal polar factor, with a derivative that repeated singular values do not harm."""

from typing import Any

import torch
from torch import Tensor

from holonomy.manifolds.numerics import safe_divide
from holonomy.manifolds.symmetric import lyapunov, symmetrize


def polar_factor(M: Tensor) -> Tensor:
    """Return the matrix with orthonormal columns nearest to M.

    Parameters
    ----------
    M : Tensor of shape (..., n, p)
        With n >= p. Where the rank is below p, one of the nearest ones is returned.

    Returns
    -------
    Tensor of shape (..., n, p)
        ``M (M^T M)^(-1/2)``, from one singular value decomposition in float64; differentiable any number of times.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import polar_factor
    >>> polar_factor(torch.tensor([[3.0, 0.0], [0.0, -2.0]]))
    tensor([[ 1.,  0.],
            [ 0., -1.]])
    """
    return _PolarFactor.apply(M, False)[0]


def rotation_factor(M: Tensor) -> Tensor:
    """Return the rotation nearest to square matrices M (..., n, n): of determinant 1 whatever the sign of M's.

    As :func:`polar_factor`, with the smallest singular value negative where the determinant is.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds.polar import rotation_factor
    >>> rotation_factor(torch.diag(torch.tensor([3.0, 2.0, -1.0])))
    tensor([[1., 0., 0.],
            [0., 1., 0.],
            [0., 0., 1.]])
    """
    return _PolarFactor.apply(M, True)[0]


class _PolarFactor(torch.autograd.Function):
    @staticmethod
    def forward(M: Tensor, proper: bool) -> tuple[Tensor, Tensor, Tensor]:
        U, values, Vh = torch.linalg.svd(M.detach().double(), full_matrices=False)
        if proper:
            sign = torch.where(torch.linalg.det(U @ Vh) < 0, -1.0, 1.0)[..., None]
            values = torch.cat([values[..., :-1], sign * values[..., -1:]], dim=-1)
            U = torch.cat([U[..., :-1], sign[..., None] * U[..., -1:]], dim=-1)
        return (U @ Vh).to(M.dtype), values, Vh

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: tuple) -> None:
        ctx.mark_non_differentiable(*output[1:])
        M, ctx.proper = inputs
        ctx.save_for_backward(M, *output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor, None]:
        M, W, values, Vh = ctx.saved_tensors
        if torch.is_grad_enabled():
            return _gradient(M, grad, ctx.proper), None
        W, G = W.double(), grad.double()
        skew = W.mT @ G - G.mT @ W
        inside = safe_divide(Vh @ skew @ Vh.mT, values[..., :, None] + values[..., None, :])
        result = W @ (Vh.mT @ inside @ Vh)
        if M.shape[-2] > M.shape[-1]:
            outside = (G - W @ (W.mT @ G)) @ Vh.mT
            result = result + safe_divide(outside, values[..., None, :]) @ Vh
        return result.to(M.dtype), None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, M: Tensor, proper: bool) -> tuple:
        return _PolarFactor.apply(M.movedim(in_dims[0], 0), proper), (0, 0, 0)


def _gradient(M: Tensor, G: Tensor, proper: bool) -> Tensor:
    """Return the gradient as an expression that can itself be differentiated."""
    W = rotation_factor(M) if proper else polar_factor(M)
    P = symmetrize(W.mT @ M)
    result = W @ lyapunov(P, W.mT @ G - G.mT @ W)
    if M.shape[-2] > M.shape[-1]:
        result = result + torch.linalg.solve(P, G - W @ (W.mT @ G), left=False)
    return result
