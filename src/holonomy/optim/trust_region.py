"""Trust regions: steps that minimise a quadratic model within a radius in which it can be trusted."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from holonomy._core.validation import check_float, check_int
from holonomy.manifolds.numerics import tolerances
from holonomy.optim._problem import Evaluation, Problem
from holonomy.optim._problem import Product as HessianProduct


@dataclass(frozen=True)
class TrustRegion:
    """Riemannian trust regions: truncated conjugate gradients on the Hessian, then a check of what the model promised.

    Converges to second-order critical points, at a rate of order ``1 + theta`` near minima where the Hessian is
    positive definite.

    Parameters
    ----------
    radius : float, optional
        First radius; by default an eighth of the largest, or where that is infinite the length of the step that
        minimises the model along the gradient.
    max_radius : float, optional
        Largest radius; by default the larger of the injectivity radius and ``sqrt(dim)`` where the former is known and
        finite, else infinity.
    accept : float, default 0.1
        Least share of the promised decrease at which a step is taken, in [0, 0.25).
    kappa, theta : float, default 0.1 and 1.0
        The model is minimised until its gradient has fallen by the factor ``min(kappa, (|g| / |g_0|)^theta)``, for the
        gradient g and that of the first point.
    max_inner : int, optional
        Most Hessian products a step; by default the dimension of the space.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    Absil, Baker & Gallivan (2007), "Trust-Region Methods on Riemannian Manifolds".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.optim import TrustRegion, minimize
    >>> minimize(lambda x: x[0], Sphere(1), torch.tensor([0.6, 0.8]), TrustRegion(max_inner=3)).success
    True
    """

    _references = ("absil2007trust",)
    radius: float | None = None
    max_radius: float | None = None
    accept: float = 0.1
    kappa: float = 0.1
    theta: float = 1.0
    max_inner: int | None = None

    def __post_init__(self) -> None:
        for name in ("radius", "max_radius"):
            value = getattr(self, name)
            if value is not None and not check_float(value, name) > 0.0:
                raise ValueError(f"{name} must be positive, got {value}.")
        if not 0.0 <= check_float(self.accept, "accept") < 0.25:
            raise ValueError(f"accept must lie in [0, 0.25), got {self.accept}.")
        if not 0.0 < check_float(self.kappa, "kappa") < 1.0:
            raise ValueError(f"kappa must lie between 0 and 1, ends excluded, got {self.kappa}.")
        check_float(self.theta, "theta", minimum=0.0)
        if self.max_inner is not None:
            check_int(self.max_inner, "max_inner", minimum=1)

    def steps(self, problem: Problem, start: Evaluation) -> Iterator[Evaluation]:
        """Yield the function after every step, taken or not, until the radius vanishes."""
        at, product = start, problem.hessian(start)
        largest = _largest(problem) if self.max_radius is None else self.max_radius
        radius = min(self.radius or self._first(problem, start, product, largest), largest)
        inner = max(problem.manifold.dim, 1) if self.max_inner is None else self.max_inner
        while at.norm > 0.0:
            goal = at.norm * min(self.kappa, (at.norm / start.norm) ** self.theta)
            step, bend, at_edge = truncated_cg(problem, at, product, radius, goal, inner)
            there = problem.evaluate(problem.retract(at.x, step))
            promised = -(problem.inner(at.x, at.grad, step) + 0.5 * problem.inner(at.x, bend, step))
            share = _share(at, there, promised)
            if not share >= 0.25:
                radius = 0.25 * min(radius, problem.norm(at.x, step))
            elif share > 0.75 and at_edge:
                radius = min(2.0 * radius, largest)
            if share > self.accept:
                at = there
                product = problem.hessian(at)
            elif radius <= tolerances(at.x.dtype).eps * (1.0 + float(at.x.norm())):
                return
            yield at

    @staticmethod
    def _first(problem: Problem, at: Evaluation, product: HessianProduct, largest: float) -> float:
        """Return the first radius."""
        if math.isfinite(largest):
            return largest / 8.0
        curvature = problem.inner(at.x, at.grad, product(at.grad)) if at.norm > 0.0 else 0.0
        return at.norm**3 / curvature if curvature > 0.0 else max(at.norm, 1.0)


def truncated_cg(
    problem: Problem, at: Evaluation, product: HessianProduct, radius: float, goal: float, max_inner: int
) -> tuple[Tensor, Tensor, bool]:
    """Return a step that lowers the model within the radius, the Hessian times it, and whether it ends at the edge.

    Conjugate gradients (Steihaug and Toint), which stop at the edge or where the model bends down, and follow the
    direction to the edge.
    """
    step, bend = torch.zeros_like(at.grad), torch.zeros_like(at.grad)
    residual, direction = at.grad, -at.grad
    squared, step_step, step_direction, direction_direction = at.norm**2, 0.0, 0.0, at.norm**2
    model = 0.0
    for _ in range(max_inner):
        image = product(direction)
        curvature = problem.inner(at.x, direction, image)
        length = squared / curvature if curvature > 0.0 else math.inf
        reached = step_step + length * (2.0 * step_direction + length * direction_direction)
        if curvature <= 0.0 or reached >= radius * radius:
            gap = max(radius * radius - step_step, 0.0)
            t = (-step_direction + math.sqrt(step_direction**2 + direction_direction * gap)) / direction_direction
            return step + t * direction, bend + t * image, True
        new_step, new_bend = step + length * direction, bend + length * image
        new_model = problem.inner(at.x, at.grad, new_step) + 0.5 * problem.inner(at.x, new_bend, new_step)
        if new_model >= model:
            # Rounding: the model falls no further.
            break
        step, bend, step_step, model = new_step, new_bend, reached, new_model
        residual = problem.manifold.project_tangent(at.x, residual + length * image)
        new_squared = problem.inner(at.x, residual, residual)
        if math.sqrt(new_squared) <= goal:
            break
        share = new_squared / squared
        step_direction = share * (step_direction + length * direction_direction)
        direction_direction = new_squared + share * share * direction_direction
        direction = share * direction - residual
        squared = new_squared
    return step, bend, False


def _share(at: Evaluation, there: Evaluation, promised: float) -> float:
    """Return which share of the promised decrease came true; both count as equal where they drown in rounding."""
    if not there.finite:
        return -math.inf
    rounding = 1e3 * tolerances(at.x.dtype).eps * max(1.0, abs(at.fun))
    return (at.fun - there.fun + rounding) / (promised + rounding)


def _largest(problem: Problem) -> float:
    """Return the largest radius: finite where geodesics come back."""
    known = "injectivity_radius" not in problem.manifold.derived
    injectivity = problem.manifold.injectivity_radius if known else 0.0
    if injectivity == 0.0 or math.isinf(injectivity):
        return math.inf
    return max(injectivity, math.sqrt(problem.manifold.dim))
