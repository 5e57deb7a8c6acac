"""Flat space."""

import math

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.means import ClosedMean
from holonomy.manifolds.numerics import widen


class Euclidean(Manifold):
    """Flat space of vectors, matrices or higher tensors.

    Parameters
    ----------
    *shape : int
        Trailing axes of a point, each at least 1; one number is the dimension.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If an axis is below 1, or none is given.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Euclidean
    >>> Euclidean(2).dist(torch.zeros(2), torch.tensor([3.0, 4.0]))
    tensor(5.)
    """

    curvature = 0.0

    def __init__(self, *shape: int, check: bool = False) -> None:
        if not shape:
            raise ValueError("shape must have at least one axis, got none.")
        axes = tuple(check_int(n, "shape", minimum=1) for n in shape)
        super().__init__(math.prod(axes), axes, check=check)

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return (widen(u) * widen(v)).flatten(-len(self.shape)).sum(-1).to(u.dtype)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return x + v

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return y - x

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        difference = y - x
        return self._inner(x, difference, difference)

    def _geodesic(self, x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        return torch.lerp(*torch.broadcast_tensors(x, y, self._scale(t, x)))

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return v.expand(torch.broadcast_shapes(x.shape, y.shape, v.shape))

    def _project(self, x: Tensor) -> Tensor:
        return x

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return gradient

    def _frame(self, x: Tensor) -> Tensor:
        basis = torch.eye(self.dim, dtype=x.dtype, device=x.device).reshape(self.dim, *self.shape)
        return basis.expand(*x.shape[: x.ndim - len(self.shape)], *basis.shape)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.zeros(self.shape, dtype=dtype, device=device)

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)

    def _mean_solver(self) -> ClosedMean:
        return ClosedMean()

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        return torch.zeros_like(self._inner(x, x, v))

    def _log_heat_kernel(self, x: Tensor, y: Tensor, s: Tensor) -> Tensor:
        return -0.5 * self._squared_dist(x, y) / s - 0.5 * self.dim * torch.log(2.0 * math.pi * s)

    def _injectivity_radius(self) -> float:
        return math.inf

    def extra_repr(self) -> str:
        """Return the shape."""
        return ", ".join(map(str, self.shape))
