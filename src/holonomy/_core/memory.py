"""Memory: how much there is, and refusing before the start what would not fit."""

import os
from pathlib import Path

LIMIT_VARIABLE = "HOLONOMY_MEMORY_LIMIT"
"""Environment variable with the most bytes a computation may ask for, such as ``8GiB``; unset, what is available."""

UNITS = {"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}

CGROUP_LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def available_memory() -> int | None:
    """Return the bytes that this process can still take, or None where the system does not say.

    The least of what the system has free without swapping, what a container leaves, and ``HOLONOMY_MEMORY_LIMIT``.

    Raises
    ------
    ValueError
        If ``HOLONOMY_MEMORY_LIMIT`` is no amount of memory.

    Examples
    --------
    >>> from holonomy._core.memory import available_memory
    >>> available = available_memory()
    >>> available is None or available > 0
    True
    """
    amounts = [_system_memory(), *(_container_memory(*files) for files in CGROUP_LIMITS)]
    given = os.environ.get(LIMIT_VARIABLE)
    if given:
        amounts.append(_parsed(given))
    known = [amount for amount in amounts if amount is not None]
    return min(known) if known else None


def check_memory(needed: float, purpose: str, advice: str) -> None:
    """Refuse a computation that would need more memory than there is, before it starts.

    Parameters
    ----------
    needed : float
        Bytes that it will take at its peak, beyond what is taken now.
    purpose : str
        What is to be done, completing "... needs about".
    advice : str
        What the caller can do instead, a sentence.

    Raises
    ------
    MemoryError
        With both amounts and the advice.

    Examples
    --------
    >>> from holonomy._core.memory import check_memory
    >>> check_memory(1e3, "a thousand numbers", "Take fewer.")
    """
    available = available_memory()
    if available is not None and needed > available:
        amounts = f"about {amount_of_memory(needed)}, and {amount_of_memory(available)} are available"
        raise MemoryError(f"{purpose} needs {amounts}. {advice}")


def amount_of_memory(n_bytes: float) -> str:
    """Write a number of bytes for people.

    Examples
    --------
    >>> from holonomy._core.memory import amount_of_memory
    >>> amount_of_memory(3 * 2**30), amount_of_memory(1500)
    ('3.0 GiB', '1.5 KiB')
    """
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if n_bytes < 1024:
            return f"{n_bytes:.0f} bytes" if unit == "bytes" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1024
    return f"{n_bytes:.1f} TiB"


def _system_memory() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _container_memory(limit: str, usage: str) -> int | None:
    """Bytes that a container leaves; None where there is no limit."""
    try:
        return max(int(Path(limit).read_text()) - int(Path(usage).read_text()), 0)
    except (OSError, ValueError):
        return None


def _parsed(given: str) -> int:
    text = given.strip().upper()
    for unit, size in UNITS.items():
        if text.endswith(unit):
            text, factor = text[: -len(unit)], size
            break
    else:
        factor = 1
    try:
        return int(float(text) * factor)
    except ValueError:
        raise ValueError(f"{LIMIT_VARIABLE} must be an amount such as 8GiB, got {given!r}.") from None
