"""The main job: data in, a map with evidence out."""

import datetime
import inspect
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.decomposition import PCA

from holonomy import __version__
from holonomy._core.citations import bib_entries, reference_keys
from holonomy._core.progress import ProgressBar, progress
from holonomy._core.random import check_seed, derive_seed
from holonomy._core.validation import check_int, check_points
from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import profile, trustworthiness
from holonomy.report.columns import Column, informative, make_column, number_column
from holonomy.report.quality import measure_map, score_neighbors
from holonomy.report.reproduce import estimator_call
from holonomy.report.result import MapReport
from holonomy.report.sources import frame_of, table_of

if TYPE_CHECKING:
    from holonomy.datasets import Table

MOST_COLUMNS = 8
"""Numeric columns that the page shows, unless others are asked for."""

FEWEST_POINTS = 3

USUAL_NEIGHBORS = 15

UNNAMED = "table"
"""Name of a table that nobody has named."""

VERSIONED = ("numpy", "scipy", "scikit-learn", "numba", "bokeh")


def map_report(
    X: Any,
    *,
    method: Any = None,
    labels: Any = None,
    columns: Any = None,
    n_neighbors: int | None = None,
    random_state: int = 0,
    name: str | None = None,
    show_progress: bool | None = None,
) -> MapReport:
    """Describe the geometry of data, map it into the plane, and measure how far the map can be trusted.

    Parameters
    ----------
    X : array-like of shape (n, d), Table, Bunch, AnnData, path or str
        Points, a table of them, the file to read them from, or the name of a data set.
    method : estimator, optional
        What makes the map: anything with ``fit_transform`` to two dimensions, which keeps its own parameters and is
        not changed. By default `holonomy.embed.UMAP` with this ``n_neighbors`` and ``random_state``.
    labels : str or array-like of shape (n,), optional
        Name of a column of the table, or one class (or number) a point. By default the label columns of the table.
    columns : mapping of str to array-like of shape (n,), or sequence of str, optional
        What else to show of each point, by values or by name. By default up to 8 columns of numbers: those that are
        no coordinates, then the coordinates that change most slowly over the data.
    n_neighbors : int, optional
        Size of the neighbourhoods that everything looks at, less than n. By default the lesser of 15 and n - 1.
    random_state : int, default 0
        Seed of everything.
    name : str, optional
        Title of the report. By default the table's name, or "Data".
    show_progress : bool, optional
        As ``enabled`` of the progress bar: None shows it on a terminal, for runs of more than a second.

    Returns
    -------
    MapReport
        With ``save(path)``, ``summary()`` (five lines), and all figures.

    Raises
    ------
    ValueError
        On NaN, fewer than 3 points, rows that are all equal, ``n_neighbors`` not below n, unknown columns, labels of
        another length, or a method that does not map to two dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.report import map_report
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> report = map_report(X, n_neighbors=10)
    >>> len(report.summary().splitlines())
    5
    """
    table, source = table_of(X, label=labels if isinstance(labels, str) else None, name=name)
    points = _check_spread(table)
    k = _check_neighbors(n_neighbors, len(points))
    seed = check_seed(random_state)
    label_columns = _label_columns(table, labels)
    has_label = labels is not None or table.label is not None
    clock = _Clock()
    with progress(f"Mapping {table.name}", total=5, enabled=show_progress) as bar:
        with clock.step("neighbours", bar):
            graph = neighbors(points, k, random_state=seed)
        with clock.step("geometry", bar):
            geometry = profile(frame_of(table), graph=graph, random_state=seed)
        with clock.step("map", bar):
            embedder = _embedder(method, k, seed)
            embedding = _embed(embedder, points, graph)
        with clock.step("PCA", bar):
            baseline = _principal_plane(points, seed)
        with clock.step("quality", bar):
            classes = label_columns[0] if has_label and label_columns[0].is_class else None
            scored = score_neighbors(k, len(points))
            scores, trust = measure_map(points, graph, embedding, baseline, scored, classes)
    return MapReport(
        name="Data" if source is None and name is None and table.name == UNNAMED else table.name,
        source=source,
        n_features=points.shape[1],
        profile=geometry,
        embedding=embedding,
        baseline=baseline,
        scores=scores,
        trust=trust,
        local_dimension=geometry.local_dimension,
        labels=tuple(label_columns),
        columns=tuple(_number_columns(table, columns, graph)),
        label_name=label_columns[0].name if has_label else None,
        notes=table.notes,
        method=type(embedder).__name__,
        method_call=None if method is None else estimator_call(embedder),
        parameters=_parameters(embedder),
        n_neighbors=k,
        seed=seed,
        versions=_versions(),
        citations=_citations(embedder, geometry, trustworthiness),
        timings=clock.seconds,
        created=datetime.date.today().isoformat(),
    )


def _check_spread(table: "Table") -> np.ndarray:
    points: np.ndarray = check_points(table.X, min_samples=FEWEST_POINTS)
    if (points == points[0]).all():
        raise ValueError(f"all {len(points)} rows of {table.name!r} are equal, so that there is nothing to map.")
    return points


