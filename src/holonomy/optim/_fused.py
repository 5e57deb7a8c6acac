"""Where one pass over the rows does the work of several verbs: spaces of constant curvature, on a CPU."""

import math
from typing import Any

import torch
from torch import Tensor

from holonomy.manifolds import Chordal, Exponential, Hyperboloid, Manifold, PoincareBall, Sphere
from holonomy.manifolds._fused import run_rows
from holonomy.manifolds.numerics import tolerances

_KINDS = {Sphere: "sphere", Hyperboloid: "hyperboloid", PoincareBall: "ball"}
_MOVES = {Exponential: "steps", Chordal: "chords"}
_DTYPES = (torch.float32, torch.float64)
_FEWEST = 256
"""Fewest entries that are worth a kernel."""


def fused_gradient(manifold: Manifold, x: Tensor, derivatives: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return Riemannian gradients and squared lengths (...), or None where no kernel serves."""
    kind = _kind(manifold, x, derivatives)
    if kind is None:
        return None
    from holonomy.optim import _fused_kernels

    g, squares = torch.empty_like(x), torch.empty(x.shape[:-1], dtype=x.dtype)
    arguments = [_matrix(x), _matrix(derivatives), manifold.curvature, _matrix(g), squares.numpy().reshape(-1)]
    run_rows(getattr(_fused_kernels, f"{kind}_gradients"), arguments, squares.numel(), x.shape[-1])
    return g, squares


def fused_move(
    manifold: Manifold, x: Tensor, u: Tensor, scale: float | Tensor, vectors: list[Tensor], step: str = "exp"
) -> bool:
    """Move x along ``scale * u`` and at most one vector with it, in place, if a kernel serves; say whether it did.

    Parameters
    ----------
    step : {"exp", "retract"}, default "exp"
        Along geodesics, or by the retraction of the space.
    scale : float or Tensor
        One number, or one for each point (...).
    """
    kind = _kind(manifold, x, u, *vectors) if len(vectors) <= 1 else None
    move = _MOVES.get(Exponential if step == "exp" else type(manifold.default_retraction))
    if kind is None or move is None:
        return False
    from holonomy.optim import _fused_kernels

    rows = math.prod(x.shape[:-1])
    factors = torch.as_tensor(scale, dtype=torch.float64).expand(x.shape[:-1]).reshape(-1).contiguous()
    carried = _matrix(vectors[0]) if vectors else _matrix(u)
    # In double precision the rounding of sums, too, must not carry a point across.
    sums = x.shape[-1] if x.dtype == torch.float64 else 0
    edge = 1.0 - tolerances(x.dtype).interior * (1 + sums)
    arguments = [_matrix(x), _matrix(u), carried, manifold.curvature, factors.numpy(), bool(vectors), edge]
    run_rows(getattr(_fused_kernels, f"{kind}_{move}"), arguments, rows, x.shape[-1])
    torch.autograd.graph.increment_version([x, *vectors])
    return True


def _kind(manifold: Manifold, *tensors: Tensor) -> str | None:
    """Return the name that kernels for these tensors begin with."""
    kind, first = _KINDS.get(type(manifold)), tensors[0]
    serves = (
        kind is not None
        and isinstance(manifold.curvature, float)
        and not manifold.check
        and first.numel() >= _FEWEST
        and first.dtype in _DTYPES
        and not torch.compiler.is_compiling()
        and all(
            t.device.type == "cpu" and t.dtype == first.dtype and t.shape == first.shape and t.is_contiguous()
            for t in tensors
        )
    )
    return kind if serves else None


def _matrix(t: Tensor) -> Any:
    """Return the memory of a contiguous tensor (..., n) as an array (m, n)."""
    return t.detach().reshape(-1, t.shape[-1]).numpy()
