"""A manifold as the space of a map: how a layout starts, moves and is extended there.

On the outside the places of a map are rows of numbers, the coordinates of points one after another.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from holonomy._core.validation import check_int, check_points
from holonomy.embed.layout import LayoutOptions

if TYPE_CHECKING:
    from torch import Tensor

    from holonomy.manifolds import Manifold

WIDEST = 0.9
"""How far from the origin a start reaches, in units of the injectivity radius."""

HYPERBOLIC = 3.0
"""How far a start reaches in a hyperbolic space, in units of its radius of curvature; farther out all is far away."""

MEAN_STEPS = 3
"""Steps towards the mean of the neighbours that a new row starts at: as many for every row, so that each is alone."""

BLOCK_ENTRIES = 2**18
"""Distances that are computed together."""


class ManifoldSpace:
    """A manifold that maps live in.

    Parameters
    ----------
    manifold : Manifold
        Any.
    n_components : int
        Its dimension, as the user has it.

    Raises
    ------
    ValueError
        If the manifold has another dimension.
    """

    def __init__(self, manifold: "Manifold", n_components: int) -> None:
        if check_int(n_components, "n_components", minimum=1) != manifold.dim:
            raise ValueError(
                f"output_metric={manifold} has dimension {manifold.dim}, got n_components={n_components}; pass "
                f"n_components={manifold.dim}."
            )
        self.manifold = manifold
        self.n_columns = math.prod(manifold.shape)

    def start(self, flat: np.ndarray) -> np.ndarray:
        """Wrap a flat start (n, dim) around the origin: distances from there stay in proportion."""
        import torch

        centred = torch.from_numpy(flat - flat.mean(axis=0))
        largest = float(torch.linalg.vector_norm(centred, dim=1).max()) if len(flat) else 0.0
        centred = centred * min(1.0, reach(self.manifold) / max(largest, 1e-300))
        with torch.no_grad():
            origin = self.manifold.origin(dtype=torch.float64)
            frame = self.manifold.frame(origin).flatten(1)
            velocity = (centred @ frame).unflatten(1, self.manifold.shape)
            return self._coordinates(self.manifold.exp(origin.expand_as(velocity), velocity))

    def given(self, places: Any, n: int | None = None, name: str = "init") -> np.ndarray:
        """Check places that a user gives, and return them.

        Raises
        ------
        ValueError
            If their shape is wrong or they lie off the manifold.
        """
        rows = check_points(places, name=name, dtype=np.float64)
        if rows.shape != (len(rows) if n is None else n, self.n_columns):
            wanted = f"{'m' if n is None else n}, {self.n_columns}"
            raise ValueError(f"{name} must have shape ({wanted}), points of {self.manifold}, got {rows.shape}.")
        self.manifold.check_point(self._points(rows), name)
        return rows

    def laid_out(
        self, graph: sparse.csr_array, start: np.ndarray, options: LayoutOptions, seed: int, kept: tuple[int, ...]
    ) -> list[np.ndarray]:
        """Return the map of a connected graph and those after some epochs, each (n, n_columns).

        Raises
        ------
        ValueError
            If the layout runs away.
        """
        from holonomy.embed._manifold_layout import manifold_layout

        found, before = manifold_layout(
            self.manifold, graph, self._points(start), options, random_state=seed, kept=kept
        )
        maps = [self._coordinates(points) for points in (found, *(before[epoch] for epoch in kept))]
        if not np.isfinite(maps[0]).all():
            raise ValueError(
                f"the layout on {self.manifold} leaves what numbers can hold; lower learning_rate or "
                "repulsion_strength."
            )
        return maps

    def settled(
        self,
        edges: sparse.csr_array,
        shares: sparse.csr_array,
        places: np.ndarray,
        options: LayoutOptions,
        keys: np.ndarray,
    ) -> np.ndarray:
        """Place new rows by their memberships (m, n) to rows that have places, and these as ``shares`` of 1."""
        from holonomy.embed._manifold_layout import manifold_placement

        reference = self._points(places)
        start = self._means(shares, reference)
        return self._coordinates(manifold_placement(self.manifold, edges, start, reference, options, keys))

    def nearest(self, rows: np.ndarray, others: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Find indices and distances, each (m, k), of the places nearest to each of ``rows``; ties by index."""
        import torch

        asked, reference = self._points(self.given(rows, name="places")), self._points(others)
        indices, distances = np.empty((len(rows), k), dtype=np.int32), np.empty((len(rows), k), dtype=np.float32)
        block = max(1, BLOCK_ENTRIES // len(others))
        for first in range(0, len(rows), block):
            part = slice(first, first + block)
            with torch.no_grad():
                between = self.manifold.dist(asked[part].unsqueeze(1), reference.unsqueeze(0)).numpy()
            indices[part] = np.argsort(between, axis=1, kind="stable")[:, :k]
            distances[part] = np.take_along_axis(between, indices[part], axis=1)
        return indices, distances

    def filled(self, places: np.ndarray) -> np.ndarray:
        """Return places with the origin where there is none."""
        import torch

        origin = self._coordinates(self.manifold.origin(1, dtype=torch.float64))
        return np.where(np.isnan(places), origin, places)

    def _means(self, shares: sparse.csr_array, reference: "Tensor") -> "Tensor":
        """Return weighted means of points: a few steps of the mean, from the point of most weight."""
        import torch

        from holonomy._core.training.randomness import torch_threads
        from holonomy.embed._manifold_layout import filled_up

        counts = torch.from_numpy(np.diff(shares.indptr).astype(np.int64))
        heads = torch.repeat_interleave(torch.arange(len(counts)), counts)
        columns = torch.from_numpy(shares.indices.astype(np.int64))
        weights = torch.from_numpy(shares.data.astype(np.float64))
        rows = filled_up(torch.arange(len(counts)))
        means = reference[[heaviest(shares, row) for row in range(len(counts))]][rows]
        full, far = filled_up(heads), reference[filled_up(columns)]
        with torch.no_grad(), torch_threads(1):
            for _ in range(MEAN_STEPS):
                moves = weights[:, None] * self.manifold.log(means[full], far).flatten(1)[: len(heads)]
                total = torch.segment_reduce(moves, "sum", lengths=counts, unsafe=True)
                means = self.manifold.exp(means, total[rows].unflatten(1, self.manifold.shape))
        return means[: len(counts)]

    def _points(self, coordinates: np.ndarray) -> "Tensor":
        import torch

        rows = np.ascontiguousarray(coordinates, dtype=np.float64)
        return torch.from_numpy(rows).reshape(len(rows), *self.manifold.shape)

    def _coordinates(self, points: "Tensor") -> np.ndarray:
        return np.ascontiguousarray(points.detach().reshape(len(points), self.n_columns).numpy())


def manifold_space(manifold: Any, parameters: Any, n_components: int) -> ManifoldSpace:
    """Return the space of maps on a manifold.

    Raises
    ------
    TypeError
        If it is none.
    ValueError
        If there are parameters, which a manifold has itself, or its dimension is not ``n_components``.
    """
    from holonomy.manifolds import Manifold

    if not isinstance(manifold, Manifold):
        raise TypeError(f"output_metric must be a name or a Manifold of holonomy.manifolds, got {manifold!r}.")
    if parameters:
        raise ValueError(f"output_metric_kwds belong to a name; {manifold} holds its parameters, got {parameters!r}.")
    return ManifoldSpace(manifold, n_components)


def heaviest(shares: sparse.csr_array, row: int) -> int:
    """Return the first column of most weight in a row; 0 in an empty one."""
    first, last = shares.indptr[row], shares.indptr[row + 1]
    return int(shares.indices[first + np.argmax(shares.data[first:last])]) if last > first else 0


def reach(manifold: "Manifold") -> float:
    """Return how far from the origin the start of a layout may be."""
    from holonomy.embed._manifold_layout import injectivity
    from holonomy.manifolds import Power, Product

    if isinstance(manifold, Product):
        lengths = [math.sqrt(weight) for weight in manifold.weights]
        return min(length * reach(factor) for length, factor in zip(lengths, manifold.factors, strict=True))
    if isinstance(manifold, Power):
        return reach(manifold.base)
    curvature = getattr(manifold, "curvature", 0.0)
    bend = float(curvature) if isinstance(curvature, float) or hasattr(curvature, "item") else 0.0
    hyperbolic = HYPERBOLIC / math.sqrt(-bend) if bend < 0 else math.inf
    return min(WIDEST * injectivity(manifold), hyperbolic)
