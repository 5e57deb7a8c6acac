"""Draw where a map stretches and squeezes."""

from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import check_int
from holonomy.plot._axes import GREY, axes_for, plane_points, without_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from holonomy.measure import MapMetric

SHARE = 0.035
"""Whole length of a typical ellipse, in units of the larger side of the map."""

LONGEST = 3.0
"""Longest ellipse, in units of a typical one."""


def ellipses(
    Z: Any,
    metric: "MapMetric",
    *,
    n_ellipses: int = 150,
    random_state: RandomState = 0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw what small circles in the data become on the map: a long ellipse where it stretches one way.

    Parameters
    ----------
    Z : array-like of shape (n, 2)
        The map.
    metric : MapMetric
        What `holonomy.measure.map_metric` returns for it.
    n_ellipses : int, default 150
        Ellipses to draw, at points spread over the map.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the points.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes
        Blue ellipses are smaller than usual on this map, brown ones larger; the longest are cut to three times the
        usual length.

    Raises
    ------
    ValueError
        If ``Z`` has not two columns, or another number of points than the metric.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from holonomy import graphs, measure, plot
    >>> X = np.random.default_rng(0).random((400, 2))
    >>> metric = measure.map_metric(X * [3, 1], graphs.neighbors(X, 15))
    >>> len(plot.ellipses(X * [3, 1], metric, n_ellipses=50).collections)
    2
    """
    from matplotlib.collections import EllipseCollection
    from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm

    from holonomy.plot.palettes import BALANCE

    points = plane_points(Z)
    if len(metric.stretches) != len(points):
        raise ValueError(f"metric must be that of Z: it has {len(metric.stretches)} points, and Z {len(points)}.")
    usable = np.flatnonzero(np.isfinite(metric.stretches).all(axis=1) & (metric.stretches[:, 0] > 0))
    seed = check_seed(random_state)
    rows = _spread_out(points, usable, check_int(n_ellipses, "n_ellipses", minimum=1), seed)
    radius = SHARE * float(np.ptp(points, axis=0).max()) / (2 * metric.scale)
    widths, heights, angles = (values[rows] for values in metric.ellipses(radius))
    # Where the map is torn, ellipses would cover it: their shape is kept, and their length cut.
    shrink = np.minimum(1.0, LONGEST * 2 * radius * metric.scale / np.maximum(widths, 1e-300))
    widths, heights = widths * shrink, heights * shrink
    ax = axes_for(ax, (5.0, 4.4))
    ax.scatter(points[:, 0], points[:, 1], s=1.5, c=GREY, alpha=0.35, linewidths=0, rasterized=len(points) > 5000)
    expansion = np.nan_to_num(metric.expansion[rows], neginf=-9.0, posinf=9.0)
    reach = max(1.0, float(np.percentile(np.abs(expansion), 90))) if len(expansion) else 1.0
    drawn = EllipseCollection(
        widths, heights, angles, units="xy", offsets=points[rows], offset_transform=ax.transData,
        cmap=LinearSegmentedColormap.from_list("balance", BALANCE), norm=TwoSlopeNorm(0.0, -reach, reach),
        alpha=0.8, linewidths=0,
    )  # fmt: skip
    drawn.set_array(expansion)
    ax.add_collection(drawn)
    ax.figure.colorbar(drawn, ax=ax, label="areas: log$_2$ of the usual", shrink=0.7, extend="both")
    without_axes(ax)
    return ax


def _spread_out(points: np.ndarray, usable: np.ndarray, wanted: int, seed: int) -> np.ndarray:
    """Return one row for each of about ``wanted`` cells of a grid over the map, at random within them."""
    order = usable[generator(seed, "plot", "ellipses").permutation(len(usable))]
    if len(order) <= wanted:
        return order
    low, side = points.min(axis=0), float(np.ptp(points, axis=0).max())
    for cells in range(int(np.sqrt(wanted)), 400):
        cell = np.floor((points[order] - low) / (side / cells)).astype(int)
        first = np.unique(cell, axis=0, return_index=True)[1]
        if len(first) >= wanted:
            break
    return order[np.sort(first)[:wanted]]
