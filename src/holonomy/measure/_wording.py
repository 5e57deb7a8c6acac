"""A profile in plain sentences. Each says what was measured, and how sure that is."""

import numpy as np

from holonomy.measure._columns import Columns
from holonomy.measure._findings import Findings
from holonomy.measure._main_part import dimensions_of_parts, is_whole
from holonomy.measure._spectral_floor import SpectralFloor
from holonomy.measure.components import Connectedness
from holonomy.measure.dimension_scales import DimensionCurve
from holonomy.measure.intrinsic_dimension import DimensionEstimate

NAMES_SHOWN = 5
NEGLIGIBLE_NOISE = 0.01
HIGH_DIMENSION = 6.0
"""Dimension from which estimates from samples of usual size read low."""


def headline(findings: Findings) -> str:
    """Say in one sentence what the data looks like."""
    if findings.is_point:
        return f"All {findings.n_points:,} rows are equal: the data are a single point."
    mle, dimension, whole = findings.main_mle, findings.dimension, is_whole(findings.connectedness)
    if mle is None or dimension is None:
        return "No dimension can be measured: the points have too few distinct neighbours, or all are equally far."
    estimates = _estimates(None if findings.is_tied else findings.main_two_nn, mle)
    within = _within(findings, dimension)
    subject = "the data look" if whole else f"the largest of {findings.connectedness.n_components:,} parts looks"
    if findings.are_too_few:
        return f"The points are too few to tell the dimension of their source ({estimates})."
    if findings.verdict == "flat":
        noise = " with noise around it" if findings.noise else ""
        return _sentence(f"{subject} like {_flat_shape(round(dimension))}{noise} ({estimates}).")
    looks = _dimensional(dimension, findings)
    if findings.is_mixed:
        looks = f"{_count(*findings.local_range)}-dimensional, depending on the place"
    if findings.is_noisy and findings.main_two_nn is not None:
        near = findings.main_two_nn
        return (
            f"Seen from afar, {subject} {looks} (maximum likelihood "
            f"{findings.seen:.2f}){within}; at "
            f"the smallest distances, where noise counts, {_count(near.value, near.value)}-dimensional "
            f"({_with_interval(near)})."
        )
    return _sentence(f"{subject} {looks} ({estimates}){within}.")


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def about_size(findings: Findings) -> tuple[str, ...]:
    """Say how much data there is, and what is odd about rows and columns."""
    n, k = findings.n_points, findings.graph.n_neighbors
    columns = findings.columns
    sentences = [
        f"{n:,} points with {columns.n_columns:,} {_plural('feature', columns.n_columns)}, compared by "
        f"{findings.graph.metric} distance with {k} {_plural('neighbour', k)} each."
    ]
    if findings.n_repeated:
        verb = "repeats" if findings.n_repeated == 1 else "repeat"
        sentences.append(
            f"{findings.n_repeated:,} of the rows {verb} another one (distance 0); dimensions count them once."
        )
    if findings.is_crowded:
        sentences.append(
            "Some rows have more copies than neighbours: parts and dimensions were measured on the distinct rows alone."
        )
    return (*sentences, *_about_columns(columns))


def _about_columns(columns: Columns) -> list[str]:
    sentences = []
    if columns.constant:
        n = len(columns.constant)
        verb = "is constant and carries" if n == 1 else "are constant and carry"
        more = f" and {n - NAMES_SHOWN:,} more" if n > NAMES_SHOWN else ""
        shown = ", ".join(columns.constant[:NAMES_SHOWN]) + more
        sentences.append(f"{n:,} {_plural('column', n)} {verb} no information: {shown}.")
    if columns.dominating is not None:
        sentences.append(
            f"Column {columns.dominating} holds {100 * columns.largest_share:.0f} % of the total variance, "
            "so that distances measure little else."
        )
    return sentences


def about_connectedness(parts: Connectedness) -> tuple[str, ...]:
    """Say whether the data hangs together."""
    if parts.is_connected:
        return ("The neighbour graph is connected.",)
    sizes = [f"{size:,}" for size in parts.sizes[:NAMES_SHOWN]]
    if parts.n_components > NAMES_SHOWN:
        which = f", the largest of {', '.join(sizes)} points"
    else:
        which = f" of {', '.join(sizes[:-1])} and {sizes[-1]} points"
    return (f"The neighbour graph falls into {parts.n_components:,} separate parts{which}.",)


def about_span(findings: Findings) -> tuple[str, ...]:
    """Say how many straight directions the data extends in."""
    span = findings.span
    if span.rank == 0:
        return ()
    directions, of = span.directions_for(0.95), findings.columns.n_columns
    subject = "95 %" if findings.connectedness.is_connected else "Within the largest part, 95 %"
    sentences = [
        f"{subject} of the variance lies in {directions:,} of {of:,} linear "
        f"{_plural('direction', of)} (effective rank {span.effective_rank:.1f})."
    ]
    if findings.floor is not None:
        n = findings.floor.n_above
        kind = "floor of noise" if findings.noise else "remainder"
        sentences.append(
            f"{n:,} {_plural('direction', n)} {'stands' if n == 1 else 'stand'} out from an even {kind}, with "
            f"standard deviation {findings.floor.deviation:.3g} in each direction."
        )
    return tuple(sentences)


