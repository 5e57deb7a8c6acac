"""One form for whatever holds points with names and labels: a file, a data set, an array, a data frame."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from holonomy._core.validation import as_numpy
from holonomy.datasets._single_cell import points_of, read_h5ad
from holonomy.datasets._table_checks import check_finite, check_names, check_rows, imputed
from holonomy.datasets._table_columns import Columns, quoted, sort_columns, texts_of
from holonomy.datasets._table_files import (
    GZIP,
    SEPARATORS,
    Arrays,
    Dialect,
    content_of,
    dense,
    format_of,
    name_of,
    read_npy,
    read_npz,
    read_parquet,
    read_text,
    sniffed,
    stem,
    unzip,
)
from holonomy.datasets._vector_files import read_json_lines, read_matrix_market

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Points, the names of their coordinates, and what else is known of each row.

    Attributes
    ----------
    X : ndarray of float64 or float32, shape (n, d)
        The coordinates: finite, at least two rows and one column.
    feature_names : tuple of str, length d
        Names of the coordinates, all different.
    labels : dict of str to ndarray of object, shape (n,)
        Text, category and identifier columns, and the label if one was chosen, as strings; texts that are missing
        read ``(missing)``. Strings are as the source holds them: escape them before they reach a page.
    numeric : dict of str to ndarray of float, shape (n,)
        All columns of finite numbers: the coordinates, and those that were not chosen as coordinates.
    name : str
        What the table is called.
    label : str or None
        The key of ``labels`` that was chosen as label.
    notes : tuple of str
        What a reader should know: columns left out, identifiers, constant columns, how the file was understood.

    Examples
    --------
    >>> from holonomy.datasets import as_table
    >>> table = as_table([[0.0, 1.0], [2.0, 3.0]], name="two points")
    >>> table.X.shape, table.name
    ((2, 2), 'two points')
    """

    X: np.ndarray
    feature_names: tuple[str, ...]
    labels: dict[str, np.ndarray] = field(default_factory=dict)
    numeric: dict[str, np.ndarray] = field(default_factory=dict)
    name: str = "table"
    label: str | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Say the name, the shape and the labels."""
        labels = f", labels: {quoted(list(self.labels))}" if self.labels else ""
        return f"Table({self.name!r}, {self.X.shape[0]} rows, {self.X.shape[1]} coordinates{labels})"


def read_table(
    source: Any,
    *,
    label: str | None = None,
    columns: Sequence[str] | None = None,
    format: str | None = None,
    name: str | None = None,
    sep: str | None = None,
    decimal: str | None = None,
    header: bool | None = None,
    encoding: str = "utf-8",
    impute: bool = False,
) -> Table:
    r"""Read a file of points: delimited text, Parquet, NPY, NPZ, Matrix Market, JSON lines or H5AD.

    Parameters
    ----------
    source : path, or file opened for reading
        ``.csv``, ``.tsv``, ``.txt``, ``.mtx``, ``.jsonl``, ``.ndjson`` (each also ``.gz``), ``.parquet``, ``.npy``,
        ``.npz`` or ``.h5ad``.
    label : str or None
        The column to label rows with. It is no coordinate then, even if it holds numbers.
    columns : sequence of str or None
        The columns that are coordinates, in this order; None takes every numeric one. Where the source names none of
        its columns, as many names as it has are what they are called.
    format : str or None
        One of the endings above, without the dot; None goes by the file's name. ``"auto"`` goes by the content, which
        every format but H5AD shows.
    name : str or None
        What to call the table; None takes the file's name without its ending.
    sep, decimal : str or None
        Of text: what separates fields, and the decimal mark. None sees both from the file.
    header : bool or None
        Of text: whether the first line names the columns. None says no only where all of its entries are numbers.
    encoding : str, default "utf-8"
        Of text.
    impute : bool, default False
        Fill missing coordinates with the median of their column, and say so in ``notes``.

    Returns
    -------
    Table

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ImportError
        If H5AD is to be read without anndata.
    TypeError
        If an argument has the wrong type.
    ValueError
        If the format is not known, the file is empty, damaged, ragged, holds pickled objects, no column of numbers,
        fewer than two rows or values that are missing or infinite, or lacks the label or one of the columns.

    Notes
    -----
    Columns of numbers are coordinates, yes-or-no columns too (0 and 1). Text, categories and dates are labels. A whole
    column with a name such as ``id``, ``index`` or ``customer_id`` whose values all differ numbers the rows, as does
    one of any name that counts 50 rows or more one by one; it is a label, unless ``columns`` names it. Constant columns
    stay. ``notes`` tells what was decided.

    Missing values are not filled in unconditionally: coordinates that have some raise, with the count of each column,
    unless ``impute`` is set.

    Of JSON, every line is a list of numbers, a flat record, or a record that holds a list of numbers (``vector``,
    ``embedding``, ..., or its only list) beside labels. Rows of a Matrix Market file are points.

    Of H5AD, the points are ``X``, or ``obsm["X_pca"]`` where ``X`` is missing or too large; the columns of ``obs`` are
    labels and numbers beside them.

    Examples
    --------
    >>> import io
    >>> from holonomy import datasets
    >>> table = datasets.read_table(io.StringIO("x,y,kind\n1,2,a\n3,5,b\n"), format="csv")
    >>> table.X.shape, table.feature_names, list(table.labels)
    ((2, 2), ('x', 'y'), ['kind'])
    """
    file_name = name_of(source)
    choice = _choice(label, columns, name if name is not None else stem(file_name), impute)
    if format == "auto":
        content = content_of(source, encoding)
        content = unzip(content, file_name) if content.startswith(GZIP) else content
        return _from_content(content, sniffed(content), file_name, choice, Dialect(sep, decimal, header, encoding))
    kind, is_compressed = format_of(file_name, format)
    if kind == "h5ad":
        if not isinstance(source, str | Path):
            raise TypeError("An H5AD file is read from a path; got an open file.")
        return _from_anndata(read_h5ad(Path(source)), choice)
    content = content_of(source, encoding)
    if is_compressed:
        content = unzip(content, file_name)
    return _from_content(content, kind, file_name, choice, Dialect(sep, decimal, header, encoding))


def as_table(
    data: Any,
    *,
    label: str | None = None,
    columns: Sequence[str] | None = None,
    name: str | None = None,
    impute: bool = False,
) -> Table:
    """Bring points that are in memory to the form that `read_table` returns.

    Parameters
    ----------
    data : Bunch or mapping with ``X``, data frame, array-like, torch tensor, sparse matrix, AnnData or Table
        Of a Bunch (from `load`, ``make_*`` or scikit-learn), ``target`` and ``metadata`` become labels and numbers, and
        the target is the label unless another is chosen.
    label, columns, name, impute
        As for `read_table`; a Bunch brings its name.

    Returns
    -------
    Table

    Raises
    ------
    TypeError
        If ``data`` is none of these.
    ValueError
        As for `read_table`; also if a Bunch is a graph whose nodes have no features.

    Examples
    --------
    >>> from holonomy import datasets
    >>> datasets.as_table(datasets.load("iris"))
    Table('iris', 150 rows, 4 coordinates, labels: 'target')
    """
    choice = _choice(label, columns, name or "table", impute)
    if isinstance(data, Table):
        chosen = choice._replace(name=name or data.name, label=label or data.label)
        content = Columns(dict(data.numeric), dict(data.labels), list(data.notes))
        return _assemble(content, list(data.feature_names), data.X, chosen)
    if isinstance(data, Mapping):
        return _from_bunch(data, choice._replace(name=name or str(data.get("name", "table"))))
    if hasattr(data, "obs") and hasattr(data, "var_names"):
        return _from_anndata(data, choice)
    if hasattr(data, "columns") and hasattr(data, "dtypes"):
        return _from_frame(data if hasattr(data, "iloc") else data.to_pandas(), choice, [])
    if sparse.issparse(data):
        return _from_array(dense(data, choice.name), choice)
    try:
        array = np.asarray(as_numpy(data))
    except ValueError as error:
        raise ValueError(f"data must be a matrix of numbers, got rows of different length: {error}") from error
    return _from_array(array, choice)


class _Choice(NamedTuple):
    """What the caller asks for."""

    label: str | None
    columns: Sequence[str] | None
    name: str
    impute: bool


def _choice(label: str | None, columns: Sequence[str] | None, name: str, impute: bool) -> _Choice:
    if label is not None and not isinstance(label, str):
        raise TypeError(f"label must be the name of a column, got {label!r} of type {type(label).__name__}.")
    if isinstance(columns, str) or not all(isinstance(column, str) for column in columns or ()):
        raise TypeError(f"columns must be a list of names, got {columns!r}.")
    return _Choice(label, columns, name, impute)


def _from_content(content: bytes, kind: str, file_name: str, choice: _Choice, dialect: Dialect) -> Table:
    """Read what a file holds, in any format that is read as a whole."""
    if kind in SEPARATORS:
        frame, notes = read_text(content, file_name, SEPARATORS[kind], dialect)
        return _from_frame(frame, choice, notes)
    if kind == "parquet":
        return _from_frame(read_parquet(content, file_name), choice, [])
    if kind == "npy":
        return _from_array(read_npy(content, file_name), choice)
    if kind == "mtx":
        return _from_arrays(read_matrix_market(content, file_name), choice)
    if kind in ("jsonl", "ndjson"):
        found = read_json_lines(content, file_name)
        return _from_arrays(found, choice) if isinstance(found, Arrays) else _from_frame(found, choice, [])
    return _from_arrays(read_npz(content, file_name), choice)


def _from_array(array: np.ndarray, choice: _Choice) -> Table:
    if array.dtype.names:
        import pandas as pd

        return _from_frame(pd.DataFrame.from_records(array), choice, [])
    return _from_arrays(Arrays(array), choice)


def _from_arrays(arrays: Arrays, choice: _Choice) -> Table:
    X = arrays.X
    if X.ndim != 2:
        raise ValueError(
            f"{choice.name} must be a matrix (rows, columns), got shape {X.shape}; reshape it, as with "
            "X.reshape(len(X), -1)."
        )
    if X.dtype.kind not in "biuf":
        held = {"c": "complex numbers", "O": "Python objects"}.get(X.dtype.kind, "text or dates")
        raise ValueError(f"{choice.name} must hold numbers, got {held} (dtype {X.dtype}).")
    if X.dtype not in (np.float64, np.float32):
        X = X.astype(np.float64)
    names = arrays.feature_names or _names_of_unnamed(X.shape[1], choice.columns)
    if len(names) != X.shape[1]:
        raise ValueError(f"{choice.name} has {X.shape[1]} columns but {len(names)} feature names.")
    check_names(names, choice.name)
    content = Columns(notes=arrays.notes)
    content.numbers.update(zip(names, X.T, strict=True))
    for key, values in arrays.extra.items():
        if np.shape(values) != X.shape[:1]:
            raise ValueError(f"{choice.name}: {key!r} of shape {np.shape(values)} is not one value for {len(X)} rows.")
        _add(content, key, np.asarray(values))
    return _assemble(content, names, X, choice)


def _names_of_unnamed(n_columns: int, wanted: Sequence[str] | None) -> list[str]:
    """Return ``x0``, ``x1``, ..., or the caller's names where these are for all columns and mean none of the former."""
    numbered = [f"x{column}" for column in range(n_columns)]
    if wanted is None or len(wanted) != n_columns or len(set(wanted)) < n_columns or set(wanted) & set(numbered):
        return numbered
    return list(wanted)


