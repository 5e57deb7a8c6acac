"""Draw the dimension of data over scale."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from holonomy.plot._axes import LINES, axes_for, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from holonomy.measure import DimensionCurve


def dimension(curves: "DimensionCurve | Mapping[str, DimensionCurve]", *, ax: "Axes | None" = None) -> "Axes":
    """Draw intrinsic dimension over scale, with intervals.

    Noise shows at the left, at the smallest distances; the shape of the whole at the right.

    Parameters
    ----------
    curves : DimensionCurve, or mapping of str to DimensionCurve
        What `holonomy.measure.dimension_over_scale` returns, by name where there are several.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If there is no curve.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import numpy as np
    >>> from holonomy import measure, plot
    >>> curve = measure.dimension_over_scale(np.random.default_rng(0).random((800, 2)))
    >>> plot.dimension(curve).get_ylabel()
    'intrinsic dimension'
    """
    named = dict(curves) if isinstance(curves, Mapping) else {"": curves}
    if not named:
        raise ValueError("curves must hold at least one curve, got none.")
    ax = axes_for(ax)
    for i, (name, curve) in enumerate(named.items()):
        color = LINES[i % len(LINES)]
        label = f"{name}  {curve.plateau:.1f}".strip()
        ax.plot(curve.scales, curve.values, color=color, marker="o", markersize=4, linewidth=1.8, label=label)
        ax.fill_between(curve.scales, curve.low, curve.high, color=color, alpha=0.18, linewidth=0)
    ax.set_xscale("log")
    ax.set_ylim(bottom=0)
    ax.set_xlabel("distance to the neighbours looked at")
    ax.set_ylabel("intrinsic dimension")
    ax.legend(frameon=False, title="where it is steady", title_fontsize="small")
    plain(ax)
    return ax
