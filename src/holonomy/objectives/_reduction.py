"""How losses of rows become one number."""

from torch import Tensor

from holonomy._core.validation import check_option

REDUCTIONS = ("mean", "sum", "none")


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """Return the mean or the sum of losses, or the losses.

    Raises
    ------
    ValueError
        If ``reduction`` is none of "mean", "sum" and "none".
    """
    check_option(reduction, "reduction", REDUCTIONS)
    return losses.mean() if reduction == "mean" else losses.sum() if reduction == "sum" else losses
