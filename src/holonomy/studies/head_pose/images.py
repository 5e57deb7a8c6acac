"""Labelled images on disk, cropped to the face and brought to one size when they are asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor
from torch.utils.data import Dataset

from holonomy._core.validation import check_int
from holonomy.studies.head_pose.conventions import checked_poses

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
SPREAD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
"""Moments of the images of ImageNet, which backbones were trained on."""

MARGIN = 8 / 7
"""In evaluation the shorter side is brought to 256 pixels where 224 in the middle are kept."""

SMALLEST_AREA = 0.8
BLURRED = 0.05

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class PoseRecord:
    """One labelled image.

    Attributes
    ----------
    name : str
        Where it comes from, for people.
    source : Path or ndarray
        A file, or the image itself (h, w, 3) uint8.
    R : ndarray of shape (3, 3)
        The pose.
    angles : ndarray of shape (3,)
        Yaw, pitch and roll of the label, in degrees.
    box : callable
        From a number u in [0, 1] to the corners (left, top, right, bottom) of a crop, or None for all of the image; u
        says how wide to crop in training, and 0 is for evaluation.
    """

    name: str
    source: Path | np.ndarray
    R: np.ndarray
    angles: np.ndarray
    box: Callable[[float], Box | None] = field(default=lambda u: None)


class PoseImages(Dataset):
    """Labelled images as a data set of pairs: an image (3, size, size) in the units of ImageNet, and its pose (3, 3).

    Images are read when they are asked for, so that large sets need no memory; `arrays` reads them all.

    Parameters
    ----------
    records : sequence of PoseRecord
        At least one, as the loaders make them.
    size : int, default 224
        Rows and columns of the images that are given out.
    augment : bool, default False
        Whether images are varied at random, for training: crops, scale (80 to 100 % of the area), left and right
        exchanged with the pose along, and blurred now and then. Otherwise the middle is taken.
    n_left_out : int, default 0
        How many images the loader left out because their angles are out of range.

    Attributes
    ----------
    R : ndarray of float64, shape (n, 3, 3)
        Poses, from the head's axes to the camera's.
    angles : ndarray of float64, shape (n, 3)
        Yaw, pitch and roll of the labels in degrees.
    names : tuple of str
        Names of the images.

    Raises
    ------
    ValueError
        If there is no record, a pose is no rotation, or the size is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.studies.head_pose import PoseImages, pose_from_angles
    >>> from holonomy.studies.head_pose.images import PoseRecord
    >>> angles = np.array([30.0, 0.0, 0.0])
    >>> record = PoseRecord("one", np.zeros((40, 40, 3), np.uint8), pose_from_angles(angles), angles)
    >>> image, R = PoseImages([record], size=32)[0]
    >>> image.shape, R.shape
    (torch.Size([3, 32, 32]), torch.Size([3, 3]))
    """

    def __init__(
        self, records: Sequence[PoseRecord], *, size: int = 224, augment: bool = False, n_left_out: int = 0
    ) -> None:
        if not len(records):
            raise ValueError("records must hold at least one labelled image, got none.")
        self.records = tuple(records)
        self.size = check_int(size, "size", minimum=1)
        self.augment = bool(augment)
        self.n_left_out = n_left_out
        self.R = checked_poses(np.stack([record.R for record in self.records])).numpy()
        self.angles = np.stack([record.angles for record in self.records])
        self.names = tuple(record.name for record in self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if not self.augment:
            return _normalised(self.picture(index)), torch.from_numpy(self.R[index]).float()
        # Drawn from torch's default generator, which the training loop seeds for every batch.
        draws = torch.rand(7).tolist()
        picture = _random_crop(_cropped(self.records[index], draws[0]), self.size, draws[1:5])
        R = self.R[index]
        if draws[5] < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            mirror = np.array([-1.0, 1.0, 1.0])
            R = mirror[:, None] * R * mirror
        if draws[6] < BLURRED:
            picture = picture.filter(ImageFilter.BLUR)
        return _normalised(picture), torch.from_numpy(R).float()

    def picture(self, index: int) -> Image.Image:
        """Return an image as it is evaluated: cropped to the face, and its middle (size, size)."""
        face = _cropped(self.records[index], 0.0)
        scale = MARGIN * self.size / min(face.size)
        width, height = (side * scale for side in face.size)
        left, top = 0.5 * (width - self.size) / scale, 0.5 * (height - self.size) / scale
        box = (left, top, left + self.size / scale, top + self.size / scale)
        return face.resize((self.size, self.size), Image.Resampling.BILINEAR, box=box)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all images (n, size, size, 3) as uint8, and their poses (n, 3, 3)."""
        return np.stack([np.asarray(self.picture(i)) for i in range(len(self))]), self.R.copy()


def _cropped(record: PoseRecord, u: float) -> Image.Image:
    if isinstance(record.source, np.ndarray):
        image = Image.fromarray(record.source)
    else:
        try:
            image = Image.open(record.source)
            image.load()
        except OSError as error:
            raise ValueError(f"{record.source} is no image, or it is damaged: {error}.") from error
    box = record.box(u)
    # A crop beyond the image is filled with black.
    return image.convert("RGB") if box is None else image.convert("RGB").crop(box)


def _random_crop(image: Image.Image, size: int, draws: Sequence[float]) -> Image.Image:
    """Return a random part, 80 to 100 % of the area, of an aspect between 3:4 and 4:3, brought to size."""
    width, height = image.size
    area = width * height * (SMALLEST_AREA + (1.0 - SMALLEST_AREA) * draws[0])
    aspect = float(np.exp(np.log(4 / 3) * (2.0 * draws[1] - 1.0)))
    w, h = min(width, (area * aspect) ** 0.5), min(height, (area / aspect) ** 0.5)
    left, top = draws[2] * (width - w), draws[3] * (height - h)
    return image.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + w, top + h))


def _normalised(picture: Any) -> Tensor:
    values = torch.from_numpy(np.array(picture, dtype=np.float32)).movedim(-1, 0) / 255.0
    return (values - MEAN) / SPREAD
