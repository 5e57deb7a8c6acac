"""An exponential moving average of the weights of a module."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def exponential_average(module: nn.Module, decay: float) -> AveragedModel:
    r"""Return a copy of ``module`` that averages its weights, to be advanced with ``update_parameters(module)``.

    After t updates the average is the bias-corrected one,

    .. math:: \bar\theta_t = \frac{1 - \beta}{1 - \beta^t} \sum_{i=1}^{t} \beta^{t-i} \theta_i ,

    so the weights that the module was initialised with never enter it and no warm-up has to be chosen. Buffers are
    copied, not averaged. The average is taken entry by entry: weights that live on a curved manifold have to be
    projected by the module itself.

    Parameters
    ----------
    module : nn.Module
        What to average; it is copied, and never written to.
    decay : float
        Beta, in [0, 1): about 1 / (1 - beta) of the latest steps count.

    Returns
    -------
    AveragedModel
        The averaged module is its attribute ``module``, in evaluation mode.
    """

    def average(averages: Sequence[Tensor], weights: Sequence[Tensor], n_averaged: Tensor | int) -> None:
        # With the weight of the newest term of the closed form, the recursion equals it at every t.
        newest = (1 - decay) / (1 - decay ** (int(n_averaged) + 1))
        torch._foreach_lerp_(list(averages), list(weights), newest)

    averaged = AveragedModel(module, multi_avg_fn=average)
    return averaged.requires_grad_(False).eval()
