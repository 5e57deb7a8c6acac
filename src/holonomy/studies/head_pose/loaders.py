"""Loaders of labelled heads in the formats in which 300W-LP, AFLW2000 and BIWI are published."""

import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from holonomy._core.citations import references
from holonomy._core.validation import check_float, check_option
from holonomy.studies.head_pose.conventions import angles_from_pose, checked_poses, pose_from_angles
from holonomy.studies.head_pose.images import Box, PoseImages, PoseRecord

LARGEST_ANGLE = 99.0
"""Degrees up to which the published evaluation keeps labels."""

HEAD_MM = 260.0
"""Side of the square that is cropped around a head of known distance."""

TEST_SHARE = 0.3

FLIP = np.array([1.0, -1.0, -1.0])
"""From a camera with y down and z away from the viewer to one with y up and z to the viewer."""


@references("zhu2016face", "hempel2022sixd")
def load_300w_lp(
    folder: str | os.PathLike[str], *, size: int = 224, augment: bool = False, largest_angle: float = LARGEST_ANGLE
) -> PoseImages:
    """Load 300W-LP: images ``NAME.jpg`` with ``NAME.mat`` beside them, in a folder and those below.

    The ``.mat`` holds ``Pose_Para``, which starts with pitch, yaw and roll in radians, and ``pt2d``, the landmarks
    (2, k) in pixels that the face is cropped to, with a margin that varies in training.

    Parameters
    ----------
    folder : path
        Where the files are.
    size, augment
        See `PoseImages`.
    largest_angle : float, default 99.0
        Degrees; images with a larger yaw, pitch or roll are left out, as published.

    Returns
    -------
    PoseImages

    Raises
    ------
    FileNotFoundError
        If the folder does not exist or holds no labelled image.
    ValueError
        If a label is damaged or lacks an entry; its file is named.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from holonomy.studies.head_pose import load_300w_lp, pose_from_angles, save_300w_lp
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_300w_lp(folder, np.zeros((2, 64, 64, 3), np.uint8), pose_from_angles([[10, 20, 30], [0, 0, 120]]))
    ...     data = load_300w_lp(folder)
    >>> data.angles.round(4).tolist(), data.n_left_out
    ([[10.0, 20.0, 30.0]], 1)
    """
    return _from_mat_files(folder, 0.6, size, augment, largest_angle)


@references("zhu2016face", "hempel2022sixd")
def load_aflw2000(
    folder: str | os.PathLike[str], *, size: int = 224, augment: bool = False, largest_angle: float = LARGEST_ANGLE
) -> PoseImages:
    """Load AFLW2000: as `load_300w_lp`, with the wider crop of the published evaluation.

    Parameters
    ----------
    folder : path
        Where the files are.
    size, augment
        See `PoseImages`.
    largest_angle : float, default 99.0
        Degrees; images with a larger yaw, pitch or roll are left out, as published.

    Returns
    -------
    PoseImages

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_300w_lp`.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from holonomy.studies.head_pose import load_aflw2000, pose_from_angles, save_300w_lp
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_300w_lp(folder, np.zeros((1, 64, 64, 3), np.uint8), pose_from_angles([[10, 20, 30]]))
    ...     len(load_aflw2000(folder))
    1
    """
    return _from_mat_files(folder, 2.0, size, augment, largest_angle)


@references("fanelli2013random", "hempel2022sixd")
def load_biwi(
    path: str | os.PathLike[str],
    *,
    split: str | None = None,
    size: int = 224,
    augment: bool = False,
    largest_angle: float = LARGEST_ANGLE,
) -> PoseImages:
    """Load the BIWI Kinect heads: folders of people with ``frame_NNNNN_rgb.png`` and ``frame_NNNNN_pose.txt``.

    A ``pose.txt`` holds a rotation matrix, and the centre of the head in millimetres, both in the axes of the depth
    camera. With ``rgb.cal`` beside them a square of 260 mm around the head is cropped; without it all of the image is
    taken. An ``.npz`` file with arrays ``image`` (n, h, w, 3) and ``pose`` (n, 3: yaw, pitch and roll in degrees) is
    read as well.

    Parameters
    ----------
    path : path
        The folder that holds the folders of people, or the ``.npz`` file.
    split : {None, "train", "test"}, default None
        The last 30 % of the people, by name, for ``"test"``, and the others for ``"train"``; not for ``.npz`` files.
    size, augment
        See `PoseImages`.
    largest_angle : float, default 99.0
        Degrees; images with a larger yaw, pitch or roll are left out, as published.

    Returns
    -------
    PoseImages

    Raises
    ------
    FileNotFoundError
        If there is nothing at the path, or no labelled image.
    ValueError
        If a file is damaged; it is named.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from holonomy.studies.head_pose import load_biwi, pose_from_angles, save_biwi
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_biwi(folder, np.zeros((2, 64, 64, 3), np.uint8), pose_from_angles([[10, 20, 30], [0, 5, 6]]))
    ...     (load_biwi(folder).angles.round(4) + 0.0).tolist()
    [[10.0, 20.0, 30.0], [0.0, 5.0, 6.0]]
    """
    given = Path(path)
    if given.is_file():
        if split is not None:
            raise ValueError(f"split needs the folders of people, got the file {str(given)!r}.")
        return _chosen(_npz_records(given), size, augment, largest_angle)
    people = sorted(one for one in _existing(given).iterdir() if one.is_dir())
    if split is not None:
        check_option(split, "split", ("test", "train"))
        first_test = len(people) - round(TEST_SHARE * len(people))
        people = people[first_test:] if split == "test" else people[:first_test]
    records = [_biwi_record(file, given) for person in people for file in sorted(person.glob("frame_*_pose.txt"))]
    if not records:
        raise FileNotFoundError(f"{given} holds no folder with frame_*_pose.txt files.")
    return _chosen(records, size, augment, largest_angle)


