"""From what was measured to what to do: method, number of components, neighbours, and what to watch for."""

from collections.abc import Iterator
from dataclasses import dataclass

from holonomy.measure._findings import Findings
from holonomy.measure._main_part import is_whole

USUAL_NEIGHBORS = 15
MANY_NEIGHBORS = 30
FEW_POINTS = 100
OUTLIER_SHARE = 0.05
VISIBLE_DIMENSION = 3.5
"""Dimension up to which a map can keep neighbourhoods and still be looked at."""


@dataclass(frozen=True)
class Recommendation:
    """How to map the data.

    Attributes
    ----------
    method : str
        ``"UMAP"``, ``"PCA"``, or ``"none"`` where there is nothing to map.
    n_components : int
        Dimension of the map.
    n_neighbors : int
        Neighbours of each point to build the map on; PCA needs none.
    reasons : tuple of str
        Why, in sentences.
    watch : tuple of str
        What to look out for in the map, in sentences.
    geometry : str
        Space that fits the data: ``"euclidean"``, ``"spherical"`` or ``"hyperbolic"``.

    Examples
    --------
    >>> import numpy as np
    >>> import holonomy
    >>> advice = holonomy.profile(np.random.default_rng(0).uniform(size=(500, 2))).recommendation
    >>> advice.sentence
    'Map it with PCA into 2 dimensions.'
    """

    method: str
    n_components: int
    n_neighbors: int
    reasons: tuple[str, ...]
    watch: tuple[str, ...]
    geometry: str = "euclidean"

    @property
    def sentence(self) -> str:
        """The recommendation in one sentence."""
        if self.method == "none":
            return "There is nothing to map."
        setting = f" (n_neighbors={self.n_neighbors})" if self.method == "UMAP" else ""
        plural = "dimension" if self.n_components == 1 else "dimensions"
        return f"Map it with {self.method} into {self.n_components} {plural}{setting}."


def recommend(findings: Findings) -> Recommendation:
    """Choose method and parameters from what was found."""
    method, reason = _method(findings)
    n_components, components_reason = _n_components(findings, method)
    n_neighbors, neighbors_reason = _n_neighbors(findings)
    geometry, geometry_reason = _geometry(findings)
    reasons = (reason, components_reason, neighbors_reason if method == "UMAP" else "", geometry_reason)
    return Recommendation(
        method=method,
        n_components=n_components,
        n_neighbors=n_neighbors,
        reasons=tuple(filter(None, reasons)),
        watch=tuple(_watch(findings, method)),
        geometry=geometry,
    )


def _geometry(findings: Findings) -> tuple[str, str]:
    """Choose the space to map into."""
    if findings.dimension is None or findings.are_too_few or not is_whole(findings.connectedness):
        return "euclidean", ""
    if findings.sphere is not None:
        name = "circle" if findings.sphere.dimension == 1 else "sphere"
        return "spherical", f"The points lie on a {name}: a flat map has to tear it, a map into a {name} does not."
    if findings.branching is not None and findings.branching.is_tree:
        return (
            "hyperbolic",
            "Distances are those of a tree: hyperbolic space has room for branches, a plane crowds them.",
        )
    return "euclidean", ""


def _method(findings: Findings) -> tuple[str, str]:
    if findings.is_point:
        return "none", "All rows are equal."
    if findings.dimension is None or findings.are_too_few:
        return "PCA", "The dimension is not known, so that a map of neighbourhoods has little to build on."
    if findings.branching is not None and findings.branching.is_tree and findings.is_thin_tree:
        return "UMAP", "The data branch: a linear map lays branches over each other."
    if findings.verdict == "curved":
        return "UMAP", "The data are not flat: a linear map lays distant places over each other."
    if findings.verdict == "clumped":
        return "UMAP", "The data lie in clumps: a linear map shows how they lie, and little of what is in them."
    if findings.verdict != "flat":
        return "UMAP", "Whether the data are flat could not be told: compare the map with one by PCA."
    if is_whole(findings.connectedness):
        return "PCA", "The data are flat: a linear map shows as much as any other."
    return "UMAP", "The data have separate parts: a map of neighbourhoods sets them side by side."


def _n_components(findings: Findings, method: str) -> tuple[int, str]:
    dimension = findings.dimension
    if dimension is None or findings.are_too_few:
        return max(1, min(2, findings.span.rank)), ""
    if dimension <= VISIBLE_DIMENSION:
        return max(1 if method == "PCA" else 2, round(dimension)), ""
    return 2, (
        f"About {dimension:.0f} dimensions do not fit into a picture: 2 are for looking; "
        f"for further computation keep about {dimension:.0f} components."
    )


def _n_neighbors(findings: Findings) -> tuple[int, str]:
    parts = findings.connectedness
    most = max(2, (findings.n_points - 1) // 3)
    if most >= MANY_NEIGHBORS and findings.is_noisy:
        return MANY_NEIGHBORS, "More neighbours than usual look past the noise at the smallest distances."
    if most >= MANY_NEIGHBORS and not parts.is_connected and parts.sizes[-1] <= MANY_NEIGHBORS:
        return MANY_NEIGHBORS, "More neighbours than usual may join the smallest parts to the rest."
    return min(USUAL_NEIGHBORS, most), ""


def _watch(findings: Findings, method: str) -> Iterator[str]:
    if not findings.connectedness.is_connected and method == "UMAP":
        yield "Where separate parts lie relative to each other in the map means nothing."
    if findings.dimension is not None and findings.dimension > VISIBLE_DIMENSION and not findings.are_too_few:
        yield "No picture of these data keeps all neighbourhoods: look at the trust of each point before believing it."
    if findings.columns.dominating is not None:
        yield "If the columns' units are not comparable, standardise them and compare the maps."
    if findings.n_repeated > findings.n_points // 10:
        yield "Repeated rows form clumps in a map: consider to keep one of each."
    if findings.has_hubs:
        yield "A few points are neighbours of very many: in maps they draw others to themselves."
    if findings.n_outliers and findings.n_outliers <= OUTLIER_SHARE * findings.n_points:
        yield "Outliers may take most of a linear map: look at them, and at a map without them."
    if findings.is_mixed:
        yield "The dimension differs from place to place: colour the map by local dimension."
    if findings.n_points < FEW_POINTS and not findings.is_point:
        yield f"With {findings.n_points} points only coarse structure can be seen."
