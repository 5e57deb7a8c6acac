"""What the geometry of a data set is, in sentences: the profile."""

from dataclasses import asdict, dataclass
from html import escape
from typing import Any, ClassVar

import numpy as np

from holonomy._core.citations import references
from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, check_seed
from holonomy._core.validation import Points, check_int, check_points
from holonomy.graphs import NeighborGraph, neighbors
from holonomy.graphs._sparse import check_graph
from holonomy.measure import _wording as wording
from holonomy.measure._findings import measure_all
from holonomy.measure._inputs import check_same_length
from holonomy.measure._ranks import Metric
from holonomy.measure._sections import Evidence, ProfileSection, sections
from holonomy.measure.components import Connectedness
from holonomy.measure.hubs import Hubness
from holonomy.measure.intrinsic_dimension import DEFAULT_NEIGHBORS, DimensionEstimate
from holonomy.measure.linear_span import LinearSpan
from holonomy.measure.recommendation import Recommendation, recommend

PAPERS = (
    "facco2017estimating", "levina2004maximum", "mackay2005comments", "roy2007effective", "gromov1987hyperbolic",
    "radovanovic2010hubs", "breunig2000lof", "little2017multiscale",
)  # fmt: skip

SEARCHABLE = ("euclidean", "sqeuclidean", "cosine", "correlation", "manhattan", "chebyshev")
"""Metrics that a name tells everything of."""


@dataclass(frozen=True, eq=False)
class GeometryProfile:
    """The geometry of a data set, measured and in words.

    Attributes
    ----------
    headline : str
        What the data looks like, in one sentence.
    sections : tuple of ProfileSection
        Size, connectedness, linear span, dimension, scales, shape, branching, noise, hubs and outliers; those that
        nothing is known of are left out.
    recommendation : Recommendation
        How to map the data, and why.
    graph : NeighborGraph
        The neighbours everything was measured on, to be shared with a map.
    connectedness : Connectedness
        The connected parts.
    hubness : Hubness
        How often each point is a neighbour of others.
    outlier_factors : ndarray of shape (n,)
        Local outlier factor of every point.
    span : LinearSpan
        Linear extent of the largest part.
    two_nn, mle : DimensionEstimate or None
        Intrinsic dimension by two estimators; None where no dimension can be measured.

    Examples
    --------
    >>> import numpy as np
    >>> import holonomy
    >>> found = holonomy.profile(np.random.default_rng(0).normal(size=(200, 3)))
    >>> [section.name for section in found.sections][:6]
    ['size', 'connectedness', 'linear span', 'dimension', 'scales', 'shape']
    >>> found.local_dimension.shape
    (200,)
    """

    headline: str
    sections: tuple[ProfileSection, ...]
    recommendation: Recommendation
    graph: NeighborGraph
    connectedness: Connectedness
    hubness: Hubness
    outlier_factors: np.ndarray
    span: LinearSpan
    two_nn: DimensionEstimate | None
    mle: DimensionEstimate | None

    _references: ClassVar[tuple[str, ...]] = PAPERS

    @property
    def sentences(self) -> tuple[str, ...]:
        """The headline and what every section found."""
        return (self.headline, *(sentence for section in self.sections for sentence in section.sentences))

    @property
    def local_dimension(self) -> np.ndarray:
        """The dimension around every point by maximum likelihood, shape (n,); NaN where it cannot be measured."""
        return np.full(self.graph.n_points, np.nan) if self.mle is None else self.mle.per_point

    def section(self, name: str) -> ProfileSection:
        """Return the section of this name.

        Raises
        ------
        KeyError
            If there is none.
        """
        for section in self.sections:
            if section.name == name:
                return section
        raise KeyError(f"no section {name!r}; there are {', '.join(section.name for section in self.sections)}.")

    def to_dict(self) -> dict[str, Any]:
        """Return everything but arrays of one value a point, ready for JSON."""
        return {
            "headline": self.headline,
            "sections": {
                section.name: {"sentences": list(section.sentences), "values": dict(section.values)}
                for section in self.sections
            },
            "recommendation": {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in {"sentence": self.recommendation.sentence, **asdict(self.recommendation)}.items()
            },
        }

    def __str__(self) -> str:
        found = [f"- {sentence}" for sentence in self.sentences[1:]]
        advice = [f"- {sentence}" for sentence in (*self.recommendation.reasons, *self.recommendation.watch)]
        return "\n".join([self.headline, *found, self.recommendation.sentence, *advice])

    def _repr_html_(self) -> str:
        def listed(sentences: tuple[str, ...]) -> str:
            return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"

        advice = self.recommendation
        return (
            f"<div><p><b>{escape(self.headline)}</b></p>{listed(self.sentences[1:])}"
            f"<p><b>{escape(advice.sentence)}</b></p>{listed((*advice.reasons, *advice.watch))}</div>"
        )

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.padding import Padding
        from rich.text import Text

        advice = self.recommendation
        return Group(
            Text(self.headline, style="bold"),
            *(Padding(Text(sentence), (0, 0, 0, 2)) for sentence in self.sentences[1:]),
            Text(advice.sentence, style="bold"),
            *(Padding(Text(sentence), (0, 0, 0, 2)) for sentence in (*advice.reasons, *advice.watch)),
        )


