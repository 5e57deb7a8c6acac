"""The flat torus."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from holonomy._core.validation import check_float
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.means import CircleMean
from holonomy.manifolds.numerics import widen

IMAGES = 6
"""How many periods to each side a wrapped normal or a heat kernel is summed over where it is broad."""


class Torus(Manifold):
    """The flat torus: n angles, or any cyclic coordinates, each with a period of its own.

    Any real coordinates are points, and those that differ by whole periods are the same point. ``project`` brings them
    to [0, period). ``log`` takes the shorter way round; exactly opposite coordinates go the positive way.

    Parameters
    ----------
    periods : int or sequence of float
        The number of angles of period 2 pi, or the period of each coordinate, positive.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    ValueError
        If there is no coordinate, or a period is not positive.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Torus
    >>> hours = Torus([24.0])
    >>> hours.dist(torch.tensor([23.0]), torch.tensor([1.0]))
    tensor(2.)
    """

    curvature = 0.0
    periods: Tensor

    def __init__(self, periods: int | Sequence[float], *, check: bool = False) -> None:
        given = [2.0 * math.pi] * periods if isinstance(periods, int) else list(periods)
        values = [check_float(period, "periods", minimum=0.0) for period in given]
        if not values or min(values) == 0.0:
            raise ValueError(f"periods must be one or more positive numbers, got {periods}.")
        super().__init__(len(values), (len(values),), check=check)
        self.register_buffer("periods", torch.tensor(values, dtype=torch.float64), persistent=False)
        self._values = tuple(values)

    def _difference(self, x: Tensor, y: Tensor) -> Tensor:
        """Return y - x less whole periods, in [-period/2, period/2]; small differences are kept to the last bit."""
        periods = self.periods.to(x.device, torch.float64)
        difference = widen(y) - widen(x)
        return difference - periods * torch.floor(difference / periods + 0.5 - torch.finfo(torch.float64).eps)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        return self._project(x + v)

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        return self._difference(x, y).to(x.dtype)

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        return self._difference(x, y).square().sum(-1).to(x.dtype)

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        return v.expand(torch.broadcast_shapes(x.shape, y.shape, v.shape))

    def _project(self, x: Tensor) -> Tensor:
        periods = self.periods.to(x.device, x.dtype)
        wrapped = x - periods * torch.floor(x / periods)
        return torch.where(wrapped < periods, wrapped, 0.0 * wrapped)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return gradient

    def _frame(self, x: Tensor) -> Tensor:
        return torch.eye(self.dim, dtype=x.dtype, device=x.device).expand(*x.shape[:-1], self.dim, self.dim)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.zeros(self.dim, dtype=dtype, device=device)

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        part = torch.rand((*size, self.dim), generator=generator, dtype=dtype, device=device)
        return self._project(part * self.periods.to(device, dtype))

    def _random_tangent(self, x: Tensor, generator: torch.Generator) -> Tensor:
        return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        return torch.zeros_like((x * v).sum(-1))

    def _log_volume(self) -> float:
        return sum(map(math.log, self._values))

    def _normal_log_prob(self, x: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        """Sum the density over the images of x, or where it is broad its Fourier series: both are short there."""
        difference = self._difference(mean, x)
        spread = widen(std).unsqueeze(-1) / self.periods
        turns = torch.arange(-IMAGES, IMAGES + 1, device=x.device, dtype=torch.float64)
        part = (difference / self.periods).unsqueeze(-1)
        narrow = spread.clamp(max=0.5).unsqueeze(-1)
        images = torch.logsumexp(-0.5 * ((part + turns) / narrow).square(), -1) - torch.log(
            math.sqrt(2.0 * math.pi) * narrow.squeeze(-1)
        )
        waves = torch.arange(1, IMAGES + 1, device=x.device, dtype=torch.float64)
        damp = torch.exp(-2.0 * (math.pi * waves * spread.clamp(min=0.5).unsqueeze(-1)).square())
        series = torch.log1p(2.0 * (damp * torch.cos(2.0 * math.pi * waves * part)).sum(-1))
        density = torch.where(spread > 0.5, series, images) - self.periods.log()
        return density.sum(-1).to(x.dtype)

    def _log_heat_kernel(self, x: Tensor, y: Tensor, s: Tensor) -> Tensor:
        return self._normal_log_prob(y, x, s.sqrt())

    def _residual(self, x: Tensor) -> Tensor:
        return torch.where(torch.isfinite(x).all(-1), 0.0, math.inf).to(x.dtype)

    def _mean_solver(self) -> CircleMean:
        return CircleMean()

    def _injectivity_radius(self) -> float:
        return 0.5 * min(self._values)

    def extra_repr(self) -> str:
        """Return the periods."""
        return ", ".join(f"{period:g}" for period in self._values).join(("[", "]"))
