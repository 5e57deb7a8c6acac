"""The exact lines that make a report again, in Python and on the command line."""

import json
import platform
import shlex
import sys
from collections.abc import Mapping
from importlib import metadata
from typing import TYPE_CHECKING, Any

from holonomy import __version__
from holonomy.report.sources import STANDARD_INPUT

if TYPE_CHECKING:
    from holonomy.report.result import MapReport

VERSIONED = ("numpy", "scipy", "scikit-learn", "numba")

WIDTH = 78
"""Longest line of code on the page, in characters, before it is broken."""


def versions() -> dict[str, str]:
    """Return the versions of Python, of this library and of what it computes with."""
    found = {"holonomy": __version__, "Python": platform.python_version()}
    return found | {package: metadata.version(package) for package in VERSIONED}


def asked_for(**options: Any) -> dict[str, Any]:
    """Return the options that were given, so that they can be asked for again."""
    return {name: value for name, value in options.items() if value is not None}


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
    words += _shared_words(options)
    words += ["--seed", str(report.seed), "--out", "report.html"]
    return ("... | " if report.source == STANDARD_INPUT else "") + shlex.join(words)


def comparison_lines(
    source: str | None, methods: Any, label: str | None, options: Mapping[str, Any], seed: int, shape: tuple[int, int]
) -> str:
    """Return Python code that makes a page of compared maps again; what came from memory is left to fill in.

    Parameters
    ----------
    source : str or None
        What the data were read from.
    methods : sequence or mapping
        As they were given.
    label : str or None
        The column of labels.
    options : mapping of str to object
        What was asked for beside.
    seed : int
        The random state.
    shape : (n, d)
        Of the data.
    """
    is_in_reach = source is not None and source != STANDARD_INPUT
    lines = ["import holonomy", ""]
    if not is_in_reach:
        lines += [f"X = ...  # your {shape[0]:,} points in {shape[1]:,} dimensions", ""]
    arguments = {"methods": _methods(methods)}
    if label is not None:
        arguments["labels"] = _quoted(label) if is_in_reach else "..."
    arguments |= {name: _literal(value) for name, value in options.items()} | {"random_state": str(seed)}
    first = _quoted(source) if is_in_reach and source is not None else "X"
    call = call_of("holonomy.report.compare_report", arguments, first)
    return "\n".join([*lines, f"report = {call}", 'report.save("compare.html")'])


def comparison_command(
    source: str | None, methods: Any, label: str | None, options: Mapping[str, Any], seed: int
) -> str | None:
    """Return the command that makes a page of compared maps again, or None where no command can."""
    is_named = not isinstance(methods, Mapping) and all(isinstance(method, str) for method in methods)
    if source is None or not is_named:
        return None
    words = ["holonomy", "compare", source]
    words += ["--format", options["format"]] if "format" in options else []
    words += ["--methods", ",".join(methods)]
    words += ["--label", label] if label is not None else []
    words += [*_shared_words(options), "--seed", str(seed), "--out", "compare.html"]
    return ("... | " if source == STANDARD_INPUT else "") + shlex.join(words)


def _shared_words(options: Mapping[str, Any]) -> list[str]:
    """Return the options that all commands write alike."""
    words: list[str] = []
    for name in options.get("columns", ()):
        words += ["--color", name]
    if "image_shape" in options:
        words += ["--image-shape", "x".join(map(str, options["image_shape"]))]
    words += ["--neighbors", str(options["n_neighbors"])] if "n_neighbors" in options else []
    words += ["--checks", options["checks"]] if "checks" in options else []
    return words + (["--impute"] if "impute" in options else [])


def _methods(methods: Any) -> str:
    if isinstance(methods, str) or hasattr(methods, "fit_transform"):
        methods = [methods]
    if isinstance(methods, Mapping):
        return "{" + ", ".join(f"{_quoted(str(name))}: {_method(made)}" for name, made in methods.items()) + "}"
    return f"[{', '.join(map(_method, methods))}]"


def _method(method: Any) -> str:
    if isinstance(method, str):
        return _quoted(method)
    return estimator_call(method) if hasattr(method, "fit_transform") else "..."


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
