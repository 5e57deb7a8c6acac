"""The Birkhoff polytope: doubly stochastic matrices."""

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds._collocation import gauss_nodes, transport_along
from holonomy.manifolds._shooting import log_by_correction
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.numerics import safe_sqrt, tolerances, widen

SINKHORN_STEPS = 2000
"""Most sweeps of row and column scaling in ``project``."""


class Birkhoff(Manifold):
    """Positive n x n matrices whose rows and columns sum to 1, with the Fisher metric ``sum(u v / x)``.

    Tangent vectors have zero row and column sums. Square roots of the entries make it a submanifold of flat space, in
    which ``exp`` and transport solve their differential equations by Gauss collocation, to rounding for geodesics that
    stay well inside; ``log`` shoots. Geodesics reach the boundary, where an entry vanishes, in finite time. ``project``
    scales rows and columns of a positive matrix by Sinkhorn's iteration.

    Parameters
    ----------
    n : int
        Size, at least 2.
    nodes : int, default 16
        Gauss nodes.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If ``n`` is below 2.

    References
    ----------
    Douik & Hassibi (2019), "Manifold optimization over the set of doubly stochastic matrices: a second-order geometry".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Birkhoff
    >>> Birkhoff(2).project(torch.tensor([[2.0, 1.0], [1.0, 2.0]]))
    tensor([[0.6667, 0.3333],
            [0.3333, 0.6667]])
    """

    _references = ("douik2019manifold",)

    def __init__(self, n: int, *, nodes: int = 16, check: bool = False) -> None:
        n = check_int(n, "n", minimum=2)
        super().__init__((n - 1) ** 2, (n, n), check=check)
        self.n = n
        self.nodes = check_int(nodes, "nodes", minimum=1, maximum=64)

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return (widen(u) * widen(v) / widen(x)).sum((-2, -1)).to(u.dtype)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        x, v = torch.broadcast_tensors(x, v)
        state = torch.stack(_to_roots(widen(x), widen(v)))
        roots, _ = transport_along(_geodesic_slope, state, self.nodes)
        return roots.square().to(x.dtype)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return log_by_correction(self, _settled(x), _settled(y)).to(x.dtype)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(x, y))

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        v = self._log(x, y)
        return self._inner(x, v, v)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        velocity = widen(self._log(x, y))
        x, y, w, velocity = torch.broadcast_tensors(_settled(x), _settled(y), widen(v), velocity)
        times = gauss_nodes(self.nodes, x).reshape(-1, *[1] * x.ndim)
        state = torch.stack(_to_roots(x.expand(self.nodes, *x.shape), times * velocity))
        at, slopes = transport_along(_geodesic_slope, state, self.nodes)
        slopes = slopes / times
        _, start = _to_roots(x, w)
        moved = transport_along(lambda w: -_bend(at, slopes, w), start, self.nodes)
        return self._project_tangent(y, 2.0 * y.sqrt() * moved).to(v.dtype)

    def _project(self, x: Tensor) -> Tensor:
        wide = widen(x)
        size = wide.abs().amax((-2, -1), keepdim=True).clamp_min(tolerances(x.dtype).tiny)
        return _scaled(torch.maximum(wide, tolerances(x.dtype).belongs * size)).to(x.dtype)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        x, v = torch.broadcast_tensors(x, v)
        x, wide = widen(x), widen(v)
        return (wide - x * _multipliers(x, wide.sum(-1), wide.sum(-2))).to(v.dtype)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return self._project_tangent(x, x * gradient)

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        normal = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        return self._project_tangent(x, x.sqrt() * normal)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.full((self.n, self.n), 1.0 / self.n, dtype=dtype, device=device)

    def _residual(self, x: Tensor) -> Tensor:
        """Return the largest error of a sum, and infinity where an entry is not positive."""
        error = torch.maximum((x.sum(-1) - 1.0).abs().amax(-1), (x.sum(-2) - 1.0).abs().amax(-1))
        return torch.where((x > 0).all(-1).all(-1), error, torch.inf)

    def _tangent_residual(self, x: Tensor, v: Tensor) -> Tensor:
        error = torch.maximum(v.sum(-1).abs().amax(-1), v.sum(-2).abs().amax(-1))
        return error / (1.0 + v.square().sum((-2, -1)).sqrt())

    def _injectivity_radius(self) -> float:
        # The boundary is at a finite distance, without a positive lower bound.
        return 0.0

    def extra_repr(self) -> str:
        """Return the size."""
        return str(self.n)


def _scaled(x: Tensor) -> Tensor:
    """Scale rows and columns of a positive matrix until they sum to 1."""
    for _ in range(SINKHORN_STEPS):
        x = x / x.sum(-1, keepdim=True)
        columns = x.sum(-2, keepdim=True)
        x = x / columns
        if bool(((columns - 1.0).abs() <= 4.0 * tolerances(x.dtype).eps).all()):
            break
    return x


def _settled(x: Tensor) -> Tensor:
    """Return points in double precision whose sums are right to its last digits; as a derivative, the identity.

    Rounding leaves sums that no geodesic between such points has, and then shooting would not come to an end.
    """
    wide = widen(x)
    with torch.no_grad():
        correction = _scaled(wide) - wide
    return wide + correction


def _multipliers(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return a_i + b_j such that the entries x (a_i + b_j) have these row and column sums."""
    n = x.shape[-1]
    # Only sums of a and b matter; adding the constants (1, -1) to the matrix fixes what is left.
    top = torch.cat([torch.diag_embed(x.sum(-1)), x], dim=-1)
    low = torch.cat([x.mT, torch.diag_embed(x.sum(-2))], dim=-1)
    sign = torch.cat([torch.ones(n, dtype=x.dtype, device=x.device), -torch.ones(n, dtype=x.dtype, device=x.device)])
    matrix = torch.cat([top, low], dim=-2) + torch.outer(sign, sign) / n
    both = torch.linalg.solve(matrix, torch.cat([rows, columns], dim=-1).unsqueeze(-1)).squeeze(-1)
    return both[..., :n, None] + both[..., None, n:]


def _to_roots(x: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Return the square roots of the entries, and how they move."""
    roots = x.sqrt()
    return roots, 0.5 * v / roots


def _bend(roots: Tensor, u: Tensor, w: Tensor) -> Tensor:
    """Return the normal part that a field w along the velocity u must lose to stay tangent."""
    product = u * w
    return roots * _multipliers(roots.square(), product.sum(-1), product.sum(-2))


def _geodesic_slope(state: Tensor) -> Tensor:
    roots, slopes = state.unbind(1)
    return torch.stack([slopes, -_bend(roots, slopes, slopes)], dim=1)
