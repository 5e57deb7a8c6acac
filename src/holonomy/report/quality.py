"""How faithful the map is, beside a linear map of the same data: the numbers of the report."""

from dataclasses import dataclass

import numpy as np

from holonomy._core.validation import check_int
from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import Estimate, continuity, label_agreement, neighbor_recall, trustworthiness
from holonomy.report.columns import Column

REFERENCE_POINTS = 4_000
"""Points that ranks are counted among: exact for data up to this size, estimated without bias beyond."""

_ENDLESS = 10**15
"""The points are taken as a sample of an endless source: an interval says how other points of it would vary."""

TRUST = "Trustworthiness"
CONTINUITY = "Continuity"
RECALL = "Neighbour recall"
AGREEMENT = "Label agreement"


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
    >>> score = map_report(np.random.default_rng(0).normal(size=(60, 5)), n_neighbors=10).scores[0]
    >>> score.name, 0 <= score.map.value <= 1
    ('Trustworthiness', True)
    """

    name: str
    question: str
    map: Estimate
    baseline: Estimate


def score_neighbors(n_neighbors: int, n_points: int) -> int:
    """Return the largest neighbourhood up to ``n_neighbors`` that ranks can be scored with: below half the points."""
    return check_int(min(n_neighbors, (n_points - 1) // 2), "the number of neighbours to score", minimum=1)


def measure_map(
    X: np.ndarray,
    graph: NeighborGraph,
    embedding: np.ndarray,
    baseline: np.ndarray,
    n_neighbors: int,
    label: Column | None = None,
) -> tuple[tuple[Score, ...], np.ndarray]:
    """Measure the map and its baseline.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        The data.
    graph : NeighborGraph
        Its neighbours.
    embedding, baseline : ndarray, shape (n, 2)
        The map and what to compare it with.
    n_neighbors : int
        Size of the neighbourhoods, less than n / 2.
    label : Column, optional
        Classes, to measure whether they stay together.

    Returns
    -------
    tuple of Score
        Trustworthiness, continuity, neighbour recall, and label agreement where there are labels.
    ndarray, shape (n,)
        Trustworthiness of the map at each point, in [0, 1].
    """
    both = [_values(X, graph, Z, n_neighbors, label) for Z in (embedding, baseline)]
    found = tuple(
        Score(name, question, *(Estimate.from_sample(values[name], _ENDLESS) for values in both))
        for name, question in _questions(n_neighbors, label).items()
    )
    return found, both[0][TRUST]


def _questions(k: int, label: Column | None) -> dict[str, str]:
    questions = {
        TRUST: "Are neighbours on the map neighbours in the data?",
        CONTINUITY: "Do neighbours in the data stay neighbours on the map?",
        RECALL: f"Which share of the {k} nearest is still among the {k} nearest?",
    }
    if label is not None:
        questions[AGREEMENT] = f"How often do the {k} nearest on the map foretell “{label.name}”?"
    return questions


def _values(X: np.ndarray, graph: NeighborGraph, Z: np.ndarray, k: int, label: Column | None) -> dict[str, np.ndarray]:
    """Return each measure's value at each point."""
    on_map = neighbors(Z, k)
    shared = {"n_neighbors": k, "graph": graph, "map_graph": on_map, "per_point": True}
    values = {
        TRUST: trustworthiness(X, Z, subsample=REFERENCE_POINTS, **shared),
        CONTINUITY: continuity(None, Z, subsample=REFERENCE_POINTS, **shared),
        RECALL: neighbor_recall(None, None, **shared),
    }
    if label is not None:
        values[AGREEMENT] = label_agreement(None, label.values, k, graph=on_map, per_point=True)
    return values
