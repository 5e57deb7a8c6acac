"""The layout of a fuzzy graph with the parameters of an estimator: options, start, and the map in its space.

The functions read the parameters of an estimator and return what they make; nothing is written to it.
"""

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from holonomy._core.device import resolve_device
from holonomy._core.random import derive_seed
from holonomy._core.validation import check_float, check_int
from holonomy.embed._manifold_space import ManifoldSpace, manifold_space
from holonomy.embed._snapshots import Snapshots, check_epochs
from holonomy.embed.curve import fit_curve
from holonomy.embed.density import DensityForce, log_radii
from holonomy.embed.initialization import initial_layout
from holonomy.embed.layout import EUCLIDEAN, LayoutOptions, optimize_layout
from holonomy.embed.output_space import OutputGeometry, given_start, output_geometry
from holonomy.graphs import NeighborGraph

if TYPE_CHECKING:
    from holonomy.embed.umap import UMAP

SMALL = 10_000
"""Most rows for which the layout takes 500 epochs instead of 200."""


@dataclass(frozen=True)
class Connections:
    """What is laid out.

    Attributes
    ----------
    graph : csr_array of shape (n, n)
        Symmetric memberships.
    knn : NeighborGraph or None
        The neighbours they come from, which density is told by.
    points : array of shape (n, d) or None
        The rows, where they are at hand.
    """

    graph: sparse.csr_array
    knn: NeighborGraph | None
    points: Any


def layout_options(model: "UMAP", n: int) -> LayoutOptions:
    """Check the parameters of the layout of n rows and fill in what depends on their number."""
    check_int(model.n_components, "n_components", minimum=1)
    n_epochs = (500 if n <= SMALL else 200) + (200 if model.densmap else 0)
    if model.n_epochs is not None:
        n_epochs = check_epochs(model.n_epochs)[0]
    if (model.a is None) != (model.b is None):
        raise ValueError(f"a and b must be given together or not at all, got a={model.a} and b={model.b}.")
    a, b = (model.a, model.b) if model.a is not None else fit_curve(model.spread, model.min_dist)
    return LayoutOptions(
        a=check_float(a, "a", minimum=0.0),
        b=check_float(b, "b", minimum=0.0),
        n_epochs=n_epochs,
        learning_rate=check_float(model.learning_rate, "learning_rate", minimum=0.0),
        repulsion_strength=check_float(model.repulsion_strength, "repulsion_strength", minimum=0.0),
        negative_sample_rate=check_int(model.negative_sample_rate, "negative_sample_rate", minimum=0),
        n_jobs=model.n_jobs,
    )


def transform_options(model: "UMAP", n: int) -> LayoutOptions:
    """Return the fewer and smaller steps that rows take to join a fitted map of n rows."""
    n_epochs = 100 if n <= SMALL else 30
    options = layout_options(model, n)
    return replace(
        options,
        a=model.a_,
        b=model.b_,
        n_epochs=n_epochs if model.n_epochs is None else model.n_epochs_ // 3 + 1,
        learning_rate=options.learning_rate / 4,
    )


def map_space(model: "UMAP") -> OutputGeometry | ManifoldSpace | None:
    """Return where the map lives, if not in Euclidean space.

    Raises
    ------
    TypeError
        If the space is neither a name nor a manifold.
    ValueError
        If there is no such space, or what the model asks for is made in Euclidean space alone.
    """
    make = output_geometry if isinstance(model.output_metric, str) else manifold_space
    space = make(model.output_metric, model.output_metric_kwds, model.n_components)
    if space is not None and model.densmap:
        raise ValueError(f"densmap=True needs output_metric='euclidean', got {model.output_metric!r}.")
    return space


def layout_device(model: "UMAP") -> Any:
    """Check and return the device whose torch lays out the map; None for the compiled code."""
    if model.device is None:
        return None
    for name, is_possible in (("densmap", not model.densmap), ("output_metric", map_space(model) is None)):
        if not is_possible:
            raise ValueError(
                f"device={str(model.device)!r} makes Euclidean maps without densMAP, got "
                f"{name}={getattr(model, name)!r}; pass device=None."
            )
    return resolve_device(model.device)


def lay_out(
    model: "UMAP", data: Connections, init: Any, options: LayoutOptions, seed: int, kept: tuple[int, ...] = ()
) -> tuple[list[np.ndarray], str]:
    """Lay out the rows that are connected to others; the rest have no place.

    Returns
    -------
    (list of ndarray of shape (n, n_components), str)
        The map and those after the epochs ``kept``, NaN in rows without a place; how the layout started.
    """
    connected = np.flatnonzero(np.diff(data.graph.indptr))
    n = data.graph.shape[0]
    graph, points = data.graph, data.points
    if len(connected) < n:
        warnings.warn(
            f"{n - len(connected)} of {n} rows have no neighbours and get no place on the map (NaN); a larger "
            "disconnection_distance connects them.",
            UserWarning,
            stacklevel=4,
        )
        graph, points = graph[connected][:, connected], None if points is None else points[connected]
        init = init if isinstance(init, str) else np.asarray(init)[connected]
    density = None
    if model.densmap:
        density = DensityForce(
            graph,
            log_radii(data.graph, data.knn)[connected],
            options,
            strength=model.dens_lambda,
            fraction=model.dens_frac,
            var_shift=model.dens_var_shift,
        )
    found, used = _optimized(model, init, graph, points, options, density, seed, kept)
    maps = []
    for one in found:
        places = np.full((n, one.shape[1]), np.nan, dtype=one.dtype)
        places[connected] = one
        maps.append(places)
    return maps, used


def _optimized(
    model: "UMAP",
    init: Any,
    graph: sparse.csr_array,
    points: Any,
    options: LayoutOptions,
    density: DensityForce | None,
    seed: int,
    kept: tuple[int, ...],
) -> tuple[list[np.ndarray], str]:
    """Lay out a connected graph in the space of the map."""
    space, device = map_space(model), layout_device(model)
    if isinstance(space, ManifoldSpace) and not isinstance(init, str):
        start, used = space.given(init, graph.shape[0]), "given"
    elif isinstance(space, OutputGeometry) and not isinstance(init, str):
        start, used = given_start(space, init, graph.shape[0], model.n_components), "given"
    else:
        start, used = initial_layout(init, graph, points, model.n_components, derive_seed(seed, "start"))
    if space is not None and used != "given":
        start = space.start(start)
    if isinstance(space, ManifoldSpace):
        return space.laid_out(graph, start, options, seed, kept), used
    if device is not None:
        from holonomy.embed._torch_layout import torch_layout

        found, before = torch_layout(graph, start, options, device=device, random_state=seed, kept=kept)
        return [found, *(before[epoch] for epoch in kept)], used
    steps = EUCLIDEAN if space is None else space.steps
    snapshots = Snapshots(kept, start.shape, density)
    extra = snapshots if kept else density
    found = optimize_layout(graph, start, options, random_state=seed, steps=steps, extra=extra)
    maps = [found, *(snapshots.positions[epoch] for epoch in kept)]
    return maps if space is None else [space.leave(one) for one in maps], used
