"""What the scripts of a page get: places, columns, colourings and images, packed into one bundle."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.random import generator
from holonomy.plot.palettes import class_colors, sequence
from holonomy.report import colorings
from holonomy.report.class_names import class_names
from holonomy.report.columns import MISSING, Column, clean_text, number_column
from holonomy.report.images import ACROSS, PER_SHEET, make_sheets
from holonomy.report.packing import Bundle
from holonomy.report.picture import still_picture

if TYPE_CHECKING:
    from holonomy.report.result import MapReport

MOST_DRAWN = 200_000
"""Points that a page draws; of more, it draws so many at random and says so."""

MOST_TEXT = 2_000_000
"""Characters that the texts of one column may take; longer ones are shortened, or the column is left out."""

SHORTEST = 12
"""Characters that a text needs to tell anything."""

LOW_OPACITY_FROM = 20_000
"""From this many points on they are drawn more translucent, since they overlap."""

EXACT_PLACES = 30_000
"""Up to this many points their places are kept in single precision; of more, to 65,535 steps along each axis."""

LARGE, SMALL = 760, 380
"""Sides of the large and the small plots, in pixels, which the points are sized for."""

CODED_LIMITS = (0.5, 99.5)
"""Percentiles between which the further columns are coded, in a byte a value."""


@dataclass(frozen=True)
class Plot:
    """A map on the page: the element it is drawn in, the places of the points, and its size.

    ``side`` is about that of its element, in pixels, which points are sized for; names are written on large ones.
    """

    element: str
    places: np.ndarray
    is_large: bool = True
    side: int = LARGE


@dataclass(frozen=True, eq=False)
class Content:
    """The bundle of a page, and what is around it: a still picture of each large plot, and what was left out."""

    bundle: str
    pictures: tuple[str, ...]
    remarks: tuple[str, ...]


def map_content(report: "MapReport") -> Content:
    """Return what the scripts of the page of a report get."""
    evidence = report.evidence
    columns: list[tuple[Column, Any]] = [(column, colorings.column_coloring) for column in report.labels]
    columns.append((_quantity("Trust", evidence.trust), colorings.trust_coloring))
    if evidence.stability is not None:
        columns.append((_quantity("Stability", evidence.stability.neighbors_kept), colorings.stability_coloring))
    if evidence.metric is not None:
        columns.append((_quantity("Stretch", finite(evidence.metric.expansion)), colorings.stretch_coloring))
        columns.append((_quantity("Distortion", finite(evidence.metric.distortion)), colorings.distortion_coloring))
    columns.append((_quantity("Local dimension", report.local_dimension), colorings.dimension_coloring))
    columns += [(column, colorings.column_coloring) for column in report.columns]
    plots = [Plot("map-plot", report.embedding), Plot("baseline-plot", report.baseline, is_large=False)]
    opening = next(iter(report.options.get("columns", ())), None)
    return make_content(plots, columns, report.further, report.images, report.name, opening)


def make_content(
    plots: Sequence[Plot],
    columns: Sequence[tuple[Column, Any]],
    further: Sequence[Column],
    images: np.ndarray | None,
    name: str,
    opening: str | None = None,
) -> Content:
    """Pack points that are drawn in several plots.

    Parameters
    ----------
    plots : sequence of Plot
        The maps, the main one first.
    columns : sequence of (Column, callable)
        What to show of each point, with what makes its colouring from the name of the field and the column.
    further : sequence of Column
        Columns to colour by and to tell selections apart, whose values are not shown.
    images : ndarray or None
        The image that every row is.
    name : str
        Of the data, for files that the page writes.
    opening : str or None
        Name of the column that the page opens with; None opens with the first.
    """
    n_points = len(plots[0].places)
    rows = _drawn(n_points)
    columns, remarks = _fitting([(_taken(column, rows), maker) for column, maker in columns])
    if len(rows) < n_points:
        remarks.insert(0, f"The page draws {len(rows):,} of the {n_points:,} points, chosen at random; all figures are "
                          "of all points.")  # fmt: skip
    bundle = Bundle()
    header: dict[str, Any] = {"name": name, "missing": MISSING, "points": len(rows)}
    header["opacity"] = 0.69 if n_points >= LOW_OPACITY_FROM else 0.88
    if len(rows) < n_points:
        bundle.add("row", rows.astype(np.int32))
    header["plots"] = [_add_plot(bundle, i, replace(plot, places=plot.places[rows])) for i, plot in enumerate(plots)]
    header["details"], found = _add_columns(bundle, columns)
    header["further"], more = _add_further(bundle, [_taken(column, rows) for column in further])
    header["colorings"] = [*found, *more]
    header["palettes"] = colorings.palettes_of_page()
    header["names"] = _names(plots, rows, columns)
    opened = [i for i, coloring in enumerate(header["colorings"]) if coloring["name"] == opening]
    header["opening"] = opened[0] if opened else 0
    if images is not None:
        header["images"], remark = _add_images(bundle, images, rows)
        remarks += remark
    colors, size = _still_colors(columns), _point_size(len(rows), LARGE)
    pictures = [still_picture(plot.places[rows], colors, size) for plot in plots if plot.is_large]
    return Content(bundle.packed(header), tuple(pictures), tuple(remarks))


def _quantity(name: str, values: np.ndarray) -> Column:
    return number_column(name, values.astype(np.float32))


def finite(values: np.ndarray) -> np.ndarray:
    """Return the values with NaN for what has no finite one."""
    return np.where(np.isfinite(values), values, np.nan)


def _drawn(n_points: int) -> np.ndarray:
    if n_points <= MOST_DRAWN:
        return np.arange(n_points)
    return np.sort(generator(0, "report", "drawn").permutation(n_points)[:MOST_DRAWN])


def _taken(column: Column, rows: np.ndarray) -> Column:
    return column if len(rows) == len(column.values) else replace(column, values=column.values[rows])


def _fitting(columns: Sequence[tuple[Column, Any]]) -> tuple[list[tuple[Column, Any]], list[str]]:
    """Shorten texts that would make the page heavy; leave out columns of which nothing would remain."""
    kept, remarks = [], []
    for column, maker in columns:
        texts = column.categories or ()
        limit = MOST_TEXT // max(1, len(texts))
        if sum(map(len, texts)) <= MOST_TEXT:
            kept.append((column, maker))
        elif limit >= SHORTEST:
            short = tuple(clean_text(text, limit) for text in texts)
            kept.append((replace(column, categories=short), maker))
            remarks.append(f"Texts of “{column.name}” are cut to {limit} characters on this page.")
        else:
            remarks.append(f"“{column.name}” is not on this page: its {len(texts):,} texts would make it heavy.")
    return kept, remarks


def _add_plot(bundle: Bundle, number: int, plot: Plot) -> dict[str, Any]:
    fields = {}
    for axis, values in zip("xy", plot.places.T.astype(np.float64), strict=True):
        fields[axis] = f"{axis}{number}"
        if len(values) <= EXACT_PLACES:
            bundle.add(fields[axis], values.astype(np.float32))
        else:
            bundle.add_coded(fields[axis], values, 2)
    size = _point_size(len(plot.places), plot.side if plot.is_large else SMALL)
    return {"element": plot.element, **fields, "size": round(size, 2), "isLarge": plot.is_large}


def _point_size(n_points: int, side: int) -> float:
    """Diameter in pixels at which points would cover about a tenth of a map of ``side`` pixels, within [2, 10]."""
    return float(np.clip(side * np.sqrt(0.12 / max(n_points, 1)), 2.0, 10.0))


def _add_columns(
    bundle: Bundle, columns: Sequence[tuple[Column, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    details, found = [], []
    for i, (column, maker) in enumerate(columns):
        field = f"c{i}"
        bundle.add_quantity(field, column.values)
        details.append({"field": field, "name": column.name, "classes": column.categories})
        coloring = maker(field, column)
        if coloring is not None:
            found.append(coloring)
            # The texts are in the details already.
            coloring.pop("classes", None)
    return details, found


def _add_further(bundle: Bundle, columns: Sequence[Column]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    details, found = [], []
    for i, column in enumerate(columns):
        field = f"f{i}"
        values = column.values.astype(np.float64)
        low, high = (float(limit) for limit in np.percentile(values, CODED_LIMITS))
        bundle.add_coded(field, values, 1, (low, high) if low < high else None)
        details.append({"field": field, "name": column.name, "classes": None})
        coloring = colorings.column_coloring(field, column, "More columns")
        if coloring is not None:
            found.append(coloring)
    return details, found


def _names(
    plots: Sequence[Plot], rows: np.ndarray, columns: Sequence[tuple[Column, Any]]
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return where the names of classes stand, by plot and field; only large plots have them."""
    return {
        plot.element: {
            f"c{i}": class_names(plot.places[rows], column.values, column.categories)
            for i, (column, _) in enumerate(columns)
            if column.categories is not None
        }
        for plot in plots
        if plot.is_large
    }


