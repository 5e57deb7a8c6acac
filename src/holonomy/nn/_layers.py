"""Layers that several modules are made of."""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from holonomy._core.validation import check_int


def check_widths(widths: Sequence[int], name: str) -> list[int]:
    """Return the widths of layers as a list of ints.

    Raises
    ------
    TypeError
        If it is no sequence of integers.
    ValueError
        If it is empty, or one is below 1.
    """
    if not isinstance(widths, Sequence) or isinstance(widths, str):
        raise TypeError(f"{name} must be a sequence of integers, got {widths!r}.")
    if not widths:
        raise ValueError(f"{name} must hold at least one width, got {widths!r}.")
    return [check_int(width, f"{name}[{i}]", minimum=1) for i, width in enumerate(widths)]


def perceptron(widths: Sequence[int]) -> nn.Sequential:
    """Return linear layers with rectified units between them."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class BatchNormalized(nn.BatchNorm1d):
    """Batch normalisation over all axes but the last; a batch of one row is normalised by what was seen before."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise features (..., c)."""
        flat = x.flatten(0, -2)
        if len(flat) > 1 or not self.training:
            return super().forward(flat).reshape(x.shape)
        return functional.batch_norm(
            flat, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self.eps
        ).reshape(x.shape)
