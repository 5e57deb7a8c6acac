"""Tables of the benchmark results, for the terminal and for the documentation, and whether those are in step."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks.harness import load_benchmark
from benchmarks.record import markdown_table, read_json, short
from benchmarks.runner import FOLDER, RESULTS, benchmark_files

PAGE = FOLDER.parent / "docs" / "benchmarks.md"
_HEADER = ("contender", "version", "process (s)", "first run (s)", "call (s)", "CPU (s)", "peak (MiB)")


def rich_table(result: dict[str, Any]) -> Table:
    """Return a result as a table for the terminal."""
    table = Table(title=result["title"])
    for name in header(result):
        table.add_column(name)
    for row in rows(result):
        table.add_row(*row)
    return table


def header(result: dict[str, Any]) -> tuple[str, ...]:
    """Return the column names: time and memory, then the judge's numbers."""
    return (*_HEADER, *result["contenders"][0]["quality"])


def rows(result: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Return a row of medians for each contender; times of the others also as multiples of the first one's."""
    ours = result["contenders"][0]
    for record in result["contenders"]:
        yield (
            record["name"],
            result["machine"]["versions"][record["package"]],
            _time(record, ours, "wall_s"),
            _time(record, ours, "cold_s"),
            _time(record, ours, "call_s"),
            short(_middle(record["cpu_s"]), 3),
            short(_middle(record["peak_mib"]), 3),
            *(short(_middle(values)) for values in record["quality"].values()),
        )


def page(results: Path = RESULTS, folder: Path = FOLDER) -> str:
    """Return the text of ``docs/benchmarks.md``."""
    parts = [
        "# Benchmarks\n\n"
        "Every contender runs as whole processes that take turns on one machine: import, load, compute. *process*\n"
        "has warm caches; *first run* starts from an empty cache of compiled code; *call* is a further call in a\n"
        "process that has made one. Numbers are medians; a multiple in brackets is of the first row. The last columns\n"
        "judge the results by the same code for all. Made by `python -m benchmarks table --write` from\n"
        "`benchmarks/results/`; `python -m benchmarks run NAME` measures again."
    ]
    files = benchmark_files(folder)
    for path in sorted(results.glob("*.json")):
        result = read_json(path)
        parts += [f"## {result['title']}", _circumstances(result), markdown_table(header(result), rows(result))]
        remark = load_benchmark(files[path.stem]).remark if path.stem in files else None
        if remark:
            parts.append(remark(result["contenders"]))
    return "\n\n".join(parts) + "\n"


def problems(results: Path = RESULTS, page_file: Path = PAGE, folder: Path = FOLDER) -> list[str]:
    """Return what is out of step between benchmark files, results and the page; empty when nothing is."""
    found = []
    files = benchmark_files(folder)
    for name, path in files.items():
        kept = results / f"{name}.json"
        if not kept.exists():
            found.append(f"{path.name} has no result: run `python -m benchmarks run {name}`.")
        elif _names(read_json(kept)) != [one.name for one in load_benchmark(path).contenders]:
            found.append(f"{path.name} has other contenders than its result; run it again.")
    found += [
        f"{kept.name} belongs to no benchmark." for kept in sorted(results.glob("*.json")) if kept.stem not in files
    ]
    if not page_file.exists() or page_file.read_text(encoding="utf-8") != page(results, folder):
        found.append(f"docs/{page_file.name} is out of step: run `python -m benchmarks table --write`.")
    return found


def write(results: Path = RESULTS, page_file: Path = PAGE, folder: Path = FOLDER) -> None:
    """Write the page."""
    page_file.parent.mkdir(parents=True, exist_ok=True)
    page_file.write_text(page(results, folder), encoding="utf-8")


def _names(result: dict[str, Any]) -> list[str]:
    return [record["name"] for record in result["contenders"]]


def _circumstances(result: dict[str, Any]) -> str:
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']} GiB, {machine['system']}, "
        f"Python {machine['python']}; {versions}. {result['repeats']} repeats."
    )


def _time(record: dict[str, Any], ours: dict[str, Any], key: str) -> str:
    seconds, reference = _middle(record.get(key)), _middle(ours.get(key))
    if seconds is None or reference is None or record is ours:
        return short(seconds, 3)
    return f"{short(seconds, 3)} ({short(seconds / reference, 2)}×)"


def _middle(value: list[float] | float | None) -> float | None:
    if isinstance(value, list):
        known = [one for one in value if one is not None]
        return median(known) if known else None
    return value
