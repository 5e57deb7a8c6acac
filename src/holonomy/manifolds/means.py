"""Weighted means of points on any manifold: method objects that solve for them, and one differentiable front door."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

import torch
from torch import Tensor

from holonomy.manifolds._field_descent import Field, descend
from holonomy.manifolds._implicit_mean import follow_gradient
from holonomy.manifolds.numerics import tolerances, widen

if TYPE_CHECKING:
    from holonomy.manifolds.base import Manifold
    from holonomy.manifolds.metric import Metric


@dataclass(frozen=True)
class MeanSolution:
    """A mean and how well it solves its equation.

    Attributes
    ----------
    point : Tensor of shape (..., *shape)
        The mean.
    residual : Tensor of shape (...)
        Norm of the weighted mean of the logarithms there, which is 0 at the exact mean.
    spread : Tensor of shape (...)
        Root of the weighted mean of squared distances from it: what the residual is compared with.
    converged : Tensor of shape (...)
        Whether the residual is as small as was asked for.
    n_iter : int
        Steps taken; 0 for a closed form.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import ClosedMean, Euclidean
    >>> ClosedMean()(Euclidean(1), torch.tensor([[0.0], [2.0]]), torch.tensor([0.5, 0.5]), 1e-9, 10).point
    tensor([1.])
    """

    point: Tensor
    residual: Tensor
    spread: Tensor
    converged: Tensor
    n_iter: int


class MeanSolver(Protocol):
    """Finds the points that minimise weighted sums of squared distances."""

    @property
    def differentiable(self) -> bool:
        """Whether automatic differentiation passes through; elsewhere the equation of the mean is differentiated."""
        ...

    def __call__(
        self, manifold: "Manifold", x: Tensor, weights: Tensor, tolerance: float, max_iter: int
    ) -> MeanSolution:
        """Return the means of points x (..., n, *shape) with weights (..., n) that sum to 1."""
        ...


def weighted_mean(
    manifold: "Manifold",
    x: Tensor,
    weights: Tensor | None = None,
    *,
    method: MeanSolver | None = None,
    tolerance: float | None = None,
    max_iter: int = 200,
) -> MeanSolution:
    """Return the points that minimise the weighted sums of squared distances.

    Gradients with respect to the points and the weights are those of the mean itself: where there is no closed form the
    equation that defines the mean is differentiated, not the iteration, and one linear system is solved by conjugate
    gradients. They can be taken once; the parameters of the space (a learnable curvature) get none from the iteration.

    Parameters
    ----------
    manifold : Manifold
        The space.
    x : Tensor of shape (..., n, *shape)
        Points; the mean is taken over the axis before those of the space.
    weights : Tensor of shape (..., n), optional
        Not negative, not all 0; equal by default. They are divided by their sum.
    method : MeanSolver, optional
        The space's own by default: a closed form where there is one.
    tolerance : float, optional
        Norm of the mean of the logarithms, relative to the root mean square distance, at which to stop; 1e-10 in double
        precision and 1e-5 in single by default.
    max_iter : int, default 200
        Most steps.

    Returns
    -------
    MeanSolution
        The means (..., *shape), and for each the residual that was reached.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD, weighted_mean
    >>> x = torch.stack([torch.eye(2), 4.0 * torch.eye(2)])
    >>> weighted_mean(SPD(2), x).point
    tensor([[2., 0.],
            [0., 2.]])
    """
    rank = len(manifold.shape)
    n = x.shape[x.ndim - rank - 1]
    if weights is None:
        weights = x.new_full((n,), 1.0 / n)
    batch = torch.broadcast_shapes(x.shape[: x.ndim - rank], weights.shape)
    x = x.expand(*batch, *manifold.shape)
    weights = (weights / weights.sum(-1, keepdim=True)).expand(batch)
    limit = tolerances(x.dtype).mean if tolerance is None else tolerance
    solver = manifold._mean_solver() if method is None else method
    if solver.differentiable:
        return solver(manifold, x, weights, limit, max_iter)
    with torch.no_grad():
        found = solver(manifold, x.detach(), weights.detach(), limit, max_iter)
    if torch.is_grad_enabled() and (x.requires_grad or weights.requires_grad):
        point = follow_gradient(manifold, found.point, x, weights)
        return MeanSolution(point, found.residual, found.spread, found.converged, found.n_iter)
    return found


def mean_field(manifold: "Manifold", m: Tensor, x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weighted means (..., *shape) of the logarithms at m, and of the squared distances (...)."""
    axis = -len(manifold.shape) - 1
    at = m.unsqueeze(axis)
    logs = manifold._log(at, x)
    squares = widen(manifold._inner(at, logs, logs))
    return (manifold._scale(weights, x) * logs).sum(axis), (weights * squares).sum(-1)


