"""Everything a profile measures, in one place: one neighbour graph, one pass."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from holonomy._core.random import derive_seed
from holonomy.graphs import NeighborGraph
from holonomy.measure._branching import Branching, measure_branching
from holonomy.measure._columns import Columns, examine_columns
from holonomy.measure._distinct import distinct_neighbors
from holonomy.measure._flatness import Flatness, compare_with_flat
from holonomy.measure._main_part import graph_of_main_part
from holonomy.measure._spectral_floor import SpectralFloor, find_floor
from holonomy.measure._sphere import SphereFit, fit_sphere
from holonomy.measure.components import Connectedness, connectedness
from holonomy.measure.hubs import Hubness, hubness
from holonomy.measure.intrinsic_dimension import DimensionEstimate, mle_dimension, two_nn
from holonomy.measure.linear_span import LinearSpan, effective_rank, leading_coordinates
from holonomy.measure.outliers import local_outlier_factor
from holonomy.measure.tangent_noise import NoiseLevel, noise_level

NOISE_RATIO = 1.25
"""Dimension at the smallest distances over that from afar, above which noise shows."""

KNOWN_NOISE_RATIO = 1.1
"""That ratio where the spectrum has a floor of noise already."""

READ_LOW = 0.015
"""Share, for each dimension, by which estimates from afar read lower without any noise."""

TIED_SHARE = 0.1
"""Share of points with equally far nearest neighbours from which the smallest distances mean nothing."""

MIXED_RATIO = 1.5
"""Range of local dimensions over that in flat clouds, above which the dimension differs from place to place."""

JOINTED_RATIO = 4.0
"""The same for the middle half of the points of a tree, of which few lie at the joints, where it reads high."""

STRAIGHT_METRICS = ("euclidean", "sqeuclidean")
FEWEST_POINTS = 20
POINTS_PER_DIMENSION = 4

ROUND_SHARE = 0.2
"""Variance, over the largest, of a direction that a sphere may extend in."""

EVEN_SHARE = 0.2
"""Least over largest variance from which a flat cloud extends in all its directions."""

MOST_DIRECTIONS = 64
"""Directions up to which a sphere is looked for."""

THIN_TREE = 1.7
"""Dimension up to which data whose geodesics are a tree's is a tree thickened by noise."""

MOST_COLUMNS = 256
"""Columns up to which the noise off a curved surface is measured."""

OUTLYING = 2.0
"""Local outlier factor from which a point is called an outlier."""

