"""The log-Cholesky metric of symmetric positive definite matrices: flat, and as cheap as two Cholesky factors."""

import torch
from torch import Tensor

from holonomy.manifolds.flat_metric import FlatLower
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.pulled_back import Chart, PulledBack
from holonomy.manifolds.symmetric import cholesky_differential, symmetrize


class LogCholesky(PulledBack):
    """The flat metric of Cholesky factors whose diagonal is taken by its logarithm.

    No eigendecomposition is needed, and determinants are interpolated geometrically. It depends on the order of the
    coordinates.

    References
    ----------
    Lin (2019), "Riemannian Geometry of Symmetric Positive Definite Matrices via Cholesky Decomposition".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD
    >>> SPD(2, metric="log_cholesky").dist(torch.eye(2), torch.e**2 * torch.eye(2))
    tensor(1.4142)
    """

    _references = ("lin2019riemannian",)

    def __init__(self) -> None:
        super().__init__(LogCholeskyChart(), FlatLower())


class LogCholeskyChart(Chart):
    """Lower triangular matrices: the Cholesky factor below the diagonal, and the logarithm of its diagonal."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the lower triangular matrices."""
        L = _cholesky(x)
        return (L.tril(-1) + torch.diag_embed(torch.log(L.diagonal(dim1=-2, dim2=-1)))).to(x.dtype)

    def inverse(self, y: Tensor) -> Tensor:
        """Return ``L L^T``."""
        L = factor(widen(y))
        return (L @ L.mT).to(y.dtype)

    def push(self, x: Tensor, u: Tensor) -> Tensor:
        """Return the derivative of the factor, its diagonal relative to the factor's."""
        L = _cholesky(x)
        D = cholesky_differential(*torch.broadcast_tensors(L, symmetrize(widen(u))))
        relative = D.diagonal(dim1=-2, dim2=-1) / L.diagonal(dim1=-2, dim2=-1)
        return (D.tril(-1) + torch.diag_embed(relative)).to(u.dtype)

    def pull(self, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
        """Return ``D L^T + L D^T``."""
        L = factor(widen(y))
        w = widen(w)
        D = w.tril(-1) + torch.diag_embed(w.diagonal(dim1=-2, dim2=-1) * L.diagonal(dim1=-2, dim2=-1))
        return (2.0 * symmetrize(D @ L.mT)).to(y.dtype)

    def pull_adjoint(self, x: Tensor, y: Tensor, g: Tensor) -> Tensor:
        """Return the lower triangle of ``2 g L``, its diagonal times the factor's."""
        L = factor(widen(y))
        lowered = 2.0 * symmetrize(widen(g)) @ L
        diagonal = lowered.diagonal(dim1=-2, dim2=-1) * L.diagonal(dim1=-2, dim2=-1)
        return (lowered.tril(-1) + torch.diag_embed(diagonal)).to(y.dtype)


def factor(y: Tensor) -> Tensor:
    """Return the Cholesky factor whose diagonal is the exponential of that of a lower triangular matrix."""
    return y.tril(-1) + torch.diag_embed(torch.exp(y.diagonal(dim1=-2, dim2=-1)))


def _cholesky(x: Tensor) -> Tensor:
    return torch.linalg.cholesky(symmetrize(widen(x)))
