"""Images with known poses in the formats of 300W-LP and BIWI, so that other programs can be tried on them."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from holonomy._core.validation import as_numpy
from holonomy.studies.head_pose.conventions import angles_from_pose, checked_poses
from holonomy.studies.head_pose.loaders import FLIP

LANDMARKS = 68


def save_300w_lp(folder: str | os.PathLike[str], images: Any, R: Any) -> None:
    """Write ``imageNNNNN.jpg`` with ``imageNNNNN.mat``: the angles, and landmarks on an ellipse within the image.

    Parameters
    ----------
    folder : path
        Made when it does not exist.
    images : array-like of uint8, shape (n, h, w, 3)
        Images.
    R : array-like of shape (n, 3, 3)
        Poses, from the head's axes to the camera's.

    Raises
    ------
    ValueError
        If shapes do not fit, images are no bytes, or a matrix is no rotation.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from holonomy.studies.head_pose import save_300w_lp
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_300w_lp(folder, np.zeros((1, 64, 64, 3), np.uint8), np.eye(3)[None])
    ...     sorted(os.listdir(folder))
    ['image00000.jpg', 'image00000.mat']
    """
    from scipy.io import savemat

    pictures, poses = _checked(images, R)
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    height, width = pictures.shape[1:3]
    around = np.linspace(0.0, 2.0 * np.pi, LANDMARKS, endpoint=False)
    middle, radii = 0.5 * np.array([[width], [height]]), 0.3 * np.array([[width], [height]])
    landmarks = middle + radii * np.stack([np.cos(around), np.sin(around)])
    angles = angles_from_pose(poses, degrees=False)
    for i, (picture, (yaw, pitch, roll)) in enumerate(zip(pictures, angles, strict=True)):
        file = root / f"image{i:05d}"
        Image.fromarray(picture).save(file.with_suffix(".jpg"), quality=95)
        pose = np.array([[pitch, yaw, roll, 0.5 * width, 0.5 * height, 0.0, 1.0]])
        savemat(file.with_suffix(".mat"), {"Pose_Para": pose, "pt2d": landmarks})


def save_biwi(folder: str | os.PathLike[str], images: Any, R: Any) -> None:
    """Write ``01/frame_NNNNN_rgb.png`` with ``01/frame_NNNNN_pose.txt``: the matrix, and a head one metre away.

    Parameters
    ----------
    folder : path
        Made when it does not exist.
    images : array-like of uint8, shape (n, h, w, 3)
        Images.
    R : array-like of shape (n, 3, 3)
        Poses, from the head's axes to the camera's.

    Raises
    ------
    ValueError
        If shapes do not fit, images are no bytes, or a matrix is no rotation.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from holonomy.studies.head_pose import save_biwi
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_biwi(folder, np.zeros((1, 64, 64, 3), np.uint8), np.eye(3)[None])
    ...     sorted(os.listdir(os.path.join(folder, "01")))
    ['frame_00000_pose.txt', 'frame_00000_rgb.png']
    """
    pictures, poses = _checked(images, R)
    person = Path(folder) / "01"
    person.mkdir(parents=True, exist_ok=True)
    for i, (picture, pose) in enumerate(zip(pictures, poses, strict=True)):
        Image.fromarray(picture).save(person / f"frame_{i:05d}_rgb.png")
        matrix = FLIP[:, None] * pose * FLIP
        lines = [" ".join(f"{value:.17g}" for value in row) for row in matrix]
        (person / f"frame_{i:05d}_pose.txt").write_text("\n".join([*lines, "", "0 0 1000", ""]), encoding="utf-8")


def _checked(images: Any, R: Any) -> tuple[np.ndarray, np.ndarray]:
    pictures, poses = np.asarray(as_numpy(images)), checked_poses(R).numpy()
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[-1] != 3:
        raise ValueError(f"images must be uint8 of shape (n, h, w, 3), got {pictures.dtype} of shape {pictures.shape}.")
    if poses.shape != (len(pictures), 3, 3):
        raise ValueError(f"R must have shape ({len(pictures)}, 3, 3), got {poses.shape}.")
    return pictures, poses
