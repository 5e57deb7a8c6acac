"""The published systems this library brings together: what each is, where it lives, and what its experiments found."""

import functools
import json
import tomllib
import unicodedata
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class System:
    """One published system.

    Attributes
    ----------
    number : int
        Its number everywhere in the project, 1 to 119.
    title : str
        Title of the publication.
    room : str
        The subpackage it belongs to, such as ``"embed"``; empty where that is not settled.
    objects : tuple of str
        Dotted public names that hold it, such as ``"holonomy.embed.UMAP"``; empty while it is absent.
    claim : str
        Name of its experiment file in ``claims/`` without ``.py``; empty where there is none.
    state : str
        ``"absent"``, ``"built"``, or, where results of its experiments are at hand, ``"holds"`` (every check),
        ``"partly"`` or ``"fails"`` (none).

    Examples
    --------
    >>> from holonomy import catalogue
    >>> umap = catalogue.find(7)[0]
    >>> umap.number, umap.room
    (7, 'embed')
    """

    number: int
    title: str
    room: str
    objects: tuple[str, ...]
    claim: str
    state: str


def systems(results: Path | None = None) -> tuple[System, ...]:
    """Return all systems, by number.

    Parameters
    ----------
    results : Path, optional
        Folder with one result file ``NNN.json`` for each system whose experiments were run. Without it the state of
        a system is ``"absent"`` or ``"built"``.

    Raises
    ------
    ValueError
        If ``results`` is not a folder.

    Examples
    --------
    >>> from holonomy import catalogue
    >>> catalogue.systems()[6].objects
    ('holonomy.embed.UMAP',)
    """
    if results is None:
        return _shipped()
    if not Path(results).is_dir():
        raise ValueError(f"results must be an existing folder, got {str(results)!r}.")
    return tuple(_with_verdict(system, Path(results)) for system in _shipped())


def find(query: str | int = "", results: Path | None = None) -> tuple[System, ...]:
    """Return the systems that match a query.

    Parameters
    ----------
    query : str or int
        A number, or words that must all occur in the title, the objects or the room. Case and accents do not matter.
        An empty query matches everything.
    results : Path, optional
        As in :func:`systems`.

    Returns
    -------
    tuple of System
        By number; empty where nothing matches.

    Examples
    --------
    >>> from holonomy import catalogue
    >>> [system.number for system in catalogue.find("poincare")]
    [33]
    >>> catalogue.find("007")[0].claim
    '007_umap'
    """
    text = str(query).strip()
    if text.isdecimal():
        return tuple(system for system in systems(results) if system.number == int(text))
    words = _plain(text).split()
    return tuple(system for system in systems(results) if all(word in _searched(system) for word in words))


@functools.cache
def _shipped() -> tuple[System, ...]:
    text = resources.files("holonomy").joinpath("catalogue.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["system"]
    return tuple(System(**{**row, "objects": tuple(row["objects"])}) for row in rows)


def _with_verdict(system: System, results: Path) -> System:
    path = results / f"{system.number:03d}.json"
    if system.state == "absent" or not path.exists():
        return system
    verdicts = [check["holds"] for check in json.loads(path.read_text(encoding="utf-8"))["checks"]]
    return replace(system, state="holds" if all(verdicts) else "partly" if any(verdicts) else "fails")


def _searched(system: System) -> str:
    return _plain(" ".join([system.title, system.room, *system.objects]))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
