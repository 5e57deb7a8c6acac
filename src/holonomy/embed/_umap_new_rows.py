"""New rows on a fitted map, and rows of data for places on it.

The functions read what an estimator was fitted to and return what they find; nothing is written to it.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from holonomy._core.random import check_seed
from holonomy.embed._manifold_space import ManifoldSpace
from holonomy.embed._placement import settle
from holonomy.embed._umap_graph import connect_new, new_index
from holonomy.embed._umap_layout import map_space, transform_options
from holonomy.embed.inverse import decode
from holonomy.embed.layout import row_keys
from holonomy.graphs import NeighborIndex

if TYPE_CHECKING:
    from holonomy.embed.umap import UMAP


def index_again(model: "UMAP") -> NeighborIndex:
    """Index the fitted rows for new ones, searched as widely as in the fit where a search had been made."""
    is_exact = model._searched is not None and model.knn_.method in ("exact", "torch")
    method = "exact" if is_exact else "auto"
    return new_index(model, model._X, model._seed, method=method, breadth=model._searched)


def place_rows(model: "UMAP", X: Any, index: NeighborIndex) -> Any:
    """Place new rows on the map, or return their memberships where the model has none; see `UMAP.transform`."""
    edges, indices, distances = connect_new(model, X, index, model.knn_)
    if model.transform_mode == "graph":
        edges.eliminate_zeros()
        return edges
    places = model._places()
    keys = row_keys(indices, distances, check_seed(model.transform_seed))
    placed = settle(edges, places, transform_options(model, index.n_points), keys, map_space(model))
    known = distances[:, 0] == 0
    placed[known] = places[indices[known, 0]]
    return placed


def filled(model: "UMAP", places: np.ndarray) -> np.ndarray:
    """Return places with a start for rows that have none: the mean, or the origin of a manifold."""
    space = map_space(model)
    if isinstance(space, ManifoldSpace):
        return space.filled(places)
    return np.where(np.isnan(places), np.nanmean(places, axis=0), places)


def rows_at(model: "UMAP", places: Any) -> np.ndarray:
    """Return rows of data for places on the map; see `UMAP.inverse_transform`.

    Raises
    ------
    ValueError
        Where the rows of the fit are not at hand, or there is no map.
    """
    if model._X is None or model.metric == "precomputed" or sparse.issparse(model._X):
        raise ValueError("inverse_transform needs the fitted rows, and these are sparse, precomputed or combined.")
    if model.transform_mode == "graph":
        raise ValueError("inverse_transform needs a map; transform_mode='graph' makes none.")
    return decode(
        places,
        model._places(),
        model._X,
        model.knn_,
        a=model.a_,
        b=model.b_,
        metric=model.metric,
        metric_params=model.metric_kwds,
        space=map_space(model),
        n_neighbors=model.n_neighbors,
        n_steps=transform_options(model, model._X.shape[0]).n_epochs,
        repulsion_strength=model.repulsion_strength,
        negative_sample_rate=model.negative_sample_rate,
        random_state=model.transform_seed,
    )
