"""Applying a trained module to many rows."""

from collections.abc import Callable

import torch
from torch import Tensor


def apply_in_blocks(function: Callable[[Tensor], Tensor], rows: Tensor, *, size: int, device: torch.device) -> Tensor:
    """Return a function of rows, computed block by block without gradients, on the CPU.

    The last block is filled up with zeros, so that all are computed by the same kernels, and a row depends on its
    company at most by rounding.

    Parameters
    ----------
    function : callable
        From ``size`` rows to as many rows; a module should be in evaluation mode.
    rows : Tensor of shape (n, ...)
        At least one row.
    size : int
        Rows in a block.
    device : torch.device
        Where the function computes.

    Returns
    -------
    Tensor of shape (n, ...)

    Examples
    --------
    >>> import torch
    >>> from holonomy._core.training.application import apply_in_blocks
    >>> apply_in_blocks(torch.abs, -torch.ones(5, 1), size=2, device=torch.device("cpu")).shape
    torch.Size([5, 1])
    """
    parts = []
    with torch.no_grad():
        for first in range(0, len(rows), size):
            block = rows[first : first + size]
            padded = torch.zeros((size, *rows.shape[1:]), dtype=rows.dtype)
            padded[: len(block)] = block
            parts.append(function(padded.to(device))[: len(block)].cpu())
    return torch.cat(parts)