HUB_SKEWNESS = 1.4
"""Skewness of occurrences among neighbours from which hubs distort neighbourhoods."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What a profile rests on.

    ``two_nn`` and ``mle`` are None where they cannot be measured, ``flatness`` where it cannot be compared; the former
    are of all points, and ``main_two_nn`` and ``main_mle`` of those of the largest connected part. ``span``,
    ``floor``, ``flatness``, ``sphere`` and ``branching`` describe the distinct rows of the largest connected part, the
    last three within the directions above noise, and are None where they cannot tell. ``is_crowded`` tells that rows
    have more copies than neighbours, so that parts and dimensions were measured on the distinct rows.
    """

    graph: NeighborGraph
    columns: Columns
    n_repeated: int
    is_crowded: bool
    tied_share: float
    connectedness: Connectedness
    span: LinearSpan
    floor: SpectralFloor | None
    two_nn: DimensionEstimate | None
    mle: DimensionEstimate | None
    main_two_nn: DimensionEstimate | None
    main_mle: DimensionEstimate | None
    flatness: Flatness | None
    sphere: SphereFit | None
    branching: Branching | None
    hubness: Hubness
    outlier_factors: np.ndarray
    noise_level: NoiseLevel | None = None

    @property
    def n_points(self) -> int:
        """Number of points."""
        return self.graph.n_points

    @property
    def is_straight(self) -> bool:
        """Whether neighbours were found by straight distances between the points."""
        return self.graph.metric in STRAIGHT_METRICS

    @property
    def is_point(self) -> bool:
        """Whether all rows are equal."""
        return len(self.columns.constant) == self.columns.n_columns

    @property
    def verdict(self) -> str:
        """The verdict of `Flatness`, ``"curved"`` on spheres and trees, or ``"unknown"`` where none was reached."""
        if self.sphere is not None or (self.branching is not None and self.branching.is_tree):
            return "curved"
        return "unknown" if self.flatness is None else self.flatness.verdict

    @property
    def are_too_few(self) -> bool:
        """Whether there are too few points to speak of a dimension."""
        n_distinct = self.n_points - self.n_repeated
        return n_distinct < FEWEST_POINTS or (
            self.main_mle is not None and n_distinct < POINTS_PER_DIMENSION * self.main_mle.value
        )

    @property
    def is_tied(self) -> bool:
        """Whether many nearest neighbours are equally far, as in rounded or discrete data."""
        return self.tied_share > TIED_SHARE

    @property
    def noise(self) -> SpectralFloor | None:
        """The floor of the spectrum if it is noise."""
        return self.floor if self.floor is not None and self.floor.is_noise else None

    @property
    def linear_directions(self) -> int:
        """Directions above the noise, or with 95 % of the variance where there is none."""
        return self.noise.n_above if self.noise else self.span.directions_for(0.95)

    @property
    def is_noisy(self) -> bool:
        """Whether the dimension is clearly higher at the smallest distances than from afar."""
        if self.main_two_nn is None or self.flatness is None or self.is_tied:
            return False
        expected = self.flatness.coarse * (1 + READ_LOW * self.flatness.coarse)
        ratio = NOISE_RATIO if self.noise is None else KNOWN_NOISE_RATIO
        return self.main_two_nn.value > ratio * expected and self.main_two_nn.low > expected

    @property
    def is_thin_tree(self) -> bool:
        """Whether the data is a tree or a path, which noise may have thickened."""
        if self.branching is None or self.main_mle is None:
            return False
        if self.branching.is_tree:
            return self.is_noisy or self.seen < THIN_TREE
        return self.branching.is_path and self.seen < THIN_TREE

    @property
    def has_hubs(self) -> bool:
        """Whether a few points are neighbours of very many."""
        return self.hubness.skewness > HUB_SKEWNESS

    @property
    def n_outliers(self) -> int:
        """Points in much sparser places than their neighbours."""
        return int(np.count_nonzero(self.outlier_factors > OUTLYING))

    @property
    def is_mixed(self) -> bool:
        """Whether local dimensions vary more than sampling explains, and than the joints of a tree do."""
        if self.flatness is None:
            return False
        if self.branching is not None and self.branching.is_tree and self.is_thin_tree:
            return self.flatness.inner_spread > JOINTED_RATIO
        return self.flatness.spread > MIXED_RATIO

    @property
    def local_range(self) -> tuple[float, float]:
        """Range of the local dimension around 90 % of the points of the largest part: past fine noise, if any."""
        if self.flatness is not None and self.is_noisy:
            return self.flatness.coarse_low, self.flatness.coarse_high
        local = np.ones(1) if self.main_mle is None else self.main_mle.per_point
        low, high = np.nanquantile(local, [0.05, 0.95])
        return float(low), float(high)

    @property
    def dimension(self) -> float | None:
        """The dimension to speak of: of the linear span where that is filled, else as seen past fine noise."""
        if self.main_mle is None:
            return None
        if self.sphere is not None:
            return float(self.sphere.dimension)
        if self.verdict == "flat":
            return float(max(self._flat_directions, 0 if self.noise else round(self.main_mle.value)))
        return 1.0 if self.is_thin_tree else self.seen

    @property
    def _flat_directions(self) -> int:
        """Directions of a flat cloud: all that there are where they are even, or fewer than there are columns."""
        span, directions = self.span, self.linear_directions
        if self.noise:
            return directions
        is_even = span.spectrum[span.rank - 1] > EVEN_SHARE * span.spectrum[0]
        is_subspace = span.rank < min(len(span.spectrum), span.n_used - 1) and span.rank <= 2 * directions + 1
        return span.rank if is_even or is_subspace else directions

    @property
    def seen(self) -> float:
        """Dimension by maximum likelihood: past fine noise where there is some."""
        if self.main_mle is None:
            return 0.0
        value = self.flatness.coarse if self.flatness and self.is_noisy else self.main_mle.value
        return min(value, float(self.span.rank))


