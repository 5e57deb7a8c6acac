"""What a report holds, and the forms it comes in: a page, five lines, a notebook cell, a terminal panel."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from holonomy._core.files import replacing
from holonomy.report.columns import Column

if TYPE_CHECKING:
    from holonomy.measure import GeometryProfile
    from holonomy.report.alerts import Alert
    from holonomy.report.evidence import Evidence, Score


@dataclass(frozen=True, eq=False)
class MapReport:
    """A map of data, with what is known about the data and how far the map can be trusted.

    Attributes
    ----------
    name : str
        Name of the data.
    source : str or None
        The data-set name or file that it was read from, None where it came from memory.
    n_features : int
        Dimension of the data.
    profile : GeometryProfile
        The geometry of the data.
    embedding : ndarray of float32, shape (n, 2)
        The map.
    baseline : ndarray of float32, shape (n, 2)
        The two leading principal components.
    evidence : Evidence
        How far the map can be trusted, as a whole and at each point.
    alerts : tuple of Alert
        What a reader should know before believing the map, the gravest first.
    local_dimension : ndarray, shape (n,)
        Intrinsic dimension around each point.
    labels, columns : tuple of Column
        What else is known about the points: classes and texts; quantities.
    further : tuple of Column
        Coordinates that the page colours by on request, without their exact values.
    images : ndarray of uint8, shape (n, height, width) or (n, height, width, 3), or None
        The image that every row is.
    label_name : str or None
        The labels that were asked for by name.
    notes : tuple of str
        How the data was read: columns left out, identifiers, constant columns.
    method : str
        Name of the embedder's class.
    method_call : str or None
        Python expression that makes the embedder; None for the default one.
    estimator : object
        The fitted embedder, which can place new points.
    options : mapping of str to object
        What was asked for beyond data, label and seed, so that it can be asked for again.
    parameters : mapping of str to object
        Parameters of the method, and what its fit chose.
    n_neighbors, seed : int
        Size of the neighbourhoods, and the random state.
    versions : mapping of str to str
        Of Python, of this library and of what it computed with.
    citations : str
        BibTeX of what was used.
    timings : mapping of str to float
        Seconds that each step took.
    created : str
        Date, ISO 8601.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.report import map_report
    >>> report = map_report(np.random.default_rng(0).normal(size=(60, 5)), n_neighbors=10)
    >>> report.embedding.shape, [score.name for score in report.scores]
    ((60, 2), ['Trustworthiness', 'Continuity', 'Neighbour recall'])
    """

    name: str
    source: str | None
    n_features: int
    profile: "GeometryProfile"
    embedding: np.ndarray
    baseline: np.ndarray
    evidence: "Evidence"
    alerts: tuple["Alert", ...]
    local_dimension: np.ndarray
    labels: tuple[Column, ...]
    columns: tuple[Column, ...]
    further: tuple[Column, ...]
    images: np.ndarray | None
    label_name: str | None
    notes: tuple[str, ...]
    method: str
    method_call: str | None
    estimator: Any
    options: Mapping[str, Any]
    parameters: Mapping[str, Any]
    n_neighbors: int
    seed: int
    versions: Mapping[str, str]
    citations: str
    timings: Mapping[str, float]
    created: str
    _page: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def scores(self) -> tuple["Score", ...]:
        """Quality of map and baseline, with intervals."""
        return self.evidence.scores

    @property
    def trust(self) -> np.ndarray:
        """Trustworthiness of the map at each point, shape (n,), in [0, 1]; 0.5 is what a random map has."""
        return self.evidence.trust

    def summary(self) -> str:
        """Return the report in exactly five plain lines."""
        from holonomy.report.summary import five_lines

        return "\n".join(five_lines(self))

    def to_html(self) -> str:
        """Return the report as one page that is complete in itself and works offline."""
        if "html" not in self._page:
            from holonomy.report.page import render

            self._page["html"] = render(self)
        return self._page["html"]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to ``path``, whole or not at all, and return the path.

        Raises
        ------
        OSError
            If the folder does not exist or cannot be written to.
        """
        with replacing(path) as part:
            part.write_text(self.to_html(), encoding="utf-8", newline="\n")
        return Path(path)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures of the report (not its points) as plain numbers and texts, for JSON."""
        return {
            "name": self.name,
            "points": len(self.embedding),
            "features": self.n_features,
            "summary": self.summary().splitlines(),
            "scores": {score.name: _score_dict(score) for score in self.scores},
            "alerts": [asdict(alert) for alert in self.alerts],
            "profile": self.profile.to_dict(),
            "method": self.method,
            "parameters": {key: _plain(value) for key, value in self.parameters.items()},
            "n_neighbors": self.n_neighbors,
            "seed": self.seed,
            "versions": dict(self.versions),
            "seconds": {key: round(seconds, 3) for key, seconds in self.timings.items()},
        }

    def _repr_html_(self) -> str:
        """Show the page in a frame of its own, so that a notebook's styles and ours leave each other alone."""
        from html import escape

        page = escape(self.to_html(), quote=True)
        return (
            f'<iframe srcdoc="{page}" width="100%" height="900" style="border:0" title="{escape(self.name)}"></iframe>'
        )

    def __rich__(self) -> Any:
        """Return a panel with the five lines."""
        from rich.panel import Panel
        from rich.text import Text

        return Panel(Text(self.summary()), title=Text(self.name), title_align="left", expand=False)


def _score_dict(score: "Score") -> dict[str, Any]:
    both = {"map": score.map, "pca": score.baseline}
    return {name: {"value": e.value, "low": e.low, "high": e.high} for name, e in both.items()}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
