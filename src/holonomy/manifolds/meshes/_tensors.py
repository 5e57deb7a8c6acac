"""Between tensors of points and the double-precision rows that meshes compute with."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from holonomy._core.validation import check_points


def rows_of(x: Tensor) -> np.ndarray:
    """Return points (..., 3) as contiguous rows (k, 3) in double precision."""
    return np.ascontiguousarray(x.detach().cpu().double().reshape(-1, 3).numpy())


def checked_rows(points: Any) -> np.ndarray:
    """Return points as rows (k, 3) in double precision, or raise naming what is wrong."""
    rows = check_points(points, name="points", dtype=np.float64)
    if rows.shape[1] != 3:
        raise ValueError(f"points must have shape (k, 3), got {rows.shape}.")
    return np.ascontiguousarray(rows)


def like(rows: np.ndarray, x: Tensor) -> Tensor:
    """Return rows with the shape, dtype and device of x."""
    return torch.from_numpy(np.ascontiguousarray(rows)).reshape(x.shape).to(x.device, x.dtype)


def differentiable(*tensors: Tensor) -> bool:
    """Say whether a derivative is asked for."""
    return torch.is_grad_enabled() and any(t.requires_grad for t in tensors)


def with_slopes(rows: np.ndarray, x: Tensor, *slopes: tuple[np.ndarray, Tensor]) -> Tensor:
    """Return rows like x, with derivatives: one matrix (k, 3, 3) for each tensor that they depend on."""
    result = torch.from_numpy(rows).reshape(x.shape).to(x.device)
    for matrices, variable in slopes:
        change = variable.double() - variable.detach().double()
        matrix = torch.from_numpy(matrices).reshape(*x.shape, 3).to(x.device)
        result = result + (matrix @ change.unsqueeze(-1)).squeeze(-1)
    return result.to(x.dtype)


def hinges(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the smallest rotations (k, 3, 3) that take unit vectors (k, 3) to others: unfolding at an edge."""
    axis, cosine = np.cross(before, after), np.einsum("ki,ki->k", before, after)
    cross = np.zeros((len(axis), 3, 3))
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        cross[:, j, k], cross[:, k, j] = -axis[:, i], axis[:, i]
    # Opposite normals occur only where a surface folds onto itself; any half turn would do there.
    return np.eye(3) + cross + cross @ cross / np.maximum(1.0 + cosine, np.finfo(np.float64).eps)[:, None, None]


def point_along(path: np.ndarray, part: float) -> np.ndarray:
    """Return the point (3,) after a part, in [0, 1], of the length of a polygon (p, 3)."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    return np.stack([np.interp(part * lengths[-1], lengths, column) for column in path.T])
