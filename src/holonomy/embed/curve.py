"""The curve that turns distances on a map into memberships: 1 / (1 + a d^(2b))."""

import numpy as np
from scipy.optimize import curve_fit

from holonomy._core.validation import check_float


def fit_curve(spread: float = 1.0, min_dist: float = 0.1) -> tuple[float, float]:
    """Find the curve parameters for which points up to ``min_dist`` apart count as together.

    The curve is fitted by least squares, at 300 distances in [0, 3 spread], to 1 up to ``min_dist`` and
    exp(-(d - min_dist) / spread) beyond.

    Parameters
    ----------
    spread : float, default 1.0
        Scale of the map, > 0.
    min_dist : float, default 0.1
        Distance within which points may be packed, in [0, spread].

    Returns
    -------
    (float, float)
        a and b of 1 / (1 + a d^(2b)).

    Raises
    ------
    ValueError
        If ``spread`` is not positive or ``min_dist`` is outside [0, spread].

    Examples
    --------
    >>> from holonomy.embed import fit_curve
    >>> a, b = fit_curve(spread=1.0, min_dist=0.1)
    >>> round(a, 2), round(b, 2)
    (1.58, 0.9)

    References
    ----------
    McInnes, Healy, Melville (2018). UMAP: Uniform Manifold Approximation and Projection. arXiv:1802.03426.
    """
    scale = check_float(spread, "spread")
    if scale <= 0:
        raise ValueError(f"spread must be positive, got {spread}.")
    near = check_float(min_dist, "min_dist", minimum=0.0)
    if near > scale:
        raise ValueError(f"min_dist must not exceed spread, got min_dist={min_dist} and spread={spread}.")
    distances = np.linspace(0, 3 * scale, 300)
    target = np.where(distances < near, 1.0, np.exp(-(distances - near) / scale))
    (a, b), _ = curve_fit(lambda d, a, b: 1 / (1 + a * d ** (2 * b)), distances, target)
    return float(a), float(b)
