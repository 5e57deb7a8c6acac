"""Where one pass over the rows does the work of several verbs."""

from torch import Tensor

from holonomy.manifolds import Manifold


def fused_gradient(manifold: Manifold, x: Tensor, derivatives: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return Riemannian gradients and squared lengths, or None where no kernel serves."""
    return None


def fused_move(manifold: Manifold, x: Tensor, u: Tensor, scale: float | Tensor, vectors: list[Tensor]) -> bool:
    """Move in place, and say whether that was possible."""
    return False
