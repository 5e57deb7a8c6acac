"""From the map back to the data: rows whose memberships in the data agree with those of given places on the map."""

from typing import Any

import numpy as np

from holonomy._core.citations import references
from holonomy._core.random import RandomState, check_seed
from holonomy._core.validation import check_float, check_int, check_points
from holonomy.embed._inverse_kernels import settle_rows
from holonomy.embed._manifold_space import ManifoldSpace
from holonomy.embed._metric_gradients import gradient_metric
from holonomy.embed.layout import row_keys
from holonomy.embed.output_space import OutputGeometry
from holonomy.graphs import NeighborGraph, NeighborIndex, smooth_neighbor_distances
from holonomy.graphs._blocks import run_blocks

FLAT_DIMENSIONS = 8
"""Dimensions of the map up to which rows are found by cross-entropy, and beyond which by a local linear fit."""

BLOCK = 64
"""Rows decoded at a time by one thread."""


@references("mcinnes2018umap")
def decode(
    places: Any,
    positions: np.ndarray,
    X: np.ndarray,
    knn: NeighborGraph,
    *,
    a: float,
    b: float,
    metric: Any = "euclidean",
    metric_params: dict[str, Any] | None = None,
    space: OutputGeometry | ManifoldSpace | None = None,
    n_neighbors: int = 15,
    n_steps: int = 100,
    repulsion_strength: float = 1.0,
    negative_sample_rate: int = 5,
    random_state: RandomState = 42,
) -> np.ndarray:
    """Find rows of data for places on a map, each by itself.

    A place has the membership 1 / (1 + a d^(2b)) to the mapped rows nearest to it. Its row starts at their mean with
    these weights and moves downhill on the cross-entropy of these memberships and those it has in the data,
    exp(-max(0, d - rho) / sigma) with each neighbour's own scale, and of the absence of a membership to rows drawn at
    random. On a map of more than 8 dimensions, the row is instead the value at its place of a regularised weighted
    linear fit to twice as many neighbours. Time grows linearly with the number of places, and no step depends on the
    units of the data.

    Parameters
    ----------
    places : array-like of shape (m, dim)
        Places on the map.
    positions : ndarray of shape (n, dim)
        Coordinates of the mapped rows; NaN for those that have no place.
    X : ndarray of shape (n, d)
        The rows.
    knn : NeighborGraph
        Their neighbours, under ``metric``.
    a, b : float
        Curve of the map.
    metric : str, default "euclidean"
        Metric of the data: euclidean, manhattan, chebyshev, minkowski, seuclidean, mahalanobis, cosine, correlation,
        canberra or braycurtis.
    metric_params : dict, optional
        Its parameters; ``V`` and ``VI`` must be given.
    space : OutputGeometry or ManifoldSpace, optional
        Where the map lives, if not in Euclidean space.
    n_neighbors : int, default 15
        Mapped rows that a place is a neighbour of.
    n_steps : int, default 100
        Most steps of a row; it stops where it has settled.
    repulsion_strength : float, default 1.0
        Weight of the rows drawn at random.
    negative_sample_rate : int, default 5
        Rows drawn at random for each neighbour.
    random_state : int, Generator, RandomState or None, default 42
        Seed.

    Returns
    -------
    ndarray of shape (m, d), dtype of X
        Rows of data.

    Raises
    ------
    ValueError
        If a metric has no gradient, or shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import decode
    >>> from holonomy.graphs import neighbors
    >>> t = np.linspace(0, 6, 60)[:, None]
    >>> X = np.hstack([np.cos(t), np.sin(t)])
    >>> rows = decode([[3.0]], t, X, neighbors(X, 5), a=1.58, b=0.9, n_neighbors=4)
    >>> bool(np.abs(rows - [np.cos(3), np.sin(3)]).max() < 0.1)
    True

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.
    """
    asked = check_points(places, name="places", dtype=np.float64)
    if asked.shape[1] != positions.shape[1]:
        raise ValueError(f"places must have {positions.shape[1]} columns, like the map, got {asked.shape[1]}.")
    code, exponent, weights = gradient_metric(metric, metric_params, "metric of inverse_transform")
    sigmas, rhos = (scale.astype(np.float64) for scale in smooth_neighbor_distances(knn))
    rows = np.asarray(X, dtype=np.float64)
    has_place = np.isfinite(positions[:, 0])
    if not has_place.all():
        positions, rows, sigmas, rhos = positions[has_place], rows[has_place], sigmas[has_place], rhos[has_place]
    n, dim = positions.shape
    is_flat = dim <= FLAT_DIMENSIONS
    k = min(check_int(n_neighbors, "n_neighbors", minimum=1) * (1 if is_flat else 2), n)
    if space is None:
        indices, distances = NeighborIndex(positions, random_state=0).query(asked, k)
    else:
        indices, distances = space.nearest(asked, positions, k)
    memberships = 1.0 / (1.0 + a * distances.astype(np.float64) ** (2 * b))
    blend = memberships / memberships.sum(axis=1, keepdims=True)
    if not is_flat:
        blend = _plane(asked, positions[indices], blend)
    decoded, losses = np.empty((len(asked), rows.shape[1])), np.empty((len(asked), 2))
    keys = row_keys(indices, distances, check_seed(random_state))
    pushing = (
        check_int(negative_sample_rate, "negative_sample_rate", minimum=0) * k,
        check_float(repulsion_strength, "repulsion_strength", minimum=0.0),
        check_int(n_steps, "n_steps", minimum=0),
    )
    fixed = (indices, memberships, sigmas, rhos, keys, *pushing, code, exponent, weights, losses)

    def block(start: int, stop: int) -> None:
        for row in range(start, stop):
            decoded[row] = blend[row] @ rows[indices[row]]
        if is_flat:
            settle_rows(decoded, rows, *fixed, start, stop)

    run_blocks(block, len(asked), block=BLOCK)
    return decoded.astype(X.dtype)


def _plane(places: np.ndarray, neighbors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights (m, k) that give the value at each place of the regularised weighted linear fit to its neighbours."""
    centre = np.einsum("mk,mkd->md", weights, neighbors)
    offsets = neighbors - centre[:, None]
    scatter = np.einsum("mk,mkd,mke->mde", weights, offsets, offsets)
    dim = scatter.shape[1]
    ridge = np.trace(scatter, axis1=1, axis2=2) / dim
    scatter += np.maximum(ridge, 1e-30)[:, None, None] * np.eye(dim)
    slopes = np.linalg.solve(scatter, (places - centre)[:, :, None])[:, :, 0]
    return weights * (1.0 + np.einsum("mkd,md->mk", offsets, slopes))
