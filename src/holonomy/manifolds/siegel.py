"""The Siegel upper half-space: complex symmetric matrices with positive definite imaginary part."""

import math

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds._divided_differences import Exp, Log, Power
from holonomy.manifolds._invariant import random_symmetric, symmetric_basis
from holonomy.manifolds._relative import relative_function, relative_squared_distance, whiten
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.numerics import safe_sqrt, tolerances, widen
from holonomy.manifolds.symmetric import apply_function, symmetrize


class SiegelUpperHalfSpace(Manifold):
    """Complex symmetric n x n matrices ``Z = X + i Y`` with Y positive definite, as real tensors (2, n, n) of X and Y.

    The metric is ``tr(Y^-1 dX Y^-1 dX) + tr(Y^-1 dY Y^-1 dY)``: for n = 1 the hyperbolic plane of curvature -1. All
    verbs go through the totally geodesic isometry to positive definite symplectic matrices of size 2n, whose condition
    number is the square of that of Y: precision is lost accordingly.

    Parameters
    ----------
    n : int
        Size, at least 1.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If ``n`` is below 1.

    References
    ----------
    Siegel (1943), "Symplectic geometry".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SiegelUpperHalfSpace
    >>> space = SiegelUpperHalfSpace(1)
    >>> round(float(space.dist(space.origin(), torch.tensor([[[0.0]], [[torch.e]]]))), 6)
    1.0
    """

    _references = ("siegel1943symplectic",)

    def __init__(self, n: int, *, check: bool = False) -> None:
        n = check_int(n, "n", minimum=1)
        super().__init__(n * (n + 1), (2, n, n), check=check)
        self.n = n

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        L = _root(x).unsqueeze(-3)
        return (whiten(L, widen(u)) * whiten(L, widen(v))).sum((-3, -2, -1)).to(x.dtype)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return _extract(relative_function(embed(x), _embed_tangent(x, v), Exp())).to(x.dtype)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return _extract_tangent(x, relative_function(embed(x), embed(y), Log())).to(x.dtype)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(x, y))

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        return relative_squared_distance(embed(x), embed(y), 0.5).to(x.dtype)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        L = torch.linalg.cholesky(embed(x))
        half = apply_function(whiten(L, embed(y)), Power(0.5))
        moved = L @ (half @ whiten(L, _embed_tangent(x, v)) @ half) @ L.mT
        return _extract_tangent(y, moved).to(v.dtype)

    def _project(self, x: Tensor) -> Tensor:
        values, vectors = torch.linalg.eigh(symmetrize(widen(x[..., 1, :, :])))
        floor = tolerances(x.dtype).belongs * values.abs().amax(-1, keepdim=True).clamp_min(tolerances(x.dtype).tiny)
        raised = symmetrize((vectors * torch.maximum(values, floor)[..., None, :]) @ vectors.mT).to(x.dtype)
        inside = (values > 0).all(-1)[..., None, None]
        symmetric = symmetrize(x)
        imaginary = torch.where(inside, symmetric[..., 1, :, :], raised)
        return torch.stack([symmetric[..., 0, :, :], imaginary], dim=-3)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        return symmetrize(v).expand(torch.broadcast_shapes(x.shape, v.shape))

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        Y = x[..., 1:, :, :]
        return symmetrize(Y @ symmetrize(gradient) @ Y)

    def _frame(self, x: Tensor) -> Tensor:
        basis = symmetric_basis(self.n, x)
        zero = torch.zeros_like(basis)
        parts = torch.cat([torch.stack([basis, zero], dim=-3), torch.stack([zero, basis], dim=-3)])
        L = _root(x)[..., None, None, :, :]
        return symmetrize(L @ widen(parts) @ L.mT).to(x.dtype)

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        L = _root(x).unsqueeze(-3)
        return symmetrize(L @ widen(random_symmetric(x, generator)) @ L.mT).to(x.dtype)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        identity = torch.eye(self.n, dtype=dtype, device=device)
        return torch.stack([torch.zeros_like(identity), identity])

    def _residual(self, x: Tensor) -> Tensor:
        """Return the relative asymmetry, and infinity where the imaginary part is not positive definite."""
        size = x.square().sum((-3, -2, -1)).sqrt() + tolerances(x.dtype).tiny
        asymmetry = (x - x.mT).square().sum((-3, -2, -1)).sqrt() / size
        definite = torch.linalg.cholesky_ex(symmetrize(widen(x[..., 1, :, :]))).info == 0
        return torch.where(definite, asymmetry, torch.inf)

    def _injectivity_radius(self) -> float:
        return math.inf

    def extra_repr(self) -> str:
        """Return the size."""
        return str(self.n)


def embed(x: Tensor) -> Tensor:
    """Return ``[[Y + X Y^-1 X, X Y^-1], [Y^-1 X, Y^-1]]`` (..., 2n, 2n) in double precision."""
    X, Y = widen(x).unbind(-3)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(symmetrize(Y)))
    corner = X @ inverse
    top = torch.cat([Y + corner @ X, corner], dim=-1)
    return symmetrize(torch.cat([top, torch.cat([corner.mT, inverse], dim=-1)], dim=-2))


def _embed_tangent(x: Tensor, v: Tensor) -> Tensor:
    x, v = torch.broadcast_tensors(widen(x), widen(v))
    X, Y = x.unbind(-3)
    U, V = v.unbind(-3)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(symmetrize(Y)))
    moved = -inverse @ V @ inverse
    corner = U @ inverse + X @ moved
    first = V + 2.0 * symmetrize(U @ inverse @ X) + X @ moved @ X
    top = torch.cat([first, corner], dim=-1)
    return symmetrize(torch.cat([top, torch.cat([corner.mT, moved], dim=-1)], dim=-2))


def _extract(P: Tensor) -> Tensor:
    n = P.shape[-1] // 2
    Y = torch.cholesky_inverse(torch.linalg.cholesky(symmetrize(P[..., n:, n:])))
    return symmetrize(torch.stack([P[..., :n, n:] @ Y, Y], dim=-3))


def _extract_tangent(x: Tensor, V: Tensor) -> Tensor:
    n = V.shape[-1] // 2
    X, Y = widen(x).unbind(-3)
    corner, last = V[..., :n, n:], V[..., n:, n:]
    return symmetrize(torch.stack([(corner - X @ last) @ Y, -Y @ last @ Y], dim=-3))


def _root(x: Tensor) -> Tensor:
    return torch.linalg.cholesky(symmetrize(widen(x[..., 1, :, :])))
