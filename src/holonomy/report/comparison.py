"""Several maps of the same data, on one neighbour graph, laid over each other and measured alike."""

import inspect
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone

from holonomy._core.parallel import threads
from holonomy._core.progress import progress
from holonomy._core.random import RandomState, check_seed
from holonomy._core.validation import Points, check_int, check_points
from holonomy.embed._methods import check_method, make_method
from holonomy.graphs import NeighborGraph, neighbors
from holonomy.graphs._sparse import check_graph
from holonomy.measure import Estimate, RankCurve, align
from holonomy.report.yardsticks import LOWER_IS_BETTER, QUESTIONS, label_of, take_measures


@dataclass(frozen=True, eq=False)
class ComparedMap:
    """One of the maps compared.

    Attributes
    ----------
    name : str
        As it was given.
    embedding : ndarray of float64, shape (n, p)
        The map as it was made.
    aligned : ndarray of float64, shape (n, p)
        Turned, mirrored, scaled and shifted to lie over the first map; equal to ``embedding`` where dimensions differ.
    disparity : float
        Share of the first map's variance that it misses after alignment, in [0, 1]; NaN where dimensions differ.
    scores : mapping of str to Estimate
        Each measure of `QUESTIONS`, with its interval for all points.
    trust : ndarray of shape (n,)
        Trustworthiness at each point.
    curve : RankCurve
        Neighbourhoods kept, by their size.
    seconds : float or None
        Time to make it; None where it was given.
    parameters : mapping of str to object
        Parameters of the method, empty where the map was given.

    Examples
    --------
    >>> import numpy as np
    >>> import holonomy
    >>> X = np.random.default_rng(0).normal(size=(100, 4))
    >>> found = holonomy.compare(X, {"first two": X[:, :2], "last two": X[:, 2:]})
    >>> found.maps[0].name, found.maps[0].disparity
    ('first two', 0.0)
    """

    name: str
    embedding: np.ndarray
    aligned: np.ndarray
    disparity: float
    scores: Mapping[str, Estimate]
    trust: np.ndarray
    curve: RankCurve
    seconds: float | None
    parameters: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several maps of the same data, measured alike.

    Attributes
    ----------
    maps : tuple of ComparedMap
        In the order given.
    graph : NeighborGraph
        The neighbours in the data that all were made and measured on.
    n_neighbors : int
        Size of the neighbourhoods measured.
    n_measured : int
        Points that measures looked at; intervals close where these are all.

    Examples
    --------
    >>> import numpy as np
    >>> import holonomy
    >>> X = np.random.default_rng(0).normal(size=(100, 4)) * [5, 3, 1, 1]
    >>> found = holonomy.compare(X, {"wide": X[:, :2], "narrow": X[:, 2:]})
    >>> found.best("recall"), list(found.to_dict()["maps"])
    (('wide',), ['wide', 'narrow'])
    """

    maps: tuple[ComparedMap, ...]
    graph: NeighborGraph
    n_neighbors: int
    n_measured: int

    _references: ClassVar[tuple[str, ...]] = (
        "venna2001neighborhood", "lee2015multiscale", "espadoto2021toward", "smelser2024normalized",
        "wang2021understanding", "rousseeuw1987silhouettes", "schonemann1966generalized",
    )  # fmt: skip

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures taken, in the order of the table."""
        return tuple(self.maps[0].scores)

    def best(self, measure: str) -> tuple[str, ...]:
        """Return the names of the maps that are best by a measure: more than one where intervals overlap.

        Raises
        ------
        KeyError
            If the measure was not taken.
        """
        if measure not in self.measures:
            raise KeyError(f"no measure {measure!r}; there are {', '.join(self.measures)}.")
        sign = -1.0 if measure in LOWER_IS_BETTER else 1.0
        scores = {each.name: each.scores[measure] for each in self.maps}
        leader = max(scores.values(), key=lambda score: sign * score.value)
        worst = leader.low if sign > 0 else leader.high
        return tuple(
            name
            for name, score in scores.items()
            if (score.high >= worst if sign > 0 else score.low <= worst) or score.value == leader.value
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in words."""
        found = []
        for measure in self.measures:
            names = self.best(measure)
            score = next(each.scores[measure] for each in self.maps if each.name == names[0])
            if len(names) == len(self.maps) > 1:
                found.append(f"{label_of(measure)}: no map is clearly better ({_span(self, measure)}).")
            else:
                found.append(f"{label_of(measure)}: best by {' and '.join(names)} ({_number(score)}).")
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but arrays of one value a point, ready for JSON."""
        return {
            "n_points": self.graph.n_points,
            "n_neighbors": self.n_neighbors,
            "n_measured": self.n_measured,
            "questions": {measure: QUESTIONS[measure] for measure in self.measures},
            "best": {measure: list(self.best(measure)) for measure in self.measures},
            "maps": {
                each.name: {
                    "seconds": each.seconds,
                    "disparity": None if np.isnan(each.disparity) else each.disparity,
                    "parameters": {name: _plain(value) for name, value in each.parameters.items()},
                    "scores": {
                        measure: {"value": score.value, "low": score.low, "high": score.high, "level": score.level}
                        for measure, score in each.scores.items()
                    },
                }
                for each in self.maps
            },
        }

    def _rows(self) -> list[list[str]]:
        rows = []
        for measure in self.measures:
            best = self.best(measure)
            cells = [
                _number(each.scores[measure]) + (" *" if each.name in best and len(best) < len(self.maps) else "")
                for each in self.maps
            ]
            rows.append([label_of(measure), *cells])
        rows.append(["seconds", *("" if each.seconds is None else f"{each.seconds:.1f}" for each in self.maps)])
        return rows

    def __str__(self) -> str:
        table = [["", *(each.name for each in self.maps)], *self._rows()]
        widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        return "\n".join([*lines, CAPTION])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(each.name)}</th>" for each in self.maps)
        body = "".join(
            f"<tr><th title='{escape(QUESTIONS.get(measure, ''))}'>{escape(row[0])}</th>"
            + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
            + "</tr>"
            for measure, row in zip((*self.measures, ""), self._rows(), strict=True)
        )
        return (
            f"<table style='text-align:left'><caption><b>Comparison of {len(self.maps)} maps</b></caption>"
            f"<tr><th></th>{head}</tr>{body}</table><p>{escape(CAPTION)}</p>"
        )

    def __rich__(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(f"Comparison of {len(self.maps)} maps", style="bold"), caption=Text(CAPTION), box=None)
        for name in ("", *(each.name for each in self.maps)):
            table.add_column(Text(name))
        for row in self._rows():
            table.add_row(*(Text(cell) for cell in row))
        return table


