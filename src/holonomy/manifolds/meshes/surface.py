"""What a triangle mesh is made of: checked faces, their frames, half-edges, and the fan of triangles at each vertex.

Half-edge ``3 f + i`` runs along triangle f from its corner i to the next; the triangle lies to its left. The frame of a
half-edge has its origin at the start and its first axis along it. The frame of a triangle is that of its first one.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from holonomy._core.validation import as_numpy, check_points

DEGENERATE = 1e-12
"""Height of a triangle, relative to its longest side, up to which it counts as having no area."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A checked mesh of n vertices and m triangles.

    Attributes
    ----------
    vertices : ndarray of float64, shape (n, 3)
    faces : ndarray of int64, shape (m, 3)
        Consistently oriented.
    kept_vertices : ndarray of int64, shape (n,)
        Rows of the vertices that were given, where some were dropped.
    twins : ndarray of int64, shape (3 m,)
        The half-edge that runs back along the same edge in the neighbouring triangle; -1 on the boundary.
    lengths : ndarray, shape (3 m,)
    apexes : ndarray, shape (3 m, 2)
        The opposite corner in the frame of each half-edge.
    turns : ndarray, shape (3 m,)
        Angle of each half-edge in the frame of its triangle.
    frames : ndarray, shape (m, 3, 3)
        Rows: two orthonormal directions in the triangle, and its normal.
    areas : ndarray, shape (m,)
    fan_starts, fan : ndarray of int64, shapes (n + 1,) and (3 m,)
        Outgoing half-edges of vertex v, counter-clockwise: ``fan[fan_starts[v]:fan_starts[v + 1]]``.
    fan_angles : ndarray, shape (3 m,)
        Angle around its start at which a half-edge leaves, summed over the fan.
    corners : ndarray, shape (3 m,)
        Angle of the triangle at the start of each half-edge.
    totals : ndarray, shape (n,)
        Sum of the corners at each vertex; 2 pi where the surface is flat.
    on_boundary : ndarray of bool, shape (n,)
    pieces : ndarray of int32, shape (n,)
        Which connected piece a vertex belongs to.
    """

    vertices: np.ndarray
    faces: np.ndarray
    kept_vertices: np.ndarray
    twins: np.ndarray
    lengths: np.ndarray
    apexes: np.ndarray
    turns: np.ndarray
    frames: np.ndarray
    areas: np.ndarray
    fan_starts: np.ndarray
    fan: np.ndarray
    fan_angles: np.ndarray
    corners: np.ndarray
    totals: np.ndarray
    on_boundary: np.ndarray
    pieces: np.ndarray


def build_surface(vertices: Any, faces: Any, clean: bool) -> Surface:
    """Check vertices (n, 3) and triangles (m, 3), and work out how they hang together.

    Raises
    ------
    TypeError, ValueError
        If the arrays are malformed, or the triangles do not form an oriented surface.
    """
    points, triangles = check_mesh(vertices, faces)
    kept = np.arange(len(points))
    if clean:
        triangles = triangles[~has_no_area(points, triangles)]
        if not len(triangles):
            raise ValueError("faces must hold a triangle with an area, and none has one.")
        triangles, kept = _apart(oriented(triangles))
        points = points[kept]
    _refuse_flaws(points, triangles)
    twins = _twins(triangles)
    starts, fan, ends_early = _fans(triangles.ravel(), twins, len(points))
    if ends_early >= 0:
        raise ValueError(
            f"faces must form one fan of triangles around each vertex, and around vertex {kept[ends_early]} they form "
            "several, which touch in that point only; clean=True gives each fan a vertex of its own."
        )
    return _measured(points, triangles, kept, twins, starts, fan)


def check_mesh(vertices: Any, faces: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices as float64 and faces as int64, new arrays, or raise naming what is wrong."""
    points = np.array(check_points(vertices, name="vertices", dtype=np.float64), dtype=np.float64)
    if points.shape[1] != 3:
        raise ValueError(f"vertices must have shape (n, 3), got {points.shape}.")
    given = np.asarray(as_numpy(faces))
    if given.dtype.kind not in "iu":
        raise TypeError(f"faces must hold integers, got {given.dtype}.")
    if given.ndim != 2 or given.shape[1] != 3 or not len(given):
        raise ValueError(f"faces must have shape (m, 3) with m at least 1, got {given.shape}; cut polygons first.")
    triangles = given.astype(np.int64)
    if triangles.min() < 0 or triangles.max() >= len(points):
        raise ValueError(
            f"faces must name vertices 0 to {len(points) - 1}, and go from {triangles.min()} to {triangles.max()}."
        )
    return points, triangles


