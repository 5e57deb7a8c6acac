"""The map as a still picture: what the page shows without scripts or WebGL, and on paper."""

import base64
import io

import numpy as np

WIDTH, HEIGHT = 900, 640
"""Size of the picture, in pixels."""

SAMPLES = 2
"""Pixels drawn for one of the picture, along each axis, so that edges are smooth."""

COLORS = 96
"""Colours of the picture's palette."""


def still_picture(embedding: np.ndarray, colors: np.ndarray, point_size: float) -> str:
    """Return a picture of the map on a transparent ground, as a ``data:`` address.

    Parameters
    ----------
    embedding : ndarray, shape (n, 2)
        The map.
    colors : ndarray of uint8, shape (n, 3)
        Colour of each point.
    point_size : float
        Diameter of a point, in pixels.
    """
    from PIL import Image

    size = np.array([WIDTH, HEIGHT]) * SAMPLES
    middle = (embedding.min(axis=0) + embedding.max(axis=0)) / 2
    extent = np.maximum(np.ptp(embedding, axis=0), 1e-12)
    scale = float((size / (1.09 * extent)).min())
    place = (np.array([1, -1]) * (embedding - middle) * scale + size / 2).astype(np.int64)
    canvas = np.zeros((size[1], size[0], 4), dtype=np.uint8)
    for dx, dy in _disc(point_size * SAMPLES / 2):
        x, y = np.clip(place[:, 0] + dx, 0, size[0] - 1), np.clip(place[:, 1] + dy, 0, size[1] - 1)
        canvas[y, x, :3], canvas[y, x, 3] = colors, 255
    picture = Image.fromarray(canvas).reduce(SAMPLES)
    stream = io.BytesIO()
    picture.quantize(COLORS, method=Image.Quantize.FASTOCTREE).save(stream, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


def _disc(radius: float) -> list[tuple[int, int]]:
    reach = int(np.ceil(radius))
    steps = range(-reach, reach + 1)
    return [(dx, dy) for dx in steps for dy in steps if dx * dx + dy * dy <= radius * radius]
