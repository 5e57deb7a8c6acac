"""Distributions pushed forward to the line: their quantiles, and exact distances of quantile functions."""

import numpy as np
from numba import njit

_compiled = njit(cache=True, nogil=True)


@_compiled
def fill_quantiles(
    values: np.ndarray,
    weights: np.ndarray,
    starts: np.ndarray,
    levels: np.ndarray,
    slack: float,
    linear: bool,
    out: np.ndarray,
    start: int,
    stop: int,
) -> None:
    """Fill quantiles (N, L, S) of distributions [start, stop).

    Distribution i has the values (k, L) and weights (k,) of rows ``starts[i]`` to ``starts[i + 1]``. A quantile is the
    first value whose share of the weight, less ``slack``, reaches the level; or, ``linear``, between the values at the
    middles of their shares.
    """
    n_levels = len(levels)
    for i in range(start, stop):
        rows = values[starts[i] : starts[i + 1]]
        mass = weights[starts[i] : starts[i + 1]]
        total = mass.sum()
        for l in range(values.shape[1]):  # noqa: E741
            order = np.argsort(rows[:, l], kind="mergesort")
            at, share = 0, mass[order[0]] / total
            below = -1.0
            for s in range(n_levels):
                if not linear:
                    while at < len(order) - 1 and share + slack < levels[s]:
                        at += 1
                        share += mass[order[at]] / total
                    out[i, l, s] = rows[order[at], l]
                    continue
                # ``share`` counts up to the present value; its middle lies half its weight below.
                while at < len(order) - 1 and share - 0.5 * mass[order[at]] / total < levels[s]:
                    below = share - 0.5 * mass[order[at]] / total
                    at += 1
                    share += mass[order[at]] / total
                here = share - 0.5 * mass[order[at]] / total
                if at == 0 or levels[s] >= here or here <= below:
                    out[i, l, s] = rows[order[at], l]
                else:
                    part = (levels[s] - below) / (here - below)
                    low = rows[order[at - 1], l]
                    out[i, l, s] = low + part * (rows[order[at], l] - low)


@_compiled
def line_distances(p: np.ndarray, p_mass: np.ndarray, q: np.ndarray, q_mass: np.ndarray, order: int) -> np.ndarray:
    """Return the integrals of ``|F^-1 - G^-1|^order`` for each column of values p (k, L) and q (m, L), exactly."""
    result = np.zeros(p.shape[1])
    p_total, q_total = p_mass.sum(), q_mass.sum()
    for l in range(p.shape[1]):  # noqa: E741
        first, second = np.argsort(p[:, l], kind="mergesort"), np.argsort(q[:, l], kind="mergesort")
        i, j = 0, 0
        p_share, q_share, done = p_mass[first[0]] / p_total, q_mass[second[0]] / q_total, 0.0
        while True:
            until = min(p_share, q_share)
            gap = abs(p[first[i], l] - q[second[j], l])
            result[l] += max(until - done, 0.0) * (gap * gap if order == 2 else gap)
            done = max(until, done)
            if p_share <= q_share and i < len(first) - 1:
                i += 1
                p_share += p_mass[first[i]] / p_total
            elif j < len(second) - 1:
                j += 1
                q_share += q_mass[second[j]] / q_total
            elif i < len(first) - 1:
                i += 1
                p_share += p_mass[first[i]] / p_total
            else:
                break
    return result


@_compiled
def split_statistics(values: np.ndarray, levels: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the squared distance of two samples for each of B ways to label pooled points.

    ``values`` (n, L) are those of the pooled points, ``labels`` (B, n) say which belong to the first sample, and
    ``weights`` (L,) weigh the slices.
    """
    n, n_slices = values.shape
    result = np.zeros(len(labels))
    for l in range(n_slices):  # noqa: E741
        column = values[:, l]
        order = np.argsort(column, kind="mergesort")
        first, second = np.empty(n), np.empty(n)
        for b in range(len(labels)):
            i, j = 0, 0
            for k in order:
                if labels[b, k]:
                    first[i] = column[k]
                    i += 1
                else:
                    second[j] = column[k]
                    j += 1
            total = 0.0
            for level in levels:
                gap = first[_rank(level, i)] - second[_rank(level, j)]
                total += gap * gap
            result[b] += weights[l] * total / len(levels)
    return result


@_compiled
def _rank(level: float, n: int) -> int:
    """Return the place of the quantile of this level among n sorted values."""
    return min(max(int(np.ceil(level * n - 1e-12)) - 1, 0), n - 1)
