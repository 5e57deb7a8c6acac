"""Covariance matrices of tangent coordinates: diagonal, full, or a diagonal plus the rows that were observed."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import LinearOperator, eigsh

DENSE = 2000
"""Most coordinates for which a full matrix is formed."""


@dataclass(frozen=True)
class TangentCovariance:
    """The matrix ``diag(diagonal) + rows^T rows`` (m, m), never formed where m is large.

    Attributes
    ----------
    diagonal : ndarray of shape (m,)
        Not negative; positive where there are fewer rows than coordinates.
    rows : ndarray of shape (r, m)
        May be empty.
    """

    diagonal: np.ndarray
    rows: np.ndarray

    @classmethod
    def of_diagonal(cls, diagonal: np.ndarray) -> "TangentCovariance":
        """Return a diagonal matrix."""
        return cls(diagonal, np.empty((0, len(diagonal))))

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return len(self.diagonal)

    def dense(self) -> np.ndarray:
        """Return the matrix (m, m)."""
        return np.diag(self.diagonal) + self.rows.T @ self.rows

    def quadratic(self, b: np.ndarray) -> np.ndarray:
        """Return ``b^T V^-1 b`` (...) for vectors (..., m)."""
        return np.einsum("...i,...i->...", b, self.solve(b))

    def solve(self, b: np.ndarray) -> np.ndarray:
        """Return ``V^-1 b`` for vectors (..., m)."""
        if not len(self.rows):
            return b / self.diagonal
        flat = b.reshape(-1, self.dim).T
        if self.dim <= DENSE:
            solved = cho_solve(cho_factor(self.dense()), flat)
        else:
            # The identity of Woodbury: only a matrix of the size of the sample is factorised.
            scaled = self.rows / self.diagonal
            inner = np.eye(len(self.rows)) + scaled @ self.rows.T
            straight = flat / self.diagonal[:, None]
            solved = straight - scaled.T @ cho_solve(cho_factor(inner), self.rows @ straight)
        return solved.T.reshape(b.shape)

    def apply(self, b: np.ndarray) -> np.ndarray:
        """Return ``V b`` for vectors (..., m)."""
        return b * self.diagonal + (b @ self.rows.T) @ self.rows

    def root(self, z: np.ndarray) -> np.ndarray:
        """Return ``A z`` for vectors (..., m) with ``A A^T = V``."""
        if not len(self.rows):
            return z * np.sqrt(self.diagonal)
        values, vectors = np.linalg.eigh(self.dense())
        return (z * np.sqrt(np.maximum(values, 0.0))) @ vectors.T

    def extremes(self) -> tuple[float, float]:
        """Return the smallest and the largest eigenvalue."""
        if not len(self.rows):
            return float(self.diagonal.min()), float(self.diagonal.max())
        if self.dim <= DENSE:
            values = np.linalg.eigvalsh(self.dense())
            return float(values[0]), float(values[-1])
        shape = (self.dim, self.dim)
        forward = LinearOperator(shape, matvec=lambda b: self.apply(np.ravel(b)), dtype=np.float64)
        inverse = LinearOperator(shape, matvec=lambda b: self.solve(np.ravel(b)), dtype=np.float64)
        start = np.ones(self.dim)
        largest = eigsh(forward, k=1, which="LA", v0=start, return_eigenvectors=False)
        most = eigsh(inverse, k=1, which="LA", v0=start, return_eigenvectors=False)
        return float(1.0 / most[0]), float(largest[0])


def shrinkage(rows: np.ndarray, target: np.ndarray) -> float:
    """Return by which part (0 to 1) the mean outer product of rows (n, m) should be moved to a diagonal (m,).

    The intensity of Ledoit and Wolf, that makes the expected squared error of the matrix smallest.
    """
    n = len(rows)
    gram = rows @ rows.T
    squares = (rows**2).sum(1)
    diagonal = (rows**2).mean(0)
    # |mean_i r_i r_i^T - target|^2 and the sum of the variances of its entries, without forming it.
    apart = (gram**2).sum() / n**2 - 2.0 * (diagonal * target).sum() + (target**2).sum()
    noise = ((squares**2).sum() / n - (gram**2).sum() / n**2) / n
    return float(np.clip(noise / apart, 0.0, 1.0)) if apart > 0 else 1.0
