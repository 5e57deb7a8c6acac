"""Read files of tables: text, Parquet, NumPy arrays."""

import csv
import gzip
import io
import itertools
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from holonomy._core.validation import check_option
from holonomy.datasets._single_cell import DENSE_LIMIT, dense_size
from holonomy.datasets._table_columns import quoted

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = {"csv": ",", "tsv": "\t", "txt": "\t"}
"""Formats of delimited text, and the separator that is expected where the file does not show another."""

FORMATS = (*SEPARATORS, "parquet", "npy", "npz", "mtx", "jsonl", "ndjson", "h5ad")

COMPRESSED = tuple(f"{name}.gz" for name in (*SEPARATORS, "mtx", "jsonl", "ndjson"))

MAGIC = {b"\x93NUMPY": "npy", b"PK\x03\x04": "npz", b"PAR1": "parquet", b"%%MatrixMarket": "mtx"}
"""How files of a format begin."""

GZIP = b"\x1f\x8b"


SAMPLE = 100
"""Records that the dialect of a text file is guessed from."""

BLOCK = 2**24
"""Bytes of text that are parsed at once."""

POINTS_KEYS = ("X", "data", "x")
"""Names under which an archive of arrays is expected to hold the points."""

DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+(e[-+]?\d+)?\s*", re.IGNORECASE)
DECIMAL_POINT = re.compile(r"\s*[-+]?\d*\.\d+(e[-+]?\d+)?\s*", re.IGNORECASE)


class Dialect(NamedTuple):
    """How a text file is written; None in what a caller gives means: see from the file."""

    sep: str | None = None
    decimal: str | None = None
    header: bool | None = None
    encoding: str = "utf-8"


@dataclass
class Arrays:
    """Points with their columns' names, and further columns, as an archive holds them."""

    X: np.ndarray
    feature_names: list[str] | None = None
    extra: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def name_of(source: Any) -> str:
    """Return the file's name, or what to call an open file, after checking that there is one."""
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        if path.is_dir():
            raise ValueError(f"{path} is a folder; give the file.")
        if not path.exists():
            raise FileNotFoundError(f"There is no file {path}.")
        return path.name
    if not hasattr(source, "read"):
        raise TypeError(f"source must be a path or an open file, got {type(source).__name__}.")
    name = getattr(source, "name", None)
    if name == "<stdin>":
        return "standard input"
    return Path(name).name if isinstance(name, str) else "the open file"


def format_of(file_name: str, format: str | None) -> tuple[str, bool]:
    """Return the format, without ``.gz``, and whether the file is compressed."""
    known = (*FORMATS, *COMPRESSED)
    if format is not None:
        chosen = check_option(format.lower().removeprefix("."), "format", known)
    else:
        suffixes = [suffix.lower().lstrip(".") for suffix in Path(file_name).suffixes[-2:]]
        chosen = next((ending for ending in (".".join(suffixes), *suffixes[-1:]) if ending in known), "")
        if not chosen:
            listing = ", ".join(f".{ending}" for ending in known)
            raise ValueError(
                f"{file_name!r} has no known format: the ending must be one of {listing}; or pass format=."
            )
    return chosen.removesuffix(".gz"), chosen.endswith(".gz")


def sniffed(content: bytes) -> str:
    """Return the format that content of unknown origin looks like; delimited text where nothing else does."""
    for magic, kind in MAGIC.items():
        if content.startswith(magic):
            return kind
    if content.lstrip()[:1] in (b"[", b"{"):
        return "jsonl"
    return "csv"


def stem(file_name: str) -> str:
    """Return a file's name without its ending."""
    path = Path(file_name)
    return Path(path.stem).stem if path.suffix == ".gz" else path.stem


def content_of(source: Any, encoding: str) -> bytes:
    """Return the bytes of a file, or of an open file (text in ``encoding``)."""
    if isinstance(source, str | Path):
        return Path(source).expanduser().read_bytes()
    content = source.read()
    return content.encode(encoding) if isinstance(content, str) else content


