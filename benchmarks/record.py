"""What every recorded number carries: the machine, sane digits, and a table in Markdown."""

import importlib.metadata
import json
import math
import os
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_PACKAGE = "holonomy"


def machine(distributions: Iterable[str]) -> dict[str, Any]:
    """Describe the machine and the versions of ``distributions``, without anything that names the host."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return {
        "cpu": _cpu_model(),
        "cores": cores,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in sorted(set(distributions), key=str.lower)},
    }


def loaded_distributions() -> list[str]:
    """Return holonomy and which of the packages it declares, peers included, this process has imported."""
    declared = {_normal(re.match(r"[\w.-]+", line)[0]) for line in _requirements()}
    modules = importlib.metadata.packages_distributions()
    loaded = {name for module in sys.modules for name in modules.get(module, ()) if _normal(name) in declared}
    return [_PACKAGE, *loaded]


def rounded(value: Any, digits: int = 5) -> Any:
    """Round the numbers in nested lists and dicts to ``digits`` significant digits; NaN and infinity become None."""
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item, digits) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return float(f"{float(value):.{digits}g}") if math.isfinite(value) else None


def short(value: float | None, digits: int = 4) -> str:
    """Write a number for a table: about ``digits`` significant digits, no exponent in the usual range."""
    if value is None:
        return "–"
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        decimals = digits - 1 - (math.floor(math.log10(abs(value))) if value else 0)
        text = f"{value:.{max(decimals, 0)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{value:.{digits - 1}g}"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay out a table in Markdown; pipes and line breaks in cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write ``content`` as readable JSON, creating the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _requirements() -> list[str]:
    """Return the requirements of holonomy without those that only its development needs."""
    required = importlib.metadata.requires(_PACKAGE) or []
    return [line for line in required if not re.search(r"extra == .(test|dev).", line)]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return found.group(1).strip() if found else platform.processor() or platform.machine()
