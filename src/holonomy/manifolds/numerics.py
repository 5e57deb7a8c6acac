"""Every threshold of the room, by dtype: no verb holds one of its own."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Tolerances:
    """What rounding does to numbers of one dtype.

    Attributes
    ----------
    eps : float
        Distance from 1 to the next number.
    tiny : float
        Smallest normal number.
    belongs : float
        Largest violation, relative to the size of the coordinates, of a point or tangent vector taken as valid.
    interior : float
        How far inside a bounded chart or cone the outermost point that can be stored lies: rounding each coordinate
        cannot carry it across.
    iterate : float
        Relative step at which an iterative verb has converged.
    rank : float
        Singular value, relative to the largest, below which a direction counts as absent.
    mean : float
        Norm of a mean logarithm, relative to the root mean square distance, at which a mean has been found.
    gradient : float
        Length of a gradient at which a minimisation counts as converged.
    """

    eps: float
    tiny: float
    belongs: float
    interior: float
    iterate: float
    rank: float
    mean: float
    gradient: float


def _tolerances(dtype: torch.dtype, belongs: float, mean: float) -> Tolerances:
    info = torch.finfo(dtype)
    eps = float(info.eps)
    return Tolerances(eps, float(info.tiny), belongs, 0.75 * eps, 8.0 * eps, eps**0.75, mean, eps**0.4)


_BY_DTYPE = {
    torch.float64: _tolerances(torch.float64, 1e-9, 1e-10),
    torch.float32: _tolerances(torch.float32, 1e-4, 1e-5),
    torch.float16: _tolerances(torch.float16, 2e-2, 2e-2),
    torch.bfloat16: _tolerances(torch.bfloat16, 1e-1, 1e-1),
}


def tolerances(dtype: torch.dtype) -> Tolerances:
    """Return the thresholds for numbers of this dtype.

    Raises
    ------
    TypeError
        If the dtype is not a real floating-point type.
    """
    if dtype not in _BY_DTYPE:
        raise TypeError(f"Coordinates must be real floating-point numbers, got {dtype}.")
    return _BY_DTYPE[dtype]


def widen(x: Tensor) -> Tensor:
    """Return the tensor in float64, in which sums over coordinates are accumulated."""
    return x if x.dtype == torch.float64 else x.double()


def safe_sqrt(x: Tensor) -> Tensor:
    """Return the square root of numbers >= 0, with derivative 0 where they are 0."""
    positive = x > 0
    return torch.where(positive, torch.sqrt(torch.where(positive, x, 1.0)), 0.0)


def safe_divide(x: Tensor, y: Tensor) -> Tensor:
    """Return x / y, and 0 with derivatives 0 where y is 0."""
    nonzero = y != 0
    return torch.where(nonzero, x / torch.where(nonzero, y, 1.0), 0.0)


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return ``a @ b``, of small matrices without derivatives by NumPy: torch starts threads for them.

    Threads that wait for each other take longer than such a product, and many times as long on a busy machine.
    """
    if (
        a.numel() > _SMALL
        or b.numel() > _SMALL
        or a.device.type != "cpu"
        or (torch.is_grad_enabled() and (a.requires_grad or b.requires_grad))
        or torch.compiler.is_compiling()
        or torch._C._are_functorch_transforms_active()
    ):
        return a @ b
    return torch.from_numpy(np.matmul(a.detach().numpy(), b.detach().numpy()))


_SMALL = 1 << 15
"""Entries of a matrix up to which a product with a narrow one is small."""