CAPTION = "* best, up to its interval; stress is better where it is lower"


def compare(
    X: Points,
    methods: Sequence[Any] | Mapping[str, Any] = ("umap", "pca"),
    *,
    labels: Any = None,
    n_neighbors: int = 15,
    graph: NeighborGraph | None = None,
    subsample: int = 1000,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
    show_progress: bool | None = None,
) -> Comparison:
    """Map data by several methods on one neighbour graph, and measure all maps alike.

    Parameters
    ----------
    X : array-like of shape (n, d)
        The data.
    methods : sequence or mapping, default ("umap", "pca")
        Names of methods (``"umap"``), estimators with ``fit_transform``, or finished maps of shape (n, p); a mapping
        gives them names of one's own. Named methods get ``n_neighbors`` and ``random_state``; estimators keep their
        parameters and are not changed.
    labels : array-like of shape (n,), optional
        Classes, to measure how they lie on the maps.
    n_neighbors : int, default 15
        Size of the neighbourhoods that maps are made from and measured by, less than n / 2.
    graph : NeighborGraph, optional
        Neighbours of the points (at least ``n_neighbors``), found before.
    subsample : int, default 1000
        Most points that measures look at, at least 30, the same for all maps. Beyond, intervals say how far off all
        points may be.
    random_state : int, Generator, RandomState or None, default 0
        Seed of methods and subsamples.
    n_jobs : int, optional
        Threads. The result does not depend on it.
    show_progress : bool, optional
        As ``enabled`` of the progress bar.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        On NaN, no method, two of the same name, an unknown name, a map of another number of points, or a neighbourhood
        of half of the points.

    Examples
    --------
    >>> import numpy as np
    >>> import holonomy
    >>> X = np.random.default_rng(0).normal(size=(80, 5)) * [4, 3, 1, 1, 1]
    >>> found = holonomy.compare(X, ["pca", X[:, 3:]], n_neighbors=8)
    >>> found.best("shepard")
    ('pca',)
    """
    points = check_points(X, min_samples=4)
    k = check_int(n_neighbors, "n_neighbors", minimum=1)
    if 2 * k >= len(points):
        raise ValueError(f"n_neighbors must be less than half the number of points, got {k} for {len(points)} points.")
    seed = check_seed(random_state)
    chosen = _named(methods)
    with threads(n_jobs), progress("Comparing maps", total=1 + 2 * len(chosen), enabled=show_progress) as bar:
        bar.set(description="neighbours")
        shared = neighbors(points, k, random_state=seed) if graph is None else _checked(graph, len(points), k)
        bar.advance()
        maps: list[ComparedMap] = []
        for name, method in chosen.items():
            bar.set(description=name)
            embedding, seconds, parameters = _make(name, method, points, shared, k, seed)
            bar.advance()
            scores, trust, curve = take_measures(points, embedding, shared, k, labels, subsample, seed)
            first = maps[0].embedding if maps else embedding
            same = first.shape == embedding.shape
            found = align(embedding, first) if same else None
            maps.append(
                ComparedMap(
                    name=name,
                    embedding=embedding,
                    aligned=embedding if found is None or not maps else found.aligned,
                    disparity=float("nan") if found is None else max(0.0, round(found.disparity, 12)),
                    scores=MappingProxyType(scores),
                    trust=trust,
                    curve=curve,
                    seconds=seconds,
                    parameters=MappingProxyType(parameters),
                )
            )
            bar.advance()
    return Comparison(tuple(maps), shared, k, min(subsample, len(points)))