def measure_all(
    X: np.ndarray,
    graph: NeighborGraph,
    names: tuple[str, ...],
    seed: int,
    search: Callable[[np.ndarray], NeighborGraph] | None,
) -> Findings:
    """Measure everything that a profile speaks of.

    Where rows have more copies than neighbours, ``search`` finds the neighbours of the distinct rows.
    """
    near = distinct_neighbors(graph)
    n_distinct = len(near.distances)
    first = np.unique(near.place, return_index=True)[1]
    if search is not None and 2 <= n_distinct < len(X) and near.counts.min() < min(2, n_distinct - 1):
        distinct = X[first]
        return _repeat(measure_all(distinct, search(distinct), names, seed, search), graph, near.place)
    parts = connectedness(graph)
    chosen = first[parts.labels[first] == 0]
    largest = X if len(chosen) == len(X) else X[chosen]
    span = effective_rank(largest if len(largest) > 1 else X, random_state=derive_seed(seed, "span"))
    floor = find_floor(largest, span, seed) if len(largest) >= FEWEST_POINTS else None
    two, mle = _measured(two_nn, graph), _measured(mle_dimension, graph)
    main = graph_of_main_part(graph, parts)
    main_two, main_mle = (two, mle) if main is graph else (_measured(two_nn, main), _measured(mle_dimension, main))
    tied_share = float(np.mean(near.distances[:, :1] == near.distances[:, 1:2])) if graph.n_neighbors > 1 else 0.0
    # Clouds of real numbers are no measure for discrete data, nor for other metrics.
    is_straight = main_mle is not None and graph.metric in STRAIGHT_METRICS
    flatness, sphere, branching = _shape(largest, span, floor, graph.n_neighbors, seed) if is_straight else 3 * (None,)
    findings = Findings(
        graph=graph,
        columns=examine_columns(X, names),
        n_repeated=len(X) - n_distinct,
        is_crowded=False,
        tied_share=tied_share,
        connectedness=parts,
        span=span,
        floor=floor,
        two_nn=two,
        mle=mle,
        main_two_nn=main_two,
        main_mle=main_mle,
        flatness=flatness if tied_share <= TIED_SHARE else None,
        sphere=sphere if tied_share <= TIED_SHARE else None,
        branching=branching,
        hubness=hubness(graph),
        outlier_factors=local_outlier_factor(graph),
    )
    return replace(findings, noise_level=_noise_level(findings, largest, seed) if is_straight else None)


def _shape(
    points: np.ndarray, span: LinearSpan, floor: SpectralFloor | None, n_neighbors: int, seed: int
) -> tuple[Flatness | None, SphereFit | None, Branching | None]:
    """Compare with flat clouds, spheres and trees, within the directions above noise."""
    if floor is not None and floor.is_noise:
        points = leading_coordinates(points, floor.n_above)
        span = effective_rank(points)
    flatness = compare_with_flat(points, span, derive_seed(seed, "flat"))
    return flatness, _sphere(points, span, seed), measure_branching(points, n_neighbors, seed)


def _sphere(points: np.ndarray, span: LinearSpan, seed: int) -> SphereFit | None:
    n_round = int(np.count_nonzero(span.spectrum > ROUND_SHARE * span.spectrum[0])) if span.rank else 0
    if not 2 <= n_round <= MOST_DIRECTIONS:
        return None
    try:
        aside = float(np.sqrt(span.spectrum[n_round])) if n_round < span.rank else 0.0
        return fit_sphere(leading_coordinates(points, n_round), seed, aside)
    except ValueError:
        # Too many duplicates among the points of a sample to measure a dimension.
        return None


def _noise_level(findings: Findings, points: np.ndarray, seed: int) -> NoiseLevel | None:
    """Measure the noise off a curved surface; of flat data the floor of the spectrum tells it."""
    if findings.dimension is None or findings.verdict != "curved" or findings.is_mixed:
        return None
    dimension = max(1, round(findings.dimension))
    if dimension >= findings.span.rank or points.shape[1] > MOST_COLUMNS or len(points) < 8 * (dimension + 2):
        return None
    return noise_level(points, dimension, random_state=derive_seed(seed, "noise"))


def _measured(
    estimator: Callable[[NeighborGraph], DimensionEstimate], graph: NeighborGraph
) -> DimensionEstimate | None:
    try:
        return estimator(graph)
    except ValueError:
        # Too few distinct points, or all of them equally far: the profile says so.
        return None


def _repeat(findings: Findings, graph: NeighborGraph, place: np.ndarray) -> Findings:
    """Give what was found at distinct places to all their points."""
    parts = findings.connectedness
    labels = parts.labels[place]
    two, mle = (
        None if estimate is None else replace(estimate, per_point=estimate.per_point[place])
        for estimate in (findings.two_nn, findings.mle)
    )
    return replace(
        findings,
        graph=graph,
        n_repeated=len(place) - findings.n_points,
        is_crowded=True,
        connectedness=replace(parts, labels=labels, sizes=np.bincount(labels)),
        two_nn=two,
        mle=mle,
        hubness=hubness(graph),
        outlier_factors=findings.outlier_factors[place],
    )
