"""The main job: data in, a map with evidence out."""

import datetime
import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from holonomy._core.citations import bib_entries, reference_keys
from holonomy._core.persistence import Persistent
from holonomy._core.progress import progress
from holonomy._core.random import check_seed
from holonomy._core.validation import check_int, check_option, check_points
from holonomy.embed._methods import make_method
from holonomy.graphs import NeighborGraph, neighbors
from holonomy.measure import hubness, map_metric, map_stability, null_check, profile, rank_curve, trustworthiness
from holonomy.report.alerts import find_alerts
from holonomy.report.choice import further_columns, label_columns, number_columns
from holonomy.report.clock import Clock
from holonomy.report.images import check_image_shape, pixels_of
from holonomy.report.quality import gather_evidence, principal_plane, try_again
from holonomy.report.reproduce import asked_for, estimator_call, versions
from holonomy.report.result import MapReport
from holonomy.report.sources import frame_of, has_own_names, read_source

if TYPE_CHECKING:
    from holonomy.datasets import Table
    from holonomy.report.evidence import Evidence

MOST_FURTHER = 1_000_000
"""Numbers of further columns that the page carries, a byte each, to colour by and to tell selections apart."""

STEPS = {"neighbours": 15, "geometry": 8, "map": 35, "PCA": 2, "quality": 20, "checks": 20}
"""What a report goes through, and the usual share of its time in per cent."""

FEWEST_POINTS = 3

USUAL_NEIGHBORS = 15

UNNAMED = "table"
"""Name of a table that nobody has named."""


def map_report(
    X: Any,
    *,
    method: Any = None,
    params: Mapping[str, Any] | None = None,
    labels: Any = None,
    columns: Any = None,
    image_shape: Sequence[int] | None = None,
    n_neighbors: int | None = None,
    random_state: int = 0,
    name: str | None = None,
    format: str | None = None,
    impute: bool = False,
    checks: str = "auto",
    show_progress: bool | None = None,
) -> MapReport:
    """Describe the geometry of data, map it into the plane, and measure how far the map can be trusted.

    Parameters
    ----------
    X : array-like of shape (n, d), Table, Bunch, AnnData, path or str
        Points, a table of them, the file to read them from (``"-"`` is standard input), or the name of a data set.
    method : str or estimator, optional
        What makes the map: the name of an embedder of `holonomy.embed` or ``"pca"``, or anything with
        ``fit_transform`` to two dimensions, which keeps its own parameters and is not changed. By default ``"umap"``.
    params : mapping of str to object, optional
        Parameters of a method that is given by name.
    labels : str or array-like of shape (n,), optional
        Name of a column of the table, or one class (or number) a point. By default the label columns of the table.
    columns : mapping of str to array-like of shape (n,), or sequence of str, optional
        What else to show of each point, by values or by name. By default up to 8 columns of numbers: those that are
        no coordinates, then the coordinates that change most slowly over the data. The page opens with the first one
        that is given.
    image_shape : (height, width) or (height, width, 3), optional
        Says that every row is an image, to be shown beside its point. Known by itself of data sets of images.
    n_neighbors : int, optional
        Size of the neighbourhoods that everything looks at, less than n. By default the lesser of 15 and n - 1.
    random_state : int, default 0
        Seed of everything.
    name : str, optional
        Title of the report. By default the table's name, or "Data".
    format : str, optional
        Format of the file, where its name does not tell; see `holonomy.datasets.read_table`.
    impute : bool, default False
        Fill missing coordinates with the median of their column, instead of refusing them.
    checks : {"auto", "all", "none"}, default "auto"
        Whether to map again, with other seeds and with permuted columns, to see whether the map is stable and more
        than noise. ``"auto"`` does so for up to 5,000 points where mapping takes less than 10 seconds.
    show_progress : bool, optional
        As ``enabled`` of the progress bar: None shows it on a terminal, for runs of more than a second.

    Returns
    -------
    MapReport
        With ``save(path)``, ``summary()`` (five lines), and all figures.

    Raises
    ------
    ValueError
        On NaN, fewer than 3 points, rows that are all equal, ``n_neighbors`` not below n, unknown columns or methods,
        labels of another length, an image shape that rows do not fill, or a method that does not map to two
        dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.report import map_report
    >>> X = np.random.default_rng(0).normal(size=(60, 5))
    >>> report = map_report(X, n_neighbors=10)
    >>> len(report.summary().splitlines())
    5
    """
    source = read_source(X, label=labels if isinstance(labels, str) else None, name=name, format=format, impute=impute)
    table = source.table
    points = _check_spread(table)
    k = _check_neighbors(n_neighbors, len(points))
    seed = check_seed(random_state)
    shape = image_shape or source.image_shape
    shape = None if shape is None else check_image_shape(shape, points.shape[1])
    embedder = _embedder(method, params, n_neighbors, len(points), seed)
    check_option(checks, "checks", ("auto", "all", "none"))
    shown_labels = label_columns(table, labels)
    has_label = labels is not None or table.label is not None
    clock = Clock(STEPS)
    with progress(f"Mapping {table.name}", total=sum(STEPS.values()), enabled=show_progress) as bar:
        with clock.step("neighbours", bar):
            graph = neighbors(points, k, random_state=seed)
        shown_columns = number_columns(table, columns, graph.indices)
        with clock.step("geometry", bar):
            geometry = profile(frame_of(table), graph=graph, random_state=seed)
        with clock.step("map", bar):
            embedding = _embed(embedder, _named(points, table, embedder), graph)
        with clock.step("PCA", bar):
            baseline = principal_plane(points, seed)
        with clock.step("quality", bar):
            classes = shown_labels[0] if has_label and shown_labels[0].is_class else None
            evidence = gather_evidence(points, graph, embedding, baseline, classes, seed)
        with clock.step("checks", bar):
            seconds = clock.seconds["map"]
            evidence = try_again(evidence, points, embedder, embedding, checks, seconds, seed)
    return MapReport(
        name="Data" if source.name is None and name is None and table.name == UNNAMED else table.name,
        source=source.name,
        n_features=points.shape[1],
        profile=geometry,
        embedding=embedding,
        baseline=baseline,
        evidence=evidence,
        alerts=find_alerts(geometry, evidence),
        local_dimension=geometry.local_dimension,
        labels=tuple(shown_labels),
        columns=tuple(shown_columns),
        further=tuple(further_columns(table, shown_columns, graph.indices, MOST_FURTHER)),
        images=None if shape is None else pixels_of(points, shape),
        label_name=shown_labels[0].name if has_label else None,
        notes=table.notes,
        method=type(embedder).__name__,
        method_call=None if method is None and not params else estimator_call(embedder),
        estimator=embedder,
        options=_options(method, params, columns, image_shape, n_neighbors, format, impute, checks),
        parameters=_parameters(embedder),
        n_neighbors=k,
        seed=seed,
        versions=versions(),
        citations=_citations(embedder, geometry, trustworthiness, rank_curve, hubness, map_metric, *_tried(evidence)),
        timings=clock.seconds,
        created=datetime.date.today().isoformat(),
    )