def has_no_area(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Say for each triangle whether its corners are on one line."""
    corners = points[triangles]
    sides = corners[:, [1, 2, 0]] - corners
    longest = np.linalg.norm(sides, axis=2).max(axis=1)
    twice = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    return twice <= DEGENERATE * longest**2


def _refuse_flaws(points: np.ndarray, triangles: np.ndarray) -> None:
    flat = has_no_area(points, triangles)
    if flat.any():
        raise ValueError(
            f"faces must have an area, and {np.count_nonzero(flat)} do not (the first is row {flat.argmax()}); "
            "clean=True drops them."
        )
    used = np.bincount(triangles.ravel(), minlength=len(points)) > 0
    if not used.all():
        raise ValueError(
            f"vertices must be corners of faces, and {np.count_nonzero(~used)} are not (the first is row "
            f"{used.argmin()}); clean=True drops them."
        )


def _edges(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where half-edges start and end, and one number for each edge whichever way it is run along."""
    start, end = triangles.ravel(), triangles[:, [1, 2, 0]].ravel()
    span = triangles.max() + 1
    return start, end, np.minimum(start, end) * span + np.maximum(start, end)


def _neighbors(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of half-edges on one edge; raise where more than two triangles meet."""
    start, end, edges = _edges(triangles)
    order = np.argsort(edges, kind="stable")
    _, first, counts = np.unique(edges[order], return_index=True, return_counts=True)
    if counts.max() > 2:
        bad = order[first[counts.argmax()]]
        raise ValueError(
            f"faces must meet at most two at an edge, and {counts.max()} meet at the edge of vertices "
            f"{start[bad]} and {end[bad]}; the mesh is not a surface there."
        )
    shared = first[counts == 2]
    return order[shared], order[shared + 1]


def _twins(triangles: np.ndarray) -> np.ndarray:
    one, other = _neighbors(triangles)
    start = triangles.ravel()
    if (clash := start[one] == start[other]).any():
        raise ValueError(
            f"faces must be oriented alike, and {np.count_nonzero(clash)} pairs of neighbours are not (the first are "
            f"rows {one[clash.argmax()] // 3} and {other[clash.argmax()] // 3}); clean=True turns them."
        )
    twins = np.full(len(start), -1, np.int64)
    twins[one], twins[other] = other, one
    return twins


def oriented(triangles: np.ndarray) -> np.ndarray:
    """Return the triangles with neighbours oriented alike; the first triangle of each piece stays as it is.

    Raises
    ------
    ValueError
        If there is no such orientation, as on a Moebius strip.
    """
    one, other = _neighbors(triangles)
    start, m = triangles.ravel(), len(triangles)
    same = (start[one] == start[other]).astype(np.int64)
    # Two copies of every triangle, one for each orientation: they hang together if the surface has one side only.
    rows = np.concatenate([2 * (one // 3) + side for side in (0, 1)])
    columns = np.concatenate([2 * (other // 3) + (same ^ side) for side in (0, 1)])
    graph = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(2 * m, 2 * m))
    _, labels = connected_components(graph, directed=False)
    kept, turned = labels[0::2], labels[1::2]
    if (kept == turned).any():
        raise ValueError("faces must form a surface with two sides, and these form one with a single side.")
    # Labels count up in the order of first appearance, and the first copy of a piece is its first triangle as it is.
    return np.where((kept < turned)[:, None], triangles, triangles[:, [0, 2, 1]])


def _apart(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return triangles with one vertex for each fan, and which given vertex each is; vertices of no fan are dropped."""
    twins, start = _twins(triangles), triangles.ravel()
    inner = np.flatnonzero(twins >= 0)
    back = twins[inner]
    fans = back + np.where(back % 3 < 2, 1, -2)  # the half-edge after the twin leaves the same vertex
    graph = sparse.coo_array((np.ones(len(inner)), (inner, fans)), shape=(len(start), len(start)))
    count, labels = connected_components(graph, directed=False)
    given = np.empty(count, np.int64)
    given[labels] = start
    order = np.argsort(given, kind="stable")
    repeated = np.concatenate([[False], np.diff(given[order]) == 0])
    order = np.concatenate([order[~repeated], order[repeated]])  # further fans of a vertex come last
    place = np.empty(count, np.int64)
    place[order] = np.arange(count)
    return place[labels].reshape(-1, 3), given[order]


@njit(cache=True, nogil=True)
def _fans(start: np.ndarray, twins: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Order the half-edges that leave each vertex; also return the first vertex with several fans, or -1."""
    counts = np.zeros(n + 1, np.int64)
    first = np.full(n, -1, np.int64)
    for h in range(len(start)):
        v = start[h]
        counts[v + 1] += 1
        if first[v] < 0 or (twins[h] < 0 and twins[first[v]] >= 0):
            first[v] = h
    starts = np.cumsum(counts)
    fan = np.empty(len(start), np.int64)
    for v in range(n):
        h = first[v]
        for position in range(starts[v], starts[v + 1]):
            if h < 0 or (h == first[v] and position > starts[v]):
                return starts, fan, v
            fan[position] = h
            h = twins[h - 1 if h % 3 else h + 2]
    return starts, fan, -1


def _measured(
    points: np.ndarray, triangles: np.ndarray, kept: np.ndarray, twins: np.ndarray, starts: np.ndarray, fan: np.ndarray
) -> Surface:
    """Work out lengths, angles, frames and pieces."""
    here = points[triangles]
    along, across = here[:, [1, 2, 0]] - here, here[:, [2, 0, 1]] - here
    lengths = np.linalg.norm(along, axis=2)
    unit = along / lengths[..., None]
    crossed = np.cross(unit, across)
    apexes = np.stack([np.einsum("fhi,fhi->fh", unit, across), np.linalg.norm(crossed, axis=2)], axis=-1)
    corners = np.arctan2(apexes[..., 1], apexes[..., 0])
    normals = np.cross(along[:, 0], across[:, 0])
    twice = np.linalg.norm(normals, axis=1)
    normals /= twice[:, None]
    frames = np.stack([unit[:, 0], np.cross(normals, unit[:, 0]), normals], axis=1)
    turns = np.stack([np.zeros(len(here)), np.pi - corners[:, 1], np.pi + corners[:, 0]], axis=1)
    corners = corners.ravel()
    n = len(points)
    in_fan = corners[fan]
    before = np.concatenate([[0.0], np.cumsum(in_fan)])
    fan_angles = np.empty(len(fan))
    fan_angles[fan] = before[:-1] - np.repeat(before[starts[:-1]], np.diff(starts))
    edges = sparse.coo_array((np.ones(len(fan)), (triangles.ravel(), triangles[:, [1, 2, 0]].ravel())), shape=(n, n))
    return Surface(
        vertices=points,
        faces=triangles,
        kept_vertices=kept,
        twins=twins,
        lengths=lengths.ravel(),
        apexes=apexes.reshape(-1, 2),
        turns=turns.ravel(),
        frames=frames,
        areas=0.5 * twice,
        fan_starts=starts,
        fan=fan,
        fan_angles=fan_angles,
        corners=corners,
        totals=np.bincount(triangles.ravel(), weights=corners, minlength=n),
        on_boundary=np.bincount(triangles.ravel(), weights=twins < 0, minlength=n) > 0,
        pieces=connected_components(edges, directed=False)[1],
    )
