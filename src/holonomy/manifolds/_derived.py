"""What a manifold gets for each hook it does not write.

These functions use verbs only, so that they serve a metric object as well as a space.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from holonomy.manifolds.numerics import safe_sqrt, tolerances

if TYPE_CHECKING:
    from holonomy.manifolds.base import Manifold
    from holonomy.manifolds.means import MeanSolver


def _inner(self: "Manifold", x: Tensor, u: Tensor, v: Tensor) -> Tensor:
    return _coordinate_sum(self, u * v)


def _norm(self: "Manifold", x: Tensor, v: Tensor) -> Tensor:
    return safe_sqrt(self._inner(x, v, v).clamp_min(0.0))


def _exp(self: "Manifold", x: Tensor, v: Tensor) -> Tensor:
    from holonomy.manifolds._geodesics import exp_by_ode

    return exp_by_ode(self, x, v)


def _log(self: "Manifold", x: Tensor, y: Tensor) -> Tensor:
    from holonomy.manifolds._geodesics import log_by_shooting

    return log_by_shooting(self, x, y)


def _dist(self: "Manifold", x: Tensor, y: Tensor) -> Tensor:
    return self._norm(x, self._log(x, y))


def _squared_dist(self: "Manifold", x: Tensor, y: Tensor) -> Tensor:
    return self._dist(x, y).square()


def _geodesic(self: "Manifold", x: Tensor, y: Tensor, t: Tensor) -> Tensor:
    return self._exp(x, self._scale(t, x) * self._log(x, y))


def _transport(self: "Manifold", x: Tensor, y: Tensor, v: Tensor) -> Tensor:
    return self.default_transport(self, x, y, v)


def _project_tangent(self: "Manifold", x: Tensor, v: Tensor) -> Tensor:
    return v.expand(torch.broadcast_shapes(x.shape, v.shape))


def _egrad_to_rgrad(self: "Manifold", x: Tensor, gradient: Tensor) -> Tensor:
    frame = self._frame(x).flatten(-len(self.shape))
    along = frame @ gradient.flatten(-len(self.shape)).unsqueeze(-1)
    return (along * frame).sum(-2).unflatten(-1, self.shape)


def _frame(self: "Manifold", x: Tensor) -> Tensor:
    """Project the coordinate directions and keep the ``dim`` most independent combinations, made orthonormal."""
    count, rank = math.prod(self.shape), len(self.shape)
    directions = torch.eye(count, dtype=x.dtype, device=x.device).reshape(count, *self.shape)
    spanning = self._project_tangent(x.unsqueeze(-rank - 1), directions)
    at = x.unsqueeze(-rank - 1).unsqueeze(-rank - 1)
    gram = self._inner(at, spanning.unsqueeze(-rank - 1), spanning.unsqueeze(-rank - 2))
    values, vectors = torch.linalg.eigh(gram)
    keep = vectors[..., -self.dim :] / values[..., None, -self.dim :].sqrt()
    return (keep.mT @ spanning.flatten(-rank)).unflatten(-1, self.shape)


def _log_volume_element(self: "Manifold", x: Tensor, v: Tensor) -> Tensor:
    from holonomy.manifolds._geodesics import log_volume_of_exp

    return log_volume_of_exp(self, x, v)


def _random_tangent(self: "Manifold", x: Tensor, generator: torch.Generator) -> Tensor:
    rank = len(self.shape)
    size = (*x.shape[: x.ndim - rank], self.dim, *[1] * rank)
    coefficients = torch.randn(size, generator=generator, dtype=x.dtype, device=x.device)
    return (coefficients * self._frame(x)).sum(-rank - 1)


def _random_uniform(self: "Manifold", size: tuple[int, ...], *_: Any) -> Tensor:
    raise NotImplementedError(f"{self} draws no uniform points: its volume is infinite or unknown; use random_normal.")


def _log_volume(self: "Manifold") -> float:
    raise NotImplementedError(f"{self} knows no finite volume.")


def _normal_log_prob(self: "Manifold", x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    if not math.isinf(self.injectivity_radius):
        raise NotImplementedError(f"{self} does not know by how many geodesics a point is reached.")
    v = self._log(mean, x)
    quadratic = 0.5 * (self._norm(mean, v) / std).square()
    constant = self.dim * (0.5 * math.log(2.0 * math.pi) + torch.log(std))
    return -quadratic - constant - self._log_volume_element(mean, v)


def _heat_kernel(self: "Manifold", x: Tensor, y: Tensor, s: Tensor) -> Tensor:
    return torch.exp(self._log_heat_kernel(x, y, s))


def _log_heat_kernel(self: "Manifold", x: Tensor, y: Tensor, s: Tensor) -> Tensor:
    raise NotImplementedError(f"{self} knows no closed form or series of its heat kernel.")


def _residual(self: "Manifold", x: Tensor) -> Tensor:
    return _relative(self, self._project(x) - x, x)


def _tangent_residual(self: "Manifold", x: Tensor, v: Tensor) -> Tensor:
    return _relative(self, self._project_tangent(x, v) - v, v)


def _injectivity_radius(self: "Manifold") -> float:
    raise NotImplementedError(f"{self} does not know its injectivity radius.")


def _mean_solver(self: "Manifold") -> "MeanSolver":
    from holonomy.manifolds.means import DescentMean

    return DescentMean()


def _coordinate_sum(self: "Manifold", products: Tensor) -> Tensor:
    return products.flatten(-len(self.shape)).sum(-1) if self.shape else products


def _relative(self: "Manifold", difference: Tensor, x: Tensor) -> Tensor:
    """Return |difference| / (1 + |x|), where ``tiny`` keeps differences that underflow from counting."""
    size = _coordinate_sum(self, x.square()).sqrt()
    return _coordinate_sum(self, difference.square()).sqrt() / (1.0 + size + tolerances(x.dtype).tiny)


DERIVED: dict[str, Callable[..., Any]] = {
    name: function
    for name, function in list(globals().items())
    if name.startswith("_")
    and callable(function)
    and name not in {"_coordinate_sum", "_relative"}
    and not name.startswith("__")
}
"""Hook to its derivation; ``_project`` and ``_origin`` have none."""