def solution(
    manifold: "Manifold", m: Tensor, x: Tensor, weights: Tensor, tolerance: float, n_iter: int
) -> MeanSolution:
    """Return a solution with the residual measured at m."""
    with torch.no_grad():
        field, square = mean_field(manifold, m, x, weights)
        residual, spread = widen(manifold._norm(m, field)), square.sqrt()
        return MeanSolution(m, residual, spread, residual <= stopping(spread, tolerance, x.dtype), n_iter)


def stopping(spread: Tensor, tolerance: float, dtype: torch.dtype) -> Tensor:
    """Return the residual (...) at which to stop; points that coincide leave only rounding."""
    return tolerance * spread + tolerances(dtype).iterate


@dataclass(frozen=True)
class ClosedMean:
    """The mean in closed form, of a flat space: the weighted sum of coordinates.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import ClosedMean, Euclidean, weighted_mean
    >>> x = torch.tensor([[0.0], [3.0]])
    >>> weighted_mean(Euclidean(1), x, torch.tensor([2.0, 1.0]), method=ClosedMean()).point
    tensor([1.])
    """

    differentiable: ClassVar[bool] = True

    def __call__(
        self, manifold: "Manifold", x: Tensor, weights: Tensor, tolerance: float, max_iter: int
    ) -> MeanSolution:
        """Return the weighted sums."""
        axis = -len(manifold.shape) - 1
        m = (manifold._scale(widen(weights), widen(x)) * widen(x)).sum(axis).to(x.dtype)
        return solution(manifold, m, x, weights, tolerance, 0)


@dataclass(frozen=True)
class CircleMean:
    """The global mean on a product of circles, in closed form: of all n ways to cut each circle open, the best.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import CircleMean, Torus, weighted_mean
    >>> weighted_mean(Torus([24.0]), torch.tensor([[23.0], [3.0]]), method=CircleMean()).point
    tensor([1.])
    """

    differentiable: ClassVar[bool] = True

    def __call__(
        self, manifold: "Manifold", x: Tensor, weights: Tensor, tolerance: float, max_iter: int
    ) -> MeanSolution:
        """Return the means of coordinates with the space's ``periods``."""
        periods = cast(Tensor, manifold.periods).to(x.device, torch.float64)
        angles, order = manifold._project(widen(x)).sort(-2)
        w = widen(weights).unsqueeze(-1).expand_as(angles).gather(-2, order)
        # Candidate j has the first j angles moved on by one turn.
        passed = w.cumsum(-2) - w
        candidates = (w * angles).sum(-2, keepdim=True) + periods * passed
        with torch.no_grad():
            moments = (w * angles.square()).sum(-2, keepdim=True)
            crossed = (w * angles).cumsum(-2) - w * angles
            variance = moments + 2.0 * periods * crossed + periods.square() * passed - candidates.square()
            best = variance.argmin(-2, keepdim=True)
        m = manifold._project(candidates.gather(-2, best).squeeze(-2)).to(x.dtype)
        return solution(manifold, m, x, weights, tolerance, 0)


