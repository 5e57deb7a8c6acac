"""What a minimisation found."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from holonomy._core.render import html_table, rich_table

_MESSAGES = {
    "converged": "The gradient has length {grad_norm:.3g}, at most gtol = {gtol:.3g}.",
    "max_iter": "Stopped after {nit} steps, max_iter, with a gradient of length {grad_norm:.3g} > gtol = {gtol:.3g}.",
    "stalled": "No step makes the function fall any more, in the precision of x; the gradient has length "
    "{grad_norm:.3g} > gtol = {gtol:.3g}.",
    "stopped": "The callback stopped the search.",
    "running": "The search goes on.",
}


@dataclass(frozen=True)
class MinimizeResult:
    """The result of :func:`minimize`.

    Attributes
    ----------
    x : Tensor or ndarray
        The point found.
    fun : float
        The function there.
    grad_norm : float
        Length of the Riemannian gradient there.
    status : str
        "converged"; "max_iter", too few steps; "stalled", where no step makes the function fall, because of rounding
        or wrong derivatives; "stopped", by the callback; "running", when the callback is shown it.
    gtol : float
        Length of the gradient that was asked for.
    nit, nfev, njev, nhev : int
        Steps, and evaluations of the function, its gradient and Hessian products.
    hessian_used : str
        Where Hessian products came from: "none", "automatic differentiation", "hessp" or "finite differences".
    method : object
        The method and its options.
    fun_history, grad_norm_history : ndarray of shape (nit + 1,)
        The function and the length of its gradient at the start and after every step.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.manifolds import Euclidean
    >>> from holonomy.optim import minimize
    >>> found = minimize(lambda x: ((x - 1) ** 2).sum(), Euclidean(2), np.zeros(2))
    >>> found.x, found.message
    (array([1., 1.]), 'The gradient has length 0, at most gtol = 5.48e-07.')
    """

    x: Any
    fun: float
    grad_norm: float
    status: str
    gtol: float
    nit: int
    nfev: int
    njev: int
    nhev: int
    hessian_used: str
    method: Any
    fun_history: np.ndarray = field(repr=False)
    grad_norm_history: np.ndarray = field(repr=False)

    @property
    def success(self) -> bool:
        """Whether the gradient is as short as was asked for."""
        return self.status == "converged"

    @property
    def message(self) -> str:
        """Why the search ended, in a sentence."""
        return _MESSAGES[self.status].format(**vars(self))

    def _facts(self) -> dict[str, str]:
        facts = {
            "function": f"{self.fun:.10g}",
            "length of gradient": f"{self.grad_norm:.3g}",
            "steps": f"{self.nit:,}",
            "evaluations": f"{self.nfev:,} of the function, {self.njev:,} of its gradient",
            "method": repr(self.method),
            "ended": self.message,
        }
        if self.hessian_used != "none":
            facts["Hessian"] = f"{self.nhev:,} products, by {self.hessian_used}"
        return facts

    def _repr_html_(self) -> str:
        return html_table("Minimum" if self.success else "Not converged", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Minimum" if self.success else "Not converged", self._facts())