def unzip(content: bytes, name: str) -> bytes:
    """Return the content of a gzip file.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{name} is not a whole gzip file: {error}.") from error


def read_text(content: bytes, name: str, default: str, dialect: Dialect) -> tuple["pd.DataFrame", list[str]]:
    """Read delimited text: its frame, and notes about what was seen in it.

    Raises
    ------
    ValueError
        If the file is empty, binary, in another encoding, or a row is longer or shorter than the first.
    """
    import pyarrow
    from pyarrow import csv as arrow

    text = _decode(content, name, dialect.encoding)
    comments = list(itertools.takewhile(lambda line: line.startswith("#") or not line.strip(), _lines(text)))
    text = text[sum(map(len, comments)) :]
    if not text.strip():
        raise ValueError(f"{name} is empty.")
    for option, value in (("sep", dialect.sep), ("decimal", dialect.decimal)):
        if value is not None and (not isinstance(value, str) or len(value) != 1 or value in '"\r\n'):
            raise ValueError(f"{option} must be one character, and no quote or line end, got {value!r}.")
    sep, decimal, header, notes = _complete(dialect, text, default)
    text, n_empty = _without_empty_end(text, sep)
    if n_empty:
        notes.append(f"Rows of nothing but separators at the end, left out: {n_empty}.")
    n_comments = sum(line.startswith("#") for line in comments)
    if n_comments:
        notes.insert(0, f"Comment lines at the top, passed over: {n_comments}.")
    try:
        table = arrow.read_csv(
            io.BytesIO(text.encode()),
            read_options=arrow.ReadOptions(autogenerate_column_names=not header, block_size=BLOCK),
            parse_options=arrow.ParseOptions(delimiter=sep, newlines_in_values=True),
            convert_options=arrow.ConvertOptions(decimal_point=decimal),
        )
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"{name} cannot be read as a table separated by {sep!r}: {str(error)[:300]}") from error
    names = list(table.column_names)
    if not header:
        names = [f"column {position + 1}" for position in range(len(names))]
    frame = table.rename_columns([str(position) for position in range(len(names))]).to_pandas()
    frame.columns = [entry.strip() or f"Unnamed: {position}" for position, entry in enumerate(names)]
    return _without_hollow(frame, notes), notes


def read_parquet(content: bytes, name: str) -> "pd.DataFrame":
    """Read a Parquet file.

    Raises
    ------
    ValueError
        If it is none.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.read_table(io.BytesIO(content)).to_pandas()
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{name} is not a whole Parquet file: {str(error)[:300]}") from error


def read_npy(content: bytes, name: str) -> Any:
    """Read an NPY file.

    Raises
    ------
    ValueError
        If it is none, or holds Python objects, which would have to be unpickled.
    """
    if not content.startswith(b"\x93NUMPY"):
        raise ValueError(f"{name} is not an NPY file: it does not begin as one.")
    try:
        return np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # A damaged header makes its parser fail in any way.
        if _needs_pickle(error):
            raise ValueError(
                f"{name} holds Python objects, which would have to be unpickled, and a pickle can run any code. "
                "Save an array of numbers instead."
            ) from error
        raise ValueError(f"{name} is not a whole NPY file: {error}") from error


