"""Writing the coordinates of a map to a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.files import replacing

if TYPE_CHECKING:
    from holonomy.report import MapReport
    from holonomy.report.columns import Column

FORMATS = (".parquet", ".csv", ".npy")

MODEL = ".holonomy"
"""Ending of the file of a fitted model."""


def check_format(path: Path, option: str = "--save", *, with_model: bool = False) -> None:
    """Raise unless coordinates, or a model where that is allowed, can be written to a file of this name.

    Raises
    ------
    ValueError
        If its ending is none of `FORMATS`, nor that of a model.
    """
    known = (*FORMATS, MODEL) if with_model else FORMATS
    if path.suffix.lower() not in known:
        raise ValueError(f"{option} must end in {', '.join(known[:-1])} or {known[-1]}, got {str(path)!r}.")


def check_model(paths: Sequence[Path], method: str) -> None:
    """Raise, before anything is computed, where a model is wanted of a method that has none to save.

    Raises
    ------
    ValueError
        If there is no such method, or its models cannot be saved.
    """
    from holonomy.embed._methods import can_be_saved

    if any(path.suffix.lower() == MODEL for path in paths) and not can_be_saved(method):
        raise ValueError(f"--save: a {method} model cannot be saved; save its coordinates instead.")


def save_result(report: "MapReport", path: Path) -> None:
    """Write the coordinates of a map, or its fitted model, as the ending of the file says."""
    if path.suffix.lower() == MODEL:
        report.estimator.save(path)
    else:
        write_coordinates(report, path)


def write_places(places: np.ndarray, labels: dict[str, Any], path: Path) -> None:
    """Write the places of new rows, with their labels where the format has columns, whole or not at all."""
    with replacing(path) as part:
        _write(places, {"row": np.arange(len(places)), **_named_axes(places), **labels}, part, path.suffix.lower())


def _named_axes(places: np.ndarray) -> dict[str, np.ndarray]:
    names = ("x", "y") if places.shape[1] == 2 else [f"z{i + 1}" for i in range(places.shape[1])]
    return dict(zip(names, places.T, strict=True))


def _write(places: np.ndarray, columns: dict[str, Any], part: Path, ending: str) -> None:
    if ending == ".npy":
        np.save(part, places)
        return
    import pyarrow as pa

    table = pa.table(columns)
    if ending == ".csv":
        from pyarrow import csv

        csv.write_csv(table, part)
    else:
        from pyarrow import parquet

        parquet.write_table(table, part)


def write_coordinates(report: "MapReport", path: Path) -> None:
    """Write the map, in the order of the data's rows, whole or not at all.

    An NPY file holds the (n, 2) coordinates alone; CSV and Parquet hold the columns ``row``, ``x``, ``y``, ``trust``,
    ``local_dimension``, and the labels.
    """
    with replacing(path) as part:
        _write(report.embedding, _columns(report), part, path.suffix.lower())


def _columns(report: "MapReport") -> dict[str, Any]:
    columns: dict[str, Any] = {
        "row": np.arange(len(report.embedding)),
        "x": report.embedding[:, 0],
        "y": report.embedding[:, 1],
        "trust": report.trust,
        "local_dimension": report.local_dimension,
    }
    for column in report.labels:
        name = column.name if column.name not in columns else f"label_{column.name}"
        columns[name] = _texts(column)
    return columns


def _texts(column: "Column") -> Any:
    if column.categories is None:
        return column.values
    return np.array(column.categories, dtype=object)[column.values]
