"""One look for small results, in a terminal and in a notebook."""

from collections.abc import Mapping
from html import escape
from typing import Any


def html_table(title: str, facts: Mapping[str, Any]) -> str:
    """Return a small HTML table; every text is escaped."""
    rows = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>" for name, value in facts.items()
    )
    return f"<table style='text-align:left'><caption><b>{escape(title)}</b></caption>{rows}</table>"


def rich_table(title: str, facts: Mapping[str, Any]) -> Any:
    """Return a small rich table; square brackets in texts stay as they are."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title, style="bold"), title_justify="left", show_header=False, box=None)
    for name, value in facts.items():
        table.add_row(Text(str(name)), Text(str(value)))
    return table