def about_dimension(findings: Findings) -> tuple[str, ...]:
    """Say what dimension was measured at which scale, and where it varies."""
    two, mle = findings.two_nn, findings.mle
    if mle is None:
        return ()
    nearest = "" if two is None else f"{_with_interval(two)}, from the nearest two neighbours; "
    sentences = [
        f"Intrinsic dimension: {nearest}{_with_interval(mle)}, from {mle.n_neighbors} neighbours. "
        "The intervals hold the sampling error only."
    ]
    by_part = dimensions_of_parts(findings.connectedness, mle.per_point)
    if len(by_part) > 1:
        told = [f"{value:.1f}" for value in by_part]
        which = "parts" if len(told) == findings.connectedness.n_components else f"{len(told)} largest parts"
        sentences.append(f"In the {which} it is {', '.join(told[:-1])} and {told[-1]}, the largest part first.")
    if findings.is_tied:
        sentences.append(
            f"The nearest neighbours of {100 * findings.tied_share:.0f} % of the points are equally far, as in rounded "
            "or discrete data: estimates from the nearest two mean little."
        )
    above = f", within the {_directions_above(findings.noise)}" if findings.noise else ""
    if findings.flatness is not None and findings.n_points > 2 * findings.flatness.n_points:
        sentences.append(f"Seen from afar, in samples of 200 points{above}, it is {findings.flatness.coarse:.1f}.")
    if findings.is_mixed:
        low, high = findings.local_range
        sentences.append(
            f"It differs from place to place more than sampling explains: around 90 % of the points it lies between "
            f"{low:.1f} and {high:.1f}."
        )
    if mle.value >= HIGH_DIMENSION:
        sentences.append(
            "Dimensions this high are usually read low: with 2,000 points by 5 to 10 % at 8 dimensions, by 25 % at 20."
        )
    return tuple(sentences)


def about_scales(curve: DimensionCurve) -> tuple[str, ...]:
    """Say how the dimension changes from near to afar."""
    if len(curve.values) < 2:
        return ()
    near, far = ((curve.values[i], curve.low[i], curve.high[i], curve.scales[i]) for i in (0, -1))
    return (
        f"At distances around {near[3]:.2g} the dimension reads {near[0]:.1f} ({near[1]:.1f} to {near[2]:.1f}), and "
        f"around {far[3]:.2g} {far[0]:.1f} ({far[1]:.1f} to {far[2]:.1f}); it is steadiest at {curve.plateau:.1f}.",
    )


def about_shape(findings: Findings) -> tuple[str, ...]:
    """Say how the data compares with a sphere, and with flat clouds of the same variances."""
    flatness, sphere = findings.flatness, findings.sphere
    if sphere is not None:
        name = "circle" if sphere.dimension == 1 else f"sphere of {sphere.dimension} dimensions"
        return (
            f"The points{_of_part(findings)} lie on a {name}: their distance to its centre is {sphere.radius:.3g} with "
            f"standard deviation {sphere.deviation:.2g}, and they have the dimension of one that is filled.",
        )
    if flatness is None:
        return ()
    where = f"Within the {_directions_above(findings.noise)}, in samples" if findings.noise else "In samples"
    low, high = flatness.flat_low, flatness.flat_high
    comparison = (
        f"{where} of {flatness.n_points:,} points{_of_part(findings)}, the dimension measures "
        f"{flatness.measured:.1f}, and that of flat clouds with the same variances (uniform and Gaussian) {low:.1f} to "
        f"{high:.1f}"
    )
    return (
        {
            "curved": f"{comparison}: the data are curved, branched or gathered inside their linear directions.",
            "flat": f"{comparison}: nothing was found that a linear view would miss.",
            "clumped": f"{comparison}: most of the variance lies between clumps of points, not within them.",
            "unclear": f"{comparison}: too few points to tell whether the data are flat.",
        }[flatness.verdict],
    )


def about_branching(findings: Findings) -> tuple[str, ...]:
    """Say how like a tree the geodesics are."""
    branching = findings.branching
    if branching is None or findings.main_mle is None:
        return ()
    along = "Distances along the data" if is_whole(findings.connectedness) else "Distances along the largest part"
    delta = branching.delta
    measured = (
        f"mean Gromov delta of geodesics {delta.value:.3f} of their mean length, {delta.level * 100:g} % interval "
        f"{delta.low:.3f} to {delta.high:.3f}"
    )
    if branching.is_tree:
        beside = f"{100 * branching.off_path:.0f} % of the points lie beside its longest path"
        return (f"{along} are those of a branching tree ({measured}): {beside}.",)
    if branching.is_path and findings.is_thin_tree:
        return (f"{along} are those of a line without branches ({measured}).",)
    if branching.has_loops and findings.dimension is not None and round(findings.dimension) == 1:
        return (f"{along} are those of a curve with loops ({measured}; 0.125 on a circle).",)
    return (f"{along} are not those of a tree ({measured}; 0 on a tree, about 0.1 in flat clouds).",)