def _named(methods: Sequence[Any] | Mapping[str, Any]) -> dict[str, Any]:
    """Return the methods by name, each name once."""
    if isinstance(methods, Mapping):
        chosen = {str(name): method for name, method in methods.items()}
    else:
        if isinstance(methods, str) or hasattr(methods, "fit_transform"):
            methods = [methods]
        chosen = {}
        for place, method in enumerate(methods, start=1):
            if isinstance(method, str):
                name = method
            elif hasattr(method, "fit_transform"):
                name = type(method).__name__
            else:
                name = f"map {place}"
            if name in chosen:
                raise ValueError(f"methods has two called {name!r}; pass a mapping with names of your own.")
            chosen[name] = method
    for method in chosen.values():
        if isinstance(method, str):
            check_method(method, "methods")
    if not chosen:
        raise ValueError("methods must hold at least one method to compare.")
    return chosen


def _checked(graph: NeighborGraph, n: int, k: int) -> NeighborGraph:
    check_graph(graph)
    if graph.n_points != n:
        raise ValueError(f"graph has {graph.n_points} points, but X has {n} rows.")
    if graph.n_neighbors < k:
        raise ValueError(f"graph holds {graph.n_neighbors} neighbours a point, but n_neighbors={k} are measured.")
    return graph


def _make(
    name: str, method: Any, points: np.ndarray, graph: NeighborGraph, k: int, seed: int
) -> tuple[np.ndarray, float | None, dict[str, Any]]:
    """Return the map, the seconds it took, and its parameters."""
    if not isinstance(method, str) and not hasattr(method, "fit_transform"):
        given = np.asarray(check_points(method, name=f"methods[{name!r}]"), dtype=np.float64)
        if len(given) != len(points):
            raise ValueError(f"methods[{name!r}] has {len(given)} rows, but X has {len(points)}.")
        return given, None, {}
    if isinstance(method, str):
        estimator = make_method(method, n_neighbors=k, random_state=seed % 2**31)
    else:
        estimator = clone(method)
    started = time.perf_counter()
    shared = {"graph": graph} if _can_use(estimator, graph) else {}
    embedding = np.asarray(estimator.fit_transform(points, **shared), dtype=np.float64)
    seconds = time.perf_counter() - started
    if embedding.ndim != 2 or len(embedding) != len(points):
        raise ValueError(f"{name} must return one row for each of {len(points)} points, got shape {embedding.shape}.")
    return embedding, seconds, dict(estimator.get_params(deep=False))


def _can_use(estimator: Any, graph: NeighborGraph) -> bool:
    """Whether a method takes neighbours found before, and these are the ones it would search for itself."""
    if "graph" not in inspect.signature(estimator.fit_transform).parameters:
        return False
    told = estimator.get_params(deep=False)
    metric, wanted = told.get("metric", "euclidean"), told.get("n_neighbors")
    same_metric = isinstance(metric, str) and metric == graph.metric and not told.get("metric_kwds")
    # The point itself may count as a neighbour of the method, and does not in the graph.
    return same_metric and isinstance(wanted, int) and wanted <= graph.n_neighbors


def _number(score: Estimate) -> str:
    if score.low == score.high:
        return f"{score.value:.3f}"
    return f"{score.value:.3f} ({score.low:.3f} to {score.high:.3f})"


def _span(comparison: Comparison, measure: str) -> str:
    values = [each.scores[measure].value for each in comparison.maps]
    return f"{min(values):.3f} to {max(values):.3f}"


def _plain(value: Any) -> Any:
    """Return what JSON knows as it is, and a text of anything else."""
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
