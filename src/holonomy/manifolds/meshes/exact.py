"""Exact geodesics: fronts of windows from vertices and points, and the paths along them."""

from dataclasses import dataclass

import numpy as np

from holonomy.manifolds.meshes._trace_kernels import corner_at, corner_place, trace
from holonomy.manifolds.meshes._window_kernels import (
    Front,
    Geometry,
    propagate,
    read_targets,
    start_from_face,
    start_from_vertex,
)
from holonomy.manifolds.meshes.closest import Places
from holonomy.manifolds.meshes.surface import Surface

AT_VERTEX = 1e-10
"""How near to a vertex, relative to the side of the triangle, a source counts as the vertex itself."""


def geometry_of(surface: Surface) -> Geometry:
    """Return the arrays that the kernels need."""
    return Geometry(**{name: getattr(surface, name) for name in Geometry._fields})


def flat_places(surface: Surface, faces: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the coordinates (k, 2) of points in the frames of their triangles."""
    return np.einsum("kai,ki->ka", surface.frames[faces, :2], points - surface.vertices[surface.faces[faces, 0]])


def space_points(surface: Surface, faces: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the points (k, 3) for coordinates in the frames of triangles."""
    return surface.vertices[surface.faces[faces, 0]] + np.einsum("kai,ka->ki", surface.frames[faces, :2], places)


@dataclass(frozen=True, eq=False)
class Paths:
    """Shortest paths between k pairs of points.

    Attributes
    ----------
    distances : ndarray, shape (k,)
        Infinite where no path exists.
    from_faces, to_faces : ndarray of int64, shape (k,)
        Triangles in which the paths start and end.
    departures, arrivals : ndarray, shape (k,)
        Directions there, as angles in the frames of these triangles.
    bent : ndarray of bool, shape (k,)
        Whether the path bends around a vertex.
    """

    distances: np.ndarray
    from_faces: np.ndarray
    to_faces: np.ndarray
    departures: np.ndarray
    arrivals: np.ndarray
    bent: np.ndarray


class ExactGeodesics:
    """Shortest paths on a surface, exact up to rounding."""

    def __init__(self, surface: Surface) -> None:
        self.surface, self.geometry = surface, geometry_of(surface)
        self._room = 2 * int(np.diff(surface.fan_starts).max()) + 8

    def from_vertices(self, sources: np.ndarray) -> np.ndarray:
        """Return the distances (n,) of all vertices to the nearest of the sources."""
        front = self._new_front()
        for v in sources:
            start_from_vertex(self.geometry, front, v)
        return self._run(front, np.empty(0, np.int64), np.empty((0, 3))).reach[:, 0].copy()

    def between(self, starts: Places, ends: Places) -> Paths:
        """Return the shortest paths from each start to the end in the same row; equal starts share one front."""
        k = len(starts.faces)
        numbers, labels = np.empty((k, 4)), np.empty((k, 2), np.int64)
        keys = np.column_stack([starts.faces, starts.weights])
        _, group = np.unique(keys, axis=0, return_inverse=True)
        order = np.argsort(group.ravel(), kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(group.ravel()[order])) + 1) if k else []:
            numbers[rows], labels[rows] = self._fan_out(_row(starts, rows[0]), _pick(ends, rows))
        return Paths(numbers[:, 0], labels[:, 1], ends.faces, numbers[:, 3], numbers[:, 2], labels[:, 0] >= 0)

    def _fan_out(self, start: Places, ends: Places) -> tuple[np.ndarray, np.ndarray]:
        front, source, targets, places = self._front_to(start, ends)
        return self._read(front, source, targets, places)

    def _front_to(self, start: Places, ends: Places) -> tuple[Front, tuple[int, float, float], np.ndarray, np.ndarray]:
        """Run a front from one point until it has reached the ends."""
        front = self._new_front()
        source = self._start(front, int(start.faces[0]), start.points)
        corners = self.surface.vertices[self.surface.faces[ends.faces]]
        away = np.linalg.norm(corners - ends.points[:, None], axis=2)
        near = (ends.faces != source[0]) & (
            self.surface.pieces[self.surface.faces[ends.faces, 0]]
            == self.surface.pieces[self.surface.faces[start.faces[0], 0]]
        )
        if near.any():
            front = self._run(front, ends.faces[near], away[near])
        return front, source, ends.faces, flat_places(self.surface, ends.faces, ends.points)

    def _read(
        self, front: Front, source: tuple[int, float, float], targets: np.ndarray, places: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        numbers, labels = np.zeros((len(targets), 4)), np.full((len(targets), 2), -1, np.int64)
        read_targets(self.geometry, front, source, targets, places, numbers, labels)
        return numbers, labels

    def path(self, start: Places, end: Places) -> np.ndarray:
        """Return the corners (p, 3) of the shortest path between two points: both ends and where it crosses edges.

        Raises
        ------
        ValueError
            If no path joins them.
        """
        front, source, targets, places = self._front_to(start, end)
        numbers, labels = self._read(front, source, targets, places)
        if not np.isfinite(numbers[0, 0]):
            raise ValueError("start and end must lie on one connected piece of the mesh, and no path joins them.")
        pieces = [end.points]
        face, (x, y) = int(targets[0]), places[0]
        piece, arrival, vertex = numbers[0, 1], numbers[0, 2], int(labels[0, 0])
        while True:
            pieces.append(self._crossings(face, x, y, arrival + np.pi, piece))
            if vertex < 0:
                break
            pieces.append(self.surface.vertices[None, vertex])
            face, piece, arrival = int(front.roots[vertex, 1]), front.reach[vertex, 1], front.reach[vertex, 2]
            h = 3 * face + int(np.flatnonzero(self.surface.faces[face] == vertex)[0])
            x, y = corner_place(self.geometry, h)
            vertex = int(front.roots[vertex, 0])
        points = np.concatenate([*pieces, start.points])[::-1]
        scale = max(float(numbers[0, 0]), np.finfo(np.float64).tiny)
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1) > AT_VERTEX * scale
        return points[np.concatenate([[True], steps[:-1], [True]])] if len(steps) > 1 else points

    def _crossings(self, face: int, x: float, y: float, direction: float, length: float) -> np.ndarray:
        """Return where a line crosses edges, (c, 3)."""
        steps = np.empty((64, 3))
        while True:
            *_, count = trace(self.geometry, face, x, y, direction, length, steps)
            if count <= len(steps):
                return space_points(self.surface, steps[:count, 0].astype(np.int64), steps[:count, 1:])
            steps = np.empty((2 * count, 3))

    def _start(self, front: Front, face: int, point: np.ndarray) -> tuple[int, float, float]:
        """Light the surroundings of a point; a point at a vertex is taken for the vertex."""
        x, y = flat_places(self.surface, np.array([face]), point)[0]
        h = corner_at(self.geometry, face, x, y, AT_VERTEX)
        if h >= 0:
            start_from_vertex(self.geometry, front, self.surface.faces[face, h % 3])
            return -1, 0.0, 0.0
        start_from_face(self.geometry, front, face, x, y)
        return face, float(x), float(y)

    def _new_front(self) -> Front:
        n, m = len(self.surface.vertices), len(self.surface.faces)
        room = max(4096, 2 * self._room)
        reach = np.zeros((n, 5))
        reach[:, 0] = np.inf
        nearest = np.zeros((3 * m, 2))
        nearest[:, 0] = np.inf
        return Front(
            spans=np.empty((room, 6)),
            links=np.empty((room, 4), np.int64),
            keys=np.empty(room),
            items=np.empty(room, np.int64),
            sizes=np.zeros(2, np.int64),
            latest=np.full(3 * m, -1, np.int64),
            nearest=nearest,
            reach=reach,
            roots=np.full((n, 3), -1, np.int64),
        )

    def _run(self, front: Front, targets: np.ndarray, away: np.ndarray) -> Front:
        """Propagate with as much memory as it takes."""
        while not propagate(self.geometry, front, targets, away, self._room):
            grown = {name: _doubled(getattr(front, name)) for name in ("spans", "links", "keys", "items")}
            front = front._replace(**grown)
        return front


def _doubled(array: np.ndarray) -> np.ndarray:
    return np.concatenate([array, np.empty_like(array)])


def _pick(places: Places, rows: np.ndarray) -> Places:
    return Places(*(part[rows] for part in places))


def _row(places: Places, row: int) -> Places:
    return _pick(places, np.array([row]))
