"""What a benchmark file is written with: contenders that are functions of the same data, and a judge of their results.

A file ``benchmarks/NAME.py`` defines ``BENCHMARK``. Every contender runs in a process of its own, in a folder that
``prepare`` has filled, so nothing here or at the top of a benchmark file may import what a contender pays for.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Contender:
    """One way to do the work.

    Attributes
    ----------
    name : str
        How tables call it.
    package : str
        The distribution whose version is recorded.
    call : callable
        From the loaded data to the result. It imports what it needs, so that a process pays for its imports.
    """

    name: str
    package: str
    call: Callable[[Any], Any]


@dataclass(frozen=True)
class Benchmark:
    """Contenders that do the same work on the same data.

    Attributes
    ----------
    title : str
        What is done to what, with its size.
    contenders : tuple of Contender
        Ours first: the others are reported as multiples of it.
    prepare : callable
        Writes the data into the current folder; runs once, unmeasured.
    load : callable
        Reads the data back; part of what is measured.
    judge : callable, optional
        From the result of any contender to numbers by name; runs unmeasured, by the same code for all.
    remark : callable, optional
        From the contenders' records to what else there is to say under the table: what bounds the time, and how far
        from that bound it is.
    """

    title: str
    contenders: tuple[Contender, ...]
    prepare: Callable[[], None]
    load: Callable[[], Any]
    judge: Callable[[Any], dict[str, float]] | None = None
    remark: Callable[[list[dict[str, Any]]], str] | None = None

    def contender(self, name: str) -> Contender:
        """Return the contender of this name."""
        return next(one for one in self.contenders if one.name == name)


def seed() -> int:
    """Return the seed of this process: the number of the repeat, so that the judge sees several maps."""
    return int(os.environ.get("BENCHMARK_SEED", "0"))


def load_benchmark(path: Path) -> Benchmark:
    """Import a benchmark file and return its ``BENCHMARK``.

    Raises
    ------
    ValueError
        If it defines none, or two contenders of the same name.
    """
    spec = importlib.util.spec_from_file_location(f"benchmarks.{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    benchmark = getattr(module, "BENCHMARK", None)
    if not isinstance(benchmark, Benchmark):
        raise ValueError(f"{path} defines no BENCHMARK.")
    if len({one.name for one in benchmark.contenders}) < len(benchmark.contenders):
        raise ValueError(f"{path} names two contenders the same.")
    return benchmark
