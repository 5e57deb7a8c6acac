"""Where points are on a mesh: the nearest triangle and the place in it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from holonomy._core.parallel import thread_count
from holonomy.manifolds.meshes._closest_kernels import build_tree, closest_rows
from holonomy.manifolds.meshes.surface import Surface

BLOCK = 2048
"""Rows that one thread does at a time."""


class Places(NamedTuple):
    """Points of a mesh.

    Attributes
    ----------
    faces : ndarray of int64, shape (k,)
        Rows of their triangles; the lowest for points on edges.
    weights : ndarray, shape (k, 3)
        Barycentric: the point is this mean of the corners.
    points : ndarray, shape (k, 3)
        Coordinates on the surface.
    gaps : ndarray, shape (k,)
        Distances from the points that were asked for.
    """

    faces: np.ndarray
    weights: np.ndarray
    points: np.ndarray
    gaps: np.ndarray


class ClosestPoints:
    """A tree over the triangles of a surface that finds nearest points."""

    def __init__(self, surface: Surface) -> None:
        self._vertices, self._faces = surface.vertices, surface.faces
        corners = self._vertices[self._faces]
        low, high = corners.min(axis=1), corners.max(axis=1)
        self._tree = build_tree(low, high, 0.5 * (low + high))

    def __call__(self, points: np.ndarray) -> Places:
        """Return the nearest surface points of rows (k, 3) in double precision."""
        k = len(points)
        faces, weights, gaps = np.empty(k, np.int64), np.empty((k, 3)), np.empty(k)
        rows = np.ascontiguousarray(points)
        run_rows(closest_rows, (self._vertices, self._faces, *self._tree, rows, faces, weights, gaps), k)
        on_surface = np.einsum("kc,kci->ki", weights, self._vertices[self._faces[faces]])
        return Places(faces, weights, on_surface, gaps)


def run_rows(kernel: Callable[..., None], arguments: tuple[Any, ...], n_rows: int) -> None:
    """Call ``kernel(*arguments, start, stop)`` for blocks of rows, in threads; each writes its own rows only."""
    bounds = [(start, min(start + BLOCK, n_rows)) for start in range(0, n_rows, BLOCK)]
    if len(bounds) <= 1:
        for bound in bounds:
            kernel(*arguments, *bound)
        return
    with ThreadPoolExecutor(min(thread_count(), len(bounds))) as pool:
        for finished in [pool.submit(kernel, *arguments, *bound) for bound in bounds]:
            finished.result()
