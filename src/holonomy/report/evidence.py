"""What is known about how far a map can be trusted, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from holonomy.measure import Estimate, Hubness, MapMetric, MapStability, NullCheck, RankCurve


@dataclass(frozen=True)
class Score:
    """One measure of the map and of its PCA baseline, each a mean over points in [0, 1] with an interval.

    Attributes
    ----------
    name, question : str
        What is measured, and the question it answers.
    map, baseline : Estimate
        The values; higher is better.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.report import map_report
    >>> score = map_report(np.random.default_rng(0).normal(size=(60, 5)), n_neighbors=10).evidence.scores[0]
    >>> score.name, 0 <= score.map.value <= 1
    ('Trustworthiness', True)
    """

    name: str
    question: str
    map: "Estimate"
    baseline: "Estimate"


@dataclass(frozen=True, eq=False)
class Evidence:
    """How faithful a map is: as a whole, over the sizes of neighbourhoods, and at each point.

    Attributes
    ----------
    scores : tuple of Score
        Quality of map and baseline, with intervals.
    trust : ndarray, shape (n,)
        Trustworthiness of the map at each point, in [0, 1]; 0.5 is what a random map has.
    curves : mapping of str to RankCurve
        Neighbour recall over all sizes of neighbourhoods, of the map and of its baseline, by name; may be empty.
    hubs : Hubness or None
        How unevenly points are neighbours of others.
    metric : MapMetric or None
        Where the map stretches, squeezes and tears; None where no dimension can be measured.
    stability : MapStability or None
        How much maps of other seeds differ; None where that was not tried.
    null : NullCheck or None
        Comparison with maps of permuted columns; None where that was not tried.
    has_baseline : bool
        Whether the scores compare with PCA; a map by PCA is its own baseline.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.report import map_report
    >>> evidence = map_report(np.random.default_rng(0).normal(size=(60, 5)), n_neighbors=10).evidence
    >>> evidence.trust.shape
    (60,)
    """

    scores: tuple[Score, ...]
    trust: np.ndarray
    curves: Mapping[str, "RankCurve"] = field(default_factory=dict)
    hubs: "Hubness | None" = None
    metric: "MapMetric | None" = None
    stability: "MapStability | None" = None
    null: "NullCheck | None" = None
    has_baseline: bool = True

    def score(self, name: str) -> Score:
        """Return the score of this name.

        Raises
        ------
        KeyError
            If there is none.
        """
        for score in self.scores:
            if score.name == name:
                return score
        raise KeyError(f"no score {name!r}; there are {', '.join(score.name for score in self.scores)}.")
