"""How much memory a map takes at its peak, told from the shape of the data before the start."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from holonomy._core.validation import as_numpy, check_int
from holonomy.graphs._cells import N_AXES, sample_size
from holonomy.graphs._device_search import SPARE
from holonomy.graphs._exact import BLOCK_ENTRIES, POINTS_AT_ONCE
from holonomy.graphs._reductions import REDUCED_METRICS
from holonomy.graphs._row_metrics import SPARSE_METRICS
from holonomy.graphs.search import ALIASES, DENSE_ENTRIES, EXACT_WORK, RECALL_SAMPLE, TREE_DIMENSIONS, TREE_ORDERS

if TYPE_CHECKING:
    from holonomy.embed.umap import UMAP

ROWS_AT_ONCE = 1024
"""Most rows of a block of distances."""

EDGES_PER_NEIGHBOR = 1.4
"""Edges of a point in the symmetric graph for each neighbour: about two in five are not mutual."""

PUSH_BYTES = 72.0 * 2**22
"""Bytes of a block of pushes on a torch device."""

GUARD = 7
"""Vectors of a spectral start beyond the coordinates."""


MANIFOLD_BYTES = 2**24
"""Bytes for each coordinate of a block of logarithms on a manifold, and of what its verbs hold beside them."""


def peak_memory(
    X: Any,
    metric: Any,
    n_neighbors: int,
    n_components: int,
    *,
    is_spectral: bool,
    on_device: bool = False,
    n_columns: int = 0,
) -> float:
    """Estimate the bytes that a fit takes at its peak, beyond the data themselves.

    The peak is in the search (blocks of distances, a rounded projection, the neighbours found) or, for many rows, in
    the start of the layout (eigenvectors beside the graph) or the layout (edges dealt out to rounds). Where torch
    searches and lays out (``on_device``), it is counted as if the device's memory were this one. On a manifold, whose
    points have ``n_columns`` numbers, edges are dealt out to blocks and positions are in double precision.
    """
    n, k = X.shape[0], n_neighbors
    edges = EDGES_PER_NEIGHBOR * k
    graph = 8.0 * edges + 8.0 * k
    search, kept = _search(X, metric, k, on_device=on_device)
    start = (8.0 * 6 * (n_components + GUARD) + 55.0 * edges) if is_spectral else 40.0 * n_components
    layout = 36.0 * edges + 24.0 * n_components
    if on_device:
        pushes = 64.0 * (56.0 + 16.0 * n_components)
        layout += (16.0 + (40.0 + 16.0 * n_components) / 3) * edges + min(pushes, PUSH_BYTES / n)
    if n_columns:
        layout += 16.0 * edges + 40.0 * n_columns + MANIFOLD_BYTES * n_columns / n
    fuzzy = 40.0 * k
    return max(search, kept + n * (graph + max(fuzzy, start, layout)))


def _search(X: Any, metric: Any, k: int, *, on_device: bool) -> tuple[float, float]:
    """Estimate the bytes at the peak of the neighbour search, and those kept after it."""
    n, d = X.shape
    block = float(BLOCK_ENTRIES * 4)
    exact_block = min(4.0 * ROWS_AT_ONCE * n, block)
    found = 20.0 * n * k
    name = ALIASES.get(metric, metric) if isinstance(metric, str) else metric
    if sparse.issparse(X) and float(n) * d > DENSE_ENTRIES and name in SPARSE_METRICS:
        return 8 * exact_block + found, 0.0
    copies = float(X.dtype.itemsize) * n * d if sparse.issparse(X) else 0.0
    if name in ("cosine", "correlation", "hellinger", "spearmanr"):
        copies += float(X.dtype.itemsize) * n * d
    if name == "precomputed":
        return 4 * exact_block + found, 0.0
    if on_device and name in ("euclidean", "cosine") and not sparse.issparse(X):
        candidates = 4.0 * n * (k + SPARE)
        return 2 * exact_block + 12.0 * n * d + candidates + found + copies, copies
    if name not in REDUCED_METRICS:
        return 4 * exact_block + found + copies, copies
    if d <= TREE_DIMENSIONS and n > 1000 and name in TREE_ORDERS and not sparse.issparse(X):
        tree = 8.0 * n * d + 4.0 * n * d + 24.0 * n
        return tree + 6 * found / 2.5 + copies, tree + copies
    if float(n) ** 2 * (d + 100) <= EXACT_WORK:
        centred = 4.0 * n * d
        return 2 * exact_block + centred + found + copies, centred + copies
    cells = n * (4.0 * min(d, N_AXES) + 12.0)
    lists = n * (4.0 * min(d, N_AXES) + 2 * 4.0 * max(3 * k, k + 30) + 8.0 * k)
    sampled = sample_size(n, d)
    axes = sampled * d * max(4.0, X.dtype.itemsize) + 16.0 * min(sampled, d) ** 2
    compared = 4.0 * POINTS_AT_ONCE * (d + RECALL_SAMPLE)
    return max(axes + 8.0 * n, cells + max(lists, compared) + found) + copies, cells + copies


def memory_of(model: "UMAP", X: Any) -> int:
    """Estimate the bytes that an estimator's fit of X takes at its peak; only the shape and type of X are looked at."""
    given = X if hasattr(X, "shape") and hasattr(X, "dtype") else np.asarray(as_numpy(X))
    k = min(check_int(model.n_neighbors, "n_neighbors", minimum=2), given.shape[0])
    is_spectral = isinstance(model.init, str) and model.init in ("spectral", "tswspectral")
    on_device = model.device is not None
    n_columns = 0 if isinstance(model.output_metric, str) else math.prod(getattr(model.output_metric, "shape", ()))
    return int(
        peak_memory(
            given,
            model.metric,
            k,
            model.n_components,
            is_spectral=is_spectral,
            on_device=on_device,
            n_columns=n_columns,
        )
    )


def advice(n: int) -> str:
    """Say what to do where a map does not fit."""
    sample = int(np.clip(n // 4, 2, 1_000_000))
    return (
        f"Fit a sample of the rows, say {sample}, and place the rest with transform in parts; or lower n_neighbors, or "
        "start with init='pca', which needs no eigenvectors."
    )
