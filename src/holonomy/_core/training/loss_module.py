"""Module and loss as one module, so that precision and several processes apply to all that the loss computes."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from holonomy._core.training.batches import Batch
from holonomy._core.training.results import Step

Loss: TypeAlias = Callable[[Any, Batch, Step], Any]
"""``loss(module, batch, step)`` returns a scalar tensor, or a pair of it and a dict of further scalars."""


class Work:
    """A batch on its way to the loss; opaque, so that no wrapper converts, copies or moves what it holds."""

    __slots__ = ("batch", "step")

    def __init__(self, batch: Batch, step: Step) -> None:
        self.batch = batch
        self.step = step


class LossModule(nn.Module):
    """Calls ``loss(module, batch, step)``; a loss that is a module itself is trained and saved along.

    Its forward pass returns the loss to differentiate and leaves all scalars in ``scalars``.
    """

    def __init__(self, module: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.module = module
        self.loss = loss
        self.scalars: dict[str, Float64[Tensor, ""]] = {}

    def forward(self, work: Work) -> Float[Tensor, ""]:
        value, self.scalars = evaluate(self.loss, self.module, work)
        if torch.is_grad_enabled() and not value.requires_grad:
            raise ValueError(
                "loss does not depend on any parameter of the module, so there is no gradient to follow; "
                "check for .detach(), .item() or torch.no_grad() on the way."
            )
        return value


def evaluate(loss: Loss, module: nn.Module, work: Work) -> tuple[Float[Tensor, ""], dict[str, Float64[Tensor, ""]]]:
    """Return the loss, and all scalars in double precision by name, the loss first.

    Raises
    ------
    TypeError, ValueError
        If the loss returns anything but a scalar tensor, or a pair of it and a dict of scalars.
    """
    output = loss(module, work.batch, work.step)
    value, extras = output if isinstance(output, tuple) and len(output) == 2 else (output, {})
    if not isinstance(value, Tensor) or not isinstance(extras, Mapping):
        raise TypeError(
            "loss must return a scalar tensor, or a pair of it and a dict of scalars, "
            f"got {type(value).__name__}{'' if output is value else f' and {type(extras).__name__}'}."
        )
    if value.ndim or not value.is_floating_point():
        raise ValueError(
            f"loss must return a real scalar, got {value.dtype} of shape {tuple(value.shape)}; "
            "average it over the rows."
        )
    return value, {"loss": _scalar(value, "loss", value.device)} | {
        name: _scalar(extra, name, value.device) for name, extra in _checked_names(extras).items()
    }


def _checked_names(extras: Mapping[str, Any]) -> Mapping[str, Any]:
    reserved = {"epoch", "step", "loss", "gradient_norm", "learning_rate"} & set(extras)
    if reserved:
        raise ValueError(f"loss returns further scalars under reserved names: {', '.join(sorted(reserved))}.")
    return extras


def _scalar(value: Any, name: str, device: torch.device) -> Float64[Tensor, ""]:
    scalar = torch.as_tensor(value).detach()
    if scalar.numel() != 1:
        raise ValueError(f"loss returns {name!r} of shape {tuple(scalar.shape)}; further values must be scalars.")
    return scalar.reshape(()).to(device, torch.float64)
