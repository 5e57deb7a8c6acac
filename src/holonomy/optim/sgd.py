"""Riemannian stochastic gradient descent with momentum."""

from collections.abc import Iterable
from typing import Any, Unpack

import torch
from torch import Tensor, nn

from holonomy._core.validation import check_float
from holonomy.optim._rows import Rows
from holonomy.optim.riemannian import MotionOptions, RiemannianOptimizer


class RiemannianSGD(RiemannianOptimizer):
    """Stochastic gradient descent: ``x <- exp_x(-lr g)``, with momentum that is transported along.

    On flat parameters it is ``torch.optim.SGD``. The momentum starts as the first Riemannian gradient.

    Parameters
    ----------
    params : Module or iterable
        What is optimised: see :class:`RiemannianOptimizer`.
    lr : float, default 1e-3
        Length of a step over that of the gradient, at least 0.
    momentum : float, default 0.0
        Which part of the past steps is added to each, at least 0.
    dampening : float, default 0.0
        By how much less than 1 a new gradient counts in the momentum.
    weight_decay : float, default 0.0
        Pull towards the origin, at least 0.
    nesterov : bool, default False
        Step along ``g + momentum * buffer`` instead of the buffer; needs momentum, without dampening.
    **options
        Those all optimisers share, as keywords: see :class:`RiemannianOptimizer`.

    Raises
    ------
    TypeError
        As :class:`RiemannianOptimizer`.
    ValueError
        If a number is out of range, or ``nesterov`` comes without momentum or with dampening.

    References
    ----------
    Bonnabel (2013), "Stochastic Gradient Descent on Riemannian Manifolds".

    Examples
    --------
    The leading eigenvector of a matrix, on the sphere:

    >>> import torch
    >>> from holonomy.manifolds import Sphere
    >>> from holonomy.optim import RiemannianSGD
    >>> A = torch.diag(torch.tensor([1.0, 2.0, 4.0]))
    >>> x = Sphere(2).random_uniform(random_state=0).requires_grad_()
    >>> optimizer = RiemannianSGD([x], lr=0.1, momentum=0.5, manifold=Sphere(2))
    >>> for _ in range(100):
    ...     optimizer.zero_grad()
    ...     (-x @ A @ x).backward()
    ...     optimizer.step()
    >>> x.detach().abs().round(decimals=3)
    tensor([0., 0., 1.])
    """

    _references = ("bonnabel2013stochastic",)

    def __init__(
        self,
        params: nn.Module | Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        *,
        nesterov: bool = False,
        **options: Unpack[MotionOptions],
    ) -> None:
        own = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        own["nesterov"] = nesterov
        super().__init__(params, own, **options)

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        check_float(group["momentum"], "momentum", minimum=0.0)
        check_float(group["dampening"], "dampening")
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError("nesterov must come with momentum > 0 and dampening = 0.")

    def _state_names(self, group: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return ("momentum_buffer",) if group["momentum"] != 0 else (), ()

    def _advance(self, group: dict[str, Any], rows: Rows, g: Tensor) -> tuple[Tensor, float | Tensor, Tensor | None]:
        momentum, lr = group["momentum"], group["lr"]
        if momentum == 0:
            return g, lr, None
        buffer = rows.state["momentum_buffer"]
        if isinstance(rows.step, Tensor):
            weight = torch.where(rows.step == 1, 1.0, 1.0 - group["dampening"])
            buffer.mul_(momentum).add_(g * rows.column(weight, g))
        elif rows.fresh:
            buffer.copy_(g)
        else:
            buffer.mul_(momentum).add_(g, alpha=1 - group["dampening"])
        return (g.add(buffer, alpha=momentum) if group["nesterov"] else buffer), lr, None
