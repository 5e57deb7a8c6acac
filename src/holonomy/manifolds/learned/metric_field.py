"""Geometry from a metric tensor alone."""

from collections.abc import Callable

import torch
from torch import Tensor

from holonomy._core.validation import check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.learned.splines import GeodesicSpline

STEPS = 64
"""Default number of Runge-Kutta steps along a geodesic."""


class MetricField(Manifold):
    """Coordinates with a metric tensor g(x), learned or given; every verb follows from it.

    ``exp`` and ``transport`` integrate the geodesic equation and parallel transport with Runge and Kutta's fourth-order
    steps; ``log`` inverts ``exp`` by Newton's method from the straight line, and so finds the geodesic next to it;
    :meth:`spline` finds a short way where that fails. All are approximate, with errors that fall as ``steps ** -4``.

    Parameters
    ----------
    metric : callable
        From coordinates (..., n) to symmetric positive definite matrices (..., n, n); differentiable by torch.
    n : int
        Number of coordinates, at least 1.
    steps : int, default 64
        Runge-Kutta steps along a geodesic, at least 1.
    check : bool, default False
        As in :class:`Manifold`.

    Raises
    ------
    TypeError
        If ``metric`` is not callable.
    ValueError
        If n or ``steps`` is below 1.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import MetricField
    >>> half_plane = MetricField(lambda x: torch.eye(2, dtype=x.dtype) / x[..., 1, None, None] ** 2, 2)
    >>> x, y = torch.tensor([[0.0, 1.0], [0.0, 2.0]], dtype=torch.float64)
    >>> f"{half_plane.dist(x, y):.8f}"
    '0.69314718'
    """

    def __init__(self, metric: Callable[[Tensor], Tensor], n: int, *, steps: int = STEPS, check: bool = False) -> None:
        if not callable(metric):
            raise TypeError(f"metric must be callable, got {type(metric).__name__}.")
        super().__init__(check_int(n, "n", minimum=1), (n,), check=check)
        self.metric = metric
        self.steps = check_int(steps, "steps", minimum=1)

    def metric_tensor(self, x: Tensor) -> Tensor:
        """Return the metric tensor (..., n, n) at x (..., n)."""
        return self.metric(x)

    def christoffel(self, x: Tensor) -> Tensor:
        """Return Christoffel's symbols (..., n, n, n), the upper index first."""
        # One pass in forward mode, with the directions as one more axis of the batch.
        copies = x.expand(self.dim, *x.shape).contiguous()
        directions = torch.eye(self.dim, dtype=x.dtype, device=x.device)
        directions = directions.reshape(self.dim, *[1] * (x.ndim - 1), self.dim).expand_as(copies)
        along = torch.func.jvp(self.metric, (copies,), (directions.contiguous(),))
        values, slopes = along[0], along[1].movedim(0, -1)
        # slopes[..., i, j, k] = d_k g_ij
        first = 0.5 * (slopes + slopes.transpose(-1, -2) - slopes.movedim(-1, -3))
        return torch.linalg.solve(values[0], first.flatten(-2)).unflatten(-1, (self.dim, self.dim))

    def _inner(self, x: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return torch.einsum("...i,...ij,...j->...", u, self.metric(x), v)

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        x, v = torch.broadcast_tensors(x, v)
        return self._flow(x, v, None)[0]

    def _flow(self, x: Tensor, v: Tensor, w: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
        """Follow the geodesic from x with velocity v to time 1, and carry w along."""

        def slope(state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            symbols = self.christoffel(state[0])
            turns = [-torch.einsum("...kij,...i,...j->...k", symbols, state[1], field) for field in state[1:]]
            return (state[1], *turns)

        def move(state: tuple[Tensor, ...], rate: tuple[Tensor, ...], step: float) -> tuple[Tensor, ...]:
            return tuple(a + step * b for a, b in zip(state, rate, strict=True))

        state: tuple[Tensor, ...] = (x, v) if w is None else (x, v, w)
        h = 1.0 / self.steps
        for _ in range(self.steps):
            k1 = slope(state)
            k2 = slope(move(state, k1, 0.5 * h))
            k3 = slope(move(state, k2, 0.5 * h))
            k4 = slope(move(state, k3, h))
            rate = tuple((a + 2.0 * b + 2.0 * c + d) / 6.0 for a, b, c, d in zip(k1, k2, k3, k4, strict=True))
            state = move(state, rate, h)
        return state[0], state[1], state[2] if w is not None else None

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        x, y, v = torch.broadcast_tensors(x, y, v)
        carried = self._flow(x, self._log(x, y), v)[2]
        assert carried is not None  # noqa: S101
        return carried

    def _project(self, x: Tensor) -> Tensor:
        return x

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return torch.linalg.solve(self.metric(x), gradient.unsqueeze(-1)).squeeze(-1)

    def _frame(self, x: Tensor) -> Tensor:
        """Return the rows of the inverse Cholesky factor of the metric."""
        factor = torch.linalg.cholesky(self.metric(x))
        identity = torch.eye(self.dim, dtype=x.dtype, device=x.device).expand_as(factor)
        return torch.linalg.solve_triangular(factor, identity, upper=False)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        return torch.zeros(self.dim, dtype=dtype, device=device)

    def log_chart_volume(self, x: Tensor) -> Tensor:
        """Return log sqrt det g (...): by which factor coordinates understate volume at x."""
        return 0.5 * torch.linalg.slogdet(self.metric(x)).logabsdet

    def spline(self, x: Tensor, y: Tensor, *, knots: int = 8, iterations: int = 200) -> GeodesicSpline:
        """Return the curves from x to y of least energy among cubic splines, which find the way where shooting fails.

        Parameters
        ----------
        x, y : Tensor of shape (..., n)
            End points.
        knots : int, default 8
            Number of free inner points of each curve, at least 1.
        iterations : int, default 200
            Most steps of L-BFGS, all curves together.

        Returns
        -------
        GeodesicSpline
            The curves; ``length()`` is their length.
        """
        start, end = (t.detach() for t in torch.broadcast_tensors(x, y))
        curve = GeodesicSpline(self, start, end, check_int(knots, "knots", minimum=1))
        curve.minimize(check_int(iterations, "iterations", minimum=1))
        return curve

    def extra_repr(self) -> str:
        """Return the dimension."""
        return str(self.dim)