def read_npz(content: bytes, name: str) -> Arrays:
    """Read an archive of arrays, or a sparse matrix that SciPy saved.

    The points are the array called X, data or x, else the only one with two axes; arrays with one axis and an entry a
    row are further columns; ``feature_names`` names the points' columns.

    Raises
    ------
    ValueError
        If it is no such archive, or which array holds the points is not clear.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            if "format" in archive.files and "shape" in archive.files:
                return Arrays(dense(sparse.load_npz(io.BytesIO(content)), name))
            arrays, objects = {}, []
            for key in archive.files:
                try:
                    arrays[key] = archive[key]
                except ValueError as error:
                    if not _needs_pickle(error):
                        raise
                    objects.append(key)
    except Exception as error:  # As for NPY, and so does a damaged archive.
        raise ValueError(f"{name} is not a whole NPZ file: {error}") from error
    flat = [key for key, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "biuf"]
    named = [key for key in POINTS_KEYS if key in arrays]
    chosen = (named + flat)[0] if named or len(flat) == 1 else None
    if chosen is None:
        listing = ", ".join(f"{key} {array.shape}" for key, array in arrays.items()) or "nothing"
        pickled = f" (and Python objects, which are not unpickled: {quoted(objects)})" if objects else ""
        raise ValueError(f"{name} must hold the points as 'X', 'data' or its only matrix; it holds {listing}{pickled}.")
    X = arrays.pop(chosen)
    if X.ndim != 2:
        raise ValueError(f"{name} must hold a matrix in {chosen!r}, got shape {X.shape}.")
    given = arrays.pop("feature_names", None)
    result = Arrays(X, list(map(str, given)) if given is not None and given.shape == X.shape[1:] else None)
    for key, array in arrays.items():
        if array.ndim == 1 and len(array) == len(X):
            result.extra[key] = array
        else:
            result.notes.append(f"Array {key!r} of shape {array.shape} is left out: it is not one value a row.")
    if objects:
        result.notes.append(f"Left out, because they would have to be unpickled: {quoted(objects)}.")
    return result


def dense(matrix: Any, name: str) -> np.ndarray:
    """Return a sparse matrix as a dense one.

    Raises
    ------
    ValueError
        If that would take more than `DENSE_LIMIT` bytes.
    """
    size = dense_size(matrix)
    if size > DENSE_LIMIT:
        raise ValueError(
            f"{name} would take {size / 1024**3:.1f} GiB as a dense matrix; the most is {DENSE_LIMIT / 1024**3:.0f} "
            "GiB. Reduce it first, as with sklearn.decomposition.TruncatedSVD."
        )
    return matrix.toarray()


def _needs_pickle(error: Exception) -> bool:
    return "pickle" in str(error)


def _decode(content: bytes, name: str, encoding: str) -> str:
    if not content.strip():
        raise ValueError(f"{name} is empty.")
    if b"\0" in content and "16" not in encoding and "32" not in encoding:
        raise ValueError(f"{name} is not text in encoding {encoding!r}: it holds zero bytes.")
    try:
        return content.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise ValueError(
            f"{name} is not text in encoding {encoding!r}: {error}. Pass encoding=, as 'latin-1'."
        ) from error


def _complete(dialect: Dialect, text: str, default: str) -> tuple[str, str, bool, list[str]]:
    """Fill in what the caller left open, with notes about what is not usual."""
    notes = []
    lines = list(itertools.islice(_lines(text), SAMPLE))
    sep = dialect.sep or _separator(lines, default)
    records = _records(lines, sep)
    decimal = dialect.decimal
    if decimal is None:
        fields = list(itertools.chain.from_iterable(records[1:])) if sep != "," else []
        commas, points = (any(map(pattern.fullmatch, fields)) for pattern in (DECIMAL_COMMA, DECIMAL_POINT))
        decimal = "," if commas and not points else "."
        if decimal == ",":
            notes.append("Decimal commas are read as decimal points.")
    header = dialect.header
    if header is None:
        numeric = [_is_number(entry.replace(decimal, ".")) for entry in records[0]]
        header = not all(numeric)
        if not header:
            notes.append("The first line holds only numbers, so it is taken as data: the columns have no names.")
        elif any(numeric):
            notes.append("The first line is taken as names, though some of them are numbers.")
    return sep, decimal, header, notes


def _separator(lines: list[str], default: str) -> str:
    """Return the separator that cuts all sampled lines into the same number of fields, more than one."""
    for sep in dict.fromkeys(["\t", ";", ",", "|", default]):
        counts = {len(record) for record in _records(lines, sep) if record}
        if len(counts) == 1 and counts != {1}:
            return sep
    return default


def _lines(text: str) -> Iterator[str]:
    """Yield lines with their ends; unlike ``splitlines``, other marks than line feed and return do not end one."""
    return io.StringIO(text, newline="")


def _records(lines: list[str], sep: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=sep))
    except csv.Error:
        return [line.rstrip("\r\n").split(sep) for line in lines]


def _is_number(entry: str) -> bool:
    try:
        float(entry)
    except ValueError:
        return False
    return True


def _without_empty_end(text: str, sep: str) -> tuple[str, int]:
    """Cut off lines at the end that hold no entry, as spreadsheets append them; return how many had separators."""
    newline = "\n" if "\n" in text else "\r"
    end, n_empty = len(text), 0
    while end > 0:
        start = text.rfind(newline, 0, end) + 1
        line = text[start:end]
        if line.strip(f"{sep} \t\r\n"):
            break
        n_empty += sep in line
        end = start - 1
    return text[:end] + "\n", n_empty


def _without_hollow(frame: "pd.DataFrame", notes: list[str]) -> "pd.DataFrame":
    """Leave out columns without name and content, as separators at the end of every line make them."""
    unnamed = [str(name).startswith("Unnamed: ") for name in frame.columns]
    hollow = [is_unnamed and bool(frame.iloc[:, i].isna().all()) for i, is_unnamed in enumerate(unnamed)]
    if any(hollow):
        notes.append(f"Columns without name and content, left out: {sum(hollow)}.")
    return frame.loc[:, [not is_hollow for is_hollow in hollow]]
