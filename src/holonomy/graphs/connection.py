"""Parallel transport between neighbouring tangent spaces, by the orthogonal map that comes closest to projection."""

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse import csgraph

from holonomy._core.citations import references
from holonomy._core.parallel import native_threads
from holonomy._core.validation import check_option
from holonomy.graphs._blocks import run_blocks
from holonomy.graphs._sparse import check_affinity
from holonomy.graphs.tangent import TangentSpaces

GROUPS = ("orthogonal", "special")

WELL_DETERMINED = 0.5
"""Least cosine between two tangent spaces for which the handedness of their alignment is trusted: 60 degrees."""

LARGEST_ALIGNMENT = 1e-6
"""Largest deviation of given alignments from orthogonal matrices that are each other's transposes."""

EDGES_AT_ONCE = 2**14


@dataclass(frozen=True, eq=False)
class Connection:
    """Orthogonal maps between the frames at the two ends of every edge of a weighted graph.

    Attributes
    ----------
    weights : csr_array of float64, shape (n, n)
        Symmetric weights of the edges.
    alignments : ndarray of float64, shape (nnz, m, m)
        ``alignments[e]`` is O_ij of the e-th stored entry (i, j) of ``weights``, row by row: it takes coefficients
        in the frame at j to those in the frame at i. O_ji is its transpose, bit for bit.
    agreement : ndarray of float64, shape (nnz,)
        Cosine of the largest angle between the two tangent spaces, in [0, 1]; near 0 the alignment means little.
        By default 1.
    bases : ndarray, shape (n, d, m), or None
        The frames themselves, where there are any.

    Raises
    ------
    ValueError
        If the shapes do not fit, the weights are not symmetric, or alignments are not orthogonal or not each
        other's transposes.

    Examples
    --------
    A connection may be given: here a triangle around which a frame comes back upside down.

    >>> import numpy as np
    >>> from holonomy.graphs import Connection
    >>> triangle = np.ones((3, 3)) - np.eye(3)
    >>> signs = np.array([1.0, -1, 1, 1, -1, 1])[:, None, None]
    >>> Connection(triangle, signs).transport([0, 1, 2, 0])
    array([[-1.]])
    """

    weights: sparse.csr_array
    alignments: np.ndarray
    agreement: np.ndarray = field(default_factory=lambda: np.empty(0))
    bases: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check that shapes and transposes fit."""
        weights = symmetric_weights(self.weights)
        maps = np.ascontiguousarray(self.alignments, dtype=np.float64)
        if maps.ndim != 3 or maps.shape[0] != weights.nnz or maps.shape[1] != maps.shape[2] or maps.shape[1] < 1:
            raise ValueError(
                f"alignments must have shape ({weights.nnz}, m, m), one for each stored weight, got {maps.shape}."
            )
        agreement = np.asarray(self.agreement, dtype=np.float64)
        agreement = agreement if agreement.size else np.ones(weights.nnz)
        if agreement.shape != (weights.nnz,):
            raise ValueError(f"agreement must have shape ({weights.nnz},), got {agreement.shape}.")
        if self.bases is not None and (
            self.bases.ndim != 3 or self.bases.shape[::2] != (weights.shape[0], maps.shape[1])
        ):
            raise ValueError(f"bases must have shape ({weights.shape[0]}, d, {maps.shape[1]}), got {self.bases.shape}.")
        _check_orthogonal(weights, maps)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "alignments", maps)
        object.__setattr__(self, "agreement", agreement)

    @property
    def n_points(self) -> int:
        """Number of points, n."""
        return self.weights.shape[0]

    @property
    def dim(self) -> int:
        """Dimension of the tangent spaces, m."""
        return self.alignments.shape[1]

    def transport(self, path: ArrayLike) -> np.ndarray:
        """Carry a frame along a path of points, each joined to the next by an edge.

        Parameters
        ----------
        path : array-like of int, shape (l,)
            Points, l >= 1.

        Returns
        -------
        ndarray of float64, shape (m, m)
            Takes coefficients in the frame at the first point to those at the last. Of a closed path this is its
            holonomy; in a frame turned by Q it is ``Q.T @ holonomy @ Q``, so its trace does not depend on frames.

        Raises
        ------
        ValueError
            If two consecutive points share no edge.
        """
        points = np.asarray(path)
        if points.ndim != 1 or len(points) == 0 or not np.issubdtype(points.dtype, np.integer):
            raise ValueError(f"path must be a non-empty list of point indices, got {points!r}.")
        if points.min() < 0 or points.max() >= self.n_points:
            raise ValueError(f"path must lie in [0, {self.n_points}), got {points.min()} to {points.max()}.")
        carried = np.eye(self.dim)
        for here, there in itertools.pairwise(points):
            first, last = self.weights.indptr[there], self.weights.indptr[there + 1]
            edge = first + int(np.searchsorted(self.weights.indices[first:last], here))
            if edge == last or self.weights.indices[edge] != here:
                raise ValueError(f"path steps from point {here} to {there}, but no edge joins them.")
            carried = self.alignments[edge] @ carried
        return carried

    def to_ambient(self, fields: ArrayLike) -> np.ndarray:
        """Turn coefficients of vector fields, (n, m) or (n, m, f), into vectors in the space of the data."""
        values = np.asarray(fields, dtype=np.float64)
        if values.ndim not in (2, 3) or values.shape[:2] != (self.n_points, self.dim):
            raise ValueError(f"fields must have shape ({self.n_points}, {self.dim}[, f]), got {values.shape}.")
        return np.einsum("ndm,nm...->nd...", self._frames(), values)

    def from_ambient(self, vectors: ArrayLike) -> np.ndarray:
        """Project vectors in the space of the data, (n, d) or (n, d, f), to coefficients in the frames."""
        frames, values = self._frames(), np.asarray(vectors, dtype=np.float64)
        if values.ndim not in (2, 3) or values.shape[:2] != frames.shape[:2]:
            raise ValueError(f"vectors must have shape {frames.shape[:2]} or one axis more, got {values.shape}.")
        return np.einsum("ndm,nd...->nm...", frames, values)

    def _frames(self) -> np.ndarray:
        if self.bases is None:
            raise ValueError("this connection was given without bases; pass bases= to Connection.")
        return self.bases


@references("singer2012vector")
def tangent_connection(spaces: TangentSpaces, affinity: object, *, group: str = "orthogonal") -> Connection:
    """Align the tangent spaces at the ends of every edge: discrete parallel transport.

    O_ij is the orthogonal matrix nearest to ``B_i.T @ B_j`` (B the bases), its polar factor. As points draw
    near each other it approximates the parallel transport of the manifold that they were drawn from.

    Parameters
    ----------
    spaces : TangentSpaces
        Of one dimension m at all points; see `tangent_spaces`.
    affinity : sparse or array-like of shape (n, n)
        Symmetric non-negative weights of the edges, e.g. from `gaussian`.
    group : {"orthogonal", "special"}, default "orthogonal"
        ``"special"`` turns all frames to one handedness first and aligns them by rotations; it needs orientable data.

    Returns
    -------
    Connection
        Weights, alignments, agreement of the tangent spaces, and the frames (turned over where needed for
        ``"special"``).

    Raises
    ------
    TypeError, ValueError
        If the arguments do not fit together, tangent spaces differ in dimension, or ``group`` is "special" and the
        data are not orientable.

    References
    ----------
    Singer, Wu (2012). Vector diffusion maps and the connection Laplacian. Communications on Pure and Applied
    Mathematics 65, 1067-1144.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import gaussian, neighbors, tangent_connection, tangent_spaces
    >>> X = np.random.default_rng(0).normal(size=(60, 2)) @ np.array([[1.0, 0, 1], [0, 1, 1]])
    >>> graph = neighbors(X, 8)
    >>> connection = tangent_connection(tangent_spaces(X, graph, dim=2), gaussian(graph))
    >>> connection.dim, bool(connection.agreement.min() > 0.999)
    (2, True)
    """
    check_option(group, "group", GROUPS)
    bases = _check_spaces(spaces)
    weights = symmetric_weights(affinity)
    if weights.shape[0] != len(bases):
        raise ValueError(f"affinity must join the {len(bases)} points of spaces, got shape {weights.shape}.")
    maps, agreement = _align(bases, weights, rotations=False)
    if group == "orthogonal":
        return Connection(weights, maps, agreement, bases)
    signs, contradictions = orient_frames(weights, maps, agreement)
    if contradictions:
        raise ValueError(
            f"group='special' needs orientable data, but {contradictions} well-determined edges join frames of "
            "opposite handedness whichever way the frames are turned; use group='orthogonal', or a graph without "
            "shortcuts."
        )
    turned = bases.copy()
    turned[:, :, 0] *= signs[:, None]
    return Connection(weights, *_align(turned, weights, rotations=True), turned)


@dataclass(frozen=True, eq=False)
class Orientation:
    """A choice of handedness for every frame, and whether it is consistent.

    Attributes
    ----------
    signs : ndarray of float64, shape (n,)
        1 where the frame is kept and -1 where it is to be turned over; the first point of a component keeps its own.
    is_orientable : bool
        Whether no well-determined edge contradicts the choice; then the data are orientable as sampled.
    contradictions : int
        Number of edges that do, counted once, among tangent spaces at most 60 degrees apart.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import Connection, orientation
    >>> triangle = np.ones((3, 3)) - np.eye(3)
    >>> signs = np.array([1.0, -1, 1, 1, -1, 1])[:, None, None]
    >>> orientation(Connection(triangle, signs)).is_orientable
    False
    """

    signs: np.ndarray
    is_orientable: bool
    contradictions: int


@references("singer2011orientability")
def orientation(connection: Connection) -> Orientation:
    """Turn frames to one handedness as far as that is possible, and say whether it is.

    Handedness is carried along a spanning forest of the edges whose tangent spaces agree best. On an orientable
    manifold sampled densely enough no other edge then contradicts; on a Moebius band some must.

    Parameters
    ----------
    connection : Connection
        From `tangent_connection`, or given.

    Returns
    -------
    Orientation
        Signs, and whether they are consistent.

    Raises
    ------
    TypeError
        If ``connection`` is anything else.

    References
    ----------
    Singer, Wu (2011). Orientability and diffusion maps. Applied and Computational Harmonic Analysis 31, 44-58.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import gaussian, neighbors, orientation, tangent_connection, tangent_spaces
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> X /= np.linalg.norm(X, axis=1, keepdims=True)
    >>> graph = neighbors(X, 8)
    >>> orientation(tangent_connection(tangent_spaces(X, graph, dim=2), gaussian(graph))).is_orientable
    True
    """
    if not isinstance(connection, Connection):
        raise TypeError(f"connection must be a Connection, got {type(connection).__name__}.")
    signs, contradictions = orient_frames(connection.weights, connection.alignments, connection.agreement)
    return Orientation(signs, contradictions == 0, contradictions)


def symmetric_weights(affinity: object) -> sparse.csr_array:
    """Return checked weights as float64, equal to their transpose bit for bit."""
    weights = check_affinity(affinity).astype(np.float64, copy=False)
    transposed = weights.T.tocsr()
    same = np.array_equal(weights.indptr, transposed.indptr) and np.array_equal(weights.indices, transposed.indices)
    if same and np.array_equal(weights.data, transposed.data):
        return weights
    mean = sparse.csr_array((weights + transposed) * 0.5)
    mean.sort_indices()
    return mean


def edge_rows(weights: sparse.csr_array) -> np.ndarray:
    """Return the row of every stored entry."""
    return np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))


def reverse_edges(weights: sparse.csr_array) -> np.ndarray:
    """Return, for every stored entry (i, j) of a symmetric pattern, the position of (j, i)."""
    numbered = sparse.csr_array((np.arange(weights.nnz), weights.indices, weights.indptr), shape=weights.shape)
    return numbered.T.tocsr().data


def orient_frames(weights: sparse.csr_array, alignments: np.ndarray, agreement: np.ndarray) -> tuple[np.ndarray, int]:
    """Return a sign for each frame, and how many well-determined edges contradict the choice."""
    handedness = np.sign(np.linalg.det(alignments))
    rows, columns = edge_rows(weights), weights.indices
    # A shortest tree takes the smallest entries, and none may be 0, which would be no edge.
    costs = sparse.csr_array((2.0 - np.clip(agreement, 0, 1), columns, weights.indptr), shape=weights.shape)
    numbers = sparse.csr_array((np.arange(1, weights.nnz + 1), columns, weights.indptr), shape=weights.shape)
    picked = numbers.multiply(csgraph.minimum_spanning_tree(costs) != 0).tocoo().data.astype(np.int64) - 1
    signs = _carry_signs(weights.shape[0], rows[picked], columns[picked], handedness[picked])
    against = (handedness * signs[rows] * signs[columns] < 0) & (agreement >= WELL_DETERMINED)
    return signs, int(np.count_nonzero(against & (rows < columns)))


def _carry_signs(n: int, rows: np.ndarray, columns: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Multiply signs along the edges of a forest, outwards from the first point of each of its trees, which has 1."""
    forest = sparse.csr_array((factors, (rows, columns)), shape=(n, n))
    roots = np.unique(csgraph.connected_components(forest, directed=False)[1], return_index=True)[1]
    # One more point, joined to all roots, makes it a single tree.
    ends = (np.concatenate([rows, np.full(len(roots), n)]), np.concatenate([columns, roots]))
    tree = sparse.csr_array((np.concatenate([factors, np.ones(len(roots))]), ends), shape=(n + 1, n + 1))
    tree = (tree + tree.T).tocsr()
    order, before = csgraph.breadth_first_order(tree, n, directed=False)
    steps = np.asarray(tree[before[order[1:]], order[1:]]).ravel()
    signs = np.ones(n + 1)
    for point, previous, step in zip(order[1:], before[order[1:]], steps, strict=True):
        signs[point] = signs[previous] * step
    return signs[:n]


