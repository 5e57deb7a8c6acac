"""Curves of least energy between two points, where a metric tensor is all that is known."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from holonomy.manifolds.numerics import tolerances

if TYPE_CHECKING:
    from holonomy.manifolds.learned.metric_field import MetricField


class GeodesicSpline:
    """Natural cubic curves through free inner points, of least energy between two fixed ends.

    Attributes
    ----------
    energy : Tensor of shape (...)
        Half the integral of the squared speed; half the squared distance where the curve is the shortest geodesic.
    """

    def __init__(self, space: "MetricField", x: Tensor, y: Tensor, knots: int) -> None:
        self.space, self.x, self.y = space, x, y
        times = torch.linspace(0.0, 1.0, knots + 2, dtype=x.dtype, device=x.device)[1:-1]
        self._free = x.unsqueeze(-2) + times[:, None] * (y - x).unsqueeze(-2)
        samples = 8 * (knots + 1) + 1
        self._times = torch.linspace(0.0, 1.0, samples, dtype=x.dtype, device=x.device)
        self._matrix = _spline_matrix(knots + 2, self._times)
        self.energy = self._energies(self._free)

    def points(self) -> Tensor:
        """Return points (..., m, n) at equally spaced times, both ends included."""
        return self._points(self._free)

    def velocity(self) -> Tensor:
        """Return the velocity (..., n) at the start: an estimate of ``log``."""
        points = self.points()
        step = float(self._times[1] - self._times[0])
        return (-1.5 * points[..., 0, :] + 2.0 * points[..., 1, :] - 0.5 * points[..., 2, :]) / step

    def length(self) -> Tensor:
        """Return the lengths (...): distances, if the curves are shortest."""
        middle, difference = self._segments(self._free)
        return self.space._inner(middle, difference, difference).clamp_min(0.0).sqrt().sum(-1)

    def minimize(self, iterations: int) -> None:
        """Move the inner points until the energy is least."""
        free = self._free.clone().requires_grad_()
        solver = torch.optim.LBFGS([free], max_iter=iterations, line_search_fn="strong_wolfe",
                                   tolerance_grad=tolerances(free.dtype).eps ** 0.75, tolerance_change=0.0)  # fmt: skip

        def closure() -> Tensor:
            solver.zero_grad()
            with torch.enable_grad():
                total = self._energies(free).sum()
            total.backward()
            return total

        solver.step(closure)
        self._free = free.detach()
        self.energy = self._energies(self._free)

    def _points(self, free: Tensor) -> Tensor:
        controls = torch.cat([self.x.unsqueeze(-2), free, self.y.unsqueeze(-2)], dim=-2)
        return self._matrix @ controls

    def _segments(self, free: Tensor) -> tuple[Tensor, Tensor]:
        points = self._points(free)
        return 0.5 * (points[..., 1:, :] + points[..., :-1, :]), points[..., 1:, :] - points[..., :-1, :]

    def _energies(self, free: Tensor) -> Tensor:
        middle, difference = self._segments(free)
        return 0.5 * (len(self._times) - 1) * self.space._inner(middle, difference, difference).sum(-1)


def _spline_matrix(knots: int, times: Tensor) -> Tensor:
    """Return the matrix (m, knots) from values at equally spaced knots to the natural cubic spline at the times."""
    count = knots - 1
    identity = torch.eye(knots, dtype=times.dtype, device=times.device)
    system, right = identity.clone(), torch.zeros_like(identity)
    for i in range(1, count):
        system[i, i - 1 : i + 2] = torch.tensor([1.0, 4.0, 1.0], dtype=times.dtype)
        right[i, i - 1 : i + 2] = 6.0 * torch.tensor([1.0, -2.0, 1.0], dtype=times.dtype)
    bends = torch.linalg.solve(system, right)
    place = (times * count).clamp(max=count)
    left = place.floor().clamp(max=count - 1).long()
    t = (place - left).unsqueeze(-1)
    s = 1.0 - t
    straight = s * identity[left] + t * identity[left + 1]
    return straight + ((s**3 - s) * bends[left] + (t**3 - t) * bends[left + 1]) / 6.0
