"""The command line of the benchmarks: ``python -m benchmarks --help``."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from benchmarks import runner, table
from benchmarks.record import short, write_json


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    return {"run": _run, "table": _table, "list": _list}[options.command](options, Console())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure beside the peers.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure, show, and keep the result in benchmarks/results")
    run.add_argument("names", nargs="+", metavar="NAME", help="names of benchmarks, or 'all'")
    run.add_argument("--repeats", type=int, default=3, help="warm processes and calls of each contender (3)")
    run.add_argument("--no-calls", action="store_true", help="measure whole processes only")
    run.add_argument("--no-cold", action="store_true", help="leave out the first runs with empty caches")
    pages = commands.add_parser("table", help="print, write or check docs/benchmarks.md")
    mode = pages.add_mutually_exclusive_group()
    mode.add_argument("--write", action="store_true", help="write docs/benchmarks.md")
    mode.add_argument("--check", action="store_true", help="fail if benchmarks, results and the page are out of step")
    commands.add_parser("list", help="list the benchmarks")
    return parser


def _run(options: argparse.Namespace, console: Console) -> int:
    files = runner.benchmark_files(runner.FOLDER)
    names = list(files) if options.names == ["all"] else options.names
    if unknown := [name for name in names if name not in files]:
        console.print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(files)}.", style="red")
        return 2
    if options.repeats < 1:
        console.print(f"--repeats must be at least 1, got {options.repeats}.", style="red")
        return 2

    def report(contender: str, caches: str, usage: runner.Usage) -> None:
        console.print(f"{escape(contender)}, {caches}: {short(usage.wall_s, 3)} s", highlight=False)

    for name in names:
        console.rule(name)
        result = runner.run_benchmark(
            files[name], options.repeats, not options.no_calls, not options.no_cold, report=report
        )
        write_json(runner.RESULTS / f"{name}.json", result)
        console.print(table.rich_table(result))
    return 0


def _table(options: argparse.Namespace, console: Console) -> int:
    if options.write:
        table.write(runner.RESULTS, table.PAGE, runner.FOLDER)
        return 0
    if options.check:
        found = table.problems(runner.RESULTS, table.PAGE, runner.FOLDER)
        for problem in found:
            console.print(escape(problem), style="red")
        return int(bool(found))
    sys.stdout.write(table.page(runner.RESULTS, runner.FOLDER))
    return 0


def _list(options: argparse.Namespace, console: Console) -> int:
    for name, path in runner.benchmark_files(runner.FOLDER).items():
        console.print(f"{name}  {table.load_benchmark(path).title}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
