"""Distances from heat: where it came from tells the direction, and directions integrate to distances."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu

from holonomy.manifolds.meshes.delaunay import delaunay
from holonomy.manifolds.meshes.operators import plane_gradients, stiffness_matrix, vertex_areas
from holonomy.manifolds.meshes.surface import Surface


class HeatSolver:
    """The heat method with everything factorised that does not depend on the source.

    Works on the intrinsic Delaunay triangulation, for heat stays positive there. On a surface with a boundary heat is
    the mean of that with an insulated and that with a cold boundary.

    Parameters
    ----------
    surface : Surface
    time : float
        How long heat flows; about the square of the spacing of the vertices.
    """

    def __init__(self, surface: Surface, time: float) -> None:
        n, triangles = len(surface.vertices), delaunay(surface)
        stiffness = stiffness_matrix(triangles, n)
        warmth = sparse.csr_array(sparse.diags_array(vertex_areas(triangles, n)) + time * stiffness)
        self._inside = [np.arange(n)]
        if surface.on_boundary.any() and not surface.on_boundary.all():
            self._inside.append(np.flatnonzero(~surface.on_boundary))
        self._warm = [_factor(warmth[inner][:, inner]) for inner in self._inside]
        self._gradient = plane_gradients(triangles, n)
        self._flux = sparse.csr_array(self._gradient.T @ sparse.diags_array(np.repeat(triangles.areas, 2)))
        # A potential is determined up to a constant on each piece: one vertex of each is held at 0.
        self._free = np.setdiff1d(np.arange(n), np.unique(surface.pieces, return_index=True)[1])
        self._potential = _factor(stiffness[self._free][:, self._free])
        self._pieces = surface.pieces

    def distances(self, sources: list[np.ndarray]) -> np.ndarray:
        """Return distances (m, n) to the nearest of each set of source vertices; infinite on other pieces."""
        n, m = len(self._pieces), len(sources)
        heat = np.zeros((n, m))
        for column, rows in enumerate(sources):
            heat[rows, column] = 1.0
        flow = np.zeros((n, m))
        for factor, inner in zip(self._warm, self._inside, strict=True):
            flow[inner] += _solved(factor, heat[inner])
        slopes = (self._gradient @ flow).reshape(-1, 2, m)
        steepness = np.linalg.norm(slopes, axis=1, keepdims=True)
        directions = -slopes / np.where(steepness > 0, steepness, 1.0)
        divergence = self._flux @ directions.reshape(-1, m)
        potential = np.zeros((n, m))
        potential[self._free] = _solved(self._potential, divergence[self._free])
        return self._shifted(potential, sources)

    def _shifted(self, potential: np.ndarray, sources: list[np.ndarray]) -> np.ndarray:
        """Let the least value on each piece that holds a source be 0."""
        distances = np.full(potential.T.shape, np.inf)
        for row, vertices in enumerate(sources):
            for piece in np.unique(self._pieces[vertices]):
                members = self._pieces == piece
                values = potential[members, row]
                distances[row, members] = values - values.min()
        return distances


def _solved(factor: SuperLU, columns: np.ndarray) -> np.ndarray:
    """Solve column by column, so that none depends on which others there are."""
    return np.stack([factor.solve(np.ascontiguousarray(column)) for column in columns.T], axis=1)


def _factor(matrix: sparse.sparray) -> SuperLU:
    """Factorise a symmetric positive definite matrix."""
    return splu(
        sparse.csc_array(matrix), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
    )
