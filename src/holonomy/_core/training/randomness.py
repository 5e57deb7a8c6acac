"""What makes a run repeatable: torch's random streams, keyed by a seed and a name, and its number of threads.

Every step seeds the generators it uses from (seed, name, step). What a step draws depends on nothing that happened
before it, which makes a resumed run draw the same numbers without their state in the checkpoint.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from holonomy._core.random import derive_seed


@contextmanager
def forked_generators(device: torch.device) -> Iterator[None]:
    """Give torch's default generators (CPU and ``device``) back as they were when the block ends."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices, device_type="cuda"):
        yield


def seed_default_generators(device: torch.device, seed: int, *stream: str | int) -> None:
    """Seed what dropout and other layers draw from; to be used inside `forked_generators` only."""
    derived = derive_seed(seed, *stream)
    torch.default_generator.manual_seed(derived)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(derived)


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Compute on ``count`` CPU threads inside the block; None leaves torch at its setting."""
    before = torch.get_num_threads()
    torch.set_num_threads(before if count is None else count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