def _add_images(bundle: Bundle, images: np.ndarray, rows: np.ndarray) -> tuple[dict[str, Any], list[str]]:
    sheets = make_sheets(images, rows)
    # The page counts the points that it draws.
    bundle.add("imageRow", np.searchsorted(rows, sheets.rows).astype(np.int32))
    for i, sheet in enumerate(sheets.sheets):
        bundle.add(f"sheet{i}", sheet)
    header = {
        "height": sheets.height, "width": sheets.width, "sheets": len(sheets.sheets), "across": ACROSS,
        "each": PER_SHEET, "isComplete": sheets.is_complete,
    }  # fmt: skip
    if sheets.is_complete:
        return header, []
    remark = f"Images of {len(sheets.rows):,} rows, chosen at random, fit on this page; others show the nearest one."
    return header, [remark]


def _still_colors(columns: Sequence[tuple[Column, Any]]) -> np.ndarray:
    """Return the colour of each point on a light page, by the first column."""
    column = columns[0][0]
    if column.categories is not None:
        colors = class_colors(len(column.categories))
        codes: np.ndarray = column.values
    else:
        colors = sequence("viridis")
        values = np.nan_to_num(column.values.astype(np.float64))
        low, high = np.percentile(values, [2, 98])
        codes = np.clip(255 * (values - low) / ((high - low) or 1.0), 0, 255).astype(np.int64)
    table = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in colors], dtype=np.uint8)
    return table[codes]