@dataclass(frozen=True)
class DescentMean:
    """Riemannian gradient descent whose step is the inverse of the curvature measured along the last step.

    Serves every space that has ``exp`` and ``log``. A step that would raise the sum of squared distances is cut; the
    best point met is returned. In positive curvature, points spread wider than a quarter turn can have several local
    means: this finds the one near the best of a few of the points.

    Parameters
    ----------
    start : {"point", "projection"}, default "point"
        Where to begin: at the best of at most eight of the points, or at the projected mean of the coordinates.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import DescentMean, Sphere, weighted_mean
    >>> x = torch.eye(3, dtype=torch.float64)
    >>> weighted_mean(Sphere(2), x, method=DescentMean()).point
    tensor([0.5774, 0.5774, 0.5774], dtype=torch.float64)
    """

    start: str = "point"
    differentiable: ClassVar[bool] = False

    def __call__(
        self, manifold: "Manifold", x: Tensor, weights: Tensor, tolerance: float, max_iter: int
    ) -> MeanSolution:
        """Return the means, with the residuals reached."""

        def field(m: Tensor) -> Field:
            vector, square = mean_field(manifold, m, x, weights)
            return Field(vector, square, stopping(square.sqrt(), tolerance, x.dtype), torch.ones_like(square))

        m, _, n_iter = descend(manifold, self._first(manifold, x, weights), field, max_iter)
        return solution(manifold, m, x, weights, tolerance, n_iter)

    def _first(self, manifold: "Manifold", x: Tensor, weights: Tensor) -> Tensor:
        axis = -len(manifold.shape) - 1
        if self.start == "projection":
            m = manifold._project((manifold._scale(weights, x) * x).sum(axis))
            if bool(torch.isfinite(m).all()) and bool(manifold.belongs(m).all()):
                return m
        n = x.shape[axis]
        tried = torch.linspace(0, n - 1, min(n, _CANDIDATES), device=x.device).long().unique()
        candidates = x.index_select(x.ndim + axis, tried)
        squares = manifold._squared_dist(candidates.unsqueeze(axis), x.unsqueeze(axis - 1))
        chosen = (weights.unsqueeze(-2) * squares).sum(-1).argmin(-1)
        index = manifold._scale(chosen.unsqueeze(-1), x).long().expand(*chosen.shape, 1, *manifold.shape)
        return candidates.gather(x.ndim + axis, index).squeeze(axis)


@dataclass(frozen=True)
class FactorwiseMean:
    """The mean on a product: the mean on each factor, by its own solver.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Euclidean, FactorwiseMean, Product, weighted_mean
    >>> space = Product(Euclidean(1), Euclidean(1))
    >>> weighted_mean(space, torch.tensor([[0.0, 1.0], [2.0, 3.0]]), method=FactorwiseMean()).point
    tensor([1., 2.])
    """

    differentiable: ClassVar[bool] = True

    def __call__(
        self, manifold: "Manifold", x: Tensor, weights: Tensor, tolerance: float, max_iter: int
    ) -> MeanSolution:
        """Return the means joined from those of the factors."""
        parts = zip(manifold._spaces(), manifold.split(x), strict=True)  # type: ignore[operator]
        found = [weighted_mean(space, part, weights, tolerance=tolerance, max_iter=max_iter) for space, part in parts]
        m = manifold.join(*(one.point for one in found))  # type: ignore[operator]
        return solution(manifold, m, x, weights, tolerance, max(one.n_iter for one in found))


@dataclass(frozen=True)
class ChartMean:
    """The mean under a pulled-back metric: the mean of the images under the metric they are pulled back from.

    Parameters
    ----------
    chart : Chart
        From the space to the other.
    base : Metric
        The metric there.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import SPD, ChartMean, LogEuclidean, weighted_mean
    >>> metric = LogEuclidean()
    >>> x = torch.stack([torch.eye(2), 4.0 * torch.eye(2)])
    >>> weighted_mean(SPD(2, metric), x, method=ChartMean(metric.chart, metric.base)).point
    tensor([[2., 0.],
            [0., 2.]])
    """

    chart: torch.nn.Module
    base: "Metric"
    differentiable: ClassVar[bool] = True

    def __call__(
        self, manifold: "Manifold", x: Tensor, weights: Tensor, tolerance: float, max_iter: int
    ) -> MeanSolution:
        """Return the means, mapped back."""
        from holonomy.manifolds.metric import MetricManifold

        images = MetricManifold(manifold.dim, manifold.shape, self.base)
        found = weighted_mean(images, self.chart(x), weights, tolerance=tolerance, max_iter=max_iter)
        m = self.chart.inverse(found.point)  # type: ignore[operator]
        return solution(manifold, m, x, weights, tolerance, found.n_iter)


_CANDIDATES = 8
"""Points tried as a start."""
