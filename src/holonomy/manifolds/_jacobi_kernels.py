"""Affine-invariant distances of small matrices by Jacobi rotations, which keep the digits of small eigenvalues.

Each kernel does matrices [start, stop) of C-contiguous arrays (m, n, n).
"""

import math

import numpy as np
from numba import njit

kernel = njit(cache=True, nogil=True, error_model="numpy")
part = njit(error_model="numpy")

SWEEPS = 30
EPS = 2.0**-53
NEAR = 0.5
"""Norm of what B is relative to A less the identity, below which its own eigenvalues are found."""


@part
def _cholesky(A, L):
    """Fill the lower Cholesky factor; say whether there is one."""
    n = A.shape[0]
    for i in range(n):
        for j in range(i + 1):
            total = 0.5 * (np.float64(A[i, j]) + np.float64(A[j, i]))
            for k in range(j):
                total -= L[i, k] * L[j, k]
            if i > j:
                L[i, j] = total / L[j, j]
            elif total > 0.0:
                L[i, i] = math.sqrt(total)
            else:
                return False
        for j in range(i + 1, n):
            L[i, j] = 0.0
    return True


@part
def _solve_lower(L, M):
    """Replace M by L^-1 M."""
    n = L.shape[0]
    for i in range(n):
        for j in range(n):
            total = M[i, j]
            for k in range(i):
                total -= L[i, k] * M[k, j]
            M[i, j] = total / L[i, i]


@part
def _rotation(alpha, beta, gamma):
    """Return the cosine and sine that make two vectors of squares alpha and beta and product gamma orthogonal."""
    zeta = 0.5 * (beta - alpha) / gamma
    t = math.copysign(1.0, zeta) / (abs(zeta) + math.hypot(1.0, zeta))
    c = 1.0 / math.hypot(1.0, t)
    return c, c * t


@part
def _turn_columns(M, p, q, c, s):
    for k in range(M.shape[0]):
        a, b = M[k, p], M[k, q]
        M[k, p], M[k, q] = c * a - s * b, s * a + c * b


@part
def _turn_rows(M, p, q, c, s):
    for k in range(M.shape[1]):
        a, b = M[p, k], M[q, k]
        M[p, k], M[q, k] = c * a - s * b, s * a + c * b


@part
def _eigen(E, U, size):
    """Diagonalise symmetric E in place, to eps times ``size``; U takes the rotations."""
    n = E.shape[0]
    for _ in range(SWEEPS):
        done = True
        for p in range(n - 1):
            for q in range(p + 1, n):
                if abs(E[p, q]) > EPS * size * 0.25:
                    done = False
                    c, s = _rotation(E[p, p], E[q, q], E[p, q])
                    _turn_columns(E, p, q, c, s)
                    _turn_rows(E, p, q, c, s)
                    _turn_columns(U, p, q, c, s)
                    E[p, q], E[q, p] = 0.0, 0.0
        if done:
            return


@part
def _orthogonalise(M, U):
    """Make the rows of M orthogonal by rotations that U takes: what is left are the singular values times V^T."""
    n = M.shape[0]
    for _ in range(SWEEPS):
        done = True
        for p in range(n - 1):
            for q in range(p + 1, n):
                alpha, beta, gamma = 0.0, 0.0, 0.0
                for k in range(n):
                    alpha += M[p, k] * M[p, k]
                    beta += M[q, k] * M[q, k]
                    gamma += M[p, k] * M[q, k]
                if abs(gamma) > 8.0 * EPS * math.sqrt(alpha) * math.sqrt(beta):
                    done = False
                    c, s = _rotation(alpha, beta, gamma)
                    _turn_rows(M, p, q, c, s)
                    _turn_columns(U, p, q, c, s)
        if done:
            return


@kernel
def squared_dist(alpha, beta, A, B, L, U, values, logarithms, out, failed, start, stop):
    """Fill squared distances, Cholesky factors of A, eigenvectors, eigenvalues and their logarithms.

    Near A it is the difference that is decomposed, elsewhere the Cholesky factor of B relative to that of A. Where a
    matrix has no factor, ``failed`` is set.
    """
    n = A.shape[1]
    M, R = np.empty((n, n)), np.empty((n, n))
    for m in range(start, stop):
        if not _cholesky(A[m], L[m]):
            failed[0] = 1
            return
        for i in range(n):
            for j in range(n):
                U[m, i, j] = 1.0 if i == j else 0.0
                M[i, j] = 0.5 * (np.float64(B[m, i, j]) - np.float64(A[m, i, j]))
                M[i, j] += 0.5 * (np.float64(B[m, j, i]) - np.float64(A[m, j, i]))
        _solve_lower(L[m], M)
        R[:] = M.T
        _solve_lower(L[m], R)
        size = math.sqrt((R * R).sum())
        if size < NEAR:
            M[:] = 0.5 * (R + R.T)
            _eigen(M, U[m], size)
            for i in range(n):
                logarithms[m, i], values[m, i] = math.log1p(M[i, i]), 1.0 + M[i, i]
        else:
            if not _cholesky(B[m], M):
                failed[0] = 1
                return
            _solve_lower(L[m], M)
            _orthogonalise(M, U[m])
            for i in range(n):
                square = 0.0
                for k in range(n):
                    square += M[i, k] * M[i, k]
                logarithms[m, i], values[m, i] = math.log(square), square
        total, trace = 0.0, 0.0
        for i in range(n):
            total += logarithms[m, i] * logarithms[m, i]
            trace += logarithms[m, i]
        out[m] = alpha * total + beta * trace * trace


@kernel
def squared_dist_slopes(alpha, beta, root, L, U, values, logarithms, g, g_A, g_B, start, stop):
    """Fill the gradients of squared distances, or of distances if ``root``, which are 0 where A = B."""
    n = L.shape[1]
    W, weights = np.empty((n, n)), np.empty(n)
    for m in range(start, stop):
        total, trace = 0.0, 0.0
        for i in range(n):
            total += logarithms[m, i] * logarithms[m, i]
            trace += logarithms[m, i]
        scale = 2.0 * g[m]
        if root:
            square = alpha * total + beta * trace * trace
            scale = g[m] / math.sqrt(square) if square > 0.0 else 0.0
        for i in range(n):
            weights[i] = scale * (alpha * logarithms[m, i] + beta * trace)
        for j in range(n):
            for i in range(n - 1, -1, -1):
                rest = U[m, i, j]
                for k in range(i + 1, n):
                    rest -= L[m, k, i] * W[k, j]
                W[i, j] = rest / L[m, i, i]
        for i in range(n):
            for j in range(i + 1):
                by_A, by_B = 0.0, 0.0
                for k in range(n):
                    both = W[i, k] * W[j, k] * weights[k]
                    by_A -= both
                    by_B += both / values[m, k]
                g_A[m, i, j], g_A[m, j, i] = by_A, by_A
                g_B[m, i, j], g_B[m, j, i] = by_B, by_B
