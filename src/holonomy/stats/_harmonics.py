"""Eigenfunctions of the Laplacian where they are known, and of meshes and graphs by sparse solvers.

All are normalised so that the mean of their squares over the domain is 1; the constant is left out. Those of one
eigenvalue stand together, and their ``spaces`` are numbered.
"""

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import eigsh, splu

from holonomy._core.validation import as_numpy
from holonomy.graphs import connected_components, laplacian
from holonomy.manifolds.meshes import Mesh

SAME_EIGENVALUE = 1e-6
"""Relative gap below which two computed eigenvalues count as one."""
DENSE_UP_TO = 1000
"""Number of nodes up to which a graph's eigenvectors come from a dense solver."""


class Harmonics(ABC):
    """Eigenfunctions of a domain.

    Attributes
    ----------
    eigenvalues : ndarray, shape (L,)
        Positive, ascending.
    spaces : ndarray of int, shape (L,)
        Number of the eigenspace of each.
    support : ndarray or None
        The points that columns of histograms stand for, where the domain has such.
    """

    eigenvalues: np.ndarray
    spaces: np.ndarray

    @abstractmethod
    def points(self, given: Any, name: str) -> np.ndarray:
        """Return points of the domain, one a row, or raise naming what is wrong."""

    @abstractmethod
    def values(self, points: np.ndarray) -> np.ndarray:
        """Return the eigenfunctions at points, (k, L)."""

    def bins(self, n: int) -> np.ndarray:
        """Return the points that n columns of a histogram stand for."""
        raise TypeError(f"support must say where the {n} columns of the histograms are, for this domain has no order.")


def whole_spaces(sizes: np.ndarray, n_slices: int) -> int:
    """Return how many eigenspaces of these sizes fit into ``n_slices``, at least one."""
    return max(int(np.searchsorted(np.cumsum(sizes), n_slices, side="right")), 1)


