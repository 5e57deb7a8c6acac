"""Riemannian Adagrad."""

from collections.abc import Iterable
from typing import Any, Unpack

from torch import Tensor, nn

from holonomy._core.validation import check_float
from holonomy.optim._rows import Rows
from holonomy.optim.riemannian import MotionOptions, RiemannianOptimizer


class RiemannianAdagrad(RiemannianOptimizer):
    """Adagrad on products of manifolds: each factor's step is divided by the root of its summed squared gradients.

    On flat parameters it is ``torch.optim.Adagrad``.

    Parameters
    ----------
    params : Module or iterable
        What is optimised: see :class:`RiemannianOptimizer`.
    lr : float, default 1e-2
        Length of the first step, at least 0.
    lr_decay : float, default 0.0
        After t steps ``lr`` is divided by ``1 + lr_decay t``, on top of all else.
    weight_decay : float, default 0.0
        Pull towards the origin, at least 0.
    initial_accumulator_value : float, default 0.0
        What the sums start at, at least 0.
    eps : float, default 1e-10
        Added to the root, at least 0.
    **options
        Those all optimisers share, as keywords: see :class:`RiemannianOptimizer`.

    Raises
    ------
    TypeError
        As :class:`RiemannianOptimizer`.
    ValueError
        If a number is out of range.

    References
    ----------
    Becigneul & Ganea (2019), "Riemannian Adaptive Optimization Methods".

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import PoincareBall
    >>> from holonomy.optim import RiemannianAdagrad
    >>> ball, y = PoincareBall(2), torch.tensor([0.3, 0.4])
    >>> x = ball.origin().requires_grad_()
    >>> optimizer = RiemannianAdagrad([x], lr=0.5, manifold=ball)
    >>> for _ in range(200):
    ...     optimizer.zero_grad()
    ...     ball.squared_dist(x, y).backward()
    ...     optimizer.step()
    >>> x.detach().round(decimals=3)
    tensor([0.3000, 0.4000])
    """

    _references = ("becigneul2019riemannian", "duchi2011adaptive")
    _moments = ("sum",)

    def __init__(
        self,
        params: nn.Module | Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        **options: Unpack[MotionOptions],
    ) -> None:
        own = {"lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps}
        own["initial_accumulator_value"] = initial_accumulator_value
        super().__init__(params, own, **options)

    def _check_group(self, group: dict[str, Any]) -> None:
        super()._check_group(group)
        for name in ("lr_decay", "initial_accumulator_value", "eps"):
            check_float(group[name], name, minimum=0.0)

    def _initial_moment(self, group: dict[str, Any]) -> float:
        return group["initial_accumulator_value"]

    def _advance(self, group: dict[str, Any], rows: Rows, g: Tensor) -> tuple[Tensor, float | Tensor, Tensor | None]:
        total = rows.state["sum"]
        rows.accumulate_(total, g, 1.0, 1.0)
        size = group["lr"] / (1 + (rows.step - 1) * group["lr_decay"])
        return g, rows.column(size, total), total.sqrt().add_(group["eps"])