def _tried(evidence: "Evidence") -> list[Any]:
    """Return the checks that were tried."""
    tried = ((evidence.stability, map_stability), (evidence.null, null_check))
    return [check for found, check in tried if found is not None]


def _options(
    method: Any, params: Any, columns: Any, image_shape: Any, n_neighbors: Any, format: Any, impute: bool, checks: str
) -> dict[str, Any]:
    """Return what was asked for beyond the data, the label and the seed, to be asked for again."""
    return asked_for(
        method=method if isinstance(method, str) else None,
        params=dict(params) if params else None,
        columns=None if columns is None or isinstance(columns, Mapping) else list(columns),
        image_shape=None if image_shape is None else tuple(image_shape),
        n_neighbors=n_neighbors,
        format=format,
        impute=impute or None,
        checks=None if checks == "auto" else checks,
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


def _embedder(method: Any, params: Mapping[str, Any] | None, n_neighbors: int | None, n: int, seed: int) -> Any:
    """Return the estimator to fit: a copy of the one given, or the one named, told of the seed and neighbours."""
    if method is not None and not isinstance(method, str):
        if params:
            raise ValueError("params go with a method that is given by name; an estimator has its own parameters.")
        return clone(method)
    k = min(USUAL_NEIGHBORS, n - 1) if n_neighbors is None and n <= USUAL_NEIGHBORS else n_neighbors
    return make_method(method or "umap", params, n_neighbors=k, random_state=seed)


def _named(points: np.ndarray, table: "Table", embedder: Any) -> Any:
    """Return the points with the names of their columns where a saved model is to know them."""
    return frame_of(table) if isinstance(embedder, Persistent) and has_own_names(table.feature_names) else points


def _embed(embedder: Any, points: Any, graph: NeighborGraph) -> np.ndarray:
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


def _parameters(embedder: Any) -> dict[str, Any]:
    """Return what the embedder was told, and what its fit chose where it was left open."""
    parameters = embedder.get_params(deep=False)
    for name in parameters:
        chosen = getattr(embedder, f"{name}_", None)
        if parameters[name] is None and isinstance(chosen, int | float | str):
            parameters[name] = chosen
    return {name: value for name, value in parameters.items() if value is not None}


def _citations(*used: Any) -> str:
    keys = dict.fromkeys(key for thing in used for key in reference_keys(thing))
    return "\n\n".join(bib_entries()[key] for key in keys)
