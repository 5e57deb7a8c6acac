"""What maps of the same data are compared by."""

from types import MappingProxyType
from typing import Any

import numpy as np

from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import (
    Estimate,
    RankCurve,
    continuity,
    label_agreement,
    neighbor_recall,
    normalized_stress,
    rank_curve,
    shepard_correlation,
    silhouette,
    triplet_accuracy,
    trustworthiness,
)

LOWER_IS_BETTER = frozenset({"stress"})
"""Measures of which the least value is the best."""

QUESTIONS = MappingProxyType(
    {
        "trustworthiness": "Are neighbours on the map neighbours in the data?",
        "continuity": "Do neighbours in the data stay neighbours on the map?",
        "recall": "Which share of the nearest is still among the nearest?",
        "rnx_area": "The same over neighbourhoods of all sizes (area under R_NX).",
        "shepard": "Is farther in the data farther on the map (Spearman)?",
        "geodesic_shepard": "The same along the neighbour graph.",
        "stress": "By how much do distances miss those in the data, at the best scale?",
        "triplets": "Of two random points, is the nearer one nearer on the map?",
        "label_agreement": "How often do the nearest on the map foretell the label?",
        "silhouette": "Do labels lie apart in round clumps?",
    }
)
"""What each measure asks, in the order of the table."""


def take_measures(
    X: np.ndarray, Z: np.ndarray, graph: NeighborGraph, k: int, labels: Any, subsample: int, seed: int
) -> tuple[dict[str, Estimate], np.ndarray, RankCurve]:
    """Measure a map by everything that maps are compared by.

    Parameters
    ----------
    X, Z : ndarray, shapes (n, d) and (n, p)
        The data and the map.
    graph : NeighborGraph
        Neighbours in the data.
    k : int
        Size of neighbourhoods, less than n / 2.
    labels : ndarray of shape (n,), or None
        Classes.
    subsample : int
        Most points that are looked at.
    seed : int
        Of the subsample.

    Returns
    -------
    dict of str to Estimate
        Each measure of `QUESTIONS`, those of labels only where there are some.
    ndarray, shape (n,)
        Trustworthiness at each point.
    RankCurve
        Neighbourhoods kept, by their size.
    """
    on_map = neighbors(Z, k)
    some: dict[str, Any] = {"subsample": subsample, "random_state": seed}
    near: dict[str, Any] = {"n_neighbors": k, "map_graph": on_map, "metric": graph.metric, **some}
    far: dict[str, Any] = {"metric": graph.metric, **some}
    curve = rank_curve(X, Z, **far)
    found: dict[str, Any] = {
        "trustworthiness": trustworthiness(X, Z, **near),
        "continuity": continuity(X, Z, graph=graph, **near),
        "recall": neighbor_recall(None, None, graph=graph, **near),
        "rnx_area": curve.area,
        "shepard": shepard_correlation(X, Z, **far),
        "geodesic_shepard": shepard_correlation(X, Z, geodesic=True, graph=graph, **far),
        "stress": normalized_stress(X, Z, **far),
        "triplets": triplet_accuracy(X, Z, metric=graph.metric, random_state=seed),
    }
    if labels is not None:
        right = label_agreement(None, labels, k, graph=on_map, per_point=True)
        found["label_agreement"] = Estimate.from_sample(np.asarray(right), len(X))
        found["silhouette"] = silhouette(Z, labels, **some)
    trust = trustworthiness(
        X, Z, k, map_graph=on_map, graph=graph, metric=graph.metric, per_point=True, subsample=4 * subsample,
        random_state=seed,
    )  # fmt: skip
    return {name: score for name, score in found.items() if name in QUESTIONS}, np.asarray(trust), curve


def label_of(measure: str) -> str:
    """Return what a measure is called in tables and sentences."""
    names = {"rnx_area": "area under R_NX", "shepard": "Shepard", "geodesic_shepard": "Shepard along the graph"}
    return names.get(measure, measure.replace("_", " "))