def _chosen(records: list[PoseRecord], size: int, augment: bool, largest_angle: float) -> PoseImages:
    check_float(largest_angle, "largest_angle", minimum=0.0)
    kept = [record for record in records if np.abs(record.angles).max() <= largest_angle]
    if not kept:
        raise ValueError(f"all {len(records)} images have an angle beyond largest_angle={largest_angle} degrees.")
    return PoseImages(kept, size=size, augment=augment, n_left_out=len(records) - len(kept))


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}.")
    return folder


def _from_mat_files(folder: Any, side: float, size: int, augment: bool, largest_angle: float) -> PoseImages:
    root = _existing(Path(folder))
    # Sets carry further .mat files, of landmarks alone, without an image beside them.
    labelled = [file for file in sorted(root.rglob("*.mat")) if file.with_suffix(".jpg").is_file()]
    if not labelled:
        raise FileNotFoundError(f"{root} holds no image NAME.jpg with NAME.mat beside it.")
    return _chosen([_mat_record(file, root, side) for file in labelled], size, augment, largest_angle)


def _mat_record(file: Path, root: Path, side: float) -> PoseRecord:
    from scipy.io import loadmat

    try:
        content = loadmat(file)
        pose = np.asarray(content["Pose_Para"], dtype=np.float64).ravel()[:3]
        landmarks = np.asarray(content["pt2d"], dtype=np.float64)
    except KeyError as error:
        raise ValueError(f"{file} lacks the entry {error}, so it is no label of 300W-LP or AFLW2000.") from error
    except Exception as error:
        raise ValueError(f"{file} is no .mat file, or it is damaged: {error}.") from error
    is_whole = len(pose) == 3 and landmarks.ndim == 2 and len(landmarks) == 2 and landmarks.size > 0
    if not is_whole or not np.isfinite([*pose, *landmarks.ravel()]).all():
        raise ValueError(f"{file} must hold three angles and landmarks (2, k), all finite.")
    angles = np.degrees(pose[[1, 0, 2]])
    name = file.relative_to(root).with_suffix("").as_posix()
    box = partial(_face_box, landmarks, side)
    return PoseRecord(name, file.with_suffix(".jpg"), pose_from_angles(angles), angles, box)


def _face_box(landmarks: np.ndarray, side: float, u: float) -> Box:
    """Return the published crop: margins of a share of the box of the landmarks, the later ones of the grown box."""
    (left, top), (right, bottom) = landmarks.min(axis=1), landmarks.max(axis=1)
    margin = 0.2 + 0.2 * u
    left -= side * margin * (right - left)
    top -= 2.0 * margin * (bottom - top)
    right += side * margin * (right - left)
    bottom += 0.6 * margin * (bottom - top)
    return int(left), int(top), max(int(right), int(left) + 1), max(int(bottom), int(top) + 1)


def _biwi_record(file: Path, root: Path) -> PoseRecord:
    number = re.sub(r"_pose\.txt$", "", file.name)
    image = file.with_name(f"{number}_rgb.png")
    if not image.is_file():
        raise FileNotFoundError(f"{file} has no image {image.name} beside it.")
    values = _numbers(file, 12)
    try:
        matrix = checked_poses(values[:9].reshape(3, 3)).numpy()
    except ValueError as error:
        raise ValueError(f"{file} holds no rotation: {error}") from error
    R = FLIP[:, None] * matrix * FLIP
    calibration = file.with_name("rgb.cal")
    box: Callable[[float], Box | None] = _whole
    if calibration.is_file():
        box = partial(_head_box, _numbers(calibration, 25), values[9:12])
    name = file.relative_to(root).with_name(number).as_posix()
    return PoseRecord(name, image, R, angles_from_pose(R), box)


def _whole(u: float) -> None:
    """Take all of an image."""
    del u


def _head_box(calibration: np.ndarray, centre: np.ndarray, u: float) -> Box:
    """Return the square around a head, by intrinsics (9), distortion (4), rotation (9) and translation (3)."""
    K, turn, shift = calibration[:9].reshape(3, 3), calibration[13:22].reshape(3, 3), calibration[22:25]
    x, y, z = turn @ centre + shift
    column, row = K[0, 0] * x / z + K[0, 2], K[1, 1] * y / z + K[1, 2]
    half = 0.5 * HEAD_MM * (1.0 + 0.2 * u) * K[0, 0] / z
    return int(column - half), int(row - half), int(column + half), int(row + half)


def _numbers(file: Path, least: int) -> np.ndarray:
    try:
        values = np.array(file.read_text(encoding="utf-8").split(), dtype=np.float64)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} must hold numbers only: {error}.") from error
    if len(values) < least or not np.isfinite(values).all():
        raise ValueError(f"{file} must hold at least {least} finite numbers, got {len(values)}.")
    return values


def _npz_records(file: Path) -> list[PoseRecord]:
    try:
        with np.load(file, allow_pickle=False) as content:
            images, angles = content["image"], np.asarray(content["pose"], dtype=np.float64)
    except KeyError as error:
        raise ValueError(f"{file} must hold arrays 'image' and 'pose': {error}.") from error
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{file} is no .npz file, or it is damaged: {error}.") from error
    if images.ndim != 4 or images.shape[-1] != 3 or angles.shape != (len(images), 3):
        raise ValueError(
            f"{file} must hold image (n, h, w, 3) and pose (n, 3), got shapes {images.shape} and {angles.shape}."
        )
    pictures, poses = images.astype(np.uint8), pose_from_angles(angles)
    return [PoseRecord(str(i), pictures[i], poses[i], angles[i]) for i in range(len(pictures))]
