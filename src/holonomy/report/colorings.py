"""What the page can colour the map by: fields of the source, with palettes for a light and a dark page."""

from typing import Any

import numpy as np

from holonomy.report import palettes
from holonomy.report.columns import MISSING, Column

HISTOGRAM_BINS = 32

TRUST_LIMITS = (0.8, 1.0)
"""Range of the colours of trust, the same for every map; the doubtful ones below its middle are rust."""


def trust_coloring(field: str, column: Column) -> dict[str, Any]:
    """Colour by how far to believe each point, on the same scale for every map."""
    hint = "1: all neighbours on the map are neighbours in the data. 0.9: on average, they lie beyond its nearest 10 %."
    return _quantity(field, column, "Geometry", "doubt", hint, limits=TRUST_LIMITS)


def dimension_coloring(field: str, column: Column) -> dict[str, Any]:
    """Colour by the intrinsic dimension around each point."""
    return _quantity(field, column, "Geometry", "cividis", "Number of directions in which the data extends here.")


def column_coloring(field: str, column: Column) -> dict[str, Any] | None:
    """Colour by a column of the data, or None where that tells nothing: texts that differ on most rows."""
    if column.categories is None:
        return _quantity(field, column, "Columns", "viridis", None)
    n_classes = len(column.categories)
    if n_classes > 2 and n_classes > len(column.values) / 2:
        return None
    hint = "Choose a class to see it alone." if n_classes > 1 else None
    if n_classes > palettes.DISTINCT_CLASSES:
        hint = f"{n_classes:,} classes, so that colours repeat. {hint}"
    return {
        **_common(field, column, "Labels", hint),
        "classes": column.categories,
        "counts": column.counts.tolist(),
        "palette": {mode: palettes.class_colors(n_classes, dark=mode == "dark") for mode in ("light", "dark")},
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
    return {
        **_common(field, column, group, hint),
        **_scale(column, limits),
        "palette": {mode: palettes.sequence(palette, dark=mode == "dark") for mode in ("light", "dark")},
    }


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
