"""How faithful the map is, beside a linear map of the same data: the numbers of the report."""

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from holonomy._core.random import derive_seed
from holonomy._core.validation import check_int
from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import (
    Estimate,
    MapMetric,
    RankCurve,
    continuity,
    hubness,
    label_agreement,
    map_metric,
    map_stability,
    neighbor_recall,
    null_check,
    rank_curve,
    rerun_map,
    trustworthiness,
)
from holonomy.report.columns import Column
from holonomy.report.evidence import Evidence, Score

REFERENCE_POINTS = 4_000
"""Points that ranks are counted among: exact for data up to this size, estimated without bias beyond."""

CURVE_PAIRS = 25_000_000
"""Pairs of points that a quality curve looks at."""

MOST_TRIED = 5_000
"""Points up to which the map is tried again by itself."""

LONGEST_TRIED = 10.0
"""Seconds that mapping may take for it to be tried again by itself."""

FEWEST_TRIED = 50

FEWEST_COLUMNS = 5
"""Of fewer columns, permuted ones fit into the plane nearly as well as any: comparing with them tells nothing."""

RUNS, PERMUTATIONS = 2, 2
NULL_POINTS = 1_000

FEWEST_SAMPLED = 100
FEWEST_FOR_CURVE = 10

_ENDLESS = 10**15
"""The points are taken as a sample of an endless source: an interval says how other points of it would vary."""

TRUST = "Trustworthiness"
CONTINUITY = "Continuity"
RECALL = "Neighbour recall"
AGREEMENT = "Label agreement"


def gather_evidence(
    X: np.ndarray,
    graph: NeighborGraph,
    embedding: np.ndarray,
    baseline: np.ndarray,
    label: Column | None,
    seed: int,
) -> Evidence:
    """Measure how far a map can be trusted, as a whole and at each point.

    Parameters
    ----------
    X : ndarray, shape (n, d)
        The data.
    graph : NeighborGraph
        Its neighbours.
    embedding, baseline : ndarray, shape (n, 2)
        The map and what to compare it with.
    label : Column or None
        Classes, to measure whether they stay together.
    seed : int
        Of samples.
    """
    scores, trust = measure_map(X, graph, embedding, baseline, score_neighbors(graph.n_neighbors, len(X)), label)
    return Evidence(
        scores=scores,
        trust=trust,
        curves=_curves(X, {"Map": embedding, "PCA": baseline}, seed),
        hubs=hubness(graph),
        metric=_metric(embedding, graph),
        has_baseline=not _is_same_plane(embedding, baseline),
    )


def try_again(
    evidence: Evidence, X: np.ndarray, embedder: Any, embedding: np.ndarray, checks: str, seconds: float, seed: int
) -> Evidence:
    """Add to the evidence what mapping again tells: other seeds, and permuted columns.

    Parameters
    ----------
    evidence : Evidence
        What is known already.
    X : ndarray, shape (n, d)
        The data.
    embedder : estimator
        What made the map; not changed.
    embedding : ndarray, shape (n, 2)
        The map.
    checks : {"auto", "all", "none"}
        ``"auto"`` tries where there are few points and mapping takes a few seconds.
    seconds : float
        What mapping took.
    seed : int
        Of seeds and permutations.
    """
    n, d = X.shape
    is_quick = n <= MOST_TRIED and seconds <= LONGEST_TRIED
    if checks == "none" or n < FEWEST_TRIED or (checks == "auto" and not is_quick):
        return evidence
    stability = null = None
    if "random_state" in embedder.get_params(deep=False):
        again = rerun_map(embedder, X, RUNS, random_state=derive_seed(seed, "report", "stability"))
        stability = map_stability([embedding, *again])
    if d >= FEWEST_COLUMNS:
        null = null_check(X, embedder, PERMUTATIONS, subsample=NULL_POINTS, random_state=seed)
    return replace(evidence, stability=stability, null=null)


def principal_plane(points: np.ndarray, seed: int) -> np.ndarray:
    """Return the points on their two leading principal components, float32 of shape (n, 2)."""
    plane = np.zeros((len(points), 2), dtype=np.float32)
    pca = PCA(min(2, *points.shape), random_state=derive_seed(seed, "report", "pca") % 2**32)
    found = pca.fit_transform(points)
    plane[:, : found.shape[1]] = found
    return plane


def _metric(embedding: np.ndarray, graph: NeighborGraph) -> MapMetric | None:
    try:
        return map_metric(embedding, graph)
    except ValueError:
        # No dimension can be measured, and without one there is no metric to speak of: the profile says so.
        return None


def _curves(X: np.ndarray, maps: dict[str, np.ndarray], seed: int) -> dict[str, RankCurve]:
    """Return the curve of each map, from so many points that it takes a second or two."""
    n = len(X)
    if n < FEWEST_FOR_CURVE:
        return {}
    sample = max(FEWEST_SAMPLED, CURVE_PAIRS // n)
    subsample = sample if sample < n else None
    return {name: rank_curve(X, Z, subsample=subsample, random_state=seed) for name, Z in maps.items()}


def _is_same_plane(embedding: np.ndarray, baseline: np.ndarray) -> bool:
    """Whether the map is the baseline up to the signs of its axes."""
    return all(
        bool(np.allclose(abs(embedding[:, axis]), abs(baseline[:, axis]), rtol=1e-3, atol=1e-5)) for axis in (0, 1)
    )


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