def _check_spaces(spaces: TangentSpaces) -> np.ndarray:
    if not isinstance(spaces, TangentSpaces):
        raise TypeError(
            f"spaces must be TangentSpaces, as tangent_spaces(X, graph) returns, got {type(spaces).__name__}."
        )
    lowest, highest = int(spaces.dims.min()), int(spaces.dims.max())
    if lowest != highest or lowest < 1:
        raise ValueError(
            f"spaces must have one dimension at all points, at least 1, got {lowest} to {highest}; pass dim= to "
            "tangent_spaces."
        )
    return spaces.bases.astype(np.float64)


def _align(bases: np.ndarray, weights: sparse.csr_array, *, rotations: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return alignments (nnz, m, m) and agreements (nnz,) of all entries; those below the diagonal are transposes."""
    m = bases.shape[2]
    rows, columns = edge_rows(weights), weights.indices
    upper = np.flatnonzero(columns >= rows)
    maps, agreement = np.empty((weights.nnz, m, m)), np.empty(weights.nnz)

    def align(start: int, stop: int) -> None:
        edges = upper[start:stop]
        products = bases[rows[edges]].transpose(0, 2, 1) @ bases[columns[edges]]
        left, cosines, right = np.linalg.svd(products)
        if rotations:
            left[:, :, -1] *= np.sign(np.linalg.det(left @ right))[:, None]
        maps[edges] = left @ right
        agreement[edges] = np.minimum(cosines[:, -1], 1.0)

    with native_threads(1, user_api="blas"):
        run_blocks(align, len(upper), block=EDGES_AT_ONCE)
    lower = np.flatnonzero(columns < rows)
    mirrored = reverse_edges(weights)[lower]
    maps[lower] = maps[mirrored].transpose(0, 2, 1)
    agreement[lower] = agreement[mirrored]
    return maps, agreement


def _check_orthogonal(weights: sparse.csr_array, maps: np.ndarray) -> None:
    if len(maps) == 0:
        return
    transposes = maps.transpose(0, 2, 1)
    if not np.abs(transposes @ maps - np.eye(maps.shape[1])).max() <= LARGEST_ALIGNMENT:
        raise ValueError("alignments must be orthogonal matrices.")
    if np.abs(maps[reverse_edges(weights)] - transposes).max() > LARGEST_ALIGNMENT:
        raise ValueError("alignments of (i, j) and (j, i) must be transposes of each other.")
