"""Checkpoints: the state of a run in one file, written whole or not at all, and read without running any code."""

import os
import re
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from holonomy._core.files import replacing

FORMAT = "holonomy training checkpoint"
VERSION = 1

_NAME = re.compile(r"step-(\d+)\.pt")


def checkpoint_path(folder: Path, step: int) -> Path:
    """Return the file that holds the state after ``step`` steps."""
    return folder / f"step-{step:09d}.pt"


def list_checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """Return (step, file) of the checkpoints in ``folder``, oldest first; none when there is no such folder."""
    if not folder.is_dir():
        return []
    found = [(_NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    return sorted((int(match[1]), path) for match, path in found if match)


def save_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Write ``state`` to ``path`` so that a crash leaves either the old file or the new one.

    Raises
    ------
    TypeError
        If ``state`` holds anything but tensors, numbers, text, and dicts, lists and tuples of these.
    """
    content = {"format": FORMAT, "version": VERSION, "state": as_plain(state, "state")}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, part.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())  # Else a power cut may keep the new name and lose what it holds.


def load_checkpoint(path: str | os.PathLike[str]) -> tuple[Path, dict[str, Any]]:
    """Read a checkpoint file, or the newest in a folder.

    Returns
    -------
    path : Path
        The file.
    state : dict
        What was saved, with its tensors on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no checkpoint in the folder.
    ValueError
        If the file is damaged, is no checkpoint, or has a format that this version does not read.
    """
    path = Path(path)
    if path.is_dir():
        found = list_checkpoints(path)
        if not found:
            raise FileNotFoundError(f"resume_from={str(path)!r} holds no checkpoint (files named step-N.pt).")
        path = found[-1][1]
    if not path.is_file():
        raise FileNotFoundError(f"resume_from={str(path)!r} does not exist.")
    try:
        _check_sums(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # Many kinds: of zip, of pickle, of torch.
        raise ValueError(
            f"resume_from={str(path)!r} cannot be read as a checkpoint: the file is damaged, incomplete or something "
            f"else, or holds objects other than tensors and plain values ({type(error).__name__})."
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"resume_from={str(path)!r} is not a {FORMAT}.")
    if content.get("version") != VERSION:
        raise ValueError(
            f"resume_from={str(path)!r} has version {content.get('version')!r}, but this version of holonomy reads "
            f"version {VERSION}; resume with the version that wrote it."
        )
    return path, content["state"]


def _check_sums(path: Path) -> None:
    """Compare every part of the file with its checksum, which torch writes but does not read."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(f"wrong checksum of {damaged}")


def keep_newest(folder: Path, keep: int | None) -> None:
    """Remove all but the ``keep`` newest checkpoints; None keeps all."""
    for _, path in list_checkpoints(folder)[: -keep if keep else 0]:
        path.unlink()


def as_plain(value: Any, name: str) -> Any:
    """Return ``value`` as something that is written and read back without running code; NumPy scalars become Python's.

    Raises
    ------
    TypeError
        Naming where in ``value`` something else is found.
    """
    if isinstance(value, Mapping):
        kind = OrderedDict if isinstance(value, OrderedDict) else dict
        plain = kind((key, as_plain(item, f"{name}[{key!r}]")) for key, item in value.items())
        if hasattr(value, "_metadata"):  # The versions that modules give their own state.
            plain._metadata = value._metadata  # type: ignore[attr-defined]
        return plain
    if isinstance(value, list | tuple):
        items = [as_plain(item, f"{name}[{index}]") for index, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, Tensor) or type(value) in (bool, int, float, complex, str):
        return value
    raise TypeError(
        f"A checkpoint holds tensors, numbers, text and dicts and lists of these, but {name} is a "
        f"{type(value).__name__}; leave it out of state_dict() and rebuild it on construction."
    )
