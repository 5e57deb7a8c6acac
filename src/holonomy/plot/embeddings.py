"""Draw a map."""

from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.random import generator
from holonomy.plot._axes import GREY, axes_for, plane_points, without_axes
from holonomy.plot.palettes import DISTINCT_CLASSES, class_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMED = 12
"""Classes up to which a legend is drawn."""


def embedding(
    Z: Any,
    color: Any = None,
    *,
    size: float | None = None,
    legend: bool | None = None,
    label: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a map, coloured by a class or a quantity.

    Parameters
    ----------
    Z : array-like of shape (n, 2)
        The map.
    color : array-like of shape (n,), optional
        Numbers that are not whole are quantities; texts, whole numbers of at most 30 distinct values and booleans are
        classes.
    size : float, optional
        Diameter of a point, in typographic points; by default so that points cover about a tenth of the map.
    legend : bool, optional
        Whether to draw the key of the colours; by default up to 12 classes, and for quantities.
    label : str, optional
        What the colours are called.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If ``Z`` has not two columns, holds NaN, or ``color`` is not one value a point.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from holonomy.plot import embedding
    >>> ax = embedding(np.random.default_rng(0).normal(size=(60, 2)), color=["a", "b", "c"] * 20)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['a', 'b', 'c']
    """
    points = plane_points(Z)
    ax = axes_for(ax, (5.0, 4.4))
    area = (size if size is not None else float(np.clip(300 * np.sqrt(0.12 / len(points)), 1.0, 6.0))) ** 2
    order = generator(0, "plot", "draw order").permutation(len(points))
    x, y = points[order].T
    if color is None:
        ax.scatter(x, y, s=area, c=GREY, linewidths=0, rasterized=len(points) > 5000)
    else:
        values = np.asarray(color)
        if values.shape != (len(points),):
            raise ValueError(f"color must be one value for each of the {len(points)} points, got {values.shape}.")
        draw = _draw_classes if _are_classes(values) else _draw_quantity
        draw(ax, x, y, values[order], area, legend, label)
    without_axes(ax)
    return ax


def _are_classes(values: np.ndarray) -> bool:
    if values.dtype.kind not in "iuf":
        return True
    return values.dtype.kind in "iu" and len(np.unique(values)) <= DISTINCT_CLASSES


def _draw_classes(
    ax: "Axes", x: np.ndarray, y: np.ndarray, values: np.ndarray, area: float, legend: bool | None, label: str | None
) -> None:
    names, codes = np.unique(values if values.dtype.kind in "iub" else values.astype(str), return_inverse=True)
    colors = np.array(class_colors(len(names)))
    ax.scatter(x, y, s=area, c=colors[codes], linewidths=0, rasterized=len(x) > 5000)
    if legend or (legend is None and len(names) <= MOST_NAMED):
        for name, color in zip(names, colors, strict=True):
            ax.scatter([], [], s=36, color=color, label=str(name))
        ax.legend(title=label, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.2)


def _draw_quantity(
    ax: "Axes", x: np.ndarray, y: np.ndarray, values: np.ndarray, area: float, legend: bool | None, label: str | None
) -> None:
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, [2, 98]) if len(finite) else (0.0, 1.0)
    drawn = ax.scatter(x, y, s=area, c=values, cmap="viridis", vmin=low, vmax=high, linewidths=0, plotnonfinite=False)
    drawn.set_rasterized(len(x) > 5000)
    if legend is not False:
        ax.figure.colorbar(drawn, ax=ax, label=label or "", shrink=0.7, extend="both")