@references(*PAPERS)
def profile(
    X: Points,
    *,
    n_neighbors: int | None = None,
    metric: Metric = "euclidean",
    graph: NeighborGraph | None = None,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> GeometryProfile:
    """Measure the geometry of a data set, and say what it is and how to map it.

    One neighbour graph serves everything: repeated rows, connected parts, intrinsic dimension globally and around
    every point. The linear span comes from the covariance. Whether the data is flat is told by comparison with flat
    clouds of the same variances, in samples of up to 600 points, and with spheres; whether it branches, by the
    geodesics of up to 2,000 points.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Points; names of columns are used where there are any.
    n_neighbors : int, optional
        Neighbours of each point; the lesser of 15 and n - 1 by default.
    metric : str or callable, default "euclidean"
        Metric of the neighbours, as `holonomy.graphs.neighbors` takes it. The linear span is always Euclidean, and
        flatness is only judged for Euclidean neighbours.
    graph : NeighborGraph, optional
        Neighbours of the points, if they are known already; excludes ``n_neighbors``.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the samples and of the flat clouds.
    n_jobs : int, optional
        Threads. The result does not depend on it.

    Returns
    -------
    GeometryProfile

    Raises
    ------
    ValueError
        On NaN, fewer than 2 rows, fewer rows than neighbours, or a graph of another number of points.

    References
    ----------
    Facco, d'Errico, Rodriguez, Laio (2017), Estimating the intrinsic dimension of datasets by a minimal neighborhood
    information.
    Levina, Bickel (2004), Maximum likelihood estimation of intrinsic dimension.
    MacKay, Ghahramani (2005), Comments on 'Maximum likelihood estimation of intrinsic dimension'.
    Roy, Vetterli (2007), The effective rank: a measure of effective dimensionality.
    Gromov (1987), Hyperbolic groups.
    Radovanović, Nanopoulos, Ivanović (2010), Hubs in space: popular nearest neighbors in high-dimensional data.
    Breunig, Kriegel, Ng, Sander (2000), LOF: identifying density-based local outliers.
    Little, Maggioni, Rosasco (2017), Multiscale geometric methods for data sets I: multiscale SVD, noise and curvature.

    Examples
    --------
    >>> import numpy as np
    >>> import holonomy
    >>> angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 1000)
    >>> found = holonomy.profile(np.c_[np.cos(angle), np.sin(angle)])
    >>> found.headline[:43]
    'The data look 1-dimensional, like a circle '
    >>> found.recommendation.method
    'UMAP'
    """
    names = tuple(str(name) for name in getattr(X, "columns", ()))
    if isinstance(metric, str) and metric == "precomputed":
        raise ValueError("metric must not be 'precomputed': a profile needs points; pass their neighbours as graph.")
    points = check_points(X, min_samples=2)
    if len(names) != points.shape[1]:
        names = tuple(str(column) for column in range(points.shape[1]))
    seed = check_seed(random_state)
    with threads(n_jobs):
        shared = _shared_graph(points, graph, n_neighbors, metric, n_jobs)
        known_metric = metric if graph is None else shared.metric
        can_search = graph is None or known_metric in SEARCHABLE

        def search(rows: np.ndarray) -> NeighborGraph:
            return neighbors(rows, min(shared.n_neighbors, len(rows) - 1), metric=known_metric)

        findings = measure_all(points, shared, names, seed, search if can_search else None)
    return GeometryProfile(
        headline=wording.headline(findings),
        sections=sections(Evidence(points, shared, findings, seed)),
        recommendation=recommend(findings),
        graph=shared,
        connectedness=findings.connectedness,
        hubness=findings.hubness,
        outlier_factors=findings.outlier_factors,
        span=findings.span,
        two_nn=findings.two_nn,
        mle=findings.mle,
    )


def _shared_graph(
    points: np.ndarray, graph: NeighborGraph | None, n_neighbors: int | None, metric: Metric, n_jobs: int | None
) -> NeighborGraph:
    if graph is None:
        k = min(DEFAULT_NEIGHBORS, len(points) - 1) if n_neighbors is None else n_neighbors
        return neighbors(points, check_int(k, "n_neighbors", minimum=1), metric=metric, n_jobs=n_jobs)
    if n_neighbors is not None:
        raise ValueError("give either graph or n_neighbors; graph.truncated(k) has fewer neighbours.")
    check_same_length(len(points), check_graph(graph).n_points, "X", "graph")
    return graph
