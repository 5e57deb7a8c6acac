"""Positive semidefinite matrices of fixed rank, by factors."""

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.bures_wasserstein import carry_horizontally
from holonomy.manifolds.numerics import safe_sqrt, tolerances, widen
from holonomy.manifolds.polar import polar_factor
from holonomy.manifolds.symmetric import lyapunov


class FixedRankPSD(Manifold):
    """Positive semidefinite n x n matrices ``x x^T`` of rank k, by their factors x (n, k); factors x O are one point.

    The metric is the flat one of factors, so distances are Bures-Wasserstein distances of the matrices; tangent vectors
    are the v with ``x^T v`` symmetric. Geodesics are straight lines of factors, and leave the space where they lose
    rank.

    Parameters
    ----------
    n, k : int
        Size and rank, ``1 <= k <= n``.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If not ``1 <= k <= n``.

    References
    ----------
    Massart & Absil (2020), "Quotient geometry with simple geodesics for the manifold of fixed-rank
    positive-semidefinite matrices".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import FixedRankPSD
    >>> FixedRankPSD(2, 1).dist(torch.tensor([[1.0], [0.0]]), torch.tensor([[-3.0], [0.0]]))
    tensor(2.)
    """

    _references = ("massart2020quotient",)
    _NODES = 8

    def __init__(self, n: int, k: int, *, check: bool = False) -> None:
        n = check_int(n, "n", minimum=1)
        k = check_int(k, "k", minimum=1, maximum=n)
        super().__init__(n * k - k * (k - 1) // 2, (n, k), check=check)
        self.n, self.k = n, k

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return x + v

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return (_aligned(widen(x), widen(y)) - x).to(x.dtype)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(x, y))

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        return (_aligned(widen(x), widen(y)) - x).square().sum((-2, -1)).to(x.dtype)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        x, y, dtype = widen(x), widen(y), v.dtype
        end = _aligned(x, y)
        moved = carry_horizontally(x, end - x, widen(v), self._NODES)
        return (moved @ polar_factor(end.mT @ y)).to(dtype)

    def _project(self, x: Tensor) -> Tensor:
        U, values, Vh = torch.linalg.svd(widen(x), full_matrices=False)
        floor = tolerances(x.dtype).belongs * values[..., :1].clamp_min(tolerances(x.dtype).tiny)
        full = (values > floor).all(-1)[..., None, None]
        raised = (U * torch.maximum(values, 2.0 * floor)[..., None, :]) @ Vh
        return torch.where(full, x, raised.to(x.dtype))

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        x, v = torch.broadcast_tensors(x, v)
        wide, wide_v = widen(x), widen(v)
        inside = wide.mT @ wide_v
        return (wide_v - wide @ lyapunov(wide.mT @ wide, inside - inside.mT)).to(v.dtype)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return self._project_tangent(x, gradient)

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self._project_tangent(x, torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device))

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.eye(self.n, self.k, dtype=dtype, device=device)

    def _residual(self, x: Tensor) -> Tensor:
        """Return 0 where the rank is full, and infinity elsewhere."""
        values = torch.linalg.svdvals(widen(x))
        full = values[..., -1] > tolerances(x.dtype).rank * values[..., 0]
        return torch.where(full, 0.0, torch.inf).to(x.dtype)

    def _injectivity_radius(self) -> float:
        # Around x it is the smallest singular value of the factor, which has no positive lower bound.
        return 0.0

    def extra_repr(self) -> str:
        """Return the size and the rank."""
        return f"{self.n}, {self.k}"


def _aligned(x: Tensor, y: Tensor) -> Tensor:
    """Return the factor of y nearest to x."""
    return y @ polar_factor(y.mT @ x)
