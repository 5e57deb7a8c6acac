"""The report as one HTML page that is complete in itself.

Every script of the page is allowed by its hash and nothing else may run, load or be sent (Content-Security-Policy).
``'unsafe-eval'`` is there because the WebGL layer of bokeh compiles its draw commands; no text of the data reaches it.
"""

import base64
import functools
import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy.report.colorings import column_coloring, dimension_coloring, trust_coloring
from holonomy.report.columns import MISSING, Column, number_column
from holonomy.report.figure import map_document
from holonomy.report.reproduce import command_line, python_lines
from holonomy.report.summary import headline_facts, map_caption, subtitle, verdict

if TYPE_CHECKING:
    from jinja2 import Template

    from holonomy.report.quality import Score
    from holonomy.report.result import MapReport

PROMISE = "The same data, parameters, versions and seed give the same map, bit for bit, on any number of threads."

LOW_OPACITY_FROM = 20_000
"""From this many points on they are drawn more translucent, since they overlap."""


def render(report: "MapReport") -> str:
    """Return the page of ``report`` as HTML text."""
    scripts = [_bokeh_script(), _template_text("map.js")]
    facts = [{"label": label, "value": value, "detail": detail} for label, value, detail in headline_facts(report)]
    return _template().render(
        policy=_policy(scripts),
        style=_markup(_template_text("map.css")),
        scripts=[_markup(script) for script in scripts],
        data=_markup(script_json(_page_data(report))),
        version=report.versions["holonomy"],
        name=report.name,
        date=report.created,
        subtitle=subtitle(report),
        facts=facts,
        headline=report.profile.headline,
        sections=report.profile.sections,
        recommendation=report.profile.recommendation,
        notes=report.notes,
        map_description=f"Scatter plot of {len(report.embedding):,} points placed by {report.method}.",
        map_caption=map_caption(report),
        verdict=verdict(report),
        scores=[_score_row(score) for score in report.scores],
        python=python_lines(report),
        command=command_line(report),
        promise=PROMISE,
        settings=_settings(report),
        citations=report.citations,
    )


def script_json(value: Any) -> str:
    """Return JSON that is inert inside a ``<script>`` element, whatever texts it holds."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _page_data(report: "MapReport") -> dict[str, Any]:
    trust = number_column("Trust", report.trust.astype(np.float32))
    dimension = number_column("Local dimension", report.local_dimension.astype(np.float32))
    columns: list[Column] = [*report.labels, trust, dimension, *report.columns]
    makers = {id(trust): trust_coloring, id(dimension): dimension_coloring}
    colorings = [makers.get(id(column), column_coloring)(f"c{i}", column) for i, column in enumerate(columns)]
    return {
        "figures": map_document(report.embedding, report.baseline, columns),
        "colorings": [coloring for coloring in colorings if coloring is not None],
        "details": [
            {"field": f"c{i}", "name": column.name, "classes": column.categories} for i, column in enumerate(columns)
        ],
        "missing": MISSING,
        "alpha": 0xB0 if len(report.embedding) >= LOW_OPACITY_FROM else 0xE0,
    }


def _score_row(score: "Score") -> dict[str, Any]:
    row: dict[str, Any] = {"name": score.name, "question": score.question}
    for kind, estimate in (("map", score.map), ("baseline", score.baseline)):
        row[kind] = {
            "value": f"{estimate.value:.3f}",
            "interval": f"{estimate.low:.3f} – {estimate.high:.3f}",
            "at": round(100 * estimate.value, 2),
            "left": round(100 * estimate.low, 2),
            "width": round(100 * (estimate.high - estimate.low), 2),
        }
    return row


def _settings(report: "MapReport") -> list[tuple[str, list[tuple[str, str]]]]:
    parameters = [(key, str(value)) for key, value in report.parameters.items()]
    timings = [(key, f"{seconds:.2f} s") for key, seconds in report.timings.items()]
    return [(f"{report.method} parameters", parameters), ("Versions", list(report.versions.items())), ("Time", timings)]


def _policy(scripts: list[str]) -> str:
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed} 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@functools.cache
def _bokeh_script() -> str:
    from bokeh.resources import Resources

    return "\n".join(Resources(mode="inline", components=["bokeh", "bokeh-gl"], minified=True).js_raw)


@functools.cache
def _template_text(name: str) -> str:
    return resources.files("holonomy.report").joinpath("templates", name).read_text(encoding="utf-8")


@functools.cache
def _template() -> "Template":
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["tight"] = _tight
    return environment.from_string(_template_text("map.html.j2"))


def _tight(text: str) -> str:
    """Keep a percent sign on the line of its number."""
    return text.replace(" %", "\u00a0%")


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - our own files, and JSON without any markup character
