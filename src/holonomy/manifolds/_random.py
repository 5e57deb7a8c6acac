"""Random tensors from any ``random_state``."""

from collections.abc import Sequence

import torch
from torch import Tensor

from holonomy._core.random import RandomState, check_seed

TorchRandomState = RandomState | torch.Generator
"""What the ``random_state`` of a manifold's verbs accepts; a torch Generator is used, and advanced, as it is."""


def torch_generator(random_state: TorchRandomState, device: torch.device | str | None = None) -> torch.Generator:
    """Return a generator on the device: the one given, or a new one with the seed of ``random_state``."""
    if isinstance(random_state, torch.Generator):
        return random_state
    return torch.Generator(device or "cpu").manual_seed(check_seed(random_state))


def standard_normal(
    size: Sequence[int],
    random_state: TorchRandomState,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """Return independent standard normal numbers; generators made here live on the device of the numbers."""
    generator = torch_generator(random_state, device)
    return torch.randn(tuple(size), generator=generator, dtype=dtype, device=device)


def uniform(
    size: Sequence[int],
    random_state: TorchRandomState,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """Return independent numbers, uniform in [0, 1)."""
    generator = torch_generator(random_state, device)
    return torch.rand(tuple(size), generator=generator, dtype=dtype, device=device)
