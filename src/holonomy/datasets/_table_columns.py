"""Which columns of a data frame are coordinates, which are labels, and which cannot be used."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

MISSING = "(missing)"
"""What a missing text is called."""

IDENTIFIER = re.compile(
    r"(?i:unnamed: ?\d+|index|idx|id|row|row[ _.-]?(id|index|number|name|num|no|nr)s?|__index_level_\d+__"
    r"|.*[ _.-](id|no|nr))|.*[a-z](I[dD]|N[or])",
    re.DOTALL,
)
"""Names of columns that number the rows, if their values are whole and all different."""

FEWEST_COUNTED = 50
"""Rows from which a column that counts them one by one does nothing else, whatever its name."""

NUMERIC_OBJECTS = {"integer", "floating", "mixed-integer-float", "decimal", "boolean"}
"""What pandas calls columns of Python objects that are numbers."""


@dataclass
class Columns:
    """Columns by use: numbers (float arrays), texts (object arrays of str), and what a reader should know."""

    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    texts: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def sort_columns(frame: "pd.DataFrame", keep: frozenset[str] = frozenset()) -> Columns:
    """Sort the columns of a frame by use; those named in ``keep`` are never taken for identifiers."""
    columns = Columns()
    booleans = []
    for position, name in enumerate(map(str, frame.columns)):
        values = frame.iloc[:, position]
        kind = _kind(values)
        if kind in ("number", "boolean"):
            numbers = _to_float(values)
            if name not in keep and is_identifier(name, numbers, values.dtype.kind in "iu"):
                columns.texts[name] = _to_text(values)
                columns.notes.append(f"Column {name!r} numbers the rows and is not a coordinate.")
                continue
            columns.numbers[name] = numbers
            if kind == "boolean":
                booleans.append(name)
        elif kind == "text":
            columns.texts[name] = _to_text(values)
            columns.notes.extend(_nearly_numeric(name, columns.texts[name]))
        else:
            columns.notes.append(f"Column {name!r} is left out: it holds {kind}.")
    if booleans:
        columns.notes.append(f"Yes-or-no columns are coordinates of 0 and 1: {quoted(booleans)}.")
    return columns


def is_identifier(name: str, values: np.ndarray, are_integers: bool) -> bool:
    """Say whether a column numbers the rows: whole and all different with such a name, or counting many one by one."""
    if not are_integers:
        return False
    if len(values) >= FEWEST_COUNTED and bool((np.diff(values) == 1).all()):
        return True
    return bool(IDENTIFIER.fullmatch(name.strip())) and len(np.unique(values)) == len(values) > 1


def text_of(value: Any) -> str:
    """Return how a value is shown as a label: whole numbers without a point, missing ones as `MISSING`."""
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value or value == "":
        return MISSING
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def texts_of(values: Any) -> np.ndarray:
    """Return `text_of` every value, as an object array."""
    texts = np.empty(len(values), dtype=object)
    texts[:] = [text_of(value) for value in values]
    return texts


def quoted(names: list[str], shown: int = 5) -> str:
    """Return the first few names in quotes, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(map(repr, names[:shown])) + more


def _kind(values: "pd.Series") -> str:
    """Return "number", "boolean", "text", or what a column holds that cannot be used."""
    import pandas as pd
    from pandas.api import types

    if isinstance(values.dtype, pd.CategoricalDtype) or values.dtype.kind in "mM":
        return "text"
    if types.is_bool_dtype(values.dtype):
        return "boolean"
    if types.is_complex_dtype(values.dtype):
        return "complex numbers"
    if types.is_numeric_dtype(values.dtype):
        return "number"
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    if inferred == "empty":
        return "nothing"
    if inferred in NUMERIC_OBJECTS:
        return "boolean" if inferred == "boolean" else "number"
    if inferred == "bytes":
        return "bytes"
    if any(isinstance(value, list | tuple | dict | set | np.ndarray) for value in values):
        return "nested values"
    return "text"


def _to_float(values: "pd.Series") -> np.ndarray:
    if values.dtype == object:
        return np.array([np.nan if text_of(value) == MISSING else float(value) for value in values])
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _to_text(values: "pd.Series") -> np.ndarray:
    return texts_of(values.astype(object))


def _nearly_numeric(name: str, texts: np.ndarray) -> list[str]:
    """Warn of a column that is text only because of a few entries."""
    wrong = [text for text in texts if text != MISSING and not _is_number(text)]
    n_present = sum(text != MISSING for text in texts)
    if not wrong or len(wrong) > n_present / 2:
        return []
    return [
        f"Column {name!r} is a label, not a coordinate, because {len(wrong)} of its {n_present} entries are no number, "
        f"such as {wrong[0][:40]!r}."
    ]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
