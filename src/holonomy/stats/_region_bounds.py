"""Extremes of angles and loadings over an ellipsoid of tangent coordinates."""

import numpy as np

from holonomy.stats._flag_coordinates import FlagChart
from holonomy.stats._tangent_covariance import TangentCovariance

_SWEEPS = 200
_STARTS = 4


def largest_angle(law: TangentCovariance, chart: FlagChart, group: int) -> float:
    """Return the largest angle of a subspace over the ellipsoid ``b^T V^-1 b <= 1``.

    The angle is the largest singular value of the block of b that turns the subspace; its maximum over unit vectors on
    both sides is found by turns, which is exact where the subspace is a line and rises otherwise.
    """
    ends = np.cumsum(chart.sizes)
    columns = np.arange(ends[group] - chart.sizes[group], ends[group])
    inside = np.isin(chart.row, columns)
    outside = np.isin(chart.towards, columns)
    own = np.where(inside, chart.row, chart.towards) - columns[0]
    other = np.where(inside, chart.towards, chart.row)
    sign = np.where(inside, 1.0, -1.0) * (inside | outside)
    own = np.where(inside | outside, own, 0)
    q, p = len(columns), chart.p

    def along(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return sign * u[own] * v[other]

    best = 0.0
    for start in range(min(q, _STARTS)):
        u, v = np.eye(q)[start], np.ones(p)
        value = 0.0
        for _ in range(_SWEEPS):
            moved = law.apply(along(u, v))
            block = np.zeros((q, p))
            np.add.at(block, (own, other), sign * moved)
            left, _, right = np.linalg.svd(block, full_matrices=False)
            u, v = left[:, 0], right[0]
            fresh = float(along(u, v) @ law.apply(along(u, v)))
            if fresh <= value * (1.0 + 1e-12):
                break
            value = fresh
        best = max(best, value)
    return float(np.sqrt(best))


def loading_half_widths(law: TangentCovariance, chart: FlagChart, Q: np.ndarray) -> np.ndarray:
    """Return by how much each loading (p, p) can move over the ellipsoid ``b^T V^-1 b <= 1``, to first order.

    By Lagrange's multipliers the maximum of a linear function g is ``sqrt(g^T V g)``.
    """
    p = chart.p
    half = np.zeros((p, p))
    for column in range(p):
        gradient = np.zeros((p, chart.dim))
        forward, back = chart.row == column, chart.towards == column
        gradient[:, forward] = Q[:, chart.towards[forward]]
        gradient[:, back] = -Q[:, chart.row[back]]
        half[:, column] = np.sqrt(np.einsum("im,im->i", gradient, law.apply(gradient)))
    return half
