"""Where the names of classes are written on a map."""

from collections.abc import Sequence
from typing import Any

import numpy as np

MAX_NAMED_CLASSES = 30
"""Classes are named on the map itself up to this many."""

NEAR_NAME = 25
"""Points around the centre of a class, most of which must be of the class for its name to be written there."""

CENTERINGS = 5
"""Steps from the median of a class towards where most of it is."""

LONGEST_NAME = 18


def class_names(embedding: np.ndarray, codes: np.ndarray, categories: Sequence[str]) -> list[dict[str, Any]]:
    """Return the place of each class that has one on the map, with its code and its name, shortened.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.report.class_names import class_names
    >>> class_names(np.array([[0.0, 0.0], [9.0, 0.0]]), np.array([0, 1]), ("a", "b"))[1]
    {'code': 1, 'text': 'b', 'x': 9.0, 'y': 0.0}
    """
    if not 2 <= len(categories) <= MAX_NAMED_CLASSES:
        return []
    places = [(code, _center_of_class(embedding, codes == code)) for code in range(len(categories))]
    return [
        {"code": code, "text": _shortened(categories[code]), "x": float(place[0]), "y": float(place[1])}
        for code, place in places
        if place is not None
    ]


def _center_of_class(embedding: np.ndarray, members: np.ndarray) -> np.ndarray | None:
    """Return a member in the middle of where most of the class is, or None where others prevail around it.

    A name beside points of other classes would mislead, and the median of a class in several islands may lie on none
    of them: it moves to the median of the half of the class around it, and then to the nearest member.
    """
    own = embedding[members]
    if not len(own):
        return None
    center = np.median(own, axis=0)
    half = (len(own) + 1) // 2
    for _ in range(CENTERINGS):
        nearest = np.argpartition(((own - center) ** 2).sum(axis=1), half - 1)[:half]
        center = np.median(own[nearest], axis=0)
    center = own[np.argmin(((own - center) ** 2).sum(axis=1))]
    n_around = min(NEAR_NAME, len(own))
    distances = ((embedding - center) ** 2).sum(axis=1)
    around = np.argpartition(distances, n_around - 1)[:n_around]
    return center if members[around].mean() > 0.5 else None


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1] + "…"
