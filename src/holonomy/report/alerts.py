"""What a reader should know before believing the map: typed alerts, each with what to do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from holonomy.measure import GeometryProfile
    from holonomy.report.evidence import Evidence

KINDS = (
    "no_better_than_pca", "structure_in_noise", "unstable", "low_recall", "dominating_column", "disconnected", "torn",
    "hubs", "mixed_dimension", "duplicates",
)  # fmt: skip
"""Kinds of alerts, the gravest first, which is the order of the page."""

LOW_RECALL = 0.2
"""Share of neighbours kept below which most neighbourhoods on the map are not those of the data."""

MANY_DUPLICATES = 0.01
"""Share of repeated rows from which they are more than an oddity."""

HUB_SKEWNESS = 1.4
"""Skewness of the number of times a point is a neighbour, from which some points are everybody's neighbour."""

HALF = 0.5
"""Share of neighbours that maps of other seeds agree on, below which nothing on the map is certain."""

MANY_TORN = 0.5
"""Share of points with torn neighbourhoods from which the map as a whole is."""


@dataclass(frozen=True)
class Alert:
    """One thing that a reader should know.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    severity : str
        ``"serious"`` where the map may mislead as a whole, ``"care"`` where it does in places or respects.
    title : str
        What was found, in a few words.
    detail : str
        What was measured.
    action : str
        What to do.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.report import map_report
    >>> X = np.random.default_rng(0).normal(size=(60, 3)) * [100, 1, 1]
    >>> [alert.title for alert in map_report(X, method="pca", n_neighbors=10).alerts]
    ['One column dominates']
    """

    kind: str
    severity: str
    title: str
    detail: str
    action: str


def find_alerts(profile: "GeometryProfile", evidence: "Evidence") -> tuple[Alert, ...]:
    """Return the alerts that the measurements of a map and its data give rise to, the gravest first."""
    found = [*_about_map(evidence), *_about_data(profile, evidence)]
    return tuple(sorted(found, key=lambda alert: KINDS.index(alert.kind)))


def _about_map(evidence: "Evidence") -> Iterator[Alert]:
    recall, trust = evidence.score("Neighbour recall"), evidence.score("Trustworthiness")
    if evidence.has_baseline and not any(score.map.low > score.baseline.value for score in (trust, recall)):
        yield Alert(
            "no_better_than_pca", "serious", "No better than PCA",
            f"The map keeps {100 * recall.map.value:.0f} % of the neighbourhoods, two principal components keep "
            f"{100 * recall.baseline.value:.0f} %.",
            "Look at the principal components instead: their axes and distances can be read. Or try another method.",
        )  # fmt: skip
    if recall.map.value < LOW_RECALL:
        yield Alert(
            "low_recall", "serious", "Few neighbours kept",
            f"Of the nearest neighbours in the data, {100 * recall.map.value:.0f} % are still the nearest on the map.",
            "Do not read single neighbours from it; use the data itself for that. Colour by trust to see where it is "
            "worst, or map with more neighbours.",
        )  # fmt: skip
    if evidence.null is not None and evidence.null.is_structure_missing:
        yield Alert(
            "structure_in_noise", "serious", "Noise would look the same", evidence.null.sentence,
            "Take no group or shape on this map for real unless something else confirms it.",
        )  # fmt: skip
    if evidence.stability is not None and evidence.stability.is_unstable:
        stability = evidence.stability
        kept, wandering = stability.kept.value, stability.wandering
        yield Alert(
            "unstable", "serious" if kept < HALF else "care", "Other seeds give other maps",
            f"Over {len(stability.maps)} maps, {100 * wandering:.0f} % of the points change their place by more "
            f"than a quarter of the map, and {100 * kept:.0f} % of the neighbours agree.",
            "Read no distance between far groups. Colour by stability to see which neighbourhoods are the same "
            "every time.",
        )  # fmt: skip
    torn = 0.0 if evidence.metric is None else float(np.nanmean(evidence.metric.torn > 0))
    if torn > MANY_TORN:
        yield Alert(
            "torn", "care", "Torn neighbourhoods",
            f"{100 * torn:.0f} % of the points have neighbours in the data that the map carries far off.",
            "A gap on the map is not always one in the data: compare with the trust of the points along it.",
        )  # fmt: skip


def _about_data(profile: "GeometryProfile", evidence: "Evidence") -> Iterator[Alert]:
    size, shape = profile.section("size").values, profile.section("shape").values
    yield from _about_rows(size)
    parts = profile.connectedness
    if parts.n_components > 1:
        sizes = [f"{count:,}" for count in parts.sizes[:4]]
        which = "" if parts.n_components <= len(sizes) else ", the largest"
        yield Alert(
            "disconnected", "care", f"{parts.n_components:,} separate parts",
            f"The neighbour graph falls apart into {parts.n_components:,} pieces{which} of {', '.join(sizes[:-1])} and "
            f"{sizes[-1]} points.",
            "Where the parts lie relative to each other means nothing; map with more neighbours to join them, or each "
            "part by itself.",
        )  # fmt: skip
    if shape.get("is_mixed"):
        yield Alert(
            "mixed_dimension", "care", "Dimension differs from place to place",
            f"Around 90 % of the points it lies between {shape['local_low']:.1f} and {shape['local_high']:.1f}, more "
            "than sampling explains.",
            "One map cannot do justice to all of it: colour by local dimension, and map the parts separately.",
        )  # fmt: skip
    hubs = evidence.hubs
    if hubs is not None and hubs.skewness > HUB_SKEWNESS:
        yield Alert(
            "hubs", "care", "Hubs",
            f"{len(hubs.hubs):,} points are {100 * hubs.hub_occurrence:.0f} % of all neighbours (skewness "
            f"{hubs.skewness:.1f}), and {100 * hubs.antihubs:.0f} % of the points are nobody's, as happens in "
            "many dimensions.",
            "Neighbours tell less here. Reduce to the leading principal components first, or use the cosine metric.",
        )  # fmt: skip


def _about_rows(size: Mapping[str, Any]) -> Iterator[Alert]:
    if size["dominating_column"] is not None:
        yield Alert(
            "dominating_column", "serious", "One column dominates",
            f"{size['dominating_column']} holds {100 * size['largest_variance_share']:.0f} % of the variance, so that "
            "distances measure little else.",
            "Bring columns to comparable scales first, as with sklearn.preprocessing.StandardScaler.",
        )  # fmt: skip
    if size["repeated_rows"] > MANY_DUPLICATES * size["n_points"]:
        yield Alert(
            "duplicates", "care", "Repeated rows",
            f"{size['repeated_rows']:,} of {size['n_points']:,} rows repeat another one.",
            "If that is not meant, drop them: copies fill each other's neighbourhoods and draw tight clumps.",
        )  # fmt: skip
