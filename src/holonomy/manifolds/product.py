"""Products and powers of manifolds: points side by side."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from holonomy._core.validation import check_float, check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.means import FactorwiseMean


class Product(Manifold):
    """The product of manifolds: a point is the points of all factors, flattened and joined along one axis.

    Squared distances add, each with the weight of its factor; geodesics, transport and all else act factor by factor.
    :meth:`split` and :meth:`join` go between points of the product and of its factors.

    Parameters
    ----------
    *factors : Manifold
        One or more spaces of any kinds.
    weights : sequence of float, optional
        Positive factors on the squared lengths of each; all 1 by default.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    TypeError
        If a factor is not a manifold.
    ValueError
        If there is no factor, or the weights are not positive and one for each.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Euclidean, Product, Sphere
    >>> space = Product(Sphere(2), Euclidean(1))
    >>> x = space.origin()
    >>> x, space.dim
    (tensor([1., 0., 0., 0.]), 3)
    >>> [tuple(part.shape) for part in space.split(x)]
    [(3,), (1,)]
    """

    def __init__(self, *factors: Manifold, weights: Sequence[float] | None = None, check: bool = False) -> None:
        if not factors:
            raise ValueError("factors must name one or more manifolds, got none.")
        for factor in factors:
            if not isinstance(factor, Manifold):
                raise TypeError(f"factors must be manifolds, got {type(factor).__name__}.")
        scales = [1.0] * len(factors) if weights is None else [check_float(w, "weights") for w in weights]
        if len(scales) != len(factors) or min(scales) <= 0:
            raise ValueError(f"weights must be {len(factors)} positive numbers, got {weights}.")
        self_sizes = [math.prod(factor.shape) for factor in factors]
        super().__init__(sum(factor.dim for factor in factors), (sum(self_sizes),), check=check)
        self.factors = nn.ModuleList(factors)
        self._sizes, self._weights = self_sizes, scales

    @property
    def weights(self) -> tuple[float, ...]:
        """The factors on the squared lengths of each part."""
        return tuple(self._weights)

    def split(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the parts (..., *factor.shape) of points or vectors (..., *shape)."""
        parts = x.split(self._sizes, dim=-1)
        return tuple(part.unflatten(-1, f.shape) for part, f in zip(parts, self._spaces(), strict=True))

    def join(self, *parts: Tensor) -> Tensor:
        """Return points or vectors (..., *shape) from their parts, whose leading axes broadcast."""
        ranks = [len(factor.shape) for factor in self._spaces()]
        batch = torch.broadcast_shapes(*(p.shape[: p.ndim - r] for p, r in zip(parts, ranks, strict=True)))
        flat = (p.expand(*batch, *p.shape[p.ndim - r :]).flatten(-r) for p, r in zip(parts, ranks, strict=True))
        return torch.cat(tuple(flat), dim=-1)

    def _spaces(self) -> list[Manifold]:
        return list(self.factors)  # type: ignore[arg-type]

    def _each(self, verb: str, *tensors: Tensor) -> list[Tensor]:
        parts = zip(*(self.split(tensor) for tensor in tensors), strict=True)
        return [getattr(factor, verb)(*part) for factor, part in zip(self._spaces(), parts, strict=True)]

    def _map(self, verb: str, *tensors: Tensor) -> Tensor:
        return self.join(*self._each(verb, *tensors))

    def _sum(self, terms: Sequence[Tensor]) -> Tensor:
        total = terms[0] * self._weights[0]
        for weight, term in zip(self._weights[1:], terms[1:], strict=True):
            total = total + weight * term
        return total

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return self._sum(self._each("_inner", x, u, v))

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return self._map("_exp", x, v)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return self._map("_log", x, y)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        distances = self._each("_dist", x, y)
        scales = torch.tensor(self._weights, dtype=x.dtype, device=x.device).sqrt()
        return torch.linalg.vector_norm(scales * torch.stack(distances, dim=-1), dim=-1)

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        return self._sum(self._each("_squared_dist", x, y))

    def _geodesic(self, x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        parts = zip(self.split(x), self.split(y), strict=True)
        return self.join(*(f._geodesic(*part, t) for f, part in zip(self._spaces(), parts, strict=True)))

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return self._map("_transport", x, y, v)

    def _project(self, x: Tensor) -> Tensor:
        return self._map("_project", x)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        return self._map("_project_tangent", x, v)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        parts = self._each("_egrad_to_rgrad", x, gradient)
        return self.join(*(part / weight for part, weight in zip(parts, self._weights, strict=True)))

    def _frame(self, x: Tensor) -> Tensor:
        rows = []
        for i, frame in enumerate(self._each("_frame", x)):
            rank = len(self._spaces()[i].shape)
            flat = frame.flatten(-rank) / math.sqrt(self._weights[i])
            before, after = sum(self._sizes[:i]), sum(self._sizes[i + 1 :])
            rows.append(torch.nn.functional.pad(flat, (before, after)))
        return torch.cat(rows, dim=-2)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return self.join(*(factor._origin(dtype, device) for factor in self._spaces()))

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        return self.join(*(factor._random_uniform(size, generator, dtype, device) for factor in self._spaces()))

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        parts = (f._random_tangent(p, generator) for f, p in zip(self._spaces(), self.split(x), strict=True))
        return self.join(*(part / math.sqrt(weight) for part, weight in zip(parts, self._weights, strict=True)))

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        return torch.stack(self._each("_log_volume_element", x, v)).sum(0)

    def _mean_solver(self) -> FactorwiseMean:
        return FactorwiseMean()

    def _log_volume(self) -> float:
        stretch = sum(0.5 * f.dim * math.log(w) for f, w in zip(self._spaces(), self._weights, strict=True))
        return stretch + sum(factor._log_volume() for factor in self._spaces())

    def _normal_log_prob(self, x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        return self._by_factor(lambda f, w, p, m: f._normal_log_prob(p, m, std / w**0.5), x, mean)

    def _log_heat_kernel(self, x: Tensor, y: Tensor, s: Tensor) -> Tensor:
        return self._by_factor(lambda f, w, p, q: f._log_heat_kernel(p, q, s / w), x, y)

    def _by_factor(self, density: Callable[..., Tensor], x: Tensor, y: Tensor) -> Tensor:
        """Sum log densities of the factors, each by the volume of its weighted metric."""
        total = torch.zeros((), dtype=x.dtype, device=x.device)
        for factor, weight, p, q in zip(self._spaces(), self._weights, self.split(x), self.split(y), strict=True):
            total = total + density(factor, weight, p, q) - 0.5 * factor.dim * math.log(weight)
        return total

    def _residual(self, x: Tensor) -> Tensor:
        return torch.stack(self._each("_residual", x)).amax(0)

    def _tangent_residual(self, x: Tensor, v: Tensor) -> Tensor:
        return torch.stack(self._each("_tangent_residual", x, v)).amax(0)

    def _injectivity_radius(self) -> float:
        radii = (f.injectivity_radius * math.sqrt(w) for f, w in zip(self._spaces(), self._weights, strict=True))
        return min(radii)

    def extra_repr(self) -> str:
        """Return the factors."""
        return ", ".join(map(str, self._spaces()))


class Power(Manifold):
    """Several points of one manifold at once: a point has shape ``(n, *base.shape)``.

    Parameters
    ----------
    base : Manifold
        The space of each point.
    n : int
        Number of points, at least 1.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    TypeError
        If ``base`` is not a manifold.
    ValueError
        If n is below 1.

    Examples
    --------
    >>> from holonomy.manifolds import Power, Sphere
    >>> Power(Sphere(2), 5).shape
    (5, 3)
    """

    def __init__(self, base: Manifold, n: int, *, check: bool = False) -> None:
        if not isinstance(base, Manifold):
            raise TypeError(f"base must be a manifold, got {type(base).__name__}.")
        count = check_int(n, "n", minimum=1)
        super().__init__(count * base.dim, (count, *base.shape), check=check)
        self.base, self.n = base, count

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return self.base._inner(x, u, v).sum(-1)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return self.base._exp(x, v)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return self.base._log(x, y)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.linalg.vector_norm(self.base._dist(x, y), dim=-1)

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        return self.base._squared_dist(x, y).sum(-1)

    def _geodesic(self, x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        return self.base._geodesic(x, y, t.unsqueeze(-1) if t.ndim else t)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return self.base._transport(x, y, v)

    def _project(self, x: Tensor) -> Tensor:
        return self.base._project(x)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        return self.base._project_tangent(x, v)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return self.base._egrad_to_rgrad(x, gradient)

    def _frame(self, x: Tensor) -> Tensor:
        """Place the frame of each point in its own slot, with zeros in the others."""
        rank = len(self.base.shape)
        frames = self.base._frame(x).flatten(-rank)
        slots = torch.eye(self.n, dtype=x.dtype, device=x.device).reshape(self.n, 1, self.n, 1)
        placed = slots * frames.unsqueeze(-2)
        return placed.flatten(-4, -3).unflatten(-1, self.base.shape)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return self.base._origin(dtype, device).expand(self.shape)

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        return self.base._random_uniform((*size, self.n), generator, dtype, device)

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self.base._random_tangent(x, generator)

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        return self.base._log_volume_element(x, v).sum(-1)

    def _log_volume(self) -> float:
        return self.n * self.base._log_volume()

    def _normal_log_prob(self, x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        return self.base._normal_log_prob(x, mean, std.unsqueeze(-1)).sum(-1)

    def _log_heat_kernel(self, x: Tensor, y: Tensor, s: Tensor) -> Tensor:
        return self.base._log_heat_kernel(x, y, s.unsqueeze(-1)).sum(-1)

    def _residual(self, x: Tensor) -> Tensor:
        return self.base._residual(x).amax(-1)

    def _tangent_residual(self, x: Tensor, v: Tensor) -> Tensor:
        return self.base._tangent_residual(x, v).amax(-1)

    def _injectivity_radius(self) -> float:
        return self.base.injectivity_radius

    def extra_repr(self) -> str:
        """Return the base and the number of points."""
        return f"{self.base}, {self.n}"
