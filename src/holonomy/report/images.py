"""The images that rows of a table are: as pixels, and packed into sheets for the page."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holonomy._core.random import generator

BUDGET = 15_000_000
"""Most bytes of images in a page, by default."""

ENCODED = 4 / 3
"""Bytes of the page for one byte of an image: the page holds them in base64."""

PER_SHEET = 1024
"""Images of a sheet, 32 a row."""

ACROSS = 32

LARGEST_SIDE = 64
"""Longest side of an image on the page, in pixels; larger ones are reduced by whole factors."""

TRIED = 256
"""Images that are packed to tell how many fit."""


@dataclass(frozen=True)
class Sheets:
    """Images in sheets.

    Attributes
    ----------
    height, width : int
        Of one image, in pixels.
    rows : ndarray of int32, shape (m,)
        The row of the data that each image is, in the order of the sheets.
    sheets : tuple of ndarray of uint8
        The bytes of WebP files with `PER_SHEET` images each, `ACROSS` a row.
    is_complete : bool
        Whether every row has its image.
    """

    height: int
    width: int
    rows: np.ndarray
    sheets: tuple[np.ndarray, ...]
    is_complete: bool


def check_image_shape(shape: Sequence[int], n_features: int) -> tuple[int, ...]:
    """Return the shape of an image as whole numbers, after checking that a row of the data fills it.

    Raises
    ------
    ValueError
        If it is not (height, width) or (height, width, 3), or does not fit the number of coordinates.
    """
    try:
        found = tuple(int(side) for side in shape)
    except (TypeError, ValueError):
        raise ValueError(f"image_shape must be (height, width) or (height, width, 3), got {shape!r}.") from None
    if len(found) not in (2, 3) or min(found) < 1 or (len(found) == 3 and found[2] != 3):
        raise ValueError(f"image_shape must be (height, width) or (height, width, 3), got {shape!r}.")
    if np.prod(found) != n_features:
        product = " × ".join(map(str, found))
        raise ValueError(
            f"image_shape must fill a row: {product} = {np.prod(found):,}, and a row has {n_features:,} numbers."
        )
    return found


def pixels_of(X: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the rows as images of bytes, shape (n, height, width) or (n, height, width, 3).

    Values within [0, 255], [0, 1] and so on are not stretched: black is 0 where nothing is negative, and white the
    largest value of all images.
    """
    low, high = min(float(X.min()), 0.0), float(X.max())
    scale = 255.0 / (high - low) if high > low else 0.0
    pixels = np.empty(X.shape, dtype=np.uint8)
    for start in range(0, len(X), 4096):
        part = (X[start : start + 4096].astype(np.float32) - low) * scale
        pixels[start : start + 4096] = np.clip(np.round(part), 0, 255)
    images = pixels.reshape(len(X), *shape)
    factor = -(-max(shape[:2]) // LARGEST_SIDE)
    return _reduced(images, factor) if factor > 1 else images


def make_sheets(images: np.ndarray, rows: np.ndarray, budget: int = BUDGET) -> Sheets:
    """Pack images into sheets of at most ``budget`` bytes.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, height, width) or (n, height, width, 3)
        The images of all rows of the data.
    rows : ndarray of int, shape (m,)
        Rows whose images are wanted.
    budget : int, default 15,000,000
        Most bytes; where not all images fit, as many as do, chosen evenly at random.
    """
    order = rows[generator(0, "report", "images").permutation(len(rows))]
    tried = order[:TRIED]
    each = len(_sheet(images[tried])) / len(tried)
    fitting = int(0.94 * budget / (ENCODED * each))
    chosen = np.sort(order[:fitting])
    sheets = tuple(_sheet(images[chosen[start : start + PER_SHEET]]) for start in range(0, len(chosen), PER_SHEET))
    while sheets and ENCODED * sum(map(len, sheets)) > budget:
        sheets = sheets[:-1]
    chosen = chosen[: PER_SHEET * len(sheets)]
    return Sheets(images.shape[1], images.shape[2], chosen.astype(np.int32), sheets, len(chosen) == len(rows))


def _reduced(images: np.ndarray, factor: int) -> np.ndarray:
    n, height, width = images.shape[:3]
    height, width = height // factor, width // factor
    cut = images[:, : height * factor, : width * factor]
    blocks = cut.reshape(n, height, factor, width, factor, *images.shape[3:])
    return blocks.mean(axis=(2, 4)).astype(np.uint8)


def _sheet(images: np.ndarray) -> np.ndarray:
    """Return the bytes of one file with images side by side: WebP, whose loss no eye sees at this size."""
    from PIL import Image

    n, height, width = images.shape[:3]
    across = min(n, ACROSS)
    down = -(-n // across)
    canvas = np.zeros((down * across, *images.shape[1:]), dtype=np.uint8)
    canvas[:n] = images
    grid = canvas.reshape(down, across, *images.shape[1:]).swapaxes(1, 2)
    picture = Image.fromarray(grid.reshape(down * height, across * width, *images.shape[3:]))
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "WEBP", quality=80, method=2)
    return np.frombuffer(stream.getvalue(), dtype=np.uint8)
