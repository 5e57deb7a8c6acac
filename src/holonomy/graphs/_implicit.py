"""Implicit Euler steps of the heat equation: by a sparse factorisation, or by conjugate gradients on all columns."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

FACTORED_UP_TO = 5_000
"""Most points for which the system is factored; the factors of larger graphs fill up."""

TOLERANCE = 1e-12
MAX_PRODUCTS = 2_000


def implicit_euler(matrix: sparse.csr_array, block: np.ndarray, time: float, n_steps: int) -> np.ndarray:
    """Return ``(I + time / n_steps M)^-n_steps block`` for a symmetric positive semidefinite matrix M.

    Where the system is factored, eliminating without pivoting subtracts nothing from a non-negative block of a graph's
    Laplacian, so that even the smallest entries are positive and accurate.

    Raises
    ------
    ValueError
        If a solve needs more than ``MAX_PRODUCTS`` products.
    """
    system = (sparse.eye_array(matrix.shape[0], format="csr") + (time / n_steps) * matrix).tocsr()
    columns = block.reshape(len(block), -1)
    factors = None
    if len(block) <= FACTORED_UP_TO:
        options = {"SymmetricMode": True, "Equil": False}
        factors = splu(system.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    for _ in range(n_steps):
        columns = _solve(system, columns) if factors is None else factors.solve(columns)
    return columns.reshape(block.shape)


def _solve(system: sparse.csr_array, right: np.ndarray) -> np.ndarray:
    """Solve for every column; each stops at its own residual."""
    solution = right.copy()
    residual = right - system @ solution
    direction = residual.copy()
    squared = np.einsum("ij,ij->j", residual, residual)
    goal = TOLERANCE**2 * np.einsum("ij,ij->j", right, right)
    for _ in range(MAX_PRODUCTS):
        if (squared <= goal).all():
            return solution
        image = system @ direction
        curvature = np.einsum("ij,ij->j", direction, image)
        step = np.divide(squared, curvature, out=np.zeros_like(squared), where=squared > goal)
        solution += step * direction
        residual -= step * image
        before, squared = squared, np.einsum("ij,ij->j", residual, residual)
        direction *= np.divide(squared, before, out=np.zeros_like(squared), where=before > 0)
        direction += residual
    raise ValueError(
        f"an implicit Euler step did not converge within {MAX_PRODUCTS} products; raise order, lower t, or use "
        "method='chebyshev'."
    )
