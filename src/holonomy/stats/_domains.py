"""From what a user names as a domain to its eigenfunctions."""

import math
from typing import Any

from holonomy._core.validation import check_option
from holonomy.manifolds import Power, Product, Sphere, Torus
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.meshes import Mesh
from holonomy.stats._harmonics import (
    GraphHarmonics,
    Harmonics,
    Line,
    MeshHarmonics,
    PlaneCircle,
    ProductHarmonics,
    SphereHarmonics,
)

DOMAINS = ("circle", "cylinder", "interval", "sphere")
DEFAULT_SLICES = 20


def harmonics_of(domain: Any, n_slices: int | None, extent: tuple[float, float], normalization: str) -> Harmonics:
    """Return the eigenfunctions of a domain.

    Raises
    ------
    TypeError, ValueError
        If it is no domain whose eigenfunctions are known, is not connected, or has fewer eigenfunctions.
    """
    count = DEFAULT_SLICES if n_slices is None else n_slices
    if isinstance(domain, str):
        return _named(check_option(domain, "domain", DOMAINS), count, extent)
    if isinstance(domain, Mesh):
        return MeshHarmonics(min(count, domain.n_vertices - 1) if n_slices is None else count, domain)
    if isinstance(domain, Manifold):
        return _of_manifold(domain, count)
    most = (domain.shape[0] if hasattr(domain, "shape") else len(domain)) - 1
    return GraphHarmonics(min(count, most) if n_slices is None else count, domain, normalization)


def _named(name: str, count: int, extent: tuple[float, float]) -> Harmonics:
    if name == "sphere":
        return SphereHarmonics(count)
    if name == "interval":
        return Line(count, *extent, periodic=False)
    around = Line(count, 0.0, 2.0 * math.pi, periodic=True, wanted=name == "circle")
    return (
        around if name == "circle" else ProductHarmonics(count, [around, Line(count, *extent, periodic=False)], [1, 1])
    )


def _of_manifold(space: Manifold, count: int) -> Harmonics:
    if isinstance(space, Sphere) and space.dim <= 2:
        radius = 1.0 / math.sqrt(float(space.curvature))
        return PlaneCircle(count, radius) if space.dim == 1 else SphereHarmonics(count, radius)
    factors, widths = _factors(space, count)
    return factors[0] if len(factors) == 1 else ProductHarmonics(count, factors, widths)


def _factors(space: Manifold, count: int) -> tuple[list[Harmonics], list[int]]:
    """Return the factors of a space, each with enough eigenfunctions, and how many coordinates each has."""
    if isinstance(space, Torus):
        periods = [float(period) for period in space.periods]
        alone = len(periods) == 1
        return [Line(count, 0.0, p, periodic=True, wanted=alone) for p in periods], [1] * len(periods)
    if isinstance(space, Sphere) and space.dim <= 2:
        radius = 1.0 / math.sqrt(float(space.curvature))
        if space.dim == 1:
            return [PlaneCircle(count, radius, wanted=False)], [2]
        return [SphereHarmonics(max(count, 3), radius)], [3]
    if isinstance(space, Product) and not isinstance(space, Power):
        pairs = [_factors(factor, count) for factor in space._spaces()]
        for (parts, _), weight in zip(pairs, space.weights, strict=True):
            for part in parts:  # squared lengths grow by the weight, and eigenvalues shrink by it
                part.eigenvalues = part.eigenvalues / weight
        return [h for hs, _ in pairs for h in hs], [w for _, ws in pairs for w in ws]
    raise TypeError(
        f"domain must be one of {', '.join(map(repr, DOMAINS))}, a Mesh, a graph, or a manifold whose harmonics are "
        f"known (Sphere of dimension 1 or 2, Torus, or a Product of these), got {space}."
    )
