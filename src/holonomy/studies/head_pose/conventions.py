"""Poses as matrices, and as the angles that published labels use."""

from typing import Any

import numpy as np
import torch

from holonomy._core.citations import references
from holonomy._core.validation import as_numpy
from holonomy.manifolds import check_rotations, euler_to_matrix, matrix_to_euler


@references("hempel2022sixd", "zhu2016face")
def pose_from_angles(angles: Any, *, degrees: bool = True) -> np.ndarray:
    """Return the poses of published labels.

    The labels' own matrix is ``Rz(roll) Ry(yaw) Rx(pitch)``; it takes the camera's axes to the head's, and the pose is
    its transpose.

    Parameters
    ----------
    angles : array-like of shape (..., 3)
        Yaw, pitch and roll.
    degrees : bool, default True
        Whether these are degrees instead of radians.

    Returns
    -------
    ndarray of float64, shape (..., 3, 3)

    Raises
    ------
    ValueError
        If the trailing axis is not 3, or a number is not finite.

    Examples
    --------
    >>> from holonomy.studies.head_pose import pose_from_angles
    >>> pose_from_angles([90.0, 0.0, 0.0])[:, 2].round(6) + 0.0
    array([-1.,  0.,  0.])
    """
    given = torch.as_tensor(np.asarray(as_numpy(angles), dtype=np.float64))
    if given.ndim == 0 or given.shape[-1] != 3 or not bool(torch.isfinite(given).all()):
        raise ValueError(f"angles must be finite numbers of shape (..., 3), got shape {tuple(given.shape)}.")
    yaw, pitch, roll = given.unbind(-1)
    return euler_to_matrix(torch.stack([roll, yaw, pitch], dim=-1), "zyx", degrees=degrees).mT.numpy()


@references("hempel2022sixd", "zhu2016face")
def angles_from_pose(R: Any, *, degrees: bool = True) -> np.ndarray:
    """Return yaw, pitch and roll of poses, as published labels have them.

    Yaw is in [-90, 90] degrees: beyond, pitch and roll turn over, and at 90 degrees they are not to be told apart.

    Parameters
    ----------
    R : array-like of shape (..., 3, 3)
        Rotations from the head's axes to the camera's.
    degrees : bool, default True
        Whether to return degrees instead of radians.

    Returns
    -------
    ndarray of float64, shape (..., 3)

    Raises
    ------
    ValueError
        If a matrix is no rotation; its index is named.

    Examples
    --------
    >>> from holonomy.studies.head_pose import angles_from_pose, pose_from_angles
    >>> angles_from_pose(pose_from_angles([30.0, -20.0, 10.0])).round(6)
    array([ 30., -20.,  10.])
    """
    roll, yaw, pitch = matrix_to_euler(checked_poses(R).mT, "zyx", degrees=degrees).unbind(-1)
    return torch.stack([yaw, pitch, roll], dim=-1).numpy()


def flip_poses(images: Any, R: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mirror images left to right, and poses along: yaw and roll change their sign, and pitch does not.

    Parameters
    ----------
    images : array-like of shape (n, h, w) or (n, h, w, c)
        Images.
    R : array-like of shape (n, 3, 3)
        Poses.

    Returns
    -------
    images, R : ndarray
        New arrays of the same shapes.

    Raises
    ------
    ValueError
        If shapes do not fit, or a matrix is no rotation.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.studies.head_pose import angles_from_pose, flip_poses, pose_from_angles
    >>> _, R = flip_poses(np.zeros((1, 8, 8)), pose_from_angles([[30.0, -20.0, 10.0]]))
    >>> angles_from_pose(R).round(6)
    array([[-30., -20., -10.]])
    """
    pictures, poses = np.asarray(as_numpy(images)), checked_poses(R).numpy()
    if pictures.ndim not in (3, 4) or poses.shape[:-2] != pictures.shape[:1]:
        raise ValueError(
            f"images and R must have shapes (n, h, w[, c]) and (n, 3, 3), got {pictures.shape} and {poses.shape}."
        )
    mirror = np.array([-1.0, 1.0, 1.0])
    return pictures[:, :, ::-1].copy(), mirror[:, None] * poses * mirror


def checked_poses(R: Any, name: str = "R") -> torch.Tensor:
    """Return rotations (..., 3, 3) as float64, right to single precision, or raise naming the first that is none."""
    matrices = R.as_matrix() if hasattr(R, "as_matrix") else as_numpy(R)
    poses = torch.from_numpy(np.array(matrices, dtype=np.float64))
    check_rotations(poses.float(), name)
    return poses
