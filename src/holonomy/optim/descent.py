"""Gradient descent and conjugate gradients."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from holonomy._core.validation import check_float, check_option
from holonomy.manifolds.numerics import tolerances
from holonomy.optim._problem import Evaluation, Problem
from holonomy.optim.line_search import Armijo, LineSearch, StrongWolfe


@dataclass(frozen=True)
class GradientDescent:
    """Steps along the negative gradient.

    The first length to try is what would be right if the function fell as much as in the last step.

    Parameters
    ----------
    line_search : LineSearch, default ``Armijo()``
        How far to go.

    References
    ----------
    Boumal (2023), "An Introduction to Optimization on Smooth Manifolds", section 4.3.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.optim import GradientDescent, minimize
    >>> minimize(lambda x: x[0], Sphere(1), torch.tensor([0.6, 0.8]), GradientDescent()).success
    True
    """

    _references = ("boumal2023introduction",)
    line_search: LineSearch = field(default_factory=Armijo)

    def steps(self, problem: Problem, start: Evaluation) -> Iterator[Evaluation]:
        """Yield the function after every step, until none makes it fall."""
        at, last = start, None
        while at.norm > 0.0:
            slope = -at.norm * at.norm
            found = self.line_search(problem, at, -at.grad, slope, first_step(at, slope, at.norm, last))
            if found is None:
                return
            last, at = (found[0], at.fun), found[1]
            yield at


BETAS = ("dai_yuan", "fletcher_reeves", "hager_zhang", "hestenes_stiefel", "hybrid", "polak_ribiere")
"""Rules for the share of the last direction."""


@dataclass(frozen=True)
class ConjugateGradient:
    """Nonlinear conjugate gradients: the negative gradient plus a share of the last direction, transported.

    A transported direction that became longer is shortened to its length. The direction starts anew at the gradient
    where it would not descend, and where successive gradients are far from orthogonal.

    Parameters
    ----------
    beta : str, default "hybrid"
        Rule for the share: "fletcher_reeves", "polak_ribiere" and "hestenes_stiefel" (both never negative),
        "dai_yuan", "hager_zhang", or "hybrid", the smaller of Hestenes-Stiefel and Dai-Yuan, never negative.
    restart : float, default 0.5
        Cosine between successive gradients, in [0, 1], from which the direction starts anew; 1 never does.
    line_search : LineSearch, default ``StrongWolfe(curvature=0.2)``
        How far to go.

    Raises
    ------
    ValueError
        If ``beta`` is unknown or ``restart`` out of range.

    References
    ----------
    Sato (2022), "Riemannian conjugate gradient methods: general framework and specific algorithms with convergence
    analyses".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.optim import ConjugateGradient, minimize
    >>> x0 = torch.tensor([0.6, 0.8])
    >>> minimize(lambda x: x[0], Sphere(1), x0, ConjugateGradient("hager_zhang")).success
    True
    """

    _references = ("sato2022riemannian", "hager2005new")
    beta: str = "hybrid"
    restart: float = 0.5
    line_search: LineSearch = field(default_factory=lambda: StrongWolfe(curvature=0.2))

    def __post_init__(self) -> None:
        check_option(self.beta, "beta", BETAS)
        check_float(self.restart, "restart", minimum=0.0, maximum=1.0)

    def steps(self, problem: Problem, start: Evaluation) -> Iterator[Evaluation]:
        """Yield the function after every step, until none makes it fall."""
        at, last, direction = start, None, -start.grad
        while at.norm > 0.0:
            slope = problem.inner(at.x, at.grad, direction)
            steepest = -at.norm * at.norm
            if not slope < 0.0:
                direction, slope = -at.grad, steepest
            first = first_step(at, slope, problem.norm(at.x, direction), last)
            found = self.line_search(problem, at, direction, slope, first)
            if found is None:
                if slope == steepest:
                    return
                direction = -at.grad
                continue
            t, there = found
            direction = self._turn(problem, at, there, direction, slope)
            last, at = (t, at.fun), there
            yield at

    def _turn(self, problem: Problem, at: Evaluation, there: Evaluation, direction: Tensor, slope: float) -> Tensor:
        """Return the next direction."""
        old_grad, moved = problem.transport(at.x, there.x, torch.stack([at.grad, direction]))
        length, longer = problem.norm(at.x, direction), problem.norm(there.x, moved)
        if longer > length:
            moved = moved * (length / longer)
        overlap = problem.inner(there.x, there.grad, old_grad)
        if self.restart < 1.0 and abs(overlap) >= self.restart * there.norm * at.norm:
            return -there.grad
        y = there.grad - old_grad
        along = problem.inner(there.x, there.grad, moved)
        beta = self._share(problem, at, there, y, along, along - slope, length)
        return beta * moved - there.grad

    def _share(
        self, problem: Problem, at: Evaluation, there: Evaluation, y: Tensor, along: float, rise: float, length: float
    ) -> float:
        """Return the share; ``rise`` is by how much the slope rose along the step."""
        squared, fresh = there.norm * there.norm, problem.inner(there.x, there.grad, y)
        if self.beta == "fletcher_reeves":
            return squared / (at.norm * at.norm)
        if self.beta == "polak_ribiere":
            return max(0.0, fresh / (at.norm * at.norm))
        if rise <= 0.0:
            return 0.0
        if self.beta == "dai_yuan":
            return squared / rise
        if self.beta == "hestenes_stiefel":
            return max(0.0, fresh / rise)
        if self.beta == "hybrid":
            return max(0.0, min(fresh, squared) / rise)
        share = (fresh - 2.0 * problem.inner(there.x, y, y) * along / rise) / rise
        return max(share, -1.0 / (length * min(0.01, at.norm)))


def first_step(at: Evaluation, slope: float, length: float, last: tuple[float, float] | None) -> float:
    """Return the step to try first: one after which the function would fall as much as in the last.

    ``last`` holds that step and the function before it; where the fall is not told from rounding, the step is tried
    again, and in the beginning one of length one.
    """
    unit = 1.0 / length
    if last is None:
        return unit
    step, before = last
    if before - at.fun <= 1e3 * tolerances(at.x.dtype).eps * abs(at.fun):
        return step
    return min(2.02 * (at.fun - before) / slope, 10.0 * unit)
