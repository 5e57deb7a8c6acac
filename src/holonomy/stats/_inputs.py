"""Points in: arrays or tensors; results out: of the kind that came in."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from holonomy.manifolds.base import Manifold

ArrayLike: TypeAlias = Any
"""A NumPy array, a tensor, or nested lists."""


def take_points(
    manifold: Manifold, X: ArrayLike, *, name: str = "X", check: bool = True, min_samples: int = 1
) -> Tensor:
    """Return points (..., n, *shape) as a floating-point tensor, never written to.

    Raises
    ------
    TypeError
        If ``manifold`` is none, or the values are not real numbers.
    ValueError
        If the trailing shape is wrong, there are fewer than ``min_samples`` points, or, with ``check``, a value is not
        finite or a point lies off the manifold.
    """
    if not isinstance(manifold, Manifold):
        raise TypeError(f"manifold must be a Manifold, got {type(manifold).__name__}.")
    x = as_tensor(X, name)
    rank = len(manifold.shape)
    if x.ndim < rank + 1 or tuple(x.shape[x.ndim - rank :]) != manifold.shape:
        axes = ", ".join(map(str, manifold.shape))
        raise ValueError(f"{name} must have shape (..., n, {axes}) for {manifold}, got {tuple(x.shape)}.")
    if x.shape[x.ndim - rank - 1] < min_samples:
        raise ValueError(f"{name} must hold at least {min_samples} points, got {x.shape[x.ndim - rank - 1]}.")
    if check:
        manifold.check_point(x, name)
    return x


def take_weights(weights: ArrayLike | None, x: Tensor, rank: int) -> Tensor:
    """Return weights (..., n) for points x (..., n, *shape), or equal ones.

    Raises
    ------
    ValueError
        If their number is wrong, one is negative or not finite, or all are 0.
    """
    n = x.shape[x.ndim - rank - 1]
    if weights is None:
        return x.new_ones(n)
    w = as_tensor(weights, "weights").to(x)
    if w.ndim == 0 or w.shape[-1] != n:
        raise ValueError(f"weights must have shape (..., {n}), one for each point, got {tuple(w.shape)}.")
    if not bool(torch.isfinite(w).all()) or bool((w < 0).any()) or not bool((w.sum(-1) > 0).all()):
        raise ValueError("weights must be finite, not negative, and not all 0.")
    return w


def as_tensor(X: ArrayLike, name: str) -> Tensor:
    """Return numbers as a floating-point tensor; integers and lists become float64.

    Raises
    ------
    TypeError
        If they are not real numbers.
    """
    if isinstance(X, Tensor):
        if not X.is_floating_point():
            raise TypeError(f"{name} must be a floating-point tensor, got a tensor of {X.dtype}.")
        return X
    array = np.asarray(X)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got {array.dtype}.")
    return torch.from_numpy(np.array(array, dtype=np.float32 if array.dtype == np.float32 else np.float64))


def restorer(X: ArrayLike) -> Callable[[Tensor], Any]:
    """Return what turns tensors into the kind of X: tensors stay, anything else becomes NumPy."""
    if isinstance(X, Tensor):
        return lambda tensor: tensor
    return lambda tensor: tensor.detach().cpu().numpy()
