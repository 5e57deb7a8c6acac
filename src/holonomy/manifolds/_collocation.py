"""Linear differential equations of parallel transport, by Gauss collocation."""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor

from holonomy.manifolds.numerics import tolerances

SWEEPS = 60
"""Most fixed-point sweeps over the collocation equations."""


def gauss_nodes(count: int, like: Tensor) -> Tensor:
    """Return the Gauss nodes (count,) in [0, 1]."""
    return torch.as_tensor(_tables(count)[0]).to(like)


def transport_along(slope: Callable[[Tensor], Tensor], start: Tensor, count: int) -> Tensor:
    """Solve ``w' = slope(w)``, linear in w, from time 0 to 1.

    Parameters
    ----------
    slope : callable
        From w at the Gauss nodes, (count, *start.shape), to its derivative there.
    start : Tensor
        The value at time 0.
    count : int
        Number of nodes; the error falls with the power ``2 count`` of the length, and products that the equation
        keeps constant are kept to rounding.

    Returns
    -------
    Tensor
        The value at time 1.
    """
    weights = torch.as_tensor(_tables(count)[1]).to(start)
    at = start.expand(count, *start.shape)
    slopes = slope(at)
    for _ in range(SWEEPS):
        new = start + torch.einsum("ij,j...->i...", weights[:-1], slopes)
        moved = (new - at).detach().abs().amax() if new.numel() else new.new_zeros(())
        at, slopes = new, slope(new)
        if bool(moved <= tolerances(start.dtype).iterate * (1.0 + new.detach().abs().amax() if new.numel() else 1.0)):
            break
    return start + torch.einsum("j,j...->...", weights[-1], slopes)


@cache
def _tables(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes, and the integrals of the interpolating polynomials up to each node and, last, up to 1."""
    points, halves = np.polynomial.legendre.leggauss(count)
    nodes, whole = 0.5 * (points + 1.0), 0.5 * halves
    # In Legendre polynomials, whose integrals are known, the interpolation is well conditioned.
    values = np.polynomial.legendre.legvander(points, count - 1)
    norms = 2.0 * np.arange(count) + 1.0
    to_coefficients = norms[:, None] * (values * whole[:, None]).T
    above = np.polynomial.legendre.legvander(points, count)
    integrals = np.empty((count, count))
    integrals[:, 0] = 0.5 * (points + 1.0)
    for k in range(1, count):
        integrals[:, k] = 0.5 * (above[:, k + 1] - above[:, k - 1]) / (2.0 * k + 1.0)
    return nodes, np.vstack([integrals @ to_coefficients, whole])
