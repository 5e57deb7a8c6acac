"""Columns as the report shows them: numbers packed in binary, everything else as codes into a list of texts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from holonomy.plot.palettes import DISTINCT_CLASSES

MAX_TEXT = 200
"""Longest text of a cell that the page carries, in characters."""

MAX_CLASSES_OF_INTEGERS = 50
"""Integers with at most this many distinct values are classes; with more, a quantity."""

MISSING = "(missing)"


@dataclass(frozen=True, eq=False)
class Column:
    """One value a point, either a quantity or a class.

    Attributes
    ----------
    name : str
        What the page calls it.
    values : ndarray, shape (n,)
        Quantities (float64, int32 or float32; NaN is missing), or codes into ``categories``.
    categories : tuple of str or None
        Texts of the classes, in the order of the legend; None for a quantity.
    """

    name: str
    values: np.ndarray
    categories: tuple[str, ...] | None = None

    @property
    def is_class(self) -> bool:
        """Whether the values are classes rather than a quantity."""
        return self.categories is not None

    @property
    def counts(self) -> np.ndarray:
        """Number of points of each class, in the order of ``categories``."""
        return np.bincount(self.values, minlength=len(self.categories or ()))


def make_column(name: Any, values: Any, n_points: int) -> Column:
    """Build a column from anything that holds one value a point.

    Parameters
    ----------
    name : object
        Its name, shown as text.
    values : array-like of shape (n_points,)
        Numbers, booleans, texts, dates or any objects, which are shown by their ``str``.
    n_points : int
        Number of points.

    Returns
    -------
    Column
        Booleans, texts, and integers of few distinct values are classes; other numbers are quantities.

    Raises
    ------
    ValueError
        If there is not exactly one value a point.

    Examples
    --------
    >>> from holonomy.report.columns import make_column
    >>> make_column("kind", ["b", "a", "b"], 3).categories
    ('a', 'b')
    """
    array = values if isinstance(values, np.ndarray) else _as_array(values)
    if array.shape != (n_points,):
        raise ValueError(f"{name!r} must hold one value for each of the {n_points} points, got shape {array.shape}.")
    if array.dtype.kind in "iu" and len(np.unique(array)) > MAX_CLASSES_OF_INTEGERS:
        return Column(clean_text(name), pack_numbers(array))
    if array.dtype.kind == "f" and not _is_whole_and_few(array):
        return Column(clean_text(name), pack_numbers(array))
    return _class_column(clean_text(name), array)


def number_column(name: Any, values: np.ndarray) -> Column:
    """Build a column of quantities, whatever their number of distinct values."""
    return Column(clean_text(name), pack_numbers(np.asarray(values)))


def pack_numbers(values: np.ndarray) -> np.ndarray:
    """Return the smallest of int32, float32 and float64 that shows ``values`` unchanged to seven digits."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    whole = values.dtype.kind in "iub" or (len(finite) == len(values) and bool((finite == np.round(finite)).all()))
    if whole and (not finite.size or (finite.min() >= -(2**31) and finite.max() < 2**31)):
        return values.astype(np.int32)
    largest = np.abs(finite).max(initial=0.0)
    fits = largest < (1e7 if whole else 1e38)
    return values.astype(np.float32 if fits else np.float64)


def clean_text(value: Any, limit: int = MAX_TEXT) -> str:
    """Return ``value`` as one line of valid Unicode of at most ``limit`` characters."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return MISSING
    text = str(value)[: 4 * limit].encode("utf-8", "replace").decode("utf-8")
    text = " ".join("".join(c if _is_shown(c) else "\ufffd" for c in text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _is_shown(character: str) -> bool:
    """Zero-width joiners belong to words and emoji; other characters that cannot be printed do not."""
    return character.isprintable() or character.isspace() or character in "\u200c\u200d"


def informative(numeric: Mapping[str, np.ndarray], indices: np.ndarray, at_most: int) -> list[str]:
    """Return the names of the numeric columns that neighbours share most, in their own order.

    Parameters
    ----------
    numeric : mapping of str to ndarray of shape (n,)
        The candidates.
    indices : ndarray of int, shape (n, k)
        Neighbours of each point.
    at_most : int
        How many to return; with no more candidates than that, all are.

    Notes
    -----
    A column is ranked by the variance of its mean over each neighbourhood, as a share of its variance: near one where
    it changes slowly over the data (it explains the map), near 1/k where it is noise.
    """
    if len(numeric) <= at_most:
        return list(numeric)
    shared = {}
    for name, values in numeric.items():
        column = np.nan_to_num(np.asarray(values, dtype=np.float64))
        spread = column.var()
        shared[name] = column[indices].mean(axis=1).var() / spread if spread > 0 else 0.0
    best = set(sorted(shared, key=lambda name: -shared[name])[:at_most])
    return [name for name in numeric if name in best]


def _as_array(values: Any) -> np.ndarray:
    if hasattr(values, "to_numpy"):
        return np.asarray(values.to_numpy())
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.asarray(values, dtype=object)
    # NumPy turns a mixed list into texts; as objects the missing ones can still be told.
    return np.asarray(values, dtype=object) if array.dtype.kind in "US" else array


def _is_whole_and_few(array: np.ndarray) -> bool:
    finite = array[np.isfinite(array)]
    if len(finite) < len(array) or not (finite == np.round(finite)).all():
        return False
    return len(np.unique(finite)) <= MAX_CLASSES_OF_INTEGERS


def _class_column(name: str, array: np.ndarray) -> Column:
    if array.dtype.kind == "f":
        array = array.astype(np.int64)
    texts, codes = _unique_texts(array)
    order = _legend_order(texts, np.bincount(codes, minlength=len(texts)))
    rank = np.empty(len(texts), dtype=np.int64)
    rank[order] = np.arange(len(texts))
    dtype = np.uint8 if len(texts) < 2**8 else np.uint16 if len(texts) < 2**16 else np.int32
    return Column(name, rank[codes].astype(dtype), tuple(texts[i] for i in order))


def _unique_texts(array: np.ndarray) -> tuple[list[str], np.ndarray]:
    seen: dict[str, int] = {}
    codes = [seen.setdefault(clean_text(value), len(seen)) for value in array.tolist()]
    return list(seen), np.array(codes, dtype=np.int64)


def _legend_order(texts: list[str], counts: np.ndarray) -> list[int]:
    """Few classes in their natural order (9 before 10), many by frequency, so that the frequent differ in colour."""
    natural = sorted(range(len(texts)), key=lambda i: _natural_key(texts[i]))
    return natural if len(texts) <= DISTINCT_CLASSES else sorted(natural, key=lambda i: -counts[i])


def _natural_key(text: str) -> list[tuple[int, float, str]]:
    parts = re.split(r"(\d+)", text)
    return [(0, float(part[:300]), "") if i % 2 else (1, 0.0, part.casefold()) for i, part in enumerate(parts) if part]
