"""Placing the rows of a table on the map of a saved model."""

from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.progress import progress

if TYPE_CHECKING:
    from holonomy.datasets import Table

BLOCK = 1000
"""Rows that are placed at once, so that the bar moves; a row's place does not depend on the others in the call."""


def wanted_columns(model: Any) -> list[str] | None:
    """Return the names of the columns that a model was fitted to, in order; None where they had none."""
    names = getattr(model, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def places_of(model: Any, table: "Table", show_progress: bool | None = None) -> np.ndarray:
    """Return the places of a table's rows, shape (n, p), showing how far it has come.

    Raises
    ------
    ValueError
        If the model was fitted to another number of columns.
    """
    from holonomy.report.sources import frame_of

    rows = table.X if wanted_columns(model) is None else frame_of(table)
    placed = []
    with progress(f"Placing {table.name}", total=len(rows), enabled=show_progress) as bar:
        for start in range(0, len(rows), BLOCK):
            placed.append(np.asarray(model.transform(rows[start : start + BLOCK])))
            bar.advance(len(placed[-1]))
    return np.concatenate(placed)
