"""Several maps of the same data as one page: linked, with the same colours and selection, and measured alike."""

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from holonomy import __version__
from holonomy._core.citations import bib_entries, reference_keys
from holonomy._core.files import replacing
from holonomy.measure import RankCurve, rank_curve
from holonomy.report import colorings
from holonomy.report.charts import BASELINE, rank_chart
from holonomy.report.choice import further_columns, label_columns, number_columns
from holonomy.report.columns import Column, clean_text, number_column
from holonomy.report.comparison import ComparedMap, Comparison, compare
from holonomy.report.content import Content, Plot, make_content
from holonomy.report.images import check_image_shape, pixels_of
from holonomy.report.page import fill
from holonomy.report.quality import principal_plane
from holonomy.report.reproduce import asked_for, comparison_command, comparison_lines, versions
from holonomy.report.sources import read_source
from holonomy.report.yardsticks import LOWER_IS_BETTER, QUESTIONS, label_of

MOST_MAPS = 12
"""Maps on one page: browsers draw no more than about sixteen with WebGL at once."""

SIDE = 400

MOST_FURTHER = 500_000


@dataclass(frozen=True, eq=False)
class ComparisonReport:
    """Several maps of the same data, with the data, as a page.

    Attributes
    ----------
    comparison : Comparison
        The maps and what was measured of them.
    name : str
        Name of the data.
    command : str or None
        The command that makes the page again.
    python : str
        Python lines that do.
    seed : int
        The random state.
    versions : mapping of str to str
        Of Python, of this library and of what it computed with.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.report import compare_report
    >>> X = np.random.default_rng(0).normal(size=(80, 5))
    >>> report = compare_report(X, {"first": X[:, :2], "last": X[:, 3:]}, n_neighbors=8)
    >>> report.to_html().startswith("<!doctype html>")
    True
    """

    comparison: Comparison
    name: str
    command: str | None
    python: str
    seed: int
    versions: Mapping[str, str]
    _baseline: RankCurve | None = field(repr=False)
    _columns: tuple[tuple[Column, Any], ...] = field(repr=False)
    _further: tuple[Column, ...] = field(repr=False)
    _images: np.ndarray | None = field(repr=False)
    _page: dict[str, str] = field(default_factory=dict, repr=False)

    def to_html(self) -> str:
        """Return the comparison as one page that is complete in itself and works offline."""
        if "html" not in self._page:
            self._page["html"] = _render(self)
        return self._page["html"]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to ``path``, whole or not at all, and return the path.

        Raises
        ------
        OSError
            If the folder does not exist or cannot be written to.
        """
        with replacing(path) as part:
            part.write_text(self.to_html(), encoding="utf-8", newline="\n")
        return Path(path)

    def __str__(self) -> str:
        """Return the table of measures."""
        return str(self.comparison)

    def _repr_html_(self) -> str:
        return self.comparison._repr_html_()


def compare_report(
    X: Any,
    methods: Any = ("umap", "pca"),
    *,
    labels: Any = None,
    columns: Any = None,
    image_shape: Sequence[int] | None = None,
    n_neighbors: int | None = None,
    random_state: int = 0,
    name: str | None = None,
    format: str | None = None,
    impute: bool = False,
    show_progress: bool | None = None,
) -> ComparisonReport:
    """Map data by several methods, and bring the maps together on one page.

    Parameters
    ----------
    X, labels, columns, image_shape, random_state, name, format, impute, show_progress
        As `map_report` takes them.
    methods : sequence or mapping, default ("umap", "pca")
        As `holonomy.compare` takes them, up to 12; all must map to two dimensions.
    n_neighbors : int, optional
        Size of the neighbourhoods that maps are made from and measured by. By default 15, or fewer for few points.

    Returns
    -------
    ComparisonReport

    Raises
    ------
    ValueError
        As `map_report` and `holonomy.compare` do.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.report import compare_report
    >>> X = np.random.default_rng(0).normal(size=(80, 5)) * [4, 3, 1, 1, 1]
    >>> compare_report(X, ["pca", X[:, 3:]], n_neighbors=8).comparison.best("recall")
    ('pca',)
    """
    source = read_source(X, label=labels if isinstance(labels, str) else None, name=name, format=format, impute=impute)
    table, points = source.table, source.table.X
    shown = label_columns(table, labels)
    has_label = labels is not None or table.label is not None
    k = min(15, (len(points) - 1) // 2) if n_neighbors is None else n_neighbors
    classes = np.array(shown[0].values) if has_label and shown[0].is_class else None
    found = compare(
        points, methods, labels=classes, n_neighbors=k, random_state=random_state, show_progress=show_progress
    )
    _check_maps(found)
    numbers = number_columns(table, columns, found.graph.indices)
    shape = image_shape or source.image_shape
    kept: list[tuple[Column, Any]] = [(column, colorings.column_coloring) for column in shown]
    kept += [(number_column(f"Trust: {each.name}", each.trust), colorings.trust_coloring) for each in found.maps]
    kept += [(column, colorings.column_coloring) for column in numbers]
    options = asked_for(
        columns=None if columns is None or isinstance(columns, Mapping) else list(columns),
        image_shape=None if image_shape is None else tuple(image_shape),
        n_neighbors=n_neighbors,
        format=format,
        impute=impute or None,
    )
    label = table.label if labels is None or isinstance(labels, str) else "label"
    asked = (source.name, methods, label, options, random_state)
    return ComparisonReport(
        comparison=found,
        name=table.name,
        command=comparison_command(*asked),
        python=comparison_lines(*asked, points.shape),
        seed=random_state,
        versions=versions(),
        _baseline=_baseline(points, found, random_state),
        _columns=tuple(kept),
        _further=tuple(further_columns(table, numbers, found.graph.indices, MOST_FURTHER)),
        _images=None if shape is None else pixels_of(points, check_image_shape(shape, points.shape[1])),
    )


def _check_maps(found: Comparison) -> None:
    if len(found.maps) > MOST_MAPS:
        raise ValueError(f"methods must be at most {MOST_MAPS} for one page, got {len(found.maps)}.")
    for each in found.maps:
        if each.embedding.shape[1] != 2:
            raise ValueError(f"{each.name} must map to two dimensions to be drawn, got {each.embedding.shape[1]}.")


def _baseline(points: np.ndarray, found: Comparison, seed: int) -> RankCurve | None:
    """Return the curve of the two leading principal components, or None where they are among the maps."""
    if any(each.name.upper() == BASELINE for each in found.maps):
        return None
    return rank_curve(points, principal_plane(points, seed), subsample=found.n_measured, random_state=seed)


def _render(report: ComparisonReport) -> str:
    found = report.comparison
    plots = [Plot(f"map-{i}", each.aligned, side=SIDE) for i, each in enumerate(found.maps)]
    content = make_content(plots, report._columns, report._further, report._images, report.name)
    n_points = found.graph.n_points
    keys = dict.fromkeys(reference_keys(found))
    return fill(
        "compare.html.j2",
        kind="Maps compared",
        bundle=content.bundle,
        remarks=content.remarks,
        version=__version__,
        date=datetime.date.today().isoformat(),
        name=report.name,
        subtitle=f"{n_points:,} points, {len(found.maps)} maps, measured on {found.n_neighbors} neighbours each, "
        f"seed {report.seed}",
        maps=[_map_of(each, i, content) for i, each in enumerate(found.maps)],
        caption="In colour: the best, up to its interval. 95 % intervals where points were sampled.",
        rows=_rows(found),
        chart=rank_chart(_curves(report)),
        sentences=found.sentences,
        python=report.python,
        command=report.command,
        settings=[(each.name, _told(each)) for each in found.maps],
        versions=", ".join(f"{package} {number}" for package, number in report.versions.items()),
        citations="\n\n".join(bib_entries()[key] for key in keys),
    )


def _map_of(each: ComparedMap, number: int, content: Content) -> dict[str, Any]:
    moved = "" if number == 0 or np.isnan(each.disparity) else f"{100 * (1 - each.disparity):.0f} % like the first"
    seconds = "" if each.seconds is None else f"{each.seconds:.1f} s"
    return {
        "name": clean_text(each.name, 40),
        "element": f"map-{number}",
        "picture": content.pictures[number],
        "detail": ", ".join(filter(None, (seconds, moved))),
        "description": f"Scatter plot of {len(each.embedding):,} points placed by {clean_text(each.name, 40)}.",
    }


def _curves(report: ComparisonReport) -> dict[str, RankCurve]:
    curves = {clean_text(each.name, 40): each.curve for each in report.comparison.maps}
    return curves if report._baseline is None else {**curves, BASELINE: report._baseline}


def _rows(found: Comparison) -> list[dict[str, Any]]:
    rows = []
    for measure in found.measures:
        best = found.best(measure)
        cells = []
        for each in found.maps:
            score = each.scores[measure]
            interval = "" if score.low == score.high else f"{score.low:.3f} – {score.high:.3f}"
            is_best = each.name in best and len(best) < len(found.maps)
            cells.append({"value": f"{score.value:.3f}", "interval": interval, "is_best": is_best})
        lower = " Lower is better." if measure in LOWER_IS_BETTER else ""
        name = label_of(measure)
        name = name[:1].upper() + name[1:]
        rows.append({"name": name, "question": f"{QUESTIONS[measure]}{lower}", "cells": cells})
    return rows


def _told(each: ComparedMap) -> str:
    told = {key: value for key, value in each.parameters.items() if value is not None}
    return "\n".join(f"{key} = {json.dumps(value, default=str)}" for key, value in told.items())
