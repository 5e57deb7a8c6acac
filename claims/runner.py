"""Find claim files, run them, and keep what they found."""

import importlib.util
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.record import loaded_distributions, machine, rounded
from claims.experiment import Check, verdict
from holonomy import catalogue

CLAIMS = Path(__file__).parent
RESULTS = CLAIMS / "results"

Report = Callable[[Check, dict[str, Any]], None]


def claim_files(folder: Path = CLAIMS) -> dict[int, Path]:
    """Return the claim file of every system that has one."""
    return {int(path.name[:3]): path for path in sorted(folder.glob("[0-9][0-9][0-9]_*.py"))}


def result_file(number: int, folder: Path = RESULTS) -> Path:
    """Return where the result of a system is kept."""
    return folder / f"{number:03d}.json"


def load_checks(path: Path) -> tuple[Check, ...]:
    """Import a claim file and return its checks in the order they are written.

    Raises
    ------
    ValueError
        If it declares no check, or two of the same name.
    """
    spec = importlib.util.spec_from_file_location(f"claims.{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    checks = tuple(value for value in vars(module).values() if isinstance(value, Check))
    if not checks:
        raise ValueError(f"{path} declares no check.")
    if len({one.name for one in checks}) < len(checks):
        raise ValueError(f"{path} declares two checks of the same name.")
    return checks


def run_claim(
    path: Path, seeds: Sequence[int] | None = None, only: str | None = None, report: Report | None = None
) -> dict[str, Any]:
    """Run the checks of one claim file.

    Parameters
    ----------
    path : Path
        ``claims/NNN_slug.py``.
    seeds : sequence of int, optional
        Run these seeds instead of each check's own.
    only : str, optional
        Run only the check of this name.
    report : callable, optional
        Called with each check and its record as soon as it is done.

    Returns
    -------
    dict
        The content of a result file.
    """
    system = catalogue.find(int(path.name[:3]))[0]
    checks = [one for one in load_checks(path) if only is None or one.name == only.replace("_", " ")]
    if not checks:
        raise ValueError(f"{path.name} has no check named {only!r}.")
    records = []
    start = time.perf_counter()
    for one in checks:
        records.append(run_check(one, seeds))
        if report:
            report(one, records[-1])
    seconds = rounded(time.perf_counter() - start, 3)
    return {
        "number": system.number,
        "title": system.title,
        "seconds": seconds,
        "machine": machine(loaded_distributions()),
        "checks": records,
    }


def run_check(one: Check, seeds: Sequence[int] | None = None) -> dict[str, Any]:
    """Run one check over its seeds; an exception is shown, recorded under ``"crashed"``, and never satisfies it."""
    used = list(one.seeds if seeds is None else seeds)
    numbers: list[tuple[Any, Any]] = [(None, None)] * len(used)
    crashes: list[str] = []
    for position, seed in enumerate(used):
        with _recording(crashes, f"seed {seed}"):
            outcome = one(seed)
            numbers[position] = (rounded(outcome.measured), rounded(outcome.baseline))
    measured, baseline = ([pair[side] for pair in numbers] for side in (0, 1))
    holds = False
    if not crashes:
        with _recording(crashes, "inequality"):
            holds = verdict(one.inequality, measured, baseline)
    record = {"name": one.name, "statement": one.statement, "inequality": one.inequality}
    record |= {"measured": measured, "baseline": baseline, "seeds": used, "holds": holds}
    if crashes:
        record["crashed"] = crashes
    if one.reason and not holds:
        record["reason"] = one.reason
    return record


@contextmanager
def _recording(crashes: list[str], where: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        traceback.print_exc()
        crashes.append(f"{where}: {type(error).__name__}: {error}")
