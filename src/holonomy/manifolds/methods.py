"""Method objects: retractions, vector transports and logarithms that a verb can be told to use."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

if TYPE_CHECKING:
    from holonomy.manifolds.base import Manifold


class Retraction(Protocol):
    """Moves points along tangent vectors, like ``exp`` to first order."""

    def __call__(self, manifold: "Manifold", x: Tensor, v: Tensor) -> Tensor:
        """Return the points reached from x along v."""
        ...


class Transport(Protocol):
    """Moves tangent vectors v from x to y, like parallel transport to first order."""

    def __call__(self, manifold: "Manifold", x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        """Return the vectors at y."""
        ...


@dataclass(frozen=True)
class Exponential:
    """The exact retraction: along geodesics.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Euclidean, Exponential
    >>> Euclidean(2).retract(torch.zeros(2), torch.ones(2), method=Exponential())
    tensor([1., 1.])
    """

    def __call__(self, manifold: "Manifold", x: Tensor, v: Tensor) -> Tensor:
        """Return ``exp`` of v at x."""
        return manifold._exp(x, v)


@dataclass(frozen=True)
class Projection:
    """The projective retraction and transport: add or keep the coordinates, and project.

    A second-order retraction where ``project`` gives the nearest point. As a transport it does not keep lengths.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Projection, Sphere
    >>> Sphere(1).retract(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), method=Projection())
    tensor([0.7071, 0.7071])
    """

    def __call__(self, manifold: "Manifold", x: Tensor, v: Tensor, w: Tensor | None = None) -> Tensor:
        """Retract x along v; or, called as a transport (x, y, w), project w to the tangent space at y."""
        return manifold._project(x + v) if w is None else manifold._project_tangent(v, w)


@dataclass(frozen=True)
class Chordal:
    """The retraction of the Poincare ball that takes the length of a vector for a chord.

    It follows the geodesic of ``exp`` up to the distance d with ``2 sinh(d / 2) = |v|`` at curvature -1: |v| is then
    the Minkowski length of the chord from x to the result on the hyperboloid. In the ball that is the Mobius sum of x
    and ``u / sqrt(1 + |u|^2)``, u being v in half the metric at x, where ``exp`` has ``tanh |u|``: rational but for one
    square root, smooth, equivariant under isometries, equal to ``exp`` up to ``|v|^3 / 24``. Distances grow only with
    the logarithm of long vectors.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Chordal, PoincareBall
    >>> ball, x = PoincareBall(2), torch.zeros(2)
    >>> y = ball.retract(x, torch.tensor([0.75, 0.0]), method=Chordal())
    >>> y, 2 * torch.sinh(0.5 * ball.dist(x, y))
    (tensor([0.6000, 0.0000]), tensor(1.5000))
    """

    def __call__(self, manifold: "Manifold", x: Tensor, v: Tensor) -> Tensor:
        """Return the points reached from x along v.

        Raises
        ------
        TypeError
            If the manifold is not a Poincare ball.
        """
        move = getattr(manifold, "_chordal", None)
        if move is None:
            raise TypeError(f"the chordal retraction is that of PoincareBall, got {manifold}; use Exponential().")
        moved: Tensor = move(x, v)
        return moved


@dataclass(frozen=True)
class Ladder:
    """Parallel transport by pole ladder: from ``exp`` and ``log`` alone.

    Exact on symmetric spaces; elsewhere the error falls with the square of the number of rungs.

    Parameters
    ----------
    rungs : int, default 1
        Number of pieces the geodesic is cut into.

    Examples
    --------
    >>> import torch
    >>> from holonomy.manifolds import Ladder, Sphere
    >>> x, y = torch.eye(3, dtype=torch.float64)[:2]
    >>> Sphere(2).transport(x, y, y, method=Ladder()).round(decimals=6) + 0.0
    tensor([-1.,  0.,  0.], dtype=torch.float64)
    """

    rungs: int = 1

    def __call__(self, manifold: "Manifold", x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        """Return v at x, moved to y up the ladder along the geodesic."""
        steps = torch.linspace(0.0, 1.0, 2 * self.rungs + 1, dtype=x.dtype, device=x.device)
        here = x
        for rung in range(self.rungs):
            middle = manifold._geodesic(x, y, steps[2 * rung + 1])
            there = manifold._geodesic(x, y, steps[2 * rung + 2])
            v = self._climb(manifold, here, middle, there, v)
            here = there
        return v

    @staticmethod
    def _climb(manifold: "Manifold", x: Tensor, middle: Tensor, y: Tensor, v: Tensor) -> Tensor:
        """Reflect the end point of a short copy of v through the middle, and read the vector off at y."""
        length = manifold._norm(x, v)
        known = "injectivity_radius" not in manifold.derived
        longest = _LADDER_LENGTH * min(1.0, manifold.injectivity_radius if known else 1.0)
        shrink = torch.where(length > longest, longest / length.clamp_min(longest), 1.0)
        end = manifold._exp(x, manifold._scale(shrink, v) * v)
        mirrored = manifold._exp(middle, -manifold._log(middle, end))
        return -manifold._scale(1.0 / shrink, v) * manifold._log(y, mirrored)


_LADDER_LENGTH = 0.1
"""Longest copy of a vector that a ladder carries, also as a part of the injectivity radius."""
