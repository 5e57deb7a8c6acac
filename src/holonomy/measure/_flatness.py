"""Is the data flat? Its dimension beside that of clouds that are flat for certain."""

from dataclasses import dataclass

import numpy as np

from holonomy._core.random import derive_seed, generator
from holonomy.measure.intrinsic_dimension import mle_dimension
from holonomy.measure.linear_span import LinearSpan

SCALES = ((200, 10), (600, 10))
"""Sample sizes and neighbours of the comparison, coarse to fine: far enough apart to look past fine noise."""

SHAPES = ("uniform", "gaussian")
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of the quantiles of local dimensions."""

REPEATS = 5
FEWEST_POINTS = 60
FLAT_SHARE = 0.92
"""A dimension below this share of the flat clouds' is curvature; edges and clusters alone stay above it."""

SURE = 3.0
"""Standard errors by which a dimension must be lower to count as such."""

CLUMPED_SHARE = 1.25
"""A dimension above this share of the flat clouds' means that most variance lies between clumps."""


@dataclass(frozen=True)
class PooledDimension:
    """A dimension from several samples of one size.

    Attributes
    ----------
    value : float
        Harmonic mean over the samples.
    log_error : float
        Standard error of its logarithm.
    local_low, local_high : float
        Range of 90 % of the local dimensions.
    spread, inner_spread : float
        Its width, and that of the range of the middle half, relative to their median.
    """

    value: float
    log_error: float
    local_low: float
    local_high: float
    spread: float
    inner_spread: float


@dataclass(frozen=True)
class Flatness:
    """Dimensions of the data and of flat clouds with the same variances, for one sample size.

    Attributes
    ----------
    n_points : int
        Points in each sample.
    coarse : float
        Dimension of the data at the coarsest scale: in samples of 200 points, or all if there are fewer.
    measured : float
        Dimension of the data in samples of ``n_points``.
    flat_low, flat_high : float
        The lower and the higher of the dimensions of a uniform and a Gaussian cloud with the variances of the data.
    spread, inner_spread : float
        How much the local dimension varies, over how much it does in the flat clouds: range of 90 % of the points, and
        of the middle half, in samples of 200 or of ``n_points``, where the data stand out more. (Fine noise levels the
        local dimension at small distances.)
    coarse_low, coarse_high : float
        Range of 90 % of the local dimensions at the coarsest scale.
    verdict : str
        ``"curved"``: clearly lower than both flat clouds. ``"flat"``: like them. ``"clumped"``: clearly higher than
        both. ``"unclear"``: lower, but not surely; or the points are too few for the directions they lie in.
    """

    n_points: int
    coarse: float
    measured: float
    flat_low: float
    flat_high: float
    spread: float
    inner_spread: float
    coarse_low: float
    coarse_high: float
    verdict: str


def compare_with_flat(points: np.ndarray, span: LinearSpan, seed: int) -> Flatness | None:
    """Compare the dimension of data with that of a Gaussian cloud and of a uniform box of the same variances.

    Every estimator of dimension reads low near edges, with curvature and in many dimensions; the flat clouds have the
    same number of points, neighbours and variances, so that what makes the data read lower is its shape: curvature,
    branching, or gaps. A flat cloud rarely falls below 0.95 of them.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        Points of one connected part.
    span : LinearSpan
        Their variances along the principal directions.
    seed : int
        Seed of the samples and clouds.

    Returns
    -------
    Flatness or None
        None where there are fewer than 60 points, or their neighbours tell no dimension.
    """
    if len(points) < FEWEST_POINTS or span.rank == 0:
        return None
    extents = np.sqrt(span.spectrum[: span.rank])
    (coarse_size, coarse_k), (size, k) = [(min(size, len(points)), k) for size, k in SCALES]
    try:
        measured = _pooled(_samples(points, size, derive_seed(seed, "fine")), k)
        coarse = _pooled(_samples(points, coarse_size, derive_seed(seed, "coarse")), coarse_k)
    except ValueError:
        # Too many duplicates or equal distances in so few points.
        return None
    flat = [_pooled(_flat_clouds(extents, size, shape, seed), k) for shape in SHAPES]
    low, high = sorted(flat, key=lambda pooled: pooled.value)
    flat_coarse = [_pooled(_flat_clouds(extents, coarse_size, shape, seed), coarse_k) for shape in SHAPES]
    scales = [(measured, flat), (coarse, flat_coarse)]
    verdict = _verdict(measured, low, high)
    if verdict != "curved" and 2 * span.directions_for(0.95) > len(points):
        # The spectrum describes the sample more than its source, and so do clouds made from it.
        verdict = "unclear"
    return Flatness(
        n_points=size,
        coarse=coarse.value,
        measured=measured.value,
        flat_low=low.value,
        flat_high=high.value,
        spread=max(pooled.spread / max(cloud.spread for cloud in clouds) for pooled, clouds in scales),
        inner_spread=max(
            pooled.inner_spread / max(cloud.inner_spread for cloud in clouds) for pooled, clouds in scales
        ),
        coarse_low=coarse.local_low,
        coarse_high=coarse.local_high,
        verdict=verdict,
    )


def _verdict(measured: PooledDimension, low: PooledDimension, high: PooledDimension) -> str:
    if measured.value > CLUMPED_SHARE * high.value:
        return "clumped"
    if measured.value >= FLAT_SHARE * low.value:
        return "flat"
    sureness = np.log(low.value / measured.value) / np.hypot(low.log_error, measured.log_error)
    return "curved" if sureness > SURE else "unclear"


def _samples(points: np.ndarray, size: int, seed: int) -> list[np.ndarray]:
    """Draw disjoint samples, as many as there are, up to `REPEATS`."""
    order = generator(seed).permutation(len(points))
    return [points[order[i * size : (i + 1) * size]] for i in range(min(REPEATS, len(points) // size))]


def _flat_clouds(extents: np.ndarray, size: int, shape: str, seed: int) -> list[np.ndarray]:
    draws = generator(seed, shape)
    if shape == "gaussian":
        return [draws.normal(size=(size, len(extents))) * extents for _ in range(REPEATS)]
    return [draws.uniform(-np.sqrt(3), np.sqrt(3), size=(size, len(extents))) * extents for _ in range(REPEATS)]


def _pooled(samples: list[np.ndarray], n_neighbors: int) -> PooledDimension:
    estimates = [mle_dimension(sample, n_neighbors, level=0.95) for sample in samples]
    errors = [np.log(estimate.high / estimate.value) / 1.96 for estimate in estimates]
    ranges = np.array([np.nanquantile(estimate.per_point, LEVELS) for estimate in estimates])
    low, first, middle, third, high = ranges.T
    return PooledDimension(
        value=float(1 / np.mean([1 / estimate.value for estimate in estimates])),
        log_error=float(np.sqrt(np.mean(np.square(errors)) / len(samples))),
        local_low=float(low.mean()),
        local_high=float(high.mean()),
        spread=float(np.mean((high - low) / middle)),
        inner_spread=float(np.mean((third - first) / middle)),
    )
