"""The report in words: five lines for a terminal, and the texts of the page."""

from typing import TYPE_CHECKING

import numpy as np

from holonomy.report.evidence import Score
from holonomy.report.quality import AGREEMENT, CONTINUITY, RECALL, TRUST

if TYPE_CHECKING:
    from holonomy.measure import DimensionEstimate
    from holonomy.report.result import MapReport

DOUBTFUL = 0.9
"""Trust below which a point should not be believed: 1 - trust is about the mean rank, in the data and as a share of all
points, of the point's neighbours on the map; below 0.9 they are, on average, not even among its nearest 10 %."""


def five_lines(report: "MapReport") -> list[str]:
    """Return the report in five lines: size, dimension, connectedness, quality, and where not to believe it."""
    return [
        f"{report.name}: {len(report.embedding):,} points × {report.n_features:,} features.",
        _dimension_line(report),
        " ".join(report.profile.section("connectedness").sentences),
        _quality_line(report),
        f"{doubt(report)} {advice(report)}",
    ]


def subtitle(report: "MapReport") -> str:
    """Return what was done, below the title of the page."""
    return (
        f"{len(report.embedding):,} points × {report.n_features:,} features, mapped by {report.method} from "
        f"{report.n_neighbors} neighbours each, seed {report.seed}"
    )


def headline_facts(report: "MapReport") -> list[tuple[str, str, str]]:
    """Return the figures at the top of the page: label, value, detail."""
    parts = report.profile.connectedness
    trust, recall = score_of(report, TRUST), score_of(report, RECALL)
    return [
        ("Intrinsic dimension", *_dimension_fact(report)),
        ("Connected parts", f"{parts.n_components:,}", _parts_detail(parts.sizes)),
        ("Trustworthiness", f"{trust.map.value:.3f}", f"PCA {trust.baseline.value:.3f}; 1 is perfect, 0.5 is chance"),
        ("Neighbours kept", _percent(recall.map.value), f"PCA {_percent(recall.baseline.value)}"),
    ]


def verdict(report: "MapReport") -> str:
    """Return whether the map is better than PCA, and where not to believe it."""
    return f"{_comparison(report)} {doubt(report)}"


def doubt(report: "MapReport") -> str:
    """Return how many points should not be believed."""
    n_doubtful = int(np.sum(report.trust < DOUBTFUL))
    if not n_doubtful:
        return f"No point has a trust below {DOUBTFUL}."
    points = "point has" if n_doubtful == 1 else "points have"
    share = n_doubtful / len(report.trust)
    what = "most of the map" if share > 0.5 else "the map everywhere"
    return f"Do not believe {what}: {n_doubtful:,} {points} a trust below {DOUBTFUL} ({_percent(share)})."


def advice(report: "MapReport") -> str:
    """Return what to do with the map, in one or two sentences."""
    if not report.evidence.has_baseline:
        return "This is the plane of the two leading principal components: its axes and distances can be read."
    if not _is_better(report):
        return "The map is no more faithful than PCA: prefer the linear plane, whose axes and distances can be read."
    return "Who neighbours whom can be read from it; distances between far groups, sizes and axes cannot."


def map_caption(report: "MapReport") -> str:
    """Return how to use and how to read the map."""
    return (
        "Drag to pan, Ctrl + wheel or pinch to zoom, point at a dot for its row. "
        "Who neighbours whom can be read from the map; distances between far groups, their sizes and the axes cannot."
    )


def score_of(report: "MapReport", name: str) -> Score:
    """Return the score called ``name``."""
    return report.evidence.score(name)


def _dimension_line(report: "MapReport") -> str:
    two_nn, mle = report.profile.two_nn, report.profile.mle
    if two_nn is None or mle is None:
        return "Intrinsic dimension: cannot be measured on this data."
    values = report.profile.section("dimension").values
    where = " in the largest part; in all" if values["is_of_largest_part"] else ";"
    return (
        f"Intrinsic dimension: about {values['dimension']:.2g}{where} at the smallest distances {_interval(two_nn)}, "
        f"over {mle.n_neighbors} neighbours {_interval(mle)}."
    )


def _dimension_fact(report: "MapReport") -> tuple[str, str]:
    two_nn, mle = report.profile.two_nn, report.profile.mle
    if two_nn is None or mle is None:
        return "–", "cannot be measured on this data"
    values = report.profile.section("dimension").values
    where = "in the largest part; in all " if values["is_of_largest_part"] else ""
    detail = f"{where}{_interval(two_nn)} at the smallest distances, {_interval(mle)} over {mle.n_neighbors} neighbours"
    return f"≈ {values['dimension']:.2g}", detail


def _interval(estimate: "DimensionEstimate") -> str:
    return f"{estimate.value:.1f} ({estimate.low:.1f}–{estimate.high:.1f})"


def _parts_detail(sizes: np.ndarray) -> str:
    if len(sizes) == 1:
        return "all points hang together"
    shown = ", ".join(f"{size:,}" for size in sizes[:4])
    return f"of {shown}{', …' if len(sizes) > 4 else ''} points"


def _quality_line(report: "MapReport") -> str:
    names = {
        TRUST: "trustworthiness",
        CONTINUITY: "continuity",
        RECALL: "neighbours kept",
        AGREEMENT: "label agreement",
    }
    found = [
        f"{words} {score.map.value:.3f} (PCA {score.baseline.value:.3f})"
        for name, words in names.items()
        for score in report.scores
        if score.name == name
    ]
    return f"Map by {report.method}: {', '.join(found)}."


def _comparison(report: "MapReport") -> str:
    trust, recall = score_of(report, TRUST), score_of(report, RECALL)
    kept = f"It keeps {_percent(recall.map.value)} of all neighbourhoods, PCA {_percent(recall.baseline.value)}."
    if not report.evidence.has_baseline:
        return f"The map is that of PCA. It keeps {_percent(recall.map.value)} of all neighbourhoods."
    if not _is_better(report):
        return f"The map is no more faithful than PCA; prefer the linear plane. {kept}"
    if trust.map.low > trust.baseline.high and recall.map.low > recall.baseline.high:
        return f"The map is clearly more faithful than PCA. {kept}"
    return f"The map is somewhat more faithful than PCA. {kept}"


def _is_better(report: "MapReport") -> bool:
    return any(score_of(report, name).map.low > score_of(report, name).baseline.value for name in (TRUST, RECALL))


def _percent(share: float) -> str:
    digits = 0 if share >= 0.1 else 1 if share >= 0.001 else 2
    return f"{100 * share:.{digits}f} %"
