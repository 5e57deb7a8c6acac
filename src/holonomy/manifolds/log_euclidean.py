"""The log-Euclidean metric of symmetric positive definite matrices: the logarithm is an isometry onto a flat space."""

from torch import Tensor

from holonomy.manifolds._divided_differences import Exp, Log
from holonomy.manifolds.flat_metric import FlatSymmetric
from holonomy.manifolds.pulled_back import Chart, PulledBack
from holonomy.manifolds.symmetric import apply_function, derivative


class LogEuclidean(PulledBack):
    """The flat metric of logarithms; all powers of a matrix lie on one geodesic.

    Parameters
    ----------
    alpha : float, default 1.0
        Positive weight of the sum of squares.
    beta : float, default 0.0
        Weight of the squared trace, above ``-alpha / n``.

    Raises
    ------
    ValueError
        If ``alpha`` or ``beta`` is out of range.

    References
    ----------
    Arsigny, Fillard, Pennec & Ayache (2007), "Geometric Means in a Novel Vector Space Structure on Symmetric
    Positive-Definite Matrices".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD
    >>> SPD(2, metric="log_euclidean").dist(torch.eye(2), torch.e * torch.eye(2))
    tensor(1.4142)
    """

    _references = ("arsigny2007geometric",)

    def __init__(self, alpha: float = 1.0, beta: float = 0.0) -> None:
        super().__init__(LogChart(), FlatSymmetric(alpha, beta))

    def extra_repr(self) -> str:
        """Return the weights."""
        return f"alpha={self.base.alpha:g}, beta={self.base.beta:g}"


class LogChart(Chart):
    """The matrix logarithm, from positive definite to all symmetric matrices."""

    def forward(self, x: Tensor) -> Tensor:
        """Return logarithms."""
        return apply_function(x, Log())

    def inverse(self, y: Tensor) -> Tensor:
        """Return exponentials."""
        return apply_function(y, Exp())

    def push(self, x: Tensor, u: Tensor) -> Tensor:
        """Return the derivative of the logarithm."""
        return derivative(x, Log(), u)

    def pull(self, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
        """Return the derivative of the exponential at the logarithm."""
        return derivative(y, Exp(), w)

    def pull_adjoint(self, x: Tensor, y: Tensor, g: Tensor) -> Tensor:
        """Return the same: the derivative is self-adjoint."""
        return derivative(y, Exp(), g)
