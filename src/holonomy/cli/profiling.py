"""Measuring a table step by step, so that a person who waits sees how far it is."""

from typing import TYPE_CHECKING

from holonomy._core.progress import progress

if TYPE_CHECKING:
    from holonomy.datasets import Table
    from holonomy.measure import GeometryProfile

STEPS = {"neighbours": 20, "geometry": 80}
"""What a profile goes through, and the usual share of its time in per cent."""

USUAL_NEIGHBORS = 15


def profile_of(
    table: "Table", n_neighbors: int | None, seed: int, show_progress: bool | None = None
) -> "GeometryProfile":
    """Return the profile of a table, whose columns are called by their names."""
    from holonomy.graphs import neighbors
    from holonomy.measure import profile
    from holonomy.report.clock import Clock
    from holonomy.report.sources import frame_of

    clock = Clock(STEPS)
    with progress(f"Measuring {table.name}", total=sum(STEPS.values()), enabled=show_progress) as bar:
        with clock.step("neighbours", bar):
            k = min(USUAL_NEIGHBORS, len(table.X) - 1) if n_neighbors is None else n_neighbors
            graph = neighbors(table.X, k)
        with clock.step("geometry", bar):
            return profile(frame_of(table), graph=graph, random_state=seed)
