"""One choice of sign for vectors that are only defined up to it."""

import numpy as np


def orient(vectors: np.ndarray, *, axis: int) -> np.ndarray:
    """Return the vectors along ``axis`` with the sign that makes their entry of largest magnitude positive.

    Among entries within 0.1 % of the largest the first decides, so that rounding does not choose between equal ones.
    """
    magnitudes = np.abs(vectors)
    anchors = np.argmax(magnitudes >= 0.999 * magnitudes.max(axis=axis, keepdims=True), axis=axis, keepdims=True)
    return vectors * np.where(np.take_along_axis(vectors, anchors, axis=axis) < 0, -1.0, 1.0)