def _check_neighbors(n_neighbors: int | None, n_points: int) -> int:
    if n_neighbors is None:
        return min(USUAL_NEIGHBORS, n_points - 1)
    k = check_int(n_neighbors, "n_neighbors", minimum=1)
    if k >= n_points:
        raise ValueError(
            f"n_neighbors must be less than the number of points, got {k} for {n_points} points; "
            f"choose at most {n_points - 1}."
        )
    return k


def _label_columns(table: "Table", labels: Any) -> list[Column]:
    """Return the label that was chosen first, then the table's others."""
    n_points = len(table.X)
    chosen, rest = [], dict(table.labels)
    if labels is not None and not isinstance(labels, str):
        chosen = [make_column(getattr(labels, "name", None) or "label", labels, n_points)]
    elif table.label is not None:
        values = rest.pop(table.label)
        chosen = [make_column(table.label, table.numeric.get(table.label, values), n_points)]
    return chosen + [make_column(key, values, n_points) for key, values in rest.items()]


def _number_columns(table: "Table", columns: Any, graph: NeighborGraph) -> list[Column]:
    """Return the columns of numbers to show: those given, those named, or the most telling ones."""
    if isinstance(columns, Mapping):
        return [make_column(key, values, len(table.X)) for key, values in columns.items()]
    numeric = {key: values for key, values in table.numeric.items() if key != table.label}
    names = _telling_columns(numeric, table, graph) if columns is None else list(columns)
    for key in names:
        if key not in numeric:
            known = ", ".join(map(repr, list(numeric)[:10]))
            raise ValueError(
                f"columns must name columns of numbers ({known}{', …' if len(numeric) > 10 else ''}), got {key!r}."
            )
    return [number_column(key, numeric[key]) for key in names]


def _telling_columns(numeric: Mapping[str, np.ndarray], table: "Table", graph: NeighborGraph) -> list[str]:
    """Return the columns that are no coordinates, which the map has not seen, then the coordinates that tell most."""
    beside = [key for key in numeric if key not in set(table.feature_names)][:MOST_COLUMNS]
    coordinates = {key: values for key, values in numeric.items() if key in set(table.feature_names)}
    return beside + informative(coordinates, graph.indices, MOST_COLUMNS - len(beside))


def _embedder(method: Any, n_neighbors: int, seed: int) -> Any:
    if method is not None:
        return clone(method)
    from holonomy.embed import UMAP

    return UMAP(n_neighbors=n_neighbors, random_state=seed)


def _embed(embedder: Any, points: np.ndarray, graph: NeighborGraph) -> np.ndarray:
    shared = {"graph": graph} if _can_use(embedder, graph) else {}
    embedding = np.asarray(embedder.fit_transform(points, **shared), dtype=np.float32)
    if embedding.shape != (len(points), 2):
        raise ValueError(f"method must map to two dimensions, got an embedding of shape {embedding.shape}.")
    return embedding


def _can_use(embedder: Any, graph: NeighborGraph) -> bool:
    """Whether the method takes neighbours found before, and these are the ones it would search for itself."""
    if "graph" not in inspect.signature(embedder.fit_transform).parameters:
        return False
    told = embedder.get_params(deep=False)
    metric, wanted = told.get("metric"), told.get("n_neighbors")
    same_metric = isinstance(metric, str) and metric == graph.metric and not told.get("metric_kwds")
    # The point itself counts as a neighbour of the method, and not in the graph.
    return same_metric and isinstance(wanted, int) and wanted - 1 <= graph.n_neighbors


def _principal_plane(points: np.ndarray, seed: int) -> np.ndarray:
    plane = np.zeros((len(points), 2), dtype=np.float32)
    pca = PCA(min(2, *points.shape), random_state=derive_seed(seed, "report", "pca") % 2**32)
    found = pca.fit_transform(points)
    plane[:, : found.shape[1]] = found
    return plane


def _parameters(embedder: Any) -> dict[str, Any]:
    """Return what the embedder was told, and what its fit chose where it was left open."""
    parameters = embedder.get_params(deep=False)
    for name in parameters:
        chosen = getattr(embedder, f"{name}_", None)
        if parameters[name] is None and isinstance(chosen, int | float | str):
            parameters[name] = chosen
    return {name: value for name, value in parameters.items() if value is not None}


def _versions() -> dict[str, str]:
    found = {"holonomy": __version__, "Python": platform.python_version()}
    return found | {package: metadata.version(package) for package in VERSIONED}


def _citations(*used: Any) -> str:
    keys = dict.fromkeys(key for thing in used for key in reference_keys(thing))
    return "\n\n".join(bib_entries()[key] for key in keys)


class _Clock:
    """Seconds that each step takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, bar: ProgressBar) -> Iterator[None]:
        started = time.perf_counter()
        bar.set(description=name)
        yield
        self.seconds[name] = time.perf_counter() - started
        bar.advance()
