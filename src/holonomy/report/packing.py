"""The data of a page as one binary bundle: a JSON header and columns of numbers, compressed together.

Layout, before gzip and base64: the length of the header (uint32, little endian), the header as JSON in UTF-8, and the
bytes of the columns one after the other. Numbers of several bytes are stored by planes (all first bytes, then all
second bytes, ...), which compress far better. The header lists each column under ``columns`` with its ``offset`` into
the bytes, ``kind`` (``u1``, ``u2``, ``i4``, ``f4``, ``f8``), ``length``, and ``low`` and ``step`` where whole numbers
stand for quantities: value = low + step * code, the largest code being a missing value.
"""

import base64
import gzip
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

KINDS = ("u1", "u2", "i4", "f4", "f8")

LEVEL = 6
"""Of gzip: higher ones save less than a hundredth and take several times as long."""

SIGNIFICANT_BITS = 17
"""Of the fraction of a float32: five digits, one more than the page shows."""


class Bundle:
    """Columns that are added one by one, and packed together with a header.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.report.packing import Bundle, unpack
    >>> bundle = Bundle()
    >>> bundle.add("a", np.array([1, 2, 3], dtype=np.int32))
    >>> header, columns = unpack(bundle.packed({"title": "three"}))
    >>> header["title"], columns["a"].tolist()
    ('three', [1, 2, 3])
    """

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Any]] = {}
        self._bytes: list[bytes] = []
        self._size = 0

    def add(self, name: str, values: np.ndarray, **details: float) -> None:
        """Add a column of one of `KINDS`; ``details`` go to its entry in the header."""
        kind = f"{values.dtype.kind}{values.dtype.itemsize}"
        if kind not in KINDS:
            raise TypeError(f"values must be of kind {', '.join(KINDS)}, got {kind} for {name!r}.")
        little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        planes = little.view(np.uint8).reshape(len(values), values.itemsize).T.tobytes()
        self._entries[name] = {"offset": self._size, "kind": kind, "length": len(values), **details}
        self._bytes.append(planes)
        self._size += len(planes)

    def add_quantity(self, name: str, values: np.ndarray) -> None:
        """Add quantities to five digits; NaN is missing."""
        self.add(name, values if values.dtype.kind in "iu" or values.itemsize == 8 else rounded(values))

    def add_coded(self, name: str, values: np.ndarray, n_bytes: int, limits: tuple[float, float] | None = None) -> None:
        """Add quantities as 2^(8 n_bytes) - 1 equal steps over their range (or ``limits``); NaN is missing."""
        finite = values[np.isfinite(values)]
        low, high = limits or ((float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0))
        missing = 2 ** (8 * n_bytes) - 1
        step = (high - low) / (missing - 1) or 1.0
        codes = np.clip(np.round((np.nan_to_num(values) - low) / step), 0, missing - 1)
        codes[~np.isfinite(values)] = missing
        self.add(name, codes.astype(np.uint8 if n_bytes == 1 else np.uint16), low=low, step=step)

    def packed(self, header: Mapping[str, Any]) -> str:
        """Return header and columns in base64, which holds no character of markup."""
        text = json.dumps(
            {**header, "columns": self._entries}, separators=(",", ":"), allow_nan=False, ensure_ascii=False
        )
        encoded = text.encode("utf-8")
        content = b"".join([struct.pack("<I", len(encoded)), encoded, *self._bytes])
        return base64.b64encode(gzip.compress(content, LEVEL, mtime=0)).decode("ascii")


def rounded(values: np.ndarray) -> np.ndarray:
    """Return float32 values rounded to `SIGNIFICANT_BITS` of their fraction, so that the last bytes compress."""
    dropped = 23 - SIGNIFICANT_BITS
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32).astype(np.uint64)
    kept = ((bits + (1 << (dropped - 1))) >> dropped << dropped).astype(np.uint32).view(np.float32)
    return np.where(np.isfinite(values), kept, values).astype(np.float32)


def unpack(text: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the header and the columns of a bundle, as the page reads them; coded quantities as numbers."""
    content = gzip.decompress(base64.b64decode(text))
    (length,) = struct.unpack_from("<I", content)
    header = json.loads(content[4 : 4 + length])
    columns = {}
    for name, entry in header.pop("columns").items():
        dtype = np.dtype(f"<{entry['kind']}")
        start = 4 + length + entry["offset"]
        planes = np.frombuffer(content, np.uint8, entry["length"] * dtype.itemsize, start)
        values = np.ascontiguousarray(planes.reshape(dtype.itemsize, entry["length"]).T).view(dtype).ravel()
        if "step" in entry:
            missing = 2 ** (8 * dtype.itemsize) - 1
            values = np.where(values == missing, np.nan, entry["low"] + entry["step"] * values)
        columns[name] = values
    return header, columns
