"""What the shell offers when the tabulator key is pressed."""

import glob
import os
from collections.abc import Iterator

METHODS = (
    "diffusionmaps",
    "heatgeodesic",
    "isomap",
    "laplacianeigenmaps",
    "mds",
    "parametricumap",
    "pca",
    "phate",
    "umap",
)
"""The methods that can map, which a shell should not have to import to name them."""

FORMATS = ("csv", "tsv", "txt", "parquet", "npy", "npz", "mtx", "jsonl", "ndjson", "h5ad")


def complete_data(incomplete: str) -> Iterator[str]:
    """Offer files and folders, then the names of data sets."""
    for path in sorted(glob.glob(f"{glob.escape(incomplete)}*")):
        yield f"{path}{os.sep}" if os.path.isdir(path) else path
    from holonomy.datasets._registry import names

    yield from (name for name in names() if name.startswith(incomplete))


def complete_method(incomplete: str) -> Iterator[str]:
    """Offer the methods that can map."""
    yield from (name for name in METHODS if name.startswith(incomplete.lower()))


def complete_methods(incomplete: str) -> Iterator[str]:
    """Offer a further method behind those that are there, with commas between them."""
    known, comma, last = incomplete.rpartition(",")
    taken = {name.strip().lower() for name in known.split(",")}
    yield from (f"{known}{comma}{name}" for name in complete_method(last.strip()) if name not in taken)


def complete_checks(incomplete: str) -> Iterator[str]:
    """Offer what may be checked."""
    yield from (name for name in ("auto", "all", "none") if name.startswith(incomplete))


def complete_format(incomplete: str) -> Iterator[str]:
    """Offer the formats of files."""
    yield from (name for name in FORMATS if name.startswith(incomplete))
