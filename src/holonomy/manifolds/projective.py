"""Real projective space: the lines through the origin."""

import math

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.methods import Projection
from holonomy.manifolds.sphere import Sphere


class RealProjective(Manifold):
    """The space of lines in n + 1 coordinates: unit vectors, where x and -x are the same point.

    Verbs work on the sphere, with the representative of the second point that is nearer to the first: distances are at
    most half of the sphere's largest. ``log`` and ``transport`` give vectors at the representative that was passed.

    Parameters
    ----------
    n : int
        Dimension, at least 1.
    curvature : float, default 1.0
        Sectional curvature, positive.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If n is below 1 or the curvature is not positive.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import RealProjective
    >>> x, y, _ = torch.eye(3)
    >>> RealProjective(2).dist(x, torch.stack([-x, y]))
    tensor([0.0000, 1.5708])
    """

    default_retraction = Projection()

    def __init__(self, n: int, curvature: float = 1.0, *, check: bool = False) -> None:
        super().__init__(check_int(n, "n", minimum=1), (n + 1,), check=check)
        self._sphere = Sphere(n, curvature)
        self.curvature = float(curvature)

    def _sign(self, x: Tensor, y: Tensor) -> Tensor:
        """Return -1 where -y is nearer to x than y is."""
        return torch.where((x * y).sum(-1, keepdim=True) < 0, -1.0, 1.0).to(y.dtype)

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return self._sphere._inner(x, u, v)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return self._sphere._exp(x, v)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return self._sphere._log(x, self._sign(x, y) * y)

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return self._sphere._dist(x, self._sign(x, y) * y)

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        return self._sphere._squared_dist(x, self._sign(x, y) * y)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        sign = self._sign(x, y)
        return sign * self._sphere._transport(x, sign * y, v)

    def _project(self, x: Tensor) -> Tensor:
        return self._sphere._project(x)

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        return self._sphere._project_tangent(x, v)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return self._sphere._egrad_to_rgrad(x, gradient)

    def _frame(self, x: Tensor) -> Tensor:
        return self._sphere._frame(x)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return self._sphere._origin(dtype, device)

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        return self._sphere._random_uniform(size, generator, dtype, device)

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self._sphere._random_tangent(x, generator)

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        return self._sphere._log_volume_element(x, v)

    def _log_volume(self) -> float:
        return self._sphere._log_volume() - math.log(2.0)

    def _normal_log_prob(self, x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        both = self._sphere._normal_log_prob(x, mean, std), self._sphere._normal_log_prob(-x, mean, std)
        return torch.logaddexp(*both)

    def _injectivity_radius(self) -> float:
        return 0.5 * self._sphere.injectivity_radius

    def extra_repr(self) -> str:
        """Return the dimension and the curvature."""
        return self._sphere.extra_repr()
