"""The exact lines that make a report again, in Python and on the command line."""

import json
import shlex
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from holonomy.report.sources import STANDARD_INPUT

if TYPE_CHECKING:
    from holonomy.report.result import MapReport

WIDTH = 78
"""Longest line of code on the page, in characters, before it is broken."""


def python_lines(report: "MapReport") -> str:
    """Return Python code that makes ``report`` again, with a line to fill in where its data came from memory."""
    arguments: dict[str, str] = {}
    lines = ["import holonomy"]
    options = dict(report.options)
    if "method" not in options and "params" not in options and report.method_call is not None:
        arguments["method"] = report.method_call
        module = report.method_call.partition("(")[0].rpartition(".")[0]
        if module and module != "__main__" and module.partition(".")[0] != "holonomy":
            lines.append(f"import {module}")
    lines.append("")
    is_in_reach = report.source is not None and report.source != STANDARD_INPUT
    first = _quoted(report.source) if is_in_reach and report.source is not None else "X"
    if not is_in_reach:
        lines += [f"X = ...  # your {len(report.embedding):,} points in {report.n_features:,} dimensions", ""]
    if report.label_name is not None:
        arguments["labels"] = _quoted(report.label_name) if is_in_reach else "..."
    arguments |= {name: _literal(value) for name, value in options.items()}
    arguments["random_state"] = str(report.seed)
    call = call_of("holonomy.report.map_report", arguments, first)
    return "\n".join([*lines, f"report = {call}", 'report.save("report.html")'])


def command_line(report: "MapReport") -> str | None:
    """Return the command that makes ``report`` again, or None where no command can."""
    options = report.options
    if report.source is None or (report.method_call is not None and not {"method", "params"} & options.keys()):
        return None
    words = ["holonomy", "map", report.source]
    for name in ("format", "method"):
        words += [f"--{name}", str(options[name])] if name in options else []
    for name, value in options.get("params", {}).items():
        words += ["--params", f"{name}={value}"]
    words += ["--label", report.label_name] if report.label_name is not None else []
    for name in options.get("columns", ()):
        words += ["--color", name]
    if "image_shape" in options:
        words += ["--image-shape", "x".join(map(str, options["image_shape"]))]
    words += ["--neighbors", str(options["n_neighbors"])] if "n_neighbors" in options else []
    words += ["--checks", options["checks"]] if "checks" in options else []
    words += ["--impute"] if "impute" in options else []
    words += ["--seed", str(report.seed), "--out", "report.html"]
    return ("... | " if report.source == STANDARD_INPUT else "") + shlex.join(words)


def estimator_call(estimator: Any) -> str:
    """Return a Python expression that makes ``estimator``, with the parameters that differ from their defaults."""
    defaults = type(estimator)().get_params(deep=False)
    changed = {
        name: _literal(value)
        for name, value in estimator.get_params(deep=False).items()
        if repr(value) != repr(defaults.get(name))
    }
    return call_of(public_path(type(estimator)), changed)


def _literal(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)


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
