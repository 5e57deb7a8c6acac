"""Families of metrics on positive definite matrices: any metric, seen through a power or a congruence."""

import torch
from torch import Tensor, nn

from holonomy._core.validation import check_float
from holonomy.manifolds._divided_differences import Power
from holonomy.manifolds.bures_wasserstein import BuresWasserstein
from holonomy.manifolds.metric import Metric
from holonomy.manifolds.numerics import widen
from holonomy.manifolds.pulled_back import Chart, PulledBack
from holonomy.manifolds.symmetric import apply_function, derivative, sym_power, symmetrize


class PowerDeformed(PulledBack):
    """Any metric of positive definite matrices after the power ``x^power``, its distances divided by ``|power|``.

    As the power goes to 0, the affine-invariant and the Bures-Wasserstein metric tend to log-Euclidean ones.

    Parameters
    ----------
    metric : Metric
        What is deformed.
    power : float
        Any number but 0; 1 changes nothing.

    Raises
    ------
    ValueError
        If ``power`` is 0.

    References
    ----------
    Thanwerdas & Pennec (2022), "The geometry of mixed-Euclidean metrics on symmetric positive definite matrices".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD, AffineInvariant, PowerDeformed
    >>> space = SPD(2, metric=PowerDeformed(AffineInvariant(), 0.5))
    >>> space.dist(torch.eye(2), torch.e * torch.eye(2))
    tensor(1.4142)
    """

    _references = ("thanwerdas2022geometry",)

    def __init__(self, metric: Metric, power: float) -> None:
        power = check_float(power, "power")
        if power == 0.0:
            raise ValueError("power must not be 0; its limit there is log-Euclidean: use LogEuclidean().")
        super().__init__(PowerChart(power), metric, 1.0 / abs(power))
        self.power = power

    def extra_repr(self) -> str:
        """Return the metric and the power."""
        return f"{self.base!r}, {self.power:g}"


class GeneralizedBuresWasserstein(PulledBack):
    """The Bures-Wasserstein metric relative to a matrix M: that of ``M^(-1/2) x M^(-1/2)``, after a power.

    With ``M`` the identity and power 1 it is the Bures-Wasserstein metric; at ``x = M`` it looks affine-invariant. The
    verbs use ``L^-1 x L^-T`` with ``M = L L^T``: another root of M turns all matrices alike, and changes nothing.

    Parameters
    ----------
    M : Tensor of shape (n, n)
        Symmetric positive definite. A ``Parameter`` is kept as it is, and can be learned on ``SPD(n)``.
    power : float, default 1.0
        Any number but 0; points and M enter by this power.

    Raises
    ------
    ValueError
        If ``M`` is not a symmetric positive definite matrix, or ``power`` is 0.

    References
    ----------
    Han, Mishra, Jawanpuria & Gao (2023), "Learning with symmetric positive definite matrices via generalized
    Bures-Wasserstein geometry".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD, GeneralizedBuresWasserstein
    >>> space = SPD(2, metric=GeneralizedBuresWasserstein(4.0 * torch.eye(2)))
    >>> space.dist(torch.eye(2), 4.0 * torch.eye(2))
    tensor(0.7071)
    """

    _references = ("han2023learning",)

    def __init__(self, M: Tensor, power: float = 1.0) -> None:
        if M.ndim != 2 or M.shape[0] != M.shape[1] or not M.is_floating_point():
            raise ValueError(f"M must be one floating-point matrix (n, n), got {M.dtype} of shape {tuple(M.shape)}.")
        smallest = float(torch.linalg.eigvalsh(symmetrize(widen(M.detach()))).min())
        if not smallest > 0.0:
            raise ValueError(f"M must be positive definite, and its smallest eigenvalue is {smallest:.3g}.")
        congruence = PulledBack(CongruenceChart(M, check_float(power, "power")), BuresWasserstein())
        deformed = PowerDeformed(congruence, power)
        super().__init__(deformed.chart, congruence, deformed.scale)

    @property
    def M(self) -> Tensor:
        """The matrix."""
        return self.base.chart.M  # type: ignore[union-attr, return-value]

    def extra_repr(self) -> str:
        """Return the size of the matrix and the power."""
        return f"M of shape {tuple(self.M.shape)}, power={self.chart.exponent:g}"


class PowerChart(Chart):
    """A matrix power."""

    def __init__(self, exponent: float) -> None:
        super().__init__()
        self.exponent = exponent

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x^exponent``."""
        return apply_function(x, Power(self.exponent))

    def inverse(self, y: Tensor) -> Tensor:
        """Return ``y^(1 / exponent)``."""
        return apply_function(y, Power(1.0 / self.exponent))

    def push(self, x: Tensor, u: Tensor) -> Tensor:
        """Return the derivative of the power."""
        return derivative(x, Power(self.exponent), u)

    def pull(self, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
        """Return the derivative of the inverse power at the image."""
        return derivative(y, Power(1.0 / self.exponent), w)

    def pull_adjoint(self, x: Tensor, y: Tensor, g: Tensor) -> Tensor:
        """Return the same: the derivative is self-adjoint."""
        return derivative(y, Power(1.0 / self.exponent), g)


class CongruenceChart(Chart):
    """``L^-1 x L^-T`` with ``M^power = L L^T``."""

    def __init__(self, M: Tensor, power: float) -> None:
        super().__init__()
        if isinstance(M, nn.Parameter):
            self.M = M
        else:
            self.register_buffer("M", M)
        self.power = power

    def _factor(self, x: Tensor) -> Tensor:
        M = widen(self.M)
        return torch.linalg.cholesky(symmetrize(M) if self.power == 1.0 else sym_power(M, self.power))

    def forward(self, x: Tensor) -> Tensor:
        """Return the images."""
        return self.push(x, x)

    def inverse(self, y: Tensor) -> Tensor:
        """Return ``L y L^T``."""
        return self.pull(y, y, y)

    def push(self, x: Tensor, u: Tensor) -> Tensor:
        """Return ``L^-1 u L^-T``."""
        L = self._factor(x)
        half = torch.linalg.solve_triangular(L, widen(u), upper=False)
        return symmetrize(torch.linalg.solve_triangular(L, half.mT, upper=False)).to(u.dtype)

    def pull(self, x: Tensor, y: Tensor, w: Tensor) -> Tensor:
        """Return ``L w L^T``."""
        L = self._factor(x)
        return symmetrize(L @ widen(w) @ L.mT).to(w.dtype)

    def pull_adjoint(self, x: Tensor, y: Tensor, g: Tensor) -> Tensor:
        """Return ``L^T g L``."""
        L = self._factor(x)
        return symmetrize(L.mT @ widen(g) @ L).to(g.dtype)
