"""The axes of heads, drawn on images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from holonomy._core.validation import as_numpy, check_float, check_int
from holonomy.studies.head_pose.conventions import checked_poses

COLORS = ((230, 40, 40), (40, 190, 60), (50, 90, 255))
"""Of the axes x (right), y (up) and z (front)."""

PALE = tuple(tuple(255 - (255 - value) // 2 for value in color) for color in COLORS)


def draw_axes(
    image: Any,
    R: Any,
    *,
    center: Sequence[float] | None = None,
    length: float | None = None,
    width: int | None = None,
    colors: Sequence[Sequence[int]] = COLORS,
) -> np.ndarray:
    """Draw where the axes of a head point, seen from afar: x red, y green, and z, which the face looks along, blue.

    Parameters
    ----------
    image : array-like of uint8, shape (h, w, 3)
        The image; it is not written to.
    R : array-like of shape (3, 3)
        The pose.
    center : pair of float, optional
        Column and row where the axes meet; the middle by default.
    length : float, optional
        Pixels of an axis in the plane of the image; 0.4 of the shorter side by default.
    width : int, optional
        Pixels of a line; a sixtieth of the shorter side, at least 1, by default.
    colors : three triples of int
        Red, green and blue of the axes.

    Returns
    -------
    ndarray of uint8, shape (h, w, 3)

    Raises
    ------
    ValueError
        If the image is no colour image of bytes, or the matrix is no rotation.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.studies.head_pose import draw_axes
    >>> drawn = draw_axes(np.zeros((65, 65, 3), np.uint8), np.eye(3))
    >>> drawn[32, 45].tolist(), drawn[20, 32].tolist()
    ([230, 40, 40], [40, 190, 60])
    """
    picture = np.asarray(as_numpy(image))
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[-1] != 3:
        raise ValueError(f"image must be uint8 of shape (h, w, 3), got {picture.dtype} of shape {picture.shape}.")
    pose = checked_poses(R).numpy()
    if pose.shape != (3, 3):
        raise ValueError(f"R must be one rotation (3, 3), got shape {pose.shape}.")
    height, across = picture.shape[:2]
    short = min(height, across)
    column, row = (0.5 * (across - 1), 0.5 * (height - 1)) if center is None else center
    reach = 0.4 * short if length is None else check_float(length, "length", minimum=0.0)
    thick = max(1, short // 60) if width is None else check_int(width, "width", minimum=1)
    canvas = Image.fromarray(picture.copy())
    brush = ImageDraw.Draw(canvas)
    # Axes that point away from the viewer are drawn first.
    for axis in np.argsort(pose[2]):
        end = (column + reach * pose[0, axis], row - reach * pose[1, axis])
        brush.line([(column, row), end], fill=tuple(colors[axis]), width=thick)
    return np.asarray(canvas)


def pose_sheet(images: Any, *poses: Any, columns: int = 8, scale: int = 1) -> np.ndarray:
    """Put images side by side, with the axes of their poses on them.

    Parameters
    ----------
    images : array-like of uint8, shape (n, h, w, 3)
        Images.
    *poses : array-like of shape (n, 3, 3)
        One or more poses of every image, such as true ones, drawn thick and pale, and predicted ones on top.
    columns : int, default 8
        Images in a row.
    scale : int, default 1
        How often every pixel is repeated along each side, before axes are drawn.

    Returns
    -------
    ndarray of uint8, shape (rows * h * scale, columns * w * scale, 3)
        White where there is no image.

    Raises
    ------
    ValueError
        If shapes do not fit, or a matrix is no rotation.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.studies.head_pose import pose_sheet
    >>> pose_sheet(np.zeros((3, 32, 32, 3), np.uint8), np.stack([np.eye(3)] * 3), columns=2).shape
    (64, 64, 3)
    """
    pictures = np.asarray(as_numpy(images))
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[-1] != 3 or not len(pictures):
        raise ValueError(f"images must be uint8 of shape (n, h, w, 3), got {pictures.dtype} of shape {pictures.shape}.")
    check_int(columns, "columns", minimum=1)
    check_int(scale, "scale", minimum=1)
    rotations = [checked_poses(R, f"poses[{i}]").numpy() for i, R in enumerate(poses)]
    for i, R in enumerate(rotations):
        if R.shape != (len(pictures), 3, 3):
            raise ValueError(f"poses[{i}] must have shape ({len(pictures)}, 3, 3), got {R.shape}.")
    grown = pictures.repeat(scale, axis=1).repeat(scale, axis=2)
    n, height, width = grown.shape[:3]
    rows = -(-n // columns)
    sheet = np.full((rows * height, columns * width, 3), 255, dtype=np.uint8)
    for i, picture in enumerate(grown):
        for number, R in enumerate(rotations):
            below = number < len(rotations) - 1
            thick = max(1, min(height, width) // 60) * (3 if below else 1)
            picture = draw_axes(picture, R[i], width=thick, colors=PALE if below else COLORS)
        row, column = divmod(i, columns)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = picture
    return sheet
