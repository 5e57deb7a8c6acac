"""The same parts from compiled kernels, for matrices on a CPU that are small enough."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from holonomy.manifolds import _relative_parts as plain
from holonomy.manifolds._divided_differences import Log
from holonomy.manifolds._fused import run_rows, served

SMALL_SIZE = 8
"""Largest size of the matrices whose distances come from compiled Jacobi rotations."""

LANE_SIZE = 48
"""Largest size of the matrices that are decomposed several at once."""


def small(A: Tensor, B: Tensor) -> bool:
    """Say whether the matrices are so small that compiled Jacobi rotations find their distances fastest."""
    return A.shape[-1] <= SMALL_SIZE and served(A, B)


def together(*tensors: Tensor) -> bool:
    """Say whether matrices are small enough to be worked on several at once."""
    return tensors[0].shape[-1] <= LANE_SIZE and served(*tensors)


def logarithm_parts(A: Tensor, B: Tensor, *, kept: bool, filled: bool) -> tuple[Tensor, ...]:
    """Return the logarithm as a matrix, nothing, eigenvectors, eigenvalues and their logarithms.

    The first is left out unless ``filled`` and the eigenvectors unless ``kept``: they are tensors without entries, as
    is what stands for the Cholesky factor of A.
    """
    from holonomy.manifolds import _relative_kernels

    shape, n = A.shape, A.shape[-1]
    count = math.prod(shape[:-2])
    results = [torch.empty((count if wanted else 0, n, n), dtype=torch.float64) for wanted in (filled, False, kept)]
    results += [torch.empty((count, n), dtype=torch.float64) for _ in range(2)]
    out, _, U, values, logarithms = results
    states = np.zeros(count, dtype=np.int64)
    arrays = [_matrices(one) for one in (A, B)] + [one.numpy() for one in (U, values, logarithms, out)]
    run_rows(_relative_kernels.logarithms, [plain.WIDE_SPECTRUM, kept, filled, *arrays, states], count, 4 * n**3)
    if states.any():
        pick: Any = slice(None) if (states == _relative_kernels.FAILED).any() else torch.from_numpy(states != 0)
        again = plain.function_parts(Log(), A.reshape(-1, n, n)[pick].double(), B.reshape(-1, n, n)[pick].double())
        for one, part in zip(results, again, strict=True):
            if len(one):
                one[pick] = part
    return tuple(one.reshape(*shape[:-2], *one.shape[1:]) if len(one) == count else one for one in results)


def logarithm_slopes(grad: Tensor, A: Tensor, U: Tensor, *numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients by A and B from the gradient by the logarithm, eigenvectors, eigenvalues and logarithms."""
    from holonomy.manifolds import _relative_kernels

    arrays = [*(_matrices(one) for one in (grad, A, U)), *(_vectors(one) for one in numbers)]
    return _filled(_relative_kernels.logarithm_slopes, arrays, U)


def distance_parts(alpha: float, beta: float, gradients: bool, A: Tensor, B: Tensor) -> tuple[Tensor, ...]:
    """Return squared distances, nothing, eigenvectors if there are to be gradients, eigenvalues and logarithms."""
    _, *parts = logarithm_parts(A, B, kept=gradients, filled=False)
    return plain.quadratic(parts[-1], alpha, beta).to(A.dtype), *parts


def distance_slopes(A: Tensor, U: Tensor, values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradients by A and B from those by the logarithms."""
    from holonomy.manifolds import _relative_kernels

    arrays = [*(_matrices(one) for one in (A, U)), _vectors(-weights), _vectors(weights / values)]
    return _filled(_relative_kernels.distance_slopes, arrays, U)


def _filled(kernel: Any, arrays: list[Any], like: Tensor) -> tuple[Tensor, Tensor]:
    """Run a kernel that fills two gradients shaped like ``like``."""
    grad_A, grad_B = torch.empty_like(like), torch.empty_like(like)
    n = like.shape[-1]
    run_rows(kernel, [*arrays, _matrices(grad_A), _matrices(grad_B)], math.prod(like.shape[:-2]), 4 * n**3)
    return grad_A, grad_B


def _matrices(x: Tensor) -> Any:
    """Return a tensor (..., n, n) as a contiguous array (m, n, n) of doubles, on the same memory where possible."""
    return x.detach().double().contiguous().reshape(-1, *x.shape[-2:]).numpy()


def _vectors(x: Tensor) -> Any:
    return x.detach().contiguous().reshape(-1, x.shape[-1]).numpy()


def small_distance_parts(alpha: float, beta: float, A: Tensor, B: Tensor) -> tuple[Tensor, ...]:
    from holonomy.manifolds import _jacobi_kernels

    shape, n = A.shape[:-2], A.shape[-1]
    count = math.prod(shape)
    squares = torch.empty(shape, dtype=A.dtype)
    L, U = (torch.empty(A.shape, dtype=torch.float64) for _ in range(2))
    values, logarithms = (torch.empty(A.shape[:-1], dtype=torch.float64) for _ in range(2))
    matrices = [one.detach().contiguous().numpy().reshape(count, n, n) for one in (A, B, L, U)]
    vectors = [one.numpy().reshape(count, n) for one in (values, logarithms)]
    failed = np.zeros(1, dtype=np.int64)
    filled = squares.numpy().reshape(count)
    run_rows(_jacobi_kernels.squared_dist, [alpha, beta, *matrices, *vectors, filled, failed], count, 4 * n**3)
    if failed[0]:
        return plain.distance_parts(alpha, beta, True, A, B)
    return squares, L, U, values, logarithms


def small_distance_slopes(ctx: Any, root: bool, grad: Tensor) -> tuple[Tensor, Tensor]:
    from holonomy.manifolds import _jacobi_kernels

    A, _, *parts = ctx.saved_tensors
    n = A.shape[-1]
    count = math.prod(A.shape[:-2])
    grad_A, grad_B = (torch.empty(A.shape, dtype=A.dtype) for _ in range(2))
    L, U, values, logarithms = (one.numpy() for one in parts)
    arrays = [*(one.reshape(count, n, n) for one in (L, U)), *(one.reshape(count, n) for one in (values, logarithms))]
    arrays += [grad.detach().contiguous().numpy().reshape(count)]
    arrays += [one.numpy().reshape(count, n, n) for one in (grad_A, grad_B)]
    run_rows(_jacobi_kernels.squared_dist_slopes, [ctx.alpha, ctx.beta, root, *arrays], count, 4 * n**3)
    return grad_A, grad_B
