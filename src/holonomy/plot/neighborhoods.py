"""Draw how well neighbourhoods are kept, over their size."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from holonomy.plot._axes import LINES, axes_for, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from holonomy.measure import RankCurve


def rank_curves(curves: "RankCurve | Mapping[str, RankCurve]", *, ax: "Axes | None" = None) -> "Axes":
    """Draw R_NX curves: neighbourhoods kept beyond chance, over their size on a logarithmic scale.

    Parameters
    ----------
    curves : RankCurve, or mapping of str to RankCurve
        What `holonomy.measure.rank_curve` returns, by name where there are several; bands are their intervals.
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
    >>> X = np.random.default_rng(0).normal(size=(80, 4))
    >>> ax = plot.rank_curves({"first": measure.rank_curve(X, X[:, :2]), "last": measure.rank_curve(X, X[:, 2:])})
    >>> len(ax.get_lines())
    2
    """
    named = dict(curves) if isinstance(curves, Mapping) else {"": curves}
    if not named:
        raise ValueError("curves must hold at least one curve, got none.")
    ax = axes_for(ax)
    for i, (name, curve) in enumerate(named.items()):
        color = LINES[i % len(LINES)]
        label = f"{name}  {float(curve.area):.2f}".strip()
        ax.plot(curve.n_neighbors, curve.rescaled, color=color, label=label, linewidth=1.8)
        if (curve.high > curve.low).any():
            ax.fill_between(curve.n_neighbors, curve.low, curve.high, color=color, alpha=0.18, linewidth=0)
    ax.set_xscale("log")
    ax.set_xlim(1, max(2, int(np.max([curve.n_neighbors[-1] for curve in named.values()]))))
    ax.set_xlabel("neighbours")
    ax.set_ylabel("neighbourhoods kept ($R_{NX}$)")
    ax.legend(frameon=False, title="area under the curve", title_fontsize="small")
    plain(ax)
    return ax
