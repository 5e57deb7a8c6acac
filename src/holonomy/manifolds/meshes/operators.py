"""Differential operators of a mesh on functions that are linear over each triangle."""

from typing import NamedTuple, Protocol

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import eigsh, splu

from holonomy.manifolds.meshes.surface import Surface

DENSE_UP_TO = 400
"""Number of vertices up to which eigenpairs come from a dense solver."""


class MeshLaplacian(NamedTuple):
    """The Laplace-Beltrami operator ``mass^-1 stiffness``, with eigenvalues that are not negative.

    Attributes
    ----------
    stiffness : csr_array, shape (n, n)
        Cotangent weights: ``u @ stiffness @ u`` is the integral of the squared gradient of u.
    mass : csr_array, shape (n, n)
        ``u @ mass @ u`` is the integral of u^2.
    """

    stiffness: sparse.csr_array
    mass: sparse.csr_array


class MeshSpectrum(NamedTuple):
    """Smallest eigenpairs of the Laplace-Beltrami operator.

    Attributes
    ----------
    values : ndarray, shape (k,)
        Ascending, the first 0 for each connected piece.
    vectors : ndarray, shape (n, k)
        Values at the vertices; orthonormal under the mass matrix.
    """

    values: np.ndarray
    vectors: np.ndarray


class Triangles(Protocol):
    """Triangles given by their sides alone, or lying in space: see ``Surface``."""

    @property
    def faces(self) -> np.ndarray:
        """As of ``Surface``."""
        ...

    @property
    def lengths(self) -> np.ndarray:
        """As of ``Surface``."""
        ...

    @property
    def apexes(self) -> np.ndarray:
        """As of ``Surface``."""
        ...

    @property
    def areas(self) -> np.ndarray:
        """As of ``Surface``."""
        ...


def plane_gradients(triangles: Triangles, n: int) -> sparse.csr_array:
    """Return the matrix (2 m, n) from values at n vertices to gradients in the frames of the triangles."""
    m = len(triangles.faces)
    corners = np.zeros((m, 3, 2))
    corners[:, 1, 0], corners[:, 2] = triangles.lengths[::3], triangles.apexes[::3]
    opposite = corners[:, [2, 0, 1]] - corners[:, [1, 2, 0]]
    turned = np.stack([-opposite[..., 1], opposite[..., 0]], axis=-1) / (2.0 * triangles.areas[:, None, None])
    rows = np.broadcast_to(2 * np.arange(m)[:, None, None] + np.arange(2), (m, 3, 2))
    columns = np.broadcast_to(triangles.faces[:, :, None], (m, 3, 2))
    return sparse.csr_array((turned.ravel(), (rows.ravel(), columns.ravel())), shape=(2 * m, n))


def gradient_matrix(surface: Surface) -> sparse.csr_array:
    """Return the matrix (3 m, n) that takes values at vertices to gradients in triangles, three coordinates each."""
    axes = sparse.block_diag(list(np.swapaxes(surface.frames[:, :2], 1, 2)), format="csr")
    return sparse.csr_array(axes @ plane_gradients(surface, len(surface.vertices)))


def stiffness_matrix(triangles: Triangles, n: int) -> sparse.csr_array:
    """Return the cotangent matrix (n, n), positive semi-definite with rows that sum to 0."""
    half = 0.5 * triangles.apexes[:, 0] / triangles.apexes[:, 1]  # half the cotangent at the start of each half-edge
    start, end = triangles.faces[:, [1, 2, 0]].ravel(), triangles.faces[:, [2, 0, 1]].ravel()
    own = start == end  # a side that runs from a vertex to itself carries no difference
    weights = sparse.coo_array((half[~own], (start[~own], end[~own])), shape=(n, n)).tocsr()
    weights = sparse.csr_array(weights + weights.T)
    return sparse.csr_array(sparse.diags_array(weights.sum(axis=1)) - weights)


def mass_matrix(triangles: Triangles, n: int, lumped: bool) -> sparse.csr_array:
    """Return the mass matrix: a third of the triangles around each vertex, or the exact integrals of products."""
    if lumped:
        return sparse.csr_array(sparse.diags_array(vertex_areas(triangles, n)))
    own = np.where(np.eye(3, dtype=bool), 1.0 / 6.0, 1.0 / 12.0)
    data = triangles.areas[:, None, None] * own
    rows = np.broadcast_to(triangles.faces[:, :, None], data.shape)
    columns = np.broadcast_to(triangles.faces[:, None, :], data.shape)
    return sparse.csr_array((data.ravel(), (rows.ravel(), columns.ravel())), shape=(n, n))


def vertex_areas(triangles: Triangles, n: int) -> np.ndarray:
    """Return a third of the area of the triangles around each vertex, (n,)."""
    return np.bincount(triangles.faces.ravel(), weights=np.repeat(triangles.areas / 3.0, 3), minlength=n)


def vertex_normals(surface: Surface) -> np.ndarray:
    """Return unit normals at the vertices (n, 3), means of those of the triangles weighted by angle."""
    weighted = surface.corners[:, None] * np.repeat(surface.frames[:, 2], 3, axis=0)
    columns = [np.bincount(surface.faces.ravel(), weights=c, minlength=len(surface.vertices)) for c in weighted.T]
    normals = np.stack(columns, axis=1)
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.where(lengths > 0, lengths, 1.0)


def smallest_eigenpairs(
    stiffness: sparse.csr_array, mass: sparse.csr_array, k: int, fixed: np.ndarray | None
) -> MeshSpectrum:
    """Return the k smallest eigenpairs; functions vanish at the ``fixed`` vertices, if any are given."""
    n = stiffness.shape[0]
    free = np.arange(n) if fixed is None else np.flatnonzero(~fixed)
    a, b = (sparse.csc_array(matrix)[free][:, free] for matrix in (stiffness, mass))
    if len(free) <= DENSE_UP_TO or k > len(free) // 2:
        values, inside = linalg.eigh(a.toarray(), b.toarray(), subset_by_index=(0, k - 1))
    else:
        values, inside = _shift_invert(a, b, k)
    vectors = np.zeros((n, k))
    vectors[free] = inside
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(k)]
    return MeshSpectrum(np.maximum(values, 0.0), vectors * np.where(largest < 0, -1.0, 1.0))


def _shift_invert(a: sparse.csc_array, b: sparse.csc_array, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Run Lanczos on the inverse of ``a + shift b``, the shift far below the first eigenvalue that is not 0."""
    shift = 1e-3 / float(b.sum())  # the first eigenvalue of a surface is a few times the inverse of its area
    start = np.random.default_rng(0).standard_normal(a.shape[0])
    factor = splu((a + shift * b).tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    inverse = sparse.linalg.LinearOperator(a.shape, matvec=factor.solve, dtype=np.float64)
    values, vectors = eigsh(a, k=k, M=b, sigma=-shift, v0=start, OPinv=inverse, tol=0.0)
    order = np.argsort(values, kind="stable")
    return values[order], vectors[:, order]
