"""New rows on a map that stays: each starts among its neighbours there and settles by itself."""

import numpy as np
from scipy import sparse

from holonomy.embed._manifold_space import ManifoldSpace
from holonomy.embed.layout import EUCLIDEAN, LayoutOptions, place_points
from holonomy.embed.output_space import OutputGeometry


def settle(
    edges: sparse.csr_array,
    places: np.ndarray,
    options: LayoutOptions,
    keys: np.ndarray,
    space: OutputGeometry | ManifoldSpace | None = None,
) -> np.ndarray:
    """Place rows by their memberships to rows that have places.

    Parameters
    ----------
    edges : csr_array of shape (m, n)
        Memberships in [0, 1] of new rows to old ones.
    places : ndarray of shape (n, dim)
        Coordinates of the old rows; NaN for those without a place, which count as absent.
    options : LayoutOptions
    keys : ndarray of uint32, shape (m,)
        Seeds of each row's own negative samples.
    space : OutputGeometry or ManifoldSpace, optional
        Where the map lives, if not in Euclidean space.

    Returns
    -------
    ndarray of float32, shape (m, dim); of float64 on a manifold
        NaN for rows without any neighbour that has a place.
    """
    has_place = np.isfinite(places[:, 0])
    if not has_place.all():
        edges, places = edges[:, has_place], places[has_place]
    total = np.asarray(edges.sum(axis=1, dtype=np.float64))
    has_neighbors = total > 0
    shares = sparse.diags_array(1.0 / np.where(has_neighbors, total, 1.0)) @ edges
    if isinstance(space, ManifoldSpace):
        placed = space.settled(edges, shares, places, options, keys)
        placed[~has_neighbors] = np.nan
        return placed
    if space is None:
        placed = place_points(edges, shares @ places, places, options, keys, EUCLIDEAN)
    else:
        inside = space.enter(places)
        placed = space.leave(place_points(edges, space.mean(shares, inside), inside, options, keys, space.steps))
    placed[~has_neighbors] = np.nan
    return placed.astype(np.float32, copy=False)
