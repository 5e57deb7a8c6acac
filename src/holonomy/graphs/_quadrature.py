"""The eigenvalues of a symmetric matrix as a distribution: all of them, or sampled by Lanczos from random vectors."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from holonomy._core.parallel import native_threads
from holonomy._core.random import generator

N_STEPS = 56
"""Lanczos steps: polynomials up to degree 111 are integrated exactly for each random vector."""


@dataclass(frozen=True, eq=False)
class SpectralMeasure:
    """Nodes and weights such that ``sum_i weights[i] f(nodes[i])`` is, or estimates, the trace of f(matrix)."""

    nodes: np.ndarray
    weights: np.ndarray

    def entropy(self, logs: np.ndarray, time: float) -> float:
        """Return ``-sum p log p`` of shares p proportional to ``exp(time * logs)``, one log for each node."""
        exponents = time * logs if time > 0 else np.zeros_like(logs)
        exponents = exponents - exponents.max()
        powers = np.exp(exponents)
        total = float(self.weights @ powers)
        alive = powers > 0
        return float(np.log(total) - self.weights[alive] @ (powers[alive] * exponents[alive]) / total)


def dense_measure(matrix: sparse.csr_array) -> SpectralMeasure:
    """All eigenvalues, each of weight 1."""
    with native_threads(1):
        return SpectralMeasure(np.linalg.eigvalsh(matrix.toarray()), np.ones(matrix.shape[0]))


def sampled_measure(matrix: sparse.csr_array, n_probes: int, seed: int) -> SpectralMeasure:
    """Stochastic Lanczos quadrature: Gauss nodes and weights of random signs, averaged over the probes."""
    n = matrix.shape[0]
    nodes, weights = [], []
    with native_threads(1):  # inner products sum in another order for another number of threads
        for probe in range(n_probes):
            diagonal, beside = _lanczos(matrix, _signs(n, seed, probe), min(N_STEPS, n))
            values, vectors = linalg.eigh_tridiagonal(diagonal, beside[:-1])
            nodes.append(values)
            weights.append(vectors[0] ** 2 * (n / n_probes))
    return SpectralMeasure(np.concatenate(nodes), np.concatenate(weights))


def upper_bound(matrix: sparse.csr_array, n_steps: int = 24) -> float:
    """Return a number above the largest eigenvalue: the largest Ritz value and the norm of the last residual."""
    with native_threads(1):
        diagonal, beside = _lanczos(matrix, _signs(matrix.shape[0], 0, 0), min(n_steps, matrix.shape[0]))
    return float(linalg.eigvalsh_tridiagonal(diagonal, beside[:-1])[-1] + beside[-1])


def _signs(n: int, seed: int, probe: int) -> np.ndarray:
    return generator(seed, "quadrature", probe).choice((-1.0, 1.0), size=n) / np.sqrt(n)


def _lanczos(matrix: sparse.csr_array, start: np.ndarray, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the diagonal of the tridiagonal matrix, and what is beside and (last) below it."""
    basis = np.empty((n_steps + 1, len(start)))
    diagonal, beside = np.empty(n_steps), np.empty(n_steps)
    basis[0] = start
    for j in range(n_steps):
        image = matrix @ basis[j]
        diagonal[j] = basis[j] @ image
        for _ in range(2):
            image -= basis[: j + 1].T @ (basis[: j + 1] @ image)
        beside[j] = np.linalg.norm(image)
        if beside[j] < 1e-12:
            return diagonal[: j + 1], beside[: j + 1]
        basis[j + 1] = image / beside[j]
    return diagonal, beside
