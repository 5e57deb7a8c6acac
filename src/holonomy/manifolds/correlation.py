"""Full-rank correlation matrices."""

import torch
from torch import Tensor

from holonomy._core.validation import check_int, check_option
from holonomy.manifolds._invariant import symmetric_basis
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.correlation_charts import (
    EuclideanCholeskyChart,
    LogEuclideanCholeskyChart,
    LogScaledChart,
    OffLogChart,
)
from holonomy.manifolds.flat_metric import FlatLower, FlatSpan
from holonomy.manifolds.metric import Metric, MetricManifold
from holonomy.manifolds.numerics import tolerances, widen
from holonomy.manifolds.poly_hyperbolic import HyperbolicRows
from holonomy.manifolds.pulled_back import PulledBack
from holonomy.manifolds.symmetric import symmetrize


class Correlation(MetricManifold):
    """Symmetric positive definite n x n matrices with unit diagonal, with a choice of metrics.

    Tangent vectors are symmetric matrices with zero diagonal. ``project`` scales a positive definite matrix to unit
    diagonal, after raising eigenvalues that are not positive.

    Parameters
    ----------
    n : int
        Size, at least 2.
    metric : str or Metric, default "euclidean_cholesky"
        ``"euclidean_cholesky"``, ``"log_euclidean_cholesky"``, ``"off_log"``, ``"log_scaled"`` (all flat) or
        ``"poly_hyperbolic"`` (the rows of the Cholesky factor as points of hyperbolic spaces).
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If ``n`` is below 2 or the metric unknown.

    References
    ----------
    Thanwerdas & Pennec (2022), "Theoretically and computationally convenient geometries on full-rank correlation
    matrices". Thanwerdas (2024), "Permutation-invariant log-Euclidean geometries on full-rank correlation matrices".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Correlation
    >>> x = torch.tensor([[1.0, 0.6], [0.6, 1.0]])
    >>> Correlation(2).dist(torch.eye(2), x)
    tensor(0.7500)
    """

    _references = ("thanwerdas2022theoretically", "thanwerdas2024permutation")

    def __init__(self, n: int, metric: str | Metric = "euclidean_cholesky", *, check: bool = False) -> None:
        n = check_int(n, "n", minimum=2)
        if not isinstance(metric, Metric):
            metric = _NAMED[check_option(metric, "metric", _NAMED)]()
        super().__init__(n * (n - 1) // 2, (n, n), metric, check=check)
        self.n = n

    def _project(self, x: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(symmetrize(widen(x)))
        floor = tolerances(x.dtype).belongs * values.abs().amax(-1, keepdim=True).clamp_min(tolerances(x.dtype).tiny)
        raised = symmetrize((vectors * torch.maximum(values, floor)[..., None, :]) @ vectors.mT)
        inside = (values > 0).all(-1)[..., None, None]
        return unit_diagonal(torch.where(inside, symmetrize(widen(x)), raised)).to(x.dtype)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        v = symmetrize(v).expand(torch.broadcast_shapes(x.shape, v.shape))
        return v - torch.diag_embed(v.diagonal(dim1=-2, dim2=-1))

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.eye(self.n, dtype=dtype, device=device)

    def _residual(self, x: Tensor) -> Tensor:
        """Return how far the matrix is from symmetric with unit diagonal, infinity where not positive definite."""
        off = torch.linalg.matrix_norm(x - x.mT) / self.n + (x.diagonal(dim1=-2, dim2=-1) - 1.0).abs().amax(-1)
        definite = torch.linalg.cholesky_ex(symmetrize(widen(x))).info == 0
        return torch.where(definite, off, torch.inf)

    def extra_repr(self) -> str:
        """Return the size and the metric."""
        return f"{self.n}, metric={self.metric!r}"


class EuclideanCholesky(PulledBack):
    """The flat metric of Cholesky factors whose rows are scaled to unit diagonal.

    Examples
    --------
    >>> from holonomy.manifolds import Correlation, EuclideanCholesky
    >>> Correlation(3, metric=EuclideanCholesky()).dim
    3
    """

    _references = ("thanwerdas2022theoretically",)

    def __init__(self) -> None:
        super().__init__(EuclideanCholeskyChart(), FlatLower(strict=True))


class LogEuclideanCholesky(PulledBack):
    """The flat metric of the logarithms of Cholesky factors whose rows are scaled to unit diagonal.

    Examples
    --------
    >>> from holonomy.manifolds import Correlation, LogEuclideanCholesky
    >>> Correlation(3, metric=LogEuclideanCholesky()).dim
    3
    """

    _references = ("thanwerdas2022theoretically",)

    def __init__(self) -> None:
        super().__init__(LogEuclideanCholeskyChart(), FlatLower(strict=True))


class PolyHyperbolicCholesky(PulledBack):
    """The product of hyperbolic metrics of the rows of the Cholesky factor, which lie on open half-spheres.

    Examples
    --------
    >>> from holonomy.manifolds import Correlation, PolyHyperbolicCholesky
    >>> Correlation(3, metric=PolyHyperbolicCholesky()).dim
    3
    """

    _references = ("thanwerdas2022theoretically",)

    def __init__(self) -> None:
        super().__init__(EuclideanCholeskyChart(), HyperbolicRows())


class OffLog(PulledBack):
    """The flat metric of logarithms without their diagonal; the same for any order of the variables.

    Examples
    --------
    >>> from holonomy.manifolds import Correlation, OffLog
    >>> Correlation(3, metric=OffLog()).dim
    3
    """

    _references = ("archakov2021new", "thanwerdas2024permutation")

    def __init__(self) -> None:
        super().__init__(OffLogChart(), FlatHollow())


class LogScaled(PulledBack):
    """The flat metric of logarithms after scaling rows and columns to unit sums; the same for any order of variables.

    Examples
    --------
    >>> from holonomy.manifolds import Correlation, LogScaled
    >>> Correlation(3, metric=LogScaled()).dim
    3
    """

    _references = ("thanwerdas2024permutation",)

    def __init__(self) -> None:
        super().__init__(LogScaledChart(), FlatCentred())


class FlatHollow(FlatSpan):
    """Symmetric matrices with zero diagonal."""

    def _span(self, space: Manifold, x: Tensor) -> Tensor:
        basis = symmetric_basis(x.shape[-1], x)
        return basis[basis.diagonal(dim1=-2, dim2=-1).sum(-1) == 0]


class FlatCentred(FlatSpan):
    """Symmetric matrices whose rows sum to zero."""

    def _span(self, space: Manifold, x: Tensor) -> Tensor:
        n = x.shape[-1]
        # Helmert's rows: an orthonormal basis of the vectors that sum to zero.
        rows = torch.tril(torch.ones(n, n, dtype=x.dtype, device=x.device))[:-1].clone()
        index = torch.arange(n - 1, device=x.device)
        rows[index, index + 1] = -(index + 1).to(x.dtype)
        rows = rows / rows.norm(dim=-1, keepdim=True)
        return rows.mT @ symmetric_basis(n - 1, x) @ rows


def unit_diagonal(x: Tensor) -> Tensor:
    """Return ``D x D`` with the diagonal D that makes the diagonal of the product 1."""
    scale = x.diagonal(dim1=-2, dim2=-1).rsqrt()
    scaled = scale[..., :, None] * x * scale[..., None, :]
    return scaled - torch.diag_embed(scaled.diagonal(dim1=-2, dim2=-1) - 1.0)


_NAMED: dict[str, type[Metric]] = {
    "euclidean_cholesky": EuclideanCholesky,
    "log_euclidean_cholesky": LogEuclideanCholesky,
    "off_log": OffLog,
    "log_scaled": LogScaled,
    "poly_hyperbolic": PolyHyperbolicCholesky,
}
