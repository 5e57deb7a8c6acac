"""The command line of the experiments: ``python -m claims --help``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from benchmarks.record import read_json, write_json
from claims import runner, table
from claims.experiment import Check


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 1 when a check crashed or something is out of step."""
    options = _parser().parse_args(arguments)
    return {"run": _run, "table": _table, "list": _list}[options.command](options, Console())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m claims", description="Test the claims of the published systems.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser(
        "run",
        help="run experiments",
        description="Run experiments beside their baselines. The result is kept in claims/results when every check ran "
        "with its own seeds; with --seeds or --only it is shown, and kept only where --out says.",
    )
    run.add_argument("numbers", nargs="+", metavar="NUMBER", help="numbers of systems, such as 007, or 'all'")
    run.add_argument("--seeds", type=_seeds, help="other seeds, such as 101,102,103")
    run.add_argument("--only", metavar="NAME", help="only the check of this name")
    run.add_argument("--out", type=Path, metavar="FOLDER", help="write the results NNN.json to this folder")
    pages = commands.add_parser("table", help="print, write or check the pages in docs/")
    mode = pages.add_mutually_exclusive_group()
    mode.add_argument("--write", action="store_true", help="write docs/claims.md and docs/methods.md")
    mode.add_argument("--check", action="store_true", help="fail if claims, results and pages are out of step")
    commands.add_parser("list", help="list the experiments and their state")
    return parser


def _seeds(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"seeds must be integers separated by commas, got {text!r}") from None


def _run(options: argparse.Namespace, console: Console) -> int:
    files = runner.claim_files(runner.CLAIMS)
    try:
        wanted = list(files) if options.numbers == ["all"] else [int(number) for number in options.numbers]
        paths = [files[number] for number in wanted]
    except (KeyError, ValueError):
        known = ", ".join(f"{number:03d}" for number in files) or "none yet"
        console.print(f"There is no claim file for {' '.join(options.numbers)}. There are: {known}.", style="red")
        return 2
    folder = options.out or (None if options.seeds or options.only else runner.RESULTS)
    crashed = False
    for path in paths:
        console.rule(path.stem)
        result = runner.run_claim(path, options.seeds, options.only, lambda one, record: _show(console, one, record))
        crashed |= any("crashed" in record for record in result["checks"])
        if folder:
            write_json(runner.result_file(result["number"], folder), result)
        console.print(f"{result['seconds']} s; " + (f"result in {folder}" if folder else "result not kept"))
    return int(crashed)


def _show(console: Console, one: Check, record: dict[str, Any]) -> None:
    console.print(f"[bold]{escape(one.name)}[/]: {escape(one.statement)}")
    console.print(f"  {escape(one.inequality)}")
    console.print(f"  measured {escape(table.spread_text(record['measured']))}")
    console.print(f"  baseline {escape(table.spread_text(record['baseline']))}")
    console.print(f"  {escape(table.outcome_text(record))}", style="green" if record["holds"] else "red")
    if record["holds"] and one.reason:
        console.print("  it holds now, so its reason= is out of date", style="yellow")


def _table(options: argparse.Namespace, console: Console) -> int:
    if options.write:
        table.write(runner.RESULTS, table.DOCS, runner.CLAIMS)
        return 0
    if options.check:
        found = table.problems(runner.RESULTS, table.DOCS, runner.CLAIMS)
        for problem in found:
            console.print(escape(problem), style="red")
        return int(bool(found))
    sys.stdout.write(table.claims_page(runner.RESULTS))
    return 0


def _list(options: argparse.Namespace, console: Console) -> int:
    for number, path in runner.claim_files(runner.CLAIMS).items():
        kept = runner.result_file(number, runner.RESULTS)
        checks = read_json(kept)["checks"] if kept.exists() else []
        state = f"{sum(record['holds'] for record in checks)} of {len(checks)} hold" if checks else "not run"
        console.print(f"{path.stem}  {state}", highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
