"""Everything a profile measures, in one place: one neighbour graph, one pass."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from holonomy._core.random import derive_seed
from holonomy.graphs import NeighborGraph
from holonomy.measure._columns import Columns, examine_columns
from holonomy.measure._distinct import distinct_neighbors
from holonomy.measure._flatness import Flatness, compare_with_flat
from holonomy.measure._spectral_floor import SpectralFloor, find_floor
from holonomy.measure.components import Connectedness, connectedness
from holonomy.measure.intrinsic_dimension import DimensionEstimate, mle_dimension, two_nn
from holonomy.measure.linear_span import LinearSpan, effective_rank, leading_coordinates

NOISE_RATIO = 1.25
"""Dimension at the smallest distances over that from afar, above which noise shows."""

READ_LOW = 0.015
"""Share, for each dimension, by which estimates from afar read lower without any noise."""

TIED_SHARE = 0.1
"""Share of points with equally far nearest neighbours from which the smallest distances mean nothing."""

MIXED_RATIO = 2.0
"""Spread of local dimensions over that in flat clouds, above which the dimension differs from place to place."""

FEWEST_POINTS = 20
POINTS_PER_DIMENSION = 4


@dataclass(frozen=True, eq=False)
class Findings:
    """What a profile rests on.

    ``two_nn`` and ``mle`` are None where they cannot be measured, ``flatness`` where it cannot be compared. ``span``,
    ``floor`` and ``flatness`` describe the distinct rows of the largest connected part, ``flatness`` within the
    directions above noise. ``is_crowded`` tells that rows
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
    flatness: Flatness | None

    @property
    def n_points(self) -> int:
        """Number of points."""
        return self.graph.n_points

    @property
    def is_point(self) -> bool:
        """Whether all rows are equal."""
        return len(self.columns.constant) == self.columns.n_columns

    @property
    def verdict(self) -> str:
        """The verdict of `Flatness`, or ``"unknown"`` where it could not be compared."""
        return "unknown" if self.flatness is None else self.flatness.verdict

    @property
    def are_too_few(self) -> bool:
        """Whether there are too few points to speak of a dimension."""
        n_distinct = self.n_points - self.n_repeated
        return n_distinct < FEWEST_POINTS or (
            self.mle is not None and n_distinct < POINTS_PER_DIMENSION * self.mle.value
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
        if self.two_nn is None or self.flatness is None or self.is_tied:
            return False
        expected = self.flatness.coarse * (1 + READ_LOW * self.flatness.coarse)
        return self.two_nn.value > NOISE_RATIO * expected and self.two_nn.low > expected

    @property
    def is_mixed(self) -> bool:
        """Whether local dimensions vary more than sampling explains."""
        return self.flatness is not None and self.flatness.spread > MIXED_RATIO * self.flatness.flat_spread

    @property
    def dimension(self) -> float | None:
        """The dimension to speak of: of the linear span where that is filled, else as seen past fine noise."""
        if self.mle is None:
            return None
        if self.verdict == "flat":
            return float(self.noise.n_above if self.noise else max(self.linear_directions, round(self.mle.value)))
        value = self.flatness.coarse if self.flatness and self.is_noisy else self.mle.value
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
    tied_share = float(np.mean(near.distances[:, :1] == near.distances[:, 1:2])) if graph.n_neighbors > 1 else 0.0
    # Clouds of real numbers are no measure for discrete data, nor for other metrics.
    comparable = mle is not None and graph.metric in ("euclidean", "sqeuclidean") and tied_share <= TIED_SHARE
    return Findings(
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
        flatness=_flatness(largest, span, floor, seed) if comparable else None,
    )


def _flatness(points: np.ndarray, span: LinearSpan, floor: SpectralFloor | None, seed: int) -> Flatness | None:
    if floor is not None and floor.is_noise:
        points = leading_coordinates(points, floor.n_above)
        span = effective_rank(points)
    return compare_with_flat(points, span, derive_seed(seed, "flat"))


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
    )