def about_noise(findings: Findings) -> tuple[str, ...]:
    """Say how far the points lie off their surface."""
    level = findings.noise_level
    if level is None:
        return ()
    is_little = level.relative < NEGLIGIBLE_NOISE
    if is_little and not findings.is_noisy:
        return ("No noise is seen off the surface: less than 1 % of the extent of the data.",)
    share = "less than 1" if is_little else f"{100 * level.relative:.0f}"
    bound = "about" if level.is_resolved else "at least"
    surface = f"a surface of {level.dimension} {_plural('dimension', level.dimension)}"
    return (
        f"Points{_of_part(findings)} lie off {surface} by {bound} {level.deviation:.2g} (standard deviation in each "
        f"direction; {level.low:.2g} to {level.high:.2g} in the middle half of places), {share} % of the extent of the "
        "data.",
    )


def about_hubs(findings: Findings) -> tuple[str, ...]:
    """Say whether a few points are neighbours of very many."""
    found = findings.hubness
    measured = f"skewness of occurrences {found.skewness:.1f}, Robin Hood index {100 * found.robin_hood:.0f} %"
    if not findings.has_hubs:
        return (f"No point is the neighbour of unusually many others ({measured}).",)
    n = len(found.hubs)
    return (
        f"{n:,} {_plural('hub', n)} {'takes' if n == 1 else 'take'} {100 * found.hub_occurrence:.0f} % of the places "
        f"among neighbours, and {100 * found.antihubs:.0f} % of the points are nobody's neighbour ({measured}).",
    )


def about_outliers(findings: Findings) -> tuple[str, ...]:
    """Say whether points lie apart."""
    n, largest = findings.n_outliers, float(findings.outlier_factors.max())
    if n == 0:
        return ()
    verb = "lies in a place" if n == 1 else "lie in places"
    return (
        f"{n:,} {_plural('point', n)} ({100 * n / findings.n_points:.2g} %) {verb} at least twice as sparse as those "
        f"of their neighbours (local outlier factor up to {largest:.1f}).",
    )


def local_range(estimate: DimensionEstimate) -> tuple[float, float]:
    """Return the range of the local dimension around 90 % of the points."""
    low, high = np.nanquantile(estimate.per_point, [0.05, 0.95])
    return float(low), float(high)


def _directions_above(noise: SpectralFloor) -> str:
    n = noise.n_above
    return "direction above the noise" if n == 1 else f"{n} directions above the noise"


def _of_part(findings: Findings) -> str:
    return "" if is_whole(findings.connectedness) else " of the largest part"


def _plural(noun: str, n: int) -> str:
    return noun if n == 1 else f"{noun}s"


def _with_interval(estimate: DimensionEstimate) -> str:
    level = f"{estimate.level * 100:g} % interval"
    return f"{estimate.method} {estimate.value:.2f}, {level} {estimate.low:.2f} to {estimate.high:.2f}"


def _estimates(two: DimensionEstimate | None, mle: DimensionEstimate) -> str:
    return _with_interval(mle) if two is None else f"{_with_interval(two)}; {mle.method} {mle.value:.2f}"


def _count(low: float, high: float) -> str:
    first, last = max(1, round(low)), max(1, round(high))
    return f"{first}" if first == last else f"{first}- to {last}"


def _dimensional(dimension: float, findings: Findings) -> str:
    """Word a dimension: both integers where it lies between them, and what such a thing is like."""
    below, rest = divmod(dimension, 1.0)
    count = _count(below, below + 1) if 0.35 < rest < 0.65 else _count(dimension, dimension)
    likeness = {"1": f", like {_curve(findings)}", "2": ", like a surface"}.get(count, "")
    return f"{count}-dimensional{likeness}"


def _curve(findings: Findings) -> str:
    branching = findings.branching
    if findings.sphere is not None:
        return "a circle"
    if branching is not None and branching.is_tree:
        return "a branching tree"
    if branching is not None and branching.is_path:
        return "an open curve"
    if branching is not None and branching.has_loops:
        return "a curve that closes on itself"
    return "a curve or a branching tree"


def _flat_shape(dimension: int) -> str:
    if dimension > HIGH_DIMENSION:
        return f"a flat cloud of about {dimension} dimensions"
    return {1: "a straight line", 2: "a flat sheet"}.get(dimension, f"a flat cloud of {dimension} dimensions")


def _within(findings: Findings, dimension: float) -> str:
    directions = findings.linear_directions
    if findings.verdict == "clumped":
        return ", gathered in clumps"
    if findings.verdict != "curved":
        return ""
    if findings.sphere is not None:
        directions = findings.sphere.dimension + 1
        shape = "" if findings.sphere.dimension == 1 else f": on a sphere of radius {findings.sphere.radius:.3g}"
        return f", curled up in {directions} linear directions{shape}"
    if directions <= round(dimension):
        verb = "do" if is_whole(findings.connectedness) else "does"
        return f", and {verb} not lie flat"
    return f", curled up in {directions} linear directions"