def _from_frame(frame: "pd.DataFrame", choice: _Choice, notes: list[str]) -> Table:
    import pandas as pd

    check_rows(len(frame), choice.name)
    names = list(map(str, frame.columns))
    check_names(names, choice.name)
    content = sort_columns(frame, frozenset([*(choice.columns or ()), choice.label or ""]))
    content.notes[:0] = notes
    features = list(content.numbers)
    if choice.label in content.numbers:
        content.texts[choice.label] = texts_of(frame.iloc[:, names.index(choice.label)].astype(object))
    if not isinstance(frame.index, pd.RangeIndex):
        _add(content, str(frame.index.name or "index"), frame.index.map(str).to_numpy())
    return _assemble(content, features, None, choice)


def _from_anndata(cells: Any, choice: _Choice) -> Table:
    X, names, notes = points_of(cells)
    table = sort_columns(cells.obs)
    extra = {**table.numbers, **table.texts, "cell": np.array(cells.obs_names, dtype=object)}
    return _from_arrays(Arrays(X, names, extra, notes + table.notes), choice)


def _from_bunch(bunch: Mapping[str, Any], choice: _Choice) -> Table:
    X = bunch.get("X", bunch.get("data"))
    if X is None:
        if "adjacency" in bunch:
            raise ValueError(f"{choice.name} is a graph whose nodes have no features, so there are no points to read.")
        raise ValueError(f"{choice.name} must have X (or data), got the entries {quoted(list(bunch))}.")
    metadata = bunch.get("metadata")
    extra = dict(metadata) if isinstance(metadata, Mapping) else {}
    label = choice.label
    for key in ("labels", "target"):
        values = np.asarray(bunch.get(key))
        if values.ndim != 1:
            continue
        extra[key] = values
        if values.dtype.kind != "f":
            extra[key] = texts_of(_named(values, bunch.get("target_names")) if key == "target" else values)
            if choice.label is None and len(set(extra[key])) > 1:
                label = key
    if hasattr(X, "iloc"):
        return _from_frame(X.assign(**extra), choice._replace(label=label), [])
    latent = np.asarray(bunch.get("latent"))
    if latent.ndim == 2:
        extra.update({f"latent {axis + 1}": values for axis, values in enumerate(latent.T)})
    names = bunch.get("feature_names")
    arrays = Arrays(
        dense(X, choice.name) if sparse.issparse(X) else np.asarray(as_numpy(X)),
        None if names is None else list(map(str, names)),
        extra,
    )
    return _from_arrays(arrays, choice._replace(label=label))


