"""What a mesh offers to functions on it: areas, normals, operators, spectra, and distances from vertices."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from holonomy._core.memory import check_memory
from holonomy._core.validation import as_numpy, check_float, check_int, check_option
from holonomy.manifolds.meshes.delaunay import delaunay
from holonomy.manifolds.meshes.exact import ExactGeodesics
from holonomy.manifolds.meshes.heat import HeatSolver
from holonomy.manifolds.meshes.operators import (
    MeshLaplacian,
    MeshSpectrum,
    gradient_matrix,
    mass_matrix,
    smallest_eigenpairs,
    stiffness_matrix,
    vertex_areas,
    vertex_normals,
)
from holonomy.manifolds.meshes.surface import Surface

CONDITIONS = ("neumann", "dirichlet")


class MeshFunctions:
    """Functions given by one value a vertex, linear over each triangle, as NumPy arrays.

    What is costly is worked out when it is first asked for, and kept.
    """

    surface: Surface

    @property
    def n_vertices(self) -> int:
        """Number of vertices."""
        return len(self.surface.vertices)

    @property
    def n_faces(self) -> int:
        """Number of triangles."""
        return len(self.surface.faces)

    @property
    def n_pieces(self) -> int:
        """Number of connected pieces."""
        return int(self.surface.pieces.max()) + 1

    @property
    def on_boundary(self) -> np.ndarray:
        """Whether each vertex lies on the boundary, (n,)."""
        return self.surface.on_boundary

    @property
    def area(self) -> float:
        """Area of the whole surface."""
        return float(self.surface.areas.sum())

    @property
    def face_areas(self) -> np.ndarray:
        """Areas of the triangles, (m,)."""
        return self.surface.areas

    @property
    def face_normals(self) -> np.ndarray:
        """Unit normals of the triangles, (m, 3)."""
        return self.surface.frames[:, 2]

    @property
    def vertex_areas(self) -> np.ndarray:
        """A third of the area around each vertex, (n,)."""
        return vertex_areas(self.surface, self.n_vertices)

    @property
    def vertex_normals(self) -> np.ndarray:
        """Unit normals at the vertices, (n, 3): means over the triangles, weighted by their angles."""
        return vertex_normals(self.surface)

    @property
    def angle_defects(self) -> np.ndarray:
        """Curvature held by each vertex, (n,): what its angles lack of 2 pi, or of pi on the boundary.

        On a connected surface they sum to 2 pi times the Euler characteristic.
        """
        return np.where(self.on_boundary, math.pi, 2.0 * math.pi) - self.surface.totals

    def laplacian(self, *, lumped: bool = True, intrinsic: bool = False) -> MeshLaplacian:
        """Return stiffness and mass of the Laplace-Beltrami operator, sparse (n, n).

        Parameters
        ----------
        lumped : bool, default True
            Whether the mass is a diagonal of vertex areas instead of the integrals of products of hat functions.
        intrinsic : bool, default False
            Whether to use the intrinsic Delaunay triangulation: only edges of the boundary have negative weights then.

        Returns
        -------
        MeshLaplacian
            ``stiffness`` (cotangent weights, positive semi-definite, rows sum to 0) and ``mass``. The boundary is
            insulated, as far as nothing else is asked of the functions.
        """
        triangles = delaunay(self.surface) if intrinsic else self.surface
        n = self.n_vertices
        return MeshLaplacian(stiffness_matrix(triangles, n), mass_matrix(triangles, n, lumped))

    def eigenpairs(self, k: int, *, boundary: str = "neumann", lumped: bool = True) -> MeshSpectrum:
        """Return the k smallest eigenpairs of the Laplace-Beltrami operator.

        Parameters
        ----------
        k : int
            At least 1, and below the number of vertices (of inner ones, where the boundary is fixed).
        boundary : {"neumann", "dirichlet"}, default "neumann"
            Whether the boundary is insulated, or functions vanish on it.
        lumped : bool, default True
            As in :meth:`laplacian`.

        Returns
        -------
        MeshSpectrum
            ``values`` (k,), ascending, and ``vectors`` (n, k), orthonormal under the mass; the entry of largest
            absolute value is positive.

        Raises
        ------
        TypeError, ValueError
            If k or the boundary condition is not possible.
        """
        check_option(boundary, "boundary", CONDITIONS)
        fixed = self.on_boundary if boundary == "dirichlet" else None
        most = self.n_vertices - (1 if fixed is None else int(fixed.sum()))
        count = check_int(k, "k", minimum=1, maximum=max(most, 1))
        if most < 1:
            raise ValueError("boundary must not be 'dirichlet' where every vertex lies on the boundary.")
        key = (boundary, bool(lumped))
        kept = self._kept("spectra", dict)
        if key not in kept or len(kept[key].values) < count:
            kept[key] = smallest_eigenpairs(*self.laplacian(lumped=lumped), count, fixed)
        return MeshSpectrum(kept[key].values[:count].copy(), kept[key].vectors[:, :count].copy())

    def gradient(self, values: ArrayLike) -> np.ndarray:
        """Return gradients in the triangles, (m, 3), of values at the vertices (n,); or (m, 3, c) of (n, c)."""
        given = self._vertex_values(values, "values")
        slopes = self._kept("gradient", lambda: gradient_matrix(self.surface)) @ given
        return slopes.reshape(self.n_faces, 3, *given.shape[1:])

    def divergence(self, fields: ArrayLike) -> np.ndarray:
        """Return the divergence at the vertices, (n,), of one vector for each triangle, (m, 3).

        Times the vertex areas it is minus the adjoint of the gradient: the divergence of the gradient of u is
        ``-stiffness @ u / vertex_areas``.
        """
        given = np.asarray(as_numpy(fields), dtype=np.float64)
        if given.shape != (self.n_faces, 3) or not np.isfinite(given).all():
            raise ValueError(f"fields must be finite with shape ({self.n_faces}, 3), got {given.shape}.")
        matrix = self._kept("gradient", lambda: gradient_matrix(self.surface))
        return -(matrix.T @ (given * self.surface.areas[:, None]).ravel()) / self.vertex_areas

    def heat_distances(self, sources: ArrayLike, *, separately: bool = False, time: float | None = None) -> np.ndarray:
        """Return distances of all vertices from sources by the heat method: approximate, and fast once factorised.

        Parameters
        ----------
        sources : int or array-like of int, shape (s,)
            Vertices.
        separately : bool, default False
            Whether each source gets a row of distances, instead of all the distance to the nearest.
        time : float, optional
            How long heat flows; by default the squared mean length of edges. Longer is smoother and less exact.

        Returns
        -------
        ndarray, shape (n,) or (s, n)
            At least 0; infinite on pieces without a source.

        Raises
        ------
        TypeError, ValueError
            If there is no source, a source is no vertex, or the time is not positive.

        References
        ----------
        Crane, Weischedel, Wardetzky (2013). Geodesics in heat. ACM Transactions on Graphics 32(5).
        """
        rows = self._sources(sources, separately)
        duration = float(self.surface.lengths.mean() ** 2) if time is None else check_float(time, "time", minimum=0.0)
        if duration == 0.0:
            raise ValueError("time must be positive, got 0.")
        solvers = self._kept("heat", dict)
        if duration not in solvers:
            solvers.clear()
            solvers[duration] = HeatSolver(self.surface, duration)
        distances = solvers[duration].distances(rows)
        return distances if separately else distances[0]

    def exact_distances(self, sources: ArrayLike, *, separately: bool = False) -> np.ndarray:
        """Return geodesic distances of all vertices from sources, exact up to rounding, by propagation of windows.

        Parameters
        ----------
        sources : int or array-like of int, shape (s,)
            Vertices.
        separately : bool, default False
            Whether each source gets a row of distances, instead of all the distance to the nearest.

        Returns
        -------
        ndarray, shape (n,) or (s, n)
            Infinite on pieces without a source.

        Raises
        ------
        TypeError, ValueError
            If there is no source, or a source is no vertex.

        References
        ----------
        Chen, Han (1990). Shortest paths on a polyhedron. Symposium on Computational Geometry.
        Xin, Wang (2009). Improving Chen and Han's algorithm on the discrete geodesic problem. ACM Transactions on
        Graphics 28(4).
        """
        rows = self._sources(sources, separately)
        return (
            np.stack([self._exact.from_vertices(row) for row in rows])
            if separately
            else self._exact.from_vertices(rows[0])
        )

    @property
    def _exact(self) -> ExactGeodesics:
        return self._kept("exact", lambda: ExactGeodesics(self.surface))

    def _kept(self, name: str, make: Any) -> Any:
        """Return what was kept under a name, made now if it was not."""
        store = self.__dict__.setdefault("_store", {})
        if name not in store:
            store[name] = make()
        return store[name]

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what can be worked out again; factorisations cannot be copied."""
        return {name: value for name, value in self.__dict__.items() if name != "_store"}

    def _vertex_values(self, values: ArrayLike, name: str) -> np.ndarray:
        given = np.asarray(as_numpy(values), dtype=np.float64)
        if given.ndim not in (1, 2) or len(given) != self.n_vertices or not np.isfinite(given).all():
            raise ValueError(
                f"{name} must be finite with shape ({self.n_vertices},) or ({self.n_vertices}, c), got {given.shape}."
            )
        return given

    def _sources(self, sources: ArrayLike, separately: bool) -> list[np.ndarray]:
        """Return sets of source vertices, one for each row of distances."""
        given = np.asarray(as_numpy(sources))
        if given.size and given.dtype.kind not in "iu":
            raise TypeError(f"sources must hold integers, got {given.dtype}.")
        rows = np.atleast_1d(given).astype(np.int64)
        if rows.ndim != 1 or not len(rows):
            raise ValueError(f"sources must be one vertex or a list of at least one, got shape {given.shape}.")
        if rows.min() < 0 or rows.max() >= self.n_vertices:
            raise ValueError(f"sources must be vertices 0 to {self.n_vertices - 1}, got {rows.min()} to {rows.max()}.")
        if separately:
            check_memory(64.0 * len(rows) * self.n_faces, "distances from each source", "Take fewer sources at once.")
            return list(rows[:, None])
        return [np.unique(rows)]
