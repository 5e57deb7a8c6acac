"""The cone of symmetric positive definite matrices: covariances, kernels, diffusion tensors."""

import torch
from torch import Tensor

from holonomy._core.validation import check_int, check_option
from holonomy.manifolds.affine_invariant import AffineInvariant
from holonomy.manifolds.bures_wasserstein import BuresWasserstein
from holonomy.manifolds.log_cholesky import LogCholesky
from holonomy.manifolds.log_euclidean import LogEuclidean
from holonomy.manifolds.metric import Metric, MetricManifold
from holonomy.manifolds.numerics import tolerances, widen
from holonomy.manifolds.symmetric import symmetrize


class SPD(MetricManifold):
    """Symmetric positive definite n x n matrices, with a choice of metrics.

    Tangent vectors are symmetric matrices. ``project`` takes the symmetric part and raises eigenvalues to a small part
    of the largest one; it is not the nearest point, which the open cone does not have.

    Parameters
    ----------
    n : int
        Size of the matrices, at least 1.
    metric : str or Metric, default "affine_invariant"
        ``"affine_invariant"``, ``"log_euclidean"``, ``"log_cholesky"``, ``"bures_wasserstein"``, or a metric object,
        which may have parameters.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If ``n`` is below 1 or ``metric`` unknown.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD
    >>> x = torch.diag(torch.tensor([1.0, 4.0]))
    >>> SPD(2).geodesic(torch.eye(2), x, 0.5)
    tensor([[1., 0.],
            [0., 2.]])
    >>> SPD(2, metric="bures_wasserstein").dist(torch.eye(2), x)
    tensor(1.)
    """

    def __init__(self, n: int, metric: str | Metric = "affine_invariant", *, check: bool = False) -> None:
        n = check_int(n, "n", minimum=1)
        super().__init__(n * (n + 1) // 2, (n, n), _metric(metric), check=check)
        self.n = n

    def _project(self, x: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(symmetrize(widen(x)))
        floor = tolerances(x.dtype).belongs * values.abs().amax(-1, keepdim=True).clamp_min(tolerances(x.dtype).tiny)
        raised = (vectors * torch.maximum(values, floor)[..., None, :]) @ vectors.mT
        inside = (values > 0).all(-1)[..., None, None]
        return torch.where(inside, symmetrize(x), symmetrize(raised).to(x.dtype))

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        return symmetrize(v).expand(torch.broadcast_shapes(x.shape, v.shape))

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.eye(self.n, dtype=dtype, device=device)

    def _residual(self, x: Tensor) -> Tensor:
        """Return the relative asymmetry, and infinity where a Cholesky factor does not exist."""
        size = torch.linalg.matrix_norm(x)
        asymmetry = torch.linalg.matrix_norm(x - x.mT) / (size + tolerances(x.dtype).tiny)
        definite = torch.linalg.cholesky_ex(symmetrize(widen(x))).info == 0
        return torch.where(definite, asymmetry, torch.inf)

    def extra_repr(self) -> str:
        """Return the size and the metric."""
        return f"{self.n}, metric={self.metric!r}"


def _metric(metric: str | Metric) -> Metric:
    if isinstance(metric, Metric):
        return metric
    named: dict[str, type[Metric]] = {
        "affine_invariant": AffineInvariant,
        "log_euclidean": LogEuclidean,
        "log_cholesky": LogCholesky,
        "bures_wasserstein": BuresWasserstein,
    }
    return named[check_option(metric, "metric", named)]()
