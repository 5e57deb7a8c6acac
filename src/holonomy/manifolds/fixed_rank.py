"""Matrices of fixed rank, as a submanifold of all matrices."""

import functools
from typing import Any

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds._collocation import gauss_nodes, transport_along
from holonomy.manifolds._shooting import log_by_correction
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.numerics import product, safe_sqrt, tolerances, widen


class FixedRank(Manifold):
    """Matrices of shape (m, n) and rank k, with the metric of the surrounding space.

    Points are full matrices. ``project`` is the nearest one, the truncated singular value decomposition. ``exp`` and
    transport solve their differential equations by Gauss collocation, to rounding for steps that are short against the
    smallest singular value; ``log`` shoots. Geodesics can lose rank in finite time.

    Parameters
    ----------
    m, n, k : int
        Rows, columns and rank, ``1 <= k <= min(m, n)``.
    nodes : int, default 16
        Gauss nodes.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If not ``1 <= k <= min(m, n)``.

    References
    ----------
    Vandereycken (2013), "Low-rank matrix completion by Riemannian optimization".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import FixedRank
    >>> FixedRank(2, 3, 1).project(torch.tensor([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    tensor([[3., 0., 0.],
            [0., 0., 0.]])
    """

    _references = ("vandereycken2013low",)

    def __init__(self, m: int, n: int, k: int, *, nodes: int = 16, check: bool = False) -> None:
        m, n = check_int(m, "m", minimum=1), check_int(n, "n", minimum=1)
        k = check_int(k, "k", minimum=1, maximum=min(m, n))
        super().__init__(k * (m + n - k), (m, n), check=check)
        self.m, self.n, self.k = m, n, k
        self.nodes = check_int(nodes, "nodes", minimum=1, maximum=64)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        x, v = torch.broadcast_tensors(x, v)
        state = torch.stack([widen(x), widen(v)])
        return transport_along(self._geodesic_slope, state, self.nodes)[0].to(x.dtype)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return log_by_correction(self, x, y)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(x, y))

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        v = self._log(x, y)
        return self._inner(x, v, v)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        velocity = widen(self._log(x, y))
        x, y, w, velocity = torch.broadcast_tensors(widen(x), widen(y), widen(v), velocity)
        times = gauss_nodes(self.nodes, x).reshape(-1, *[1] * x.ndim)
        state = torch.stack([x.expand(self.nodes, *x.shape), times * velocity])
        at, slopes = transport_along(self._geodesic_slope, state, self.nodes)
        inverse = truncated_inverse(at, self.k)
        moved = transport_along(lambda w: _bend(at, inverse, slopes / times, w), w, self.nodes)
        return self._project_tangent(y, moved).to(v.dtype)

    def _project(self, x: Tensor) -> Tensor:
        U, values, Vh = torch.linalg.svd(widen(x), full_matrices=False)
        floor = tolerances(x.dtype).belongs * values[..., :1].clamp_min(tolerances(x.dtype).tiny)
        kept = torch.maximum(values[..., : self.k], floor)
        return ((U[..., : self.k] * kept[..., None, :]) @ Vh[..., : self.k, :]).to(x.dtype)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        wide, wide_v = widen(x), widen(v)
        if not (torch.is_grad_enabled() and x.requires_grad) and not torch._C._are_functorch_transforms_active():
            left, right = range_bases(wide, self.k)
            inside = product(left, product(left.mT, wide_v))
            return (inside + product(product(wide_v - inside, right), right.mT)).to(v.dtype)
        inverse = truncated_inverse(wide, self.k)
        outside = wide_v - wide @ (inverse @ wide_v)
        return (wide_v - outside + (outside @ inverse) @ wide).to(v.dtype)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return self._project_tangent(x, gradient)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        point = torch.zeros(self.m, self.n, dtype=dtype, device=device)
        point.diagonal()[: self.k] = 1.0
        return point

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self._project_tangent(x, torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device))

    def _injectivity_radius(self) -> float:
        # It shrinks with the smallest singular value, which has no positive lower bound.
        return 0.0

    def _geodesic_slope(self, state: Tensor) -> Tensor:
        at, slopes = state.unbind(1)
        return torch.stack([slopes, _bend(at, truncated_inverse(at, self.k), slopes, slopes)], dim=1)

    def extra_repr(self) -> str:
        """Return the sizes and the rank."""
        return f"{self.m}, {self.n}, {self.k}"


def truncated_inverse(x: Tensor, k: int) -> Tensor:
    """Return the pseudo-inverses (..., n, m) of the nearest matrices of rank k, differentiable at rank k."""
    return _TruncatedInverse.apply(x, k)


def range_bases(x: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return orthonormal bases (..., m, k) and (..., n, k) of what the nearest matrices of rank k map to and from.

    They have no derivatives. Of matrices that have this rank up to rounding, the images of any k vectors span the range
    unless these are special; what is left of the matrix across it tells. The singular vectors serve all others.
    """
    x = x.detach()
    sketch = product(x, _probes(x.shape[-1], k).to(x))
    left = torch.linalg.qr(sketch).Q
    rows = product(left.mT, x)
    right = torch.linalg.qr(rows.mT).Q
    rest = torch.linalg.matrix_norm(x - product(left, rows))
    known = rest <= 32.0 * tolerances(x.dtype).eps * torch.linalg.matrix_norm(x)
    if bool(known.all()):
        return left, right
    U, _, Vh = torch.linalg.svd(x, full_matrices=False)
    known = known[..., None, None]
    return torch.where(known, left, U[..., :k]), torch.where(known, right, Vh[..., :k, :].mT)


@functools.cache
def _probes(n: int, k: int) -> Tensor:
    """Return k vectors that are the same every time, and no eigenvectors of anything that people write down."""
    return torch.randn(n, k, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _bend(x: Tensor, inverse: Tensor, u: Tensor, w: Tensor) -> Tensor:
    """Return the normal part of the derivative along u of a tangent field w that stays parallel."""
    product = u @ inverse @ w + w @ inverse @ u
    left = product - x @ (inverse @ product)
    return left - (left @ inverse) @ x


class _TruncatedInverse(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, k: int) -> Tensor:
        U, values, Vh = torch.linalg.svd(x.detach(), full_matrices=False)
        return (Vh[..., :k, :].mT / values[..., None, :k]) @ U[..., :k].mT

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Tensor) -> None:
        x, ctx.k = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        inverse = truncated_inverse(x, ctx.k)
        squared = inverse @ inverse.mT
        outside_left = grad.mT @ squared
        outside_left = outside_left - x @ (inverse @ outside_left)
        outside_right = inverse.mT @ inverse @ grad.mT
        outside_right = outside_right - (outside_right @ inverse) @ x
        return outside_left + outside_right - inverse.mT @ grad @ inverse.mT, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple, x: Tensor, k: int) -> tuple[Tensor, int]:
        return _TruncatedInverse.apply(x.movedim(in_dims[0], 0), k), 0
