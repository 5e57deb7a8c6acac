"""The largest eigenpairs of a symmetric matrix by a block Krylov space, the same bits for any number of threads."""

from collections.abc import Callable

import numpy as np

from holonomy._core.parallel import native_threads

GUARD = 6
"""Vectors of a block beyond those asked for, so that repeated eigenvalues are all found."""

DEPTH = 8
"""Products of the block that make up one Krylov space."""

DENSE_UP_TO = 200


def largest_eigenpairs(
    apply: Callable[[np.ndarray], np.ndarray],
    n: int,
    n_pairs: int,
    rng: np.random.Generator,
    *,
    tol: float = 1e-8,
    max_restarts: int = 30,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the algebraically largest eigenvalues, descending, their vectors, and the smallest eigenvalue found.

    ``apply`` multiplies a block of columns by the matrix and must give the same bits whatever the threads. The smallest
    value is an upper bound of the smallest eigenvalue, and the exact one up to 200 points.
    """
    if n <= DENSE_UP_TO:
        with native_threads(1):
            values, vectors = np.linalg.eigh(apply(np.eye(n)))
        return values[::-1][:n_pairs], vectors[:, ::-1][:, :n_pairs], float(values[0])
    width = n_pairs + GUARD
    block = rng.standard_normal((n, width))
    for _ in range(max_restarts):
        basis, images = _krylov(apply, block)
        with native_threads(1):
            projected = basis.T @ images
            values, mixing = np.linalg.eigh((projected + projected.T) / 2.0)
            values, mixing = values[::-1], mixing[:, ::-1]
            block = basis @ mixing[:, :width]
            leading = images @ mixing[:, :n_pairs] - block[:, :n_pairs] * values[:n_pairs]
        if (np.linalg.norm(leading, axis=0) <= tol * np.abs(values).max()).all():
            break
    return values[:n_pairs], block[:, :n_pairs], float(values[-1])


def _krylov(apply: Callable[[np.ndarray], np.ndarray], block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an orthonormal basis of the block and its first products, and the products of the basis."""
    basis, images = np.empty((len(block), 0)), np.empty((len(block), 0))
    for _ in range(DEPTH):
        with native_threads(1):
            for _ in range(2):
                block = block - basis @ (basis.T @ block)
                block, _ = np.linalg.qr(block)
        image = apply(block)
        basis, images = np.hstack([basis, block]), np.hstack([images, image])
        block = image
    return basis, images
