"""Classical multidimensional scaling: the coordinates whose inner products are nearest to those the distances imply."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from holonomy._core.citations import references
from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import check_int
from holonomy.embed._dissimilarities import check_distances
from holonomy.embed._krylov import largest_eigenpairs
from holonomy.graphs._dense import product
from holonomy.graphs._signs import orient


@dataclass(frozen=True, eq=False)
class ClassicalScaling:
    """Coordinates from distances, and the map from further distances to coordinates.

    Attributes
    ----------
    embedding : ndarray, shape (n, m)
        Centred coordinates; axis j has squared length ``eigenvalues[j]``, the largest first. Axes that the distances do
        not have are 0.
    eigenvalues : ndarray, shape (m,)
        Largest eigenvalues of the doubly centred matrix ``-1/2 J D^2 J``; those below 0 belong to axes of zeros.
    smallest_eigenvalue : float
        The smallest found: clearly below 0 where no Euclidean space has these distances.
    mean_squared : ndarray, shape (n,)
        Mean squared distance of each point to all.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import classical_mds
    >>> square = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    >>> distances = np.linalg.norm(square[:, None] - square, axis=2)
    >>> found = classical_mds(distances)
    >>> found.place(distances[:1]).round(6).tolist() == found.embedding[:1].round(6).tolist()
    True
    """

    embedding: np.ndarray
    eigenvalues: np.ndarray
    smallest_eigenvalue: float
    mean_squared: np.ndarray

    def place(self, distances: ArrayLike) -> np.ndarray:
        """Place new points by their distances to the n points: landmark MDS, which is Nystroem's extension.

        Parameters
        ----------
        distances : array-like of shape (p, n)
            Finite distances of p new points to the n points.

        Returns
        -------
        ndarray, shape (p, m)
            Coordinates; each row depends on its own distances only, and a point's own row gives its own place where
            the coordinates have the distances exactly.

        Raises
        ------
        ValueError
            If the shape does not fit or a distance is negative or not finite.

        References
        ----------
        de Silva, Tenenbaum (2004). Sparse multidimensional scaling using landmark points. Stanford University.
        """
        rows = np.asarray(distances, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.mean_squared):
            raise ValueError(f"distances must have shape (p, {len(self.mean_squared)}), got {rows.shape}.")
        if not np.isfinite(rows).all() or (rows < 0).any():
            raise ValueError("distances must be finite and at least 0.")
        is_axis = self.eigenvalues > 0
        weights = np.divide(self.embedding, self.eigenvalues, out=np.zeros_like(self.embedding), where=is_axis)
        # einsum sums every row alone, so that it cannot depend on the others.
        return -0.5 * np.einsum("pn,nm->pm", rows**2 - self.mean_squared, weights, optimize=False)


@references("torgerson1952multidimensional", "desilva2004sparse")
def classical_mds(distances: ArrayLike, n_components: int = 2, *, random_state: RandomState = 0) -> ClassicalScaling:
    """Find coordinates by classical multidimensional scaling (Torgerson).

    Parameters
    ----------
    distances : array-like of shape (n, n)
        Symmetric distances, finite, 0 on the diagonal; n up to 20,000.
    n_components : int, default 2
        Number of axes m, at least 1.
    random_state : int, Generator, RandomState or None, default 0
        Start of the eigensolver (block Krylov with restarts; dense up to 200 points).

    Returns
    -------
    ClassicalScaling
        The coordinates, unique up to signs (fixed by the entry of largest magnitude), and a way to place new points.

    Raises
    ------
    TypeError, ValueError
        If ``distances`` is not square, symmetric, finite and non-negative, or a parameter is out of range.

    References
    ----------
    Torgerson (1952). Multidimensional scaling: I. Theory and method. Psychometrika 17, 401-419.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import classical_mds
    >>> line = np.array([[0.0], [1], [3]])
    >>> classical_mds(np.abs(line - line.T), 1).embedding.ravel().round(3)
    array([-1.333, -0.333,  1.667])
    """
    m = check_int(n_components, "n_components", minimum=1)
    return scaled_classically(check_distances(distances), m, check_seed(random_state))


def scaled_classically(distances: np.ndarray, n_components: int, seed: int) -> ClassicalScaling:
    """Scale checked distances; see :func:`classical_mds`."""
    n, m = len(distances), n_components
    squared = distances**2
    mean_squared = squared.mean(axis=1)
    total = mean_squared.mean()

    def centred(block: np.ndarray) -> np.ndarray:
        sums = block.sum(axis=0)
        image = product(squared, block) - np.multiply.outer(mean_squared, sums)
        image -= mean_squared @ block - total * sums
        return -0.5 * image

    rank = min(m, n)
    values, vectors, smallest = largest_eigenpairs(centred, n, rank, generator(seed, "classical"))
    eigenvalues, embedding = np.zeros(m), np.zeros((n, m))
    floor = 1e-12 * max(float(np.abs(values).max(initial=0.0)), 1e-300)
    eigenvalues[:rank] = np.where(np.abs(values) > floor, values, 0.0)
    embedding[:, :rank] = orient(vectors, axis=0) * np.sqrt(np.maximum(eigenvalues[:rank], 0.0))
    return ClassicalScaling(embedding, eigenvalues, smallest, mean_squared)
