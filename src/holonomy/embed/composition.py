"""Maps of several views of the same rows: what fitted models agree on, what any of them holds, how they differ."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from holonomy._core.random import derive_seed
from holonomy.graphs import fuzzy_difference, fuzzy_intersection, fuzzy_union, restore_connectivity

if TYPE_CHECKING:
    from holonomy.embed.umap import UMAP

CHOSEN: dict[str, Callable[[Any, Any], Any]] = {
    "n_neighbors": max,
    "n_components": min,
    "learning_rate": min,
    "repulsion_strength": lambda one, two: (one + two) / 2,
    "negative_sample_rate": lambda one, two: round((one + two) / 2),
    "n_epochs": lambda one, two: max((int(np.max(n)) for n in (one, two) if n is not None), default=None),
    "output_metric": lambda one, two: one,
    "output_metric_kwds": lambda one, two: one,
    "device": lambda one, two: one,
    "n_jobs": lambda one, two: one,
}
"""How parameters of the layout follow from those of two models; all others keep their defaults."""


def intersection(left: "UMAP", right: "UMAP") -> "UMAP":
    """Map what two models agree on; ``left * right``."""
    return _combined(left, right, fuzzy_intersection, keeps_mass=True)


def union(left: "UMAP", right: "UMAP") -> "UMAP":
    """Map what any of two models holds; ``left + right``."""
    return _combined(left, right, fuzzy_union, keeps_mass=True)


def contrast(left: "UMAP", right: "UMAP") -> "UMAP":
    """Map what the left model holds and the right one does not; ``left - right``."""
    return _combined(left, right, fuzzy_difference, keeps_mass=False)


def _combined(
    left: "UMAP", right: "UMAP", operation: Callable[[Any, Any], sparse.csr_array], *, keeps_mass: bool
) -> "UMAP":
    """Lay out the combination of the fuzzy graphs of two fitted models.

    Raises
    ------
    ValueError
        If a model is not fitted, the numbers of rows differ, or duplicates were left out of one.
    """
    for model in (left, right):
        check_is_fitted(model, "graph_", msg="Only fitted models can be combined; call 'fit' first.")
        if model.unique:
            raise ValueError("models with unique=True cannot be combined, because their graphs leave out rows.")
    if left.graph_.shape != right.graph_.shape:
        raise ValueError(
            f"models must be of the same rows to be combined, got {left.graph_.shape[0]} and {right.graph_.shape[0]}."
        )
    parameters = {
        name: choose(getattr(left, name), getattr(right, name))
        for name, choose in CHOSEN.items()
        if hasattr(left, name)
    }
    a, b = (float(np.mean(pair)) for pair in ((left.a_, right.a_), (left.b_, right.b_)))
    seed = derive_seed(left._seed, operation.__name__, right._seed)
    result = type(left)(**parameters, a=a, b=b, random_state=seed)
    graph = operation(left.graph_, right.graph_)
    n_neighbors = min(result.n_neighbors, graph.shape[0]) if keeps_mass else None
    result._fit_graph(restore_connectivity(graph, n_neighbors=n_neighbors))
    return result
