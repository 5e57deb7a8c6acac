"""The sections of a profile: each producer looks at the evidence and says its part, or nothing."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from holonomy._core.random import derive_seed, generator
from holonomy.graphs import NeighborGraph
from holonomy.measure import _wording as wording
from holonomy.measure._findings import Findings
from holonomy.measure._main_part import is_whole
from holonomy.measure.dimension_scales import dimension_over_scale

SCALES_SAMPLE = 4000
"""Points that the dimension over scale is measured on, of more."""


@dataclass(frozen=True)
class ProfileSection:
    """One aspect of a data set.

    Attributes
    ----------
    name : str
        What it is about.
    sentences : tuple of str
        What was found.
    values : dict
        The numbers behind the sentences; text, numbers, booleans, None and lists of these.

    Examples
    --------
    >>> import numpy as np
    >>> import holonomy
    >>> section = holonomy.profile(np.random.default_rng(0).normal(size=(200, 3))).section("connectedness")
    >>> section.values["n_parts"]
    1
    """

    name: str
    sentences: tuple[str, ...]
    values: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a producer may look at: the points (n, d), their neighbours, what was found so far, and a seed."""

    points: np.ndarray
    graph: NeighborGraph
    findings: Findings
    seed: int


Producer = Callable[[Evidence], ProfileSection | None]
"""Says one section from the evidence, or None where it has nothing to say."""


def size(evidence: Evidence) -> ProfileSection:
    """How much data there is."""
    findings = evidence.findings
    columns = findings.columns
    values = {
        "n_points": findings.n_points,
        "n_features": columns.n_columns,
        "metric": findings.graph.metric,
        "n_neighbors": findings.graph.n_neighbors,
        "repeated_rows": findings.n_repeated,
        "constant_columns": list(columns.constant),
        "dominating_column": columns.dominating,
        "largest_variance_share": columns.largest_share,
    }
    return ProfileSection("size", wording.about_size(findings), values)


def connected_parts(evidence: Evidence) -> ProfileSection:
    """Whether it hangs together."""
    parts = evidence.findings.connectedness
    values = {"n_parts": parts.n_components, "largest_parts": parts.sizes[:20].tolist()}
    return ProfileSection("connectedness", wording.about_connectedness(parts), values)


def linear_extent(evidence: Evidence) -> ProfileSection:
    """How many straight directions it extends in."""
    findings = evidence.findings
    span = findings.span
    values = {
        "directions_with_95_percent": span.directions_for(0.95),
        "effective_rank": span.effective_rank,
        "participation_ratio": span.participation_ratio,
        "leading_variances": span.spectrum[:20].tolist(),
        "noise_floor": None if findings.floor is None else asdict(findings.floor),
    }
    return ProfileSection("linear span", wording.about_span(findings), values)


def dimension(evidence: Evidence) -> ProfileSection:
    """How many dimensions it has, and where."""
    findings = evidence.findings
    values: dict[str, Any] = {
        "dimension": findings.dimension,
        "is_of_largest_part": not is_whole(findings.connectedness),
        "tied_share": findings.tied_share,
    }
    for name, estimate in (("two_nn", findings.two_nn), ("maximum_likelihood", findings.mle)):
        values[name] = None
        if estimate is not None:
            low, high = wording.local_range(estimate)
            values[name] = {
                "value": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "level": estimate.level,
                "local_low": low,
                "local_high": high,
            }
    return ProfileSection("dimension", wording.about_dimension(findings), values)


def scales(evidence: Evidence) -> ProfileSection | None:
    """How the dimension changes from near to afar, on a sample of the largest part."""
    findings = evidence.findings
    if findings.mle is None or findings.are_too_few or findings.is_tied or not findings.is_straight:
        return None
    inside = np.flatnonzero(findings.connectedness.labels == 0)
    seed = derive_seed(evidence.seed, "scales")
    if len(inside) > SCALES_SAMPLE:
        inside = np.sort(generator(seed).choice(inside, SCALES_SAMPLE, replace=False))
    try:
        curve = dimension_over_scale(evidence.points[inside], random_state=seed)
    except ValueError:
        # Too few distinct rows in a sample.
        return None
    return ProfileSection("scales", wording.about_scales(curve), curve.to_dict())


def shape(evidence: Evidence) -> ProfileSection:
    """Whether it is flat, curved, or round."""
    findings = evidence.findings
    values: dict[str, Any] = {"verdict": findings.verdict}
    if findings.flatness is not None:
        values = {**asdict(findings.flatness), **values, "is_mixed": findings.is_mixed}
        values["local_low"], values["local_high"] = findings.local_range
    if findings.sphere is not None:
        values["sphere"] = asdict(findings.sphere)
    return ProfileSection("shape", wording.about_shape(findings), values)


def branching(evidence: Evidence) -> ProfileSection | None:
    """How like a tree it is."""
    found = evidence.findings.branching
    if found is None:
        return None
    values = {
        "mean_delta": found.delta.value,
        "mean_delta_low": found.delta.low,
        "mean_delta_high": found.delta.high,
        "relative_delta": found.relative_delta,
        "off_path": found.off_path,
        "is_tree": found.is_tree,
        "is_path": found.is_path,
    }
    return ProfileSection("branching", wording.about_branching(evidence.findings), values)


def noise(evidence: Evidence) -> ProfileSection | None:
    """How far points lie off their surface."""
    level = evidence.findings.noise_level
    return None if level is None else ProfileSection("noise", wording.about_noise(evidence.findings), asdict(level))


def hubs(evidence: Evidence) -> ProfileSection:
    """Whether a few points are neighbours of very many."""
    found = evidence.findings.hubness
    values = {
        "skewness": found.skewness,
        "robin_hood": found.robin_hood,
        "hub_occurrence": found.hub_occurrence,
        "antihubs": found.antihubs,
        "n_hubs": len(found.hubs),
    }
    return ProfileSection("hubs", wording.about_hubs(evidence.findings), values)


def outlying(evidence: Evidence) -> ProfileSection:
    """Whether points lie apart."""
    findings = evidence.findings
    values = {"n_outliers": findings.n_outliers, "largest_factor": float(findings.outlier_factors.max())}
    return ProfileSection("outliers", wording.about_outliers(findings), values)


PRODUCERS: list[Producer] = [
    size,
    connected_parts,
    linear_extent,
    dimension,
    scales,
    shape,
    branching,
    noise,
    hubs,
    outlying,
]
"""In the order of the profile. Curvature, topology and singularities join it here."""


def sections(evidence: Evidence) -> tuple[ProfileSection, ...]:
    """Ask every producer in turn."""
    found = (produce(evidence) for produce in PRODUCERS)
    return tuple(section for section in found if section is not None)
