"""Optional packages: imported where they are needed, missing with a message that says what to install."""

import importlib
from types import ModuleType


def import_optional(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import ``module`` or say what it is needed for and how to install it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        The extra of this package that installs it, as in ``pip install "holonomy[bio]"``.
    purpose : str
        What the caller wanted to do, completing "... is needed to".

    Raises
    ------
    ImportError
        If the package that holds ``module`` is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        raise ImportError(
            f"The package {package!r} is needed to {purpose}. Install it with: pip install 'holonomy[{extra}]'"
        ) from error
