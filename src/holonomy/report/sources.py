"""From what a person names or holds to a table: a data set, a file, an array."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holonomy.datasets import Table, load, names, read_table
from holonomy.datasets.table import as_table

if TYPE_CHECKING:
    import pandas as pd


def table_of(data: Any, *, label: str | None = None, name: str | None = None) -> tuple[Table, str | None]:
    """Return ``data`` as a table, and what to name to get it again.

    Parameters
    ----------
    data : str, path, Table, Bunch, AnnData, data frame or array-like of shape (n, d)
        A string is a file if there is one, else the name of a data set.
    label : str, optional
        The column to label rows with.
    name : str, optional
        What to call the table.

    Returns
    -------
    Table
    str or None
        The string or path that was given; None for what is in memory.

    Raises
    ------
    FileNotFoundError
        If a string is neither a file nor the name of a data set.
    ValueError
        If the data cannot be used, see `holonomy.datasets.read_table`.
    """
    if not isinstance(data, str | os.PathLike):
        return as_table(data, label=label, name=name), None
    text = os.fspath(data)
    if isinstance(data, os.PathLike) or os.path.isfile(text):
        return read_table(Path(text), label=label, name=name), text
    if text in names() or not _looks_like_a_path(text):
        return as_table(load(text), label=label, name=name), text
    raise FileNotFoundError(2, "No such file, nor a data set of this name", text)


def frame_of(table: Table) -> "pd.DataFrame":
    """Return the coordinates of a table with their names."""
    import pandas as pd

    return pd.DataFrame(table.X, columns=list(table.feature_names), copy=False)


def _looks_like_a_path(text: str) -> bool:
    return os.sep in text or "/" in text or bool(Path(text).suffix)
