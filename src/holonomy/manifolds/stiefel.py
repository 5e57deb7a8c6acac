"""The Stiefel manifold: orthonormal frames of k vectors in R^n."""

import math

import torch
from torch import Tensor

from holonomy._core.validation import check_float, check_int
from holonomy.manifolds._collocation import gauss_nodes, transport_along
from holonomy.manifolds._shooting import log_by_correction
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.metric import Metric, MetricManifold
from holonomy.manifolds.numerics import product, safe_sqrt, widen
from holonomy.manifolds.polar import polar_factor
from holonomy.manifolds.symmetric import symmetrize


class Stiefel(MetricManifold):
    """Matrices of shape (n, k) with orthonormal columns, with a choice of metrics.

    Tangent vectors at x are the v with ``x^T v`` antisymmetric. ``project`` is the nearest frame, the polar factor.

    Parameters
    ----------
    n, k : int
        ``1 <= k < n``. (Square frames are orthogonal matrices, in two pieces: use ``SpecialOrthogonal``.)
    metric : {"canonical", "euclidean"} or StiefelMetric, default "canonical"
        The metric.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If not ``1 <= k < n``, or the metric is unknown.

    References
    ----------
    Edelman, Arias & Smith (1998), "The Geometry of Algorithms with Orthogonality Constraints".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Stiefel
    >>> space = Stiefel(4, 2)
    >>> x = space.random_uniform(random_state=0)
    >>> bool(space.belongs(x))
    True
    """

    _references = ("edelman1998geometry", "zimmermann2022computing")

    def __init__(self, n: int, k: int, metric: "str | StiefelMetric" = "canonical", *, check: bool = False) -> None:
        n = check_int(n, "n", minimum=2)
        k = check_int(k, "k", minimum=1, maximum=n - 1)
        super().__init__(n * k - k * (k + 1) // 2, (n, k), _metric(metric), check=check)
        self.n, self.k = n, k

    def _project(self, x: Tensor) -> Tensor:
        return polar_factor(x)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        return v - product(x, symmetrize(product(x.mT, v)))

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.eye(self.n, self.k, dtype=dtype, device=device)

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        normal = torch.randn((*size, self.n, self.k), generator=generator, dtype=dtype, device=device)
        return polar_factor(normal)

    def _log_volume(self) -> float:
        areas = [math.log(2.0) + 0.5 * j * math.log(math.pi) - math.lgamma(0.5 * j) for j in _range(self.n, self.k)]
        rotations = 0.5 * self.k * (self.k - 1)
        # The areas are those of the canonical metric; the angles between the columns count sqrt(2 beta) times.
        return sum(areas) + 0.5 * rotations * math.log(2.0 * self.metric.beta)  # type: ignore[operator]

    def extra_repr(self) -> str:
        """Return n, k and the metric."""
        return f"{self.n}, {self.k}, metric={self.metric!r}"


class StiefelMetric(Metric):
    """The metric ``beta tr(a^T a) + tr(b^T b)`` of ``v = x a + b``, a antisymmetric, ``x^T b = 0``.

    ``beta = 1/2`` is the canonical metric, that of the quotient of rotations; ``beta = 1`` the Euclidean one, that of
    the surrounding space. ``exp`` is exact, from one exponential of a 2k x 2k and one of a k x k matrix; ``log`` shoots
    until it meets y to rounding; transport solves its differential equation by Gauss collocation.

    Parameters
    ----------
    beta : float, default 0.5
        Positive weight.
    nodes : int, default 12
        Gauss nodes of parallel transport.

    Raises
    ------
    ValueError
        If ``beta`` is not positive.

    References
    ----------
    Zimmermann & Hueper (2022), "Computing the Riemannian logarithm on the Stiefel manifold: metrics, methods and
    performance".

    Examples
    --------
    >>> from holonomy.manifolds import Stiefel, StiefelMetric
    >>> Stiefel(3, 2, metric=StiefelMetric(beta=1.0)).dim
    3
    """

    _references = ("zimmermann2022computing",)

    def __init__(self, beta: float = 0.5, nodes: int = 12) -> None:
        super().__init__()
        self.beta = check_float(beta, "beta")
        if self.beta <= 0.0:
            raise ValueError(f"beta must be positive, got {beta}.")
        self.nodes = check_int(nodes, "nodes", minimum=1, maximum=64)

    def _inner(self, space: Manifold, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        x, dtype, u, v = widen(x), u.dtype, widen(u), widen(v)
        product = (u * v).sum((-2, -1))
        if self.beta != 1.0:
            product = product - (1.0 - self.beta) * ((x.mT @ u) * (x.mT @ v)).sum((-2, -1))
        return product.to(dtype)

    def _exp(self, space: Manifold, x: Tensor, v: Tensor) -> Tensor:
        return frame_exp(widen(x), widen(v), self.beta).to(x.dtype)

    def _log(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return log_by_correction(space, x, y)

    def _dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        return safe_sqrt(self._squared_dist(space, x, y))

    def _squared_dist(self, space: Manifold, x: Tensor, y: Tensor) -> Tensor:
        v = self._log(space, x, y)
        return self._inner(space, x, v, v)

    def _transport(self, space: Manifold, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        velocity = widen(self._log(space, x, y))
        w, _ = torch.broadcast_tensors(widen(v), velocity)
        path, slopes = frame_path(widen(x).expand_as(w), velocity.expand_as(w), self.beta, self.nodes)
        moved = transport_along(lambda w: -christoffel(path, slopes, w, self.beta), w, self.nodes)
        return space._project_tangent(widen(y), moved).to(v.dtype)

    def _egrad_to_rgrad(self, space: Manifold, x: Tensor, gradient: Tensor) -> Tensor:
        inside = product(x.mT, gradient)
        return gradient - product(x, inside - (inside - inside.mT) / (2.0 * self.beta))

    def _random_tangent(self, space: Manifold, x: Tensor, generator: torch.Generator) -> Tensor:
        normal = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        inside = x.mT @ normal
        return normal - x @ inside + x @ (inside - inside.mT) * (0.5 / math.sqrt(self.beta))

    def _injectivity_radius(self, space: Manifold) -> float:
        # Lower bounds: sqrt(4/5) pi for the canonical metric, pi for the Euclidean one; frames of one vector are points
        # of a sphere.
        if space.shape[-1] == 1 or self.beta == 1.0:
            return math.pi
        return math.pi * min(math.sqrt(0.8), math.sqrt(2.0 * self.beta) * math.sqrt(0.8))

    def extra_repr(self) -> str:
        """Return the weight."""
        return f"beta={self.beta:g}"


def frame_exp(x: Tensor, v: Tensor, beta: float) -> Tensor:
    """Return ``[x b] exp([[2 beta a, -b^T b], [I, 0]])[:, :k] exp((1 - 2 beta) a)`` for ``v = x a + b``."""
    k = x.shape[-1]
    a = x.mT @ v
    a = 0.5 * (a - a.mT)
    b = v - x @ (x.mT @ v)
    identity = torch.eye(k, dtype=x.dtype, device=x.device).expand_as(a)
    top = torch.cat([2.0 * beta * a, -b.mT @ b], dim=-1)
    low = torch.cat([identity, torch.zeros_like(a)], dim=-1)
    columns = torch.linalg.matrix_exp(torch.cat([top, low], dim=-2))[..., :k]
    end = x @ columns[..., :k, :] + b @ columns[..., k:, :]
    return end if beta == 0.5 else end @ torch.linalg.matrix_exp((1.0 - 2.0 * beta) * a)


def frame_path(x: Tensor, v: Tensor, beta: float, nodes: int) -> tuple[Tensor, Tensor]:
    """Return the points and velocities (nodes, ...) of the geodesic at the Gauss nodes."""
    k = x.shape[-1]
    times = gauss_nodes(nodes, x).reshape(-1, *[1] * x.ndim)
    a = x.mT @ v
    a = 0.5 * (a - a.mT)
    b = v - x @ (x.mT @ v)
    identity = torch.eye(k, dtype=x.dtype, device=x.device).expand_as(a)
    top = torch.cat([2.0 * beta * a, -b.mT @ b], dim=-1)
    low = torch.cat([identity, torch.zeros_like(a)], dim=-1)
    generator = torch.cat([top, low], dim=-2)
    columns = torch.linalg.matrix_exp(times * generator)[..., :k]
    right = torch.linalg.matrix_exp((1.0 - 2.0 * beta) * times * a)
    span = torch.cat([x, b], dim=-1)
    path = span @ columns @ right
    slopes = span @ (generator @ columns) @ right + (1.0 - 2.0 * beta) * path @ a
    return path, slopes


def christoffel(x: Tensor, u: Tensor, w: Tensor, beta: float) -> Tensor:
    """Return the bend of the connection: geodesics solve ``x'' + christoffel(x', x') = 0``."""
    mixed = x @ symmetrize(u.mT @ w)
    if beta == 1.0:
        return mixed
    across = u @ (w.mT @ x) + w @ (u.mT @ x)
    return mixed + (1.0 - beta) * (across - x @ (x.mT @ across))


def _range(n: int, k: int) -> range:
    return range(n - k + 1, n + 1)


def _metric(metric: "str | StiefelMetric") -> StiefelMetric:
    if isinstance(metric, StiefelMetric):
        return metric
    named = {"canonical": 0.5, "euclidean": 1.0}
    if metric not in named:
        raise ValueError(f"metric must be 'canonical', 'euclidean' or a StiefelMetric, got {metric!r}.")
    return StiefelMetric(named[metric])
