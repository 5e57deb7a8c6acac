"""Where the spectrum of data drops to an even floor, as noise has it."""

from dataclasses import dataclass

import numpy as np

from holonomy.measure.linear_span import LinearSpan

DROP = 4.0
"""Fall of variance from the last direction that stands out to the first of the floor."""

EVENNESS = 1.5
"""How much further apart the variances of a floor may be than sampling alone sets them."""

FEWEST_DIRECTIONS = 3
POINTS_PER_DIRECTION = 4


@dataclass(frozen=True)
class SpectralFloor:
    """Directions of small and even variance, below those that stand out.

    Attributes
    ----------
    n_above : int
        Directions above the floor.
    deviation : float
        Standard deviation along each direction of the floor, in units of the data.
    """

    n_above: int
    deviation: float


def find_floor(span: LinearSpan) -> SpectralFloor | None:
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
            return SpectralFloor(n_above, float(np.sqrt(floor.mean())))
    return None
