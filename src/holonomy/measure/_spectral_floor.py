"""Where the spectrum of data drops to an even floor, as noise has it."""

from dataclasses import dataclass

import numpy as np

from holonomy._core.random import generator
from holonomy.graphs import neighbors
from holonomy.measure.linear_span import LinearSpan, leading_coordinates

DROP = 4.0
"""Fall of variance from the last direction that stands out to the first of the floor."""

EVENNESS = 1.5
"""How much further apart the variances of a floor may be than sampling alone sets them."""

FEWEST_DIRECTIONS = 3
POINTS_PER_DIRECTION = 4
SAMPLE = 600
NEIGHBORS = 5
NOISE_SHARE = 0.5
"""Variance between neighbours along a floor, over its variance between any two points, from which it is noise."""


@dataclass(frozen=True)
class SpectralFloor:
    """Directions of small and even variance, below those that stand out.

    Attributes
    ----------
    n_above : int
        Directions above the floor.
    deviation : float
        Standard deviation along each direction of the floor, in units of the data.
    is_noise : bool
        Whether neighbours lie about as far apart along the floor as any two points, as noise has it; where the data
        extends into the floor, neighbours lie close there too.
    """

    n_above: int
    deviation: float
    is_noise: bool


def find_floor(points: np.ndarray, span: LinearSpan, seed: int) -> SpectralFloor | None:
    """Find the first sharp drop of the spectrum below which the variances are as even as sampling leaves them.

    The sample variances of even noise in p directions lie within (1 -+ sqrt(p / n))^2 of the true one (Marchenko and
    Pastur). With less than four points for each direction that tells nothing.
    """
    variances = span.spectrum[: span.rank]
    for n_above in range(1, len(variances) - FEWEST_DIRECTIONS + 1):
        floor = variances[n_above:]
        if POINTS_PER_DIRECTION * len(floor) > span.n_used or variances[n_above - 1] < DROP * floor[0]:
            continue
        crowding = np.sqrt(len(floor) / span.n_used)
        if floor[0] <= EVENNESS * floor[-1] * ((1 + crowding) / (1 - crowding)) ** 2:
            is_noise = _share_between_neighbors(points, n_above, seed) > NOISE_SHARE
            return SpectralFloor(n_above, float(np.sqrt(floor.mean())), is_noise)
    return None


def _share_between_neighbors(points: np.ndarray, n_above: int, seed: int) -> float:
    """Return the variance between neighbours along the floor, over that between any two points, in a sample."""
    size = min(SAMPLE, len(points))
    sample = points[np.sort(generator(seed, "floor").choice(len(points), size, replace=False))].astype(np.float64)
    sample -= sample.mean(axis=0)
    near = neighbors(sample, min(NEIGHBORS, size - 1)).indices
    above = leading_coordinates(sample, n_above)

    # Squares along the floor are what is left of all squares.
    def squares(steps: np.ndarray, steps_above: np.ndarray) -> float:
        return float(np.square(steps).sum(axis=-1).mean() - np.square(steps_above).sum(axis=-1).mean())

    between = np.mean([squares(sample - sample[other], above - above[other]) for other in near.T])
    return float(between / (2 * squares(sample, above)))
