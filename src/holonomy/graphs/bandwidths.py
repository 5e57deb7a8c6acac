"""The bandwidth at which a Gaussian kernel sees the dimension of the data."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from holonomy._core.citations import references
from holonomy.graphs._sparse import check_graph
from holonomy.graphs.neighbor_graph import NeighborGraph

ROWS = 20_000
"""Most rows, evenly spaced, that take part."""

OCTAVES_BEYOND = 3
STEPS_PER_OCTAVE = 4


@dataclass(frozen=True)
class Bandwidth:
    """A bandwidth, and the dimension of the data as seen through it.

    Attributes
    ----------
    value : float
        Standard deviation of the kernel ``exp(-d^2 / (2 value^2))``, in units of the distance, > 0.
    dimension : float
        Largest slope of the logarithm of the mean weight against that of the bandwidth. Lists of few neighbours see
        less than the dimension.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import neighbors, slope_bandwidth
    >>> X = np.random.default_rng(0).uniform(size=(400, 1))
    >>> round(slope_bandwidth(neighbors(X, 100)).dimension)
    1
    """

    value: float
    dimension: float


@references("coifman2008graph", "berry2015nonparametric")
def slope_bandwidth(graph: NeighborGraph) -> Bandwidth:
    """Choose the bandwidth at which the total weight of a Gaussian kernel grows fastest.

    On data of dimension m the sum of all ``exp(-d^2 / (2 b^2))`` grows like ``b^m`` while b is larger than the gaps
    between points and smaller than the data; it is flat on either side.

    Parameters
    ----------
    graph : NeighborGraph
        The k nearest neighbours of n points; every point counts as its own neighbour besides.

    Returns
    -------
    Bandwidth
        The bandwidth, and the slope there. Where all distances are 0 these are 1 and 0.

    Raises
    ------
    TypeError, ValueError
        If ``graph`` is not a NeighborGraph of at least one point and neighbour.

    References
    ----------
    Coifman, Shkolnisky, Sigworth, Singer (2008). Graph Laplacian tomography from unknown random projections. IEEE
    Transactions on Image Processing 17, 1891-1899.

    Berry, Giannakis, Harlim (2015). Nonparametric forecasting of low-dimensional dynamical systems. Physical Review E
    91, 032915.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.graphs import neighbors, slope_bandwidth
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> one, ten = (slope_bandwidth(neighbors(scale * X, 30)).value for scale in (1, 10))
    >>> round(ten / one, 2)
    10.0
    """
    check_graph(graph)
    every = -(-graph.n_points // ROWS)
    distances = graph.distances[::every].astype(np.float64)
    squared = distances[np.isfinite(distances)] ** 2
    apart = squared[squared > 0]
    if len(apart) == 0:
        return Bandwidth(1.0, 0.0)

    def slope(log_bandwidth: float) -> float:
        scaled = squared * np.exp(-2.0 * log_bandwidth)
        weights = np.exp(-0.5 * scaled)
        return float((weights * scaled).sum() / (weights.sum() + len(distances)))

    reach = OCTAVES_BEYOND * np.log(2.0)
    lowest, highest = 0.5 * np.log(apart.min()) - reach, 0.5 * np.log(apart.max()) + reach
    count = int(np.ceil((highest - lowest) / np.log(2.0) * STEPS_PER_OCTAVE)) + 1
    grid = np.linspace(lowest, highest, count)
    best = grid[int(np.argmax([slope(point) for point in grid]))]
    step = grid[1] - grid[0]
    found = minimize_scalar(lambda x: -slope(x), bounds=(best - step, best + step), method="bounded")
    return Bandwidth(float(np.exp(found.x)), -float(found.fun))
