"""The k nearest neighbours of every point: what all sampled-geometry methods start from."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from holonomy._core.validation import check_int


@dataclass(frozen=True, eq=False)
class NeighborGraph:
    """The k nearest neighbours of each of n points, without the point itself.

    Attributes
    ----------
    indices : ndarray of int32, shape (n, k)
        Neighbours of each row, nearest first; equal distances are ordered by index.
    distances : ndarray of float32, shape (n, k)
        Their distances, ascending along a row. An infinite distance means that there is no such neighbour.
    metric : str
        Name of the metric the distances were measured with.
    method : str
        How the neighbours were found, e.g. ``"exact"``.
    recall : float or None
        Measured share of true neighbours found; 1.0 for exact search, None where it is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import NeighborGraph
    >>> graph = NeighborGraph(np.array([[1, 2], [0, 2], [1, 0]]), np.array([[1.0, 3.0], [1.0, 2.0], [2.0, 3.0]]))
    >>> graph.truncated(1).indices.ravel().tolist()
    [1, 0, 1]
    """

    indices: np.ndarray
    distances: np.ndarray
    metric: str = "euclidean"
    method: str = "given"
    recall: float | None = None

    def __post_init__(self) -> None:
        """Check shapes, bounds and order, so that no consumer has to."""
        indices = np.asarray(self.indices)
        distances = np.asarray(self.distances, dtype=np.float32)
        if indices.ndim != 2 or indices.shape != distances.shape:
            raise ValueError(
                f"indices and distances must both have shape (n, k), got {indices.shape} and {distances.shape}."
            )
        if not np.issubdtype(indices.dtype, np.integer):
            raise TypeError(f"indices must be integers, got {indices.dtype}.")
        if indices.size and (indices.min() < 0 or indices.max() >= len(indices)):
            raise ValueError(f"indices must lie in [0, {len(indices)}), got {indices.min()} to {indices.max()}.")
        if indices.size and (indices == np.arange(len(indices))[:, None]).any():
            raise ValueError("a point must not be listed among its own neighbours.")
        if np.isnan(distances).any() or (distances < 0).any() or (distances[:, 1:] < distances[:, :-1]).any():
            raise ValueError("distances must be non-negative and ascending along each row, without NaN.")
        object.__setattr__(self, "indices", np.ascontiguousarray(indices, dtype=np.int32))
        object.__setattr__(self, "distances", np.ascontiguousarray(distances))

    @property
    def n_points(self) -> int:
        """Number of points, n."""
        return len(self.indices)

    @property
    def n_neighbors(self) -> int:
        """Number of neighbours of each point, k."""
        return self.indices.shape[1]

    def truncated(self, n_neighbors: int) -> "NeighborGraph":
        """Return the graph of the ``n_neighbors`` nearest of these neighbours."""
        k = check_int(n_neighbors, "n_neighbors", minimum=1, maximum=self.n_neighbors)
        return NeighborGraph(self.indices[:, :k], self.distances[:, :k], self.metric, self.method, self.recall)

    def to_csr(self) -> sparse.csr_array:
        """Return the directed distance matrix, shape (n, n), with sorted column indices.

        Zero distances (duplicates) are stored entries; infinite ones are left out.
        """
        n, k = self.indices.shape
        order = np.argsort(self.indices, axis=1, kind="stable")
        columns = np.take_along_axis(self.indices, order, axis=1)
        values = np.take_along_axis(self.distances, order, axis=1)
        finite = np.isfinite(values)
        indptr = np.concatenate([[0], np.cumsum(finite.sum(axis=1))]).astype(np.int32 if n * k < 2**31 else np.int64)
        return sparse.csr_array((values[finite], columns[finite], indptr), shape=(n, n))
