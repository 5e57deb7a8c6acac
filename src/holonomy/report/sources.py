"""From what a person names or holds to a table: a data set, a file, standard input, an array."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy.datasets import Table, load, names, read_table
from holonomy.datasets.table import as_table

if TYPE_CHECKING:
    import pandas as pd

STANDARD_INPUT = "-"


@dataclass(frozen=True, eq=False)
class Source:
    """A table, and where it came from.

    Attributes
    ----------
    table : Table
        The points and what is known about them.
    name : str or None
        What to name to get it again: a data set, a path, ``-`` for standard input; None for what is in memory.
    image_shape : tuple of int or None
        Height and width (and 3 where there are colours) of the image that every row is, where that is known.
    """

    table: Table
    name: str | None = None
    image_shape: tuple[int, ...] | None = None


def read_source(
    data: Any,
    *,
    label: str | None = None,
    columns: Sequence[str] | None = None,
    name: str | None = None,
    format: str | None = None,
    impute: bool = False,
) -> Source:
    """Return ``data`` as a table, and what to name to get it again.

    Parameters
    ----------
    data : str, path, Table, Bunch, AnnData, data frame or array-like of shape (n, d)
        A string is a file if there is one, else the name of a data set; ``-`` is standard input.
    label : str, optional
        The column to label rows with.
    columns : sequence of str, optional
        The columns that are coordinates, in this order; every numeric one by default.
    name : str, optional
        What to call the table.
    format : str, optional
        Format of the file; see `holonomy.datasets.read_table`. Of standard input, its content tells by default.
    impute : bool, default False
        Fill missing coordinates with the median of their column.

    Raises
    ------
    FileNotFoundError
        If a string is neither a file nor the name of a data set.
    IsADirectoryError
        If it is a folder.
    ValueError
        If the data cannot be used, see `holonomy.datasets.read_table`.
    """
    asked: dict[str, Any] = {"label": label, "columns": columns, "impute": impute}
    if not isinstance(data, str | os.PathLike):
        return Source(as_table(data, name=name, **asked), image_shape=_image_shape(data))
    text = os.fspath(data)
    if text == STANDARD_INPUT:
        table = read_table(sys.stdin.buffer, name=name or "standard input", format=format or "auto", **asked)
        return Source(table, text)
    if isinstance(data, os.PathLike) or os.path.isfile(text):
        return Source(read_table(Path(text), name=name, format=format, **asked), text)
    if os.path.isdir(text) and text not in names():
        raise IsADirectoryError(21, "This is a folder, where a file is needed", text)
    if text in names() or not _looks_like_a_path(text):
        bunch = load(text)
        return Source(as_table(bunch, name=name, **asked), text, _image_shape(bunch))
    raise FileNotFoundError(2, "No such file, nor a data set of this name", text)


def has_own_names(feature_names: Sequence[str]) -> bool:
    """Whether coordinates are called otherwise than ``x0``, ``x1``, ..., as those that nobody has named are."""
    return list(feature_names) != [f"x{i}" for i in range(len(feature_names))]


def frame_of(table: Table) -> "pd.DataFrame":
    """Return the coordinates of a table with their names."""
    import pandas as pd

    return pd.DataFrame(table.X, columns=list(table.feature_names), copy=False)


def _looks_like_a_path(text: str) -> bool:
    return os.sep in text or "/" in text or bool(Path(text).suffix)


def _image_shape(data: Any) -> tuple[int, ...] | None:
    """Return the shape of the images that a Bunch says its rows are."""
    shape = data.get("image_shape") if isinstance(data, dict) else None
    return None if shape is None else tuple(int(side) for side in np.ravel(shape))
