"""The map as a bokeh document: two linked scatters (the map and its PCA baseline) over one packed source."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.random import generator
from holonomy.report.columns import Column

if TYPE_CHECKING:
    from bokeh.plotting import figure

MAX_NAMED_CLASSES = 30
"""Classes are named on the map itself up to this many."""

NEAR_NAME = 25
"""Points around the centre of a class, most of which must be of the class for its name to be written there."""

CENTERINGS = 5
"""Steps from the median of a class towards where most of it is."""

LONGEST_NAME = 18

FONTS = "Inter, Helvetica Neue, Segoe UI, Liberation Sans, Arial, sans-serif"

MARGIN = 2
"""Pixels around the frame: bokeh does not clear the outermost pixel of its canvas."""

ROOTS = {"map": "map-plot", "baseline": "baseline-plot"}
"""Name of each figure and the id of the element of the page that it is drawn in."""


def map_document(embedding: np.ndarray, baseline: np.ndarray, columns: Sequence[Column]) -> dict[str, Any]:
    """Return what the page needs to draw the map: the bokeh document and where its figures go.

    Parameters
    ----------
    embedding, baseline : ndarray, shape (n, 2)
        The map and the PCA baseline.
    columns : sequence of Column
        Values of the points, stored in the source as ``c0``, ``c1``, ... in this order.

    Returns
    -------
    dict
        ``document`` (bokeh's JSON with arrays as base64 of gzip) and ``roots`` (model id to element id).

    Notes
    -----
    Points are drawn in a fixed random order, so that no class covers another because of the order of the rows;
    ``row`` holds each one's row in the data.
    """
    from bokeh.document import Document
    from bokeh.models import ColumnDataSource

    order = generator(0, "report", "draw order").permutation(len(embedding))
    source = ColumnDataSource(_source_data(embedding, baseline, columns, order), name="rows")
    document = Document()
    figures = {
        "map": _scatter(source, "x", "y", _point_size(len(embedding), 760), is_main=True),
        "baseline": _scatter(source, "px", "py", _point_size(len(embedding), 380), is_main=False),
    }
    _add_class_names(figures["map"], embedding, columns)
    for name, plot in figures.items():
        plot.name = name
        document.add_root(plot)
    roots = {plot.id: ROOTS[name] for name, plot in figures.items()}
    return {"document": document.to_json(deferred=False), "roots": roots}


def _source_data(
    embedding: np.ndarray, baseline: np.ndarray, columns: Sequence[Column], order: np.ndarray
) -> dict[str, np.ndarray]:
    data = {
        "x": embedding[order, 0].astype(np.float32),
        "y": embedding[order, 1].astype(np.float32),
        "px": baseline[order, 0].astype(np.float32),
        "py": baseline[order, 1].astype(np.float32),
        "row": order.astype(np.int32),
        # Filled by the page, which knows whether it is light or dark.
        "color": np.zeros(len(order), dtype=np.uint32),
    }
    return data | {f"c{i}": column.values[order] for i, column in enumerate(columns)}


def _point_size(n_points: int, side: int) -> float:
    """Diameter in pixels at which points would cover about a tenth of a map of ``side`` pixels, within [2, 10]."""
    return float(np.clip(side * np.sqrt(0.12 / max(n_points, 1)), 2.0, 10.0))


def _scatter(source: Any, x: str, y: str, size: float, *, is_main: bool) -> "figure":
    from bokeh.models import HoverTool, PanTool, Range1d, TapTool, WheelZoomTool
    from bokeh.plotting import figure

    plot = figure(
        x_range=Range1d(start=0, end=1),
        y_range=Range1d(start=0, end=1),
        tools="",
        toolbar_location=None,
        output_backend="webgl",
        sizing_mode="stretch_both",
        min_border=MARGIN,
        outline_line_color=None,
        background_fill_color=None,
        border_fill_color=None,
        lod_threshold=None,
    )
    plot.axis.visible = False
    plot.grid.visible = False
    points = plot.scatter(
        x, y, source=source, size=size, fill_color="color", line_color=None, fill_alpha=1.0, name="points"
    )
    points.nonselection_glyph = points.selection_glyph = points.muted_glyph = None
    points.hover_glyph = points.glyph.clone(size=max(2 * size, 13.0), line_color="black", line_width=2.0)
    if is_main:
        zoom = WheelZoomTool(modifiers="ctrl")
        plot.add_tools(PanTool(), zoom, TapTool(behavior="inspect", renderers=[points]))
        plot.toolbar.active_scroll = zoom
    plot.add_tools(HoverTool(tooltips=None, renderers=[points]))
    return plot


def _add_class_names(plot: "figure", embedding: np.ndarray, columns: Sequence[Column]) -> None:
    """Write the names of the classes of each column at their centres, for the page to show with that colouring."""
    from bokeh.core.properties import value
    from bokeh.models import ColumnDataSource, Text

    for i, column in enumerate(columns):
        if column.categories is None or not 2 <= len(column.categories) <= MAX_NAMED_CLASSES:
            continue
        centers = [_center_of_class(embedding, column.values == code) for code in range(len(column.categories))]
        named = [code for code, center in enumerate(centers) if center is not None]
        texts = [_shortened(column.categories[code]) for code in named]
        x, y = np.array([centers[code] for code in named]).reshape(-1, 2).T
        source = ColumnDataSource({"x": x, "y": y, "text": texts})
        for part, outline in (("halo", 5), ("names", 0)):
            glyph = Text(
                x="x", y="y", text="text", text_font=value(FONTS), text_font_size=value("15px"),
                text_font_style=value("bold"), text_align=value("center"), text_baseline=value("middle"),
                text_outline_width=value(outline),
            )  # fmt: skip
            plot.add_glyph(source, glyph, name=f"{part}:c{i}", visible=False, level="overlay")


def _center_of_class(embedding: np.ndarray, members: np.ndarray) -> np.ndarray | None:
    """Return a member in the middle of where most of the class is, or None where others prevail around it.

    A name beside points of other classes would mislead, and the median of a class in several islands may lie on none
    of them: it moves to the median of the half of the class around it, and then to the nearest member.
    """
    own = embedding[members]
    center = np.median(own, axis=0)
    half = (len(own) + 1) // 2
    for _ in range(CENTERINGS):
        nearest = np.argpartition(((own - center) ** 2).sum(axis=1), half - 1)[:half]
        center = np.median(own[nearest], axis=0)
    center = own[np.argmin(((own - center) ** 2).sum(axis=1))]
    n_around = min(NEAR_NAME, len(own))
    distances = ((embedding - center) ** 2).sum(axis=1)
    around = np.argpartition(distances, n_around - 1)[:n_around]
    return center if members[around].mean() > 0.5 else None


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
