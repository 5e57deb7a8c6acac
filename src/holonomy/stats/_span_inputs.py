"""What the functions on spans of points check first."""

from typing import Any

import torch
from torch import Tensor

from holonomy.manifolds.base import Manifold
from holonomy.manifolds.numerics import tolerances
from holonomy.stats._inputs import as_tensor
from holonomy.stats._linear_spans import LinearSpans, linear_spans


def as_points(manifold: Manifold, x: Any, name: str) -> Tensor:
    """Return points (..., *shape) as a floating-point tensor on the manifold.

    Raises
    ------
    TypeError
        If ``manifold`` is not a manifold or the points are no real numbers.
    ValueError
        If a shape is wrong, a value is not finite or a point lies off the manifold.
    """
    if not isinstance(manifold, Manifold):
        raise TypeError(f"manifold must be a Manifold, got {type(manifold).__name__}.")
    points = as_tensor(x, name).detach()
    manifold.check_point(points, name)
    return points


def as_references(manifold: Manifold, references: Any) -> Tensor:
    """Return reference points (m, *shape), whose span has dimension m - 1.

    Raises
    ------
    TypeError, ValueError
        As :func:`as_points`; or if there is no point, there are more than the dimension allows, or one lies in the
        span of those before it, or is opposite to another.
    """
    points = as_points(manifold, references, "references")
    rank = len(manifold.shape)
    if points.ndim != rank + 1 or not len(points):
        raise ValueError(f"references must hold one point a row, (m, {_axes(manifold)}), got {tuple(points.shape)}.")
    if len(points) > manifold.dim + 1:
        raise ValueError(
            f"references must hold at most {manifold.dim + 1} points of {manifold}, whose spans have dimension "
            f"{manifold.dim} at most, got {len(points)}."
        )
    if dependent := dependent_points(manifold, points.double()):
        raise ValueError(
            f"references must be independent, and number {dependent[0]} is opposite to another or lies in the span of "
            "those before it; leave it out."
        )
    return points


def dependent_points(manifold: Manifold, references: Tensor, spans: LinearSpans | None = None) -> list[int]:
    """Return which references lie in the span of those before, or in whose logarithms one of the others is missing."""
    spans = spans or linear_spans(manifold)
    if spans is not None:
        _, heights = spans.basis(spans.vectors(references))
        return torch.nonzero(heights == 0).flatten().tolist()
    found: set[int] = set()
    for i, base in enumerate(references):
        others = [j for j in range(len(references)) if j != i]
        if not others:
            break
        frame = manifold._frame(base).flatten(1)
        logs = manifold._log(base, references[others])
        gram = manifold._inner(base, manifold._frame(base).unsqueeze(1), logs)
        if not bool(torch.isfinite(gram).all()):
            raise ValueError(f"references must be joined by geodesics, and log is not finite at number {i}.")
        heights = torch.linalg.qr(gram).R.diagonal().abs()
        lengths = torch.linalg.vector_norm(gram, dim=0)
        floor = tolerances(frame.dtype).rank * lengths.amax()
        lost = (j for j, height in zip(others, heights.tolist(), strict=False) if height <= floor)
        found.update(max(i, j) for j in lost)
    return sorted(found)


def check_within_reach(manifold: Manifold, x: Tensor, references: Tensor) -> None:
    """Raise where a point is opposite to a reference, so that no shortest geodesic is the only one.

    Raises
    ------
    ValueError
        Naming the pair.
    """
    spans = linear_spans(manifold)
    if spans is None or spans.sign <= 0:
        return
    flat = x.reshape(-1, *manifold.shape)
    distances = manifold._dist(flat.unsqueeze(-len(manifold.shape) - 1), references)
    opposite = torch.nonzero(distances >= manifold.injectivity_radius * (1.0 - tolerances(torch.float64).belongs))
    if len(opposite):
        row, column = opposite[0].tolist()
        raise ValueError(f"x must not be opposite to a reference, and point {row} is to reference {column}.")


def _axes(manifold: Manifold) -> str:
    return ", ".join(map(str, manifold.shape))
