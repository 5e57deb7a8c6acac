"""The tangent space at a point, as a flat manifold of its own."""

import math

import torch
from torch import Tensor

from holonomy.manifolds.base import Manifold


class TangentSpace(Manifold):
    """The tangent space of a manifold at one point: flat, with the inner product there.

    Parameters
    ----------
    manifold : Manifold
        The space.
    point : Tensor of shape ``manifold.shape``
        Where it is touched.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    TypeError
        If ``manifold`` is not a manifold, or the point not a floating-point tensor.
    ValueError
        If ``point`` is not one point of the manifold.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import PoincareBall, TangentSpace
    >>> ball = PoincareBall(2)
    >>> flat = TangentSpace(ball, ball.origin())
    >>> flat.dist(torch.zeros(2), torch.tensor([1.0, 0.0]))
    tensor(2.)
    """

    point: Tensor

    def __init__(self, manifold: Manifold, point: Tensor, *, check: bool = False) -> None:
        if not isinstance(manifold, Manifold):
            raise TypeError(f"manifold must be a manifold, got {type(manifold).__name__}.")
        manifold.check_point(point, "point")
        if point.shape != manifold.shape:
            raise ValueError(f"point must have shape {manifold.shape}, got {tuple(point.shape)}.")
        super().__init__(manifold.dim, manifold.shape, check=check)
        self.manifold = manifold
        self.register_buffer("point", point.detach().clone())

    def _at(self, x: Tensor) -> Tensor:
        return self.point.to(x.device, x.dtype)

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return self.manifold._inner(self._at(u), u, v)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return x + v

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return y - x

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        return self._inner(x, y - x, y - x)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return v.expand(torch.broadcast_shapes(x.shape, y.shape, v.shape))

    def _project(self, x: Tensor) -> Tensor:
        return self.manifold._project_tangent(self._at(x), x)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        tangent = self.manifold._project_tangent(self._at(v), v)
        return tangent.expand(torch.broadcast_shapes(x.shape, v.shape))

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return self.manifold._egrad_to_rgrad(self._at(gradient), gradient)

    def _frame(self, x: Tensor) -> Tensor:
        frame = self.manifold._frame(self._at(x))
        return frame.expand(*x.shape[: x.ndim - len(self.shape)], *frame.shape)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.zeros(self.shape, dtype=dtype, device=device)

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self.manifold._random_tangent(self._at(x).expand_as(x), generator)

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        return torch.zeros_like(self._inner(x, v, v))

    def _injectivity_radius(self) -> float:
        return math.inf

    def extra_repr(self) -> str:
        """Return the manifold."""
        return str(self.manifold)
