"""What the command line prints: results and JSON on standard output, notes on standard error."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from holonomy.catalogue import System
    from holonomy.report import Alert


def print_json(value: Any) -> None:
    """Print ``value`` as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_titles(titles: Mapping[str, str]) -> None:
    """Print names with what they stand for, one a line."""
    width = max(map(len, titles), default=0)
    for name, title in titles.items():
        typer.echo(f"{name:<{width}}  {title}")


def show_notes(notes: Sequence[str]) -> None:
    """Print on standard error how the data was read."""
    for note in notes:
        typer.echo(f"note: {note}", err=True)


def show_alerts(alerts: Sequence["Alert"]) -> None:
    """Print on standard error what makes a map misleading as a whole, and what to do."""
    for alert in alerts:
        if alert.severity == "serious":
            typer.echo(f"alert: {alert.title}. {alert.detail} {alert.action}", err=True)


def print_result(result: Any) -> None:
    """Print a result: laid out for a terminal, as plain lines elsewhere."""
    if not sys.stdout.isatty():
        typer.echo(str(result))
        return
    from rich.console import Console

    Console().print(result)


def print_systems(systems: Sequence["System"]) -> None:
    """Print systems, one a line: number, state, what to import (or the room), title."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("No", justify="right")
    table.add_column("State")
    table.add_column("Title", ratio=3)
    table.add_column("Where", ratio=2)
    for system in systems:
        where = ", ".join(system.objects) or system.room
        table.add_row(str(system.number), system.state, Text(system.title), Text(where))
    # One line a system where another program reads.
    console = Console(width=None if sys.stdout.isatty() else 240)
    console.print(table)
    built = sum(system.state != "absent" for system in systems)
    console.print(f"{len(systems)} system{'s' if len(systems) != 1 else ''}, {built} built.", style="dim")
