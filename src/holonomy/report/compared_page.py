"""Several maps of the same data as one page: linked, with the same colours and selection, and measured alike."""

import datetime
import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy import __version__
from holonomy._core.citations import bib_entries, reference_keys
from holonomy._core.files import replacing
from holonomy.report import colorings
from holonomy.report.choice import further_columns, label_columns, number_columns
from holonomy.report.columns import Column, clean_text, number_column
from holonomy.report.comparison import LOWER_IS_BETTER, QUESTIONS, ComparedMap, Comparison, compare, label_of
from holonomy.report.content import Content, Plot, make_content
from holonomy.report.images import check_image_shape, pixels_of
from holonomy.report.page import fill
from holonomy.report.sources import read_source

if TYPE_CHECKING:
    from holonomy.report.sources import Source

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
    return ComparisonReport(
        comparison=found,
        name=table.name,
        command=_command(source, methods, table.label, n_neighbors, random_state),
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


def _command(source: "Source", methods: Any, label: str | None, n_neighbors: int | None, seed: int) -> str | None:
    """Return the command that makes the page again, or None where no command can."""
    is_named = not isinstance(methods, dict) and all(isinstance(method, str) for method in methods)
    if source.name is None or not is_named:
        return None
    words = ["holonomy", "compare", source.name, "--methods", ",".join(methods)]
    words += ["--label", label] if label is not None else []
    words += ["--neighbors", str(n_neighbors)] if n_neighbors is not None else []
    return shlex.join([*words, "--seed", str(seed), "--out", "compare.html"])


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
        subtitle=f"{n_points:,} points, {len(found.maps)} maps, measured on {found.n_neighbors} neighbours each",
        maps=[_map_of(each, i, content) for i, each in enumerate(found.maps)],
        caption="In colour: the best, up to its interval. 95 % intervals where points were sampled.",
        rows=_rows(found),
        sentences=found.sentences,
        command=report.command,
        settings=[(each.name, _told(each)) for each in found.maps],
        citations="\n\n".join(bib_entries()[key] for key in keys),
    )


def _map_of(each: ComparedMap, number: int, content: Content) -> dict[str, Any]:
    moved = "" if number == 0 or np.isnan(each.disparity) else f"{1 - each.disparity:.0%} as the first"
    seconds = "" if each.seconds is None else f"{each.seconds:.1f} s"
    return {
        "name": clean_text(each.name, 40),
        "element": f"map-{number}",
        "picture": content.pictures[number],
        "detail": ", ".join(filter(None, (seconds, moved))),
        "description": f"Scatter plot of {len(each.embedding):,} points placed by {clean_text(each.name, 40)}.",
    }


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
