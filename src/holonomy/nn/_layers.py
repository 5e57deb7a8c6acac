"""Layers that several modules are made of."""

import itertools
from collections.abc import Sequence

from torch import nn

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


def perceptron(widths: Sequence[int], *, last: bool = False) -> nn.Sequential:
    """Return linear layers with rectified units between them, and behind the last one where ``last``."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers if last else layers[:-1])
