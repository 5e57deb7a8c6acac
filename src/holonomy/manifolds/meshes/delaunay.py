"""The intrinsic Delaunay triangulation: the same surface and vertices, cut along other straight lines."""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from holonomy.manifolds.meshes._window_kernels import next_of, previous_of
from holonomy.manifolds.meshes.surface import Surface

_compiled = njit(cache=True, nogil=True, error_model="numpy")
SLACK = 1e-9
"""How far below 0 the cotangent weight of an edge must be for the edge to be flipped."""


@dataclass(frozen=True, eq=False)
class FlatTriangles:
    """Triangles known by their sides; their attributes are those of ``Surface``."""

    faces: np.ndarray
    lengths: np.ndarray
    apexes: np.ndarray
    areas: np.ndarray


def delaunay(surface: Surface) -> FlatTriangles:
    """Flip edges, keeping the surface as it is, until no cotangent weight is negative."""
    starts, twins, lengths = surface.faces.ravel().copy(), surface.twins.copy(), surface.lengths.copy()
    _flip_all(starts, twins, lengths)
    sides = lengths.reshape(-1, 3)
    after, before = sides[:, [1, 2, 0]], sides[:, [2, 0, 1]]
    x = 0.5 * (sides + (before - after) * (before + after) / sides)
    areas = _areas(sides)
    apexes = np.stack([x, 2.0 * areas[:, None] / sides], axis=-1).reshape(-1, 2)
    return FlatTriangles(starts.reshape(-1, 3), lengths, apexes, areas)


def _areas(sides: np.ndarray) -> np.ndarray:
    """Return areas from sides (m, 3), by Kahan's formula, which keeps the digits of thin triangles."""
    c, b, a = np.sort(sides, axis=1).T
    return 0.25 * np.sqrt((a + (b + c)) * np.maximum(c - (a - b), 0.0) * (c + (a - b)) * (a + (b - c)))


@_compiled
def _flip_all(starts: np.ndarray, twins: np.ndarray, lengths: np.ndarray) -> None:
    """Flip bad edges until none is left; each flip calls the four edges around it up again."""
    stack = np.empty(len(twins), np.int64)
    waiting = np.zeros(len(twins), np.bool_)
    size = 0
    for h in range(len(twins)):
        if twins[h] > h:
            stack[size], waiting[h] = h, True
            size += 1
    while size > 0:
        size -= 1
        h = stack[size]
        waiting[h] = False
        if twins[h] < 0 or not _is_bad(lengths, h, twins[h]):
            continue
        f, g = h // 3, twins[h] // 3
        if f == g:
            continue
        _flip(starts, twins, lengths, h, twins[h])
        for e in (3 * f, 3 * f + 1, 3 * g, 3 * g + 1):
            if twins[e] >= 0 and not waiting[e] and not waiting[twins[e]] and size < len(stack):
                stack[size], waiting[e] = e, True
                size += 1


@_compiled
def _apex(lengths: np.ndarray, h: int) -> tuple[float, float]:
    """Return the corner opposite to a half-edge in its frame."""
    base, after, before = lengths[h], lengths[next_of(h)], lengths[previous_of(h)]
    x = 0.5 * (base + (before - after) * (before + after) / base)
    return x, math.sqrt(max((before - x) * (before + x), 0.0))


@_compiled
def _is_bad(lengths: np.ndarray, h: int, t: int) -> bool:
    """Say whether the angles opposite to an edge sum to more than pi."""
    total = 0.0
    for e in (h, t):
        x, y = _apex(lengths, e)
        if y <= 0.0:
            return False
        total += (x * (x - lengths[e]) + y * y) / (y * lengths[e])
    return total < -SLACK


@_compiled
def _flip(starts: np.ndarray, twins: np.ndarray, lengths: np.ndarray, h: int, t: int) -> None:
    """Replace the common edge a-b of triangles (a, b, c) and (b, a, d) by c-d."""
    f, g = h // 3, t // 3
    bc, ca, ad, db = next_of(h), previous_of(h), next_of(t), previous_of(t)
    cx, cy = _apex(lengths, h)
    dx, dy = _apex(lengths, t)
    across = math.hypot(cx - (lengths[h] - dx), cy + dy)
    old = (db, bc, ca, ad)
    new = (3 * f, 3 * f + 1, 3 * g, 3 * g + 1)
    corner = (starts[db], starts[bc], starts[ca], starts[ad])
    side = (lengths[db], lengths[bc], lengths[ca], lengths[ad])
    other = np.empty(4, np.int64)
    for i in range(4):
        other[i] = twins[old[i]]
        for j in range(4):
            if twins[old[i]] == old[j]:
                other[i] = new[j]
    c, d = corner[2], corner[0]
    for i in range(4):
        starts[new[i]], lengths[new[i]], twins[new[i]] = corner[i], side[i], other[i]
    for i in range(4):
        if other[i] >= 0:
            twins[other[i]] = new[i]
    starts[3 * f + 2], lengths[3 * f + 2], twins[3 * f + 2] = c, across, 3 * g + 2
    starts[3 * g + 2], lengths[3 * g + 2], twins[3 * g + 2] = d, across, 3 * f + 2
