"""What to cite: every class and function names the papers it rests on, and ``citation`` prints their BibTeX.

A class lists its keys in the class attribute ``_references``; what a fitted object used on top of that (a solver it
chose, a start it fell back to) comes from its method ``_used_references()``. Functions are marked with
``@references("key")``. The entries live in ``references.bib`` beside this file.
"""

import functools
import re
from collections.abc import Callable, Iterable
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])
_ENTRY_START = re.compile(r"@(\w+)\s*\{\s*([^\s,{}]+)\s*,")


def citation(obj: Any) -> str:
    """Return the BibTeX of what ``obj`` rests on.

    Parameters
    ----------
    obj : object, class or function
        Anything of this library: an estimator (fitted or not), a result, a class, a function, or a scikit-learn
        ``Pipeline``, whose steps are united. A fitted object also names what its fit chose to use.

    Returns
    -------
    str
        BibTeX entries separated by blank lines, each once, the object's own paper first.

    Raises
    ------
    TypeError
        If nothing is known to cite for ``obj``.

    Examples
    --------
    >>> from holonomy import citation
    >>> from holonomy.embed import UMAP
    >>> print(citation(UMAP).splitlines()[0])
    @article{mcinnes2018umap,
    """
    keys = reference_keys(obj)
    if not keys:
        name = getattr(obj, "__name__", type(obj).__name__)
        raise TypeError(
            f"obj must be an object, class or function of holonomy (or a Pipeline of such), and {name!r} names no "
            "references."
        )
    return "\n\n".join(bib_entries()[key] for key in keys)


def references(*keys: str) -> Callable[[_Function], _Function]:
    """Mark a function with the BibTeX keys of the papers it rests on.

    Examples
    --------
    >>> from holonomy._core.citations import citation, references
    >>> @references("facco2017estimating")
    ... def two_nearest(): ...
    >>> citation(two_nearest).startswith("@article{facco2017estimating")
    True
    """

    def mark(function: _Function) -> _Function:
        function.__holonomy_references__ = keys  # type: ignore[attr-defined]
        return function

    return mark


def reference_keys(obj: Any) -> tuple[str, ...]:
    """Return the BibTeX keys behind ``obj``, each once, most specific first; empty when it names none."""
    if not isinstance(obj, type) and hasattr(obj, "named_steps"):
        return _unique(key for step in obj.named_steps.values() for key in reference_keys(step))
    keys: list[str] = list(getattr(obj, "__holonomy_references__", ()))
    for base in (obj if isinstance(obj, type) else type(obj)).__mro__:
        keys += vars(base).get("_references", ())
    if not isinstance(obj, type) and hasattr(obj, "_used_references"):
        keys += obj._used_references()
    return _unique(keys)


@functools.cache
def bib_entries() -> MappingProxyType[str, str]:
    """Return the shipped bibliography: key to BibTeX entry."""
    text = resources.files("holonomy._core").joinpath("references.bib").read_text(encoding="utf-8")
    return MappingProxyType(read_bib(text))


def read_bib(text: str) -> dict[str, str]:
    """Split BibTeX into its entries.

    Parameters
    ----------
    text : str
        The content of a ``.bib`` file. Text between entries is a comment.

    Returns
    -------
    dict
        Key to the entry as written, in the file's order.

    Raises
    ------
    ValueError
        If braces do not balance or a key comes twice.

    Examples
    --------
    >>> from holonomy._core.citations import read_bib
    >>> read_bib("@misc{a1, title = {T}}")
    {'a1': '@misc{a1, title = {T}}'}
    """
    entries: dict[str, str] = {}
    position = 0
    while match := _ENTRY_START.search(text, position):
        key = match.group(2)
        if key in entries:
            raise ValueError(f"The BibTeX key {key!r} comes twice.")
        position = _end_of_entry(text, match.start(), key)
        entries[key] = text[match.start() : position]
    return entries


def _end_of_entry(text: str, start: int, key: str) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0 and text[position] == "}":
            return position + 1
    raise ValueError(f"The braces of the BibTeX entry {key!r} do not balance.")


def _unique(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(keys))
