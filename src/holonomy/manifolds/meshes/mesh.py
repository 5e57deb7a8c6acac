"""A triangle mesh as a manifold: points are places on the triangles."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from holonomy._core.validation import as_numpy, check_int
from holonomy.manifolds.base import Manifold
from holonomy.manifolds.meshes._tensors import (
    checked_rows,
    differentiable,
    hinges,
    like,
    point_along,
    rows_of,
    with_slopes,
)
from holonomy.manifolds.meshes._trace_kernels import facing_rows, trace_rows
from holonomy.manifolds.meshes.closest import ClosestPoints, Places, run_rows
from holonomy.manifolds.meshes.exact import Paths, flat_places, space_points
from holonomy.manifolds.meshes.functions import MeshFunctions
from holonomy.manifolds.meshes.surface import build_surface
from holonomy.manifolds.numerics import safe_sqrt, tolerances

AT_EDGE = 1e-8
"""How near to an edge, relative to its length, a point counts as on it: both its triangles hold tangent vectors."""
MOST_EDGES = 1e7
"""Longest line that is followed, in mean lengths of edges."""
FADED = 1e-6
"""Largest share of the last eigenfunction in a heat kernel that counts as complete."""


class Mesh(MeshFunctions, Manifold):
    """A surface of triangles in space, with the distances of walks on it.

    Points are coordinates (..., 3) on the triangles, and tangent vectors lie in the plane of their triangle; at a
    point on an edge or a vertex, in the plane of any triangle there. The surface is flat inside the triangles and
    across edges; all curvature sits at the vertices. All verbs but the heat kernel are exact up to rounding:

    - ``exp`` goes straight on: across an edge as if its triangles lay in one plane, and through a vertex with equal
      angles on both sides. It ends at the boundary where it meets one.
    - ``dist``, ``log``, ``geodesic`` and ``transport`` follow a shortest path. Where a path bends around a vertex
      with more than 2 pi of angle (or around the boundary), ``exp`` of ``log`` goes straight on instead, and vectors
      keep their angle to the path. Points on different pieces are infinitely far apart.
    - ``project`` gives the nearest point.
    - ``heat_kernel`` sums eigenfunctions, and refuses times too short for ``n_eigenpairs``.

    First derivatives by automatic differentiation are those of the unfolded triangles. Everything is computed in
    double precision on the CPU.

    Parameters
    ----------
    vertices : array-like of shape (n, 3)
        Corners of the triangles.
    faces : array-like of int, shape (m, 3)
        Rows of ``vertices``, in the same sense of rotation for all triangles.
    clean : bool, default False
        Whether to mend what is refused otherwise: drop triangles without area and vertices without triangle, give
        each fan of triangles that touches others in one point a vertex of its own, and turn triangles to one sense
        in each piece. ``kept_vertices`` says which given vertex each is.
    n_eigenpairs : int, default 200
        How many eigenfunctions the heat kernel uses, or all where there are fewer.
    check : bool, default False
        As in :class:`~holonomy.manifolds.Manifold`.

    Attributes
    ----------
    vertices, faces : Tensor
        The arrays as buffers.
    kept_vertices : ndarray of int64, shape (n,)
        Rows of the vertices that were given.

    Raises
    ------
    TypeError, ValueError
        If the arrays are malformed, an edge has more than two triangles, the surface has one side only, or what
        ``clean`` mends is not mended.

    References
    ----------
    Chen, Han (1990). Shortest paths on a polyhedron. Symposium on Computational Geometry.
    Polthier, Schmies (1998). Straightest geodesics on polyhedral surfaces. Mathematical Visualization.
    Crane, Weischedel, Wardetzky (2013). Geodesics in heat. ACM Transactions on Graphics 32(5).

    Examples
    --------
    A corner of a cube; the way over the edge is that of the unfolded sides:

    >>> import torch
    >>> from holonomy.manifolds import Mesh
    >>> vertices = [[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    >>> corner = Mesh(vertices, [[0, 2, 1], [0, 1, 3], [0, 3, 2]])
    >>> x, y = torch.tensor([0.0, 0.2, 0.3]), torch.tensor([0.4, 0.2, 0.0])
    >>> corner.dist(x, y)
    tensor(0.7000)
    >>> corner.exact_distances(3).round(3)
    array([1.   , 1.414, 1.414, 0.   ])
    """

    _references = (
        "chen1990shortest",
        "xin2009improving",
        "polthier1998straightest",
        "crane2013geodesics",
        "pinkall1993computing",
    )
    vertices: Tensor
    faces: Tensor

    def __init__(
        self, vertices: Any, faces: Any, *, clean: bool = False, n_eigenpairs: int = 200, check: bool = False
    ) -> None:
        super().__init__(2, (3,), check=check)
        self.surface = build_surface(vertices, faces, bool(clean))
        self.kept_vertices = self.surface.kept_vertices
        self.n_eigenpairs = check_int(n_eigenpairs, "n_eigenpairs", minimum=2)
        self.register_buffer("vertices", torch.from_numpy(self.surface.vertices.copy()), persistent=False)
        self.register_buffer("faces", torch.from_numpy(self.surface.faces.copy()), persistent=False)

    def closest_point(self, points: Any) -> Places:
        """Return the nearest places of the surface to any points (k, 3): triangles, weights, coordinates, distances.

        Parameters
        ----------
        points : array-like of shape (k, 3)

        Returns
        -------
        Places
            ``faces`` (k,), ``weights`` (k, 3) of the corners, ``points`` (k, 3) and ``gaps`` (k,).

        Raises
        ------
        ValueError
            If the points are malformed or not finite.
        """
        rows = checked_rows(points)
        return self._kept("closest", lambda: ClosestPoints(self.surface))(rows)

    def interpolate(self, values: Any, points: Any) -> np.ndarray:
        """Interpolate values at vertices, (n,) or (n, c), at the surface points nearest to (k, 3): (k,) or (k, c)."""
        given = self._vertex_values(values, "values")
        places = self.closest_point(points)
        return np.einsum("kc,kc...->k...", places.weights, given[self.surface.faces[places.faces]])

    def geodesic_path(self, start: Any, end: Any) -> np.ndarray:
        """Return a shortest path as the points (p, 3) where it starts, crosses edges or bends, and ends.

        ``start`` and ``end`` are points (3,) on the surface, or vertices by number.

        Raises
        ------
        ValueError
            If a point is malformed or no path joins the two.
        """
        places = [self.closest_point(self._as_point(given)[None]) for given in (start, end)]
        return self._exact.path(*places)

    def _as_point(self, given: Any) -> np.ndarray:
        if isinstance(given, int | np.integer) and not isinstance(given, bool):
            return self.surface.vertices[self._sources(given, False)[0][0]]
        return checked_rows(np.asarray(as_numpy(given))[None])[0]

    def _locate(self, x: Tensor) -> Places:
        """Return where rows of points (..., 3) are."""
        rows = rows_of(x)
        if not np.isfinite(rows).all():
            raise ValueError(f"points of {self} must be finite, and some hold NaN or infinity.")
        return self._kept("closest", lambda: ClosestPoints(self.surface))(rows)

    def _facing(self, places: Places, vectors: np.ndarray, near: float) -> np.ndarray:
        """Return, of the triangles at each point, the one in whose plane a vector lies best, (k,)."""
        chosen = np.empty(len(vectors), np.int64)
        surface = self.surface
        arguments = (surface.frames, surface.vertices, places.faces, places.points, vectors, near, chosen)
        run_rows(facing_rows, (self._exact.geometry, *arguments), len(vectors))
        return chosen

    def _exp(self, x: Tensor, v: Tensor) -> Tensor:
        x, v = torch.broadcast_tensors(x, v)
        places, vectors = self._locate(x), rows_of(v)
        faces = self._facing(places, vectors, max(AT_EDGE, tolerances(x.dtype).belongs))
        flat = np.einsum("kai,ki->ka", self.surface.frames[faces, :2], vectors)
        starts = flat_places(self.surface, faces, places.points)
        directions, ends = np.arctan2(flat[:, 1], flat[:, 0]), np.empty((len(faces), 5))
        lengths = np.hypot(flat[:, 0], flat[:, 1])
        self._check_lengths(lengths)
        run_rows(trace_rows, (self._exact.geometry, faces, starts, directions, lengths, ends), len(faces))
        arrived = ends[:, 0].astype(np.int64)
        points = space_points(self.surface, arrived, ends[:, 1:3])
        if not differentiable(x, v):
            return like(points, x)
        carry = self._carry(faces, arrived, ends[:, 3] - directions)
        return with_slopes(points, x, (carry, v), (carry, x))

    def _check_lengths(self, lengths: np.ndarray) -> None:
        """Refuse to follow lines over so many triangles that it would seem to take for ever."""
        longest = MOST_EDGES * float(self.surface.lengths.mean())
        if not (lengths <= longest).all():
            raise ValueError(
                f"v must be finite and at most {longest:.3g} long, {MOST_EDGES:.0e} edges of this mesh, got a length "
                f"of {lengths.max():.3g}."
            )

    def _carry(self, from_faces: np.ndarray, to_faces: np.ndarray, turns: np.ndarray) -> np.ndarray:
        """Return the matrices (k, 3, 3) that carry vectors between planes, where directions turn by these angles."""
        c, s = np.cos(turns), np.sin(turns)
        rotation = np.stack([np.stack([c, -s], axis=-1), np.stack([s, c], axis=-1)], axis=-2)
        return np.einsum(
            "kai,kab,kbj->kij", self.surface.frames[to_faces, :2], rotation, self.surface.frames[from_faces, :2]
        )

    def _paths(self, x: Tensor, y: Tensor, joined: bool = True) -> tuple[Tensor, Tensor, Places, Places, Paths]:
        x, y = torch.broadcast_tensors(x, y)
        starts, ends = self._locate(x), self._locate(y)
        paths = self._exact.between(starts, ends)
        if joined and not np.isfinite(paths.distances).all():
            raise ValueError("x and y must lie on one connected piece of the mesh, and no path joins some of them.")
        return x, y, starts, ends, paths

    def _log(self, x: Tensor, y: Tensor) -> Tensor:
        x, y, _, _, paths = self._paths(x, y)
        flat = paths.distances[:, None] * np.stack([np.cos(paths.departures), np.sin(paths.departures)], axis=1)
        vectors = np.einsum("ka,kai->ki", flat, self.surface.frames[paths.from_faces, :2])
        if not differentiable(x, y):
            return like(vectors, x)
        back = self._carry(paths.to_faces, paths.from_faces, paths.departures - paths.arrivals)
        stay = -self._carry(paths.from_faces, paths.from_faces, np.zeros(len(flat)))
        return with_slopes(vectors, x, (back, y), (stay, x))

    def _dist(self, x: Tensor, y: Tensor) -> Tensor:
        if differentiable(x, y):
            return safe_sqrt(self._squared_dist(x, y))
        x, _, _, _, paths = self._paths(x, y, joined=False)
        return torch.from_numpy(paths.distances).to(x.device, x.dtype).reshape(x.shape[:-1])

    def _squared_dist(self, x: Tensor, y: Tensor) -> Tensor:
        return self._log(x, y).square().sum(-1) if differentiable(x, y) else self._dist(x, y).square()

    def _transport(self, x: Tensor, y: Tensor, v: Tensor) -> Tensor:
        x, y, v = torch.broadcast_tensors(x, y, v)
        x, y, starts, _, paths = self._paths(x, y)
        faces = self._facing(starts, rows_of(v), max(AT_EDGE, tolerances(x.dtype).belongs))
        matrices = self._carry(paths.from_faces, paths.to_faces, paths.arrivals - paths.departures)
        matrices = matrices @ hinges(self.face_normals[faces], self.face_normals[paths.from_faces])
        moved = torch.from_numpy(matrices).reshape(*x.shape[:-1], 3, 3) @ v.double().cpu().unsqueeze(-1)
        return moved.squeeze(-1).to(v.device, v.dtype)

    def _geodesic(self, x: Tensor, y: Tensor, t: Tensor) -> Tensor:
        """Follow the path; beyond its ends, and where it bends around no vertex, go straight."""
        starts, ends = torch.broadcast_tensors(x, y)
        straight = self._exp(x, self._scale(t, x) * self._log(x, y))
        bent = torch.from_numpy(self._paths(x, y)[-1].bent).reshape(starts.shape[:-1])
        if not bool(bent.any()):
            return straight
        bent, times = torch.broadcast_tensors(bent, t.detach().cpu())
        rows = bent & (times >= 0.0) & (times <= 1.0)
        for row in torch.nonzero(rows):
            index = tuple(int(i) for i in row)
            pair = (rows_of(z.expand(straight.shape)[index])[0] for z in (starts, ends))
            straight[index] = torch.from_numpy(point_along(self.geodesic_path(*pair), float(times[index]))).to(x)
        return straight

    def _project(self, x: Tensor) -> Tensor:
        places = self._locate(x)
        if not differentiable(x):
            return like(places.points, x)
        return with_slopes(places.points, x, (self._nearby(places), x))

    def _nearby(self, places: Places) -> np.ndarray:
        """Return the derivatives (k, 3, 3) of nearest points: onto the triangle, the edge, or nothing at a vertex."""
        frames, inner = self.surface.frames[places.faces], places.weights > 0
        slopes = np.einsum("kai,kaj->kij", frames[:, :2], frames[:, :2])
        corners = self.surface.vertices[self.surface.faces[places.faces]]
        outer = (~inner).argmax(axis=1)
        rows = np.arange(len(outer))
        edges = corners[rows, (outer + 1) % 3] - corners[rows, (outer + 2) % 3]
        edges /= np.linalg.norm(edges, axis=1, keepdims=True)
        on_edge = inner.sum(axis=1) == 2
        slopes[on_edge] = np.einsum("ki,kj->kij", edges, edges)[on_edge]
        slopes[inner.sum(axis=1) == 1] = 0.0
        return slopes

    def _project_tangent(self, x: Tensor, v: Tensor) -> Tensor:
        x, v = torch.broadcast_tensors(x, v)
        faces = self._facing(self._locate(x), rows_of(v), max(AT_EDGE, tolerances(x.dtype).belongs))
        normals = torch.from_numpy(self.face_normals[faces]).reshape(x.shape).to(v.device)
        wide = v.double()
        return (wide - (wide * normals).sum(-1, keepdim=True) * normals).to(v.dtype)

    def _egrad_to_rgrad(self, x: Tensor, gradient: Tensor) -> Tensor:
        return self._project_tangent(x, gradient)

    def _frame(self, x: Tensor) -> Tensor:
        frames = self.surface.frames[self._locate(x).faces, :2]
        return torch.from_numpy(frames).reshape(*x.shape[:-1], 2, 3).to(x.device, x.dtype)

    def _origin(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        """Return the middle of the first triangle."""
        return torch.from_numpy(self.surface.vertices[self.surface.faces[0]].mean(axis=0)).to(device, dtype)

    def _random_uniform(
        self, size: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype, device: torch.device
    ) -> Tensor:
        numbers = torch.rand((*size, 3), generator=generator, dtype=torch.float64, device=device)
        pick, root, part = numbers.cpu().numpy().reshape(-1, 3).T
        ends = np.cumsum(self.surface.areas)
        faces = np.minimum(np.searchsorted(ends, pick * ends[-1], side="right"), len(ends) - 1)
        root = np.sqrt(root)
        weights = np.stack([1.0 - root, root * (1.0 - part), root * part], axis=1)
        points = np.einsum("kc,kci->ki", weights, self.surface.vertices[self.surface.faces[faces]])
        return torch.from_numpy(points).reshape(*size, 3).to(device, dtype)

    def _log_volume_element(self, x: Tensor, v: Tensor) -> Tensor:
        return torch.zeros_like((x * v).sum(-1))

    def _log_volume(self) -> float:
        return math.log(self.area)

    def _heat_kernel(self, x: Tensor, y: Tensor, s: Tensor) -> Tensor:
        count = min(self.n_eigenpairs, self.n_vertices - 1)
        values, vectors = self.eigenpairs(count)
        shortest = 2.0 * math.log(1.0 / FADED) / float(values[-1])
        if count < self.n_vertices - 1 and bool((s < shortest).any()):
            raise ValueError(
                f"s must be at least {shortest:.3g} for a heat kernel of {count} eigenfunctions, got {float(s.min())}; "
                "raise n_eigenpairs of the mesh."
            )
        waves = []
        for points in (x, y):
            places = self._locate(points)
            at_corners = vectors[self.surface.faces[places.faces]]
            waves.append(
                torch.from_numpy(np.einsum("kc,kcw->kw", places.weights, at_corners)).reshape(*points.shape[:-1], count)
            )
        decay = torch.exp(-0.5 * torch.from_numpy(values) * s.double().cpu().unsqueeze(-1))
        return (waves[0] * waves[1] * decay).sum(-1).to(x.device, x.dtype)

    def _log_heat_kernel(self, x: Tensor, y: Tensor, s: Tensor) -> Tensor:
        return self._heat_kernel(x, y, s).log()

    def extra_repr(self) -> str:
        """Return the numbers of vertices and triangles."""
        return f"{self.n_vertices} vertices, {self.n_faces} faces"
