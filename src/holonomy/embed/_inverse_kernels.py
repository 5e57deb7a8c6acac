"""Compiled descent of the fuzzy cross-entropy in the space of the data, every row by itself."""

import numpy as np
from numba import njit
from numpy import uint32, uint64

from holonomy.embed._layout_kernels import scramble
from holonomy.embed._metric_gradients import distance_and_gradient

LEAST_ABSENCE = 1e-3
"""Added to 1 - membership, so that the repulsion of a row within the sure neighbourhood stays finite."""

NEGLIGIBLE = 15.0
"""Negative samples at more bandwidths than this do not act."""

HALVINGS = 5
"""Most times that a step is halved before a row counts as settled."""

TOLERANCE = 1e-3
"""Relative fall of the cross-entropy below which a row has settled."""


@njit(cache=True, nogil=True, error_model="numpy")
def settle_rows(
    decoded: np.ndarray,
    data: np.ndarray,
    neighbors: np.ndarray,
    memberships: np.ndarray,
    sigmas: np.ndarray,
    rhos: np.ndarray,
    keys: np.ndarray,
    n_negatives: int,
    repulsion: float,
    n_steps: int,
    code: int,
    exponent: float,
    weights: np.ndarray,
    losses: np.ndarray,
    start: int,
    stop: int,
) -> None:
    """Move rows [start, stop) of ``decoded`` downhill in place, and write their losses before and after.

    A step is scaled by the sum of the pulls over their distances, so that attraction alone would land on a weighted
    mean of the neighbours: no step size depends on the units of the data. Steps that do not lower the loss are halved.
    """
    n, dim = data.shape
    k = neighbors.shape[1]
    others = np.empty(k + n_negatives, dtype=np.int64)
    wanted = np.empty(k + n_negatives)
    factors = np.empty(k + n_negatives)
    direction, moved, gradient = np.empty(dim), np.empty(dim), np.empty(dim)
    for row in range(start, stop):
        for j in range(k):
            others[j], wanted[j], factors[j] = neighbors[row, j], memberships[row, j], 1.0
        count = k
        for draw in range(n_negatives):
            number = scramble(uint32(keys[row] + uint32(draw) * uint32(0x9E3779B9)))
            other = np.int64((uint64(number) * uint64(n)) >> uint64(32))
            d = distance_and_gradient(code, decoded[row], data[other], exponent, weights, gradient)
            if d - rhos[other] < NEGLIGIBLE * sigmas[other]:
                others[count], wanted[count], factors[count] = other, 0.0, repulsion
                count += 1
        goal = (others[:count], wanted[:count], factors[:count], sigmas, rhos, code, exponent, weights)
        loss = _descent(decoded[row], data, *goal, gradient, direction, True)
        losses[row, 0] = loss
        for _ in range(n_steps):
            step, better = 1.0, loss
            for _ in range(HALVINGS):
                for axis in range(dim):
                    moved[axis] = decoded[row, axis] - step * direction[axis]
                better = _descent(moved, data, *goal, gradient, direction, False)
                if better < loss:
                    break
                step *= 0.5
            if better >= loss:
                break
            decoded[row] = moved
            has_settled = loss - better < TOLERANCE * abs(loss)
            loss = better
            if has_settled:
                break
            _descent(decoded[row], data, *goal, gradient, direction, True)
        losses[row, 1] = loss


@njit(cache=True, nogil=True, error_model="numpy")
def _descent(
    point: np.ndarray,
    data: np.ndarray,
    others: np.ndarray,
    wanted: np.ndarray,
    factors: np.ndarray,
    sigmas: np.ndarray,
    rhos: np.ndarray,
    code: int,
    exponent: float,
    weights: np.ndarray,
    gradient: np.ndarray,
    direction: np.ndarray,
    with_direction: bool,
) -> float:
    """Return the cross-entropy of wanted memberships and those of a point; write the scaled gradient if asked to."""
    loss, total = 0.0, 0.0
    if with_direction:
        direction[:] = 0.0
    for m in range(len(others)):
        other = others[m]
        d = distance_and_gradient(code, point, data[other], exponent, weights, gradient)
        sigma = max(sigmas[other], 1e-30)
        excess = max(d - rhos[other], 0.0) / sigma
        absence = 1.0 - np.exp(-excess) + LEAST_ABSENCE
        loss += factors[m] * (wanted[m] * excess - (1.0 - wanted[m]) * np.log(absence))
        if with_direction and excess > 0.0 and d > 0.0:
            force = factors[m] * (wanted[m] - (1.0 - wanted[m]) * np.exp(-excess) / absence) / sigma
            total += abs(force) / d
            for axis in range(len(point)):
                direction[axis] += force * gradient[axis]
    if with_direction and total > 0.0:
        direction /= total
    return loss
