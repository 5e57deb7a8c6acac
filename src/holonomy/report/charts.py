"""Small drawings of the page, as SVG whose colours come from the page's style sheet."""

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from holonomy.measure import Estimate, RankCurve

WIDTH, HEIGHT = 560, 250
LEFT, TOP, BOTTOM = 40, 12, 34
BASELINE = "PCA"
"""Name of the curve that has the style of a baseline, in upper or lower case."""

BASELINE_STYLE = 1
LONGEST_NAME, CHARACTER = 16, 7.6
"""Characters of a name beside its curve, and pixels that one takes."""

POINTS = 120
"""Points that a curve is drawn through."""

SCORE_WIDTH, SCORE_HEIGHT = 200, 28


def rank_chart(curves: Mapping[str, "RankCurve"]) -> Any:
    """Return the curves of neighbourhoods kept over their size, with bands where they are estimates."""
    first = next(iter(curves.values()))
    largest = int(first.n_neighbors[-1])
    chosen = np.unique(np.round(np.geomspace(1, largest, POINTS)).astype(int)) - 1
    top = max(0.1, *(float(np.max(curve.high[chosen])) for curve in curves.values()))
    top = min(1.0, np.ceil(top * 10) / 10)
    shown = [name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…" for name in curves]
    right = WIDTH - 12 - CHARACTER * (5 + max(map(len, shown)))

    def x(k: Any) -> Any:
        return LEFT + (right - LEFT) * np.log(k) / np.log(max(largest, 2))

    def y(value: Any) -> Any:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - np.clip(value, 0, top) / top)

    parts = [*_axes(largest, top, right, x, y)]
    ends = _apart([float(y(curve.rescaled[chosen[-len(chosen) // 4]])) for curve in curves.values()])
    for i, (style, curve) in enumerate(zip(_styles(list(curves)), curves.values(), strict=True)):
        at = x(first.n_neighbors[chosen])
        band = [*zip(at, y(curve.low[chosen]), strict=True), *zip(at[::-1], y(curve.high[chosen])[::-1], strict=True)]
        parts.append(f'<path class="band s{style}" d="{_path(band)}Z"/>')
        parts.append(
            f'<path class="curve s{style}" d="{_path(list(zip(at, y(curve.rescaled[chosen]), strict=True)))}"/>'
        )
        peak = int(chosen[np.argmax(curve.rescaled[chosen])])
        label = f'<tspan class="name">{_escape(shown[i])}</tspan> {float(curve.area):.2f}'
        parts.append(f'<text class="s{style}" x="{right + 6:.1f}" y="{ends[i]:.1f}">{label}</text>')
        parts.append(f'<circle class="s{style}" r="3.5" cx="{x(peak + 1):.1f}" cy="{y(curve.rescaled[peak]):.1f}"/>')
    return _svg(WIDTH, HEIGHT, "rank-chart", _description(curves), parts)


def score_line(scores: Sequence["Estimate"]) -> Any:
    """Return values in [0, 1] with their intervals on one line, the first one on top."""
    middle, span = SCORE_HEIGHT / 2, SCORE_WIDTH - 16
    parts = [f'<path class="axis" d="M8 {middle}H{SCORE_WIDTH - 8}"/>']
    for i in reversed(range(len(scores))):
        score = scores[i]
        low, high, at = (8 + span * min(1.0, max(0.0, value)) for value in (score.low, score.high, score.value))
        parts.append(f'<path class="interval s{i}" d="M{low:.2f} {middle}H{high:.2f}"/>')
        parts.append(f'<circle class="s{i}" cx="{at:.2f}" cy="{middle}" r="5"/>')
    return _svg(SCORE_WIDTH, SCORE_HEIGHT, "score-line", "", parts)


def _styles(names: Sequence[str]) -> list[int]:
    """Return the number of the style of each curve: that of a baseline for PCA, the others in order."""
    others = (style for style in itertools.count() if style != BASELINE_STYLE)
    return [BASELINE_STYLE if name.upper() == BASELINE else next(others) for name in names]


def _axes(largest: int, top: float, right: float, x: Any, y: Any) -> list[str]:
    parts = []
    for value in np.linspace(0, top, 3):
        parts.append(f'<path class="grid" d="M{LEFT} {y(value):.1f}H{right:.1f}"/>')
        parts.append(f'<text class="tick end" x="{LEFT - 7}" y="{y(value) + 4:.1f}">{value:.2g}</text>')
    for exponent in range(int(np.log10(largest)) + 1):
        k = 10**exponent
        parts.append(f'<text class="tick middle" x="{x(k):.1f}" y="{HEIGHT - BOTTOM + 17}">{k:,}</text>')
    middle = (LEFT + right) / 2
    parts.append(
        f'<text class="tick middle" x="{middle:.1f}" y="{HEIGHT - 2}">neighbours, on a logarithmic scale</text>'
    )
    return parts


def _apart(places: list[float], least: float = 16.0) -> list[float]:
    """Move labels apart that would be written over each other, keeping their order and above the axis."""
    moved = list(places)
    order = np.argsort(places)
    for before, after in itertools.pairwise(order):
        moved[after] = max(moved[after], moved[before] + least)
    moved[order[-1]] = min(moved[order[-1]], HEIGHT - BOTTOM)
    for after, before in itertools.pairwise(order[::-1]):
        moved[before] = min(moved[before], moved[after] - least)
    return moved


def _description(curves: Mapping[str, "RankCurve"]) -> str:
    areas = "; ".join(f"{name} {float(curve.area):.2f}, best at {curve.best_size:,}" for name, curve in curves.items())
    return f"Neighbourhoods kept over their size, R_NX. Area under the curve: {areas} neighbours."


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _escape(text: str) -> str:
    from markupsafe import escape

    return str(escape(text))


def _svg(width: int, height: int, kind: str, description: str, parts: Sequence[str]) -> Any:
    from markupsafe import Markup

    role = f'role="img" aria-label="{_escape(description)}"' if description else 'aria-hidden="true"'
    return Markup(  # noqa: S704 - numbers, our own words and escaped names
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" {role}>{"".join(parts)}</svg>'
    )
