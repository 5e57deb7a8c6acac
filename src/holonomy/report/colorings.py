"""What the page can colour the map by: fields of the source."""

from typing import Any

import numpy as np

from holonomy.plot import palettes
from holonomy.report.columns import MISSING, Column

HISTOGRAM_BINS = 32

BELIEF = "Where to believe it"
"""Group of the colourings that show where the map is to be believed."""

TRUST_LIMITS = (0.8, 1.0)
"""Range of the colours of trust, the same for every map; the doubtful ones below its middle are rust."""


PALETTES = ("viridis", "cividis", "doubt", "balance", "strain")
"""Sequences of colours that the page carries, beside the colours of classes."""


def palettes_of_page() -> dict[str, dict[str, list[str]]]:
    """Return every palette that a colouring may name, for a light and a dark page."""
    modes = {"light": False, "dark": True}
    found = {name: {mode: palettes.sequence(name, dark=dark) for mode, dark in modes.items()} for name in PALETTES}
    distinct = palettes.DISTINCT_CLASSES
    found["classes"] = {mode: palettes.class_colors(distinct, dark=dark) for mode, dark in modes.items()}
    return found


def trust_coloring(field: str, column: Column) -> dict[str, Any]:
    """Colour by how far to believe each point, on the same scale for every map."""
    hint = "1: all neighbours on the map are neighbours in the data. 0.9: on average, they lie beyond its nearest 10 %."
    return _quantity(field, column, BELIEF, "doubt", hint, limits=TRUST_LIMITS)


def stability_coloring(field: str, column: Column) -> dict[str, Any]:
    """Colour by how far maps of other seeds agree on the neighbours of each point, on the same scale for every map."""
    hint = "Share of each point's neighbours on the map that it keeps under other seeds."
    return _quantity(field, column, BELIEF, "doubt", hint, limits=(0.0, 1.0))


def stretch_coloring(field: str, column: Column) -> dict[str, Any]:
    """Colour by how much larger or smaller than usual the map draws things, the same range both ways."""
    finite = np.abs(column.values[np.isfinite(column.values)])
    reach = max(1.0, float(np.percentile(finite, 98))) if len(finite) else 1.0
    hint = "1: areas are drawn twice as large as usual on this map. −1: half as large, so that density misleads."
    return _quantity(field, column, BELIEF, "balance", hint, limits=(-reach, reach))


def distortion_coloring(field: str, column: Column) -> dict[str, Any]:
    """Colour by how far from true to scale the map is around each point."""
    hint = "0: lengths are in scale here. 0.7: typically twice too long or too short."
    return _quantity(field, column, BELIEF, "strain", hint)


def dimension_coloring(field: str, column: Column) -> dict[str, Any]:
    """Colour by the intrinsic dimension around each point."""
    return _quantity(field, column, "Geometry", "cividis", "Number of directions in which the data extends here.")


def column_coloring(field: str, column: Column, group: str = "Columns") -> dict[str, Any] | None:
    """Colour by a column of the data, or None where that tells nothing: texts that differ on most rows."""
    if column.categories is None:
        return _quantity(field, column, group, "viridis", None)
    n_classes = len(column.categories)
    if n_classes > 2 and n_classes > len(column.values) / 2:
        return None
    hint = None
    if n_classes > palettes.DISTINCT_CLASSES:
        hint = f"{n_classes:,} classes, so that colours repeat."
    return {
        **_common(field, column, "Labels", hint),
        "classes": column.categories,
        "counts": column.counts.tolist(),
        "palette": "classes",
    }


def _common(field: str, column: Column, group: str, hint: str | None) -> dict[str, Any]:
    return {"field": field, "name": column.name, "group": group, "hint": hint}


def _quantity(
    field: str,
    column: Column,
    group: str,
    palette: str,
    hint: str | None,
    limits: tuple[float, float] | None = None,
) -> dict[str, Any]:
    return {**_common(field, column, group, hint), **_scale(column, limits), "palette": palette}


def _scale(column: Column, limits: tuple[float, float] | None) -> dict[str, Any]:
    """Return the range of the colours (by default the middle 96 % of the values), its ticks and histogram."""
    values = column.values[np.isfinite(column.values)].astype(np.float64)
    if not len(values):
        return {"low": 0.0, "high": 1.0, "ticks": [MISSING], "histogram": [0] * HISTOGRAM_BINS}
    low, high = limits or (float(value) for value in np.percentile(values, [2, 98]))
    if low == high:
        low, high = float(values.min()), float(values.max())
    width = high - low
    counts, _ = np.histogram(np.clip(values, low, high), HISTOGRAM_BINS, (low, high if width > 0 else low + 1))
    ticks = [f"{'≤ ' if values.min() < low else ''}{short(low)}"]
    if width > 0:
        ticks += [short(low + width / 2), f"{'≥ ' if values.max() > high else ''}{short(high)}"]
    return {"low": low, "high": high, "ticks": ticks, "histogram": counts.tolist()}


def short(value: float) -> str:
    """Return a number in three digits, or in full where it is a large one that people read."""
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e9 else f"{value:.3g}"
