"""Where a layout starts: spectral, principal components, random, or given."""

from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.parallel import native_threads
from holonomy._core.random import generator
from holonomy._core.validation import check_points
from holonomy.graphs import connected_components, leading_spectrum

EXTENT = 10.0
"""Largest coordinate of a start before jitter, and width of the box it is fitted into afterwards."""

JITTER = 1e-4
MAX_PRODUCTS = 600
"""Products with the graph a spectral start may take; then it falls back to principal components."""

INITS = ("spectral", "tswspectral", "pca", "random")


def initial_layout(
    init: Any, affinity: sparse.csr_array, X: Any, n_components: int, seed: int
) -> tuple[np.ndarray, str]:
    """Return start coordinates, each axis in [0, 10], and the name of the method that gave them.

    Parameters
    ----------
    init : {"spectral", "tswspectral", "pca", "random"} or array-like of shape (n, n_components)
        ``"spectral"`` uses the leading eigenvectors of the graph's normalised Laplacian, component by component;
        where it does not converge within its budget, principal components are used, or random coordinates without
        points. ``"tswspectral"``, umap-learn's name for a faster solver of these, means the same.
    affinity : csr_array of shape (n, n)
        Symmetric weights.
    X : array of shape (n, d) or None
        The points, where there are any.
    n_components : int
        Dimensions of the map.
    seed : int
        Seed of jitter and random starts.

    Raises
    ------
    ValueError
        If ``init`` is unknown, has the wrong shape, or asks for components of points that are not there.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import initial_layout
    >>> from holonomy.graphs import fuzzy_simplicial_set, neighbors
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> start, used = initial_layout("spectral", fuzzy_simplicial_set(neighbors(X, 6)), X, 2, seed=0)
    >>> start.shape, used
    ((60, 2), 'spectral')
    """
    n = affinity.shape[0]
    if not isinstance(init, str):
        given = check_points(init, name="init")
        if given.shape != (n, n_components):
            raise ValueError(f"init must have shape {(n, n_components)}, got {given.shape}.")
        return np.array(given, dtype=np.float64), "given"
    if init not in INITS:
        raise ValueError(f"init must be an array or one of {', '.join(map(repr, INITS))}, got {init!r}.")
    coordinates, used = None, "spectral" if init == "tswspectral" else init
    if used == "spectral":
        coordinates = _spectral(affinity, X, n_components)
    if init == "pca" and X is None:
        raise ValueError("init='pca' needs points, but the input is a precomputed matrix; use 'spectral' or 'random'.")
    if coordinates is None and init != "random" and X is not None:
        coordinates, used = _principal(X, n_components), "pca"
    rng = generator(seed, "start")
    if coordinates is None:
        coordinates, used = rng.uniform(-EXTENT, EXTENT, size=(n, n_components)), "random"
    return _boxed(coordinates, rng), used


def _boxed(coordinates: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scale to the extent, separate coinciding points by jitter, and fit each axis into [0, 10]."""
    largest = np.abs(coordinates).max(initial=0.0)
    scaled = coordinates * (EXTENT / largest if largest > 0 else 1.0)
    scaled = scaled + rng.normal(scale=JITTER, size=scaled.shape)
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    return EXTENT * (scaled - low) / np.where(high > low, high - low, 1.0)


def _principal(X: Any, n_components: int) -> np.ndarray:
    """Leading principal components; axes that the points do not have are zero."""
    from sklearn.decomposition import TruncatedSVD

    n, d = X.shape
    rank = min(n_components, n - 1, d)
    coordinates = np.zeros((n, n_components))
    with native_threads(1):
        if sparse.issparse(X):
            coordinates[:, :rank] = TruncatedSVD(rank, random_state=0).fit_transform(X)
            return coordinates
        centred = np.asarray(X, dtype=np.float64) - X.mean(axis=0, dtype=np.float64)
        if d <= n:
            _, vectors = np.linalg.eigh(centred.T @ centred)
            coordinates[:, :rank] = centred @ vectors[:, ::-1][:, :rank]
        else:
            values, vectors = np.linalg.eigh(centred @ centred.T)
            coordinates[:, :rank] = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1][:, :rank]
    return coordinates


def _spectral(affinity: sparse.csr_array, X: Any, n_components: int) -> np.ndarray | None:
    """Leading eigenvectors; each connected component by itself around its own place. None without convergence."""
    n_parts, labels = connected_components(affinity)
    if n_parts == 1:
        return _eigenvectors(affinity, n_components)
    places, radii = _places(X, labels, n_parts, n_components)
    coordinates = np.empty((len(labels), n_components))
    order = np.argsort(labels, kind="stable")
    grouped = affinity[order][:, order]
    ends = np.cumsum(np.bincount(labels))
    for part, (start, stop) in enumerate(pairwise([0, *ends])):
        members = order[start:stop]
        inside = _eigenvectors(grouped[start:stop][:, start:stop], n_components)
        if inside is None:
            return None
        largest = np.abs(inside).max(initial=0.0)
        coordinates[members] = places[part] + inside * (radii[part] / largest if largest > 0 else 0.0)
    return coordinates


def _eigenvectors(affinity: sparse.csr_array, n_components: int) -> np.ndarray | None:
    """Leading non-trivial eigenvectors (n, n_components); zero columns where a small graph has too few."""
    import warnings

    n = affinity.shape[0]
    rank = min(n_components, n - 1)
    coordinates = np.zeros((n, n_components))
    if rank > 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            spectrum = leading_spectrum(affinity, rank, tol=0.05, max_iter=MAX_PRODUCTS)
        if not spectrum.converged:
            return None
        coordinates[:, :rank] = spectrum.eigenvectors
    return coordinates


def _places(X: Any, labels: np.ndarray, n_parts: int, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Centre (parts, n_components) of each component, and a radius that keeps it apart from the nearest other."""
    if X is not None and n_parts > 2:
        sums = sparse.csr_array((np.ones(len(labels)), (labels, np.arange(len(labels)))), shape=(n_parts, len(labels)))
        means = np.asarray((sums @ X) / np.bincount(labels)[:, None])
        centres = _principal(means, n_components)
    else:
        angle = 2 * np.pi * np.arange(n_parts) / n_parts
        centres = np.zeros((n_parts, n_components))
        centres[:, 0] = np.cos(angle) if n_components > 1 else np.arange(n_parts)
        if n_components > 1:
            centres[:, 1] = np.sin(angle)
    from scipy.spatial import cKDTree

    gaps = cKDTree(centres).query(centres, k=2)[0][:, 1]
    smallest = np.median(gaps) if np.median(gaps) > 0 else 1.0
    return centres, np.maximum(gaps, 0.1 * smallest) / 2
