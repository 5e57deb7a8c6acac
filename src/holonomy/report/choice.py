"""Which of a table's columns the page shows with every point, and which it only colours by."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy.report.columns import Column, informative, make_column, number_column

if TYPE_CHECKING:
    from holonomy.datasets import Table

MOST_COLUMNS = 8
"""Numeric columns that the page shows, unless others are asked for."""


def label_columns(table: "Table", labels: Any) -> list[Column]:
    """Return the label that was chosen first, then the table's others."""
    n_points = len(table.X)
    chosen, rest = [], dict(table.labels)
    if labels is not None and not isinstance(labels, str):
        chosen = [make_column(getattr(labels, "name", None) or "label", labels, n_points)]
    elif table.label is not None:
        values = rest.pop(table.label)
        chosen = [make_column(table.label, table.numeric.get(table.label, values), n_points)]
    return chosen + [make_column(key, values, n_points) for key, values in rest.items()]


def number_columns(table: "Table", columns: Any, indices: np.ndarray) -> list[Column]:
    """Return the columns of numbers to show: those given, those named, or the most telling ones.

    Parameters
    ----------
    table : Table
        The data.
    columns : mapping of str to array-like, sequence of str, or None
        Values by name, or names of columns of the table; labels among them are shown anyway.
    indices : ndarray of int, shape (n, k)
        Neighbours of each point.

    Raises
    ------
    ValueError
        If a column is not there, or has not one value a point.
    """
    if isinstance(columns, Mapping):
        return [make_column(key, values, len(table.X)) for key, values in columns.items()]
    numeric = {key: values for key, values in table.numeric.items() if key != table.label}
    if columns is None:
        return [number_column(key, numeric[key]) for key in _telling(numeric, table, indices)]
    _check_names(columns, table, numeric)
    return [number_column(key, numeric[key]) for key in columns if key not in table.labels]


def further_columns(table: "Table", shown: Sequence[Column], indices: np.ndarray, most_values: int) -> list[Column]:
    """Return the coordinates that are not among ``shown``: the most telling ones, up to ``most_values`` numbers."""
    names = {column.name for column in shown}
    rest = {key: values for key, values in zip(table.feature_names, table.X.T, strict=True) if key not in names}
    at_most = most_values // len(table.X)
    chosen = informative(rest, indices, at_most) if at_most else []
    return [number_column(key, rest[key]) for key in chosen]


def _check_names(columns: Sequence[str], table: "Table", numeric: Mapping[str, np.ndarray]) -> None:
    known = [*numeric, *table.labels]
    for key in columns:
        if key not in known:
            listed = ", ".join(map(repr, known[:10]))
            raise ValueError(
                f"columns must name columns of the table ({listed}{', …' if len(known) > 10 else ''}), got {key!r}."
            )


def _telling(numeric: Mapping[str, np.ndarray], table: "Table", indices: np.ndarray) -> list[str]:
    """Return the columns that are no coordinates, which the map has not seen, then the coordinates that tell most."""
    features = set(table.feature_names)
    beside = [key for key in numeric if key not in features][:MOST_COLUMNS]
    coordinates = {key: values for key, values in numeric.items() if key in features}
    return beside + informative(coordinates, indices, MOST_COLUMNS - len(beside))
