"""What all figures share: axes to draw on, and points that fit them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.validation import check_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACCENT, SECOND, THIRD, GREY = "#0B6B72", "#7D8790", "#B03A1A", "#8B959D"
"""Colours of lines, in order, and of what is in the background."""

LINES = (ACCENT, SECOND, THIRD, "#B7791F", "#5B4B8A", "#3C7A3C")


def axes_for(ax: "Axes | None", size: tuple[float, float] = (5.2, 3.6)) -> "Axes":
    """Return ``ax``, or the axes of a new figure of ``size`` inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def plane_points(Z: Any) -> np.ndarray:
    """Return points of the plane as an array (n, 2), or raise."""
    points = check_points(Z, name="Z", min_samples=1)
    if points.shape[1] != 2:
        raise ValueError(f"Z must have two columns to be drawn, got {points.shape[1]}.")
    return points


def plain(ax: "Axes") -> None:
    """Leave out what a figure of lines does not need."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="#E4E0D6", linewidth=0.8)
    ax.set_axisbelow(True)


def without_axes(ax: "Axes") -> None:
    """Show a map: equal scales, and no axes, which have no meaning."""
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color("#E4E0D6")
