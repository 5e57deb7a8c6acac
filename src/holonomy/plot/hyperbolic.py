"""Draw the hyperbolic plane as a disk, with its straight lines."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from holonomy.plot._axes import GREY, axes_for, plane_points, without_axes
from holonomy.plot.embeddings import embedding

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEPS = 33
"""Points of each line."""


def disk(
    Z: ArrayLike,
    edges: ArrayLike | None = None,
    color: Any = None,
    *,
    names: Any = None,
    size: float | None = None,
    legend: bool | None = None,
    label: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw points of the Poincare disk, joined by hyperbolic lines, inside its boundary.

    Parameters
    ----------
    Z : array-like of shape (n, 2)
        Points of the open unit disk, such as `holonomy.embed.PoincareEmbedding.to_ball` returns.
    edges : array-like of int, shape (m, 2), optional
        Rows to join by geodesics, which are arcs of circles that meet the boundary at right angles.
    color : array-like of shape (n,), optional
        A class or a quantity, as for `embedding`.
    names : dict or sequence, optional
        Texts to write beside points: by row number, or one for each row; None and empty ones are left out.
    size, legend, label
        As for `embedding`.
    ax : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If ``Z`` has not two columns or leaves the disk, or an edge or name has no row.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from holonomy.plot import disk
    >>> ax = disk([[0.0, 0.0], [0.7, 0.1], [0.1, 0.7]], edges=[[0, 1], [1, 2]], names={0: "root"})
    >>> len(ax.collections[0].get_segments()), ax.texts[0].get_text()
    (2, 'root')
    """
    points = plane_points(Z)
    if (np.linalg.norm(points, axis=1) >= 1).any():
        raise ValueError(f"Z must lie inside the unit disk, got norm {np.linalg.norm(points, axis=1).max():.6g}.")
    ax = axes_for(ax, (5.0, 5.0))
    if edges is not None:
        _draw_lines(ax, points, _checked_edges(edges, len(points)))
    embedding(points, color, size=size, legend=legend, label=label, ax=ax)
    from matplotlib.patches import Circle

    ax.add_patch(Circle((0.0, 0.0), 1.0, fill=False, edgecolor=GREY, linewidth=0.8))
    for row, text in _named(names, len(points)):
        ax.annotate(text, points[row], xytext=(3, 3), textcoords="offset points", fontsize=7)
    without_axes(ax)
    ax.set_xlim(-1.03, 1.03)
    ax.set_ylim(-1.03, 1.03)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def geodesic_arcs(starts: np.ndarray, ends: np.ndarray, n_steps: int = STEPS) -> np.ndarray:
    """Return points (m, n_steps, 2) at even distances along the geodesics between points (m, 2) of the unit disk.

    The start is moved to the centre, from which geodesics are straight, and back.
    """
    a, b = (points[:, 0] + 1j * points[:, 1] for points in (starts, ends))
    target = (b - a) / (1 - np.conj(a) * b)
    length = np.abs(target)
    direction = np.divide(target, length, out=np.zeros_like(target), where=length > 0)
    radii = np.tanh(np.linspace(0.0, 1.0, n_steps) * np.arctanh(length)[:, None])
    moved = radii * direction[:, None]
    path = (moved + a[:, None]) / (1 + np.conj(a)[:, None] * moved)
    return np.stack([path.real, path.imag], axis=-1)


def _draw_lines(ax: "Axes", points: np.ndarray, edges: np.ndarray) -> None:
    from matplotlib.collections import LineCollection

    arcs = geodesic_arcs(points[edges[:, 0]], points[edges[:, 1]])
    width = float(np.clip(12 / np.sqrt(max(len(edges), 1)), 0.2, 0.8))
    lines = LineCollection(list(arcs), colors=GREY, linewidths=width, alpha=0.6, zorder=0)
    lines.set_rasterized(len(edges) > 5000)
    ax.add_collection(lines)


def _checked_edges(edges: ArrayLike, n: int) -> np.ndarray:
    rows = np.asarray(edges)
    if rows.ndim != 2 or rows.shape[1] != 2 or rows.dtype.kind not in "iu":
        raise ValueError(f"edges must be pairs of row numbers (m, 2), got {rows.dtype} of {rows.shape}.")
    if len(rows) and (rows.min() < 0 or rows.max() >= n):
        raise ValueError(f"edges must name rows in [0, {n}), got {rows.min()} to {rows.max()}.")
    return rows


def _named(names: Any, n: int) -> list[tuple[int, str]]:
    if names is None:
        return []
    given = dict(names) if isinstance(names, dict) else dict(enumerate(names))
    if any(row not in range(n) for row in given):
        raise ValueError(f"names must belong to rows in [0, {n}), got {max(given)}.")
    return [(row, str(text)) for row, text in given.items() if text is not None and str(text)]
