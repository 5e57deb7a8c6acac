"""Quasi-Newton steps from few remembered changes of the gradient."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from holonomy._core.validation import check_float, check_int
from holonomy.optim._problem import Evaluation, Problem
from holonomy.optim.line_search import LineSearch, StrongWolfe


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS: the inverse Hessian from the last steps and changes of the gradient, transported along.

    A pair is remembered only if the gradient rose enough along the step (the cautious update), which keeps the
    approximation positive definite where the function is not convex.

    Parameters
    ----------
    memory : int, default 10
        Remembered pairs, at least 1.
    caution : float, default 1e-4
        A pair is kept if ``<s, y> >= caution * |gradient| <s, s>``, for the step s and the change y.
    line_search : LineSearch, default ``StrongWolfe()``
        How far to go.

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    Huang, Gallivan & Absil (2015), "A Broyden class of quasi-Newton methods for Riemannian optimization".
    Nocedal & Wright (2006), "Numerical Optimization", algorithm 7.4.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.optim import LBFGS, minimize
    >>> minimize(lambda x: x[0], Sphere(1), torch.tensor([0.6, 0.8]), LBFGS(memory=5)).success
    True
    """

    _references = ("huang2015broyden",)
    memory: int = 10
    caution: float = 1e-4
    line_search: LineSearch = field(default_factory=StrongWolfe)

    def __post_init__(self) -> None:
        check_int(self.memory, "memory", minimum=1)
        check_float(self.caution, "caution", minimum=0.0)

    def steps(self, problem: Problem, start: Evaluation) -> Iterator[Evaluation]:
        """Yield the function after every step, until none makes it fall."""
        at, pairs = start, _Pairs()
        while at.norm > 0.0:
            direction = pairs.direction(problem, at)
            slope = problem.inner(at.x, at.grad, direction)
            if not slope < 0.0:
                pairs.clear()
                direction, slope = -at.grad, -at.norm * at.norm
            first = 1.0 if pairs else 1.0 / at.norm
            found = self.line_search(problem, at, direction, slope, first)
            if found is None:
                if not pairs:
                    return
                # The remembered pairs may be what is wrong.
                pairs.clear()
                continue
            t, there = found
            pairs.follow(problem, at, there, t * direction, self)
            at = there
            yield at


class _Pairs:
    """The remembered steps s and changes of the gradient y, all in the tangent space of the present point."""

    def __init__(self) -> None:
        self.s: Tensor | None = None
        self.y: Tensor | None = None
        self.products: list[float] = []

    def __bool__(self) -> bool:
        return bool(self.products)

    def clear(self) -> None:
        """Forget all."""
        self.s = self.y = None
        self.products = []

    def direction(self, problem: Problem, at: Evaluation) -> Tensor:
        """Return minus the approximate inverse Hessian times the gradient."""
        if self.s is None or self.y is None:
            return -at.grad
        q, weights = at.grad, []
        for s, y, sy in zip(reversed(self.s), reversed(self.y), reversed(self.products), strict=True):
            weight = problem.inner(at.x, s, q) / sy
            q = q - weight * y
            weights.append(weight)
        last = self.y[-1]
        r = (self.products[-1] / problem.inner(at.x, last, last)) * q
        for s, y, sy, weight in zip(self.s, self.y, self.products, reversed(weights), strict=True):
            r = r + (weight - problem.inner(at.x, y, r) / sy) * s
        return -r

    def follow(self, problem: Problem, at: Evaluation, there: Evaluation, step: Tensor, method: LBFGS) -> None:
        """Move the pairs along, and remember the new one if it may be."""
        old = [at.grad, step]
        if self.s is not None and self.y is not None:
            old += [*self.s, *self.y]
        moved = problem.transport(at.x, there.x, torch.stack(old))
        count = len(self.products)
        s, y = moved[2 : 2 + count], moved[2 + count :]
        new_s, new_y = moved[1], there.grad - moved[0]
        rise = problem.inner(there.x, new_s, new_y)
        products = self.products
        if rise > 0.0 and rise >= method.caution * there.norm * problem.inner(there.x, new_s, new_s):
            drop = 1 if count == method.memory else 0
            s, y = torch.cat([s[drop:], new_s[None]]), torch.cat([y[drop:], new_y[None]])
            products = [*products[drop:], rise]
        if products:
            self.s, self.y, self.products = s, y, products
