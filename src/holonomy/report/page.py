"""The report as one HTML page that is complete in itself.

The page's one script and one style sheet are allowed by their hashes, and nothing else may run, load or be sent
(Content-Security-Policy); there is no ``unsafe-inline`` and no ``unsafe-eval``. What comes from the data is in a bundle
that holds no character of markup, and reaches the page as text only.
"""

import base64
import functools
import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Any

from holonomy.report.charts import rank_chart, score_line
from holonomy.report.content import map_content
from holonomy.report.reproduce import command_line, python_lines
from holonomy.report.summary import headline_facts, map_caption, subtitle, verdict

if TYPE_CHECKING:
    from jinja2 import Environment

    from holonomy.report.evidence import Score
    from holonomy.report.result import MapReport

PROMISE = "The same data, parameters, versions and seed give the same map, bit for bit, on any number of threads."


def render(report: "MapReport") -> str:
    """Return the page of ``report`` as HTML text."""
    content = map_content(report)
    facts = [{"label": label, "value": value, "detail": detail} for label, value, detail in headline_facts(report)]
    return fill(
        "map.html.j2",
        kind="Map with evidence",
        bundle=content.bundle,
        picture=content.pictures[0],
        remarks=content.remarks,
        version=report.versions["holonomy"],
        name=report.name,
        date=report.created,
        subtitle=subtitle(report),
        facts=facts,
        alerts=report.alerts,
        headline=report.profile.headline,
        sections=report.profile.sections,
        recommendation=report.profile.recommendation,
        notes=report.notes,
        map_description=f"Scatter plot of {len(report.embedding):,} points placed by {report.method}.",
        map_caption=map_caption(report),
        verdict=verdict(report),
        scores=[_score_row(score) for score in report.scores],
        chart=rank_chart(report.evidence.curves) if report.evidence.curves else None,
        python=python_lines(report),
        command=command_line(report),
        promise=PROMISE,
        settings=_settings(report),
        citations=report.citations,
    )


def fill(template: str, **values: Any) -> str:
    """Return a page from a template, with the scripts and the style of all pages and the policy that allows them."""
    script, style = _script(), _text("map.css")
    return (
        _environment()
        .get_template(template)
        .render(policy=_policy(script, style), style=_markup(style), script=_markup(script), **values)
    )


def _score_row(score: "Score") -> dict[str, Any]:
    row: dict[str, Any] = {"name": score.name, "question": score.question}
    for kind, estimate in (("map", score.map), ("baseline", score.baseline)):
        row[kind] = {"value": f"{estimate.value:.3f}", "interval": f"{estimate.low:.3f} – {estimate.high:.3f}"}
    return row | {"line": score_line([score.map, score.baseline])}


def _settings(report: "MapReport") -> list[tuple[str, list[tuple[str, str]]]]:
    parameters = [(key, str(value)) for key, value in report.parameters.items()]
    timings = [(key, f"{seconds:.2f} s") for key, seconds in report.timings.items()]
    return [(f"{report.method} parameters", parameters), ("Versions", list(report.versions.items())), ("Time", timings)]


def _policy(script: str, style: str) -> str:
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@functools.cache
def _script() -> str:
    """Return the scripts of the page as one, whose names are seen by nothing else on the page."""
    folder = resources.files("holonomy.report").joinpath("templates", "scripts")
    parts = sorted((part for part in folder.iterdir() if part.name.endswith(".js")), key=lambda part: part.name)
    inner = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    return f'"use strict";\n(() => {{\n{inner}}})();'


@functools.cache
def _text(name: str) -> str:
    return resources.files("holonomy.report").joinpath("templates", name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> "Environment":
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, loader=FunctionLoader(_text)
    )
    environment.filters["tight"] = _tight
    return environment


def _tight(text: str) -> str:
    """Keep a percent sign on the line of its number."""
    return text.replace(" %", "\u00a0%")


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - our own files
