"""Scale a symmetric matrix to given row sums: balanced fixed-point steps, then Newton steps where these are slow."""

from collections.abc import Callable

import numpy as np
from scipy import sparse

Product = Callable[[np.ndarray], np.ndarray]

PATIENCE = 6
"""Fixed-point steps over which the deviation has to fall by ``ENOUGH``."""

ENOUGH = 0.25

LONGEST_STEP = 2.0
"""Largest change of a logarithm in one Newton step."""


def bipartite(weights: sparse.csr_array) -> Product:
    """Return the product with the symmetric matrix whose off-diagonal blocks are the weights and their transpose."""
    transposed, n = weights.T.tocsr(), weights.shape[0]
    return lambda x: np.concatenate([weights @ x[n:], transposed @ x[:n]])


def scale_symmetric(
    product: Product, sums: np.ndarray, tol: float, max_iter: int, before_newton: Callable[[], object]
) -> tuple[np.ndarray, float, int]:
    """Find x > 0 with ``x * (W x) = sums``.

    Returns x, the largest relative deviation, and the number of products used. ``before_newton`` is called once when
    the fixed-point steps turn out to be slow.
    """
    x = np.sqrt(sums) / np.sqrt(product(np.ones(len(sums))))
    used, deviations = 1, []
    while True:
        image = product(x)
        used += 1
        deviations.append(float(np.abs(x * image / sums - 1.0).max()))
        if deviations[-1] <= tol or used >= max_iter:
            return x, deviations[-1], used
        if len(deviations) > PATIENCE and not deviations[-1] <= ENOUGH * deviations[-1 - PATIENCE]:
            break
        x = np.sqrt(x * sums / image)
    before_newton()
    return _newton(product, sums, x, image, tol, used, max_iter)


def _newton(
    product: Product, sums: np.ndarray, x: np.ndarray, image: np.ndarray, tol: float, used: int, max_iter: int
) -> tuple[np.ndarray, float, int]:
    """Minimise the convex ``x' W x / 2 - sums' log x`` over log x by truncated Newton steps with backtracking."""
    best, lowest = x, np.inf
    while True:
        scaled = x * image
        gradient = scaled - sums
        deviation = float(np.abs(gradient / sums).max())
        if deviation < lowest:
            best, lowest = x, deviation
        if lowest <= tol or used >= max_iter:
            return best, lowest, used
        step, products = _conjugate_gradients(product, x, scaled, gradient, min(0.1, deviation), max_iter - used)
        used += products
        step *= min(1.0, LONGEST_STEP / np.abs(step).max())
        slope, value = float(gradient @ step), 0.5 * float(scaled.sum())
        while True:
            trial = x * np.exp(step)
            image = product(trial)
            used += 1
            change = 0.5 * float(trial @ image) - value - float(sums @ step)
            # Near the solution the value no longer resolves the change, and the full step is right.
            if change <= 1e-4 * slope + 1e-12 * abs(value) or used >= max_iter:
                break
            step, slope = 0.5 * step, 0.5 * slope
        x = trial


def _conjugate_gradients(
    product: Product, x: np.ndarray, scaled: np.ndarray, gradient: np.ndarray, tol: float, most: int
) -> tuple[np.ndarray, int]:
    """Solve ``(diag(scaled) + diag(x) W diag(x)) step = -gradient`` roughly, with the diagonal as preconditioner."""
    step, residual = np.zeros_like(x), -gradient
    ready = residual / scaled
    direction, energy = ready, float(residual @ ready)
    goal = tol * tol * energy
    for count in range(1, max(most, 1) + 1):
        turned = scaled * direction + x * product(x * direction)
        curvature = float(direction @ turned)
        if curvature <= 0:  # rounding on a direction that changes nothing
            return (step if step.any() else direction), count
        length = energy / curvature
        step = step + length * direction
        residual = residual - length * turned
        ready = residual / scaled
        previous, energy = energy, float(residual @ ready)
        if energy <= goal:
            break
        direction = ready + (energy / previous) * direction
    return step, count
