"""Dense linear algebra that gives the same bits for any number of threads."""

import numpy as np

from holonomy._core.parallel import native_threads
from holonomy.graphs._blocks import run_blocks


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return ``a @ b``: fixed blocks of rows in threads, each by BLAS on one thread."""
    result = np.empty((a.shape[0], *b.shape[1:]), dtype=np.result_type(a, b))

    def fill(start: int, stop: int) -> None:
        np.matmul(a[start:stop], b, out=result[start:stop])

    with native_threads(1):
        run_blocks(fill, a.shape[0], block=256)
    return result


def symmetric_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return ``a @ b`` where it is symmetric, as of powers of a symmetric matrix: its upper half, twice."""
    result = np.empty((len(a), len(a)), dtype=np.result_type(a, b))

    def fill(start: int, stop: int) -> None:
        np.matmul(a[start:stop], b[:, start:], out=result[start:stop, start:])
        result[stop:, start:stop] = result[start:stop, stop:].T

    with native_threads(1):
        run_blocks(fill, a.shape[0], block=256)
    return result


def eigenpairs(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return all eigenvalues of a symmetric matrix, ascending, and unit eigenvectors as columns."""
    with native_threads(1):
        return np.linalg.eigh(matrix)


def squared_distances(a: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    """Return squared Euclidean distances between the rows of ``a`` (m, d) and ``b`` (n, d), of ``a`` by default."""
    with native_threads(1):
        norms_a = np.einsum("ij,ij->i", a, a)
        norms_b = norms_a if b is None else np.einsum("ij,ij->i", b, b)
    result = symmetric_product(a, a.T) if b is None else product(a, np.ascontiguousarray(b.T))
    result *= -2.0
    result += norms_a[:, None]
    result += norms_b
    return np.maximum(result, 0.0, out=result)
