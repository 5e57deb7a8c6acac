"""The orthographic retraction of matrices of fixed rank."""

from dataclasses import dataclass

import torch
from torch import Tensor

from holonomy.manifolds import FixedRank, Manifold
from holonomy.manifolds.fixed_rank import range_bases
from holonomy.manifolds.numerics import widen


@dataclass(frozen=True)
class Orthographic:
    """Move along v, then along the normal space at x, until the rank is k again.

    It agrees with geodesics to second order, and needs no singular values of the sum: with ``z = x + v`` and the
    singular vectors U, V of x it is ``z V (U^T z V)^-1 U^T z``, which can be differentiated any number of times in v.
    Where ``U^T z V`` is singular there is no such point, and the result is not finite.

    References
    ----------
    Absil & Oseledets (2015), "Low-rank retractions: a survey and new results".
    """

    _references = ("absil2015low",)

    def __call__(self, manifold: Manifold, x: Tensor, v: Tensor) -> Tensor:
        """Return the matrices reached from x along v."""
        if not isinstance(manifold, FixedRank):
            raise TypeError(f"the orthographic retraction is that of FixedRank, got {manifold}.")
        wide = widen(x)
        left, right = range_bases(wide, manifold.k)
        z = wide + widen(v)
        columns, rows = z @ right, left.mT @ z
        core = left.mT @ columns
        inverse, _ = torch.linalg.inv_ex(core)
        return (columns @ (inverse @ rows)).to(x.dtype)
