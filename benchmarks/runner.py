"""Run a benchmark: every contender as whole processes that take turns, first with cold caches, then with warm ones."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness import Benchmark, load_benchmark
from benchmarks.record import machine, rounded

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
RESULTS = FOLDER / "results"
_SHARED_PACKAGES = ("numba", "numpy", "scipy", "scikit-learn")


@dataclass(frozen=True)
class Usage:
    """What one process took and printed."""

    wall_s: float
    cpu_s: float
    found: dict[str, Any]


Report = Callable[[str, str, Usage], None]
"""Called with the contender, the state of its caches and the usage after each process."""


def benchmark_files(folder: Path = FOLDER) -> dict[str, Path]:
    """Return the benchmark files by name: those that define ``BENCHMARK``."""
    return {
        path.stem: path
        for path in sorted(folder.glob("*.py"))
        if re.search(r"^BENCHMARK\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def run_benchmark(
    path: Path,
    repeats: int = 3,
    calls: bool = True,
    cold: bool = True,
    timeout_s: float = 3600,
    report: Report | None = None,
) -> dict[str, Any]:
    """Measure the contenders of one benchmark file.

    Parameters
    ----------
    path : Path
        The file that defines ``BENCHMARK``.
    repeats : int
        Warm processes of each contender, and warm calls.
    calls : bool
        Whether to time repeated calls inside one process too.
    cold : bool
        Whether to run each contender with empty caches first; if not, it uses the caches that the machine has.
    timeout_s : float
        Longest time for one process.
    report : callable, optional
        Called with the contender, "cold" or "warm", and the usage after each process.

    Returns
    -------
    dict
        The content of a result file.

    Raises
    ------
    RuntimeError
        If a process fails or takes too long; the message ends with what it printed.
    """
    benchmark = load_benchmark(path)
    with tempfile.TemporaryDirectory() as folder:
        arena = _Arena(path, benchmark, Path(folder), cold, timeout_s, report or (lambda *_: None))
        arena.step("prepare")
        for one in benchmark.contenders if cold else ():
            arena.measure(one.name, "cold")
        for _ in range(repeats):
            for one in benchmark.contenders:
                arena.measure(one.name, "warm")
        if calls:
            for one in benchmark.contenders:
                arena.records[one.name]["call_s"] = arena.step("calls", one.name, str(repeats)).found["call_s"]
    packages = {one.package for one in benchmark.contenders}
    return {
        "name": path.stem,
        "title": benchmark.title,
        "repeats": repeats,
        "machine": machine(packages | set(_SHARED_PACKAGES)),
        "contenders": rounded(list(arena.records.values()), 4),
    }


class _Arena:
    """One folder of data, one numba cache for each contender, and the numbers so far."""

    def __init__(
        self, path: Path, benchmark: Benchmark, folder: Path, cold: bool, timeout_s: float, report: Report
    ) -> None:
        self.path, self.benchmark, self.folder, self.cold = path, benchmark, folder, cold
        self.timeout_s, self.report = timeout_s, report
        self.records: dict[str, dict[str, Any]] = {
            one.name: {"name": one.name, "package": one.package, "cold_s": None,
                       "wall_s": [], "cpu_s": [], "peak_mib": [], "quality": {}}
            for one in benchmark.contenders
        }  # fmt: skip

    def measure(self, name: str, caches: str) -> None:
        """Run one whole process of a contender; the first one fills its caches and only its time is kept."""
        record = self.records[name]
        usage = self.step("process", name, seed=len(record["wall_s"]))
        self.report(name, caches, usage)
        if caches == "cold":
            record["cold_s"] = usage.wall_s
            return
        record["wall_s"].append(usage.wall_s)
        record["cpu_s"].append(usage.cpu_s)
        record["peak_mib"].append(usage.found["peak_mib"])
        if self.benchmark.judge:
            for measure, value in self.step("judge").found.items():
                record["quality"].setdefault(measure, []).append(value)

    def step(self, *arguments: str, seed: int = 0) -> Usage:
        """Run one step in a fresh interpreter."""
        command = [sys.executable, "-m", "benchmarks.child", str(self.path.resolve()), *arguments]
        contender = arguments[1] if len(arguments) > 1 else "none"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "BENCHMARK_SEED": str(seed)}
        if self.cold:
            environment["NUMBA_CACHE_DIR"] = str(self.folder / f"numba cache of {contender}")
        return run_process(command, cwd=self.folder, environment=environment, timeout_s=self.timeout_s)


def run_process(command: Sequence[str], *, cwd: Path, environment: dict[str, str], timeout_s: float) -> Usage:
    """Run a process to its end and return its wall time, its CPU time and the JSON on its last line."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=errors)
        alarm = threading.Timer(timeout_s, process.kill)
        alarm.start()
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        alarm.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        printed = output.read().strip()
        if process.returncode:
            what = f"took longer than {timeout_s:g} s" if wall_s >= timeout_s else f"exited with {process.returncode}"
            tail = "\n".join(errors.read().strip().splitlines()[-15:])
            raise RuntimeError(f"{' '.join(command[2:])} {what}.\n{tail}")
    return Usage(wall_s, used.ru_utime + used.ru_stime, json.loads(printed.splitlines()[-1]))
