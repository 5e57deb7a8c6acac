"""How far to go along a direction."""

import math
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from holonomy._core.validation import check_float, check_int
from holonomy.manifolds.numerics import tolerances
from holonomy.optim._problem import Evaluation, Problem


class LineSearch(Protocol):
    """Finds a step along a direction in which the function falls."""

    def __call__(
        self, problem: Problem, at: Evaluation, direction: Tensor, slope: float, first: float
    ) -> tuple[float, Evaluation] | None:
        """Return the step and the function where it ends, or None if no step was found that makes it fall."""
        ...


@dataclass(frozen=True)
class Armijo:
    """Backtracking: shorten the first step until the function falls by a share of what its slope promises.

    Parameters
    ----------
    decrease : float, default 1e-4
        The share, in (0, 0.5).
    shrink : float, default 0.5
        Factor on the step at each attempt, in (0, 1).
    max_steps : int, default 40
        Most attempts.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from holonomy.optim import Armijo, GradientDescent
    >>> GradientDescent(line_search=Armijo(shrink=0.3)).line_search.shrink
    0.3
    """

    decrease: float = 1e-4
    shrink: float = 0.5
    max_steps: int = 40

    def __post_init__(self) -> None:
        _check_open(self.decrease, "decrease", 0.5)
        _check_open(self.shrink, "shrink", 1.0)
        check_int(self.max_steps, "max_steps", minimum=1)

    def __call__(
        self, problem: Problem, at: Evaluation, direction: Tensor, slope: float, first: float
    ) -> tuple[float, Evaluation] | None:
        """Return the step and the function where it ends, or None."""
        t = first
        for _ in range(self.max_steps):
            y = problem.retract(at.x, t * direction)
            value = problem.value(y)
            if value <= at.fun + self.decrease * t * slope:
                there = problem.evaluate(y)
                if there.finite:
                    return t, there
            elif _drowns(at, value):
                there, end = problem.along(at.x, t, direction)
                if there.finite and _enough(at, slope, _Trial(t, there.fun, end), self.decrease):
                    return t, there
            t *= self.shrink
        return None


@dataclass(frozen=True)
class StrongWolfe:
    """A step after which the function has fallen enough and its slope is nearly flat.

    The step is kept between one at which the function has fallen and falls still and one that is too long, and found by
    cubic interpolation of values and slopes, which are exact derivatives along the curve. Where differences of values
    drown in rounding, slopes decide about the decrease too, so that gradients can be brought down to rounding.

    Parameters
    ----------
    decrease : float, default 1e-4
        Least decrease, as a share of what the slope promises, in (0, 0.5).
    curvature : float, default 0.9
        Largest slope at the end, as a share of that at the start, between ``decrease`` and 1. Small values make exact
        searches: 0.2 suits conjugate gradients, 0.9 quasi-Newton steps.
    max_steps : int, default 30
        Most attempts.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    Hager & Zhang (2005), "A new conjugate gradient method with guaranteed descent and an efficient line search".

    Examples
    --------
    >>> from holonomy.optim import LBFGS, StrongWolfe
    >>> LBFGS(line_search=StrongWolfe(curvature=0.5)).line_search.curvature
    0.5
    """

    decrease: float = 1e-4
    curvature: float = 0.9
    max_steps: int = 30

    def __post_init__(self) -> None:
        _check_open(self.decrease, "decrease", 0.5)
        _check_open(self.curvature, "curvature", 1.0)
        if self.curvature <= self.decrease:
            raise ValueError(f"curvature must exceed decrease, got {self.curvature} and {self.decrease}.")
        check_int(self.max_steps, "max_steps", minimum=1)

    def __call__(
        self, problem: Problem, at: Evaluation, direction: Tensor, slope: float, first: float
    ) -> tuple[float, Evaluation] | None:
        """Return the step and the function where it ends, or None."""
        low, high = _Trial(0.0, at.fun, slope), None
        best: tuple[float, Evaluation] | None = None
        t = first
        for _ in range(self.max_steps):
            there, end = problem.along(at.x, t, direction)
            trial = _Trial(t, there.fun, end)
            if not (there.finite and _enough(at, slope, trial, self.decrease)):
                high = trial
            elif abs(end) <= -self.curvature * slope:
                return t, there
            else:
                fallen = there.fun <= at.fun + self.decrease * t * slope
                if fallen and (best is None or there.fun < best[1].fun):
                    best = t, there
                low, high = (low, trial) if end > 0 else (trial, high)
            if high is not None and high.t - low.t <= tolerances(at.x.dtype).iterate * high.t:
                break
            t = 4.0 * t if high is None else _between(low, high)
        return best


@dataclass(frozen=True)
class _Trial:
    """A step, and value and slope at its end."""

    t: float
    value: float
    slope: float


def _enough(at: Evaluation, slope: float, trial: _Trial, decrease: float) -> bool:
    """Say whether a step decreases enough, by its value, or by its slope where values are equal up to rounding."""
    if trial.value <= at.fun + decrease * trial.t * slope:
        return True
    return _drowns(at, trial.value) and trial.slope <= (2.0 * decrease - 1.0) * slope


def _drowns(at: Evaluation, value: float) -> bool:
    """Say whether the difference to a value may be rounding."""
    return abs(value - at.fun) <= 10.0 * tolerances(at.x.dtype).eps * abs(at.fun)


def _between(low: _Trial, high: _Trial) -> float:
    """Return the minimum of the cubic through two ends, kept off the ends; the middle where there is none."""
    width = high.t - low.t
    middle = low.t + 0.5 * width
    if not (math.isfinite(high.value) and math.isfinite(high.slope)):
        return low.t + 0.2 * width
    bend = low.slope + high.slope - 3.0 * (high.value - low.value) / width
    root = bend * bend - low.slope * high.slope
    if root < 0.0:
        return middle
    bottom = high.slope - low.slope + 2.0 * math.sqrt(root)
    if bottom == 0.0:
        return middle
    t = high.t - width * (high.slope + math.sqrt(root) - bend) / bottom
    return min(max(t, low.t + 0.1 * width), high.t - 0.1 * width) if math.isfinite(t) else middle


def _check_open(value: float, name: str, end: float) -> None:
    if not 0.0 < check_float(value, name) < end:
        raise ValueError(f"{name} must lie between 0 and {end:g}, ends excluded, got {value}.")
