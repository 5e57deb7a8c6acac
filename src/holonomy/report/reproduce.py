"""The exact lines that make a report again, in Python and on the command line."""

import json
import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holonomy.report.result import MapReport

WIDTH = 78
"""Longest line of code on the page, in characters, before it is broken."""


def python_lines(report: "MapReport") -> str:
    """Return Python code that makes ``report`` again, with a line to fill in where its data came from memory."""
    arguments: dict[str, str] = {}
    lines = ["import holonomy"]
    if report.method_call is not None:
        arguments["method"] = report.method_call
        module = report.method_call.partition("(")[0].rpartition(".")[0]
        if module and module != "__main__" and module.partition(".")[0] != "holonomy":
            lines.append(f"import {module}")
    lines.append("")
    first = "X" if report.source is None else _quoted(report.source)
    if report.source is None:
        lines += [f"X = ...  # your {len(report.embedding):,} points in {report.n_features:,} dimensions", ""]
    if report.label_name is not None:
        arguments["labels"] = "..." if report.source is None else _quoted(report.label_name)
    arguments |= {"n_neighbors": str(report.n_neighbors), "random_state": str(report.seed)}
    call = call_of("holonomy.report.map_report", arguments, first)
    return "\n".join([*lines, f"report = {call}", 'report.save("report.html")'])


def command_line(report: "MapReport") -> str | None:
    """Return the command that makes ``report`` again, or None where no command can."""
    if report.source is None or report.method_call is not None:
        return None
    words = ["holonomy", "map", report.source]
    if report.label_name is not None:
        words += ["--label", report.label_name]
    words += ["--neighbors", str(report.n_neighbors), "--seed", str(report.seed), "--out", "report.html"]
    return shlex.join(words)


def estimator_call(estimator: Any) -> str:
    """Return a Python expression that makes ``estimator``, with the parameters that differ from their defaults."""
    defaults = type(estimator)().get_params(deep=False)
    changed = {
        name: _quoted(value) if isinstance(value, str) else repr(value)
        for name, value in estimator.get_params(deep=False).items()
        if repr(value) != repr(defaults.get(name))
    }
    return call_of(public_path(type(estimator)), changed)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def public_path(cls: type) -> str:
    """Return the shortest dotted name under which an imported module offers ``cls``."""
    parts = cls.__module__.split(".")
    for length in range(1, len(parts) + 1):
        module = ".".join(parts[:length])
        if getattr(sys.modules.get(module), cls.__name__, None) is cls:
            return cls.__name__ if module == "__main__" else f"{module}.{cls.__name__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def call_of(function: str, arguments: Mapping[str, str], first: str | None = None) -> str:
    """Return a call in Python, over several lines where it is long."""
    parts = ([] if first is None else [first]) + [f"{name}={value}" for name, value in arguments.items()]
    line = f"{function}({', '.join(parts)})"
    if len(line) <= WIDTH:
        return line
    return f"{function}(\n" + "".join(f"    {part},\n" for part in parts) + ")"
