"""What the shell offers when the tabulator key is pressed."""

import glob
import os
from collections.abc import Iterator


def complete_data(incomplete: str) -> Iterator[str]:
    """Offer files and folders, then the names of data sets."""
    for path in sorted(glob.glob(f"{glob.escape(incomplete)}*")):
        yield f"{path}{os.sep}" if os.path.isdir(path) else path
    from holonomy.datasets import names

    yield from (name for name in names() if name.startswith(incomplete))


def complete_method(incomplete: str) -> Iterator[str]:
    """Offer the methods that can map."""
    from holonomy.embed._methods import method_names

    yield from (name for name in method_names() if name.startswith(incomplete.lower()))
