"""Read files of vectors: Matrix Market, and one vector or record a line in JSON."""

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from holonomy.datasets._single_cell import DENSE_LIMIT, dense_size
from holonomy.datasets._table_columns import quoted
from holonomy.datasets._table_files import Arrays

if TYPE_CHECKING:
    import pandas as pd

VECTOR_KEYS = ("vector", "embedding", "values", "features", "x", "X")
"""Names under which a record is expected to hold its vector, where it holds several lists of numbers."""


def read_matrix_market(content: bytes, name: str) -> Arrays:
    """Read a Matrix Market file, dense or of coordinates; rows are points.

    Raises
    ------
    ValueError
        If the file is damaged, complex, or too large as a dense matrix.
    """
    from scipy.io import mmread

    if not content.startswith(b"%%MatrixMarket"):
        raise ValueError(f"{name} is not a Matrix Market file: its first line must begin with %%MatrixMarket.")
    try:
        matrix = mmread(io.BytesIO(content))
    except Exception as error:  # A damaged file makes its parser fail in any way.
        raise ValueError(f"{name} is not a whole Matrix Market file: {error}") from error
    if not sparse.issparse(matrix):
        return Arrays(np.asarray(matrix))
    if dense_size(matrix) > DENSE_LIMIT:
        raise ValueError(
            f"{name} would take {dense_size(matrix) / 1024**3:.1f} GiB as a dense matrix; the most is "
            f"{DENSE_LIMIT / 1024**3:.0f} GiB. Reduce it first, as with sklearn.decomposition.TruncatedSVD."
        )
    return Arrays(matrix.toarray(), notes=["Entries that the sparse matrix does not list are zeros."])


def read_json_lines(content: bytes, name: str) -> "Arrays | pd.DataFrame":
    """Read one JSON value a line: vectors, records that hold a vector each, or flat records.

    Raises
    ------
    ValueError
        If a line is no JSON, lines are of different kinds, or vectors of different lengths.
    """
    rows = _parsed(content, name)
    if not rows:
        raise ValueError(f"{name} is empty.")
    if all(isinstance(row, list) for row in rows):
        return Arrays(_matrix(rows, name))
    if not all(isinstance(row, dict) for row in rows):
        kinds = sorted({type(row).__name__ for row in rows})
        raise ValueError(f"{name} must hold a list of numbers or an object on every line, got {', '.join(kinds)}.")
    key = _vector_key(rows, name)
    import pandas as pd

    if key is None:
        return pd.DataFrame(rows)
    beside = pd.DataFrame([{other: value for other, value in row.items() if other != key} for row in rows])
    extra = {str(column): beside[column].to_numpy() for column in beside}
    return Arrays(_matrix([row[key] for row in rows], name), extra=extra)


def _parsed(content: bytes, name: str) -> list[Any]:
    try:
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not text in encoding 'utf-8': {error}.") from error
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"{name}, line {number}, is not JSON: {error}. Each line must be one value.") from error
    return rows


def _vector_key(rows: list[dict[str, Any]], name: str) -> str | None:
    """Return the name of the entry that holds the vectors, or None where records are flat."""
    lists = [key for key, value in rows[0].items() if isinstance(value, list)]
    if not lists:
        return None
    key = next((known for known in VECTOR_KEYS if known in lists), lists[0] if len(lists) == 1 else None)
    if key is None:
        raise ValueError(f"{name} has several lists in a record, {quoted(lists)}; call the vector {VECTOR_KEYS[0]!r}.")
    for number, row in enumerate(rows, 1):
        if not isinstance(row.get(key), list):
            raise ValueError(f"{name}, record {number}, has no list {key!r}, as the first one has.")
    return key


def _matrix(vectors: list[list[Any]], name: str) -> np.ndarray:
    lengths = {len(vector) for vector in vectors}
    if len(lengths) > 1:
        raise ValueError(f"{name} has vectors of different lengths: {min(lengths)} to {max(lengths)}.")
    try:
        return np.array(vectors, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold vectors of numbers (null where one is missing): {error}.") from error
