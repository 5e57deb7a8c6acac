"""Colours of the report: told apart by people with any colour vision, on a light and on a dark page.

The ten colours of classes were found by maximising the least difference between any two of them (Euclidean in OKLab),
over normal vision and full protanopia, deuteranopia and tritanopia as simulated by Machado, Oliveira and Fernandes
(2009): 0.095 on the light page and 0.087 on the dark one, where Okabe and Ito's six have 0.076 and Petroff's ten 0.060.
Up to thirty classes take a light and a deep tone of those as well; past that, colours repeat and the page says so.
Ordered values take sequences that rise in lightness; doubt goes from rust to blue.
"""

from collections.abc import Sequence

CLASSES = (
    "#23499E", "#F58B0C", "#3AA489", "#BC3071", "#72C7FC", "#8F2900", "#CED75B", "#6964E3", "#70750B", "#FDA9B7",
)  # fmt: skip
"""Colours of the first ten classes on a light page."""

CLASSES_DARK = (
    "#5277E5", "#FAA221", "#31B599", "#C25AA9", "#81DDFC", "#C74221", "#D0E57B", "#A991F9", "#A69226", "#FBBBBF",
)  # fmt: skip
"""The same hues for a dark page."""

VIRIDIS = (
    "#440154", "#482475", "#414487", "#355F8D", "#2A788E", "#21918C", "#22A884", "#44BF70", "#7AD151", "#BDDF26",
    "#FDE725",
)  # fmt: skip
"""Eleven anchors of matplotlib's viridis."""

CIVIDIS = (
    "#00224E", "#083370", "#35456C", "#4F576C", "#666970", "#7D7C78", "#948E77", "#AEA371", "#C8B866", "#E5CF52",
    "#FEE838",
)  # fmt: skip
"""Eleven anchors of cividis (Nunez, Anderton and Renslow 2018)."""

DOUBT = ("#9C2A00", "#D0561A", "#EE8B4A", "#F3BE8F", "#DDD6CC", "#C3CFD6", "#B3C4CF")
"""From a strong rust (do not believe) to a pale blue (as in the data), for a light page."""

DOUBT_DARK = ("#FFC08A", "#FF9A55", "#DB6B2C", "#96502F", "#6A544A", "#50606B", "#566976")
"""The same for a dark page: what is not to be believed glows."""

BALANCE = ("#0B4F6C", "#3A87A8", "#8FBFD2", "#DDD9CF", "#E3B27A", "#C5752C", "#7F3F06")
"""From less (blue) over as usual (pale) to more (brown), for a light page."""

BALANCE_DARK = ("#8FDDF5", "#4FA7C7", "#35647A", "#5A5852", "#8A6134", "#CC8A3F", "#FFCF8E")
"""The same for a dark page."""

DISTINCT_CLASSES = 3 * len(CLASSES)
"""Number of classes that get a colour of their own."""


def class_colors(n_classes: int, *, dark: bool = False) -> list[str]:
    """Return one colour a class, in the order of the legend.

    Parameters
    ----------
    n_classes : int
        Number of classes; beyond `DISTINCT_CLASSES` the colours repeat.
    dark : bool, default False
        Whether the page is dark.

    Returns
    -------
    list of str
        ``#RRGGBB``, length ``n_classes``.

    Examples
    --------
    >>> from holonomy.plot.palettes import class_colors
    >>> class_colors(2)
    ['#23499E', '#F58B0C']
    """
    base = list(CLASSES_DARK if dark else CLASSES)
    tones = base + [_mixed(color, "#FFFFFF", 0.5) for color in base] + [_mixed(color, "#000000", 0.4) for color in base]
    return [tones[i % len(tones)] for i in range(n_classes)]


def sequence(name: str, *, dark: bool = False, n_colors: int = 256) -> list[str]:
    """Return ``n_colors`` colours from low to high.

    Parameters
    ----------
    name : {"viridis", "cividis", "doubt", "strain", "balance"}
        ``"doubt"`` draws attention to low values, ``"strain"`` to high ones, ``"balance"`` to both ends.
    dark : bool, default False
        Whether the page is dark; the ends that would vanish on it are left out.
    n_colors : int, default 256
        Length of the sequence, at least 2.
    """
    if name == "doubt":
        return interpolated(DOUBT_DARK if dark else DOUBT, n_colors)
    if name == "strain":
        return interpolated((DOUBT_DARK if dark else DOUBT)[::-1], n_colors)
    if name == "balance":
        return interpolated(BALANCE_DARK if dark else BALANCE, n_colors)
    anchors = {"viridis": VIRIDIS, "cividis": CIVIDIS}[name]
    start, stop = (0.18, 1.0) if dark else (0.0, 0.93)
    return interpolated(anchors, n_colors, start, stop)


def interpolated(anchors: Sequence[str], n_colors: int, start: float = 0.0, stop: float = 1.0) -> list[str]:
    """Return ``n_colors`` colours, linear in sRGB between equally spaced anchors, over the part [start, stop]."""
    channels = [_channels(color) for color in anchors]
    colors = []
    for i in range(n_colors):
        position = (start + (stop - start) * i / (n_colors - 1)) * (len(anchors) - 1)
        left = min(int(position), len(anchors) - 2)
        share = position - left
        colors.append(_hex([a + share * (b - a) for a, b in zip(channels[left], channels[left + 1], strict=True)]))
    return colors


def _channels(color: str) -> list[float]:
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _hex(channels: Sequence[float]) -> str:
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, c))):02X}" for c in channels)


def _mixed(color: str, other: str, share: float) -> str:
    return _hex([a + share * (b - a) for a, b in zip(_channels(color), _channels(other), strict=True)])