class Line(Harmonics):
    """The interval [low, high] with cosines, or the circle of a period with cosines and sines."""

    def __init__(self, n_slices: int, low: float, high: float, *, periodic: bool, wanted: bool = True) -> None:
        self.low, self.high, self.periodic = low, high, periodic
        per = 2 if periodic else 1
        count = max(n_slices // per, 1) if wanted else n_slices
        self.step = (2.0 if periodic else 1.0) * math.pi / (high - low)
        self.orders = np.repeat(np.arange(1, count + 1), per)
        self.eigenvalues = (self.step * self.orders) ** 2
        self.spaces = self.orders - 1

    def points(self, given: Any, name: str) -> np.ndarray:
        """Return numbers (k,); those of an interval must lie inside."""
        rows = _floats(given, name)
        if rows.ndim == 2 and rows.shape[1] == 1:
            rows = rows[:, 0]
        if rows.ndim != 1:
            raise ValueError(f"{name} must hold numbers, shape (k,), got {rows.shape}.")
        if not self.periodic and len(rows) and (rows.min() < self.low or rows.max() > self.high):
            raise ValueError(f"{name} must lie in [{self.low:g}, {self.high:g}], got {rows.min():g} to {rows.max():g}.")
        return rows

    def values(self, points: np.ndarray) -> np.ndarray:
        """Return sqrt(2) cos and, on a circle, sqrt(2) sin."""
        angle = self.step * (points[:, None] - (0.0 if self.periodic else self.low)) * self.orders
        if not self.periodic:
            return math.sqrt(2.0) * np.cos(angle)
        even = np.arange(len(self.orders)) % 2 == 0
        return math.sqrt(2.0) * np.where(even, np.cos(angle), np.sin(angle))

    def bins(self, n: int) -> np.ndarray:
        """Return the middles of n equal bins."""
        return self.low + (np.arange(n) + 0.5) * (self.high - self.low) / n


class PlaneCircle(Line):
    """The circle as points (k, 2) of the plane."""

    def __init__(self, n_slices: int, radius: float, wanted: bool = True) -> None:
        super().__init__(n_slices, 0.0, 2.0 * math.pi, periodic=True, wanted=wanted)
        self.eigenvalues = self.eigenvalues / radius**2

    def points(self, given: Any, name: str) -> np.ndarray:
        """Return the angles of vectors (k, 2)."""
        rows = _columns(given, name, 2)
        return np.arctan2(rows[:, 1], rows[:, 0])


class SphereHarmonics(Harmonics):
    """The sphere in three dimensions with real spherical harmonics."""

    def __init__(self, n_slices: int, radius: float = 1.0) -> None:
        degrees = whole_spaces(2 * np.arange(1, n_slices + 1) + 1, n_slices)
        self.degree, self.radius = degrees, radius
        orders = np.repeat(np.arange(1, degrees + 1), 2 * np.arange(1, degrees + 1) + 1)
        self.eigenvalues, self.spaces = orders * (orders + 1.0) / radius**2, orders - 1

    def points(self, given: Any, name: str) -> np.ndarray:
        """Return unit vectors for points (k, 3) on the sphere."""
        rows = _columns(given, name, 3)
        lengths = np.linalg.norm(rows, axis=1)
        if not np.allclose(lengths, self.radius, rtol=1e-4):
            raise ValueError(
                f"{name} must be vectors of length {self.radius:g}, got {lengths.min()} to {lengths.max()}."
            )
        return rows / lengths[:, None]

    def values(self, points: np.ndarray) -> np.ndarray:
        """Return harmonics of degree 1, 2, ..., of each the orders -l to l, with mean square 1."""
        return spherical_harmonics(points, self.degree)


def spherical_harmonics(points: np.ndarray, degree: int) -> np.ndarray:
    """Return real spherical harmonics (k, (degree + 1)^2 - 1) of degrees 1 to ``degree`` at unit vectors (k, 3).

    By the stable recurrence for normalised associated Legendre functions. Their mean square over the sphere is 1.
    """
    x, y, z = points.T
    columns: dict[tuple[int, int], np.ndarray] = {}
    wave = np.ones(len(points), dtype=complex)  # (x + i y)^m: the sine of the polar angle is in it already
    front = np.ones(len(points))
    for m in range(degree + 1):
        if m:
            wave = wave * (x + 1j * y)
            front = front * math.sqrt((2.0 * m + 1.0) / (2.0 * m))
        before, now = np.zeros(len(points)), front
        for l in range(m, degree + 1):  # noqa: E741
            scale = math.sqrt(2.0) if m else 1.0
            columns[l, m] = scale * now * wave.real
            if m:
                columns[l, -m] = scale * now * wave.imag
            up = math.sqrt((4.0 * (l + 1) ** 2 - 1.0) / ((l + 1) ** 2 - m * m))
            down = math.sqrt(max(l * l - m * m, 0) / (4.0 * l * l - 1.0)) if l else 0.0
            before, now = now, up * (z * now - down * before)
    return np.stack([columns[n, m] for n in range(1, degree + 1) for m in range(-n, n + 1)], axis=1)


class ProductHarmonics(Harmonics):
    """A product of domains: products of eigenfunctions, whose eigenvalues add up.

    Points are columns side by side, as many for each factor as ``widths`` says.
    """

    def __init__(self, n_slices: int, factors: list[Harmonics], widths: list[int]) -> None:
        self.factors, self.widths = factors, widths
        choices: list[tuple[int, ...]] = [()]
        totals = [0.0]
        for factor in factors:
            numbers = range(-1, len(np.unique(factor.spaces)))
            first = [0.0, *(factor.eigenvalues[factor.spaces == s][0] for s in range(factor.spaces[-1] + 1))]
            choices = [(*c, s) for c in choices for s in numbers]
            totals = [t + first[s + 1] for t in totals for s in numbers]
        order = np.argsort(totals, kind="stable")[1:]
        eigenvalues, self._pairs = [], []
        for number in order:
            chosen = zip(factors, choices[number], strict=True)
            members = [[-1] if s < 0 else list(np.flatnonzero(f.spaces == s)) for f, s in chosen]
            grids = np.stack([g.ravel() for g in np.meshgrid(*members, indexing="ij")], axis=1)
            self._pairs += [tuple(row) for row in grids]
            eigenvalues += [totals[number]] * len(grids)
        values = np.array(eigenvalues)
        spaces = number_spaces(values, 1e-9)
        kept = np.flatnonzero(spaces < whole_spaces(np.bincount(spaces), n_slices))
        self._pairs = [self._pairs[i] for i in kept]
        self.eigenvalues, self.spaces = values[kept], spaces[kept]

    def points(self, given: Any, name: str) -> np.ndarray:
        """Return checked points of all factors, side by side."""
        rows = _columns(given, name, sum(self.widths))
        starts = np.cumsum([0, *self.widths])
        parts = [f.points(rows[:, a:b], name) for f, a, b in zip(self.factors, starts, starts[1:], strict=False)]
        return np.column_stack(parts)

    def values(self, points: np.ndarray) -> np.ndarray:
        """Multiply the eigenfunctions of the factors."""
        parts, start = [], 0
        for factor in self.factors:
            width = 3 if isinstance(factor, SphereHarmonics) else 1
            columns = points[:, start : start + width]
            inside = factor.values(columns if width > 1 else columns[:, 0])
            parts.append(np.column_stack([inside, np.ones(len(points))]))  # the last column, -1, is the constant
            start += width
        return np.prod([part[:, [p[i] for p in self._pairs]] for i, part in enumerate(parts)], axis=0)


class MeshHarmonics(Harmonics):
    """A triangle mesh; points are anywhere on it, and the columns of histograms are its vertices."""

    def __init__(self, n_slices: int, mesh: Mesh) -> None:
        _refuse_pieces(mesh.n_pieces, "mesh")
        _refuse_beyond(n_slices, mesh.n_vertices - 1, "vertices")
        self._mesh = mesh
        more = min(n_slices + 12, mesh.n_vertices - 1)
        values, vectors = mesh.eigenpairs(more)
        self.eigenvalues, self.spaces, kept = complete_spaces(values[1:], n_slices, more == mesh.n_vertices - 1)
        self._at_vertices = vectors[:, 1:][:, kept] * math.sqrt(mesh.area)

    def points(self, given: Any, name: str) -> np.ndarray:
        """Return points (k, 3)."""
        return _columns(given, name, 3)

    def values(self, points: np.ndarray) -> np.ndarray:
        """Interpolate over the nearest triangles; rows (k,) of integers are vertices."""
        return (
            self._at_vertices[points] if points.dtype.kind == "i" else self._mesh.interpolate(self._at_vertices, points)
        )

    def bins(self, n: int) -> np.ndarray:
        """Return the vertices."""
        return _nodes(n, self._mesh.n_vertices, "vertices of the mesh")


class GraphHarmonics(Harmonics):
    """A weighted graph; points are node numbers, and the columns of histograms are the nodes."""

    def __init__(self, n_slices: int, adjacency: Any, normalization: str) -> None:
        weights = laplacian(adjacency, "combinatorial")
        self.n_nodes = weights.shape[0]
        _refuse_pieces(connected_components(adjacency)[0], "graph")
        _refuse_beyond(n_slices, self.n_nodes - 1, "nodes")
        degrees = weights.diagonal() if normalization == "random_walk" else np.ones(self.n_nodes)
        count = min(n_slices + 13, self.n_nodes)
        values, vectors = _graph_eigenpairs(weights, degrees, count)
        self.eigenvalues, self.spaces, kept = complete_spaces(values[1:], n_slices, count == self.n_nodes)
        self._at_nodes = vectors[:, 1:][:, kept] * math.sqrt(degrees.sum())

    def points(self, given: Any, name: str) -> np.ndarray:
        """Return node numbers (k,)."""
        rows = np.asarray(as_numpy(given))
        if rows.dtype.kind not in "iu" or rows.ndim != 1:
            raise TypeError(f"{name} must hold node numbers, integers of shape (k,), got {rows.dtype} {rows.shape}.")
        if len(rows) and (rows.min() < 0 or rows.max() >= self.n_nodes):
            raise ValueError(f"{name} must be nodes 0 to {self.n_nodes - 1}, got {rows.min()} to {rows.max()}.")
        return rows

    def values(self, points: np.ndarray) -> np.ndarray:
        """Return the entries of the eigenvectors."""
        return self._at_nodes[points]

    def bins(self, n: int) -> np.ndarray:
        """Return the nodes."""
        return _nodes(n, self.n_nodes, "nodes of the graph")


def _graph_eigenpairs(weights: sparse.csr_array, degrees: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k smallest pairs of L v = lambda D v, D-orthonormal."""
    n = weights.shape[0]
    if n <= DENSE_UP_TO or k > n // 2:
        return linalg.eigh(weights.toarray(), np.diag(degrees), subset_by_index=(0, k - 1))
    mass = sparse.diags_array(degrees).tocsc()
    shift = 1e-6 * float(weights.diagonal().mean() / degrees.mean())
    factor = splu((weights + shift * mass).tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    inverse = sparse.linalg.LinearOperator(weights.shape, matvec=factor.solve, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(n)
    values, vectors = eigsh(weights, k=k, M=mass, sigma=-shift, v0=start, OPinv=inverse, tol=0.0)
    order = np.argsort(values, kind="stable")
    return values[order], vectors[:, order]


def complete_spaces(values: np.ndarray, n_slices: int, all_known: bool) -> tuple[np.ndarray, np.ndarray, slice]:
    """Keep whole eigenspaces, at most ``n_slices`` functions but at least one space; the last one may be cut off."""
    spaces = number_spaces(values, SAME_EIGENVALUE)
    sizes = np.bincount(spaces)
    if not all_known and len(sizes) > 1:
        sizes = sizes[:-1]
    count = int(sizes[: whole_spaces(sizes, n_slices)].sum())
    return values[:count], spaces[:count], slice(count)


def number_spaces(values: np.ndarray, tolerance: float) -> np.ndarray:
    """Give equal values of an ascending row one number, counted up."""
    return np.concatenate([[0], np.cumsum(np.diff(values) > tolerance * values[1:])]).astype(np.int64)


def _refuse_pieces(n_pieces: int, kind: str) -> None:
    if n_pieces > 1:
        raise ValueError(
            f"domain must be connected, and this {kind} has {n_pieces} components: its eigenvalue 0 comes {n_pieces} "
            "times, and no function compares mass across components. Take one component, or join them."
        )


def _refuse_beyond(n_slices: int, most: int, kind: str) -> None:
    if n_slices > most:
        raise ValueError(f"n_slices must be at most {most}, one less than there are {kind}, got {n_slices}.")


def _nodes(n: int, expected: int, what: str) -> np.ndarray:
    if n != expected:
        raise ValueError(f"histograms must have a column for each of the {expected} {what}, got {n}.")
    return np.arange(n)


def _floats(given: Any, name: str) -> np.ndarray:
    rows = np.asarray(as_numpy(given))
    if rows.dtype.kind not in "fiu":
        raise TypeError(f"{name} must hold real numbers, got {rows.dtype}.")
    rows = rows.astype(np.float64)
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} holds NaN or infinity.")
    return rows


def _columns(given: Any, name: str, width: int) -> np.ndarray:
    rows = _floats(given, name)
    if rows.ndim != 2 or rows.shape[1] != width:
        raise ValueError(f"{name} must have shape (k, {width}), got {rows.shape}.")
    return rows
