"""Matrices with columns of length one."""

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.methods import Projection
from holonomy.manifolds.product import Power
from holonomy.manifolds.sphere import Sphere


class Oblique(Manifold):
    """The n x k matrices whose columns have length one: k spheres side by side.

    Parameters
    ----------
    n : int
        Number of rows, at least 2.
    k : int
        Number of columns, at least 1.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If n is below 2 or k below 1.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Oblique
    >>> Oblique(2, 3).project(torch.ones(2, 3))
    tensor([[0.7071, 0.7071, 0.7071],
            [0.7071, 0.7071, 0.7071]])
    """

    default_retraction = Projection()

    def __init__(self, n: int, k: int, *, check: bool = False) -> None:
        rows, columns = check_int(n, "n", minimum=2), check_int(k, "k", minimum=1)
        super().__init__((rows - 1) * columns, (rows, columns), check=check)
        self._spheres = Power(Sphere(rows - 1), columns)

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return self._spheres._inner(x.mT, u.mT, v.mT)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return self._spheres._exp(x.mT, v.mT).mT

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return self._spheres._log(x.mT, y.mT).mT

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        return self._spheres._dist(x.mT, y.mT)

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        return self._spheres._squared_dist(x.mT, y.mT)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return self._spheres._transport(x.mT, y.mT, v.mT).mT

    def _project(self, x: Tensor) -> Tensor:
        return self._spheres._project(x.mT).mT

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        return self._spheres._project_tangent(x.mT, v.mT).mT

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return self._project_tangent(x, gradient)

    def _frame(self, x: Tensor) -> Tensor:
        return self._spheres._frame(x.mT).mT

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return self._spheres._origin(dtype, device).mT

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        return self._spheres._random_uniform(size, generator, dtype, device).mT

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return self._spheres._random_tangent(x.mT, generator).mT

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        return self._spheres._log_volume_element(x.mT, v.mT)

    def _log_volume(self) -> float:
        return self._spheres._log_volume()

    def _normal_log_prob(self, x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        return self._spheres._normal_log_prob(x.mT, mean.mT, std)

    def _injectivity_radius(self) -> float:
        return self._spheres.injectivity_radius

    def extra_repr(self) -> str:
        """Return the shape."""
        return f"{self.shape[0]}, {self.shape[1]}"
