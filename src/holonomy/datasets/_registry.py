"""What `load` knows: every data set and every file, read from ``_registry.toml``."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

EMBEDDED = ("breast_cancer", "diabetes", "digits", "iris", "wine")
"""Sets that scikit-learn carries."""


@dataclass(frozen=True)
class DataFile:
    """A file that holds data: where it lies under a mirror or the cache folder, its checksum, and where it comes from.

    Without ``urls`` no public file has this checksum, and ``origin`` says what it was made from. ``installed`` is an
    absolute path, or ``package:path``, at which other software may already have put the file.
    """

    path: str
    sha256: str
    urls: tuple[str, ...] = ()
    origin: str = ""
    installed: str = ""


@dataclass(frozen=True)
class DataSet:
    """A data set: its reader, its files (or those of each split, the first split being the default) and its story."""

    name: str
    reader: str
    title: str
    source: str
    licence: str
    citation: str
    description: str = ""
    files: tuple[str, ...] = ()
    splits: dict[str, list[str]] = field(default_factory=dict)
    classes: list[str] | dict[str, str] = field(default_factory=list)
    target: str = ""

    @property
    def descr(self) -> str:
        """What the data are, where they come from and how to cite them."""
        parts = [f"{self.title}.", self.description, f"Source: {self.source}.", f"Licence: {self.licence}."]
        return "\n\n".join([*filter(None, parts), f"Citation: {self.citation}"])


@cache
def _registry() -> tuple[dict[str, DataSet], dict[str, DataFile]]:
    content = tomllib.loads(Path(__file__).with_name("_registry.toml").read_text(encoding="utf-8"))
    files = {path: DataFile(path, **{**entry, "urls": tuple(entry["urls"])}) for path, entry in content["file"].items()}
    sets = {
        name: DataSet(name, **{**entry, "files": tuple(entry.get("files", ()))})
        for name, entry in content["set"].items()
    }
    return sets, files


def data_sets() -> dict[str, DataSet]:
    """Return the data sets by name."""
    return _registry()[0]


def names() -> tuple[str, ...]:
    """Return the names that `load` knows, in alphabetical order.

    Examples
    --------
    >>> from holonomy import datasets
    >>> "digits" in datasets.names()
    True
    """
    return tuple(sorted({*EMBEDDED, *data_sets()}))


def data_file(path: str) -> DataFile:
    """Return the file that lies at ``path`` under the mirror or the cache folder."""
    return _registry()[1][path]
