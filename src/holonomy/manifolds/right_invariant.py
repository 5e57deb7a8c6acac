"""The right-invariant metric of symmetric positive definite matrices as the group of their Cholesky factors."""

import torch
from torch import Tensor

from holonomy.manifolds.affine_invariant import AffineInvariant
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.pulled_back import Chart, PulledBack
from holonomy.manifolds.symmetric import cholesky_differential, symmetrize


class CholeskyRightInvariant(PulledBack):
    """The affine-invariant metric after inversion in the group of Cholesky factors, ``L L^T -> L^-1 L^-T``.

    The affine-invariant metric is invariant under left translations ``y -> L y L^T`` of that group, this one under
    right translations ``M M^T -> M L (M L)^T``.

    Parameters
    ----------
    alpha : float, default 1.0
        Positive weight of the whole.
    beta : float, default 0.0
        Weight of the trace, above ``-alpha / n``.

    Raises
    ------
    ValueError
        If ``alpha`` or ``beta`` is out of range.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD, CholeskyRightInvariant
    >>> SPD(2, metric=CholeskyRightInvariant()).dist(torch.eye(2), torch.e * torch.eye(2))
    tensor(1.4142)
    """

    _references = ("thanwerdas2022theoretically",)

    def __init__(self, alpha: float = 1.0, beta: float = 0.0) -> None:
        super().__init__(GroupInverseChart(), AffineInvariant(alpha, beta))

    def extra_repr(self) -> str:
        """Return the weights."""
        return f"alpha={self.base.alpha:g}, beta={self.base.beta:g}"


class GroupInverseChart(Chart):
    """``L L^T -> L^-1 L^-T`` for Cholesky factors L; its own inverse."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the images."""
        inverse = _inverse_factor(x)[1]
        return symmetrize(inverse @ inverse.mT).to(x.dtype)

    def inverse(self, y: Tensor) -> Tensor:
        """Return the same map."""
        return self(y)

    def push(self, x: Tensor, u: Tensor) -> Tensor:
        """Return the derivative at x along u."""
        L, inverse = _inverse_factor(x)
        D = cholesky_differential(*torch.broadcast_tensors(L, symmetrize(widen(u))))
        return (-2.0 * symmetrize(inverse @ D @ inverse @ inverse.mT)).to(u.dtype)

    def pull(self, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
        """Return the derivative at the image along w."""
        return self.push(y, w)


def _inverse_factor(x: Tensor) -> tuple[Tensor, Tensor]:
    L = torch.linalg.cholesky(symmetrize(widen(x)))
    identity = torch.eye(x.shape[-1], dtype=L.dtype, device=x.device).expand_as(L)
    return L, torch.linalg.solve_triangular(L, identity, upper=False)
