"""The Bures-Wasserstein metric of symmetric positive definite matrices: optimal transport of centred Gaussians."""

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds._collocation import gauss_nodes, transport_along
from holonomy.manifolds._divided_differences import Power
from holonomy.manifolds._invariant import random_symmetric, symmetric_basis
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.means import DescentMean
from holonomy.manifolds.metric import Metric
from holonomy.manifolds.numerics import safe_sqrt, widen
from holonomy.manifolds.polar import polar_factor
from holonomy.manifolds.symmetric import apply_function, lyapunov, symmetrize


class BuresWasserstein(Metric):
    """The metric ``tr(L v) / 2`` with ``x L + L x = u``, of non-negative curvature; its geodesics can leave the cone.

    Distances are 2-Wasserstein distances of centred Gaussians. Matrices are lifted to roots, ``x = R R^T``, on which
    the metric is flat: the shortest geodesic joins R to the nearest root of y, found by one polar decomposition, so no
    matrix is inverted. ``exp`` is a geodesic as long as ``I + L`` stays positive definite; beyond, its end lies on a
    continuation that is no longer shortest. ``dist`` takes singular matrices too, through :meth:`semidefinite_dist`.

    Parameters
    ----------
    nodes : int, default 8
        Gauss nodes at which parallel transport, which has no closed form, solves its linear differential equation; the
        error falls with the power ``2 nodes`` of the distance relative to the root of the smallest eigenvalue.

    References
    ----------
    Bhatia, Jain & Lim (2019), "On the Bures-Wasserstein distance between positive definite matrices".
    Thanwerdas & Pennec (2023), "O(n)-invariant Riemannian metrics on SPD matrices".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD, BuresWasserstein
    >>> SPD(2, metric=BuresWasserstein()).dist(torch.eye(2), 4.0 * torch.eye(2))
    tensor(1.4142)
    """

    _references = ("bhatia2019bures", "thanwerdas2023invariant")

    def __init__(self, nodes: int = 8) -> None:
        super().__init__()
        self.nodes = check_int(nodes, "nodes", minimum=1, maximum=64)

    def _inner(self, space: Manifold, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return (0.5 * (lyapunov(widen(x), widen(u)) * widen(v)).sum((-2, -1))).to(x.dtype)

    def _norm(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        return safe_sqrt(self._inner(space, x, v, v))

    def _exp(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        L = lyapunov(widen(x), widen(v))
        return symmetrize(x + v + L @ widen(x) @ L).to(x.dtype)

    def _log(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        R = _root(x)
        return (2.0 * symmetrize((_aligned(R, y) - R) @ R.mT)).to(x.dtype)

    def _dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(space, x, y))

    def _squared_dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        R = _root(x)
        return (_aligned(R, y) - R).square().sum((-2, -1)).to(x.dtype)

    def _geodesic(self, space: Manifold, x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        R = _root(x)
        path = R + space._scale(widen(t), R) * (_aligned(R, y) - R)
        return (path @ path.mT).to(x.dtype)

    def _transport(self, space: Manifold, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        R = _root(x)
        horizontal = lyapunov(widen(x), widen(v)) @ R
        end = _aligned(R, y)
        moved = carry_horizontally(R, end - R, horizontal, self.nodes)
        return (2.0 * symmetrize(moved @ end.mT)).to(v.dtype)

    def _egrad_to_rgrad(self, space: Manifold, x: Tensor, gradient: Tensor) -> Tensor:
        return 4.0 * symmetrize(symmetrize(gradient) @ x)

    def _frame(self, space: Manifold, x: Tensor) -> Tensor:
        return _isometry(x.unsqueeze(-3), symmetric_basis(x.shape[-1], x))

    def _random_tangent(self, space: Manifold, x: Tensor, generator: torch.Generator) -> Tensor:
        return _isometry(x, random_symmetric(x, generator))

    def _log_volume_element(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        # The derivative of x + v + L x L along a basis, measured at the end.
        basis = self._frame(space, x)
        L = lyapunov(widen(x), widen(v)).unsqueeze(-3)
        K = lyapunov(widen(x).unsqueeze(-3), widen(basis))
        at = widen(x).unsqueeze(-3)
        columns = symmetrize(basis + 2.0 * L @ at @ K)
        end = self._exp(space, x, v)
        return 0.5 * torch.linalg.slogdet(_gram(self, space, end, columns)).logabsdet.to(x.dtype)

    def _mean_solver(self, space: Manifold) -> DescentMean:
        # Its first step is that of the fixed-point iteration, whose steps all have length 1.
        return DescentMean("projection")

    def _injectivity_radius(self, space: Manifold) -> float:
        # Around x it is the root of the smallest eigenvalue, which has no positive lower bound.
        return 0.0

    def semidefinite_dist(self, x: Tensor, y: Tensor) -> Tensor:
        """Return distances (...) of symmetric matrices that may be singular.

        Not differentiable where an eigenvalue is zero: the distance has no derivative there.
        """
        R, S = (apply_function(widen(one).detach(), _SemidefiniteRoot(0.5)) for one in torch.broadcast_tensors(x, y))
        return (S @ polar_factor(S @ R) - R).square().sum((-2, -1)).sqrt().to(x.dtype)

    def extra_repr(self) -> str:
        """Return the number of nodes."""
        return "" if self.nodes == 8 else f"nodes={self.nodes}"


def _gram(metric: BuresWasserstein, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
    """Return the inner products (..., m, m) of tangent vectors (..., m, n, n) at x."""
    return metric._inner(space, x.unsqueeze(-3).unsqueeze(-3), v.unsqueeze(-3), v.unsqueeze(-4))


class _SemidefiniteRoot(Power):
    """The square root, where rounding has made a zero negative too."""

    def value(self, x: Tensor) -> Tensor:
        return torch.sqrt(x.clamp_min(0.0))


def _root(x: Tensor) -> Tensor:
    return torch.linalg.cholesky(symmetrize(widen(x)))


def _aligned(R: Tensor, y: Tensor) -> Tensor:
    """Return the root of y nearest to R."""
    S = _root(y)
    return S @ polar_factor(S.mT @ R)


def _isometry(x: Tensor, s: Tensor) -> Tensor:
    """Map symmetric matrices with the Frobenius product isometrically onto the tangent space at x."""
    values, vectors = torch.linalg.eigh(symmetrize(widen(x)))
    weights = (2.0 * (values[..., :, None] + values[..., None, :])).sqrt()
    return symmetrize(vectors @ (weights * (vectors.mT @ widen(s) @ vectors)) @ vectors.mT).to(x.dtype)


def carry_horizontally(R: Tensor, step: Tensor, H: Tensor, nodes: int) -> Tensor:
    """Move a horizontal vector H = Y R (Y symmetric) in parallel along the roots R + t step, t from 0 to 1.

    Roots form a flat space, and H may change only by vertical vectors ``R_t A`` with A antisymmetric. What keeps it
    horizontal is ``G A + A G = H^T step - step^T H`` with ``G = R_t^T R_t``. Gauss collocation keeps lengths exactly.
    """
    R, step, H = torch.broadcast_tensors(R, step, H)
    at = R + gauss_nodes(nodes, R).reshape(-1, *[1] * R.ndim) * step
    gram = at.mT @ at

    def slope(H: Tensor) -> Tensor:
        return at @ lyapunov(gram, H.mT @ step - step.mT @ H)

    return transport_along(slope, H, nodes)
