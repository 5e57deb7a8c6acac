"""Writing the coordinates of a map to a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.files import replacing

if TYPE_CHECKING:
    from holonomy.report import MapReport
    from holonomy.report.columns import Column

FORMATS = (".parquet", ".csv", ".npy")


def check_format(path: Path) -> None:
    """Raise unless coordinates can be written to a file of this name.

    Raises
    ------
    ValueError
        If its ending is none of `FORMATS`.
    """
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"--save must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, got {str(path)!r}.")


def write_coordinates(report: "MapReport", path: Path) -> None:
    """Write the map, in the order of the data's rows, whole or not at all.

    An NPY file holds the (n, 2) coordinates alone; CSV and Parquet hold the columns ``row``, ``x``, ``y``, ``trust``,
    ``local_dimension``, and the labels.
    """
    with replacing(path) as part:
        if path.suffix.lower() == ".npy":
            np.save(part, report.embedding)
            return
        import pyarrow as pa

        table = pa.table(_columns(report))
        if path.suffix.lower() == ".csv":
            from pyarrow import csv

            csv.write_csv(table, part)
        else:
            from pyarrow import parquet

            parquet.write_table(table, part)


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
