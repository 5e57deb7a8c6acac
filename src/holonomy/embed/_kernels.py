"""Kernels of neighbour distances: affinities of the points they are fitted to, and weights of new rows to these."""

import inspect
from typing import Any, Protocol

import numpy as np
from scipy import sparse

from holonomy._core.validation import check_float, check_int, check_option
from holonomy.graphs import (
    NeighborGraph,
    adaptive,
    alpha_decay,
    entropic,
    fuzzy_simplicial_set,
    gaussian,
    slope_bandwidth,
)
from holonomy.graphs.affinities import SYMMETRIZATIONS, local_scales, row_scales
from holonomy.graphs.fuzzy import query_memberships
from holonomy.graphs.perplexity import conditional_rows


class Kernel(Protocol):
    """What a diffusion needs of a kernel."""

    def fit(self, graph: NeighborGraph) -> sparse.csr_array:
        """Return the affinity (n, n) of the points, symmetric and without diagonal, and keep what new rows need."""

    def rows(self, indices: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Return weights (q, k) of new rows to their neighbours, up to a factor for each row; rows are never all 0."""


class BinaryKernel:
    """1 for neighbours, whichever end lists the other."""

    def fit(self, graph: NeighborGraph) -> sparse.csr_array:
        """Return the affinity."""
        edges = NeighborGraph(graph.indices, np.where(np.isfinite(graph.distances), 0.0, np.inf))
        return gaussian(edges, bandwidth=1.0)

    def rows(self, indices: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Return weights of new rows."""
        return np.isfinite(distances).astype(np.float64)


class GaussianKernel:
    """``exp(-d^2 / (2 bandwidth^2))``, one bandwidth for all: given, the median distance, or chosen by its slope."""

    def __init__(self, bandwidth: float | str = "slope") -> None:
        self.bandwidth: float | str = bandwidth
        if isinstance(bandwidth, str):
            check_option(bandwidth, "bandwidth", ("slope", "median"))
        elif check_float(bandwidth, "bandwidth", minimum=0.0) == 0.0:
            raise ValueError("bandwidth must be positive, got 0.")
        self.bandwidth_ = float("nan")

    def fit(self, graph: NeighborGraph) -> sparse.csr_array:
        """Return the affinity."""
        if self.bandwidth == "slope":
            self.bandwidth_ = slope_bandwidth(graph).value
        elif self.bandwidth == "median":
            apart = graph.distances[(graph.distances > 0) & np.isfinite(graph.distances)]
            self.bandwidth_ = float(np.median(apart.astype(np.float64))) if len(apart) else 1.0
        else:
            self.bandwidth_ = float(self.bandwidth)
        return gaussian(graph, self.bandwidth_)

    def rows(self, indices: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Return weights of new rows."""
        return _relative(-0.5 * (distances.astype(np.float64) / self.bandwidth_) ** 2)


class AdaptiveKernel:
    """``exp(-d_ij^2 / (s_i s_j))`` with s the distance to a neighbour of given rank."""

    def __init__(self, neighbor: int = 7) -> None:
        self.neighbor = check_int(neighbor, "neighbor", minimum=1)

    def fit(self, graph: NeighborGraph) -> sparse.csr_array:
        """Return the affinity."""
        self.scales_ = local_scales(graph, self.neighbor)
        return adaptive(graph, neighbor=self.neighbor)

    def rows(self, indices: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Return weights of new rows."""
        scales = _query_scales(distances, self.neighbor, self.scales_)
        lengths = distances.astype(np.float64)
        return _relative(-(lengths / scales[:, None]) * (lengths / self.scales_[indices]))


class AlphaDecayKernel:
    """``exp(-(d_ij / s_i)^decay)``, both directions combined."""

    def __init__(
        self, neighbor: int = 5, decay: float = 40.0, threshold: float = 1e-4, symmetrization: str = "mean"
    ) -> None:
        self.options: dict[str, Any] = {
            "neighbor": check_int(neighbor, "neighbor", minimum=1),
            "decay": decay,
            "threshold": threshold,
            "symmetrization": check_option(symmetrization, "symmetrization", SYMMETRIZATIONS),
        }

    def fit(self, graph: NeighborGraph) -> sparse.csr_array:
        """Return the affinity."""
        self.scales_ = local_scales(graph, self.options["neighbor"])
        return alpha_decay(graph, **self.options)

    def rows(self, indices: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Return weights of new rows."""
        lengths = distances.astype(np.float64)
        own, others = (
            np.exp(-((lengths / scales) ** self.options["decay"]))
            for scales in (
                _query_scales(distances, self.options["neighbor"], self.scales_)[:, None],
                self.scales_[indices],
            )
        )
        own[own < self.options["threshold"]] = 0.0
        others[others < self.options["threshold"]] = 0.0
        if self.options["symmetrization"] == "max":
            return np.maximum(own, others)
        if self.options["symmetrization"] == "product":
            product = own * others
            # A row that is nobody's neighbour goes by its own measure.
            return np.where(product.any(axis=1, keepdims=True), product, own)
        return 0.5 * (own + others)


class FuzzyKernel:
    """UMAP's memberships, fading at the pace of each point's own neighbourhood."""

    def __init__(self, local_connectivity: float = 1.0, set_op_mix_ratio: float = 1.0) -> None:
        self.local_connectivity = check_float(local_connectivity, "local_connectivity", minimum=0.0)
        self.set_op_mix_ratio = check_float(set_op_mix_ratio, "set_op_mix_ratio", minimum=0.0, maximum=1.0)

    def fit(self, graph: NeighborGraph) -> sparse.csr_array:
        """Return the affinity."""
        finite = np.isfinite(graph.distances)
        self.mean_distance_ = float(graph.distances[finite].mean()) if finite.any() else 0.0
        return fuzzy_simplicial_set(
            graph, local_connectivity=self.local_connectivity, set_op_mix_ratio=self.set_op_mix_ratio
        )

    def rows(self, indices: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Return weights of new rows."""
        return query_memberships(
            distances,
            local_connectivity=max(0.0, self.local_connectivity - 1.0),
            mean_distance=self.mean_distance_,
        ).astype(np.float64)


class EntropicKernel:
    """Gaussians whose widths give every point the same perplexity, in units of their mean."""

    def __init__(self, perplexity: float | None = None) -> None:
        self.perplexity = None if perplexity is None else check_float(perplexity, "perplexity", minimum=1.0)

    def fit(self, graph: NeighborGraph) -> sparse.csr_array:
        """Return the affinity; without a perplexity, a third of the neighbours."""
        self.perplexity_ = max(graph.n_neighbors / 3, 1.0) if self.perplexity is None else self.perplexity
        joint = entropic(graph, self.perplexity_)
        joint.data *= graph.n_points * self.perplexity_
        return joint

    def rows(self, indices: np.ndarray, distances: np.ndarray) -> np.ndarray:
        """Return weights of new rows."""
        return conditional_rows(distances, min(self.perplexity_, distances.shape[1])) * self.perplexity_


KERNELS: dict[str, type] = {
    "adaptive": AdaptiveKernel,
    "alpha_decay": AlphaDecayKernel,
    "binary": BinaryKernel,
    "entropic": EntropicKernel,
    "fuzzy": FuzzyKernel,
    "gaussian": GaussianKernel,
}


def make_kernel(name: str, kernel_kwds: dict[str, Any] | None) -> Kernel:
    """Return the kernel of that name with the given arguments.

    Raises
    ------
    TypeError
        If the kernel has no such arguments.
    ValueError
        If there is no such kernel, or an argument is out of range.
    """
    kind = KERNELS[check_option(name, "kernel", (*KERNELS, "precomputed"))]
    given = {} if kernel_kwds is None else dict(kernel_kwds)
    known = tuple(inspect.signature(kind).parameters)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise TypeError(
            f"kernel_kwds has no argument {unknown[0]!r} for kernel={name!r}; it has "
            f"{', '.join(map(repr, known)) if known else 'none'}."
        )
    return kind(**given)


def _relative(exponents: np.ndarray) -> np.ndarray:
    """Return exponentials of each row relative to its largest, which is that of the nearest neighbour."""
    return np.exp(exponents - exponents.max(axis=1, keepdims=True))


def _query_scales(distances: np.ndarray, rank: int, fitted: np.ndarray) -> np.ndarray:
    scales = row_scales(distances, rank)
    return np.where(np.isfinite(scales), scales, np.median(fitted))
