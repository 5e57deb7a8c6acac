"""The pinhole camera, through which meshes are seen."""

import math
from dataclasses import dataclass

import numpy as np

from holonomy._core.validation import check_float, check_int


@dataclass(frozen=True, kw_only=True)
class PinholeCamera:
    """A camera that looks at the origin from a distance, and takes square pictures.

    Its axes are x to the right, y up and z towards the viewer, so that an object with the identity as its pose shows
    the side that its own z axis points to. A rotation R takes the object's coordinates to these axes.

    Parameters
    ----------
    size : int, default 64
        Rows and columns of the picture.
    distance : float, default 4.0
        From the camera to the origin.
    field_of_view : float, default 32.0
        Degrees that the picture spans, in (0, 180). The default holds a sphere of radius 1 at the default distance.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.datasets import PinholeCamera
    >>> pixels, depth = PinholeCamera(size=64).project(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]))
    >>> pixels.tolist(), depth.tolist()
    ([[32.0, 32.0], [32.0, 32.0]], [4.0, 3.0])
    """

    size: int = 64
    distance: float = 4.0
    field_of_view: float = 32.0

    def __post_init__(self) -> None:
        check_int(self.size, "size", minimum=1)
        check_float(self.distance, "distance", minimum=math.ulp(0.0))
        check_float(self.field_of_view, "field_of_view", minimum=1e-3, maximum=179.0)

    @property
    def focal(self) -> float:
        """Focal length in pixels."""
        return 0.5 * self.size / math.tan(0.5 * math.radians(self.field_of_view))

    def project(self, points: np.ndarray, R: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return where points are seen.

        Parameters
        ----------
        points : ndarray of shape (..., 3)
            Points of the object.
        R : ndarray of shape (..., 3, 3), optional
            Pose of the object; leading axes broadcast.

        Returns
        -------
        pixels : ndarray of shape (..., 2)
            Column and row, from the upper left corner of the picture; the middle of the first pixel is (0.5, 0.5).
        depth : ndarray of shape (...)
            Distance in front of the camera, along its axis.
        """
        turned = np.asarray(points) if R is None else np.einsum("...ij,...j->...i", R, points)
        depth = self.distance - turned[..., 2]
        scale = self.focal / depth
        middle = 0.5 * self.size
        return np.stack([middle + scale * turned[..., 0], middle - scale * turned[..., 1]], axis=-1), depth