def _named(codes: np.ndarray, names: Any) -> np.ndarray:
    """Return the name of each code, or the codes where the names are not one for each."""
    if names is None or codes.dtype.kind not in "iu" or codes.min() < 0 or codes.max() >= len(names):
        return codes
    return np.asarray(names)[codes]


def _add(content: Columns, key: str, values: np.ndarray) -> None:
    """Put a further column beside the coordinates, under a name that none of them has."""
    while key in content.numbers or key in content.texts:
        key = f"{key} (row)"
    if values.dtype.kind in "biuf":
        content.numbers[key] = values.astype(np.float64)
    else:
        content.texts[key] = texts_of(values)


def _assemble(content: Columns, features: list[str], X: np.ndarray | None, choice: _Choice) -> Table:
    """Check the caller's choice against the columns, and the coordinates for what no method can take."""
    label = choice.label
    if label is not None and label not in content.texts:
        if label not in content.numbers:
            raise ValueError(f"{choice.name} has no column {label!r} to label with.{_hint(label, content)}")
        content.texts[label] = texts_of(content.numbers[label])
    chosen = _chosen(content, features, choice)
    if X is None or chosen != features:
        X = np.column_stack([content.numbers[name] for name in chosen])
    check_rows(len(X), choice.name)
    notes = list(content.notes)
    if choice.impute and np.isnan(X).any():
        X, note = imputed(X, chosen, choice.name)
        notes.append(note)
    check_finite(X, chosen, choice.name)
    constant = [name for name, is_constant in zip(chosen, X.max(axis=0) == X.min(axis=0), strict=True) if is_constant]
    if constant:
        notes.append(f"{len(constant)} of {len(chosen)} coordinates are constant: {quoted(constant)}.")
    numeric = dict(zip(chosen, X.T, strict=True))
    for name, values in content.numbers.items():
        n_bad = 0 if name in numeric else int((~np.isfinite(values)).sum())
        if n_bad:
            notes.append(f"Column {name!r} is left out of the numbers: {n_bad} of its values are missing or infinite.")
        else:
            numeric.setdefault(name, values)
    return Table(X, tuple(chosen), content.texts, numeric, choice.name, label, tuple(dict.fromkeys(notes)))


def _chosen(content: Columns, features: list[str], choice: _Choice) -> list[str]:
    """Return the names of the coordinates."""
    if choice.columns is None:
        chosen = [name for name in features if name != choice.label]
        if not chosen:
            raise ValueError(
                f"{choice.name} has no column of numbers to use as coordinates; it has {quoted(list(content.texts))}."
            )
        return chosen
    chosen = list(choice.columns)
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"columns must name at least one column and none twice, got {chosen}.")
    for name in chosen:
        if name in content.texts and (name not in content.numbers or name == choice.label):
            reason = "is the label" if name == choice.label else "holds text"
            raise ValueError(f"columns must name coordinates, but {name!r} {reason}.")
        if name not in content.numbers:
            raise ValueError(f"{choice.name} has no column {name!r}.{_hint(name, content)}")
    return chosen


def _hint(name: str, content: Columns) -> str:
    present = [*content.numbers, *content.texts]
    close = difflib.get_close_matches(name, present, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else f" It has {quoted(present, 10)}."
