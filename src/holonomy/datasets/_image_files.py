"""Images in IDX, the format of MNIST."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from holonomy.datasets._fetch import fetch
from holonomy.datasets._registry import DataSet

UNSIGNED_BYTE = 0x08
"""The IDX code of the only element type that image sets use."""


def load_images(entry: DataSet, split: str) -> dict[str, Any]:
    """Return the images of a split as rows of grey levels in [0, 255], with their classes."""
    images_path, labels_path = entry.splits[split]
    images, target = read_idx(fetch(images_path)), read_idx(fetch(labels_path))
    if images.ndim != 3 or target.shape != images.shape[:1]:
        raise ValueError(f"{images_path} and {labels_path} do not fit: shapes {images.shape} and {target.shape}.")
    height, width = images.shape[1:]
    return {
        "X": images.reshape(len(images), -1).astype(np.float32),
        "feature_names": [f"pixel_{row}_{column}" for row in range(height) for column in range(width)],
        "target": target.astype(np.int64),
        "target_names": np.array(entry.classes),
        "image_shape": (height, width),
    }


def read_idx(path: Path) -> np.ndarray:
    """Read a gzipped IDX file of unsigned bytes.

    Returns
    -------
    ndarray of uint8
        With the shape that the file states.

    Raises
    ------
    ValueError
        If the file is no gzipped IDX file of bytes, or shorter or longer than it states.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a whole gzip file: {error}.") from error
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTE or content[3] == 0:
        raise ValueError(f"{path} is not an IDX file of bytes: it begins with {content[:4].hex(' ')}.")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError(f"{path} ends within its header.")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    if len(content) - start != math.prod(shape):
        raise ValueError(f"{path} states shape {shape} but holds {len(content) - start} bytes.")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
